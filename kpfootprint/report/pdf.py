"""A report as an archival, accessible PDF (PDF/A-2a and PDF/UA-1), typeset by typst with its own fonts alone."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Bullets, Document, Facts, Figure, Paragraph, Table, Verdict
from kpfootprint.report.glossary import Linker
from kpfootprint.report.report import Report
from kpfootprint.report.whole import Stationery, lay_out

_EXOTIC = re.compile(
    "[^\n\u0020-\u007e\u00a0-\u00ac\u00ae-\u02ff\u0384-\u038a\u038e-\u03a1\u03a3-\u0482\u048a-\u04ff\u1e00-\u1eff"
    "\u2000-\u200b\u2010-\u2027\u202f-\u2040\u2044-\u2052\u20a0-\u20bf\u2190-\u21ff\u2200-\u22ff\u25a0-\u25ff]"
)
"""What typst's own fonts do not cover for certain: anything but Latin, Greek, Cyrillic and common signs."""

Link = Callable[[str], list[tuple[str, str | None]]]

BLANKS = 10
"""Empty pages set after a report. The typesetter keeps what it laid out for its next ten documents, 17 MB a report, and
no report is laid out like another: after every one it is made to think of something else (2 ms a page)."""


def render_pdf(report: Report, lang: str = "en", *, stationery: Stationery | None = None) -> bytes:
    """Render a report as PDF; the same report and language give the same bytes.

    The document's keywords hold the report's id, its date is `created_at`.

    Parameters
    ----------
    lang : str
        A language tag; English stands in for a language there is no catalogue of.
    stationery : Stationery or None
        What the office that prints it puts above and below.

    Examples
    --------
    >>> from pathlib import Path
    >>> import kpfootprint
    >>> report = kpfootprint.read_report(Path("tests/golden/examples/true.json").read_bytes())
    >>> kpfootprint.render_pdf(report)[:4]
    b'%PDF'
    """
    return document_pdf(lay_out(report, lang, stationery))


def document_pdf(document: Document) -> bytes:
    """Render a laid-out document as PDF; it needs a moment in `created_at`."""
    import typst

    data = json.dumps(_displayable(_data(document)), ensure_ascii=False)
    made: bytes = typst.compile(
        _source(), format="pdf", sys_inputs={"data": data}, pdf_standards=["a-2a", "ua-1"], ignore_system_fonts=True
    )
    for _ in range(BLANKS):
        typst.compile(b" ", format="svg", ignore_system_fonts=True)
    return made


def _displayable(value: Any) -> Any:
    """Return data with a box for every character that the fonts lack, since such a PDF is not made at all."""
    if isinstance(value, str):
        composed = unicodedata.normalize("NFC", value)
        return _EXOTIC.sub("\u25a1", composed) if _EXOTIC.search(composed) else composed
    if isinstance(value, dict):
        return {name: _displayable(inner) for name, inner in value.items()}
    return [_displayable(inner) for inner in value] if isinstance(value, list | tuple) else value


@lru_cache(maxsize=1)
def _source() -> bytes:
    return (Path(__file__).parent / "report.typ").read_bytes()


def _data(document: Document) -> dict[str, Any]:
    """Return the document as plain data with its terms found; a figure beside blocks has its table there."""
    day, time = document.created_at.rstrip("Z").split("T")
    sections, linker = [], Linker(document.glossary)
    for section in document.sections:
        link = partial(linker.runs, section=section.key)
        blocks = [_block(block, link) for block in section.blocks]
        sections.append({"heading": section.heading, "blocks": blocks})
    used = set[str]().union(*linker.seen.values())
    return {
        **{name: getattr(document, name) for name in _PRINTED},
        "date": [int(part) for part in (*day.split("-"), *time.split(":"))],
        "sections": sections,
        "glossary": [{"key": t.key, "term": t.term, "meaning": t.meaning} for t in document.glossary if t.key in used],
    }


_PRINTED = (
    *("lang", "title", "subtitle", "foot", "report_id", "glossary_heading"),
    *("qr", "qr_label", "letterhead", "note", "signatures"),
)


_RUNNING = {Paragraph: "text", Verdict: "lines", Bullets: "items", Facts: "rows", Table: "caption", Figure: "title"}
"""The member of a block that is running text, in which terms are found."""


def _block(block: Block, link: Link, *, beside: bool = False) -> dict[str, Any]:
    members = {item.name: getattr(block, item.name) for item in fields(block) if item.name not in ("canvas", "data")}
    if isinstance(block, Beside):
        members = {name: [_block(inner, link, beside=True) for inner in of] for name, of in members.items()}
    elif running := _RUNNING.get(type(block)):
        members[running] = _linked(members[running], link)
    if isinstance(block, Figure):
        members["svg"] = block.svg
        if not beside:
            members["table"] = _block(block.data, link)
    return {"block": type(block).__name__.lower(), **members}


def _linked(value: Any, link: Link) -> Any:
    return link(value) if isinstance(value, str) else [_linked(item, link) for item in value]
