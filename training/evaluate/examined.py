"""The product itself on reference parcels and blends of them, examined by a model refitted without those it sees.

The parcel model is fitted anew for every split; gate, share network, ranks and calibration are the release's own. They
come from simulated parcels, and from four numbers that all reference parcels agreed on. Counted are the errors of the
conclusion, novelty, sets of zones, and what is said of true blends and of such with undeclared goods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np

from kpfootprint.comparison.results import Examination
from kpfootprint.conclusions import CONSISTENT
from kpfootprint.flow import examinations_of
from kpfootprint.parcel import Batch, Declaration, Parcel
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats, Ints
from kpfootprint.stats.intervals import LEVEL
from kpfootprint.stats.shares import NONE_P
from kpfootprint.stats.tables import resample_tables
from training import declarants
from training.calibrate import resample
from training.evaluate.methods import n_stones_of, zone_codes, zones_of
from training.evaluate.mixtures import (
    Mixtures,
    Shares,
    hardships,
    measured,
    mix,
    prepared_alike,
    subsample,
    together,
    with_stones,
)
from training.evaluate.setting import SEED, novelty_cell, novelty_result
from training.evaluate.trials import Draws, ExportDay, Trials, counted
from training.folds import Split
from training.prepare import Prepared, fit_model, prepare
from training.record import NO_END, CoverageCell, DecisionErrors, DetectionCell, Line, NoveltyCell, Result

ASKED = 0.2
"""Share of true parcels that may be asked about: about as many as are not called consistent."""

SIZE_EDGES = (40, 200, 500, 1000, NO_END)


def decision_errors(trials: Trials, examinations: Sequence[Examination], n_stones: Floats) -> list[DecisionErrors]:
    """Count wrongly queried true declarations and wrongly accepted false ones in bands of size."""
    said = np.array([examination.conclusion or "" for examination in examinations])
    size = n_stones[trials.parcel]
    cells = []
    for low, high in pairwise(SIZE_EDGES):
        inside = (size >= low) & (size < high)
        true, false = said[inside & trials.is_h1], said[inside & ~trials.is_h1]
        if true.size + false.size == 0:
            continue
        cells.append(
            DecisionErrors(
                n_stones_low=low,
                n_stones_high=int(min(high - 1, n_stones.max())),
                true_queried=int((true == "query").sum()),
                true_trials=int(true.size),
                false_consistent=int((false == "consistent").sum()),
                false_trials=int(false.size),
            )
        )
    return cells


def decision_results(trials: Trials, examinations: Sequence[Examination], *, draws: Draws) -> list[Result]:
    """Return both error rates over all sizes, zones weighing the same, and the share of true ones called consistent."""
    said = np.array([examination.conclusion or "" for examination in examinations])
    found = np.array([e.mixture is not None and e.mixture.p_value <= NONE_P for e in examinations])
    lines = (
        ("undeclared goods found in true declarations", trials.is_h1, found),
        ("true declarations queried", trials.is_h1, said == "query"),
        ("false declarations called consistent", ~trials.is_h1, said == "consistent"),
        ("true declarations called consistent", trials.is_h1, said == "consistent"),
        ("false declarations queried", ~trials.is_h1, said == "query"),
    )
    results = []
    for metric, of, hit in lines:
        mine = trials.where(of)
        named: Line = ("decision", metric, "as collected")
        results.append(draws.share(hit[of], mine.zone_weights, mine.parcel, mine.true_zone, named=named))
    return results


def blend_results(examinations: Sequence[Examination]) -> list[Result]:
    """Return how often true blends are taken for something else: LR < 1/10, queried, undeclared goods found."""
    weighed = [(e.verification, e.mixture, e.conclusion) for e in examinations]
    hits = {
        "LR < 1/10": [v is not None and v.log10_lr < -1 for v, _, _ in weighed],
        "true declarations queried": [c == "query" for _, _, c in weighed],
        "undeclared goods found (p of 0.05 or less)": [m is not None and m.p_value <= NONE_P for _, m, _ in weighed],
    }
    return [counted("coherence", metric, "true blends", sum(found), len(found)) for metric, found in hits.items()]


def other_zone_result(examinations: Sequence[Examination]) -> Result:
    """Return how often the interval of undeclared goods begins above 0 in parcels declared as another compliant zone.

    Such goods are no undeclared ones: their zone was compliant.
    """
    above = [e.mixture is not None and e.mixture.undeclared_stone_fraction.low > 0.0 for e in examinations]
    return counted("decision", "undeclared share above 0", "another compliant zone declared", sum(above), len(above))


def tried_results(tried: declarants.Tried | None) -> list[Result]:
    """Return how often declarants who try are called consistent, under their own zone and under the kindest of all."""
    if tried is None:
        return []
    out = []
    for share in declarants.SHARES:
        mine = (tried.share == share) & (tried.n_stones >= SIZE_EDGES[0])
        if not mine.any():
            continue
        consistent = tried.conclusion[mine] == CONSISTENT
        conditions = f"{share:.0%} undeclared"
        for metric, hits in (
            ("own zone called consistent", consistent[:, 0]),
            (f"kindest of {declarants.N_TRIES} declarations called consistent", consistent.any(axis=1)),
        ):
            out.append(counted("decision", metric, conditions, int(hits.sum()), int(hits.size)))
        unseen = tried.known_p[mine] > ASKED
        metric = f"not seen by who knows zone, source and share, where {ASKED:.0%} of true ones are asked about"
        out.append(counted("decision", metric, conditions, int(unseen.sum()), int(unseen.size)))
    return out


def table_weight_of(release: Release) -> float:
    """Return the weight of the tables beside the explicit model; up to format 2 there were none."""
    return float(release.manifest.get("evidence", {}).get("table_weight", 0.0))


def refitted(release: Release, prepared: Prepared, train: Ints) -> Release:
    """Return the release with its parcel model fitted anew to the parcels at `train` (positions in the package)."""
    rows = np.flatnonzero(np.isin(prepared.rows, train))
    tables, learnt = None, release.model.tables
    vote = None if learnt is None else learnt.vote
    fitted = fit_model(prepared, rows, table_weight=table_weight_of(release), table_vote=vote)
    if learnt is not None:
        drawn = resample(prepared.groups[rows], n_resamples=len(release.model.resampled_sources), seed=0)
        arrays = prepared.arrays.take(rows)
        tables = resample_tables(fitted.tables, arrays, fitted.structure, prepared.groups[rows], drawn)
    return replace(
        release,
        model=replace(
            release.model,
            structure=fitted.structure,
            predictor=fitted.predictor,
            bands=fitted.bands,
            tables=tables,
        ),
    )


@dataclass(frozen=True, slots=True)
class Refits:
    """A release refitted for every split of a package."""

    package: ReferencePackage
    parts: tuple[tuple[Split, Release], ...]

    @classmethod
    def of(cls, release: Release, package: ReferencePackage, splits: Sequence[Split]) -> Refits:
        """Fit once for each split.

        Raises
        ------
        ValueError
            Where the package does not hold the zones of the release.
        """
        prepared = prepare(package, minimum_parcels=int(release.manifest["config"]["minimum_parcels"]))
        if prepared.zone_ids != release.zone_ids or prepared.zone_ids != zones_of(package):
            raise ValueError(f"the package must hold the release's zones {release.zone_ids}, got {zones_of(package)}")
        return cls(package, tuple((split, refitted(release, prepared, split.train)) for split in splits))

    def examine(self, batch: Batch, parcel: Ints) -> tuple[Examination, ...]:
        """Examine parcels that derive from reference parcels by the refit that did not learn from these.

        Parameters
        ----------
        batch : Batch of n parcels
            With declarations and export dates.
        parcel : ndarray of shape (n,)
            Position of the reference parcel that each derives from.
        """
        found: dict[int, Examination] = {}
        for split, release in self.parts:
            rows = np.flatnonzero(np.isin(parcel, split.test))
            if rows.size:
                said = examinations_of(batch.take(rows), release, status_on=_ANY_DAY)
                found.update(zip(rows.tolist(), said, strict=True))
        return tuple(found[row] for row in range(len(batch)))


SET_STONES = (60, 150)
"""Stones of each parcel, where it has more, on which sets of zones are measured beside the parcels as collected."""
_ANY_DAY = date(2000, 1, 1)  # every parcel below has an export date of its own


def declared_batch(package: ReferencePackage, trials: Trials) -> Batch:
    """Return a parcel for each trial: the reference parcel with that declaration, exported on that day."""
    zones = zones_of(package)
    return Batch(
        tuple(
            replace(
                package.batch.parcels[parcel],
                declarations=(Declaration(zone_id=zones[declared]),),
                exported_on=trials.days[day].day,
            )
            for parcel, declared, day in zip(trials.parcel, trials.declared, trials.day, strict=True)
        )
    )


def product_shares(refits: Refits, days: tuple[ExportDay, ...], train: Ints) -> Callable[[Batch, Ints], Shares]:
    """Return what tells undeclared shares as the product does, by the refit that learnt from these parcels.

    Each parcel is examined as exported on a day when its declared zone was compliant, where there is one.
    """
    release = next(release for split, release in refits.parts if np.array_equal(split.train, train))

    def tell(batch: Batch, declared: Ints) -> Shares:
        on = [next((item.day for item in days if item.compliant[zone]), days[-1].day) for zone in declared]
        shown = Batch(tuple(replace(parcel, exported_on=day) for parcel, day in zip(batch, on, strict=True)))
        return shares_of(examinations_of(shown, release, status_on=_ANY_DAY))

    return tell


def shares_of(examinations: Sequence[Examination]) -> Shares:
    """Collect what examinations say of undeclared stones, NaN where they say nothing; ValueError at another level."""
    rows = []
    for examination in examinations:
        if examination.mixture is None:  # not comparable: too few stones, or weights unlike any zone's
            rows.append((np.nan, np.nan, np.nan, np.nan))
            continue
        fraction = examination.mixture.undeclared_stone_fraction
        if abs(fraction.level - LEVEL) > 1e-9:
            raise ValueError(f"level must be {LEVEL}, got {fraction.level}")
        rows.append((fraction.estimate, fraction.low, fraction.high, examination.mixture.p_value))
    return Shares(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def examined(
    refits: Refits, trials: Trials, n_resamples: int
) -> tuple[list[Result], list[DecisionErrors], list[NoveltyCell]]:
    """Conclusions on every trial, and the product's own novelty of known zones, as collected and sieved."""
    package = refits.package
    draws = Draws(np.random.default_rng(SEED), n_resamples)
    said = refits.examine(declared_batch(package, trials), trials.parcel)
    results = decision_results(trials, said, draws=draws)
    decisions = decision_errors(trials, said, n_stones_of(package.batch))

    # One true declaration of each parcel, on the last day on which its zone was compliant.
    true = trials.where(trials.is_h1)
    last = {int(parcel): i for i, parcel in enumerate(true.parcel)}
    one_each = true.where(np.isin(np.arange(true.parcel.size), list(last.values())))
    others = one_each.of_another_compliant(draws.rng)
    if others.parcel.size:
        results.append(other_zone_result(refits.examine(declared_batch(package, others), others.parcel)))
    conditions, sieved = next(hardships(package, seed=SEED))
    cells = []
    for kind, shown in (("known zone", package.batch), (f"known zone, {conditions}", sieved)):
        batch = declared_batch(replace(package, batch=shown), one_each)
        found = refits.examine(batch, one_each.parcel)
        p_values = np.array([e.novelty.p_value for e in found if e.novelty is not None])
        if p_values.size:  # parcels of a few stones resemble nothing
            cells.append(novelty_cell(kind, p_values))
    return [*results, *(novelty_result(cell) for cell in cells)], decisions, cells


