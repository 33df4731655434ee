"""The parcel beside what was declared: class by class, with sentences and a map; its mean stone, carats and value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.comparison.results import (
    ClassFinding,
    Examination,
    Explanation,
    FootprintMap,
    SizeValue,
    Statement,
    StoneRange,
    Value,
    ValueAndVolume,
    ZoneCarats,
)
from kpfootprint.comparison.sentences import sentences_of
from kpfootprint.comparison.weigh import OfDeclaration, OneParcel
from kpfootprint.parcel import Parcel
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.evidence import blend_location, expected_shift
from kpfootprint.stats.intervals import next_value
from kpfootprint.stats.parcel_model import DEGREES_OF_FREEDOM
from kpfootprint.stats.simulate import scattered, tails
from kpfootprint.stats.structure import cell_probabilities

N_DRAWS = 120
SEED, SEED_OF_GOODS = 20160526, 20130523
RANGE = (0.05, 0.95)
FEWEST = 10
"""Fewer stones have a mean that says nothing of where they come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Shares of stones by class of one attribute: observed, expected, their range, and expected elsewhere."""

    observed: Floats
    expected: Floats
    low: Floats
    high: Floats
    elsewhere: Floats


def _cells(one: OneParcel, numbers: Floats) -> Floats:
    """Return chances (m, n_cells) of sizes for parcels' numbers (m, D), through this parcel's screen."""
    structure, at = one.release.model.structure, slice(one.row, one.row + 1)
    kept = structure.kept(one.arrays.edge[at], one.arrays.top[at])
    return cell_probabilities(structure.grid, numbers[:, :2], np.broadcast_to(kept, (len(numbers), *kept.shape[1:])))


def _class_shares(one: OneParcel, numbers: Floats) -> list[Floats]:
    """Return chances (m, C) of size classes and of each attribute's classes for parcels' numbers (m, D)."""
    structure = one.release.model.structure
    out = [_cells(one, numbers) @ structure.membership_of_classes()]
    for a in range(len(structure.bases)):
        by_size = one.arrays.tables[a][one.row].sum(axis=1)
        filled = np.flatnonzero(by_size > 0) if by_size.any() else np.array([structure.n_size_classes // 2])
        chances = structure.chances(a, numbers, structure.class_x[filled])
        weight = by_size[filled] if by_size.any() else np.ones(1)
        out.append(np.einsum("mbc,b->mc", chances, weight / weight.sum()))
    return out


def expectations(one: OneParcel, observed_in: Sequence[Floats]) -> list[Expected]:
    """Return what a parcel of this size from what was declared shows, class by class, for size and each attribute.

    The range holds 90 % of such parcels: it has the parcel's own deviation and the chance of counting stones in it.
    The draws are the same for every parcel, so the same parcel gives the same range.
    """
    arrays, row, rng = one.arrays, one.row, np.random.default_rng(SEED)
    posterior = one.weighed.posterior[row]
    pool = posterior * one.hypotheses.alternatives[row]
    elsewhere = pool if pool.sum() > 0 else posterior + 1e-9
    shares = _class_shares(one, _numbers(one, elsewhere / elsewhere.sum(), rng))
    stones = [arrays.cells[row].sum(), *(table[row].sum() for table in arrays.tables)]
    out = []
    for observed, n_counted, share in zip(observed_in, stones, shares, strict=True):
        n = max(float(n_counted), 1.0)
        # where all stones are of one class, rounding may put its share above 1
        spread = np.sqrt(np.maximum(share[2:] * (1.0 - share[2:]), 0.0) / n)
        noise = rng.standard_normal((N_DRAWS, observed.size)) * spread
        low, high = np.quantile(np.clip(share[2:] + noise, 0.0, 1.0), RANGE, axis=0)
        out.append(
            Expected(
                observed=observed,
                expected=share[0],
                low=np.minimum(low, share[0]),
                high=np.maximum(high, share[0]),
                elsewhere=share[1],
            )
        )
    return out


def _numbers(one: OneParcel, elsewhere: Floats, rng: np.random.Generator) -> Floats:
    """Return parcels' numbers (2 + N_DRAWS, D): expected of what was declared, of elsewhere, and drawn of the first.

    `elsewhere` (Z,) are the weights of the zones of H2.
    """
    model, weights = one.release.model, one.weights
    predictor = model.predictor
    shift = expected_shift(predictor, one.arrays.levels[one.row : one.row + 1])
    both: Floats = blend_location(predictor.sources, np.stack([weights, elsewhere]), model.structure) + shift
    covariance = predictor.within * float((weights**2) @ predictor.scales)
    draws = scattered(both[0], covariance, tails(DEGREES_OF_FREEDOM, N_DRAWS, rng), rng)
    return np.concatenate([both, draws])


def contributions(expected: Expected, attribute_share: float) -> Floats:
    """Split an attribute's share of the log10 LR over its classes; the parts add up to it.

    Each class speaks by ``(observed - midpoint) * ln(declared / elsewhere)``: for H1 where the observed share lies on
    the declared side of the midpoint of both expectations. The sum is brought to the attribute's share.
    """
    declared, elsewhere = np.maximum(expected.expected, 1e-6), np.maximum(expected.elsewhere, 1e-6)
    raw = (expected.observed - 0.5 * (declared + elsewhere)) * np.log(declared / elsewhere)
    size = np.abs(raw).sum()
    scaled = raw * (abs(attribute_share) / size) if size > 0 else raw
    rest = attribute_share - scaled.sum()
    weight = np.abs(raw) / size if size > 0 else np.full(raw.size, 1.0 / raw.size)
    out: Floats = scaled + rest * weight
    return out


def observed_shares(one: OneParcel) -> list[Floats]:
    """Return the parcel's own shares of stones by size class and by class of each attribute."""
    counts = [one.arrays.cells[one.row] @ one.release.model.structure.membership_of_classes()]
    counts += [table[one.row].sum(axis=0) for table in one.arrays.tables]
    return [count / max(count.sum(), 1.0) for count in counts]


