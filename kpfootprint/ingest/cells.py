"""Cells of a table: what they may hold, and how a number, a date or a yes is read from one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.words import condition_values, fold
from kpfootprint.visible import is_visible, visible


@dataclass(frozen=True, slots=True)
class Odd:
    """A cell that can hold no value: a formula, a list in JSON. `code` is the rule that it breaks."""

    code: str
    text: str

    def __str__(self) -> str:
        return self.text


Cell = str | int | float | bool | date | Odd | None


LONGEST_TEXT = 200
"""Characters of the longest name, number or id."""

DASHES = frozenset("-–—−‐‑")
"""Signs that stand for nothing where one of them, or two, fill a cell."""


def is_blank(cell: Cell) -> bool:
    """Say whether a cell holds nothing: a dash alone is nothing, too."""
    if cell is None:
        return True
    if not isinstance(cell, str):
        return False
    text = cell.strip()
    return not text or (len(text) <= 2 and set(text) <= DASHES)


def text_of(cell: Cell) -> str:
    """Return a cell as text on one line; a whole number loses the ``.0`` that spreadsheets give it."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return "" if cell is None else " ".join(str(cell).split())


def read_text(cell: Cell) -> str | Broken | None:
    """Read text; a number is taken as its digits, blank gives None. What cannot be written in a report is refused."""
    if isinstance(cell, Odd | bool):
        return Broken(cell.code if isinstance(cell, Odd) else "wrong_type", {"expected": "text"})
    if is_blank(cell):
        return None
    text = text_of(cell)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if len(text) > LONGEST_TEXT:
        return Broken("wrong_type", {"expected": f"text of at most {LONGEST_TEXT} characters"})
    if not is_visible(text):
        return Broken("wrong_type", {"expected": f"text without characters that cannot be seen: {visible(text)}"})
    return text


def read_date(cell: Cell) -> date | Broken | None:
    """Read a day: a date cell, or text ``YYYY-MM-DD``; blank gives None."""
    if isinstance(cell, Odd):
        return Broken(cell.code, {"expected": "a date"})
    if is_blank(cell):
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        text = cell.strip()
        for tail in (" 00:00:00", "T00:00:00"):
            text = text.removesuffix(tail)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            try:
                return date.fromisoformat(text)
            except ValueError:
                pass
    return Broken("not_a_date")


def read_yes_or_no(cell: Cell) -> bool | Broken | None:
    """Read yes or no in English or French; blank and "unknown" give None."""
    if isinstance(cell, Odd):
        return Broken(cell.code, {"expected": "yes or no"})
    if is_blank(cell):
        return None
    if isinstance(cell, bool):
        return cell
    word = fold(text_of(cell))
    known = condition_values("specials_removed")
    if word not in known:
        return Broken("not_yes_or_no")
    return None if known[word] is None else known[word] == "yes"
