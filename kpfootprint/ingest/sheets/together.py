"""What the sheets of an input are to each other: goods, parcels, what is said of them, sums of another one, notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.names.documented import recognise
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.inquiry import ONE, WHOLE, Inquiry
from kpfootprint.ingest.names.numbering import numbers_in
from kpfootprint.ingest.names.parcel_names import ask_about_names, is_parcel_name, parcel_within
from kpfootprint.ingest.names.statements import amounts_besides, amounts_in
from kpfootprint.ingest.problems import cut, listed
from kpfootprint.ingest.raw.cells import Cell, is_blank, is_number, text_of, texts_in
from kpfootprint.ingest.raw.tables import GOODS, Column, KnownTable, RawTable, stacked, stacked_by_kind
from kpfootprint.ingest.sheets.around import heads_rows, sums_up
from kpfootprint.ingest.sheets.asked import is_in_part
from kpfootprint.ingest.sheets.counted_twice import counted_otherwise
from kpfootprint.ingest.sheets.quoted import lines_of, may_hold_goods, quote_lines
from kpfootprint.ingest.sheets.recognise import is_headless, is_prose, tables_of, tell_headless
from kpfootprint.ingest.sheets.repeats import with_parents
from kpfootprint.ingest.sheets.said_of_parcels import joined, with_declared, with_said, with_titles
from kpfootprint.ingest.sheets.stands_beside import with_facts_above
from kpfootprint.ingest.sheets.titles import as_titles, said_by_titles, speaks
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import TABLES, fold, holds, misspelt, plain, table_names, tokens_of
from kpfootprint.wanted import each


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A sheet with the tables found on it, and the problems they have."""

    raw: RawTable
    tables: list[KnownTable]
    problems: list[Problem] = field(default_factory=list)

    @property
    def main(self) -> KnownTable:
        """The table that the sheet is about."""
        return self.tables[0]


@dataclass(frozen=True, eq=False)
class _ParcelSheet:
    """A sheet that is a parcel, or has a column of several, with what its titles say of them."""

    raw: RawTable
    tables: list[KnownTable]
    said: dict[str, KnownTable]
    ids: list[str]
    parcel_id: str | None = None
    named: list[str] = field(default_factory=list)
    """Its own name, where nothing else names the parcel."""

    @property
    def complete(self) -> bool:
        """Whether its goods could be read."""
        return self.tables[0].complete


def _gathered(held: Sequence[_ParcelSheet]) -> list[tuple[KnownTable, str | None]]:
    """Return the tables of some sheets, each with the parcel that it is of, or None for those of a column."""
    found = [(table, item.parcel_id) for item in held for table in (*item.tables, *item.said.values())]
    said = any(table.kind == "parcels" for table, _ in found)
    for item in [item for item in held if said and "parcels" not in item.said]:  # of these nothing is said
        ids = {"parcel_id": Column.of("parcel_id", item.ids)}
        found.append((KnownTable.of_lines("parcels", item.raw.name, ids, [1] * len(item.ids)), None))
    return found


def recognise_all(raws: list[RawTable], inquiry: Inquiry, *, several: bool = False) -> dict[str, KnownTable]:
    """Recognise the tables of an input, `several` or one, by kind; what is given twice or is not known is told."""
    headers = inquiry.headers
    raws = [with_facts_above(raw, headers) for raw in with_parents(raws, inquiry)]
    of_classes = [raw for raw in raws if headers.of(raw.name).wide]
    if len({raw.name for raw in of_classes}) > 1:  # a sheet for each size, called by it
        raws = [replace(raw, titles=((0, (raw.name,)), *raw.titles)) if raw in of_classes else raw for raw in raws]
    tried = inquiry.apart()
    found = _Input(tried, several=several or len(raws) > 1).read(raws)
    parts = [part for raw in raws for part in parcels_apart(raw, inquiry)] if tried.problems else raws
    if len(parts) > len(raws):
        return _Input(inquiry, several=True).read(parts)
    inquiry.problems.extend(tried.problems)
    return found


