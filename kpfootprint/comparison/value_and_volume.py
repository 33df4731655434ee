"""Value and volume beside the footprint: shown and flagged, and part of no likelihood ratio and no conclusion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.comparison.explain import RANGE, numbers_of
from kpfootprint.comparison.hypotheses import Hypotheses
from kpfootprint.comparison.results import Goods, SizeValue, Statement, StoneRange, Value, ZoneCarats
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.intervals import next_value
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.sizes import cell_probabilities
from kpfootprint.stats.structure import ParcelArrays

SEED = 20130523
FEWEST = 10
"""Fewer stones have a mean that says nothing of where they come from."""


def goods_of(parcel: Parcel, arrays: ParcelArrays, hypotheses: Hypotheses, row: int, release: Release) -> Goods:
    """Return mean stone, carats and value of a parcel, beside what reference parcels of its declaration show."""
    weights = hypotheses.weights[row]
    mean = parcel.mean_ct
    known = mean is not None and parcel.n_stones >= FEWEST and bool(hypotheses.testable[row])
    usual = mean_stones_usual(release.model, arrays, row, weights) if known else None
    carats = _carats(parcel, hypotheses, row, release)
    flags = []
    if mean is not None and usual is not None and not usual.low <= mean <= usual.high:
        between: dict[str, Value] = {"mean_ct": mean, "lowest_ct": usual.low, "highest_ct": usual.high}
        source = hypotheses.declared_as(row, release.zone_ids)
        flags.append(Statement(code="mean_stone_unusual", values={**source, **between}))
    flags += [
        Statement(
            code="carats_above_reference",
            values={"zone": item.zone_id, "carats": item.carats, "highest_ct": item.high, "n_parcels": item.n_parcels},
        )
        for item in carats
        if item.carats > item.high
    ]
    return Goods(
        mean_ct=mean,
        mean_ct_usual=usual,
        usd_per_ct=parcel.value_usd / parcel.carats if parcel.value_usd is not None and parcel.carats else None,
        by_size=_by_size(parcel, release.scheme),
        carats=carats,
        flags=tuple(flags),
    )


def mean_stones_usual(model: FootprintModel, arrays: ParcelArrays, row: int, weights: Floats) -> StoneRange:
    """Return the mean stone that parcels of what was declared have at this size, through this screen: nine in ten."""
    rng = np.random.default_rng(SEED)
    numbers = numbers_of(model, arrays, row, weights, weights, rng)
    kept = model.structure.kept(arrays.edge[row : row + 1], arrays.top[row : row + 1])
    kept = np.broadcast_to(kept, (len(numbers), *kept.shape[1:]))
    cells = cell_probabilities(model.structure.grid, numbers[:, :2], kept)
    carats = np.exp(model.structure.grid.centres)
    mean = cells @ carats
    sd = np.sqrt(np.maximum(cells @ carats**2 - mean**2, 0.0) / max(float(arrays.n_stones[row]), 1.0))
    drawn = mean[2:] + sd[2:] * rng.standard_normal(len(mean) - 2)
    low, high = np.quantile(np.maximum(drawn, carats[0]), RANGE)
    return StoneRange(expected=float(mean[0]), low=float(min(low, mean[0])), high=float(max(high, mean[0])))


def _carats(parcel: Parcel, hypotheses: Hypotheses, row: int, release: Release) -> tuple[ZoneCarats, ...]:
    """Return the declared carats of each zone beside those of its reference parcels, where the release knows them."""
    histories = release.manifest.get("carats", {})
    declared = hypotheses.declared[row]
    out = []
    for zone in declared:
        carats = zone.carats or (parcel.carats if len(declared) == 1 else None)
        history = histories.get(zone.zone_id, ())
        bounds = next_value(history)
        if carats and bounds is not None:
            out.append(ZoneCarats(zone_id=zone.zone_id, carats=carats, n_parcels=len(history), high=bounds[1]))
    return tuple(out)


def _by_size(parcel: Parcel, scheme: Scheme) -> tuple[SizeValue, ...]:
    """Return the value per carat of each size class; nothing where not every stone, or row of a sheet, has a value."""
    sieves, stones = scheme.size.sieve_set, parcel.stones
    place: NDArray[np.integer[Any]]
    if stones is not None and stones.value_usd is not None:
        place = np.searchsorted(np.array(sieves.lower_ct), stones.weight_ct, side="right") - 1
        amounts = (np.ones(len(place)), stones.weight_ct, stones.value_usd)
    else:
        sized = [item for item in parcel.breakdowns if scheme.size.name in item.attributes and not item.sample]
        sheet = next((item for item in sized if item.value_usd is not None and item.counted and item.weighed), None)
        if sheet is None or parcel.sieve_set is None:
            return ()
        sieves, place = parcel.sieve_set, sheet.codes[:, sheet.attributes.index(scheme.size.name)]
        amounts = (sheet.n_stones.astype(np.float64), np.asarray(sheet.carats), np.asarray(sheet.value_usd))
        if (place < 0).any():
            return ()
    sums = [np.bincount(place, weights=of_rows, minlength=len(sieves.classes)) for of_rows in amounts]
    return tuple(
        SizeValue(size_class=name, n_stones=round(n), carats=float(weight), usd_per_ct=float(worth / weight))
        for name, n, weight, worth in zip(sieves.classes, *sums, strict=True)
        if n
    )
