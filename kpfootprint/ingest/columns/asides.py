"""Rows that are no goods and sum none: headers again, lines between pages, notes, a sheet's foot, empty classes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from string import ascii_lowercase

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.names.inquiry import WHOLE
from kpfootprint.ingest.names.statements import DAY, amounts_in
from kpfootprint.ingest.problems import cut
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, is_number, line_of, read_date, text_of, texts_in
from kpfootprint.ingest.raw.tables import Column, RawTable
from kpfootprint.ingest.totals import is_of_which, is_summary, is_total
from kpfootprint.ingest.words import fold, holds, plain, says, tokens_of

PAGE = re.compile(
    r"\b(?:pages?|sheet|лист|feuille|seite|blatt|blad|p[aá]gina|страница|стр|p(?:art(?:ie)?)?(?=\W*\d+\W*(?:of|de|sur|von|van|/)))\W*(\d+)"
    r"(?:\W*(?:of|de|sur|von|van|из|/)\W*(\d+))?\b",
    re.IGNORECASE,
)
"""The number of a page, and of how many."""

_BARE_PAGE = re.compile(r"[-–—]\s*\d{1,4}\s*[-–—]")
_RULE = re.compile(r"[-=_*.~–— ]{3,}")
_BARE = re.compile(r"[\d.,\s]+")
_LETTERED = re.compile(r"[a-z]|\(?[a-z]\)?\s*[-+x×*/:]\s*\(?[a-z]\)?", re.IGNORECASE)
"""How a form letters its columns, and says which are made of others: ``c``, ``c x d``."""

_OF_PIVOTS = ("(blank)", "(vide)", "(leer)", "(em branco)", "(leeg)")
"""What a pivot table writes where nothing stands."""

_LONGEST = 60


def without_asides(sheet: Layout) -> tuple[Layout, list[int]]:
    """Leave out rows that repeat the header or number its columns, and lines between pages; each is told.

    The last value has, for each header that stood again, the row that it stood before.
    """
    left = dict.fromkeys(_page_lines(sheet.raw), "page_line") | dict.fromkeys(headers_again(sheet.raw), "header_again")
    left |= dict.fromkeys(_header_in_other_words(sheet), "header_again")
    left |= dict.fromkeys(_column_numbers(sheet), "column_numbers")
    again = [row - sum(other < row for other in left) for row in sorted(left) if left[row] == "header_again"]
    below = rows_of_foot(sheet)
    stated = [(sheet.raw.line(row) or 1, _unnumbered(sheet.raw.row(row))) for row in below]
    sheet.trace.stated.extend(stated)
    notes: dict[int, tuple[str, Mapping[str, object]]] = {row: (code, {}) for row, code in left.items()}
    notes |= {row: ("note_below", {"label": label}) for row, label in below.items() if row not in left}
    return sheet.without(notes), again


def _unnumbered(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return a line without the number before its words: ``1 | three stones of another parcel``."""
    filled = [cell for cell in cells if not is_blank(cell)]
    numbered = len(filled) > 1 and text_of(filled[0]).strip(" .)").isdecimal()
    return tuple(filled[1:]) if numbered and not any(map(is_number, map(text_of, filled[1:]))) else (*cells,)


def headers_again(raw: RawTable) -> list[int]:
    """Return the rows that repeat the header."""
    headed = sorted((c for c in raw.columns if c.header.strip()), key=lambda column: len(column.cells))
    found = np.full(raw.n_rows, len(headed) > 1)
    for column in headed:
        again = fold(column.header)
        hits = [code for code, cell in column.texts() if len(cell) <= _LONGEST and fold(cell) == again]
        if not hits or not (found := found & column.rows_with(hits)).any():
            return []
    return np.flatnonzero(found).tolist()


def _header_in_other_words(sheet: Layout) -> list[int]:
    """Return the row right below the header where it says the same of every column, as in a second language."""
    pairs = [(column.header, column.at(0)) for column in sheet.raw.columns] if sheet.n_rows > 1 else []
    if len(pairs) < 2 or not all(isinstance(cell, str) and cell[:1].isalpha() for _, cell in pairs):
        return []
    said = [(sheet.headers.of(header), sheet.headers.of(str(cell))) for header, cell in pairs]
    known = [(one, again) for one, again in said if {one.role, again.role} - {"unknown", "other"}]
    same = all((one.role, one.classes) == (again.role, again.classes) for one, again in known)
    return [0] if len(known) > 1 and same else []


