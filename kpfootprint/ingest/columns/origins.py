"""Where lines around a table say that its parcel is from: zones and countries, and how much of it each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.names.statements import GRAMS, stated
from kpfootprint.ingest.problems import Broken, listed
from kpfootprint.ingest.raw.cells import Cell, DecimalMarks, has_digit, is_blank, read_number, read_yes_or_no, text_of
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable, Trace
from kpfootprint.ingest.words import (
    declared_words,
    fold,
    holds,
    is_not_recorded,
    misspelt,
    nearest,
    plain,
    says,
    tokens_of,
    unit_pattern,
)

DECLARED = ("zone_id", "country", "carats", "percent")
"""What a declaration says of a parcel, as columns of its table."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A zone or a country as it is written, and how much of the parcel is said to be from it."""

    place: str
    carats: Cell = None
    percent: Cell = None


PARTS = re.compile(r"\s*[,;]\s+|\s+[-–—|/]\s+")
"""What stands between the parts of a line, each of which says a thing of its own."""
_PARTING = re.compile(r"\s*(?:[;/+&]|,(?!\d)|\b(?:et|and|und|y|e|en|и)\b)\s*", re.IGNORECASE)
_NUMBER, _UNIT = r"\d[\d ]*(?:[.,]\d+)?", rf"(?:%|{unit_pattern('carats')}|{GRAMS}\b)"
_SHARE = rf"(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?"
PARTED_SHARE = re.compile(rf"; ({_NUMBER}\s*{_UNIT}?)(?=;|$)", re.IGNORECASE)
_AMOUNT = re.compile(rf"{_NUMBER}\s*{_UNIT}", re.IGNORECASE)
_DASH = re.compile(r"\s+[-–—]\s+(?=[^\W\d])")
_BRACKETS = re.compile(r"\s*\(([^()\d]*)\)")
_COMPLIANT = re.compile(
    r"\s*(?:[(\[,]|\s[-–—])\s*(?:zone )?(?:compliant|conforme)\b[^()\[\];,]*[)\]]?\s*$", re.IGNORECASE
)
_WITH_SHARE = (
    re.compile(rf"(?P<place>.*?[^\W\d].*?)[\s:=(–-]*(?<![\s:=(][–-])(?<!\d){_SHARE}\.?\)?", re.IGNORECASE),
    re.compile(rf"{_SHARE}\s*(?:of|de|d'|from|à)?\s*(?P<place>[^\W\d].*)", re.IGNORECASE),
)


def origins_in(text: str, unit: str, headers: Headers) -> list[Origin]:
    """Return the zones and countries that a text names, and nothing else: ``Nola: 12,5 ct et Boda 7 ct``.

    A zone that is most likely misspelt is one, too: it is told where zones are read. `unit` is what numbers alone are.
    That it is compliant, ``Nola (conforme)``, is passed over.
    """
    text = _COMPLIANT.sub("", text)
    whole = headers.words.zone(text) is not None
    parts = [part for part in _PARTING.split(text) if part]
    again = [part for part in _PARTING.split(_BRACKETS.sub(r"; \1", _DASH.sub("; ", text))) if part]
    if (found := _all_of([text] if whole else parts, unit, headers)) or again == parts:
        return found
    weighed = [weight for part in again if (weight := stated(part, headers).get("carats"))]
    found = _all_of([part for part in again if not stated(part, headers)], unit, headers)
    if not len(found) == len(weighed) == 1:
        return found
    number = read_number(weighed[0], DecimalMarks())
    return [replace(found[0], carats=weighed[0] if isinstance(number, Broken) else number)]


def _all_of(parts: Iterable[str], unit: str, headers: Headers) -> list[Origin]:
    """Return the place that each part names, with its share; nothing where one names none."""
    zones = headers.words.zones
    found: list[Origin] = []
    for part in parts:
        hit = next((hit for pattern in _WITH_SHARE if (hit := pattern.fullmatch(part))), None)
        place = (part if hit is None else hit["place"]).strip(" .:")
        if not (headers.words.country(place) or headers.words.zone(place) or misspelt(place, zones)):
            return []
        if hit is None:
            found.append(Origin(place))
            continue
        role = "percent" if hit["unit"] == "%" else "carats" if hit["unit"] else unit
        if not role and headers.words.country(place) is not None:
            return []  # ``CF-07``
        number = read_number(hit["number"], DecimalMarks())
        said: Cell = hit["number"] if isinstance(number, Broken) else number
        if isinstance(number, float) and re.fullmatch(GRAMS, hit["unit"] or "", re.IGNORECASE):
            said = round(number * declared_words()["in_carats"]["g"]["ct"], 6)
        found.append(Origin(place, said if role == "carats" else None, said if role == "percent" else None))
        if len(found) > 1 and _lies_in(found[-2], place, headers):
            found[-2:] = [replace(found[-1], place=found[-2].place)]  # ``Nola, RCA 5 ct``
    return found


