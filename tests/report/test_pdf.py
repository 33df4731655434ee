"""The PDF: archival, accessible, the same bytes, the content's id within."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, IndirectObject

from kpfootprint.report import Stationery, build_report, read_report, render_html, render_pdf
from kpfootprint.report.blocks import Beside, Figure
from kpfootprint.report.pdf import _EXOTIC
from kpfootprint.report.whole import lay_out
from tests.every import every
from tests.report.factory import (
    CREATED_AT,
    KINDS,
    Kind,
    make_crowded_report,
    make_examination,
    make_model,
    make_parcel,
    make_report,
)
from tests.report.golden import GOLDEN


@cache
def made(kind: Kind, lang: str) -> bytes:
    return render_pdf(make_report(kind), lang)


@cache
def read(kind: Kind, lang: str) -> PdfReader:
    return PdfReader(io.BytesIO(made(kind, lang)))


def root(reader: PdfReader) -> DictionaryObject:
    found = reader.trailer["/Root"].get_object()
    assert isinstance(found, DictionaryObject)
    return found


def elements(node: object) -> list[DictionaryObject]:
    """Return every element of the structure tree below a node."""
    if isinstance(node, IndirectObject):
        node = node.get_object()
    if isinstance(node, list):
        return [found for child in node for found in elements(child)]
    if isinstance(node, DictionaryObject):
        return [node, *elements(node.get("/K", []))]
    return []


@pytest.mark.slow
@every("lang", ["en", "fr"])
@every("kind", KINDS)
def test_two_to_four_pages_with_title_language_and_id(kind: Kind, lang: str) -> None:
    reader = read(kind, lang)
    assert 2 <= len(reader.pages) <= 4
    catalogue: Any = root(reader)
    assert catalogue["/Lang"] == lang
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == lay_out(make_report(kind), lang).title
    assert make_report(kind).report_id in str(reader.metadata.get("/Keywords"))
    assert reader.metadata.creation_date == datetime(2026, 5, 3, 9, 30, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_two_dozen_zones_and_ten_cautions_still_fit(lang: str) -> None:
    report = make_crowded_report()
    reader = PdfReader(io.BytesIO(render_pdf(report, lang)))
    assert len(reader.pages) <= 4
    first = " ".join(" ".join(page.extract_text() for page in reader.pages[:2]).split())
    for caution in lay_out(report, lang).sections[0].blocks[-1].items:  # type: ignore[union-attr]
        assert " ".join(caution.split())[:40] in first


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_it_claims_archival_and_accessible_form(lang: str) -> None:
    catalogue: Any = root(read("query", lang))
    metadata = catalogue["/Metadata"].get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert make_report("query").report_id in metadata


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_picture_has_its_text(lang: str) -> None:
    document = lay_out(make_report("query"), lang)
    wanted = [
        shown.alt
        for section in document.sections
        for block in section.blocks
        for shown in (block.shown if isinstance(block, Beside) else (block,))
        if isinstance(shown, Figure)
    ]
    found = elements(root(read("query", lang))["/StructTreeRoot"])
    texts = [str(element["/Alt"]) for element in found if element.get("/S") == "/Figure"]
    assert sorted(texts) == sorted([*wanted, document.qr_label])
    assert {"/Table", "/TH", "/H1", "/L", "/Link"} <= {str(element.get("/S")) for element in found}


def test_bookmarks_are_the_sections() -> None:
    document = lay_out(make_report("query"), "fr")
    marks = [str(mark["/Title"]) for mark in read("query", "fr").outline if not isinstance(mark, list)]
    assert marks == [*(section.heading for section in document.sections), document.glossary_heading]


def test_pages_are_numbered_and_carry_the_id() -> None:
    reader = read("query", "en")
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert f"{number} / {len(reader.pages)}" in text
        assert make_report("query").report_id in text


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_first_page_holds_conclusion_figures_and_cautions(lang: str) -> None:
    first = " ".join(read("query", lang).pages[0].extract_text().split())
    section = lay_out(make_report("query"), lang).sections[0]
    for block in section.blocks:
        for item in getattr(block, "items", ()):
            assert " ".join(item.split())[:40] in first
    assert "about 4 are queried" in first or "environ 4 sont interrog\u00e9es" in first


def test_only_fonts_inside_the_file() -> None:
    for page in read("query", "fr").pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            assert any(name in below["/FontDescriptor"] for name in ("/FontFile2", "/FontFile3"))


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_pdf(make_report("query"), "fr") == made("query", "fr")


@pytest.mark.slow
def test_any_text_can_be_set() -> None:
    odd = '#let x = 1; $ * _ @ <a> [b] \\ "q" é 中 \u202f'
    report = build_report(
        make_parcel("query", parcel_id=odd, exporter=odd, certificate_no=odd),
        make_examination("query"),
        make_model(),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    text = PdfReader(io.BytesIO(render_pdf(report))).pages[0].extract_text()
    assert "#let x = 1; $ * _ @" in text
    assert "\u4e2d" not in text
    assert "\u25a1" in text


@pytest.mark.slow
def test_every_character_that_is_let_through_can_be_set() -> None:
    every = "".join(map(chr, range(0x20, 0x3000)))
    shown = _EXOTIC.sub("", every)
    assert len(shown) > 1500
    for start in range(0, len(shown), 300):
        names = [shown[at : at + 100] or None for at in range(start, start + 300, 100)]
        report = build_report(
            make_parcel("nulls", **dict(zip(("parcel_id", "exporter", "certificate_no"), names, strict=True))),
            make_examination("nulls"),
            make_model(),
            created_at=CREATED_AT,
        )
        assert render_pdf(report).startswith(b"%PDF")


@pytest.mark.slow
def test_an_office_sets_its_letterhead_a_note_and_two_places_to_sign() -> None:
    report = make_report("consistent")
    office = Stationery(letterhead="Bureau de contr\u00f4le\nBangui", note="Copy for the file.\nNo seal.")
    first = PdfReader(io.BytesIO(render_pdf(report, "fr", stationery=office))).pages[0].extract_text()
    page = render_html(report, "fr", stationery=office)
    for text in ("Bureau de contr\u00f4le", "Copy for the file.", "Examin\u00e9 par", "Vu par"):
        assert text in first
        assert text in page
    assert "Bangui" not in render_html(report, "fr")
    assert "\u25a1" not in first, "a line of the letterhead ends, it does not become a box"
    long = Stationery(note="\n".join(["Copy for the file."] * 12))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(render_pdf(report, "fr", stationery=long))).pages]
    (signed,) = [text for text in pages if "Vu par" in text]
    assert signed.count("Copy for the file.") == 12, "a note and the places to sign stay together"


@pytest.mark.slow
@every("lang", ["en", "fr"])
@every("name", ["true", "false", "mixed", "blend"])
def test_an_example_under_a_letterhead_is_signed_on_its_first_page(name: str, lang: str) -> None:
    report = read_report((GOLDEN / f"examples/{name}.json").read_bytes())
    lines = ("R\u00e9publique centrafricaine", "Minist\u00e8re des mines", "Bureau d\u2019\u00e9valuation", "Bangui")
    office = Stationery(letterhead="\n".join(lines), note="Copie au dossier.", address="https://footprint.example")
    pages = PdfReader(io.BytesIO(render_pdf(report, lang, stationery=office))).pages
    first = pages[0].extract_text()
    assert {"en": "Seen by", "fr": "Vu par"}[lang] in first
    assert all(line in first for line in lines)
    assert len(pages) <= 4