def _column_numbers(sheet: Layout) -> list[int]:
    """Return the row right below the header that numbers the columns of a form, the first of them or not.

    Numbers without brackets do where the next row holds words, so that they are no row of the table, or where the
    numbers of rows begin below them: ``No | Carats``, ``1 | 2``, ``1 | 0.35``.
    """
    raw = sheet.raw
    first = [text_of(raw.columns[0].at(row)) for row in range(min(raw.n_rows, 3))] if raw.columns else []
    anew = first == ["1", "1", "2"] and sheet.headers.of(raw.columns[0].header).role == "row"
    if raw.n_rows < 2 or len(raw.columns) < (2 if anew else 3):
        return []
    texts = [text_of(cell) for cell in raw.row(0)[is_blank(raw.row(0)[0]) :]]
    marks = [text.strip("(). ").casefold() for text in texts]
    below = [cell for cell in raw.row(1) if isinstance(cell, str) and not is_blank(cell)]
    apart = anew or not all(map(_BARE.fullmatch, below))  # ``+11`` and ``3 ct`` are
    numbered = marks == [str(at) for at in range(1, len(marks) + 1)]
    single = [mark for mark in marks if len(mark) == 1]
    lettered = single == [*ascii_lowercase[: len(single)]] and all(map(_LETTERED.fullmatch, marks))
    return [0] if lettered or (numbered and (apart or all(text[:1] == "(" for text in texts))) else []


def _page_lines(raw: RawTable) -> list[int]:
    """Return rows of which one cell says a page, or all cells are rulings, and nothing else is filled."""
    if any(column.mostly_distinct for column in raw.columns):
        return []
    said = [column.rows_with(code for code, cell in column.texts() if _aside(cell)) for column in raw.columns]
    if not any(found.any() for found in said):
        return []
    nothing = [found | column.blank() for column, found in zip(raw.columns, said, strict=True)]
    return np.flatnonzero(np.logical_or.reduce(said) & np.logical_and.reduce(nothing)).tolist()


def _aside(cell: str) -> bool:
    """Say whether a cell is the number of a page, a ruling, or what a program writes for nothing."""
    text = cell.strip()
    if len(text) > _LONGEST or cell[:1].isdigit() or text[:1].isdigit():
        return False
    bare = text.casefold() in _OF_PIVOTS or _BARE_PAGE.fullmatch(text) or _RULE.fullmatch(text)
    return bool(bare) or PAGE.fullmatch(text.strip("-–— .,")) is not None


def ask_about_pages(sheet: Layout) -> None:
    """Ask whether the rows are the whole parcel where lines number pages and some of them are not here."""
    raw, lines = sheet.raw, _page_lines(sheet.raw)
    between = [row for row in lines if row < raw.n_rows - 1]
    texts = [text_of(cell) for _, cells in raw.titles for cell in cells] + [raw.label(row) for row in lines]
    found = [(int(hit[2]), text) for text in texts if (hit := PAGE.search(text)) and hit[2]]
    if found and max(found)[0] > 1 + len(between) and not sheet.inquiry.chose(WHOLE):
        sheet.tell("part_in_title", None, title=found[0][1], choices=[WHOLE])


def without_unused(sheet: Layout) -> Layout:
    """Leave out the last rows of a form that bear their number and nothing else; how many there are is told."""
    raw, numbers = sheet.raw, sheet.places("row")
    if not numbers or any(column.mostly_distinct for column in raw.columns):
        return sheet
    blank = raw.blank([at for at in range(len(raw.columns)) if at not in numbers])
    if not blank[-1:].any() and not raw.totals:
        return sheet
    goods = ~blank & ~np.isin(np.arange(raw.n_rows), raw.totals)
    end = int(np.flatnonzero(goods)[-1]) if goods.any() else raw.n_rows
    rows = [row for row in np.flatnonzero(blank).tolist() if row > end and text_of(raw.label(row)).isdigit()]
    last = text_of(raw.columns[numbers[0]].at(end)) if rows else ""
    on = range(int(last) + 1, int(last) + 1 + len(rows)) if last.isdigit() else ()
    if not rows or [int(raw.label(row)) for row in rows] != [*on]:  # ``70`` below three stones
        return sheet
    sheet.trace.note("unused_rows", count=len(rows), first=raw.label(rows[0]))
    return replace(sheet, raw=raw.keep(np.setdiff1d(np.arange(raw.n_rows), rows)))