def _lies_in(zone: Origin, country: str, headers: Headers) -> bool:
    """Say whether a zone without an amount lies in the country that is named behind it."""
    known = headers.words.zone_table.zone(headers.words.zone(zone.place) or "")
    bare = zone.carats is None and zone.percent is None
    return bare and known is not None and known.country == headers.words.country(country)


def zones_within(text: str, headers: Headers) -> list[str]:
    """Return the ids of the zones that a text names among other words: ``near Nola``."""
    words, zones = re.findall(r"\w+", text), headers.words.zones
    runs = (words[at : at + many] for at in range(len(words)) for many in (1, 2, 3))
    return list(dict.fromkeys(zone for run in runs if (zone := zones.get(fold(" ".join(run)))) is not None))


def zones_declared(text: str, headers: Headers) -> list[str]:
    """Return the zones that a line names right behind words of origin, and no others: ``de la zone de Nola``."""
    words, zones = re.findall(r"\w+", text), headers.words.zones
    found: list[str] = []
    for at in range(1, len(words)):
        runs = (zones.get(fold(" ".join(words[at : at + many]))) for many in (3, 2, 1))
        before = next((word for word in reversed(words[:at]) if not says("filler", plain(word))), "")
        named = says("zone", plain(before)) or says("place", plain(before))
        found += [zone for zone in runs if zone is not None and named][:1]
    return found if {*zones_within(text, headers)} <= {*found} else []


def is_of_another_act(text: str, headers: Headers) -> bool:
    """Say whether a line tells where something else was done than mining: bought, seized, signed on a day."""
    place, comma, day = text.partition(",")
    dated = comma and headers.words.zone(place) is not None and has_digit(day)
    return holds("act", tokens_of(text)) or bool(dated and not stated(day, headers))


def is_doubted(text: str) -> bool:
    """Say whether a line is not sure of what it says, or says that it is not so."""
    return holds("doubted", tokens_of(text))


def _is_place(key: str, text: str, headers: Headers) -> bool:
    """Say whether a line gives a place, which no zone or country is called by, under a label of origin."""
    labelled = headers.declared(key) in ("zone_id", "country") or headers.measure(key) == "zone_id"
    text = _AMOUNT.sub("", text)  # ``Kouango 7.44 ct``
    words = [token for token in tokens_of(text) if token.isalpha()]
    told = is_not_recorded(text) or says("negated", *words) or has_digit(text)
    told = told or isinstance(read_yes_or_no(text), bool)  # ``Compliant zone | yes``
    return labelled and not told and len(fold(text)) > 2


def settle_origin(text: str, line: tuple[str, int, str | None], inquiry: Inquiry) -> list[Origin]:
    """Ask what a line declares that names a zone beside words that nobody knows; return what was answered.

    Parameters
    ----------
    line : tuple of str, int and str
        Table, row and label of the line, where it has one.
    """
    headers, key, chosen = inquiry.headers, line[2] or "", inquiry.choices.get("origin")
    zones = zones_within(text, headers)
    if chosen == "ignore" or (not zones and not _is_place(key, text, headers)):
        return []
    if chosen in zones:
        return [Origin(chosen)]
    answers = [("origin", zone) for zone in (*zones, "ignore") if len(zones) == 1 or zone == "ignore"]
    if zones:
        inquiry.tell("origin_unclear", *line, text, zones=listed(zones), choices=answers)
    else:
        inquiry.tell("unknown_zone", *line, text, nearest=nearest(text, headers.words.zones), choices=answers)
    return []


def declared(raw: RawTable, origins: Mapping[Origin, tuple[int, str]], headers: Headers) -> KnownTable:
    """Return what is declared; a country is left out beside zones, of which it says no more."""
    zones = [item for item in origins if headers.words.country(item.place) is None]
    kept = zones or [*origins]
    columns = {"zone_id": Column.of(origins[kept[0]][1], [item.place for item in kept])}
    for name in ("carats", "percent"):
        if any(getattr(item, name) is not None for item in kept):
            columns[name] = Column.of(name, [getattr(item, name) for item in kept])
    made = KnownTable.of_lines("declarations", raw.name, columns, [origins[item][0] for item in kept])
    return replace(made, typed=True, titles=True)


