"""The tables of the documentation, read: the small ones row by row, stones and counts column by column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import starmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import SchemeMismatch
from kpfootprint.ingest.names.statements import condition_said
from kpfootprint.ingest.parcels.codes import class_codes
from kpfootprint.ingest.parcels.gathered import Findings
from kpfootprint.ingest.problems import Broken, listed
from kpfootprint.ingest.raw.cells import (
    Cell,
    DecimalMarks,
    check_range,
    is_blank,
    out_of_range,
    read_date,
    read_id,
    read_number,
    read_numbers,
    read_text,
    read_yes_or_no,
    text_of,
)
from kpfootprint.ingest.raw.money import names_dollars, read_dollars, read_value
from kpfootprint.ingest.raw.tables import Column, KnownTable
from kpfootprint.ingest.words import Vocabulary, condition_values, fold, fold_sure, nearest
from kpfootprint.parcel import FACTORS, Conditions, Declaration, DeclaredCountry
from kpfootprint.retold import Said
from kpfootprint.scheme import SieveSet
from kpfootprint.wanted import each

MAX_CARATS = 1e9
MAX_STONE_CT = 5000.0
CONDITIONS = tuple(Conditions.__dataclass_fields__)
PERCENT_APART = 1.5
DAY_ORDERS = ("day_first", "month_first")
"""Percentages of a declaration add up to 100 within this: three thirds of 33 % do."""

Declared = Declaration | DeclaredCountry


@dataclass(slots=True)
class Draft:
    """What is known of a parcel before its stones: the row that says it, its fields, read, and what it declares."""

    parcel_id: str
    table: KnownTable | None = None
    row: int | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    declared: Sequence[Declared] = ()

    def cell(self, name: str) -> Cell:
        """Return the cell that says a field."""
        column = None if self.table is None else self.table.columns.get(name)
        return None if column is None or self.row is None else column.at(self.row)


def _read_condition(name: str, cell: Cell) -> str | Broken | None:
    text = read_text(cell)
    if not isinstance(text, str):
        return text
    if name == "sorter" and re.fullmatch(r"[a-z]\d+", text):
        return text.upper()
    said = condition_said(name, text)
    return said if fold_sure(text) in condition_values(name) else said or text


def number_reader(
    marks: DecimalMarks, typed: bool, *, maximum: float, zero: bool = False, whole: bool = False
) -> Callable[[Cell], float | int | Broken | None]:
    """Return a reader of numbers above zero (or from zero) up to `maximum`; blank gives None."""

    def read(cell: Cell) -> float | int | Broken | None:
        if is_blank(cell) and not (typed and isinstance(cell, str)):
            return None
        number = Broken("not_a_number") if is_blank(cell) else read_number(cell, marks, typed=typed)
        if isinstance(number, Broken):
            return number
        wrong = out_of_range(number, zero=zero, maximum=maximum, whole=whole)
        return wrong or (int(number) if whole else number)

    return read


def _read_hs_code(cell: Cell) -> str | Broken | None:
    """Read a customs code; a spreadsheet makes ``7102.10`` the number 7102.1."""
    return read_text(f"{cell:.2f}" if isinstance(cell, float) and not cell.is_integer() else cell)


def _read_day(cell: Cell) -> date | Broken | None:
    found = read_date(cell)
    if isinstance(found, Broken) and found.values.get("rule") == "day_or_month":
        return replace(found, values={**found.values, "choices": [("days", order) for order in DAY_ORDERS]})
    return found


def settle_days(tables: Mapping[str, KnownTable], choices: Mapping[str, str]) -> dict[str, KnownTable]:
    """Take days of export such as ``11/03/2024`` as was chosen: the day stands first, or the month."""
    order, table = choices.get("days"), tables.get("parcels")
    if table is None or order not in DAY_ORDERS or (column := table.columns.get("exported_on")) is None:
        return {**tables}
    read = [read_date(cell, day_first=order == DAY_ORDERS[0]) for cell in column.cells]
    cells = [day if isinstance(day, date) else cell for day, cell in zip(read, column.cells, strict=True)]
    return {**tables, "parcels": replace(table, columns={**table.columns, "exported_on": replace(column, cells=cells)})}


def field_readers(marks: DecimalMarks, typed: bool) -> Mapping[str, Callable[[Cell], Any]]:
    """Return how each column of ``parcels`` is read."""
    screen, weight = (number_reader(marks, typed, maximum=maximum) for maximum in (100.0, MAX_CARATS))
    money = number_reader(marks, typed, maximum=1e12, zero=True) if typed else partial(read_value, marks=marks)
    return {
        "exported_on": _read_day,
        "certificate_no": read_id,
        "exporter": read_text,
        **{name: partial(_read_condition, name) for name in FACTORS},
        "bottom_screen_mm": lambda cell: screen(cell if typed else _without_unit(cell, "mm")),
        "specials_removed": read_yes_or_no,
        "sieve_set": read_text,
        "n_stones": number_reader(marks, typed, maximum=1e12, whole=True),
        "value_usd": money,
        "hs_code": _read_hs_code,
        **dict.fromkeys(("carats", "weight_g", "mean_ct", "largest_ct"), weight),
    }


def read_parcels(table: KnownTable, findings: Findings) -> dict[str, Draft]:
    """Read the table of parcels; a parcel given twice keeps its first row and is spoiled."""
    drafts: dict[str, Draft] = {}
    readers = field_readers(table.marks, table.typed)
    for row, parcel_id, record in _rows_of_parcels(table, None, findings):
        if parcel_id in drafts:
            first = table.line(drafts[parcel_id].row or 0)
            findings.add(parcel_id, table.problem(Broken("duplicate_parcel", {"first": first}), row, "parcel_id"))
            continue
        tell_ragged(table, row, parcel_id, findings)
        read = {name: readers[name](cell) for name, cell in record.items() if name != "parcel_id"}
        if isinstance(read.get("value_usd"), Broken) and not table.typed:
            header = table.columns["value_usd"].header_at(row)
            table.trace.note("value_not_read", column=header, values=text_of(record["value_usd"]))
            read["value_usd"] = None
        broken = _tell_broken(table, row, parcel_id, read, findings)
        known = {name: value for name, value in read.items() if value is not None and name not in broken}
        drafts[parcel_id] = Draft(parcel_id, table, row, known)
    return drafts


def _rows_of_parcels(
    table: KnownTable, single: str | None, findings: Findings
) -> Iterator[tuple[int, str, dict[str, Cell]]]:
    """Give the rows of a small table with the parcel that each is about; one that is about none is told."""
    for row, record in enumerate(table.records()):
        parcel_id = read_id(record.get("parcel_id") if "parcel_id" in record else single)
        if isinstance(parcel_id, Broken) or parcel_id is None:
            findings.add(None, table.problem(parcel_id or Broken("missing_value"), row, "parcel_id"))
        else:
            yield row, parcel_id, record


def _tell_broken(
    table: KnownTable, row: int, parcel_id: str | None, read: Mapping[str, object], findings: Findings
) -> dict[str, Broken]:
    """Note the values of a row that break a rule, and return them."""
    broken = {name: value for name, value in read.items() if isinstance(value, Broken)}
    for name, value in broken.items():
        findings.add(parcel_id, table.problem(value, row, name))
    return broken


def tell_ragged(table: KnownTable, row: int, parcel_id: str | None, findings: Findings) -> None:
    """Note a row with too few or too many cells."""
    if row in table.ragged:
        values: dict[str, object] = {"found": table.ragged[row], "expected": table.n_columns}
        cells = [str(cell) for column in table.columns.values() if not is_blank(cell := column.at(row))]
        if any(text.count(mark) >= max(table.n_columns - 1, 2) for text in cells for mark in ",;|\t"):
            values["rule"] = "other_separator"
        told = table.problem(Broken("ragged_row", values), row)
        findings.add(parcel_id, replace(told, value=cells[0] if cells else None))


def read_declarations(
    table: KnownTable, single: str | None, words: Vocabulary, findings: Findings
) -> dict[str, list[Declared]]:
    """Read declarations by parcel; rows of one zone, or of one country, add up.

    With `single`, the table is about that parcel and needs no ``parcel_id``. In JSON a single declared zone may come
    without carats, and so may countries, whose shares are then free; in a table with a column of carats or percent
    of its own every row needs one of them.
    """
    marks = table.marks
    most = {"carats": MAX_CARATS, "percent": 100.0}
    readers = {name: number_reader(marks, table.typed, maximum=maximum) for name, maximum in most.items()}
    headed = {name: item.header for name, item in table.columns.items()}
    places = {headed.get("zone_id"), headed.get("country")}  # amounts within cells of zones have their header
    wanted = not table.typed and any(headed.get(name, headed.get("zone_id")) not in places for name in readers)
    blank = [all(is_blank(record.get(name)) for name in readers) for record in (table.records() if wanted else ())]
    weighed = {table.name_at(row) for row, bare in enumerate(blank) if not table.sheets or not bare}
    declared: dict[str, dict[tuple[str, str], _Amounts]] = {}
    first: dict[str, int] = {}
    for row, parcel_id, record in _rows_of_parcels(table, single, findings):
        tell_ragged(table, row, parcel_id, findings)
        cells = {"carats": record.get("carats"), "percent": _without_unit(record.get("percent"), "%")}
        read: dict[str, object] = {name: reader(cells[name]) for name, reader in readers.items()}
        by_country = not is_blank(record.get("country"))
        both = by_country and not is_blank(record.get("zone_id"))
        if both and not table.typed and _lies_in(record["zone_id"], record["country"], words):
            by_country = both = False  # ``Nola | CAR``
        if both:
            read["zone_id"] = Broken("zone_or_country")
        elif by_country:
            read["country"] = _country(record["country"], words)
        else:
            zone = _zone(record.get("zone_id"), words, compare=not findings.full)
            country = words.country(text_of(record.get("zone_id"))) if isinstance(zone, Broken) else None
            by_country = country is not None
            read |= {"country": country} if by_country else {"zone_id": zone}
        if table.name_at(row) in weighed and read["carats"] is None and read["percent"] is None:
            read["carats"] = Broken("missing_value")
        if _tell_broken(table, row, parcel_id, read, findings):
            continue
        parts = declared.setdefault(parcel_id, {})
        first.setdefault(parcel_id, row)
        named = "country" if by_country else "zone_id"
        key, found = (named, str(read[named])), {name: read[name] for name in readers}
        if (before := parts.get(key)) is not None:
            if not any(found.values()) or not any(before.values()):
                findings.add(parcel_id, table.problem(Broken("declared_without_carats"), row, "carats"))
            found = {name: sum(filter(None, (before[name], amount))) or None for name, amount in found.items()}
        parts[key] = found
    for parcel_id, parts in declared.items():
        broken_parts = _check(parts)
        if broken_parts is not None:
            findings.add(parcel_id, replace(table.problem(broken_parts, first[parcel_id], "carats"), value=None))
    return {parcel_id: list(starmap(_declared, parts.items())) for parcel_id, parts in declared.items()}


_Amounts = dict[str, Any]
"""Carats, percent of the carats, or neither, of one zone or country."""


def _declared(key: tuple[str, str], amounts: _Amounts) -> Declared:
    """Return what is declared of one zone or country, rounded beyond what anyone weighs."""
    named, place = key
    rounded = {name: amount and round(amount, 6) for name, amount in amounts.items()}
    return DeclaredCountry(country=place, **rounded) if named == "country" else Declaration(zone_id=place, **rounded)


def _without_unit(cell: Cell, unit: str) -> Cell:
    """Return a number without its unit: ``60 %``, ``1.98 mm``."""
    text = cell.rstrip() if isinstance(cell, str) else ""
    return text.removesuffix(unit).rstrip() if text.endswith(unit) else cell


def _check(parts: Mapping[tuple[str, str], _Amounts]) -> Broken | None:
    """Return what keeps the declared parts from being one blend; percents that are those of the carats are dropped."""
    carats, percents = ([part[name] for part in parts.values() if part[name]] for name in ("carats", "percent"))
    if len(carats) == len(percents) == len(parts):
        shares = [100.0 * part / sum(carats) for part in carats]
        if all(abs(said - share) <= PERCENT_APART for said, share in zip(percents, shares, strict=True)):
            percents = []
            for part in parts.values():
                part["percent"] = None
    if percents and (carats or len(percents) < len(parts)):
        return Broken("carats_and_percent")
    if percents and abs(sum(percents) - 100.0) > PERCENT_APART:
        return Broken("percent_total", {"found": f"{sum(percents):g}"})
    bare = sum(not any(part.values()) for part in parts.values())
    if bare and len(parts) > 1 and (bare < len(parts) or any(named == "zone_id" for named, _ in parts)):
        return Broken("declared_without_carats")
    return None


def _country(cell: Cell, words: Vocabulary) -> str | Broken:
    text = read_text(cell) or Broken("missing_value")
    if isinstance(text, Broken):
        return text
    known = sorted({zone.country for zone in words.zone_table.zones})
    return words.country(text) or Broken("unknown_country", {"known": ", ".join(known)})


def _zone(cell: Cell, words: Vocabulary, *, compare: bool) -> str | Broken:
    text = read_text(cell) or Broken("missing_value")
    if isinstance(text, Broken):
        return text
    return words.zone(text) or Broken("unknown_zone", {"nearest": nearest(text if compare else "", words.zones)})


def _lies_in(zone: Cell, country: Cell, words: Vocabulary) -> bool:
    """Say whether a zone lies in the country that stands beside it."""
    named, code = words.zone(text_of(zone)), words.country(text_of(country))
    return any((item.zone_id, item.country) == (named, code) for item in words.zone_table.zones)


def read_sieve_sets(table: KnownTable | None, words: Vocabulary, findings: Findings) -> dict[str, SieveSet | None]:
    """Read ``size_classes`` beside the package's own sets, by folded name; None where the rows make no set."""
    sets: dict[str, SieveSet | None] = {fold(item.name): item for item in words.scheme.sieve_sets}
    if table is None:
        return sets
    marks = table.marks
    lower_of = number_reader(marks, table.typed, maximum=MAX_STONE_CT, zero=True)
    upper_of = number_reader(marks, table.typed, maximum=MAX_CARATS)
    gathered: dict[str, tuple[str, list[tuple[float, float, str]]]] = {}
    for row, record in enumerate(table.records()):
        name, label = (read_text(record[name]) or Broken("missing_value") for name in ("sieve_set", "size_class"))
        lower, upper = lower_of(record["lower_ct"]), upper_of(record.get("upper_ct"))
        lower = Broken("missing_value") if lower is None else lower
        read = {"sieve_set": name, "size_class": label, "lower_ct": lower, "upper_ct": upper}
        broken = _tell_broken(table, row, None, read, findings)
        tell_ragged(table, row, None, findings)
        if not broken:
            limits = lower, float("inf") if upper is None else upper, str(label)
            gathered.setdefault(fold(str(name)), (str(name), []))[1].append(limits)  # type: ignore[arg-type]
    for key, (name, rows) in gathered.items():
        declared, known = _sieve_set(name, rows, table, findings), sets.get(key)
        if known is None or declared is None:
            sets[key] = declared
        elif replace(declared, name=known.name) != known:
            detail = Said(
                "{name} is a set of the reference package with other limits; give yours another name", name=name
            )
            findings.add(None, table.problem(Broken("bad_sieve_set", {"detail": detail})))
    return sets


