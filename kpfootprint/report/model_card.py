"""What a report says about the release and the reference that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kpfootprint.scheme import Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneCard:
    """A zone of the reference as reports name it."""

    zone_id: str
    name: str
    country: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceCard:
    """The reference package: its name, its version, its hash, and how many parcels stand behind each zone.

    Parameters
    ----------
    synthetic : bool
        True where the parcels are invented; every report says so on its first page.
    n_parcels_by_zone : mapping from zone id to int
        Reference parcels of each zone; a zone that has none may be absent.
    """

    name: str
    version: str
    sha256: str
    synthetic: bool
    n_parcels_by_zone: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """The release that a comparison was made with.

    Parameters
    ----------
    release : str
        Name of the release folder, such as ``2027.1``.
    released : bool
        False for a folder that was fitted but not yet judged.
    manifest_sha256 : str
        Hash of the release's manifest, in hexadecimal.
    software_name, software_version : str
        The program that wrote the report.
    zones : tuple of ZoneCard
        Every zone of the zone table, in its order.
    """

    release: str
    released: bool
    manifest_sha256: str
    software_name: str
    software_version: str
    reference: ReferenceCard
    zones: tuple[ZoneCard, ...]
    scheme: Scheme

    def to_json(self) -> dict[str, Any]:
        """Return the report's ``model`` member: everything a renderer needs to name zones and classes."""
        counts = self.reference.n_parcels_by_zone
        return {
            "release": self.release,
            "released": self.released,
            "manifest_sha256": self.manifest_sha256,
            "reference": {
                "name": self.reference.name,
                "version": self.reference.version,
                "sha256": self.reference.sha256,
                "synthetic": self.reference.synthetic,
            },
            "zones": [
                {
                    "zone_id": zone.zone_id,
                    "name": zone.name,
                    "country": zone.country,
                    "region": zone.region,
                    "n_parcels": int(counts.get(zone.zone_id, 0)),
                }
                for zone in self.zones
            ],
            "attributes": _attributes(self.scheme),
        }


def _attributes(scheme: Scheme) -> list[dict[str, Any]]:
    """Return names and labels of attributes and classes; size classes with their limits in carats."""
    own = scheme.size.sieve_set
    limits = zip(own.classes, own.lower_ct, own.upper_ct, strict=True)
    size = {
        "name": scheme.size.name,
        "labels": dict(scheme.size.labels),
        "classes": [
            {"name": name, "labels": {}, "lower_ct": low, "upper_ct": None if high == float("inf") else high}
            for name, low, high in limits
        ],
    }
    return [
        size,
        *(
            {
                "name": item.name,
                "labels": dict(item.labels),
                "classes": [
                    {"name": c.name, "labels": dict(c.labels), "lower_ct": None, "upper_ct": None} for c in item.classes
                ],
            }
            | ({"sets": [{"name": s.name, "labels": dict(s.labels)} for s in item.sets]} if item.sets else {})
            for item in scheme.categorical
        ),
    ]
