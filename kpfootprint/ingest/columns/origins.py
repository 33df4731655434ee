"""Where lines around a table say that its parcel is from: zones and countries, and how much of it each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.columns.meanings import Choices
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.statements import stated
from kpfootprint.ingest.problems import Broken, listed, problem
from kpfootprint.ingest.raw.cells import Cell, DecimalMarks, read_number
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable, Trace
from kpfootprint.ingest.words import (
    all_say,
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


@dataclass(frozen=True, slots=True)
class Origin:
    """A zone or a country as it is written, and how much of the parcel is said to be from it."""

    place: str
    carats: Cell = None
    percent: Cell = None


PARTS = re.compile(r"\s*[,;]\s+|\s+[-–—|/]\s+")
"""What stands between the parts of a line, each of which says a thing of its own."""
_PARTING = re.compile(r"\s*(?:[;/+&]|,(?!\d)|\b(?:et|and|und|y|e|en|и)\b)\s*", re.IGNORECASE)
_NUMBER, _UNIT = r"\d[\d ]*(?:[.,]\d+)?", rf"(?:%|{unit_pattern('carats')})"
_SHARE = rf"(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?"
PARTED_SHARE = re.compile(rf"; ({_NUMBER}\s*{_UNIT}?)(?=;|$)", re.IGNORECASE)
_DASH = re.compile(r"\s+[-–—]\s+(?=[^\W\d])")
_BRACKETS = re.compile(r"\s*\(([^()\d]*)\)")
_COMPLIANT = re.compile(
    r"\s*(?:[(\[,]|\s[-–—])\s*(?:zone )?(?:compliant|conforme)\b[^()\[\];,]*[)\]]?\s*$", re.IGNORECASE
)
_WITH_SHARE = (
    re.compile(rf"(?P<place>.*?[^\W\d].*?)[\s:=(–-]*{_SHARE}\.?\)?", re.IGNORECASE),
    re.compile(rf"{_SHARE}\s*(?:of|de|d'|from|à)?\s*(?P<place>[^\W\d].*)", re.IGNORECASE),
)


def is_of_origin(key: str, headers: Headers) -> bool:
    """Say whether a label is that of where the parcel is declared to be from: ``Provenance``, ``Declared``."""
    known = headers.words.columns("declarations").get(fold(key))
    tokens = tokens_of(key)
    rest = [token for token in tokens if not all_say(("zone", "declared", "filler"), [token])]
    origin = (
        headers.measure(key) == "zone_id"
        or says("declared", *tokens)
        or any(says(role, " ".join(rest)) for role in ("place", "mine"))
    )
    return known in ("zone_id", "country") or origin


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
        if (
            headers.words.country(place) is None
            and headers.words.zone(place) is None
            and misspelt(place, zones) is None
        ):
            return []
        if hit is None:
            found.append(Origin(place))
            continue
        role = "percent" if hit["unit"] == "%" else "carats" if hit["unit"] else unit
        number = read_number(hit["number"], DecimalMarks())
        said: Cell = hit["number"] if isinstance(number, Broken) else number
        found.append(Origin(place, said if role == "carats" else None, said if role == "percent" else None))
    return found


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
    dated = comma and headers.words.zone(place) is not None and any(map(str.isdigit, day))
    return holds("act", tokens_of(text)) or bool(dated and not stated(day, headers))


def is_doubted(text: str) -> bool:
    """Say whether a line is not sure of what it says, or says that it is not so."""
    return holds("doubted", tokens_of(text))


def _is_place(key: str, text: str, headers: Headers) -> bool:
    """Say whether a line gives a place, which no zone or country is called by, under a label of origin."""
    labelled = headers.words.columns("declarations").get(fold(key)) in ("zone_id", "country")
    words = [token for token in tokens_of(text) if token.isalpha()]
    told = is_not_recorded(text) or says("negated", *words) or any(map(str.isdigit, text))
    return labelled and not told and len(fold(text)) > 2


def settle_origin(
    text: str, line: tuple[str, int, str | None], headers: Headers, choices: Choices, problems: list[Problem]
) -> list[Origin]:
    """Ask what a line declares that names a zone beside words that nobody knows; return what was answered.

    Parameters
    ----------
    line : tuple of str, int and str
        Table, row and label of the line, where it has one.
    """
    zones, (table, row, key) = zones_within(text, headers), line
    chosen = choices.get("origin")
    if chosen == "ignore" or (not zones and not _is_place(key or "", text, headers)):
        return []
    if not zones:
        unknown = Broken(
            "unknown_zone", {"nearest": nearest(text, headers.words.zones), "choices": [("origin", "ignore")]}
        )
        problems.append(problem(unknown, table=table, row=row, column=key, value=text))
        return []
    if chosen in zones:
        return [Origin(chosen)]
    answers = [("origin", zone) for zone in zones if len(zones) == 1]
    told = {"zones": listed(zones), "choices": [*answers, ("origin", "ignore")]}
    problems.append(problem(Broken("origin_unclear", told), table=table, row=row, column=key, value=text))
    return []


def declared(raw: RawTable, origins: Mapping[Origin, tuple[int, str]], headers: Headers) -> KnownTable:
    """Return what is declared; a country is left out beside zones, of which it says no more."""
    zones = [item for item in origins if headers.words.country(item.place) is None]
    kept = zones or [*origins]
    columns = {"zone_id": Column.of(origins[kept[0]][1], [item.place for item in kept])}
    for name in ("carats", "percent"):
        if any(getattr(item, name) is not None for item in kept):
            columns[name] = Column.of(name, [getattr(item, name) for item in kept])
    rows = np.array([origins[item][0] for item in kept], dtype=np.int32)
    return KnownTable(
        kind="declarations", name=raw.name, columns=columns, n_rows=len(kept), rows=rows, typed=True, titles=True
    )


def declared_beside(parcels: KnownTable, raw: RawTable, headers: Headers) -> list[KnownTable]:
    """Return what a table of parcels declares in a column of zones, or of countries, with the carats of each parcel."""
    known = headers.words.columns("declarations")
    named = [(known.get(fold(c.header)) or headers.measure(c.header), c) for c in raw.columns]
    column = next((c for role in ("zone_id", "country") for name, c in named if name == role), None)
    if column is None or not parcels.complete:
        return []
    parcels.trace.passed_over.remove(column.header)
    weight = parcels.columns.get("carats")
    filled = ~column.blank()
    columns = {"parcel_id": parcels.columns["parcel_id"], "zone_id": column}
    if weight is not None and not (weight.blank() & filled).any():
        columns["carats"] = weight
    made = replace(parcels, kind="declarations", columns=columns, typed="carats" not in columns, trace=Trace())
    return [made.keep(np.flatnonzero(filled))]