def prediction_sets(refits: Refits, day: ExportDay, trusted: Bools) -> list[Result]:
    """How often the set of zones named at its level holds a held-out parcel's zone, and how many zones it names.

    Measured on parcels as collected, and on some stones of each. Parcels that are too small to resemble anything name
    no zones and are passed over.
    """
    rows = np.flatnonzero(trusted)
    parcels = [replace(refits.package.batch.parcels[i], exported_on=day.day) for i in rows]
    rng, results = np.random.default_rng(SEED), []
    for most in (None, *SET_STONES):
        shown = parcels if most is None else [subsample(parcel, most, rng=rng) for parcel in parcels]
        examined = zip(rows, refits.examine(Batch(tuple(shown)), rows), strict=True)
        named = [(refits.package.zone_of[i], one.attribution) for i, one in examined if one.attribution is not None]
        if not named:
            continue
        inside = [zone in said.prediction_set for zone, said in named]
        level, conditions = named[0][1].level, "as collected" if most is None else f"{most} stones of each"
        held = counted("attribution", f"{level:.0%} set holds the zone", conditions, sum(inside), len(inside))
        size = float(np.mean([len(said.prediction_set) for _, said in named]))
        results += [held, replace(held, metric=f"zones in the {level:.0%} set", value=size, low=None, high=None)]
    return results