def _sieve_set(
    name: str, rows: list[tuple[float, float, str]], table: KnownTable, findings: Findings
) -> SieveSet | None:
    lower, upper, classes = zip(*sorted(rows), strict=True)
    try:
        return SieveSet(name=name, classes=classes, lower_ct=lower, upper_ct=upper).checked()
    except SchemeMismatch as error:
        findings.add(None, table.problem(Broken("bad_sieve_set", {"detail": error})))
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsRows:
    """Rows of stones or counts, read: numbers, class codes, and the parcel that each row belongs to.

    `owners` holds positions in `ids`. A number that was blank or broken is NaN. Of counts, `breakdowns` numbers the
    named breakdowns (-1: not named), and `samples` flags rows of a graded sample.
    """

    table: KnownTable
    ids: list[str]
    owners: NDArray[np.int32]
    numbers: Mapping[str, NDArray[np.float64]]
    codes: Mapping[str, NDArray[np.int16]]
    breakdowns: NDArray[np.intp] | None = None
    samples: NDArray[np.bool_] | None = None

    def rows_by_parcel(self) -> dict[str, NDArray[np.intp]]:
        """Return the positions of each parcel's rows, parcels and rows in the order of the file."""
        order = np.argsort(self.owners, kind="stable")
        bounds = np.searchsorted(self.owners[order], np.arange(len(self.ids) + 1))
        parts = zip(self.ids, np.split(order, bounds[1:-1]), strict=False)
        found = {name: rows for name, rows in parts if len(rows)}
        return dict(sorted(found.items(), key=lambda item: int(item[1][0])))  # ids stand as their cells were kept