@dataclass(frozen=True, eq=False)
class _Input:
    """An input under way, and the tables that were found in it so far."""

    inquiry: Inquiry
    several: bool
    tables: dict[str, KnownTable] = field(default_factory=dict)

    @property
    def headers(self) -> Headers:
        """The words of headers."""
        return self.inquiry.headers

    @property
    def problems(self) -> list[Problem]:
        """What was told so far."""
        return self.inquiry.problems

    def read(self, raws: Sequence[RawTable]) -> dict[str, KnownTable]:
        """Return the tables of all sheets by kind, with what titles, covers and notes say of them."""
        goods, passed = self._read_each(raws)
        for raw in [raw for raw in raws if raw.name in passed and _goes_on(raw, goods, self.headers)]:
            tell_headless(raw, self.inquiry)
        filled = [sheet for sheet in goods if _holds_goods(sheet.main, self.headers)] or goods
        kept = _without_summaries(filled, self.headers)
        told = len(self.problems)
        parcels = self._add_goods(_counted_once(kept, self.headers))
        said_of = [(sheet, item) for sheet in goods for item in sheet.problems]
        said_of = [(sheet, item) for sheet, item in said_of if sheet in kept or item.code == "total_disagrees"]
        self.problems[told:told] = [_of_parcel(item, parcels.get(sheet.raw.name)) for sheet, item in said_of]
        raws = [raw for raw in raws if raw.name not in parcels]
        if (chosen := self.inquiry.choices.get("goods")) in self.tables and len({*GOODS} & {*self.tables}) == 2:
            passed.append(self.tables.pop("counts" if chosen == "stones" else "stones").name)
        passed += [sheet.raw.name for sheet in goods if sheet.main.n_rows and sheet not in filled]
        if self.tables:
            next(iter(self.tables.values())).trace.passed_over.extend(passed)
        notes = [raw for raw in raws if raw.name in passed]
        self._ask_about_notes(notes)
        for raw in notes if self.tables else ():
            if not speaks(raw):
                quote_lines(raw.name, lines_of(raw), next(iter(self.tables.values())).trace)
        covers = [sheet.raw for sheet in filled if sheet.raw.n_rows == 1 and sheet not in kept]
        return {**self._said(raws, [*notes, *covers]), **self.tables}

    def _read_each(self, raws: Sequence[RawTable]) -> tuple[list[_Sheet], list[str]]:
        """Add what sheets without goods hold; return those with goods, and the names of those that hold nothing."""
        goods: list[_Sheet] = []
        passed: list[str] = []
        for raw in each(sorted(raws, key=_turn)):
            sheet = self._sheet(raw, {other.name for other in raws if other is not raw})
            if self.several and sheet.tables and sheet.main.kind in GOODS:
                goods.append(sheet)
                continue
            self.problems.extend(sheet.problems)
            self._add(sheet.tables)
            if not sheet.tables and raw.columns and not self._is_told(raw):
                passed.append(raw.name)
        return goods, passed

    def _sheet(self, raw: RawTable, others: set[str]) -> _Sheet:
        """Find the tables of one of several sheets, with what the tables before it say of parcels."""
        own = _with_lots_known(raw, self.inquiry, ids_of(self.tables)).apart()
        found = tables_of(raw, own, several=self.several, sheets=others)
        if self.several and fold(raw.name) not in table_names() and not any(table.n_rows for table in found):
            return _Sheet(raw, [])  # a header alone: a form to be filled in, or a cover's last line
        return _Sheet(raw, found, own.problems)

    def _is_told(self, raw: RawTable) -> bool:
        """Tell that a sheet is none that is known, where it is the only one or its name is nearly that of a table."""
        names = table_names()
        if not self.several and not self.problems:
            recognise(raw, "stones", self.inquiry)
        elif self.several and fold(raw.name) not in names and misspelt(raw.name, names) is not None:
            self.inquiry.tell("unknown_table", raw.name, known=", ".join(TABLES))
        else:
            return not self.several
        return True

    def _add_goods(self, sheets: Sequence[_Sheet]) -> dict[str, str]:
        """Add sheets of goods to the tables; return those that hold parcels, with the id where it is one."""
        named = [sheet for sheet in sheets if fold(sheet.raw.name) in table_names()]
        free = [sheet for sheet in sheets if sheet not in named]
        for sheet in named:
            self._add(sheet.tables)
        kinds = [sheet.main.kind for sheet in free]
        listed_ids = ids_of(self.tables)
        called = {parcel_within(sheet.raw.name, listed_ids) for sheet in free}
        named_so = all(is_parcel_name(sheet.raw.name, self.headers) for sheet in free)
        told_apart = len({*kinds}) < len(kinds) or named_so or len(called & listed_ids) == len(free)
        own = len(free) > 1 and (told_apart or are_titled_apart([sheet.raw for sheet in free], self.inquiry))
        alone = len(free) == 1 < len(listed_ids) and called <= listed_ids
        if (own or alone) and not {*kinds} & {*self.tables}:
            return self._add_parcels(free)
        for sheet in free:
            self._add(sheet.tables)
        return {}

    def _add_parcels(self, sheets: Sequence[_Sheet]) -> dict[str, str]:
        """Add sheets of goods, of which each is a parcel or holds parcels of its own, by a column, title or name."""
        parcels = dict.fromkeys((sheet.raw.name for sheet in sheets), "")
        of_classes = all(self.headers.of(sheet.raw.name).wide for sheet in sheets)
        summed = any(item.code == "summary" for item in sheets[0].main.trace.left_out)
        one = {"sheets": "one"} if of_classes and summed else {}
        inquiry = replace(self.inquiry, choices={**one, **self.inquiry.choices})
        meant, known = inquiry.choices.get("sheets"), ids_of(self.tables)
        held = [self._parcels_on(sheet, known) for sheet in sheets]
        ids = [parcel_id for item in held for parcel_id in item.ids]
        named = [name for item in held for name in item.named]
        if len({*ids}) < len(ids) or any(map(is_total, named)):
            self._add([sheets[0].main])
            inquiry.tell_of("table_twice", sheets[1].main, other=sheets[0].raw.name)
            return parcels
        for at, sheet in enumerate(sheets if meant != "parcels" else ()):
            for other in sheets[:at]:
                if ask_about_same_rows(sheet.raw.name, other.raw.name, [sheet.main], [other.main], inquiry):
                    return parcels
        ask_about_names(named, sheets[0].raw.name, inquiry)
        parts = [(table, None if meant == "one" else own) for table, own in _gathered(held)]
        for kind, made in stacked_by_kind(parts).items():
            if kind not in self.tables:
                self.tables[kind] = made
            elif kind == "parcels":
                self.tables[kind] = with_said(self.tables[kind], made, inquiry)
            elif kind == "declarations":
                self.tables[kind] = with_declared(self.tables[kind], made, inquiry)
        if meant == "one":
            return parcels
        goods = next(self.tables[kind] for kind in GOODS if kind in self.tables)
        goods.trace.note("sheets_of_parcels", parcels=listed(sorted({*ids}), 20))
        alone = {item.raw.name: item.ids[0] for item in held if item.complete and len(item.ids) == 1}
        return parcels | alone

    def _parcels_on(self, sheet: _Sheet, known: set[str]) -> _ParcelSheet:
        """Find the parcels that a sheet of goods is or holds, some of which may be `known`."""
        said = said_by_titles(sheet.raw, {sheet.main.kind: sheet.main}, self.inquiry)
        title = said["parcels"].columns.get("parcel_id") if "parcels" in said else None
        if "parcel_id" in sheet.main.columns:
            ids = sorted(ids_of({"parcels": sheet.main}))
            return _ParcelSheet(sheet.raw, sheet.tables, with_titles(said, ids), ids)
        own = parcel_within(sheet.raw.name, known) if title is None else text_of(title.cells[0])
        named = [own] if title is None and own not in known else []
        return _ParcelSheet(sheet.raw, sheet.tables, said, [own], parcel_id=own, named=named)

    def _add(self, found: list[KnownTable]) -> None:
        """Add the tables of a sheet to those of the input; what is given twice is told."""
        for table in found:
            if table.kind not in self.tables:
                self.tables[table.kind] = table
            elif table.kind == "declarations" and (table is not found[0] or fold(table.name) not in table_names()):
                self._add_declared(table)
            elif table is found[0]:
                self.inquiry.tell("table_twice", table.name, other=self.tables[table.kind].name)

    def _add_declared(self, table: KnownTable) -> None:
        """Join zones beside parcels or stones with those of a table of declarations, which are said again."""
        known = {name for name in ids_of(self.tables) if len(ids_of(self.tables)) == 1}
        both = (self.tables["declarations"], table)
        own, more = (stacked([of], [*known]) if known and "parcel_id" not in of.columns else of for of in both)
        self.tables["declarations"] = with_declared(own, more, self.inquiry)

    def _said(self, raws: Sequence[RawTable], others: Sequence[RawTable]) -> dict[str, KnownTable]:
        """Return what titles and covers, which are among the `others`, say of parcels and declarations."""
        raws = [as_titles(raw) if raw in others and speaks(raw) else raw for raw in raws]
        said = joined([said_by_titles(raw, self.tables, self.inquiry) for raw in raws], self.inquiry)
        if "parcels" in said and "parcels" in self.tables:
            self.tables["parcels"] = with_said(self.tables["parcels"], said["parcels"], self.inquiry)
        return said

    def _ask_about_notes(self, raws: Sequence[RawTable]) -> None:
        """Ask about notes and covers that speak of other stones, or say that the goods are no whole parcel."""
        whole = _amounts_of(self.tables, self.headers)
        for raw in raws if not self.inquiry.chose(WHOLE) else ():
            if may_hold_goods(raw, self.headers, whole):
                lines = listed((cut(text, 60) for text in lines_of(raw)), 3)
                self.inquiry.tell("sheet_of_goods", raw.name, sheet=raw.name, lines=lines, choices=[WHOLE])
                return
            if len([column for column in raw.columns if not column.empty]) > 2:
                continue
            for text in (text for column in raw.columns for text in (column.header, *column.names())):
                roles = ("largest", "smallest", "limit", "mean", "money")
                of_some = any(holds(role, tokens_of(text)) for role in roles)
                of_some = of_some or self.headers.names_origin(text.partition(":")[0])
                others = _of_others(text, whole) if is_prose(raw) and not of_some else set()
                besides = amounts_besides(text) or others
                code = "stones_besides" if besides else "part_in_title" if is_in_part(text, self.headers) else ""
                if code:
                    self.inquiry.tell(code, raw.name, title=text, choices=[WHOLE])
                    return


