"""What stands above, beside and below a table: summaries, held against its rows; notes; other tables."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.columns.asides import PAGE
from kpfootprint.ingest.columns.meanings import MEASURES, Layout
from kpfootprint.ingest.files.archive import Limits
from kpfootprint.ingest.files.heads import head_of
from kpfootprint.ingest.names.headers import Headers, Meaning
from kpfootprint.ingest.names.inquiry import ONE
from kpfootprint.ingest.names.size_labels import fold_size
from kpfootprint.ingest.problems import Broken, listed
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, is_number, line_of, text_of, texts_in
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable, below
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import attribute_words, class_code, tokens_of
from kpfootprint.scheme import Scheme

_DIGIT = re.compile(r"\d")
_HEAD = 3
"""Rows among which its header goes on."""
_MOST = 200
"""Rows that a summary has at most."""

_BY_CHANCE = 30
"""Stones below which the numbers of a table may be those of another parcel by chance, where it has no carats."""


# Tables with a header of their own.


@dataclass(frozen=True, slots=True)
class Block:
    """What seems to be a table of its own beside another: where it stands, and its header and rows."""

    where: str
    raw: RawTable

    @property
    def headed(self) -> str:
        """Its headers."""
        return listed(column.header for column in self.raw.columns)

    @property
    def line(self) -> int:
        """Where its header stands."""
        return self.raw.header_rows[0]

    @property
    def lines(self) -> set[int]:
        """Where its header and its rows stand."""
        return {self.line, *self.raw.rows.tolist()}


def apart(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Block]]:
    """Return a table without what stands above, beside and below it under a header of its own, and what that is."""
    blocks: list[Block] = []
    for find in (_above, _beside, _below):
        raw, found = find(raw, headers)
        blocks += found
    return raw, blocks


def with_total_above(raw: RawTable) -> RawTable:
    """Lay a total right above the header, its numbers in their columns, among the rows, as one above them stands."""
    line, cells = raw.titles[-1] if raw.titles else (0, ())
    filled = [at for at, cell in enumerate(cells) if not is_blank(cell)]
    numbered = filled[1:] and all(is_number(text_of(cells[at])) for at in filled[1:])
    others = [text_of(cell) for _, cells_above in raw.titles[-2:-1] for cell in cells_above if not is_blank(cell)]
    if any(map(is_number, others)):
        return raw  # the total of another table
    label = text_of(cells[filled[0]]) if filled else ""
    if not numbered or filled[-1] >= len(raw.columns) or not is_total(label) or label.rstrip().endswith(":"):
        return raw
    first = [cells[at] if at < len(cells) else None for at in range(len(raw.columns))]
    columns = [below(item.header, [Column.of("", [c]), item]) for c, item in zip(first, raw.columns, strict=True)]
    columns = [replace(column, headers=()) for column in columns]
    rows = np.concatenate([[line], raw.rows]).astype(np.int32)
    ragged = {row + 1: found for row, found in raw.ragged.items()}
    return replace(raw, columns=columns, rows=rows, ragged=ragged, titles=raw.titles[:-1])


def _names_classes(row: Sequence[Cell], headers: Headers) -> bool:
    """Say whether a row of words heads classes and their stones or carats."""
    texts = texts_in(row)
    if not 2 <= len(texts) <= 6 or any(map(is_number, texts)) or any(map(is_total, texts[:1])):
        return False
    if len(texts) == 2 and headers.names_origin(texts[0]) and has_digit(texts[1]):
        return False  # ``Origin | Nola 5.80 ct``
    roles = _roles(texts, headers)
    classes = {"size_class", "zone_id", "country", *(item.column for item in headers.words.scheme.categorical)}
    return bool(roles & {*MEASURES}) and len(roles & classes) == 1 and "unknown" not in roles


def heads_rows(lines: Sequence[Sequence[Cell]], at: int, headers: Headers) -> bool:
    """Say whether a line of words heads stones or carats in two lines below it: a list above another table."""
    texts = {place: text_of(cell) for place, cell in enumerate(lines[at]) if not is_blank(cell)}
    if not 2 <= len(texts) <= 8 or any(map(is_number, texts.values())) or any(":" in text for text in texts.values()):
        return False
    measured = [place for place, text in texts.items() if headers.of(text).role in MEASURES]
    below = [[line[place] for place in measured if place < len(line)] for line in lines[at + 1 : at + 4]]
    weighed = [any(map(is_number, map(text_of, cells))) for cells in below]
    return weighed[:2] == [True, True] or weighed == [False, True, True]  # below a line of units


def _roles(texts: Sequence[str], headers: Headers) -> set[str]:
    """Return what some headers mean; ``n`` behind another one counts stones, and numbers no rows."""
    said = [headers.of(text) for text in texts]
    return {"n_stones" if at and item.role == "row" else item.role for at, item in enumerate(said) if not item.wide}


def _made(
    raw: RawTable, where: str, lines: Sequence[int], rows: Sequence[Sequence[Cell]], headers: Headers
) -> list[Block]:
    """Make a table of a row of headers, which may go on in the next ones, and the rows below it."""
    head = head_of(rows[: _HEAD + 1], headers, raw.name, Limits(), parted=True)
    texts, end = (head.texts, head.rows[-1]) if head.rows[0] == 0 else ([*map(text_of, rows[0])], 0)
    places = [at for at, text in enumerate(texts) if text.strip()]
    lines, rows = [lines[0], *lines[end + 1 :]], [rows[0], *rows[end + 1 :]]
    body = [[row[at] if at < len(row) else None for at in places] for row in rows[1 : _MOST + 1]]
    columns = [Column.of(texts[at], [row[number] for row in body]) for number, at in enumerate(places)]
    inside = [[cell for cell in row if not is_blank(cell)] for row in body]
    whole = [sum(not is_blank(cell) for cell in row) for row in rows[1 : _MOST + 1]]
    counts = [any(map(is_number, map(text_of, own))) or len(own) == n for own, n in zip(inside, whole, strict=True)]
    kept = np.array([bool(own) and said for own, said in zip(inside, counts, strict=True)], dtype=bool)
    beside = np.flatnonzero(~kept).tolist()  # of words, some of which stand below none of its headers
    titles = tuple((lines[row + 1], tuple(rows[row + 1])) for row in beside)
    numbers = np.array(lines[1 : _MOST + 1], dtype=np.int32)
    made = RawTable(name=raw.name, source=raw.source, columns=columns, rows=numbers, header_rows=(lines[0],))
    made = replace(made, titles=titles)
    return [Block(where, made.keep(np.flatnonzero(kept)))] if kept.any() else []


def _above(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Block]]:
    lines = [cells for _, cells in raw.titles]
    heads = (at for at, cells in enumerate(lines) if _names_classes(cells, headers) or heads_rows(lines, at, headers))
    if (start := next(heads, None)) is None:
        return raw, []
    numbered = [any(is_number(text_of(c)) for c in cells if not is_blank(c)) for cells in lines]
    end = start + 2 if numbered[start + 1 : start + 3] == [False, True] else start + 1  # below a line of units
    while end < len(lines) and numbered[end]:
        end += 1
    numbers, rows = zip(*raw.titles[start:end], strict=True)
    return replace(raw, titles=(*raw.titles[:start], *raw.titles[end:])), _made(raw, "above", numbers, rows, headers)


def _beside(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Block]]:
    gap = next((at for at, column in enumerate(raw.columns[:-1]) if at and column.empty), None)
    if gap is None or any(column.mostly_distinct for column in raw.columns[gap:]):
        return raw, []
    own, right = [column.header for column in raw.columns[:gap]], raw.columns[gap + 1 :]
    filled = np.flatnonzero(~raw.blank(range(gap + 1, len(raw.columns)))).tolist()
    rows: list[list[Cell]] = [[column.header for column in right]]
    rows += [[column.at(row) for column in right] for row in filled[:_MOST]]
    lines = [raw.header_rows[-1], *(raw.line(row) or 1 for row in filled[:_MOST])]
    start = 0 if any(map(str.strip, map(text_of, rows[0]))) else 1
    if not rows[start:] or not _names_classes(rows[start], headers):
        return raw, []
    if headers.of(next(filter(None, map(text_of, rows[start])))).role in MEASURES:
        return raw, []  # carats behind an empty column
    if not any(headers.of(text).role in MEASURES for text in own):
        return raw, []
    if _roles(own, headers) == _roles([*map(text_of, rows[start])], headers):  # not a summary, a table of the same kind
        return raw, []
    return replace(raw, columns=raw.columns[:gap]).filled(), _made(raw, "beside", lines[start:], rows[start:], headers)


def _rows_of_words(
    raw: RawTable, places: Iterable[int], headers: Headers, heads: Callable[[str, Meaning], bool]
) -> list[int]:
    """Return the rows that hold, in some columns, a word that heads what is looked for, as none with a digit does."""
    found = np.zeros(raw.n_rows, dtype=bool)
    for column in (raw.columns[at] for at in places):
        words = ((code, cell) for code, cell in column.texts() if _DIGIT.search(cell) is None)
        found |= column.rows_with(code for code, cell in words if heads(cell, headers.of(cell)))
    return np.flatnonzero(found).tolist()


def _below(raw: RawTable, headers: Headers) -> tuple[RawTable, list[Block]]:
    if any(column.mostly_distinct for column in raw.columns):
        return raw, []
    own = [column.header for column in raw.columns]
    again = [header for header in own if header.strip()]
    heads, titled = [], []
    for row in _rows_of_words(raw, range(len(own)), headers, lambda _, said: not said.wide and said.role in MEASURES):
        cells = raw.row(row)
        if row and _names_classes(cells, headers) and texts_in(cells) != again:
            alone = len(raw.filled_at(row - 1)) == 1 and not is_number(raw.label(row - 1))
            heads.append(row)
            titled.append(row - alone)
    blocks: list[Block] = []
    for row, end in zip(heads, [*titled[1:], raw.n_rows], strict=False):
        rows = [raw.row(at) for at in range(row, end)]
        blocks += _made(raw, "below", [raw.line(at) or 1 for at in range(row, end)], rows, headers)
    if not heads and (head := _origins_below(raw, headers)):
        rows = [[cell if at in raw.filled_at(head) else own[at] for at, cell in enumerate(raw.row(head))]]
        rows += [raw.row(at) for at in range(head + 1, raw.n_rows)]
        lines = [raw.line(at) or 1 for at in range(head, raw.n_rows)]
        blocks, titled = _made(raw, "below", lines, rows, headers), [head]
    return (raw.keep(np.arange(titled[0])), blocks) if blocks else (raw, [])


def _origins_below(raw: RawTable, headers: Headers) -> int:
    """Return the row of one word, ``Provenance``, below which zones stand with numbers under the same header, or 0."""
    rows = _rows_of_words(raw, range(len(raw.columns)), headers, lambda cell, _: headers.names_origin(cell))
    row = rows[-1] if rows and len(raw.filled_at(rows[-1])) == 1 else 0
    if not row:
        return 0
    zones = [headers.words.zone(raw.label(at)) for at in range(row + 1, raw.n_rows) if not is_total(raw.label(at))]
    return row if zones and None not in zones else 0


def sums_up(block: KnownTable, main: KnownTable, scheme: Scheme, *, alike: bool = False) -> bool:
    """Say whether a table has a row for each class of a finer one, or one `alike`, with its sum, or the sum of all."""
    fine, coarse = ((len(_classes(table, scheme)), table.n_rows, table.n_columns) for table in (main, block))
    finer = fine > coarse or (alike and fine == coarse) or main.kind == "stones" != block.kind
    if main is block or not (finer and main.complete and block.complete) or block.n_rows > _MOST:
        return False
    weighed = block.kind == "stones" or "carats" in block.columns
    by_chance = not weighed and np.nansum(block.values("n_stones")) < _BY_CHANCE
    return not by_chance and held_against(block, main, scheme) == []


def held_against(block: KnownTable, main: KnownTable, scheme: Scheme) -> list[Problem] | None:
    """Return in what a summary is not what the rows of a table sum to; None where it is no summary of that table.

    One without classes, such as an invoice, gives the stones and the carats of the whole.
    """
    classes = [name for name in _classes(block, scheme) if name != "size_class" or main.kind != "stones"]
    of_several = "parcel_id" in main.columns or ("parcel_id" in block.columns and block.n_rows > 1)
    if not {*classes} <= {*main.columns} or of_several:
        return None
    own, said = _sums(main, classes, scheme), _sums(block, classes, scheme)
    if block.kind == "stones":
        said.pop("n_stones")  # each row of a summary is of several
    once = not classes or len({*_keys(block, _classes(block, scheme), scheme)}) == block.n_rows
    if not once or not {*said} <= {*own} or (not classes and len(said) < 2):
        return None
    found, last = [], {key: row for row, key in enumerate(_keys(block, classes, scheme))}
    for name, sums in said.items():
        column = scheme.size.column if (name, block.kind) == ("carats", "stones") else name
        slack = 0.5 if name == "n_stones" else 0.0051 + 0.005
        for key, value in sums.items():
            if not abs(own[name][key] - value) <= slack:
                told = {"expected": f"{value:g}", "found": f"{own[name][key]:.6g}"}
                found.append(block.problem(Broken("total_disagrees", told), last[key], column))
    missed = {*_keys(main, classes, scheme)} - {*last} - {("",) * len(classes)}
    other = {*block.columns} == {*main.columns} or not classes
    return None if (missed and not found) or (found and other) else found


def _classes(table: KnownTable, scheme: Scheme) -> list[str]:
    """Return the columns of a table that tell classes."""
    names = ("size_class", "lower_ct", "upper_ct", *(item.column for item in scheme.categorical))
    return [name for name in names if name in table.columns]


def _sums(table: KnownTable, classes: Sequence[str], scheme: Scheme) -> dict[str, defaultdict[Key, float]]:
    """Return how many stones and carats the rows of each class hold, as far as a table gives them."""
    given = {"n_stones": table.values("n_stones")} if "n_stones" in table.columns else {}
    weight = scheme.size.column if table.kind == "stones" else "carats"
    given |= {"n_stones": np.ones(table.n_rows)} if table.kind == "stones" else {}
    given |= {"carats": table.values(weight)} if weight in table.columns else {}
    sums: dict[str, defaultdict[Key, float]] = {name: defaultdict(float) for name in given}
    for name, values in given.items():
        for key, value in zip(_keys(table, classes, scheme), values.tolist(), strict=True):
            sums[name][key] += value
    return sums


Key = tuple[str, ...]
"""Classes of a row, one of each attribute that is looked at, in one spelling."""


def _keys(table: KnownTable, classes: Sequence[str], scheme: Scheme) -> list[Key]:
    """Return the classes of each row."""
    spelt: list[list[str]] = []
    for name in classes:
        column = table.columns[name]
        item = next((item for item in scheme.categorical if item.column == name), None)
        known = {} if item is None else attribute_words(item)
        codes = [(text, class_code(text, known) if text else None) for text in column.names()]
        made = [fold_size(text) if code is None else str(code) for text, code in codes]
        spelt.append([made[code] for code in column.codes.tolist()])
    return [*zip(*spelt, strict=True)] if spelt else [()] * table.n_rows


# Tables of the same columns below each other.


def below_each_other(sheet: Layout, again: Sequence[int]) -> Layout | None:
    """Ask whether a table goes on where its header stands again below a title or a total.

    None where a table of other columns begins.

    Parameters
    ----------
    again : sequence of int
        Of each header that stood again, the row of the table before which it stood.
    """
    raw = sheet.raw
    measures = sheet.places(*MEASURES, wide=None)
    if any(raw.columns[at].mostly_distinct for at in measures):
        return sheet
    if others := _other_headers(sheet, measures):
        said = [*(text_of(cells[0]) for _, cells in raw.titles if cells), raw.columns[0].header]
        said += [text_of(raw.columns[0].at(row)) for row in range(min(raw.n_rows, 12))]
        on_its_side = len({sheet.headers.of(text).role for text in said} - {"unknown", "other"}) == len(said) > 2
        for row in others:
            sheet.tell("table_on_its_side" if on_its_side else "other_table_below", None, row)
        return None
    above_each = [raw.label(row - 1) for row in again if row] + [line_of(cells) for _, cells in raw.titles[-1:]]
    if {"n_stones", "carats"} <= {*map(sheet.headers.measure, above_each)}:
        sheet.tell("other_table_below", None, again[0])  # the carats of a table of pieces
        return None
    if not again or sheet.inquiry.chose(ONE):
        return sheet.leave([row - 1 for row in again if row and _is_title(raw, measures, row - 1)], "page_line")
    above = {PAGE.sub("", line_of(cells)) for _, cells in raw.titles}
    pages: list[int] = []
    for row in again:
        start = row
        while start and _is_title(raw, measures, start - 1) and not is_total(raw.label(start - 1)):
            start -= 1
        if start < row:
            pages += range(start, row)
            if not all(PAGE.sub("", line_of(raw.row(line))) in above for line in range(start, row)):
                sheet.tell("table_below", 0, row - 1, choices=[ONE])
        elif 0 < row < raw.n_rows and _closed(sheet, measures, row - 1):  # a header at the end heads nothing
            sheet.tell("table_below", 0, row, choices=[ONE])
    if any(item.code == "table_below" for item in sheet.problems):
        return None
    return sheet.leave(pages, "page_line")


def _closed(sheet: Layout, measures: list[int], row: int) -> bool:
    """Say whether a row is a total that is none of a page or a group, and no other total holds all of the rows."""
    label = sheet.raw.label(row)
    tokens = tokens_of(label)
    if not is_total(label) or len(tokens) != 1 or tokens[0] in ("subtotal", "soustotal"):
        return False
    totals = sheet.raw.totals
    rest = np.setdiff1d(np.arange(sheet.n_rows), totals)
    for at in measures:
        values = sheet.values(at)
        if any(abs(float(np.nansum(values[rest])) - values[total]) <= 0.0051 for total in totals):
            return False
    return True


def _other_headers(sheet: Layout, measures: Sequence[int]) -> list[int]:
    """Return rows of words that head a measure, and nothing but words: the header of another table."""

    def heads(cell: str, said: Meaning) -> bool:
        return cell[:1].isalpha() and said.role in (*MEASURES, "percent")

    rows = _rows_of_words(sheet.raw, measures, sheet.headers, heads)
    return [row for row in rows if _is_header(sheet.raw, row) and not _labels_a_name(sheet, row)]


def _labels_a_name(sheet: Layout, row: int) -> bool:
    """Say whether a row is a label and a name that has a word of goods in it: ``Exporter | Golden Stone BV``."""
    label, *said = sheet.raw.texts(row)
    names = sheet.headers.field(label.rstrip(": ")) in ("exporter", "sorter")
    return names and len(said) == 1 and bool(sheet.headers.of(said[0]).party)


def _is_header(raw: RawTable, row: int) -> bool:
    filled = [cell for cell in raw.row(row) if not is_blank(cell)]
    texts = [cell for cell in filled if isinstance(cell, str) and not has_digit(cell)]
    return 2 <= len(texts) == len(filled) and not any(map(is_total, texts))


def _is_title(raw: RawTable, measures: Sequence[int], row: int) -> bool:
    """Say whether a row holds one text or two, and no number below a measure."""
    filled = raw.filled_at(row)
    worded = 0 < len(filled) <= 2 and isinstance(raw.columns[filled[0]].at(row), str)
    return worded and not {*filled[1:]} & {*measures} and not raw.label(row)[:1].isdigit()