def read_goods(table: KnownTable, single: str | None, words: Vocabulary, findings: Findings) -> GoodsRows:
    """Read stones or counts by distinct cells; every broken one is noted under the parcel of its row."""
    ids, owners = _owners(table, single, findings)
    for row in table.ragged:
        tell_ragged(table, row, ids[owners[row]] or None, findings)
    size = words.scheme.size.column
    wanted = {"stones": (size, "value_usd"), "counts": ("n_stones", "carats", "value_usd", "lower_ct", "upper_ct")}
    found = {name: table.columns[name] for name in wanted[table.kind] if name in table.columns}
    marks = DecimalMarks.seen_in(column.cells for column in found.values())
    numbers: dict[str, NDArray[np.float64]] = {}
    for name, column in found.items():
        values, broken_cells = read_numbers(column.cells, marks, typed=table.typed)
        if name == "value_usd" and not table.typed:
            values, broken_cells = _dollars(table, column, marks), {}
        elif name == size:
            check_range(values, broken_cells, zero=False, maximum=MAX_STONE_CT)
            blank = (at for at in np.flatnonzero(np.isnan(values)).tolist() if is_blank(column.cells[at]))
            broken_cells |= dict.fromkeys(blank, Broken("missing_value"))
        else:
            whole = name == "n_stones"
            check_range(values, broken_cells, zero=True, maximum=1e9 if whole else 1e12, whole=whole)
        findings.add_column(table, name, broken_cells, owners, ids)
        numbers[name] = values[column.codes]
    if "value_usd" in numbers and not table.typed:
        _leave_dear(table, numbers, numbers.get(size, numbers.get("carats")))
    codes: dict[str, NDArray[np.int16]] = {}
    for attribute in words.scheme.categorical:
        if attribute.column not in table.columns:
            continue
        column = table.columns[attribute.column]
        by_cell, broken_cells = class_codes(column.cells, attribute)
        findings.add_column(table, attribute.column, broken_cells, owners, ids)
        codes[attribute.name] = by_cell[column.codes]
    breakdowns, samples = None, None
    if "breakdown" in table.columns and table.kind == "counts":
        column = table.columns["breakdown"]
        names = column.names()
        place = {"": -1} | {text: k for k, text in enumerate(dict.fromkeys(filter(None, names)))}
        labels = [place[text] for text in names]
        breakdowns = np.array(labels, dtype=np.intp)[column.codes]
    if "sample" in table.columns and table.kind == "counts":
        column = table.columns["sample"]
        read = [read_yes_or_no(cell) for cell in column.cells]
        unclear = {at: flag for at, flag in enumerate(read) if isinstance(flag, Broken)}
        findings.add_column(table, "sample", unclear, owners, ids)
        samples = np.array([flag is True for flag in read], dtype=bool)[column.codes]
    return GoodsRows(
        table=table, ids=ids, owners=owners, numbers=numbers, codes=codes, breakdowns=breakdowns, samples=samples
    )


