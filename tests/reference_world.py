"""The reference package, and parcels drawn from what is learnt of it; each made once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.comparison.results import Examination
from kpfootprint.flow import examinations_of
from kpfootprint.parcel import Batch, Declaration, Parcel, Stones
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import Release
from kpfootprint.stats.arrays import ParcelArrays
from tests.worlds import shipped
from training.package import load_package
from training.prepare import Fitted, Prepared, fit_model, prepare
from training.scenarios import KINDS, Scenario, Truth, draw_truth
from training.simulate import draw_scenario, places

TODAY = date(2026, 6, 1)


@cache
def package() -> ReferencePackage:
    """Load the reference package that comes with the software."""
    return load_package(Path(__file__).parents[1] / "data" / "reference")


@cache
def prepared() -> Prepared:
    """Count the reference parcels."""
    return prepare(package(), minimum_parcels=3)


@cache
def fitted() -> Fitted:
    """Fit the parcel model to all reference parcels."""
    return fit_model(prepared())


def draw(kind: str, n: int, *, seed: int, **held: float) -> tuple[ParcelArrays, Truth]:
    """Draw parcels of one of `KINDS` from the fitted model, with what of their scenario is `held`; none are sieved."""
    members: dict[str, Any] = {"kinds": tuple(float(item == kind) for item in KINDS), "sieved": 0.0, **held}
    scenario = Scenario(**members)
    rng = np.random.default_rng(seed)
    truth = draw_truth(scenario, n, prepared().allowed_sets, places(fitted()), rng)
    return draw_scenario(scenario, fitted(), truth, rng)


def reference_parcel(row: int, *zones: str) -> Parcel:
    """Return a reference parcel as if it were submitted with zones declared, by equal carats where several."""
    parcel = package().batch.parcels[row]
    carats = None if len(zones) < 2 else (parcel.carats or 0.0) / len(zones)
    return replace(parcel, declarations=tuple(Declaration(zone_id=zone, carats=carats) for zone in zones))


def first_of(zone: str) -> int:
    """Return the row of the first reference parcel of a zone."""
    return package().zone_of.index(zone)


def with_stones(parcel: Parcel, rows: slice | NDArray[np.intp]) -> Parcel:
    """Return a parcel with some of its stones, in the order given."""
    assert parcel.stones is not None
    stones = Stones(
        weight_ct=parcel.stones.weight_ct[rows].copy(),
        codes={name: codes[rows].copy() for name, codes in parcel.stones.codes.items()},
    )
    return replace(parcel, stones=stones, n_stones=stones.weight_ct.size, carats=float(stones.weight_ct.sum()))


def examined(*parcels: Parcel, status_on: date = TODAY, release: Release | None = None) -> tuple[Examination, ...]:
    """Examine parcels with a release, the shipped one where none is given."""
    return examinations_of(Batch(parcels), release or shipped(), status_on=status_on)