def _of_parcel(item: Problem, parcel_id: str | None) -> Problem:
    """Return a problem as one of a parcel alone, where it is."""
    return replace(item, values={**item.values, "parcel": parcel_id}) if parcel_id else item


def _of_others(text: str, whole: Set[str]) -> set[str]:
    """Return the stones and carats of a line that are not those of the whole, nor parts that add up to these."""
    said = [item for item in amounts_in(plain(text)) if item.kind in ("n_stones", "carats")]
    sums = {kind: f"{sum(item.value for item in said if item.kind == kind):.2f}" for kind in ("n_stones", "carats")}
    return {f"{item.value:.2f}" for item in said if sums[item.kind] not in whole} - whole


def _turn(raw: RawTable) -> int:
    """Return when a sheet is read: zones beside parcels do not go before a table of declarations."""
    return {"declarations": 0, "parcels": 1}.get(table_names().get(fold(raw.name), ""), 2)


def _amounts_of(tables: Mapping[str, KnownTable], headers: Headers) -> set[str]:
    """Return how many stones and carats tables of goods hold, to the hundredth."""
    goods = [tables[kind] for kind in GOODS if kind in tables]
    names = ("n_stones", "carats", headers.words.scheme.size.column)
    sums = [float(np.nansum(table.values(name))) for table in goods for name in names if name in table.columns]
    return {f"{value:.2f}" for value in (*sums, *(float(table.n_rows) for table in goods))}


