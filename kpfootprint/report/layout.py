"""The whole report in one language, ready to be drawn as text, HTML or PDF."""

from __future__ import annotations

from kpfootprint.report.blocks import Document
from kpfootprint.report.glossary import glossary
from kpfootprint.report.locale import mark, mark_plural
from kpfootprint.report.report import Report
from kpfootprint.report.sections.balance import balance
from kpfootprint.report.sections.certainty import certainty
from kpfootprint.report.sections.declared import declared
from kpfootprint.report.sections.findings import findings
from kpfootprint.report.sections.limits import limits, provenance
from kpfootprint.report.sections.summary import summary
from kpfootprint.report.speaker import speaker

_STONES = mark_plural("{n} stone", "{n} stones", "n")


def lay_out(report: Report, lang: str) -> Document:
    """Return a report's sections in a language; an unknown language gives English."""
    sp = speaker(report, lang)
    content = sp.content
    parcel = content["parcel"]
    sections = (summary(sp), declared(sp), findings(sp), certainty(sp), balance(sp), limits(sp), provenance(sp))
    size = []
    if parcel["n_stones"] is not None:
        size.append(sp.words.plural(*_STONES[:2], parcel["n_stones"], n=sp.words.count(parcel["n_stones"])))
    if parcel["carats"] is not None:
        size.append(f"{sp.words.number(parcel['carats'], 2)} ct")
    return Document(
        lang=sp.words.lang,
        title=sp.t(mark("Footprint comparison of parcel {parcel_id}"), parcel_id=parcel["parcel_id"]),
        subtitle=f"{', '.join(size)} · {sp.words.day(content['created_at'])}",
        report_id=content["report_id"],
        created_at=content["created_at"],
        foot=sp.t(mark("Report {report_id}"), report_id=content["report_id"]),
        sections=tuple(section for section in sections if section is not None),
        glossary_heading=sp.t(mark("Glossary")),
        glossary=glossary(sp.words),
        skip=sp.t(mark("Skip to the report")),
        data_label=sp.t(mark("The figures behind this picture")),
        sections_label=sp.t(mark("Sections")),
    )