def without_empty_classes(sheet: Layout, measures: Sequence[int], classes: Sequence[int], *, checked: bool) -> Layout:
    """Leave out the classes of a form that hold nothing: dashes, or blanks where a total was `checked`.

    So are rows of zeros that name none.
    """
    raw, measured = sheet.raw, [sheet.column(at) for at in measures]
    if not measured or not classes or any(column.mostly_distinct for column in measured):
        return sheet
    empty = raw.blank(measures) if checked else np.logical_and.reduce([*map(_dashes, measured)])
    zero = np.logical_and.reduce([raw.values(at) == 0 for at in measures])
    unnamed = raw.blank(classes)
    rows = np.flatnonzero((empty & ~unnamed) | (zero & unnamed)).tolist()
    if len(rows) == raw.n_rows:
        return sheet
    labels = [[text_of(raw.columns[at].at(row)) for at in classes if at in raw.filled_at(row)] for row in rows]
    for row in rows:
        if len(raw.filled_at(row)) == 1 and sheet.headers.size(raw.label(row)) is None:  # ``DRAFT``
            sheet.state(row)
    for at in classes if len(classes) > 1 else ():
        sheet = sheet.with_column(at, _handed_down(sheet.column(at), rows))
    named = zip(rows, labels, strict=True)
    return sheet.without({row: ("empty_class", {"label": (of or [raw.label(row)])[0]}) for row, of in named})


def _handed_down(column: Column, rows: Sequence[int]) -> Column:
    """Give the class of each of some rows, which are left out, to the row below, where classes are written once."""
    codes, blank = column.codes.copy(), column.blank()
    for row in rows if blank.sum() > 1 else ():
        if not blank[row] and row + 1 < len(codes) and blank[row + 1]:
            codes[row + 1], blank[row + 1] = codes[row], False
    return replace(column, codes=codes)


def _dashes(column: Column) -> NDArray[np.bool_]:
    return column.rows_with(code for code, cell in column.texts() if cell.strip() and is_blank(cell))


_LINES = 40
"""Lines that a foot has at most."""

_MEASURES = ("n_stones", "carats", "stones_or_carats", "mean", "other_unit")

_AMOUNTS = ("amount", "montant")
"""What may be of stones as well as of money."""

_MEASURED = 2
"""Words that stand beside a number of stones or a weight at most: ``about 3 stones``."""

_INITIALS = re.compile(r"(?:[^\W\d]\.\s?)+")

_WHEN = re.compile(rf"{DAY.pattern}|\b\d{{1,2}}[:h]\d\d\b")
"""A day, or the time of it."""

_LIKE_DIGITS = str.maketrans("OoIl", "0011")
"""Letters that are typed for digits: ``O.42``."""


def rows_of_foot(sheet: Layout) -> dict[int, str]:
    """Return the last rows that measure nothing, with all that each says.

    They stand below a blank line or a total; without one they are sentences, longer than what their column holds
    elsewhere.
    """
    raw = sheet.raw
    if any(column.mostly_distinct for column in raw.columns):
        return _sentences(sheet)
    measured = [at for at, column in enumerate(raw.columns) if _measures(sheet, at)]
    start = raw.n_rows
    while measured and start > max(raw.n_rows - _LINES, 1) and _says_no_more(sheet, start - 1, measured):
        start -= 1
    for row in range(start, raw.n_rows):
        apart = (raw.line(row) or 0) - (raw.line(row - 1) or 0) > 1
        label = raw.label(row)
        totalled = any(is_total(text_of(raw.columns[at].at(row - 1))) for at in raw.filled_at(row - 1))
        if apart or totalled or label.endswith(":") or holds("signed", tokens_of(label)):
            return {at: cut(line_of(raw.row(at))) for at in range(row, raw.n_rows)}
    return _sentences(sheet)


def _measures(sheet: Layout, at: int) -> bool:
    """Say whether a column is headed as stones or carats are, and holds numbers for the most part."""
    said, column = sheet.headers.of(sheet.header(at)), sheet.column(at)
    if not (said.role in _MEASURES or said.wide):
        return False
    filled = texts_in(column.cells)
    return 2 * sum(map(is_number, filled)) >= len(filled) > 0