SHARES, SIZES = (0.0, 0.1, 0.3, 0.5), (300, 800)
"""Of undeclared goods in blends, and how many stones these have."""


def blend_of(
    package: ReferencePackage, pair: tuple[int, int], n_stones: tuple[int, int], *, rng: np.random.Generator
) -> Parcel:
    """Draw stones of the two parcels at `pair`, and declare the zones of both with the drawn carats."""
    parcels = [package.batch.parcels[position] for position in pair]
    halves = [mix(item, item, 0.0, n, rng=rng) for item, n in zip(parcels, n_stones, strict=True)]
    declared = tuple(
        Declaration(zone_id=package.zone_of[position], carats=half.carats)
        for position, half in zip(pair, halves, strict=True)
    )
    return replace(with_stones(parcels[0], together(*halves)), declarations=declared)


def virtual_blends(
    package: ReferencePackage, which: Ints, zones: Sequence[str], n: int, *, rng: np.random.Generator
) -> Batch:
    """Blend pairs of parcels of two of `zones` and declare both with their true carats: nothing is undeclared.

    Parameters
    ----------
    which : ndarray of int
        Positions of the parcels to blend.
    zones : sequence of str
        Zones to take parcels of (those compliant on a day, say), two or more of which `which` has parcels.
    n : int
        Blends.
    """
    usable, sizes = _usable(package, which, zones), n_stones_of(package.batch)
    made = []
    for k in range(n):
        first, second = _pair(package, usable, rng)
        share = float(rng.uniform(0.15, 0.85))
        n_stones = int(np.clip(np.exp(rng.normal(np.log(500), 0.7)), 60, 3000))
        n_stones = min(n_stones, int(sizes[first] / (1.0 - share)), int(sizes[second] / share))  # no stone twice
        if n_stones < 2:  # parcels of a stone or two make no blend
            continue
        n_second = min(max(round(share * n_stones), 1), n_stones - 1)
        blend = blend_of(package, (first, second), (n_stones - n_second, n_second), rng=rng)
        made.append(replace(blend, parcel_id=f"blend-{k:04}"))
    return Batch(tuple(made))


