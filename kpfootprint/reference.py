"""What serving needs of a reference package: its zones, their dated status, its parcels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kpfootprint.parcel import Batch
from kpfootprint.plain import built, plain
from kpfootprint.scheme import Scheme

COMPLIANT = "compliant"
"""Status of a zone that may export."""
NOT_COVERED = "not_covered"
"""Status of a zone on a day for which the table has no row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A place that parcels are declared to come from; `country` is ISO 3166-1 alpha-2."""

    zone_id: str
    name: str
    country: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPeriod:
    """A status from `valid_from` until the day before `valid_to`; None leaves the period open."""

    zone_id: str
    status: str
    valid_from: date
    valid_to: date | None
    source: str

    def covers(self, day: date) -> bool:
        """Say whether the status holds on that day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneTable:
    """Zones and their status over time, in the package's order."""

    zones: tuple[Zone, ...]
    periods: tuple[StatusPeriod, ...]

    @property
    def names(self) -> dict[str, str]:
        """The names of zones by id."""
        return {zone.zone_id: zone.name for zone in self.zones}

    def zone(self, zone_id: str) -> Zone | None:
        """Return the zone of that id, or None."""
        return next((item for item in self.zones if item.zone_id == zone_id), None)

    def status_on(self, zone_id: str, day: date) -> str:
        """Return the status of a zone on a day: ``compliant``, ``suspended``, or ``not_covered`` without a row."""
        return next((p.status for p in self.periods if p.zone_id == zone_id and p.covers(day)), NOT_COVERED)

    def compliant_on(self, day: date) -> tuple[str, ...]:
        """Return the ids of the zones that were compliant on a day, in the package's order."""
        return tuple(zone.zone_id for zone in self.zones if self.status_on(zone.zone_id, day) == COMPLIANT)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"zones": [...], "zone_status": [...]}`` with ISO dates."""
        return {"zones": [plain(zone) for zone in self.zones], "zone_status": [plain(item) for item in self.periods]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ZoneTable:
        """Build a table from what `to_json` writes."""
        return built(cls, {"zones": document["zones"], "periods": document["zone_status"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePackage:
    """A reference package, read and checked.

    Parameters
    ----------
    sha256 : str
        Hash of ``datapackage.json``, which holds the hash of every table; it names the data exactly.
    synthetic : bool
        True where the parcels were made by a simulator; every report then says so.
    batch : Batch of n parcels
        The reference parcels, without declarations.
    zone_of : tuple of str, length n
        Zone that each parcel was collected in.
    collected_on : tuple of date or None, length n
        Day on which it was collected.
    unread : tuple of str
        Columns of the stones that are no attribute, and that nothing is learnt from.
    """

    name: str
    version: str
    sha256: str
    synthetic: bool
    scheme: Scheme
    zone_table: ZoneTable
    batch: Batch
    zone_of: tuple[str, ...]
    collected_on: tuple[date | None, ...]
    unread: tuple[str, ...] = ()

    @property
    def identity(self) -> dict[str, Any]:
        """What says which package it is, and whether it was invented."""
        return {"name": self.name, "version": self.version, "sha256": self.sha256, "synthetic": self.synthetic}


def shipped_reference() -> Path:
    """Return the folder of the reference package that comes with the software, from the wheel or the source tree."""
    inside = Path(__file__).parent / "_reference"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "data" / "reference"