def _holds_goods(table: KnownTable, headers: Headers) -> bool:
    """Say whether a table has stones or carats, or names parcels, unlike a form that nobody has filled in."""
    names = [name for name in (headers.words.scheme.size.column, "n_stones", "carats") if name in table.columns]
    cells = (cell for name in names for cell in table.columns[name].used().cells)
    return "parcel_id" in table.columns or any(not is_blank(cell) and text_of(cell) != "0" for cell in cells)


def _without_summaries(sheets: list[_Sheet], headers: Headers) -> list[_Sheet]:
    """Leave out the sheets that sum up the rows of another one and agree, as a pivot table of it does; each is told.

    None is where all are called as parcels are, of which a small one may be another's sums by chance.
    """
    if all(is_parcel_name(sheet.raw.name, headers) for sheet in sheets):
        return sheets
    kept = []
    for sheet in sheets:
        if (main := _summed_up(sheet, sheets, headers)) is None:
            kept.append(sheet)
        else:
            headed = listed(column.header for column in sheet.main.columns.values())
            main.trace.leave_out("summary", sheet.raw.name, sheet.raw.header_rows[-1], headers=headed)
    return kept


def _counted_once(sheets: list[_Sheet], headers: Headers) -> list[_Sheet]:
    """Lay sheets that count the same stones, each by classes of its own, below each other; that is noted."""
    mains = [sheet.main for sheet in sheets]
    if len(mains) < 2 or not counted_otherwise(mains, headers.words.scheme):
        return sheets
    made = stacked(mains, [None] * len(mains))
    made.trace.note("counted_otherwise", headers=listed(sheet.raw.name for sheet in sheets[1:]))
    return [_Sheet(sheets[0].raw, [made, *(table for sheet in sheets for table in sheet.tables[1:])])]


