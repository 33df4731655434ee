"""Declarations: the zones that a parcel is said to come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kpfootprint.ingest.cells import Cell, is_blank, read_text
from kpfootprint.ingest.fields import MAX_CARATS, Declared, marks_of, number_reader, tell_ragged
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.words import Words, fold, nearest
from kpfootprint.parcel import PERCENT_APART


@dataclass(slots=True)
class DeclaredParts:
    """What one parcel declares, by zone and by country."""

    zones: dict[str, Declared] = field(default_factory=dict)
    countries: dict[str, Declared] = field(default_factory=dict)


def read_declarations(table: Table, single: str | None, words: Words, findings: Findings) -> dict[str, DeclaredParts]:
    """Read declarations by parcel; rows of one zone, or of one country, add up.

    With `single`, the table is about that parcel and needs no ``parcel_id``. In JSON a single declared zone may come
    without carats, and so may countries, whose shares are then free; in a table every row needs carats or percent.
    """
    known = words.zones()
    countries = {fold(zone.country): zone.country for zone in words.zone_table.zones}
    marks = marks_of(table)
    readers = {
        "carats": number_reader(marks, table.typed, maximum=MAX_CARATS),
        "percent": number_reader(marks, table.typed, maximum=100.0),
    }
    declared: dict[str, DeclaredParts] = {}
    for row, record in enumerate(table.records()):
        parcel_id = read_text(record.get("parcel_id") if "parcel_id" in record else single)
        if isinstance(parcel_id, Broken) or parcel_id is None:
            findings.add(None, table.problem(parcel_id or Broken("missing_value"), row, "parcel_id"))
            continue
        tell_ragged(table, row, parcel_id, findings)
        read: dict[str, object] = {name: reader(record.get(name)) for name, reader in readers.items()}
        by_country = not is_blank(record.get("country"))
        if by_country and not is_blank(record.get("zone_id")):
            read["zone_id"] = Broken("zone_or_country")
        elif by_country:
            read["country"] = _country(record["country"], countries)
        else:
            read["zone_id"] = _zone(record.get("zone_id"), known, compare=not findings.full)
        if read["carats"] is None and read["percent"] is None and not table.typed:
            read["carats"] = Broken("missing_value")
        broken = {name: value for name, value in read.items() if isinstance(value, Broken)}
        for name, value in broken.items():
            findings.add(parcel_id, table.problem(value, row, name))
        if broken:
            continue
        parts = declared.setdefault(parcel_id, DeclaredParts())
        named, key = (parts.countries, read["country"]) if by_country else (parts.zones, read["zone_id"])
        found = Declared(read["carats"], read["percent"])  # type: ignore[arg-type]
        before = named.get(str(key))
        if before is not None and (_bare(found) or _bare(before)):
            findings.add(parcel_id, table.problem(Broken("declared_without_carats"), row, "carats"))
        named[str(key)] = found if before is None else _sum(before, found)
    for parcel_id, parts in declared.items():
        broken_parts = _check(parts)
        if broken_parts is not None:
            findings.add(parcel_id, table.problem(broken_parts, None, "carats"))
    return declared


def _bare(part: Declared) -> bool:
    return part.carats is None and part.percent is None


def _sum(one: Declared, two: Declared) -> Declared:
    def added(a: float | None, b: float | None) -> float | None:
        return b if a is None else a if b is None else a + b

    return Declared(added(one.carats, two.carats), added(one.percent, two.percent))


def _check(declared: DeclaredParts) -> Broken | None:
    """Return what keeps the declared parts from being one blend."""
    parts = [*declared.zones.values(), *declared.countries.values()]
    percents = [part.percent for part in parts if part.percent is not None]
    if percents and (len(percents) < len(parts) or any(part.carats is not None for part in parts)):
        return Broken("carats_and_percent")
    if percents and abs(sum(percents) - 100.0) > PERCENT_APART:
        return Broken("percent_total", {"found": f"{sum(percents):g}"})
    bare = sum(map(_bare, parts))
    if bare and len(parts) > 1 and (declared.zones or bare < len(parts)):
        return Broken("declared_without_carats")
    return None


def _country(cell: Cell, known: Mapping[str, str]) -> str | Broken:
    text = read_text(cell)
    if text is None:
        return Broken("missing_value")
    if isinstance(text, Broken):
        return text
    return known.get(fold(text)) or Broken("unknown_country", {"known": ", ".join(sorted(set(known.values())))})


def _zone(cell: Cell, known: Mapping[str, str], *, compare: bool) -> str | Broken:
    text = read_text(cell)
    if text is None:
        return Broken("missing_value")
    if isinstance(text, Broken):
        return text
    return known.get(fold(text)) or Broken("unknown_zone", {"nearest": nearest(text if compare else "", known)})
