"""A report as plain text for a terminal: every block but the pictures, whose figures stand in the tables."""

from __future__ import annotations

import textwrap
from itertools import zip_longest

from kpfootprint.report.blocks import Banner, Beside, Block, Bullets, Document, Facts, Figure, Paragraph, Table, Verdict
from kpfootprint.report.locale import held
from kpfootprint.report.report import Report
from kpfootprint.report.whole import lay_out

WIDTH, NARROWEST = 100, 12
"""Of a line, and of a column that makes room for the others."""


def render_text(report: Report, lang: str = "en") -> str:
    """Render a report as plain text, 100 columns wide.

    Parameters
    ----------
    lang : str
        A language tag; English stands in for a language there is no catalogue of.

    Examples
    --------
    >>> from pathlib import Path
    >>> import kpfootprint
    >>> report = kpfootprint.read_report(Path("tests/golden/examples/true.json").read_bytes())
    >>> kpfootprint.render_text(report, "fr").splitlines()[0]
    'Comparaison d’empreinte du lot true_berberati'
    """
    return document_text(lay_out(report, lang))


def document_text(document: Document) -> str:
    """Render a laid-out document as plain text, 100 columns wide."""
    title = _wrapped(document.title)
    lines = [*title, "=" * max(map(len, title)), document.subtitle]
    for section in document.sections:
        lines += ["", section.heading, "-" * len(section.heading)]
        for block in section.blocks:
            lines += _lines(block, document.words.colon)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _lines(block: Block, colon: str) -> list[str]:
    match block:
        case Paragraph():
            return _wrapped(block.text)
        case Verdict():
            told = [line for text in (block.heading, block.status) if text for line in _wrapped(f"{text} *", "* ")]
            return told + [line for text in block.lines for line in _wrapped(text)]
        case Banner():
            return _wrapped(f"{block.text} ***", "*** ")
        case Beside():
            return [line for inner in (*block.shown, *block.blocks) for line in _lines(inner, colon)]
        case Bullets():
            title = [block.title + colon] if block.title else []
            mark = "! " if block.tone == "caution" else "- "
            return title + [line for item in block.items for line in _wrapped(item, mark)]
        case Facts():
            title = [block.title + colon] if block.title else []
            return title + [line for name, value in block.rows for line in _wrapped(value, name + colon)]
        case Table():
            return _table(block)
        case Figure():
            return []


def _wrapped(text: str, first: str = "") -> list[str]:
    hanging = " " * min(len(first), 4)
    return textwrap.wrap(first + held(text), WIDTH, subsequent_indent=hanging, break_long_words=False) or [
        first.rstrip()
    ]


def _table(table: Table) -> list[str]:
    rows = [table.header, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.header))]
    while sum(widths) + 2 * len(widths) > WIDTH and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    lines = ["", *_wrapped(table.caption)]
    for row in rows:
        cells = [textwrap.wrap(cell, max(w, 1), break_long_words=False) for cell, w in zip(row, widths, strict=True)]
        for parts in zip_longest(*cells, fillvalue=""):
            columns = zip(parts, widths, table.numeric, strict=True)
            lines.append("  " + "  ".join(part.rjust(w) if numeric else part.ljust(w) for part, w, numeric in columns))
    return lines
