"""What titles above a table, lines below it and columns that say one thing tell of its parcel, and where it is from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.columns.meanings import Choices
from kpfootprint.ingest.columns.origins import (
    PARTED_SHARE,
    PARTS,
    Origin,
    declared,
    is_doubted,
    is_of_another_act,
    is_of_origin,
    origins_in,
    settle_origin,
    zones_declared,
    zones_within,
)
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.statements import STATED, condition_said, stated
from kpfootprint.ingest.parcels.records import CONDITIONS
from kpfootprint.ingest.problems import Broken, listed, problem
from kpfootprint.ingest.raw.cells import (
    Cell,
    DecimalMarks,
    is_blank,
    read_number,
    text_of,
    without_unit,
)
from kpfootprint.ingest.raw.rounding import unit_written
from kpfootprint.ingest.raw.tables import GOODS, Column, KnownTable, Note, RawTable
from kpfootprint.ingest.sheets.labelled import Pair, laid_beside, pairs, parted, without_rest
from kpfootprint.ingest.sheets.quoted import quote_columns, quote_lines
from kpfootprint.ingest.words import (
    all_say,
    condition_values,
    fold,
    holds,
    is_not_recorded,
    says,
    tokens_of,
)

_TITLED = ("certificate_no", "exporter", "exported_on", "hs_code", *CONDITIONS)
"""Fields of a parcel that titles above a table may give, or columns that say the same in every row."""
_IDS = ("parcel_id", "certificate_no")
_HEADS = ("money", "value_usd", "mean", "percent", "n_stones", "carats")
"""What heads a column and is no name of a sieve set, or of a parcel."""
_NOT_HEADS = ("sieve_set", *_IDS)


def joined(said: Sequence[dict[str, KnownTable]], problems: list[Problem]) -> dict[str, KnownTable]:
    """Join what several sheets say of one parcel, a cover and titles above its stones; what differs is told."""
    whole: dict[str, KnownTable] = {}
    for kind, table in (item for tables in said for item in tables.items()):
        first = whole.setdefault(kind, table)
        names = [name for name in first.columns if name in table.columns] if first is not table else []
        for name in names if kind == "declarations" or first.n_rows == table.n_rows == 1 else ():
            one, other = ([fold(text_of(cell)) for cell in of.columns[name].cells] for of in (first, table))
            if sorted(one) != sorted(other):
                texts = (", ".join(map(text_of, of.columns[name].cells)) for of in (first, table))
                broken = Broken("said_otherwise", dict(zip(("field", "one", "other"), (name, *texts), strict=True)))
                problems.append(table.problem(broken, 0, name))
        if first is not table and first.n_rows == table.n_rows:
            whole[kind] = replace(first, columns={**table.columns, **first.columns})
    return whole


def _same(name: str, one: Cell, other: Cell) -> bool:
    """Say whether two cells say one thing of a field; numbers are alike as far as both are written."""
    numbers = [read_number(cell, DecimalMarks()) for cell in (one, other)] if name in STATED else []
    said = [number for number in numbers if not isinstance(number, Broken)]
    if name not in _TITLED and len(said) == 2:
        coarse = max(unit_written(cell, number) for cell, number in zip((one, other), said, strict=True))
        return abs(said[0] - said[1]) <= 0.5 * coarse + 1e-9
    return name not in (*_TITLED, *_IDS) or fold(text_of(one)) == fold(text_of(other))


def _said_otherwise(raw: RawTable, line: int | None, key: str, name: str, one: Cell, other: Cell) -> Problem:
    told = {"field": name, "one": text_of(one), "other": text_of(other)}
    return problem(Broken("said_otherwise", told), table=raw.name, row=line, column=key, value=other)


def said_by_titles(
    raw: RawTable, headers: Headers, tables: Mapping[str, KnownTable], choices: Choices, problems: list[Problem]
) -> dict[str, KnownTable]:
    """Read what titles above a table say of the parcel: ``Parcel | CAR-2019-07``, ``Exporter: A``, ``Zone: Nola``.

    What is not read is told; an origin that is not understood is asked about.
    """
    found: dict[str, _Said] = {}
    passed: list[str] = []
    unheard: list[str] = []
    origins: dict[Origin, tuple[int, str]] = {}
    loose: list[tuple[int, str]] = []
    unit = ""
    goods = next((tables[kind] for kind in GOODS if kind in tables), None)
    own = goods is not None and goods.name == raw.name
    below = goods.trace.stated if goods is not None and own else ()
    told_lines = {note.row for note in goods.trace.left_out} if goods is not None else set()
    read = goods.trace.lines if goods is not None and own else set()
    titles, ends = (parted([item for item in of if item[0] not in read], headers) for of in (raw.titles, below))
    titles = laid_beside(titles, headers)
    anchored = any(_anchors(key, value, headers) for _, cells in ends for key, value, _ in pairs(cells, headers))
    for number, (line, filled) in enumerate((*titles, *ends)):
        above = number < len(titles)
        texts = [text_of(cell) for cell in filled] or [""]
        unread = dict.fromkeys(texts)
        key, _, said = texts[0].partition(":")
        said = "; ".join(filter(None, (said.strip(), *texts[1:])))
        said = PARTED_SHARE.sub(r" \1", said)  # ``Zone | Nola | 12,5 ct``
        if is_of_origin(key, headers):
            unit = "" if any(map(str.isdigit, said)) else headers.of(said).role
            if unit in ("carats", "percent"):
                continue  # ``Zone | Carats`` above zones
        elif len(texts) == 2 and headers.words.zone(key) is not None:
            key, said = "zone_id", " ".join(texts)
        if (parts := origins_in(said, unit, headers)) and (key == "zone_id" or is_of_origin(key, headers)):
            origins |= dict.fromkeys(parts, (line, key))
            continue
        line_said = " ".join(texts)
        cells_read = () if zones_within(line_said, headers) else (*texts,)  # ``70 pierres, 12,60 ct, zone Nola``
        whole: list[Pair] = [(name, value, cells_read) for name, value in stated(line_said, headers).items()]
        if above and whole and cells_read:
            unheard += [part for part in PARTS.split(line_said)[1:] if not any(map(str.isdigit, part))]
        told_too: set[str] = set()
        for key, value, pieces in (*pairs(filled, headers), *whole):
            value, rest = without_rest(name := _named(key, value, headers), value)
            told = _told(name, value)
            of_origin = is_of_origin(key, headers) and len(text_of(value)) <= 80
            if of_origin and not (parts := origins_in(text_of(value), "", headers)):
                parts = settle_origin(text_of(value), (raw.name, line, key), headers, choices, problems)
            if of_origin and (parts or not says("declared", *tokens_of(key))):
                origins |= dict.fromkeys(parts, (line, key))
                others = [text for text in texts[1:] if ":" not in text and text != text_of(value)]
                passed += [] if parts and not others else [" ".join(texts)]
            elif not above and told in found and told in _IDS and not _same(told, found[told][2], value):
                problems.append(_said_otherwise(raw, line, key, told, found[told][2], value))
            elif not above and not (told in STATED or _is_condition(key, told)) and not (
                anchored and told is not None and headers.words.columns("parcels").get(fold(key)) == told
            ):  # fmt: skip
                continue  # who signs below a table is no sorter or exporter of it
            elif told in _NOT_HEADS and _heads(text_of(value), headers):
                continue  # ``Sieve | USD/ct``, ``Lot | Amount``: the header of a table
            elif told == "sieve_set" and (goods is None or "size_class" not in goods.columns):
                continue
            elif told is not None:
                if told == "bottom_screen_mm" and _may_be_a_sieve(key, value):
                    passed.append(f"{key}: {text_of(value)}")
                    continue
                amounts = stated(rest, headers)
                told_too |= {rest} - {""} if not amounts else set()
                for name, part in (amounts | _parts(told, value, headers)).items():
                    first = found.setdefault(name, (line, key, part))
                    if above and not _same(name, first[2], part):
                        problems.append(_said_otherwise(raw, line, key, name, first[2], part))
            elif (name in CONDITIONS and len(text_of(value)) <= 80) or headers.words.zone(text_of(value)) is not None:
                if name not in CONDITIONS and not is_of_another_act(key, headers):
                    parts = settle_origin(text_of(value), (raw.name, line, key), headers, choices, problems)
                    origins |= dict.fromkeys(parts, (line, key))
                passed.append(f"{key}: {text_of(value)}")
            else:
                continue
            unread = {text: None for text in unread if text not in pieces}
        unread |= dict.fromkeys(told_too)
        if above and unread and line not in told_lines:
            rest = " ".join(unread)
            parts_of = {part: zones_declared(part, headers) for part in PARTS.split(rest)}
            sure = {part for part, zones in parts_of.items() if zones and not is_of_another_act(part, headers)}
            if sure and not is_doubted(rest):
                origins |= {Origin(zone): (line, rest) for part in sure for zone in parts_of[part]}
                unheard += [part for part in parts_of if part not in sure and not stated(part, headers)]
            else:
                unheard.append(rest)
                acted = is_of_another_act(rest, headers) and not zones_declared(rest, headers)
                loose += [] if acted else [(line, rest)]
    said_already = {headers.words.zone(item.place) for item in origins} | _declared_in(tables, headers)
    for line, text in loose:
        asked = not {*zones_within(text, headers)} <= said_already
        parts = settle_origin(text, (raw.name, line, None), headers, choices, problems) if asked else []
        origins |= dict.fromkeys(parts, (line, text))
        unheard = [other for other in unheard if not parts or other != text]
    each_one = None
    if goods is not None and "parcels" not in tables:
        if "parcel_id" in goods.columns and "parcel_id" in found and own:
            line, key, said_id = found["parcel_id"]
            ids = [name for name in goods.columns["parcel_id"].used().names() if name]
            if fold(text_of(said_id)) not in {*map(fold, ids)}:
                problems.append(_said_otherwise(raw, line, key, "parcel_id", listed(ids), said_id))
        if "parcel_id" not in goods.columns:
            problems += _add_constant(raw, headers, goods, choices, found)
        elif not found and goods.name == raw.name:
            each_one = _each(raw, headers, goods)
    made = {"parcels": _one_row("parcels", raw, found)} if found else {}
    if each_one is not None:
        made["parcels"] = each_one
    if origins and "declarations" not in tables:
        made["declarations"] = declared(raw, origins, headers)
        problems += _countries_otherwise(raw, origins, headers)
    elif origins and own and "parcel_id" not in tables["declarations"].columns:
        problems += _declared_otherwise(raw, origins, tables["declarations"], headers)
    if goods is not None:
        notes = [Note(code="title_passed_over", values={"title": title}) for title in dict.fromkeys(passed)]
        goods.trace.notes.extend(notes)
        heard = {*passed, *(note.values.get("title") for note in goods.trace.notes)}
        told_of = [text for text in unheard if text not in heard]
        of_table = raw.name in {table.name for table in tables.values()}
        quote_lines(None if of_table else raw.name, told_of, goods.trace)
    for table in tables.values():
        if table.name == raw.name:
            quote_columns(raw, table.trace)
    return made


def _may_be_a_sieve(key: str, value: Cell) -> bool:
    """Say whether a whole number without millimetres may be that of a sieve: ``Bottom sieve: 3``."""
    return text_of(value).strip().isdigit() and "mm" not in tokens_of(key)


def _named(key: str, value: Cell, headers: Headers) -> str:
    """Return the field of a parcel that a label names, or nothing."""
    in_mm = _MILLIMETRES.search(text_of(value)) is not None and all_say(("screen", "filler"), tokens_of(key))
    known = headers.words.columns("parcels").get(fold(key)) or headers.measure(key)
    return "bottom_screen_mm" if in_mm else known or (key if key in STATED else "")


def _parts(told: str, value: Cell, headers: Headers) -> dict[str, Cell]:
    """Return what a label says, by field: a certificate may bear the weight of its goods, ``CF000231 - 12.60 ct``."""
    text = text_of(value)
    if told == "bottom_screen_mm" and isinstance(value, str):
        return {told: _MILLIMETRES.sub("", value)}
    if told in _IDS and (hit := _WITH_GOODS.fullmatch(text)) and (more := stated(hit["goods"], headers)):
        return {told: hit["name"], **more}
    if told == "sieve_set":
        known = {fold(item.name): item.name for item in headers.words.scheme.sieve_sets}
        return {told: next((known[token] for token in tokens_of(text) if token in known), text)}
    return {told: value}


_WITH_GOODS = re.compile(r"(?P<name>.*?\w)\s*[-–,;/(]\s*(?P<goods>\d.*)")


def _heads(text: str, headers: Headers) -> bool:
    """Say whether what stands beside a label is no value, and the header of a column."""
    return not any(map(str.isdigit, text)) and headers.of(text).role in _HEADS


def _anchors(key: str, value: Cell, headers: Headers) -> bool:
    """Say whether a line below a table tells what nobody signs with: lines beside it are of the parcel as well."""
    known = headers.words.columns("parcels").get(fold(key))
    if is_of_origin(key, headers):
        return headers.words.zone(text_of(value)) is not None
    return (
        known in ("exported_on", "certificate_no", *CONDITIONS) and known != "sorter" and _told(known, value) == known
    )


def _is_condition(key: str, told: str | None) -> bool:
    """Say whether a line below a table tells a condition of its parcel, and not who signs it."""
    return told in CONDITIONS and told != "sorter" and not holds("signed", tokens_of(key))


_Said = tuple[int, str, Cell]
"""Line, header and value of what is said of a parcel."""


def _beside(raw: RawTable, headers: Headers, goods: KnownTable) -> Iterator[tuple[str, Column]]:
    """Give the columns beside the stones that were passed over and may say something of a parcel, with its field."""
    known = headers.words.columns("parcels")
    for column in raw.columns:
        name = known.get(fold(column.header))
        passed = column.header in goods.trace.passed_over and not column.mostly_distinct
        if name in _TITLED and passed:
            yield name, column


def _add_constant(
    raw: RawTable, headers: Headers, goods: KnownTable, choices: Choices, found: dict[str, _Said]
) -> list[Problem]:
    """Add what columns say of the parcel, the same in every row; return what titles say otherwise."""
    problems: list[Problem] = []
    for name, column in _beside(raw, headers, goods):
        used = np.unique(column.codes).tolist()
        value = column.cells[used[0]] if len(used) == 1 else None
        if len(used) > 1:
            texts = [text_of(column.cells[code]) for code in used]
            goods.trace.note("column_varies", column=column.header, values=listed(text or "–" for text in texts))
            if (
                name == "certificate_no" and all(texts) and f"column:{column.header}" not in choices
            ):  # each is of a shipment of its own
                answers = [(f"column:{column.header}", answer) for answer in ("parcel_id", "ignore")]
                lots = Broken("lots_or_parcels", {"found": len(texts), "header": column.header, "choices": answers})
                problems += [problem(lots, table=raw.name, row=raw.line(0), column=column.header)]
        if value is None or _told(name, value) != name:
            continue
        if name in found and not _same(name, found[name][2], value):
            problems.append(_said_otherwise(raw, raw.line(0), column.header, name, found[name][2], value))
        elif name not in found:
            found[name] = (raw.line(0) or 1, column.header, value)
            goods.trace.passed_over.remove(column.header)
    return problems


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
        one_each = len(own) == len(said) > 0 and all(_told(name, cell) == name for cell in own.values())
        if one_each and name not in columns:
            columns[name] = Column.of(column.header, [own.get(of, "") for of in found.tolist()])
            goods.trace.passed_over.remove(column.header)
    if not columns:
        return None
    columns["parcel_id"] = ids.rows(first)
    made = KnownTable(kind="parcels", name=raw.name, columns=columns, n_rows=len(first), rows=goods.rows[first])
    return made.keep(np.flatnonzero(~columns["parcel_id"].blank()))


def _one_row(kind: str, raw: RawTable, found: Mapping[str, _Said]) -> KnownTable:
    columns = {name: Column.filled(key, value, 1) for name, (_, key, value) in found.items()}
    rows = np.array([max(line for line, _, _ in found.values())], dtype=np.int32)
    return KnownTable(kind=kind, name=raw.name, columns=columns, n_rows=1, rows=rows, titles=True)


def _declared_otherwise(
    raw: RawTable, origins: Mapping[Origin, tuple[int, str]], table: KnownTable, headers: Headers
) -> list[Problem]:
    """Tell zones of titles that are none of those that a column of zones has."""
    column = table.columns.get("zone_id")
    zones = _declared_in({"declarations": table}, headers)
    return [
        _said_otherwise(raw, line, key, "zone_id", item.place, ", ".join(filter(None, column.used().names())))
        for item, (line, key) in origins.items()
        if column is not None and headers.words.zone(item.place) not in {*zones, None}
    ]


def _countries_otherwise(raw: RawTable, origins: Mapping[Origin, tuple[int, str]], headers: Headers) -> list[Problem]:
    """Tell countries in which none of the zones beside them lies: ``Origin: Cameroon`` above ``Zone: Nola``."""
    named = {headers.words.zone(item.place): item.place for item in origins}
    zones = {zone.country: named[zone.zone_id] for zone in headers.words.zone_table.zones if zone.zone_id in named}
    return [
        _said_otherwise(raw, line, key, "country", listed(zones.values()), item.place)
        for item, (line, key) in origins.items()
        if zones and (country := headers.words.country(item.place)) is not None and country not in zones
    ]


def _declared_in(tables: Mapping[str, KnownTable], headers: Headers) -> set[str | None]:
    """Return the zones that a table declares."""
    column = tables["declarations"].columns.get("zone_id") if "declarations" in tables else None
    return set() if column is None else {headers.words.zone(name) for name in column.used().names()}


_LONG_NUMBER = re.compile(r"\d{4}")
_MILLIMETRES = re.compile(r"\s*mm\.?$", re.IGNORECASE)


def _told(name: str, value: Cell) -> str | None:
    """Return the field that a value is of, where it may be one of it; otherwise a title is a title and no more."""
    text = text_of(value)
    named = name in (*_IDS, "exporter", "sorter")
    if named and (not any(map(str.isalnum, text)) or is_not_recorded(text)):
        return None  # ``Exporter: ______``
    if name == "certificate_no" and len([*filter(_LONG_NUMBER.search, PARTS.split(text))]) > 1:
        return None  # ``CF 000456 / CF 000457``
    if name == "sorter" and all_say(("size", "quality", "filler", "by_hand", "carats"), tokens_of(text)):
        return None  # ``Sorted by size``
    if name in ("exported_on", "value_usd"):
        return name if any(char.isdigit() for char in text) else None
    if name in ("cleaning_state", "selection", "specials_removed"):
        return name if fold(text) in condition_values(name) or condition_said(name, text) is not None else None
    if name == "sieve_set":
        return name if 0 < len(text) <= 80 and not any(map(str.isdigit, text)) and not is_blank(value) else None
    if name in (*STATED, "bottom_screen_mm"):
        bare = text if name == "bottom_screen_mm" else without_unit(text)
        number = "" if isinstance(bare, Broken) else bare.replace(" ", "").replace(",", ".").removesuffix("mm")
        if name == "n_stones" and not number.removesuffix(".0").isdigit():
            return None  # ``Parcel of 70 stones`` beside ``12.60 ct``
        return name if re.fullmatch(r"0*[1-9]\d*(\.\d+)?|0*\.\d+|0\.\d+", number) else None
    return name if name in (*_TITLED, "parcel_id") and 0 < len(text) <= 80 else None
