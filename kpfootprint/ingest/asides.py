"""What stands on a sheet and is no row of its table: headers again, page lines, headings, tables beside or below."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.around import MEASURES, ONE
from kpfootprint.ingest.cells import Cell, is_blank, text_of
from kpfootprint.ingest.headers import Headers, Meaning, tokens_of
from kpfootprint.ingest.heads import is_number
from kpfootprint.ingest.labels import size_span, split_descriptions
from kpfootprint.ingest.meanings import Sheet, listed
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, Note, RawTable
from kpfootprint.ingest.words import (
    attribute_words,
    class_code,
    condition_values,
    declared_words,
    fold,
    plain,
    unit_pattern,
    unit_words,
)

_PAGE = re.compile(
    r"[-–— ]*(page|pages|seite|pagina|página|стр|страница|blad|feuille|sheet)\W*\d+\W*"
    r"((of|de|sur|von|van|из|/)\W*)?\d*\W*|[-–—]\s*\d{1,4}\s*[-–—]",
    re.IGNORECASE,
)
_PAGE_OF = re.compile(
    r"\b(page|pages|seite|pagina|página|стр|blad|feuille|sheet)\W*\d+\W*((of|de|sur|von|/)\W*\d+)?", re.IGNORECASE
)
_RULE = re.compile(r"[-=_*.~–— ]{3,}")
_LONGEST = 60


def without_asides(sheet: Sheet) -> tuple[Sheet, list[int]]:
    """Leave out rows that repeat the header, and lines between pages; each is told.

    The last value has, for each header that stood again, the row that it stood before.
    """
    left = dict.fromkeys(_page_lines(sheet.raw), "page_line") | dict.fromkeys(_headers_again(sheet.raw), "header_again")
    again = [row - sum(other < row for other in left) for row in sorted(left) if left[row] == "header_again"]
    return sheet.without({row: (code, {}) for row, code in left.items()}), again


def without_dittos(sheet: Sheet) -> Sheet:
    """Put the word above in the place of ``idem``, ``do.`` and ditto marks; below a number or a total they stay."""
    known = declared_words()["headers"]["ditto"]
    columns, is_total = list(sheet.raw.columns), sheet.headers.is_total
    for at, column in enumerate(columns):
        short = [(code, cell) for code, cell in column.texts() if len(cell) <= 8 and not cell[:1].isdigit()]
        hits = [code for code, cell in short if plain(cell).strip() in known]
        if not hits:
            continue
        rows = np.flatnonzero(column.rows_with(hits))
        codes = column.codes.copy()
        for row in rows[rows > 0].tolist():
            above = column.cells[codes[row - 1]]
            if isinstance(above, str) and not is_blank(above) and not is_number(above) and not is_total(above):
                codes[row] = codes[row - 1]
        if (codes != column.codes).any():
            columns[at] = replace(column, codes=codes).used()
            told = {"word": text_of(column.cells[hits[0]]), "column": column.header}
            sheet.trace.notes.append(Note(code="ditto", values=told))
    return replace(sheet, raw=replace(sheet.raw, columns=columns))


def _headers_again(raw: RawTable) -> list[int]:
    headed = sorted((c for c in raw.columns if c.header.strip()), key=lambda column: len(column.cells))
    found = np.full(raw.n_rows, len(headed) > 1)
    for column in headed:
        again = fold(column.header)
        hits = [code for code, cell in column.texts() if len(cell) <= _LONGEST and fold(cell) == again]
        if not hits or not (found := found & column.rows_with(hits)).any():
            return []
    return np.flatnonzero(found).tolist()


def _page_lines(raw: RawTable) -> list[int]:
    """Return rows of which one cell says a page, or all cells are rulings, and nothing else is filled."""
    if any(column.mostly_distinct for column in raw.columns):
        return []
    hits = [[code for code, cell in column.texts() if _aside(cell.strip())] for column in raw.columns]
    if not any(hits):
        return []
    said = [column.rows_with(found) for column, found in zip(raw.columns, hits, strict=True)]
    nothing = [found | column.blank() for column, found in zip(raw.columns, said, strict=True)]
    return np.flatnonzero(np.logical_or.reduce(said) & np.logical_and.reduce(nothing)).tolist()


def _aside(text: str) -> bool:
    if len(text) > _LONGEST or text[:1].isdigit():
        return False
    return _PAGE.fullmatch(text) is not None or _RULE.fullmatch(text) is not None


def without_empty_classes(sheet: Sheet, measures: Sequence[int], classes: Sequence[int], *, checked: bool) -> Sheet:
    """Leave out the classes of a form that hold nothing: dashes, or blanks where a total was `checked`."""
    measured, named = [sheet.raw.columns[at] for at in measures], [sheet.raw.columns[at] for at in classes]
    if not measured or not named or any(column.mostly_distinct for column in measured):
        return sheet
    empty = np.logical_and.reduce([column.blank() if checked else _dashes(column) for column in measured])
    rows = np.flatnonzero(empty & ~np.logical_and.reduce([column.blank() for column in named])).tolist()
    if len(rows) == sheet.raw.n_rows:
        return sheet
    labels = {row: [text_of(cell) for column in named if not is_blank(cell := column.at(row))] for row in rows}
    return sheet.without({row: ("empty_class", {"label": labels[row][0]}) for row in rows})


def _dashes(column: Column) -> NDArray[np.bool_]:
    return column.rows_with(code for code, cell in column.texts() if cell.strip() and is_blank(cell))


_SEVERAL = re.compile(r"\W*([^\W\d]*)(\d{1,6})\s*(?:[-–/&+,;]|to|à|a|bis|et|and)\s*\1(\d{1,6})\W*", re.IGNORECASE)


def ask_about_numbers(sheet: Sheet) -> None:
    """Tell the rows of a list whose number is a word, or names several stones: such a row may be none, or several."""
    for at in sheet.places("row"):
        column, n_rows = sheet.raw.columns[at], sheet.raw.n_rows
        cells = {code: cell for code, cell in column.texts() if not is_blank(cell)}
        words = np.flatnonzero(column.rows_with(code for code, cell in cells.items() if _is_more_word(cell)))
        spans = {code: (int(hit[2]), int(hit[3])) for code, c in cells.items() if (hit := _SEVERAL.fullmatch(c))}
        spans = {code: (low, high) for code, (low, high) in spans.items() if 0 < high - low < 1000}
        distinct = enumerate(() if column.mostly_distinct else column.cells)
        days = [code for code, cell in distinct if isinstance(cell, date)]  # what is made of ``2-5``
        several = np.flatnonzero(column.rows_with([*spans, *days]))
        ends = [spans.get(int(column.codes[row]), (0, 0)) for row in several.tolist()]
        chained = all(low == end + 1 for (_, end), (low, _) in pairwise(ends)) and len(ends) == n_rows
        for code, rows, sure in (("word_for_number", words, False), ("number_of_several", several, chained)):
            for row in rows.tolist()[:20] if sure or 2 * len(rows) <= n_rows else ():
                sheet.tell(code, at, row)


def _is_more_word(text: str) -> bool:
    """Say whether a text is rather words than a number with letters to it: ``Balance from page 1``, not ``12 bis``."""
    letters, digits = (sum(map(kind, text)) for kind in (str.isalpha, str.isdigit))
    return digits == 0 or (letters > 4 and letters > 2 * digits)


def ask_about_units(sheet: Sheet) -> None:
    """Tell a title that gives weights in a unit that is not carats, where no header says carats."""
    words: Mapping[str, Sequence[str]] = declared_words()["headers"]
    _ask_about_unit_cells(sheet)
    weighed = [sheet.raw.columns[at].header for at in (*sheet.places("carats"), *sheet.places("carats", wide=True))]
    if not weighed or any(set(tokens_of(header)) & set(unit_words("carats")) for header in weighed):
        return
    others = unit_words("grains", "points", "others")
    said = re.compile(
        rf"(\b(in|en|em|im|unite|unit|units|unites|в)\b\W*|\()({'|'.join(others)})\b\W*\)?", re.IGNORECASE
    )
    for line, cells in sheet.raw.titles:
        for cell in cells:
            if not isinstance(cell, str) or len(cell) > 200:
                continue
            tokens = tokens_of(cell)
            weighed_so = set(tokens) & set(words["carats"]) and set(tokens) & {*others}
            if weighed_so or said.search(" ".join(tokens)):
                broken = Broken("unit_in_title")
                sheet.problems.append(problem(broken, table=sheet.raw.name, row=line, value=cell))
                return


_WITH_UNIT = {
    role: re.compile(rf".*\d\s*{unit_pattern(kind)}\.?", re.IGNORECASE)
    for role, kind in (("n_stones", "carats"), ("carats", "pieces"))
}


def ask_about_measures(sheet: Sheet) -> None:
    """Tell carats among numbers of stones, stones among carats, and a stone that was not counted among such as were."""
    for role, pattern in _WITH_UNIT.items():
        for at in (*sheet.places(role), *sheet.places(role, wide=True)):
            column = sheet.raw.columns[at]
            hits = [
                code for code, cell in column.texts() if cell[-2:].strip(". ").isalpha() and pattern.fullmatch(cell)
            ]
            for row in np.flatnonzero(column.rows_with(hits)).tolist()[:20]:
                sheet.tell("unit_elsewhere", at, row)
    counts = sheet.places("n_stones")
    if len(counts) != 1 or sheet.places("size_class", "description", "lot") or not sheet.places("carats"):
        return
    values = sheet.raw.values(counts[0])
    if np.isfinite(values).any() and np.nanmedian(values) < 2:
        for row in np.flatnonzero(sheet.raw.columns[counts[0]].blank()).tolist()[:20]:
            sheet.tell("missing_value", counts[0], row)


def _ask_about_unit_cells(sheet: Sheet) -> None:
    """Tell the units that are not carats, in a column that holds nothing but the unit of each row."""
    carats, others = set(unit_words("carats", "pieces")), set(unit_words("grains", "points", "others"))

    def unit(cell: str) -> str:
        return plain(cell).strip("()[]. ")

    for at in range(len(sheet.meanings)) if sheet.places("carats") else ():
        column = sheet.raw.columns[at]
        texts = [(code, cell) for code, cell in column.texts() if not is_blank(cell)]
        if sheet.meanings[at].role in sheet.attributes or not all(unit(cell) in carats | others for _, cell in texts):
            continue
        if len(texts) == len(sheet.cells(at)) and any(len(unit(cell)) > 1 for _, cell in texts):
            hits = [code for code, cell in texts if unit(cell) in others]
            for row in np.flatnonzero(column.rows_with(hits)).tolist()[:20]:
                sheet.tell("unknown_unit", at, row)


def below_each_other(sheet: Sheet, again: Sequence[int]) -> Sheet | None:
    """Ask whether a table goes on where its header stands again below a title or a total.

    None where a table of other columns begins.

    Parameters
    ----------
    again : sequence of int
        Of each header that stood again, the row of the table before which it stood.
    """
    raw = sheet.raw
    measures = sheet.places(*MEASURES) + sheet.places(*MEASURES, wide=True)
    if any(raw.columns[at].mostly_distinct for at in measures):
        return sheet
    for row in (others := _other_headers(sheet, measures)):
        sheet.tell("other_table_below", None, row)
    if others:
        return None
    if not again or sheet.choices.get(ONE[0]) == ONE[1]:
        titles = [row - 1 for row in again if row and _is_title(raw, measures, row - 1)]
        return _without(sheet, titles, "page_line")
    above = {_PAGE_OF.sub("", text_of(cell)) for _, cells in raw.titles for cell in cells if not is_blank(cell)}
    pages = []
    for row in again:
        if row and _is_title(raw, measures, row - 1) and not sheet.headers.is_total(raw.label(row - 1)):
            if _PAGE_OF.sub("", raw.label(row - 1)) in above:
                pages.append(row - 1)
            else:
                sheet.tell("table_below", 0, row - 1, choices=[ONE])
        elif row and _closed(sheet, measures, row - 1):
            sheet.tell("table_below", 0, row, choices=[ONE])
    if any(item.code == "table_below" for item in sheet.problems):
        return None
    return _without(sheet, pages, "page_line")


def _closed(sheet: Sheet, measures: list[int], row: int) -> bool:
    """Say whether a row is a total that is none of a page or a group, and no other total holds all of the rows."""
    label = sheet.raw.label(row)
    tokens = tokens_of(label)
    if not sheet.headers.is_total(label) or len(tokens) != 1 or tokens[0] in ("subtotal", "soustotal"):
        return False
    totals = [at for at in range(sheet.raw.n_rows) if sheet.headers.is_total(sheet.raw.label(at))]
    rest = np.setdiff1d(np.arange(sheet.raw.n_rows), totals)
    for at in measures:
        values = sheet.raw.values(at)
        if any(abs(float(np.nansum(values[rest])) - values[total]) <= 0.0051 for total in totals):
            return False
    return True


def _other_headers(sheet: Sheet, measures: Sequence[int]) -> list[int]:
    """Return rows of words that head a measure, and nothing but words: the header of another table."""
    raw, found = sheet.raw, np.zeros(sheet.raw.n_rows, dtype=bool)
    for column in (raw.columns[at] for at in measures):
        found |= column.rows_with(
            code
            for code, cell in column.texts()
            if cell[:1].isalpha() and sheet.headers.of(cell).role in (*MEASURES, "percent")
        )
    return [row for row in np.flatnonzero(found).tolist() if _is_header(raw, row, sheet.headers)]


def _is_header(raw: RawTable, row: int, headers: Headers) -> bool:
    filled = [cell for column in raw.columns if not is_blank(cell := column.at(row))]
    texts = [cell for cell in filled if isinstance(cell, str) and not any(char.isdigit() for char in cell)]
    return 2 <= len(texts) == len(filled) and not any(map(headers.is_total, texts))


def _is_title(raw: RawTable, measures: Sequence[int], row: int) -> bool:
    """Say whether a row holds one text or two, and no number below a measure."""
    filled = [at for at, column in enumerate(raw.columns) if not is_blank(column.at(row))]
    return 0 < len(filled) <= 2 and not set(filled) & set(measures) - {filled[0]} and isinstance(
        raw.columns[filled[0]].at(row), str
    ) and not raw.label(row)[:1].isdigit()  # fmt: skip


def _without(sheet: Sheet, rows: Sequence[int], code: str) -> Sheet:
    """Leave out rows, each told with its label."""
    return sheet.without({row: (code, {"label": sheet.raw.label(row)}) for row in rows})


def with_headings(sheet: Sheet) -> Sheet:
    """Give rows the class that a row above them names alone, ``WHITE`` above its sizes; ask about other such rows."""
    raw = sheet.raw
    measures = sheet.places(*MEASURES) + sheet.places(*MEASURES, wide=True)
    if not measures or any(column.mostly_distinct for column in raw.columns):
        return sheet
    empty = np.logical_and.reduce([raw.columns[at].blank() for at in measures])
    if not empty.any():
        return sheet
    numbered = np.flatnonzero(~empty)
    filled = np.sum([~column.blank() for column in raw.columns], axis=0)
    rows = [
        row
        for row in np.flatnonzero(empty & (filled == 1)).tolist()
        if len(numbered) and row < numbered[-1] and not _is_known(sheet, row)
    ]
    if not rows:
        return sheet
    totals = [row for row in range(raw.n_rows) if sheet.headers.is_total(raw.label(row))]
    rows = [row for row in rows if not totals or row < totals[-1]]
    if not rows:
        return sheet
    named = _named_by(sheet, [raw.label(row) for row in rows])
    if named is None or rows[0] > numbered[0]:
        for row in rows:
            sheet.tell("heading_row", None, row, label=raw.label(row))
        return sheet
    column, cells = named
    codes = np.zeros(raw.n_rows, dtype=np.int32)
    for at, row in enumerate(rows):
        codes[row:] = at
    codes[totals] = len(rows)
    made = Column(column, [*cells, None], codes)
    wider = replace(sheet, raw=replace(raw, columns=[*raw.columns, made]))
    return replace(_without(wider, rows, "heading"), meanings=[*sheet.meanings, Meaning(role=column)])


def _is_known(sheet: Sheet, row: int) -> bool:
    """Say whether the only text of a row is a total, a mean, or a class of its own column."""
    at = next(at for at, column in enumerate(sheet.raw.columns) if not is_blank(column.at(row)))
    text, role = sheet.raw.label(row), sheet.meanings[at].role
    scheme = sheet.scheme
    item = next((item for item in scheme.categorical if item.column == role), None)
    return (
        sheet.headers.is_total(text)
        or sheet.headers.is_summary(text)
        or text[:1].isdigit()
        or (role == "size_class" and size_span(text, scheme) is not None)
        or (item is not None and class_code(text, attribute_words(item)) is not None)
        or (
            sheet.meanings[at].role in ("row", "other", "money", "mean", "percent", "zone_id", "lot", "parcel_id")
            and any(char.isdigit() for char in text)
        )
    )


def _named_by(sheet: Sheet, texts: list[str]) -> tuple[str, list[Cell]] | None:
    """Return the attribute of which each text names one class, with those classes; None where one does not."""
    taken = {item.role for item in sheet.meanings} | {name for item in sheet.meanings for name, _ in item.classes}
    free = [item for item in sheet.scheme.categorical if item.column not in taken]
    column = Column("", [*texts], np.arange(len(texts), dtype=np.int32))
    made, unread = split_descriptions(column, free, sheet.scheme)
    if len(made) != 1 or not all(map(sheet.headers.is_plain, unread)):
        return None
    ((name, found),) = made.items()
    cells = [found.at(row) for row in range(len(texts))]
    return None if any(cell is None for cell in cells) else (name, cells)


def ask_about_cancelled(sheet: Sheet) -> None:
    """Ask whether a row is no longer of the parcel, where a remark says so: ``cancelled``, ``annulé``."""
    if sheet.choices.get("cancelled") == "keep":
        return
    words = set(declared_words()["headers"]["cancelled"])
    for at in sheet.places("other", "unknown", "description"):
        column = sheet.raw.columns[at]
        if len(column.cells) > 10_000:
            continue
        said = {code: tokens_of(cell) for code, cell in column.texts() if not cell[60:]}
        hits = [code for code, tokens in said.items() if len(tokens) <= 4 and words & {*tokens}]
        for row in np.flatnonzero(column.rows_with(hits)).tolist()[:20]:
            sheet.tell("row_cancelled", at, row, label=text_of(column.at(row)), choices=[("cancelled", "keep")])


def ask_about_blanks(sheet: Sheet, classed: list[int]) -> Sheet:
    """Ask whether a class that is blank below a filled one goes on, where rows with and without it alternate."""
    if len(classed) < 2 or sheet.places("parcel_id"):
        return sheet
    raw = sheet.raw
    for at in classed:
        blank = raw.columns[at].blank()
        alike = [other for other in classed if np.array_equal(raw.columns[other].blank(), blank)]
        others = [other for other in classed if other not in alike]
        if not others:
            continue
        filled = np.logical_and.reduce([~raw.columns[other].blank() for other in others])
        full = np.flatnonzero(~blank & filled)
        if not len(full):
            continue
        between = np.flatnonzero(blank & filled)
        between = between[between > full[0]]
        if not len(between) or full[-1] < between[0] or _same_sums(sheet, full, between):
            continue
        if sheet.choices.get("blanks") == "as_above":
            return _filled_down(sheet, alike)
        sheet.tell("blank_below", at, int(between[0]), header=raw.columns[at].header, choices=[("blanks", "as_above")])
        return sheet
    return sheet


def _same_sums(sheet: Sheet, some: NDArray[np.intp], others: NDArray[np.intp]) -> bool:
    """Say whether rows sum to what others do in stones and carats, so that they are a breakdown of the same stones."""
    measures = sheet.places("n_stones", "carats")
    values = [sheet.raw.values(at) for at in measures]
    sums = [(float(np.nansum(v[some])), float(np.nansum(v[others]))) for v in values]
    return len(sums) > 1 and all(abs(one - other) <= 0.0051 + 0.001 * abs(one) for one, other in sums)


def _filled_down(sheet: Sheet, places: list[int]) -> Sheet:
    columns = list(sheet.raw.columns)
    for at in places:
        column = columns[at]
        last = np.maximum.accumulate(np.where(column.blank(), -1, np.arange(sheet.raw.n_rows)))
        codes = np.where(last >= 0, column.codes[np.maximum(last, 0)], column.codes).astype(np.int32)
        columns[at] = replace(column, codes=codes)
    return replace(sheet, raw=replace(sheet.raw, columns=columns))


def with_classes_chosen(sheet: Sheet) -> Sheet:
    """Put classes that the caller chose in the place of words of a sheet: ``colour:BRN2`` is ``brown``."""
    chosen: dict[str, dict[str, str]] = {}
    for question, answer in sheet.choices.items():
        name, colon, word = question.partition(":")
        if not colon or name == "column":
            continue
        role = sheet.headers.attribute(name)
        if role is None:
            sheet.tell("unknown_attribute", None, attribute=name, known=listed(sheet.headers.attributes(), 12))
        else:
            chosen.setdefault(role, {})[" ".join(word.split())] = answer
    columns = list(sheet.raw.columns)
    for at, item in enumerate(sheet.meanings) if chosen else ():
        words = chosen.get(item.role, {})
        if item.wide or not words:
            continue
        column = columns[at]
        columns[at] = replace(column, cells=[_chosen(cell, words) for cell in column.cells])
        held = {text_of(cell) for cell in column.cells if not is_blank(cell)}
        if told := [f"{word} = {answer}" for word, answer in words.items() if word in held]:
            values = {"column": column.header, "words": listed(told, 20)}
            sheet.trace.notes.append(Note(code="words_chosen", values=values))
    return replace(sheet, raw=replace(sheet.raw, columns=columns))


def _chosen(cell: Cell, words: Mapping[str, str]) -> Cell:
    answer = None if is_blank(cell) else words.get(text_of(cell))
    if answer is None:
        return cell
    return None if fold(answer) in condition_values("") else answer