def declared_beside(parcels: KnownTable, raw: RawTable, headers: Headers) -> list[KnownTable]:
    """Return what a table of parcels declares in columns of zones, or of countries, with carats or shares beside."""
    known = headers.words.columns("declarations")
    roles = [(item, headers.measure(item.header) or headers.of(item.header).role) for item in reversed(raw.columns)]
    roles = [(item, "zone_id" if _holds_places(item, headers) else role) for item, role in roles]
    named = {known.get(fold(item.header)) or role: item for item, role in roles}
    columns: dict[str, Column] = {name: named[name] for name in DECLARED if name in named}
    place = columns.get("zone_id", columns.get("country"))
    if place is None or not parcels.complete:
        return []
    headed = {item.header for item in columns.values()}
    parcels.trace.passed_over[:] = [header for header in parcels.trace.passed_over if header not in headed]
    columns = {"parcel_id": parcels.columns["parcel_id"], **columns}
    made = replace(parcels, kind="declarations", columns=columns, trace=Trace()).keep(np.flatnonzero(~place.blank()))
    return [parted_places(made, headers)]


def _holds_places(column: Column, headers: Headers) -> bool:
    """Say whether a column that says no more than that it is declared, ``Declared``, gives zones."""
    said = column.used().names()[:20] if headers.names_origin(column.header) and not column.mostly_distinct else []
    return any(text and origins_in(text, "", headers) for text in said)


def parted_places(table: KnownTable, headers: Headers) -> KnownTable:
    """Give each place that a cell of declarations names a row: ``Nola 60 %; Boda 40 %``, ``Nola (RCA)``.

    A place without an amount of its own has what stands beside it.
    """
    column = table.columns.get("zone_id")
    known = headers.words.zone, headers.words.country
    if column is None or all(not text or any(of(text) for of in known) for text in column.names()):
        return table
    rows: list[int] = []
    made: dict[str, list[Cell]] = {name: [] for name in DECLARED}
    for row, record in enumerate(table.records()):
        text = text_of(record["zone_id"])
        origins = [] if any(of(text) for of in known) else origins_in(text, "", headers)
        zones = [item for item in origins if headers.words.country(item.place) is None] or origins
        country = next((item.place for item in origins if item not in zones), record.get("country"))
        bare = len(zones) < 2 and not any(item.carats or item.percent for item in zones)
        said: list[dict[str, Cell]] = [{"zone_id": item.place, "country": country} for item in zones]
        for own, item in zip(said, zones, strict=True):
            own |= {} if bare else {"carats": item.carats, "percent": item.percent}
        for own in said or [{}]:
            for name, cells in made.items():
                cells.append({**record, **own}.get(name))
            rows.append(row)
    kept = table.keep(np.array(rows, dtype=np.intp))
    headed = {name: table.columns.get(name, column).header for name in made}
    columns = {name: Column.of(headed[name], cells) for name, cells in made.items() if any(cells)}
    others = {name: item for name, item in kept.columns.items() if name not in made}
    return replace(kept, columns={**others, **columns})


def once_each(parcels: KnownTable, zones: KnownTable, *, slips: bool) -> KnownTable:
    """Return a table of parcels with one row for each whose further rows name its other zones, and differ in no more.

    What weighs each of its zones is no weight of such a parcel; of `slips` several may be of one zone. Rows that say
    otherwise stay, and are told.
    """
    rows: dict[str, list[dict[str, Cell]]] = {}
    for record in parcels.records():
        rows.setdefault(text_of(record["parcel_id"]), []).append(record)
    places = [(text_of(record["parcel_id"]), fold(text_of(record.get("zone_id")))) for record in zones.records()]
    if len(rows) == parcels.n_rows or (len({*places}) < len(places) and not slips):
        return parcels
    made: list[list[Cell]] = []
    for records in rows.values():
        said = {name: [of[name] for of in records if not is_blank(of[name])] for name in parcels.columns}
        if any(len({*map(text_of, cells)}) > 1 for name, cells in said.items() if name not in ("n_stones", "carats")):
            return parcels
        several = [name for name in ("n_stones", "carats") if len(said.get(name, ())) > 1]
        made.append([cells[0] if cells and name not in several else None for name, cells in said.items()])
    _, first = np.unique(parcels.columns["parcel_id"].codes, return_index=True)
    kept = parcels.keep(np.sort(first))
    columns = zip(parcels.columns.items(), zip(*made, strict=True), strict=True)
    return replace(kept, columns={name: Column.of(column.header, cells) for (name, column), cells in columns})
