"""The HTML: one file, nothing from outside, everything said and linked."""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree as ET

import pytest

from kpfootprint.comparison.results import Statement
from kpfootprint.report import build_report, render_html, render_text
from kpfootprint.report.glossary import glossary
from kpfootprint.report.locale import words
from kpfootprint.report.whole import lay_out
from tests.every import every
from tests.report.factory import (
    CREATED_AT,
    KINDS,
    Kind,
    make_cautions,
    make_examination,
    make_model,
    make_parcel,
    make_report,
)

HEADINGS = {
    "en": ["In short", "What was declared", "What the parcel says", "How sure", "What speaks for and against"],
    "fr": ["En bref", "La d\u00e9claration", "Ce que montre le lot", "Degr\u00e9 de certitude"],
}


def plain(page: str) -> str:
    body = re.sub(r"<(style|svg).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", body)).split())


@every("lang", ["en", "fr"])
@every("kind", KINDS)
def test_the_page_stands_alone(kind: Kind, lang: str) -> None:
    page = render_html(make_report(kind), lang)
    assert page.startswith("<!DOCTYPE html>")
    assert f'<html lang="{lang}">' in page
    assert page.count("<h1>") == 1
    without_namespace = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|//\w|<script|<link|<img|<iframe|@import|url\(|\bsrc=|\bon\w+=", without_namespace)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_report_gives_the_same_bytes(kind: Kind) -> None:
    assert render_html(make_report(kind), "fr") == render_html(make_report(kind), "fr")


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_unique_and_every_link_arrives(kind: Kind) -> None:
    page = render_html(make_report(kind))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    targets = re.findall(r'href="#([^"]+)"', page) + " ".join(re.findall(r'aria-labelledby="([^"]+)"', page)).split()
    assert set(targets) <= set(ids)
    assert len(re.findall("href=", page)) == len(re.findall('href="#', page))


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_order_in_which_a_report_answers(lang: str) -> None:
    found = re.findall(r"<h2[^>]*>([^<]+)</h2>", render_html(make_report("query"), lang))
    assert found[: len(HEADINGS[lang])] == HEADINGS[lang]
    assert len(found) == 8


@every("lang", ["en", "fr"])
@every("kind", KINDS)
def test_the_first_section_holds_all_that_a_conclusion_must_not_be_read_without(kind: Kind, lang: str) -> None:
    report = make_report(kind)
    page = render_html(report, lang)
    first = plain(page[page.index('id="summary"') : page.index('id="declared"')])
    text = " ".join(render_text(report, lang).split())
    for caution in make_cautions(kind):
        for zone in ("Berb\u00e9rati", "Carnot", "Gadzi", "Bakouma"):
            if zone.lower() == caution.values.get("zone"):
                assert zone in first
    assert "SYNTH" in first
    for count in ("Berb\u00e9rati 26", "Cuango 17"):
        assert count in text
    assert "198" in first  # reference parcels in all
    if report.content["verification"] is not None:
        assert "about 4 are queried" in first or "environ 4 sont interrog\u00e9es" in first
        assert "2.22" in first or "2,22" in first


@pytest.mark.parametrize("kind", KINDS)
def test_every_caution_is_said_on_the_first_page(kind: Kind) -> None:
    page = render_html(make_report(kind))
    first = plain(page[page.index('id="summary"') : page.index('id="declared"')])
    for caution in make_report(kind).content["cautions"]:
        assert caution["text"] in first


def test_without_a_declaration_there_is_resemblance_and_novelty_and_nothing_more() -> None:
    page = plain(render_html(make_report("undeclared")))
    assert "By its footprint the parcel could come from Berb\u00e9rati, Carnot" in page
    assert "Novelty" in page
    body = page[: page.rindex("Glossary")]
    for absent in ("How sure", "What speaks for and against", "log10", "H1", "Declared zones", "Error rates"):
        assert absent not in body


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_term_the_report_uses_is_linked(lang: str) -> None:
    page = "".join(render_html(make_report(kind), lang) for kind in KINDS)
    linked = set(re.findall(r'class="term" href="#g-([\w-]+)"', page))
    assert {term.key for term in glossary(words(lang))} - linked <= {"calibrated"}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_well_formed_titled_and_have_their_figures_beside_them(kind: Kind) -> None:
    page = render_html(make_report(kind), "fr")
    pictures = re.findall(r'<svg(?![^>]*class="qr").*?</svg>', page, flags=re.DOTALL)
    tables_beside = len(set(re.findall(r"<caption>([^<]*contributions)", page)))
    assert len(pictures) == page.count("<figure") == page.count("<details>") + tables_beside
    for picture in pictures:
        root = ET.fromstring(picture)
        names = [child.tag.split("}")[1] for child in root[:2]]
        assert names == ["title", "desc"]
        assert all(child.text for child in root[:2])
        assert root.get("role") == "img"
    assert len(pictures) == {"query": 8, "consistent": 8, "inconclusive": 8, "undeclared": 5}.get(kind, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_tables_have_captions_and_headed_rows_and_columns(kind: Kind) -> None:
    page = render_html(make_report(kind))
    assert page.count("<table>") == page.count("<caption>") == page.count("<thead>")
    rows = re.findall(r"<tbody>(.*?)</tbody>", page, flags=re.DOTALL)
    assert all(body.count("<tr>") == body.count('<th scope="row"') for body in rows)


def test_whatever_a_submission_holds_is_shown_as_text() -> None:
    evil = "<script>alert('1')</script>\"&{{ 7 * 7 }}"
    examination = make_examination("query", cautions=(Statement(code="sorter_unknown", values={"sorter": evil}),))
    report = build_report(
        make_parcel("query", parcel_id=evil, certificate_no=evil, exporter=evil),
        examination,
        make_model(),
        created_at=CREATED_AT,
    )
    page = render_html(report)
    assert "<script" not in page
    assert "{{ 7 * 7 }}" in plain(page)
    assert page.count("&lt;script&gt;") >= 4
    assert evil in render_text(report)


def test_an_unknown_language_gives_english() -> None:
    assert render_html(make_report(), "sw") == render_html(make_report(), "en")


@every("lang", ["en", "fr"])
@every("kind", KINDS)
def test_text_holds_what_the_page_holds(kind: Kind, lang: str) -> None:
    """Both draw the same blocks: every fact of the layout stands in both."""
    report = make_report(kind)
    page, text = plain(render_html(report, lang)), " ".join(render_text(report, lang).split())
    for section in lay_out(report, lang).sections:
        assert section.heading in page
        assert section.heading in text
        for block in section.blocks:
            for name, value in getattr(block, "rows", ()) if type(block).__name__ == "Facts" else ():
                assert " ".join(f"{name}{words(lang).colon}{value}".split()) in text
                assert " ".join(value.split()) in page
