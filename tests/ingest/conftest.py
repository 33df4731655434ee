"""What submissions are read against: the scheme and zones of the shipped reference package."""

from __future__ import annotations

import json

import pytest

from kpfootprint.ingest.words import Vocabulary
from kpfootprint.reference import ZoneTable, shipped_reference
from kpfootprint.scheme import Scheme


@pytest.fixture(scope="session")
def scheme() -> Scheme:
    descriptor = json.loads((shipped_reference() / "datapackage.json").read_text(encoding="utf-8"))
    return Scheme.from_json(descriptor)


@pytest.fixture(scope="session")
def zone_table() -> ZoneTable:
    lines = (shipped_reference() / "zones.csv").read_text(encoding="utf-8").replace('"', "").splitlines()[1:]
    zones = []
    for line in lines:
        zone_id, *name, country, region = line.split(",")
        zones.append({"zone_id": zone_id, "name": ",".join(name), "country": country, "region": region})
    return ZoneTable.from_json({"zones": zones, "zone_status": []})


@pytest.fixture(scope="session")
def words(scheme: Scheme, zone_table: ZoneTable) -> Vocabulary:
    return Vocabulary(scheme, zone_table)