def _summed_up(sheet: _Sheet, sheets: Sequence[_Sheet], headers: Headers) -> KnownTable | None:
    """Return the table that a sheet sums up: another one, or the first of all others, as ``Total`` beside ``CAR-1``."""
    if len(sheet.tables) != 1:
        return None
    scheme, mains = headers.words.scheme, [other.main for other in sheets if other is not sheet]
    for main in mains:
        if sums_up(sheet.main, main, scheme, alike=_is_pivot(sheet.raw)):
            return main
    same = [main for main in mains if main.kind == sheet.main.kind]
    summed = is_total(sheet.raw.name) or all(headers.of(main.name).wide for main in same)
    whole = stacked(same, [None] * len(same)) if len(same) > 1 and summed else None
    return same[0] if whole is not None and sums_up(sheet.main, whole, scheme) else None


def _is_pivot(raw: RawTable) -> bool:
    """Say whether a sheet is headed as tables that sum up another one are: ``Row Labels | Sum of Stones``."""
    return len(raw.columns) > 1 and all(is_total(column.header) and " " in column.header for column in raw.columns[1:])


def _goes_on(raw: RawTable, goods: Sequence[_Sheet], headers: Headers) -> bool:
    """Say whether a sheet without a header has rows as a table of goods has: as many cells, and numbers in the same."""
    if not is_headless(raw, headers):
        return False
    rows = [[column.header, *column.cells[:50]] for column in raw.columns]
    for other in (sheet.raw for sheet in goods):
        numbers = [numbers_in([cell for cell in column.cells[:50] if not is_blank(cell)]) for column in other.columns]
        below = [cells for cells, item in zip(rows, numbers, strict=False) if item is not None]
        worded = [text for cells in below for text in texts_in(cells) if text[:1].isalpha() and not is_total(text)]
        if below and not worded and len(other.columns) == len(raw.columns):
            return True
    return False


def _with_lots_known(raw: RawTable, inquiry: Inquiry, ids: set[str]) -> Inquiry:
    """Take lots for parcels where a table of parcels or declarations has the same ids."""
    for column in raw.columns if ids else ():
        lots = inquiry.headers.of(column.header).role == "lot"
        if lots and {*column.used().names()} <= {"", *ids}:
            return replace(inquiry, choices={**inquiry.choices, "lots": "parcels"})
    return inquiry


def ask_about_same_rows(
    name: str, other: str, own: Sequence[KnownTable], others: Sequence[KnownTable], inquiry: Inquiry
) -> bool:
    """Ask whether a sheet or a folder is a parcel beside another one of which a table of goods has the same rows."""
    pairs = [(one, two) for one in own for two in others if one.kind == two.kind and one.kind in GOODS]
    if same := any(one.same_rows(two) for one, two in pairs):
        inquiry.tell("same_rows", name, other=other, choices=[("sheets", "parcels")])
    return same


