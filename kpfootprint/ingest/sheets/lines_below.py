"""Lines below a table that count none of its stones: who signs, what is said of the parcel, remarks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from kpfootprint.ingest.names.statements import DAY, stated
from kpfootprint.ingest.problems import cut
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, is_number, line_of, read_date, read_number, text_of
from kpfootprint.ingest.sheets.summed import Rows
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import holds, tokens_of, unit_words

_SOME = 50
"""Rows whose words a line of words is held against."""


def leave_notes(rows: Rows, labels: Mapping[int, str]) -> None:
    """Leave out rows that measure nothing: those below the last total, and last ones that are a line of words alone."""
    raw, last, signed = rows.sheet.raw, max(labels, default=0) or len(rows.own), True
    sized = rows.sheet.headers.size
    for row in range(raw.n_rows - 1, 0, -1):
        label, measured = cut(line_of(raw.row(row))), [raw.columns[at].at(row) for at in rows.values]
        blank = all(map(is_blank, measured))
        signed = signed and holds("signed", tokens_of(label))
        if (blank and _is_line(rows, row)) or (row not in labels and _tells_of_parcel(rows, row)):
            rows.leave(row, "note_below", label=label)
            rows.state(row)
        elif signed and all(_is_of_no_number(cell) or text_of(cell)[:1].isalpha() for cell in measured):
            rows.leave(row, "note_below", label=label)
        elif row > last and (blank or (sized(label) is None and all(map(_is_of_no_number, measured)))):
            rows.leave(row, "note_below", label=label)
            rows.state(row)
        elif row <= last:
            break


def _is_line(rows: Rows, row: int) -> bool:
    """Say whether a row is one cell of words, of which its column has no others: no class and no stone's name."""
    sheet = rows.sheet
    filled = sheet.raw.filled_at(row)
    text = sheet.column(filled[0]).at(row) if len(filled) == 1 else None
    if not isinstance(text, str) or not any(map(str.isalpha, text)) or sheet.headers.size(text) is not None:
        return False
    measured = {*tokens_of(text)} & {*unit_words("pieces", "carats")} and has_digit(text)
    if measured or text.strip()[:1].isdigit():  # ``plus 3 stones``, ``3 bis``
        return False
    if sheet.meanings[filled[0]].role in sheet.headers.classes(text):
        return False
    others = [sheet.column(filled[0]).at(other) for other in range(min(row, _SOME)) if rows.shown(other)]
    texts = [text_of(cell) for cell in others]
    named = [text for text in texts if not is_total(text) and sheet.headers.size(text) is None]
    words = [[token for token in tokens_of(text) if token.isalpha()] for text in named]
    return not any(len(own) >= min(len(text.split()), 2) for own in words)


def _tells_of_parcel(rows: Rows, row: int) -> bool:
    """Say whether a row says how much the parcel is in all, in one cell, or is a label and what it says."""
    sheet, filled = rows.sheet, rows.sheet.raw.filled_at(row)
    if not filled:
        return False
    text, *more = [text_of(sheet.column(at).at(row)) for at in filled]
    if filled[0] in rows.values or sheet.meanings[filled[0]].role in sheet.headers.classes(text):
        return False
    key, colon, said = text.partition(":")
    if not more and colon and is_number(said):
        return sheet.headers.measure(key) in ("n_stones", "carats")  # ``Carats: 12.60``
    if not more:
        carats = stated(text, sheet.headers).get("carats", "")
        places = [at for at in sheet.places("carats") if at in rows.values] if carats else []
        if sheet.headers.size(text) is None or not places:
            return bool(stated(text, sheet.headers))
        number = read_number(carats, sheet.raw.marks)  # ``2 ct`` may be a size
        return isinstance(number, float) and rows.is_sum(places[0], number, carats, rows.inside(places[0], 0, row))
    key = text.rstrip(": ")
    if len(more) < 3 and sheet.headers.names_origin(key) and sheet.headers.words.zone(more[0]) is not None:
        return True  # ``Origine | Nola | 14,60``
    labels = sheet.headers.field(key) is not None or sheet.headers.names_origin(key)
    measure = sheet.headers.measure(key) in ("n_stones", "carats")
    return len(more) == 1 and labels and not measure and not is_number(more[0]) and sheet.headers.size(text) is None


def _is_of_no_number(cell: Cell) -> bool:
    """Say whether a cell below a total holds words, a name or a day, as those who sign write them."""
    said = isinstance(cell, str) and (not has_digit(cell) or DAY.fullmatch(cell.strip()) is not None)
    return is_blank(cell) or said or (isinstance(cell, str | date) and isinstance(read_date(cell), date))