def _says_no_more(sheet: Layout, row: int, measured: list[int]) -> bool:
    """Say whether a row neither measures anything nor names a stone, a size, a class or a total."""
    raw = sheet.raw
    label, tokens = raw.label(row), tokens_of(raw.label(row))
    if _is_numbered_name(sheet, row):
        return True
    numbers = [at for at in measured if not _is_of_words(raw.columns[at].at(row))]
    beside = len(numbers) == 1 and numbers[0] != raw.filled_at(row)[0]
    of_paper = says("declared", *tokens) and sheet.headers.measure(label.rstrip(": ")) is not None
    fact = sheet.headers.field(label.rstrip(": ")) in ("bottom_screen_mm", "hs_code")
    if beside and (of_paper or fact or _is_of_other_things(tokens) or _says_a_total_again(sheet, row, numbers[0])):
        return True
    of_goods = is_total(label) or is_of_which(label) or is_summary(label) or _names_goods(sheet, label)
    return not numbers and not of_goods


def _says_a_total_again(sheet: Layout, row: int, at: int) -> bool:
    """Say whether the number beside words is that of a total above: ``Certified correct | 15.20 | carats``."""
    raw, own = sheet.raw, text_of(sheet.column(at).at(row))
    totals = [above for above in range(max(row - _LINES, 0), row) if is_total(raw.label(above))]
    said = {text_of(column.at(above)) for above in totals for column in raw.columns if not column.mostly_distinct}
    return own in said and not _names_goods(sheet, raw.label(row))


def _is_numbered_name(sheet: Layout, row: int) -> bool:
    """Say whether a row is a number and words, as are all between it and a line that heads them: ``Witnesses:``."""
    raw = sheet.raw
    first, *others = (text_of(raw.columns[at].at(row)) for at in raw.filled_at(row))
    number = first.strip(" .)")
    of_goods = any(is_number(text) or _names_goods(sheet, text) for text in others)
    if not (number.isdecimal() and int(number) <= min(row, _LINES) and others) or of_goods:
        return False
    head = row - int(number)
    listed = [raw.label(at).strip(" .)") for at in range(head + 1, row)] == [str(at) for at in range(1, int(number))]
    labelled = raw.label(head).endswith(":") and len(raw.filled_at(head)) == 1
    return listed and (labelled or holds("signed", tokens_of(raw.label(head))))


def _is_of_other_things(tokens: Sequence[str]) -> bool:
    """Say whether a label is that of money, seals or what goods are packed in: ``Total value USD``, ``Seal no.``."""
    numbered = len(tokens) > 1 and says("row", tokens[-1]) and not says("one_stone", *tokens)
    others = [token for token in tokens if token not in _AMOUNTS]
    return numbered or any(says(role, *others) for role in ("money", "gross", "containers"))


def _names_goods(sheet: Layout, label: str) -> bool:
    if _INITIALS.fullmatch(label):
        return False  # ``J. K.``
    sized = sheet.headers.size(label) is not None or holds("unsized", tokens_of(label))
    return sized or label.strip().rstrip(".):").isdigit() or bool(sheet.headers.classes(label))


def _is_of_words(cell: Cell) -> bool:
    """Say whether a cell below numbers holds none: words, a day, or words with a number behind."""
    text = text_of(cell).strip()
    if is_blank(cell) or isinstance(read_date(cell), date):
        return True
    if not isinstance(cell, str):
        return False
    if sum(map(str.isalpha, tokens_of(text))) > _MEASURED:
        return True
    numbered = amounts_in(plain(text)) or is_number(text.translate(_LIKE_DIGITS))
    worded = text[:1].isalpha() or not has_digit(text) or DAY.fullmatch(text) is not None
    return worded and not numbered


def _sentences(sheet: Layout) -> dict[int, str]:
    """Return the last rows that hold a sentence and nothing else, longer than what its column holds elsewhere."""
    raw = sheet.raw
    found: dict[int, str] = {}
    for row in range(raw.n_rows - 1, max(raw.n_rows - 20, 0), -1):
        filled = [raw.columns[at] for at in raw.filled_at(row)]
        text = filled[0].at(row) if len(filled) == 1 < len(raw.columns) else None
        if not isinstance(text, str) or filled[0].mostly_distinct or text[:1].isdigit() or is_total(text):
            break
        words = len(tokens := tokens_of(text))
        others = (tokens_of(cell) for code, cell in filled[0].texts() if code != filled[0].codes[row])
        if sum(map(str.isalpha, tokens)) < 3 or any(len(other) >= min(words, 4) for other in others):
            break
        weighed = sheet.headers.of(filled[0].header).role in ("carats", "n_stones", "mean")
        numbered = has_digit(_WHEN.sub("", text))
        may_weigh = weighed and (numbered or says("carats", *tokens))
        if may_weigh or any(sheet.headers.of(token).wide for token in tokens):
            break  # a stone or a class, of which something was said
        found[row] = text_of(text)
    return found
