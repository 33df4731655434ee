"""What stands on a sheet and was not understood: it is quoted, short, so that nothing is lost in silence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from datetime import date

import numpy as np

from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.problems import cut, listed
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, is_number, line_of, read_date, texts_in
from kpfootprint.ingest.raw.tables import Column, RawTable, Trace
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import all_say, holds, says, tokens_of

_WORDS, _LETTERS, _WHOLE = 12, 60, 600
"""Words of a column that are quoted at most, letters of each, and of all columns of a sheet."""

_LINES, _OF_NUMBERS = 12, 3
"""Lines of a sheet that are quoted at most: those of words, and those of numbers where it has no others."""

_MOST = 1_000
"""Different words of a column above which they are ids, or what else a list has one of for each row."""

_LOOKED_AT = 60
"""Rows of a sheet that are looked at."""

_AMOUNTS = {"amount", "montant"}
"""What heads money or numbers of stones."""

_BESIDE = "remarks"
"""What a last column without a header is passed over as."""

_CODE = re.compile(r"\S*\d\S*")
_LETTER = re.compile(r"[^\W\d_]")
_NEUTRAL = ("row", "lot", "ticket", "in_carats", "other_unit", "money", "percent", "filler", "place", "zone")
"""What stands beside the number of an id, a weight or a price: ``Lot 3``, ``12 USD``."""


def quote_columns(raw: RawTable, trace: Trace) -> None:
    """Note what the columns say that were passed over, where they hold words, and not ids, days, weights or prices."""
    passed = {*trace.passed_over} - {note.values.get("column") for note in trace.notes}
    columns = [column for column in raw.columns if _is_of(column, passed)]
    columns += raw.columns[-1:] if _BESIDE in passed and not any(c.header == _BESIDE for c in columns) else []
    if found := [*dict.fromkeys(filter(None, (_words_of(raw, column, trace) for column in columns)))]:
        trace.note("words_not_read", words=cut(", ".join(found), _WHOLE))


def _is_of(column: Column, passed: Set[object]) -> bool:
    """Say whether a column is among those that were passed over, which are told by header, or by their first word."""
    if not passed or column.header.strip():
        return column.header in passed
    return any(cell in passed for _, cell in column.texts())


def _words_of(raw: RawTable, column: Column, trace: Trace) -> str:
    """Return the words of a column, the row with what stands in one alone: ``Remarks (7: CVD; ok)``.

    Labels of totals, and what a row says that is left out, are told elsewhere.
    """
    said = {code: text for code, text in column.texts() if not is_blank(text) and _is_news(text)}
    if not said or len(column.cells) > _MOST:
        return ""
    labels = [str(note.values.get("label", "")) for note in trace.left_out]
    said = {c: text for c, text in said.items() if not (is_total(text) or any(text in label for label in labels))}
    counts = np.bincount(column.codes, minlength=len(column.cells))
    said = {code: text for code, text in said.items() if counts[code] and text != column.header}
    others = int(np.sum(column.blank())) or max((int(counts[code]) for code in said), default=0)
    many = len(said) > _WORDS and all(counts[code] == 1 for code in said) and not column.blank().any()
    found = []
    for code, text in said.items():
        row = raw.line(int(np.flatnonzero(column.codes == code)[0])) if counts[code] == 1 < others else None
        found.append(f"{row}: {cut(text, _LETTERS)}" if row else cut(text, _LETTERS))
    return f"{column.header.strip()} ({_some(found, _LINES // 4 if many else _WORDS)})".strip() if found else ""


def _some(texts: Sequence[str], most: int) -> str:
    return "; ".join(texts[:most]) + ("; …" if len(texts) > most else "")


def _is_news(text: str) -> bool:
    """Say whether a cell says something in words: no number, day, id, weight or price."""
    if not _LETTER.search(text) or isinstance(read_date(text), date):
        return False
    bare = [token for token in tokens_of(text) if token.isalpha() and len(token) > 1]
    return _CODE.fullmatch(text.strip()) is None and not (has_digit(text) and all_say(_NEUTRAL, bare))


def quote_lines(name: str | None, lines: Iterable[str], trace: Trace) -> None:
    """Note lines that are not read: those above a table, or those of a sheet that is none, by its `name`."""
    found = [cut(text, 2 * _LETTERS) for text in lines if any(map(str.isalnum, text)) and text[0] != "_"]
    worded = [text for text in found if sum(map(str.isalpha, text)) > 2]
    if found and name is None:
        trace.note("lines_not_read", lines=listed(found, _LINES))
    elif found:
        trace.note("sheet_not_read", sheet=name, lines=listed(worded or found, _LINES if worded else _OF_NUMBERS))


def _rows_of(raw: RawTable) -> list[Sequence[Cell]]:
    """Return the first lines of a sheet, titles and header first."""
    rows = map(raw.row, range(min(raw.n_rows, _LOOKED_AT)))
    return [*(cells for _, cells in raw.titles), [column.header for column in raw.columns], *rows]


def lines_of(raw: RawTable) -> Iterator[str]:
    """Give the lines of a sheet, titles and header first, each as one text."""
    return filter(None, map(line_of, _rows_of(raw)))


def _is_fact(line: Sequence[str], headers: Headers) -> bool:
    """Say whether a line is a label of what is said of a parcel, and a number: ``Total ct | 12.90``."""
    return len(line) == 2 and headers.names_fact(line[0]) and has_digit(line[1])


def may_hold_goods(raw: RawTable, headers: Headers, whole: Set[str]) -> bool:
    """Say whether a sheet that is no table could hold goods: numbers beside classes or measures, or weights alone.

    One that speaks of money, percents or millimetres holds none, but below headers of stones and carats; nor do lines
    that say what the parcel is in all, such as the amounts of the `whole`, to the hundredth.
    """
    lines = [line for cells in _rows_of(raw) if not _is_fact(line := texts_in(cells), headers)]
    tokens = {token for texts in [[raw.name], *lines] for text in texts for token in tokens_of(text)} - _AMOUNTS
    roles = {headers.of(column.header).role for column in raw.columns}
    others = says("money", *tokens) or "mm" in tokens or roles & {"percent", "mean", "lower_ct", "upper_ct"}
    if others and not {"n_stones", "carats"} <= roles:
        return False
    amounts = [text for texts in lines for text in texts if is_number(text)]
    if {*amounts} <= whole | {str(at) for at in range(1, len(amounts) + 1)}:
        return False
    if not any(_LETTER.search(text) for texts in lines for text in texts):
        return any("." in text or "," in text for text in amounts)
    beside = [text for texts in lines if any(map(is_number, texts)) for text in texts if not is_number(text)]
    named = any(holds("of_goods", tokens_of(text)) for text in (raw.name, *beside))
    return named or any(says("in_carats", *tokens_of(text)) or headers.classes(text) for text in beside)
