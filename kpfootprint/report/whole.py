"""The whole report in one language, ready to be drawn as text, HTML or PDF."""

from __future__ import annotations

from dataclasses import dataclass

import segno

from kpfootprint.report.blocks import Document
from kpfootprint.report.glossary import glossary
from kpfootprint.report.locale import mark
from kpfootprint.report.report import Report, short_code
from kpfootprint.report.sections.balance import balance
from kpfootprint.report.sections.certainty import certainty
from kpfootprint.report.sections.declared import declared
from kpfootprint.report.sections.findings import findings
from kpfootprint.report.sections.summary import summary
from kpfootprint.report.sections.unknowable import limits, provenance
from kpfootprint.report.sections.value_and_volume import goods
from kpfootprint.report.sentences import Speaker, speaker

QUIET = 2
"""Modules of white around a QR code, which leads from paper to the report that was kept; white paper does the rest, and
what they would take makes the code's own larger: it is read at 100 dots an inch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stationery:
    """What an office prints on its reports, and no part of them: a letterhead above, a note below the first page.

    `address` is where its service is found by others, such as ``https://footprint.example``: the QR code leads there.
    Below the note stands the entry under which its register keeps the report: the entry's position and its hash.
    """

    letterhead: str = ""
    note: str = ""
    address: str = ""
    entry: tuple[int, str] | None = None


def lay_out(report: Report, lang: str, stationery: Stationery | None = None) -> Document:
    """Return a report's sections in a language; an unknown language gives English."""
    sp = speaker(report, lang)
    content = sp.content
    office = stationery if stationery is not None else Stationery()
    code = short_code(content["report_id"])
    qr_label = sp.t(mark("QR code of this report, {code}"), code=code)
    parcel = content["parcel"]
    seen = (findings(sp), certainty(sp), balance(sp), goods(sp))
    sections = (summary(sp), declared(sp), *seen, limits(sp), provenance(sp))
    return Document(
        lang=sp.words.lang,
        title=sp.t(mark("Footprint comparison of parcel {parcel_id}"), parcel_id=parcel["parcel_id"]),
        subtitle=" \u00b7 ".join((sp.size, sp.words.day(content["created_at"]), code)),
        report_id=content["report_id"],
        created_at=content["created_at"],
        foot=sp.t(mark("Report {code} ({report_id})"), code=code, report_id=content["report_id"]),
        sections=tuple(section for section in sections if section is not None),
        glossary_heading=sp.t(mark("Glossary")),
        glossary=glossary(sp.words),
        skip=sp.t(mark("Skip to the report")),
        data_label=sp.t(mark("The figures behind this picture")),
        sections_label=sp.t(mark("Sections")),
        qr=qr_code(address_of(code, office.address), qr_label),
        qr_label=qr_label,
        letterhead=office.letterhead,
        note=_note(sp, office),
        signatures=(sp.t(mark("Examined by (name, date, signature)")), sp.t(mark("Seen by (name, date, signature)"))),
    )


def qr_code(text: str, title: str) -> str:
    """Return a QR code as SVG, dark on white whatever stands around it; `title` is for those who do not see it."""
    code = segno.make(text, error="m", micro=False)
    svg = code.svg_inline(
        border=QUIET, omitsize=True, dark="#000", light="#fff", title=title, svgclass="qr", lineclass=None
    )
    return str(svg)


def address_of(code: str, base: str) -> str:
    """Return where a report is found by its short code; the code itself where no service has an address.

    >>> address_of("2713-A82E-B04C-2EFD", "https://footprint.example/")
    'https://footprint.example/code?code=2713-A82E-B04C-2EFD'
    """
    return f"{base.rstrip('/')}/code?code={code}" if base else code


def _note(sp: Speaker, office: Stationery) -> str:
    """Return what stands below the first page: the office's note, and where its register keeps the report."""
    if office.entry is None:
        return office.note
    position, digest = office.entry
    kept = sp.t(mark("Kept in the register as entry {position}: {hash}"), position=str(position), hash=digest)
    return f"{office.note}\n{kept}".strip()
