"""What benchmarks ask of is what there is: a register as it is laid out now, a parcel that can be compared."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.bench_register import fill
from benchmarks.bench_service import N_STONES, parcel
from kpfootprint.ingest import ingest_json
from service.register.opening import open_register
from service.register.submissions import clocks
from service.settings import Settings
from tests.worlds import shipped


def test_a_register_is_filled(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    fill(settings, 400)
    engine = open_register(settings)
    assert clocks(engine)[0] == 4, "four submissions of a hundred parcels, none decided"
    engine.dispose()


def test_the_parcel_is_read() -> None:
    release = shipped()
    assert ingest_json(json.loads(parcel()), release.scheme, release.zone_table).n_stones == N_STONES
