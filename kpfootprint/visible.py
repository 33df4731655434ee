r"""Text that is shown as it is: what cannot be seen, or changes how the rest is seen, is written out.

A name may hold characters that move the cursor of a terminal, turn the direction of writing, or have no width at all:
``PARCEL-7`` and ``PARCEL-7`` with a zero-width space are two parcels that look like one. At every door where text of
others goes out (terminal, page, document) such characters become ``\u200b`` and the like, which anybody can see.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

UNSEEN = re.compile(
    "\r(?!\n)|["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab and line ends: escape sequences, bells
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\u2800"  # hyphen, joiner, fillers without ink
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # no width, direction of writing, other kinds of line ends
    "\ufe00-\ufe0f\ufff0-\ufffb\U000e0000-\U000e0fff"  # variants and tags
    "\U0001d173-\U0001d17a\ud800-\udfff"  # musical controls, halves of characters
    "]"
)

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""How a formula begins in a spreadsheet, in the wide forms of East Asian keyboards too."""
FORMULA = (*SIGNS, "\t", "\r", "\n")
"""How texts begin that a spreadsheet takes for a formula."""
SPLIT_FORMULA = re.compile(rf"([;\t\r\n]\s*)(?=[{re.escape(SIGNS)}])")


def visible(text: str) -> str:
    r"""Return a text with every unseen character written out.

    >>> visible("PARCEL\u200b-7 \x1b[31m")
    'PARCEL\\u200b-7 \\x1b[31m'
    """
    return UNSEEN.sub(_written_out, text)


def is_visible(text: str) -> bool:
    """Say whether a text holds no unseen character, and neither tab nor line end."""
    return UNSEEN.search(text) is None and not set(text) & set("\t\r\n")


def visible_throughout(document: Any) -> Any:
    """Return a document of JSON with every unseen character in its texts and names written out."""
    if isinstance(document, str):
        return visible(document)
    if isinstance(document, dict):
        return {visible(name): visible_throughout(value) for name, value in document.items()}
    if isinstance(document, list):
        return [visible_throughout(item) for item in document]
    return document


def harmless(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers.

    A text that begins as a formula does gets an apostrophe before it, as people write one who mean the text; so does
    what begins as one behind a semicolon, a tab or a line's end, at which a spreadsheet may split the text.

    >>> harmless("=1+1"), harmless("a; =1+1"), harmless(-0.5)
    ("'=1+1", "a; '=1+1", -0.5)
    """
    if not isinstance(cell, str):
        return cell
    return SPLIT_FORMULA.sub(r"\1'", f"'{cell}" if cell.startswith(FORMULA) else cell)


def csv_line(cells: Iterable[Any]) -> str:
    """Return harmless cells as a line of CSV, without its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([harmless(cell) for cell in cells])
    return line.getvalue()


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