def mixed_blends(
    package: ReferencePackage, which: Ints, day: ExportDay, n_each: int, *, rng: np.random.Generator
) -> Mixtures:
    """Put goods of zones that were not compliant on a day into blends of two that were, at every share and size.

    No stone is drawn twice; what cannot be had of the parcels at hand is left out.
    """
    zones, codes, sizes = zones_of(package), zone_codes(package), n_stones_of(package.batch)
    usable = _usable(package, which, [zone for zone, yes in zip(zones, day.compliant, strict=True) if yes])
    elsewhere = which[~day.compliant[codes[which]]]
    made, rows = [], []
    for share in SHARES:
        for n_stones in SIZES:
            for _ in range(n_each):
                first, second = _pair(package, usable, rng)
                n_foreign = round(share * n_stones)
                n_second = round(float(rng.uniform(0.2, 0.8)) * (n_stones - n_foreign))
                n_first = n_stones - n_foreign - n_second
                enough = elsewhere[sizes[elsewhere] >= n_foreign]
                if sizes[first] < n_first or sizes[second] < n_second or enough.size == 0:
                    continue
                foreign = prepared_alike(package, first, enough, rng)
                parcel = blend_of(package, (first, second), (n_first, n_second), rng=rng)
                if n_foreign:
                    other = package.batch.parcels[foreign]
                    parcel = with_stones(parcel, together(parcel, mix(other, other, 0.0, n_foreign, rng=rng)))
                made.append(replace(parcel, exported_on=day.day))
                rows.append((codes[first], codes[foreign], first, n_stones, n_foreign / n_stones))
    return Mixtures.of(made, rows)


def measure_blends(
    refits: Refits, days: tuple[ExportDay, ...], trusted: Bools, *, n_each: int, rng: np.random.Generator
) -> tuple[list[Result], list[CoverageCell], list[DetectionCell]]:
    """Examine blends of held-out parcels on the last day on which two zones or more were compliant and one was not.

    Parameters
    ----------
    trusted : ndarray of shape (n_parcels,), bool
        Parcels to blend.
    n_each : int
        True blends of each fold; mixed ones come a tenth as many for each share and size.
    """
    day = next((item for item in reversed(days) if 2 <= item.compliant.sum() < item.compliant.size), None)
    if day is None:
        return [], [], []
    package = refits.package
    compliant = [zone for zone, yes in zip(zones_of(package), day.compliant, strict=True) if yes]
    said: list[Examination] = []
    coverage: list[CoverageCell] = []
    detection: list[DetectionCell] = []
    for split, release in refits.parts:
        part = Refits(package, ((split, release),))
        which = split.test[trusted[split.test]]
        if len({package.zone_of[i] for i in which} & set(compliant)) < 2:
            continue
        true = virtual_blends(package, which, compliant, n_each, rng=rng)
        true = Batch(tuple(replace(parcel, exported_on=day.day) for parcel in true))
        said += part.examine(true, np.full(len(true), split.test[0]))
        mixed = mixed_blends(package, which, day, max(n_each // 10, 1), rng=rng)
        if not len(mixed.batch):
            continue
        held, found = measured(mixed, shares_of(part.examine(mixed.batch, mixed.parcel)), kind="blend")
        coverage, detection = coverage + held, detection + found
    return blend_results(said) if said else [], coverage, detection


def _usable(package: ReferencePackage, which: Ints, zones: Sequence[str]) -> list[int]:
    return [int(i) for i in which if package.zone_of[i] in set(zones)]


def _pair(package: ReferencePackage, usable: Sequence[int], rng: np.random.Generator) -> tuple[int, int]:
    first = int(rng.choice(usable))
    others = np.array([i for i in usable if package.zone_of[i] != package.zone_of[first]], dtype=np.intp)
    return first, prepared_alike(package, first, others, rng)