def _dollars(table: KnownTable, column: Column, marks: DecimalMarks) -> NDArray[np.float64]:
    """Return distinct values of a column in dollars; what is none is left blank, and told."""
    values, unread = read_dollars(column.cells, marks)
    if any(note.code == "currency_shown" for note in table.trace.notes):
        return np.full(len(values), np.nan)
    if unread:
        texts = listed(text_of(column.cells[at]) for at in unread)
        table.trace.note("value_not_read", column=column.header, values=texts)
    return values


_DEAREST = 20_000.0
"""Dollars a carat that no parcel of rough diamonds is worth."""


def _leave_dear(table: KnownTable, numbers: dict[str, NDArray[np.float64]], carats: NDArray[np.float64] | None) -> None:
    """Leave values unread that name no currency and are more than rough diamonds are worth, as francs are; told."""
    column = table.columns["value_usd"]
    known = np.isfinite(numbers["value_usd"])
    weight = 0.0 if carats is None else float(np.nansum(carats[known]))
    dear = weight > 0 and float(numbers["value_usd"][known].sum()) > _DEAREST * weight
    if dear and not any(names_dollars(text) for text in (column.header, *map(text_of, column.cells[:1]))):
        mean = float(numbers["value_usd"][known].sum()) / weight
        numbers["value_usd"] = np.full(table.n_rows, np.nan)
        table.trace.note("value_dear", column=column.header, mean=f"{mean:,.0f}")


def _owners(table: KnownTable, single: str | None, findings: Findings) -> tuple[list[str], NDArray[np.int32]]:
    """Return parcel ids, and for every row the position of its parcel among them."""
    column = table.columns.get("parcel_id")
    if column is None:
        return [single or ""], np.zeros(table.n_rows, dtype=np.int32)
    index: dict[str, int] = {}
    by_cell = np.zeros(len(column.cells), dtype=np.int32)
    broken: dict[int, Broken] = {}
    for position, cell in each(enumerate(column.cells), 1000):
        name = read_id(cell)
        if name is None or isinstance(name, Broken):
            broken[position] = name or Broken("missing_value")
            name = single or ""
        by_cell[position] = index.setdefault(name, len(index))
    owners = by_cell[column.codes]
    ids = list(index)
    if broken:
        findings.add_column(table, "parcel_id", broken, np.zeros_like(owners), [None])
    return ids, owners
