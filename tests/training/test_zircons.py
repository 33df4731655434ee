"""A workbook in the published layout becomes a package that loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from kpfootprint.errors import ReferenceDataError
from training.package import load_package
from training.zircons import LEAST_SAMPLES, write_zircons


def workbook(path: Path, *, n_each: int = LEAST_SAMPLES) -> Path:
    rng = np.random.default_rng(1)
    book = openpyxl.Workbook()
    samples = book.active
    assert samples is not None
    samples.title = "Samples"
    samples.append(["Sample_ID", "Unit", "Basin", "Latitude"])
    grains = book.create_sheet("ZrUPb")
    grains.append(["Sample_ID", "Analysis_ID", "U_ppm", "Th_U", "BestAge"])
    for unit, age in (("Upper Sand", 60.0), ("Lower Sand", 1500.0)):
        for k in range(n_each):
            name = f"{unit[0]}{k}"
            samples.append([name, unit, "Basin A", 42.0])
            for _ in range(40):
                uranium = float(rng.lognormal(5.5, 0.7))
                grains.append([name, "x", uranium, float(rng.uniform(0.05, 1.6)), age * float(rng.uniform(0.5, 1.9))])
            grains.append([name, "x", None, 0.4, age])
    book.save(path)
    return path


def test_samples_become_parcels_and_units_zones(tmp_path: Path) -> None:
    assert write_zircons(workbook(tmp_path / "w.xlsx"), tmp_path / "package") == (6, 2)
    package = load_package(tmp_path / "package")
    assert [zone.zone_id for zone in package.zone_table.zones] == ["lower-sand", "upper-sand"]
    assert [parcel.n_stones for parcel in package.batch] == [40] * 6
    assert package.zone_of == ("lower-sand",) * 3 + ("upper-sand",) * 3
    assert not package.synthetic


def test_too_little_and_another_layout_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="two units need 3 samples"):
        write_zircons(workbook(tmp_path / "few.xlsx", n_each=2), tmp_path / "few")
    book = openpyxl.Workbook()
    book.save(tmp_path / "other.xlsx")
    with pytest.raises(ReferenceDataError, match="needs a sheet Samples"):
        write_zircons(tmp_path / "other.xlsx", tmp_path / "other")
