"""Declarations: the zones that a parcel is said to come from."""

from __future__ import annotations

from collections.abc import Mapping

from kpfootprint.ingest.cells import Cell, read_text
from kpfootprint.ingest.fields import MAX_CARATS, marks_of, number_reader, tell_ragged
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.words import Words, fold, nearest


def read_declarations(
    table: Table, single: str | None, words: Words, findings: Findings
) -> dict[str, dict[str, float | None]]:
    """Read declarations into carats by parcel and zone; rows of one zone add up.

    With `single`, the table is about that parcel and needs no ``parcel_id``. A single declared zone may come without
    carats in JSON; in a table every row needs them.
    """
    known = words.zones()
    read_carats = number_reader(marks_of(table), table.typed, maximum=MAX_CARATS)
    declared: dict[str, dict[str, float | None]] = {}
    for row, record in enumerate(table.records()):
        parcel_id = read_text(record.get("parcel_id") if "parcel_id" in record else single)
        if isinstance(parcel_id, Broken) or parcel_id is None:
            findings.add(None, table.problem(parcel_id or Broken("missing_value"), row, "parcel_id"))
            continue
        tell_ragged(table, row, parcel_id, findings)
        zone = _zone(record["zone_id"], known, compare=not findings.full)
        carats = read_carats(record.get("carats"))
        if carats is None and not table.typed:
            carats = Broken("missing_value")
        for name, value in (("zone_id", zone), ("carats", carats)):
            if isinstance(value, Broken):
                findings.add(parcel_id, table.problem(value, row, name))
        if isinstance(zone, Broken) or isinstance(carats, Broken):
            continue
        zones = declared.setdefault(parcel_id, {})
        before = zones.get(zone)
        if zone in zones and (before is None or carats is None):
            findings.add(parcel_id, table.problem(Broken("declared_without_carats"), row, "carats"))
        zones[zone] = carats if before is None or carats is None else before + carats
    for parcel_id, zones in declared.items():
        if len(zones) > 1 and any(carats is None for carats in zones.values()):
            findings.add(parcel_id, table.problem(Broken("declared_without_carats"), None, "carats"))
    return declared


def _zone(cell: Cell, known: Mapping[str, str], *, compare: bool) -> str | Broken:
    text = read_text(cell)
    if text is None:
        return Broken("missing_value")
    if isinstance(text, Broken):
        return text
    return known.get(fold(text)) or Broken("unknown_zone", {"nearest": nearest(text if compare else "", known)})
