"""What titles above a table, lines below it and columns that say one thing tell of its parcel, and where it is from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from kpfootprint.ingest.cells import Cell, DecimalMarks, is_blank, read_number, text_of, without_unit
from kpfootprint.ingest.headers import Headers
from kpfootprint.ingest.meanings import listed
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.tables import Column, KnownTable, Note, RawTable
from kpfootprint.ingest.words import condition_values, fold, holds, misspelt, says, tokens_of, unit_pattern

_CONDITIONS = ("cleaning_state", "selection", "sorter", "bottom_screen_mm", "specials_removed")
_TITLED = ("certificate_no", "exporter", "exported_on", "hs_code", *_CONDITIONS)
"""Fields of a parcel that titles above a table may give, or columns that say the same in every row."""

_GOODS = ("stones", "counts")


def said_by_titles(raw: RawTable, headers: Headers, tables: Mapping[str, KnownTable]) -> dict[str, KnownTable]:
    """Read what titles above a table say of the parcel: ``Parcel | CAR-2019-07``, ``Exporter: A``, ``Zone: Nola``."""
    known = headers.words.columns("parcels")
    found: dict[str, _Said] = {}
    passed: list[str] = []
    origins: dict[_Origin, tuple[int, str]] = {}
    unit = ""
    goods = next((tables[kind] for kind in _GOODS if kind in tables), None)
    stated = goods.trace.stated if goods is not None and goods.name == raw.name else ()
    for number, (line, cells) in enumerate((*raw.titles, *stated)):
        filled = _rejoined([cell for cell in cells if not is_blank(cell)])
        texts = [text_of(cell) for cell in filled] or [""]
        key, _, said = texts[0].partition(":")
        said = "; ".join(filter(None, (said.strip(), *texts[1:])))
        said = _PARTED_SHARE.sub(r" \1", said)  # ``Zone | Nola | 12,5 ct``
        if _is_of_origin(key, headers):
            unit = "" if any(map(str.isdigit, said)) else headers.of(said).role
            if unit in ("carats", "percent"):
                continue  # ``Zone | Carats`` above zones
        elif len(texts) == 2 and headers.words.zone(key) is not None:
            key, said = "zone_id", " ".join(texts)
        if (parts := _origins(said, unit, headers)) and (key == "zone_id" or _is_of_origin(key, headers)):
            origins |= dict.fromkeys(parts, (line, key))
            continue
        pairs: list[tuple[str, Cell]] = _amounts(" ".join(texts))
        for at, cell in enumerate(filled):
            text = text_of(cell)
            key, colon, said = text.partition(":")
            if colon and said.strip():
                pairs.append((key, said.strip()))
            elif (
                (hit := _LABELLED.fullmatch(text))
                and len(hit["key"].split()) <= _WORDS
                and headers.of(hit["key"]).part == "whole"
            ):
                pairs.append((hit["key"], hit["value"]))
            elif at + 1 < len(filled) and not text_of(filled[at + 1]).endswith(":"):
                pairs.append((text.rstrip(": "), filled[at + 1]))
        for key, value in pairs:
            name = known.get(fold(key)) or headers.measure(key) or ""
            told, of_origin = _told(name, value), _is_of_origin(key, headers) and len(text_of(value)) <= 80
            parts = _origins(text_of(value), "", headers) if of_origin else []
            origins |= dict.fromkeys(parts, (line, key))
            if parts or (of_origin and not says("declared", *tokens_of(key))):
                others = [text for text in texts[1:] if ":" not in text and text != text_of(value)]
                passed += [] if parts and not others else [" ".join(texts)]
            elif number >= len(raw.titles) and told not in ("n_stones", "carats") and not _is_condition(key, told):
                continue  # who signs below a table is no sorter or exporter of it
            elif told is not None:
                if told == "bottom_screen_mm" and _may_be_a_sieve(key, value):
                    passed.append(f"{key}: {text_of(value)}")
                    continue
                bare = _MILLIMETRES.sub("", value) if told == "bottom_screen_mm" and isinstance(value, str) else value
                found.setdefault(told, (line, key, bare))
            elif (name in _CONDITIONS and len(text_of(value)) <= 80) or headers.words.zone(text_of(value)) is not None:
                passed.append(f"{key}: {text_of(value)}")
    each_one = None
    if goods is not None and "parcels" not in tables:
        if "parcel_id" not in goods.columns:
            _add_constant(raw, headers, goods, found)
        elif not found and goods.name == raw.name:
            each_one = _each(raw, headers, goods)
    made = {"parcels": _one_row("parcels", raw, found)} if found else {}
    if each_one is not None:
        made["parcels"] = each_one
    if origins and "declarations" not in tables:
        made["declarations"] = _declared(raw, origins, headers)
    if goods is not None:
        notes = [Note(code="title_passed_over", values={"title": title}) for title in dict.fromkeys(passed)]
        goods.trace.notes.extend(notes)
    return made


def _may_be_a_sieve(key: str, value: Cell) -> bool:
    """Say whether a whole number without millimetres may be that of a sieve: ``Bottom sieve: 3``."""
    return text_of(value).strip().isdigit() and "mm" not in tokens_of(key)


def _is_condition(key: str, told: str | None) -> bool:
    """Say whether a line below a table tells a condition of its parcel, and not who signs it."""
    return told in _CONDITIONS and told != "sorter" and not holds("signed", tokens_of(key))


def _rejoined(cells: list[Cell]) -> list[Cell]:
    """Return the cells of a title with a decimal comma that parted two of them: ``Screen: 1`` beside ``98``."""
    joined: list[Cell] = []
    for cell in cells:
        before = joined[-1] if joined else None
        parted = isinstance(before, str) and _BEFORE.search(before) is not None
        if parted and isinstance(cell, str) and _BEHIND.fullmatch(cell):
            joined[-1] = f"{before},{cell}"
        else:
            joined.append(cell)
    return joined


_BEFORE = re.compile(r"[:=]\s*\d+$")
_BEHIND = re.compile(rf"\d{{1,2}}\s*(?:mm|{unit_pattern('carats')})?\.?\s*", re.IGNORECASE)


# Where a parcel is from.


@dataclass(frozen=True, slots=True)
class _Origin:
    """A zone or a country as it is written, and how much of the parcel is said to be from it."""

    place: str
    carats: Cell = None
    percent: Cell = None


_PARTING = re.compile(r"\s*(?:[;/+&]|,(?!\d)|\b(?:et|and|und|y|e|en|и)\b)\s*", re.IGNORECASE)
_NUMBER, _UNIT = r"\d[\d ]*(?:[.,]\d+)?", rf"(?:%|{unit_pattern('carats')})"
_SHARE = rf"(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?"
_PARTED_SHARE = re.compile(rf"; ({_NUMBER}\s*{_UNIT}?)(?=;|$)", re.IGNORECASE)
_WITH_SHARE = (
    re.compile(rf"(?P<place>.*?[^\W\d].*?)[\s:=(–-]*{_SHARE}\.?\)?", re.IGNORECASE),
    re.compile(rf"{_SHARE}\s*(?:of|de|d'|from|à)?\s*(?P<place>[^\W\d].*)", re.IGNORECASE),
)


def _is_of_origin(key: str, headers: Headers) -> bool:
    """Say whether a label is that of where the parcel is declared to be from: ``Provenance``, ``Declared``."""
    known = headers.words.columns("declarations").get(fold(key))
    return known in ("zone_id", "country") or headers.measure(key) == "zone_id" or says("declared", *tokens_of(key))


def _origins(text: str, unit: str, headers: Headers) -> list[_Origin]:
    """Return the zones and countries that a text names, and nothing else: ``Nola: 12,5 ct et Boda 7 ct``.

    A zone that is most likely misspelt is one, too: it is told where zones are read. `unit` is what numbers alone are.
    """
    zones = headers.words.zones
    found: list[_Origin] = []
    for part in [text] if headers.words.zone(text) is not None else filter(None, _PARTING.split(text)):
        hit = next((hit for pattern in _WITH_SHARE if (hit := pattern.fullmatch(part))), None)
        place = (part if hit is None else hit["place"]).strip(" .:")
        if (
            headers.words.country(place) is None
            and headers.words.zone(place) is None
            and misspelt(place, zones) is None
        ):
            return []
        if hit is None:
            found.append(_Origin(place))
            continue
        role = "percent" if hit["unit"] == "%" else "carats" if hit["unit"] else unit
        number = read_number(hit["number"], DecimalMarks())
        said: Cell = hit["number"] if isinstance(number, Broken) else number
        found.append(_Origin(place, said if role == "carats" else None, said if role == "percent" else None))
    return found


def _declared(raw: RawTable, origins: Mapping[_Origin, tuple[int, str]], headers: Headers) -> KnownTable:
    """Return what is declared; a country is left out beside zones, of which it says no more."""
    zones = [item for item in origins if headers.words.country(item.place) is None]
    kept = zones or [*origins]
    columns = {"zone_id": Column.of(origins[kept[0]][1], [item.place for item in kept])}
    for name in ("carats", "percent"):
        if any(getattr(item, name) is not None for item in kept):
            columns[name] = Column.of(name, [getattr(item, name) for item in kept])
    rows = np.array([origins[item][0] for item in kept], dtype=np.int32)
    return KnownTable(
        kind="declarations", name=raw.name, columns=columns, n_rows=len(kept), rows=rows, ragged={}, n_columns=1,
        typed=True, titles=True,
    )  # fmt: skip


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


def _add_constant(raw: RawTable, headers: Headers, goods: KnownTable, found: dict[str, _Said]) -> None:
    """Add what columns say of the parcel, the same in every row."""
    for name, column in _beside(raw, headers, goods):
        used = np.unique(column.codes).tolist()
        value = column.cells[used[0]] if len(used) == 1 else None
        if len(used) > 1:
            told = {"column": column.header, "values": listed(text_of(column.cells[code]) or "–" for code in used)}
            goods.trace.notes.append(Note(code="column_varies", values=told))
        if value is not None and _told(name, value) == name and name not in found:
            found[name] = (raw.line(0) or 1, column.header, value)
            goods.trace.passed_over.remove(column.header)


def _each(raw: RawTable, headers: Headers, goods: KnownTable) -> KnownTable | None:
    """Return what columns beside the stones of several parcels say of each, where it is one thing in all its rows."""
    ids = goods.columns["parcel_id"]
    if raw.rows is None or goods.rows is None or ids.mostly_distinct or not raw.n_rows:
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
            told = {"column": column.header, "values": listed(text_of(cell) for _, cell in said)}
            goods.trace.notes.append(Note(code="column_varies", values=told))
        one_each = len(own) == len(said) > 0 and all(_told(name, cell) == name for cell in own.values())
        if one_each and name not in columns:
            columns[name] = Column.of(column.header, [own.get(of, "") for of in found.tolist()])
            goods.trace.passed_over.remove(column.header)
    if not columns:
        return None
    columns["parcel_id"] = ids.rows(first)
    made = KnownTable(
        kind="parcels", name=raw.name, columns=columns, n_rows=len(first), rows=goods.rows[first], ragged={},
        n_columns=len(columns), typed=False,
    )  # fmt: skip
    return made.keep(np.flatnonzero(~columns["parcel_id"].blank()))


def _one_row(kind: str, raw: RawTable, found: Mapping[str, _Said]) -> KnownTable:
    columns = {name: Column.filled(key, value, 1) for name, (_, key, value) in found.items()}
    rows = np.array([max(line for line, _, _ in found.values())], dtype=np.int32)
    return KnownTable(
        kind=kind, name=raw.name, columns=columns, n_rows=1, rows=rows, ragged={}, n_columns=1, typed=False, titles=True
    )  # fmt: skip


_AMOUNTS = re.compile(
    r"(?P<n>\d+)\)? *(stones|pcs|pieces|pierres|pedras|st)\b(?!.*\b(?:above|over|below|under|plus|moins)\b).*?"
    r"(?P<ct>\d+[.,]\d+) *(cts?|carats?)\b",
    re.IGNORECASE,
)


_COUNT = re.compile(
    r"\W*(\d+) *(?:stones|pcs|pieces|pierres)\W*|.*[(\[] *(\d+) *(?:stones|pcs|pieces|pierres) *[)\]]"
    r"|\D*\b(?:total|all|tout|ensemble)\b\D*(\d+) *(?:stones|pcs|pieces|pierres)\W*",
    re.IGNORECASE,
)


_CARATS = re.compile(r"\W*(\d+[.,]\d+) *(?:cts?|carats?)\W*", re.IGNORECASE)
"""A title that says how much the parcel weighs, and nothing else."""

_LABELLED = re.compile(r"(?P<key>[^\W\d][^\d:]*?)\s+(?P<value>\d+(?:[.,]\d+)?)\W*")
"""A label and its number, with nothing between: ``Total carats 12.90``."""

_WORDS = 4
"""Words of such a label, at most."""


def _amounts(text: str) -> list[tuple[str, Cell]]:
    """Return stones and carats of a title that gives both, ``836 stones, 371.37 ct``, or ``(836 stones)`` alone."""
    said = _AMOUNTS.findall(text)
    if len(said) == 1:
        return [("n_stones", said[0][0]), ("carats", said[0][2])]
    if not said and (alone := _CARATS.fullmatch(text)):
        return [("carats", alone[1])]
    count = None if said else _COUNT.fullmatch(text)
    return [] if count is None else [("n_stones", next(filter(None, count.groups())))]


_MILLIMETRES = re.compile(r"\s*mm\.?$", re.IGNORECASE)


def _told(name: str, value: Cell) -> str | None:
    """Return the field that a value is of, where it may be one of it; otherwise a title is a title and no more."""
    text = text_of(value)
    if name == "exported_on":
        return name if any(char.isdigit() for char in text) else None
    if name in ("cleaning_state", "selection", "specials_removed"):
        return name if fold(text) in condition_values(name) else None
    if name in ("n_stones", "carats", "bottom_screen_mm"):
        bare = text if name == "bottom_screen_mm" else without_unit(text)
        number = "" if isinstance(bare, Broken) else bare.replace(" ", "").replace(",", ".").removesuffix("mm")
        return name if re.fullmatch(r"0*[1-9]\d*(\.\d+)?|0*\.\d+|0\.\d+", number) else None
    return name if name in (*_TITLED, "parcel_id") and 0 < len(text) <= 80 else None