def class_findings(one: OneParcel, against: OfDeclaration | None) -> tuple[ClassFinding, ...]:
    """Return a finding for every class of every recorded attribute; without a declaration only what was observed."""
    scheme, observed = one.release.scheme, observed_shares(one)
    expected = None if against is None else expectations(one, observed)
    names = [(scheme.size.name, scheme.size.sieve_set.classes)]
    names += [(attribute.name, attribute.class_names) for attribute in scheme.categorical]
    out = []
    for a, (attribute, classes) in enumerate(names):
        if not one.arrays.recorded[one.row, a]:
            continue
        ranges: dict[str, Floats] = {}
        if expected is not None and against is not None:
            found = expected[a]
            weighed = contributions(found, against.attribute_shares[one.row, a])
            ranges = {"expected": found.expected, "low": found.low, "high": found.high, "contribution": weighed}
        for k, name in enumerate(classes):
            numbers = {of: float(values[k]) for of, values in ranges.items()}
            out.append(ClassFinding(attribute=attribute, class_name=name, observed=float(observed[a][k]), **numbers))
    return tuple(out)


def map_of(one: OneParcel) -> FootprintMap:
    """Return the parcel among the reference parcels, on the two axes that show zones apart."""
    release = one.release
    ordination, predictor = release.model.ordination, release.model.predictor
    centres = (predictor.sources - predictor.mean) @ ordination.axes
    numbers = one.weighed.looked.view.summaries.estimates[0, one.row]
    x, y = (numbers - predictor.mean) @ ordination.axes
    return FootprintMap(
        parcel=(float(x), float(y)),
        centres={zone: (float(a), float(b)) for zone, (a, b) in zip(release.zone_ids, centres, strict=True)},
        references={
            zone: tuple((a, b) for a, b in ordination.points[ordination.source == k].tolist())
            for k, zone in enumerate(release.zone_ids)
        },
    )


def explanation_of(one: OneParcel, found: Examination) -> Explanation:
    """Return why a parcel was found so: shares by attribute, findings by class, sentences, the map.

    What weighs comes first among the sentences; where no declaration is weighed, classes are only observed.
    """
    against = None if found.verification is None else one.weighed.declaration
    classes = class_findings(one, against)
    attributes: tuple[tuple[str, float], ...] = ()
    if against is not None:
        shares = (float(share) for share in against.attribute_shares[one.row])
        attributes = tuple(zip(one.release.scheme.attribute_names, shares, strict=True))
    return Explanation(
        attributes=attributes,
        classes=classes,
        footprint_map=map_of(one) if one.arrays.recorded[one.row].all() else None,
        sentences=sentences_of(one, found, against, classes, attributes),
    )


