"""Parcels drawn from the shipped model, whose truth is known, for the tests of the statistics."""

from __future__ import annotations

from functools import cache

import numpy as np

import kpfootprint
from kpfootprint.parcel import Parcel, Stones
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Floats, Ints, ParcelArrays
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.simulate import Parts, Recovery, draw_parcels
from kpfootprint.stats.structure import Structure


@cache
def shipped() -> Release:
    """Load the release that comes with the software, once."""
    return kpfootprint.load_release(kpfootprint.shipped_release())


def draw_of(
    structure: Structure,
    numbers: Floats,
    *,
    n_stones: int | Ints,
    rng: np.random.Generator,
    parcel: Ints | None = None,
    n_factors: int = 3,
    edge: float | None = None,
) -> ParcelArrays:
    """Draw parcels from their numbers (n_parts, D); parts of one parcel follow each other. Conditions stay blank."""
    rows = np.arange(len(numbers)) if parcel is None else parcel
    n = int(rows[-1]) + 1
    lower = np.full(n, structure.edge_mean if edge is None else edge)
    return draw_parcels(
        structure,
        Parts(parcel=rows, n_stones=np.broadcast_to(n_stones, rows.shape).astype(np.intp), numbers=numbers),
        Recovery.whole(lower),
        shown_edge=lower,
        shown_levels=np.full((n, n_factors), -1),
        rng=rng,
    )


def draw_true(model: FootprintModel, zones: Ints, *, n_stones: int | Ints, rng: np.random.Generator) -> ParcelArrays:
    """Draw a parcel of each zone named, with its conditions and its own deviation."""
    predictor = model.predictor
    n = len(zones)
    shifts = predictor.shifts[rng.integers(len(predictor.shifts), size=n)]
    last = predictor.last[rng.integers(len(predictor.last), size=n)]
    deviations = rng.standard_normal((n, predictor.mean.size)) @ np.linalg.cholesky(predictor.within).T
    numbers = predictor.sources[zones] + shifts + last + deviations
    return draw_of(model.structure, numbers, n_stones=n_stones, rng=rng)


def make_stones(
    n: int, rng: np.random.Generator, *, mu: float = -1.4, sigma: float = 0.7, floor: float = 0.05
) -> Stones:
    """Draw a plain stone list in the shipped scheme: lognormal weights to 0.01 ct, classes by falling chances."""
    weight = np.maximum(np.exp(rng.normal(mu, sigma, n)), floor).round(2)
    codes = {}
    for attribute in shipped().scheme.categorical:
        chances = 0.6 ** np.arange(len(attribute.classes))
        codes[attribute.name] = rng.choice(len(attribute.classes), n, p=chances / chances.sum()).astype(np.int16)
    return Stones(weight_ct=weight, codes=codes)


def make_parcel(stones: Stones, parcel_id: str = "P1", **fields: object) -> Parcel:
    """Make a parcel of a stone list; `fields` are those of `Parcel`."""
    stated: dict[str, object] = {
        "parcel_id": parcel_id,
        "n_stones": stones.weight_ct.size,
        "carats": float(stones.weight_ct.sum()),
        "stones": stones,
    }
    return Parcel(**{**stated, **fields})  # type: ignore[arg-type]
