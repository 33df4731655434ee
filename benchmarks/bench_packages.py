"""What attributes and zones cost: a fit with small settings and one comparison, in seconds of a processor."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from kpfootprint.flow import examine
from kpfootprint.parcel import Batch, Declaration
from kpfootprint.release import load_release
from tests.training.packages import SURFACE, Kind, write_folder
from training.config import read_config
from training.fit import fit, write_fit
from training.package import load_package

SIMULATED = 600
"""Parcels drawn for each stage of a fit, of which the usual settings draw two hundred times as many for the shares."""
ZONES, ATTRIBUTES = (5, 20, 40, 60), (1, 2, 3, 4)


def measured(zones: int, attributes: int) -> tuple[float, float, float]:
    """Return seconds of processor of a fit, of its two stages before anything is simulated, and of one comparison."""
    config = replace(
        read_config(),
        n_simulated=SIMULATED,
        n_ranked=SIMULATED,
        n_judged=SIMULATED // 4,
        n_tried=1,
        n_resamples=10,
        hidden=(16,),
        gate_hidden=(8,),
        stages=((1e-3, 2),),
        n_jobs=1,
    )
    with TemporaryDirectory() as there:
        kind = Kind(parcels=(4,) * zones, attributes={f"a{k}": SURFACE for k in range(attributes)}, n_stones=60)
        package = load_package(write_folder(Path(there) / "package", kind))
        stages: list[float] = []
        begun = time.process_time()
        model, manifest = fit(package, config, lambda _: stages.append(time.process_time() - begun))
        whole = time.process_time() - begun
        write_fit(Path(there) / "fitted", model, manifest, "")
        release = load_release(Path(there) / "fitted")
        declared = (Declaration(zone_id=package.zone_of[0]),)
        batch = Batch((replace(package.batch.parcels[0], declarations=declared),))
        now = datetime(2020, 1, 1, tzinfo=UTC)
        spent = []
        for _ in range(3):
            begun = time.process_time()
            examine(batch, release, status_on=date(2020, 1, 1), created_at=now)
            spent.append(time.process_time() - begun)
        return whole, stages[3], min(spent)


def main() -> None:
    """Print a line for each number of zones, with two attributes, and of attributes, in fourteen zones."""
    print("zones  attributes  fit (s)  before simulation (s)  comparison (ms)")
    for zones, attributes in (*((z, 2) for z in ZONES), *((14, a) for a in ATTRIBUTES)):
        whole, before, one = measured(zones, attributes)
        print(f"{zones:5d}  {attributes:10d}  {whole:7.1f}  {before:21.1f}  {1000 * one:15.0f}", flush=True)


if __name__ == "__main__":
    main()