def ids_of(tables: Mapping[str, KnownTable]) -> set[str]:
    """Return the ids of parcels that the tables of parcels and of declarations name."""
    named = [tables[kind].columns.get("parcel_id") for kind in ("parcels", "declarations") if kind in tables]
    return {name for column in named if column is not None for name in column.names() if name}


_MOST = 20_000
"""Rows of a sheet that is taken apart, at most."""

Line = tuple[int, Sequence[Cell]]
"""Where a line stands, and its cells."""


def parcels_apart(raw: RawTable, inquiry: Inquiry) -> list[RawTable]:
    """Return a table for each parcel of a sheet on which lines above each header name another one; else the sheet."""
    if raw.n_rows > _MOST or raw.ragged or inquiry.chose(ONE):
        return [raw]
    headers = inquiry.headers
    lines: list[Line] = [*raw.titles, (raw.header_rows[-1], [column.header for column in raw.columns])]
    first = len(lines) - 1
    lines += [(raw.line(row) or 0, raw.row(row)) for row in range(raw.n_rows)]
    cells = [cells for _, cells in lines]
    heads = [at for at in range(len(lines)) if at == first or _heads_goods(cells, at, headers)]
    if len(heads) < 2:
        return [raw]
    starts = [0, *(_cover_above(lines, at, headers) for at in heads[1:])]
    ends = [*starts[1:], len(lines)]
    parts = [_part(raw, lines, *places) for places in zip(starts, heads, ends, strict=True)]
    if not are_titled_apart(parts, inquiry):
        return [raw]
    return [replace(part, name=f"{raw.name} {at}") for at, part in enumerate(parts, start=1)]


def are_titled_apart(raws: Sequence[RawTable], inquiry: Inquiry) -> bool:
    """Say whether each of several tables is of another parcel by its titles."""
    said = [said_by_titles(raw, {}, inquiry.apart()).get("parcels") for raw in raws]
    ids = [of.columns.get("parcel_id") if of is not None else None for of in said]
    return None not in ids and len({text_of(of.at(0)) for of in ids if of is not None}) == len(ids)


def _heads_goods(lines: Sequence[Sequence[Cell]], at: int, headers: Headers) -> bool:
    """Say whether a line heads stones or carats below it, and not the carats of zones."""
    return heads_rows(lines, at, headers) and not any(headers.names_origin(text) for text in texts_in(lines[at]))


def _cover_above(lines: Sequence[Line], head: int, headers: Headers) -> int:
    """Return the first of the lines above a header that are none of the goods above them."""
    start = head
    while start and not _is_of_goods(lines[start - 1][1], headers):
        start -= 1
    return start


def _is_of_goods(cells: Sequence[Cell], headers: Headers) -> bool:
    """Say whether a line is a row of goods or their total: a number in it, and no label or zone in front."""
    texts = texts_in(cells)
    label = texts[0].partition(":")[0] if texts else ""
    labelled = ":" in texts[0] or headers.names_fact(label) or headers.words.zone(label) is not None if texts else True
    return is_total(label) or (not labelled and any(map(is_number, texts)))


def _part(raw: RawTable, lines: Sequence[Line], start: int, head: int, end: int) -> RawTable:
    """Return the lines of one parcel as a table: titles, a header and rows."""
    header, body = lines[head][1], lines[head + 1 : end]
    places = [at for at, cell in enumerate(header) if not is_blank(cell) or any(_filled(of, at) for _, of in body)]
    heads = ["" if is_blank(cell) else text_of(cell) for cell in header]
    columns = [Column.of(heads[at], [of[at] for _, of in body]) for at in places]
    made = replace(
        raw,
        columns=columns,
        rows=np.array([line for line, _ in body], dtype=np.int32),
        header_rows=raw.header_rows if lines[head][0] in raw.header_rows else (lines[head][0],),
        titles=tuple((line, tuple(cells)) for line, cells in lines[start:head]),
        notes=raw.notes if start == 0 else (),
        comments=raw.comments if start == 0 else (),
        hidden=raw.hidden if start == 0 else (),
    )
    return made.keep(np.flatnonzero(~made.blank()))


def _filled(cells: Sequence[Cell], at: int) -> bool:
    return at < len(cells) and not is_blank(cells[at])