def goods_of(one: OneParcel) -> ValueAndVolume:
    """Return mean stone, carats and value of a parcel, beside what reference parcels of its declaration show.

    They are shown and flagged, and part of no likelihood ratio and no conclusion.
    """
    parcel = one.parcel
    mean = parcel.mean_ct
    known = mean is not None and parcel.n_stones >= FEWEST and bool(one.hypotheses.testable[one.row])
    usual = _mean_stones_usual(one) if known else None
    carats = _carats(one)
    flags = []
    if mean is not None and usual is not None and not usual.low <= mean <= usual.high:
        between: dict[str, Value] = {"mean_ct": mean, "lowest_ct": usual.low, "highest_ct": usual.high}
        flags.append(Statement.of("mean_stone_unusual", **one.source, **between))
    flags += [
        Statement.of(
            "carats_above_reference",
            zone=item.zone_id,
            carats=item.carats,
            highest_ct=item.high,
            n_parcels=item.n_parcels,
        )
        for item in carats
        if item.carats > item.high
    ]
    return ValueAndVolume(
        mean_ct=mean,
        mean_ct_usual=usual,
        usd_per_ct=parcel.value_usd / parcel.carats if parcel.value_usd is not None and parcel.carats else None,
        by_size=_by_size(parcel, one.release.scheme),
        carats=carats,
        flags=tuple(flags),
    )


def _mean_stones_usual(one: OneParcel) -> StoneRange:
    """Return the mean stone that parcels of what was declared have at this size, through this screen: nine in ten."""
    rng = np.random.default_rng(SEED_OF_GOODS)
    cells = _cells(one, _numbers(one, one.weights, rng))
    carats = np.exp(one.release.model.structure.grid.centres)
    mean = cells @ carats
    sd = np.sqrt(np.maximum(cells @ carats**2 - mean**2, 0.0) / max(float(one.arrays.n_stones[one.row]), 1.0))
    drawn = mean[2:] + sd[2:] * rng.standard_normal(len(mean) - 2)
    low, high = np.quantile(np.maximum(drawn, carats[0]), RANGE)
    return StoneRange(expected=float(mean[0]), low=float(min(low, mean[0])), high=float(max(high, mean[0])))


def _carats(one: OneParcel) -> tuple[ZoneCarats, ...]:
    """Return the declared carats of each zone beside those of its reference parcels, where the release knows them."""
    histories = one.release.manifest.get("carats", {})
    out = []
    for zone in one.declared:
        carats = zone.carats or (one.parcel.carats if len(one.declared) == 1 else None)
        history = [value for value in histories.get(zone.zone_id, ()) if value > 0]
        bounds = next_value(history)
        if carats and bounds is not None:
            out.append(ZoneCarats(zone_id=zone.zone_id, carats=carats, n_parcels=len(history), high=bounds[1]))
    return tuple(out)


def _by_size(parcel: Parcel, scheme: Scheme) -> tuple[SizeValue, ...]:
    """Return the value per carat of each size class; nothing where not every stone, or row of a sheet, has a value."""
    sieves, stones = scheme.size.sieve_set, parcel.stones
    place: NDArray[np.integer[Any]]
    if stones is not None and stones.value_usd is not None:
        place = sieves.class_of(stones.weight_ct)
        amounts = (np.ones(len(place)), stones.weight_ct, stones.value_usd)
    else:
        sized = [item for item in parcel.breakdowns if scheme.size.name in item.attributes and not item.sample]
        sheet = next((item for item in sized if item.value_usd is not None and item.counted and item.weighed), None)
        if sheet is None or parcel.sieve_set is None:
            return ()
        sieves, place = parcel.sieve_set, sheet.codes_of(scheme.size.name)
        amounts = (sheet.n_stones.astype(np.float64), np.asarray(sheet.carats), np.asarray(sheet.value_usd))
        if (place < 0).any():
            return ()
    sums = [np.bincount(place, weights=of_rows, minlength=len(sieves.classes)) for of_rows in amounts]
    return tuple(
        SizeValue(size_class=name, n_stones=round(n), carats=float(weight), usd_per_ct=float(worth / weight))
        for name, n, weight, worth in zip(sieves.classes, *sums, strict=True)
        if n
    )
