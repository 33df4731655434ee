"""What titles above a table, lines below it and columns that say one thing tell of its parcel, and where it is from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np

from kpfootprint.ingest.columns.origins import (
    PARTED_SHARE,
    PARTS,
    Origin,
    declared,
    is_doubted,
    is_of_another_act,
    origins_in,
    parted_places,
    settle_origin,
    zones_declared,
    zones_within,
)
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.names.statements import DAY, STATED, stated
from kpfootprint.ingest.parcels.records import CONDITIONS, PERCENT_APART
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import Cell, DecimalMarks, has_digit, is_blank, read_numbers, text_of
from kpfootprint.ingest.raw.tables import GOODS, Column, KnownTable, Note, RawTable
from kpfootprint.ingest.sheets.labelled import (
    IDS,
    NOT_HEADS,
    TITLED,
    Pair,
    anchors,
    field_named,
    field_of,
    heads,
    is_condition,
    laid_beside,
    may_be_a_sieve,
    pairs,
    parts_of_field,
    same,
    without_rest,
)
from kpfootprint.ingest.sheets.quoted import quote_columns, quote_lines
from kpfootprint.ingest.sheets.said_of_parcels import shares_of, with_said
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import fold, nearest, says, tokens_of, unit_pattern

_DAY = re.compile(rf"{DAY.pattern}|\b(?:19|20)\d\d\b")

_AMOUNT = re.compile(rf"[-–~≈<>]?\s*\d[\d.,]*\s*(?:%|{unit_pattern('carats')}|g)?", re.IGNORECASE)

_IGNORED = ("origin", "ignore")
"""The answer that a place is none of a declaration."""

_AS_TITLES = 4
"""Columns that a sheet of several rows has at most whose lines may say something of the parcel."""

_Said = tuple[int, str, Cell]
"""Line, header and value of what is said of a parcel."""


def speaks(raw: RawTable) -> bool:
    """Say whether the lines of a sheet that is no table may say something of the parcel, as those of covers do."""
    return len(raw.columns) <= _AS_TITLES or raw.n_rows == 1


def as_titles(raw: RawTable) -> RawTable:
    """Take a small sheet that is no table, such as a cover, for lines that say something of the parcel."""
    head = raw.header_rows[-1], tuple(item.header for item in raw.columns)
    return replace(raw, titles=(*raw.titles, head, *map(raw.said, range(min(raw.n_rows, 60)))))


_Place = tuple[str, int | None, str]
"""Table, line and label of what is said."""


def _tell_otherwise(inquiry: Inquiry, place: _Place, name: str, one: Cell, other: Cell) -> None:
    inquiry.tell("said_otherwise", *place, other, field=name, one=text_of(one), other=text_of(other))


def said_by_titles(raw: RawTable, tables: Mapping[str, KnownTable], inquiry: Inquiry) -> dict[str, KnownTable]:
    """Read what titles above a table say of the parcel: ``Parcel | CAR-2019-07``, ``Exporter: A``, ``Zone: Nola``.

    What is not read is told; an origin that is not understood is asked about.
    """
    goods, headers = next((tables[kind] for kind in GOODS if kind in tables), None), inquiry.headers
    heard = _Heard(raw, inquiry, goods)
    heard.lines_around()
    heard.settle_loose({headers.words.zone(item.place) for item in heard.origins} | _declared_in(tables, headers))
    each_one = heard.columns_beside(goods) if goods is not None and "parcels" not in tables else None
    found, origins = heard.found, heard.origins
    made = {"parcels": _one_row(raw, found)} if found else {}
    if each_one is not None:
        columns = dict(each_one.columns)
        if (zone := columns.pop("zone_id", None)) is not None and "declarations" not in tables:
            zones = {"parcel_id": columns["parcel_id"], "zone_id": zone}
            made["declarations"] = parted_places(replace(each_one, kind="declarations", columns=zones), headers)
        each_one = replace(each_one, columns=columns)
        made["parcels"] = with_said(each_one, made["parcels"], inquiry) if found else each_one
    if origins and "declarations" not in tables:
        made["declarations"] = declared(raw, origins, headers)
        _tell_countries_otherwise(raw, origins, inquiry)
    elif origins:
        _tell_declared_otherwise(raw, origins, tables["declarations"], inquiry)
    if goods is not None:
        heard.tell(goods, of_table=raw.name in {table.name for table in tables.values()})
    for table in tables.values():
        if table.name == raw.name:
            quote_columns(raw, table.trace)
    return made


@dataclass(slots=True)
class _Heard:
    """What the lines around a table say of its parcel, line by line."""

    raw: RawTable
    inquiry: Inquiry
    goods: KnownTable | None
    found: dict[str, _Said] = field(default_factory=dict)
    origins: dict[Origin, tuple[int, str]] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    """Labels and values that are understood, and say nothing that is kept."""
    unheard: list[str] = field(default_factory=list)
    """What is not understood."""
    loose: list[tuple[int, str]] = field(default_factory=list)
    """What is not understood and may say where goods are from."""
    days: list[str] = field(default_factory=list)
    """Days that no label says to be that of the export."""
    unit: str = ""
    """What numbers beside zones mean, where a line above them says it: ``Zone | Carats``."""
    listed_on: int | None = None
    """The last line of those that list zones and their amounts."""

    @property
    def headers(self) -> Headers:
        """The words of headers."""
        return self.inquiry.headers

    @property
    def own(self) -> bool:
        """Whether the table around which the lines stand holds the goods."""
        return self.goods is not None and self.goods.name == self.raw.name

    def lines_around(self) -> None:
        """Read the titles above the table, then the lines below it."""
        trace = self.goods.trace if self.goods is not None else None
        read = {0} | (trace.lines if trace is not None and self.own else set())
        below = trace.stated if trace is not None and self.own else ()
        told_lines = {note.row for note in trace.left_out} if trace is not None else set()
        titles, ends = ([item for item in of if item[0] not in read] for of in (self.raw.titles, below))
        for line, filled in laid_beside(titles, self.headers):
            rest = self._line(line, filled, anchored=None)
            if rest and line not in told_lines:
                self._not_read(line, rest)
        signed = laid_beside(sorted(ends, key=lambda item: item[0]), self.headers)
        in_ends = (pair for _, cells in signed for pair in pairs(cells, self.headers))
        anchored = any(anchors(key, value, self.headers) for key, value, _ in in_ends)
        for line, filled in signed:
            self._line(line, filled, anchored=anchored)

    def _line(self, line: int, filled: list[Cell], *, anchored: bool | None) -> str:
        """Read a line above the table, or one below it (`anchored` or not); return what is not read of it."""
        texts = [text_of(cell) for cell in filled] or [""]
        if self._is_origin(line, texts):
            return ""
        line_said = " ".join(text for text in texts if not origins_in(text, "", self.headers))  # ``Zone | Nola 3 ct``
        # ``70 pierres, 12,60 ct, zone Nola``
        cells_read = () if zones_within(line_said, self.headers) else (*texts,)
        whole: list[Pair] = [(name, value, cells_read) for name, value in stated(line_said, self.headers).items()]
        if anchored is None and whole and cells_read:
            self.unheard += [part for part in PARTS.split(line_said)[1:] if not has_digit(part)]
        unread, rests = dict.fromkeys(texts), list[str]()
        for key, cell, pieces in (*pairs(filled, self.headers), *whole):
            value, rest = without_rest(name := field_named(key, cell, self.headers), cell)
            more = stated(rest, self.headers)
            of_field = (line, key, name, value, more)
            if self._is_place(line, key, text_of(value), texts) or self._is_field(*of_field, anchored=anchored):
                unread = {text: None for text in unread if text not in pieces}
                parts = [part for part in PARTS.split(rest) if not (more and stated(part, self.headers))]
                rests += [", ".join(parts)] if any(parts) else []
        parts = PARTS.split(left := " ".join(unread | dict.fromkeys(rests)))
        tried = parts if rests or len(parts) > 1 else []
        said = [part for part in tried if self._is_condition(line, part, anchored=anchored)]
        return ", ".join(part for part in parts if part not in said) if said else left

    def _is_condition(self, line: int, text: str, *, anchored: bool | None) -> bool:
        """Read a part of a line that says a condition: ``Acid rinsed, run of mine, bottom screen 1.98 mm``."""
        said = ((key, field_named(key, value, self.headers), value) for key, value, _ in pairs([text], self.headers))
        return any(self._is_field(line, *of, {}, anchored=anchored) for of in said if of[1] in CONDITIONS)

    def _is_origin(self, line: int, texts: Sequence[str]) -> bool:
        """Read a line that says where goods are from and no more, ``Zone | Nola | 12,5 ct``, or heads such lines."""
        key, _, said = texts[0].partition(":")
        said = PARTED_SHARE.sub(r" \1", "; ".join(filter(None, (said.strip(), *texts[1:]))))
        if self.headers.names_origin(key):
            self.unit = "" if has_digit(said) else self.headers.of(said).role
            if self.unit in ("carats", "percent"):
                self.listed_on = line
                return True
        elif len(texts) == 2 and self.headers.words.zone(key) is not None:
            key, said, self.listed_on = "zone_id", " ".join(texts), line
        elif len(texts) == 2 and line - 1 == self.listed_on and self._is_stranger(line, *texts):
            return True
        of_origin = key == "zone_id" or self.headers.names_origin(key)
        origins = origins_in(said, self.unit, self.headers) if of_origin else []
        self.origins |= dict.fromkeys(origins, (line, key))
        return bool(origins)

    def _is_stranger(self, line: int, place: str, amount: str) -> bool:
        """Tell a place that is not known and weighs something, right below zones that do: ``Kouango | 3 ct``."""
        of_goods = is_total(place) or self.headers.names_fact(place) or self.inquiry.chose(_IGNORED)
        if of_goods or ":" in place or _AMOUNT.fullmatch(amount) is None:
            return False
        close = nearest(place, self.headers.words.zones)
        self.inquiry.tell("unknown_zone", self.raw.name, line, None, place, nearest=close, choices=[_IGNORED])
        self.listed_on = line
        return True

    def _is_place(self, line: int, key: str, text: str, texts: Sequence[str]) -> bool:
        """Read a label that says where goods are from; what is not understood of it is asked about."""
        if not self.headers.names_origin(key) or len(text) > 80:
            return False
        if text in texts[:-1] and _AMOUNT.match(amount := texts[texts.index(text) + 1]):
            text = f"{text} {amount}"  # ``Zone | Nola | -3 ct``
        origins = origins_in(text, "", self.headers) or self._settled(text, line, key)
        if not origins and says("declared", *tokens_of(key)):
            return False
        self.origins |= dict.fromkeys(origins, (line, key))
        others = [other for other in texts[1:] if ":" not in other and other != text]
        self.passed += [] if origins and not others else [" ".join(texts)]
        return True

    def _is_field(
        self, line: int, key: str, name: str, value: Cell, more: Mapping[str, Cell], *, anchored: bool | None
    ) -> bool:
        """Read a label and its value, and `more` that the value says, as fields of a parcel."""
        told, text, above = field_of(name, value), text_of(value), anchored is None
        dated = says("day", *tokens_of(key)) and _DAY.search(text) is not None
        if dated and not name and not zones_within(text, self.headers):
            self.days.append(f"{key}: {text}")
            return True
        if not above and told in IDS and told in self.found and not same(told, self.found[told][2], value):
            self._contradict(line, key, told, value)
            return True
        if not above and not self._stands_below(key, told, anchored=bool(anchored)):
            return False  # who signs below a table is no sorter or exporter of it
        if told in NOT_HEADS and heads(text, self.headers):
            return False  # ``Sieve | USD/ct``, ``Lot | Amount``: the header of a table
        if told == "sieve_set" and (self.goods is None or "size_class" not in self.goods.columns):
            return False
        if told is None:
            return self._is_passed(line, key, name, text)
        if told == "bottom_screen_mm" and may_be_a_sieve(key, value):
            self.passed.append(f"{key}: {text}")
            return False
        for part_of, part in {**more, **parts_of_field(told, value, self.headers)}.items():
            first = self.found.setdefault(part_of, (line, key, part))
            gross, net = (_is_gross(label) for label in (key, first[1]))
            if part_of == "carats" and gross != net:  # with what the goods are packed in, and without
                self.found[part_of] = first if gross else (line, key, part)
                self.passed.append(f"{key if gross else first[1]}: {text_of(part if gross else first[2])}")
            elif above and not same(part_of, first[2], part):
                self._contradict(line, key, part_of, part)
        return True

    def _stands_below(self, key: str, told: str | None, *, anchored: bool) -> bool:
        """Say whether a field may be told below a table."""
        column = self.headers.field(key)
        return told in STATED or is_condition(key, told) or (anchored and told is not None and column == told)

    def _is_passed(self, line: int, key: str, name: str, text: str) -> bool:
        """Pass over a condition that is not understood, or a label that is not known beside a zone, with a note."""
        condition = name in CONDITIONS
        if not (condition and len(text) <= 80) and self.headers.words.zone(text) is None:
            return False
        if not condition and not is_of_another_act(key, self.headers):
            self.origins |= dict.fromkeys(self._settled(text, line, key), (line, key))
        self.passed.append(f"{key}: {text}")
        return True

    def _not_read(self, line: int, rest: str) -> None:
        """Look for zones in what is not read of a title, behind the words for an origin or anywhere."""
        words = rest.split()
        heads = [n for n in (1, 2, 3) if self.headers.names_origin(" ".join(words[:n]))]
        behind = [origins_in(" ".join(words[n:]), "", self.headers) for n in heads]
        behind = [of for of in behind if all(self.headers.words.zone(item.place) is not None for item in of)]
        if origins := max(behind, key=len, default=[]):
            self.origins |= dict.fromkeys(origins, (line, rest))
            return
        parts_of = {part: zones_declared(part, self.headers) for part in PARTS.split(rest)}
        sure = {part for part, zones in parts_of.items() if zones and not is_of_another_act(part, self.headers)}
        if sure and not is_doubted(rest):
            self.origins |= {Origin(zone): (line, rest) for part in sure for zone in parts_of[part]}
            self.unheard += [part for part in parts_of if part not in sure and not stated(part, self.headers)]
            return
        self.unheard.append(rest)
        acted = is_of_another_act(rest, self.headers) and not zones_declared(rest, self.headers)
        self.loose += [] if acted else [(line, rest)]

    def settle_loose(self, said_already: Set[str | None]) -> None:
        """Ask about zones in what is not understood, where they are not said already."""
        for line, text in self.loose:
            asked = not {*zones_within(text, self.headers)} <= said_already
            origins = self._settled(text, line, None) if asked else []
            self.origins |= dict.fromkeys(origins, (line, text))
            self.unheard = [other for other in self.unheard if not origins or other != text]

    def columns_beside(self, goods: KnownTable) -> KnownTable | None:
        """Read what columns beside the goods say of their parcel; return the parcels where they say it of several."""
        if goods.trace.said and self.own:
            columns = goods.trace.said
            return KnownTable.of_lines("parcels", self.raw.name, columns, [0] * len(columns["parcel_id"].codes))
        for column in self.raw.columns:
            dated = column.header in goods.trace.passed_over and says("day", *tokens_of(column.header))
            days = column.used().names() if dated and not column.mostly_distinct else []
            if len(days) == 1 and _DAY.search(days[0]):
                self.days.append(f"{column.header}: {days[0]}")
        if "parcel_id" not in goods.columns:
            _add_constant(self.raw, goods, self.found, self.inquiry)
        elif "parcel_id" in self.found and self.own:
            line, key, said_id = self.found["parcel_id"]
            ids = [name for name in goods.columns["parcel_id"].used().names() if name]
            if fold(text_of(said_id)) not in {*map(fold, ids)}:
                _tell_otherwise(self.inquiry, (self.raw.name, line, key), "parcel_id", listed(ids), said_id)
        elif self.own:
            return _each(self.raw, self.headers, goods)
        return None

    def tell(self, goods: KnownTable, *, of_table: bool) -> None:
        """Note in the receipt what was passed over, and quote what was not understood."""
        notes = [Note(code="title_passed_over", values={"title": title}) for title in dict.fromkeys(self.passed)]
        goods.trace.notes.extend(notes)
        if self.days and "exported_on" not in self.found:
            goods.trace.note("day_of_what", days=listed(self.days))
        told = {*self.passed, *(note.values.get("title") for note in goods.trace.notes)}
        unheard = [text for text in self.unheard if text not in told]
        quote_lines(None if of_table else self.raw.name, unheard, goods.trace)

    def _settled(self, text: str, line: int, key: str | None) -> list[Origin]:
        return settle_origin(text, (self.raw.name, line, key), self.inquiry)

    def _contradict(self, line: int, key: str, name: str, value: Cell) -> None:
        _tell_otherwise(self.inquiry, (self.raw.name, line, key), name, self.found[name][2], value)


def _is_gross(label: str) -> bool:
    return says("gross", *tokens_of(label)) and not says("net", *tokens_of(label))


def _beside(raw: RawTable, headers: Headers, goods: KnownTable) -> Iterator[tuple[str, Column]]:
    """Give the columns beside the stones that were passed over and may say something of a parcel, with its field."""
    for column in raw.columns:
        name = headers.field(column.header)
        if name in TITLED and column.header in goods.trace.passed_over and not column.mostly_distinct:
            yield name, column


def _add_constant(raw: RawTable, goods: KnownTable, found: dict[str, _Said], inquiry: Inquiry) -> None:
    """Add what columns say of the parcel, the same in every row; what titles say otherwise is told."""
    rows = np.flatnonzero(np.isin(raw.rows, goods.rows)) if len(goods.rows) else np.arange(raw.n_rows)
    for name, whole in _beside(raw, inquiry.headers, goods):
        column = whole.rows(rows)
        used, blank = np.unique(column.codes).tolist(), column.blank()
        once = len(used) == 2 and not blank[0] and bool(blank[1:].all())  # written beside the first row alone
        value = column.at(0) if len(used) == 1 or once else None
        header, place, question = column.header, (raw.name, raw.line(0), column.header), f"column:{column.header}"
        if value is None and used:
            texts = [text_of(column.cells[code]) for code in used]
            goods.trace.note("column_varies", column=header, values=listed(text or "–" for text in texts))
            if name == "certificate_no" and all(texts) and question not in inquiry.choices:  # each of a shipment
                answers = [(question, "parcel_id"), (question, "ignore")]
                inquiry.tell("lots_or_parcels", *place, found=len(texts), header=header, choices=answers)
        if value is None or field_of(name, value) != name:
            continue
        if name in found and not same(name, found[name][2], value):
            _tell_otherwise(inquiry, place, name, found[name][2], value)
        elif name not in found:
            found[name] = (raw.line(0) or 1, header, value)
            goods.trace.passed_over.remove(header)


def _each(raw: RawTable, headers: Headers, goods: KnownTable) -> KnownTable | None:
    """Return what columns beside the stones of several parcels say of each, where it is one thing in all its rows."""
    ids = goods.columns["parcel_id"]
    if ids.mostly_distinct or not raw.n_rows:
        return None
    place = np.searchsorted(raw.rows, goods.rows).clip(max=raw.n_rows - 1)
    if not np.array_equal(raw.rows[place], goods.rows):
        return None
    _, of_cell = np.unique([text_of(cell) for cell in ids.cells], return_inverse=True)
    parcels = of_cell[ids.codes]
    found, first = np.unique(parcels, return_index=True)
    columns: dict[str, Column] = {}
    for name, column in _beside(raw, headers, goods):
        pairs = np.unique(np.column_stack([parcels, column.codes[place]]), axis=0).tolist()
        said = [(of, column.cells[at]) for of, at in pairs if not is_blank(column.cells[at])]
        own = dict(said)
        if len(own) < len(said):
            goods.trace.note("column_varies", column=column.header, values=listed(text_of(cell) for _, cell in said))
        one_each = len(own) == len(said) > 0 and all(field_of(name, cell) == name for cell in own.values())
        if one_each and name not in columns:
            columns[name] = Column.of(column.header, [own.get(of, "") for of in found.tolist()])
            goods.trace.passed_over.remove(column.header)
    if not columns:
        return None
    columns["parcel_id"] = ids.rows(first)
    made = KnownTable.of_lines("parcels", raw.name, columns, goods.rows[first].tolist())
    return made.keep(np.flatnonzero(~columns["parcel_id"].blank()))


def _one_row(raw: RawTable, found: Mapping[str, _Said]) -> KnownTable:
    columns = {name: Column.filled(key, value, 1) for name, (_, key, value) in found.items()}
    last = max(line for line, _, _ in found.values())
    return replace(KnownTable.of_lines("parcels", raw.name, columns, [last]), titles=True)


def _tell_declared_otherwise(
    raw: RawTable, origins: Mapping[Origin, tuple[int, str]], table: KnownTable, inquiry: Inquiry
) -> None:
    """Tell zones of titles that are none of those that a column of zones has, or of which it has another share."""
    column, headers = table.columns.get("zone_id"), inquiry.headers
    if column is None:
        return
    zones = _declared_in({"declarations": table}, headers)
    texts = listed(filter(None, column.used().names()), 20)
    named = {item: headers.words.zone(item.place) for item in origins}
    other = {item: (item.place, texts) for item, zone in named.items() if zone is not None and zone not in zones}
    amounts = [item.percent if item.carats is None else item.carats for item in origins]
    said = shares_of(named.values(), read_numbers(amounts, DecimalMarks())[0])
    weighed = next((name for name in ("carats", "percent") if name in table.columns), None)
    amounts_of = np.full(table.n_rows, np.nan) if weighed is None else table.values(weighed)
    sums = np.bincount(column.codes, amounts_of, len(column.cells)).astype(float)
    found = shares_of([headers.words.zone(text) for text in column.names()], sums)
    known = not np.isnan([*said.values(), *found.values()]).any()
    if known and not other and "parcel_id" not in table.columns:
        for item, zone in named.items():
            if abs(said[zone] - found.get(zone, 0.0)) > PERCENT_APART:
                other[item] = (f"{item.place} {said[zone]:.3g}%", f"{found.get(zone, 0.0):.3g}%")
    for item, (one, two) in other.items():
        _tell_otherwise(inquiry, (raw.name, *origins[item]), "zone_id", one, two)


def _tell_countries_otherwise(raw: RawTable, origins: Mapping[Origin, tuple[int, str]], inquiry: Inquiry) -> None:
    """Tell countries in which none of the zones beside them lies: ``Origin: Cameroon`` above ``Zone: Nola``."""
    words = inquiry.headers.words
    named = {words.zone(item.place): item.place for item in origins}
    zones = {zone.country: named[zone.zone_id] for zone in words.zone_table.zones if zone.zone_id in named}
    for item, (line, key) in origins.items():
        if zones and (country := words.country(item.place)) is not None and country not in zones:
            _tell_otherwise(inquiry, (raw.name, line, key), "country", listed(zones.values()), item.place)


def _declared_in(tables: Mapping[str, KnownTable], headers: Headers) -> set[str | None]:
    """Return the zones that a table declares."""
    column = tables["declarations"].columns.get("zone_id") if "declarations" in tables else None
    return set() if column is None else {headers.words.zone(name) for name in column.used().names()}
