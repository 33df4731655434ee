"""The whole report in one language, ready to be drawn as text, HTML or PDF."""

from __future__ import annotations

from dataclasses import dataclass

import segno

from kpfootprint.report.blocks import Bullets, Document, Facts, Section
from kpfootprint.report.glossary import glossary
from kpfootprint.report.locale import mark
from kpfootprint.report.report import Report, short_code
from kpfootprint.report.sections.certainty import balance, certainty
from kpfootprint.report.sections.parcel import declared, findings, goods
from kpfootprint.report.sections.summary import FOUND_P, MOST_ELSEWHERE, elsewhere, reference_counts, summary
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
    qr_label = sp.t("QR code of this report, {code}", code=code)
    seen = (findings(sp), certainty(sp), balance(sp), goods(sp))
    sections = (summary(sp), declared(sp), *seen, _limits(sp), _provenance(sp))
    return Document(
        words=sp.words,
        title=_title(sp),
        subtitle=" \u00b7 ".join((sp.size, sp.words.day(content["created_at"]), code)),
        report_id=content["report_id"],
        created_at=content["created_at"],
        foot=sp.t("Report {code} ({report_id})", code=code, report_id=content["report_id"]),
        sections=tuple(section for section in sections if section is not None),
        glossary=glossary(sp.words),
        qr=qr_code(address_of(code, office.address), qr_label),
        qr_label=qr_label,
        letterhead=office.letterhead,
        note=_note(sp, office),
        signatures=(sp.t("Examined by (name, date, signature)"), sp.t("Seen by (name, date, signature)")),
    )


def _title(sp: Speaker) -> str:
    """Return what the report is of; a name that a program gave the file is none of the parcel."""
    if any(item["code"] == "parcel_unnamed" for item in sp.content["cautions"]):
        return sp.t("Footprint comparison of a parcel without a name")
    return sp.t("Footprint comparison of parcel {parcel_id}", parcel_id=sp.content["parcel"]["parcel_id"])


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
    kept = sp.t("Kept in the register as entry {position}: {hash}", position=str(position), hash=digest)
    return f"{office.note}\n{kept}".strip()


def _limits(sp: Speaker) -> Section:
    """Return the section on what the report cannot say."""
    content = sp.content
    said = [
        sp.t("Where a single stone was mined. A footprint describes a parcel as a whole, never one stone."),
        sp.t(
            "Whether goods that look like those of a zone were mined there. Neighbouring zones share their geology, "
            "and their footprints overlap."
        ),
        sp.t("Who dug, held, sold or carried the stones. A footprint speaks of geology alone."),
        sp.t(
            "What was taken out beforehand. Sieving, picking over and acid change a footprint beyond what the "
            "conditions tell."
        ),
        sp.t("How a source looks that nobody has sampled."),
    ]
    if content["verification"] is not None:
        said.append(
            sp.t(
                "How probable the declaration is. The likelihood ratio weighs what was seen; everything else that is "
                "known of the parcel is for the reader to weigh with it."
            )
        )
    if content["mixture"] is not None and content["mixture"]["p_value"] > FOUND_P:
        below = mark("Whether there are undeclared goods below the detection limit ({limit}).")
        any_ = mark(
            "Whether there are undeclared goods: whatever their share, more than one such parcel in ten is missed."
        )
        limit = content["mixture"]["detection_limit"]
        said.append(sp.t(any_) if limit == 1 else sp.t(below, limit=sp.share(limit)))
    return sp.section("limits", mark("What nobody can know from it"), Bullets(items=tuple(said)))


def _provenance(sp: Speaker) -> Section:
    """Return the section on what the report was made with."""
    content = sp.content
    model, software = content["model"], content["software"]
    rows = [
        (sp.t("Report"), content["report_id"]),
        (sp.t("Short code"), short_code(content["report_id"])),
        (sp.t("Made"), f"{sp.words.day(content['created_at'])}, {content['created_at'][11:16]} UTC"),
        (sp.t("Software"), f"{software['name']} {software['version']}"),
        (sp.t("Release"), f"{model['release']} ({model['manifest_sha256']})"),
        (
            sp.t("Reference"),
            f"{model['reference']['name']} {model['reference']['version']} ({model['reference']['sha256']})",
        ),
        (sp.t("Parcels of each zone"), reference_counts(sp)),
    ]
    zones = () if content["verification"] is None else elsewhere(content["verification"])
    if len(zones) > MOST_ELSEWHERE:
        rows.append((sp.t("From elsewhere (H2)"), sp.zones(zones)))
    return sp.section("provenance", mark("How this report was made"), Facts(rows=tuple(rows)))
