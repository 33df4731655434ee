"""Parcels of sources that nobody has sampled: real ones whose zone is left out in turn, and simulated ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kpfootprint.comparison.weigh import judge
from kpfootprint.plain import built
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Floats, Ints, ParcelArrays, n_alike
from kpfootprint.stats.model import look
from training.evaluate.methods import fit_splits, held_out
from training.evaluate.setting import Setting, novelty_cell, novelty_result
from training.evaluate.trials import Draws, Trials, counted, verification_trials
from training.folds import leave_one_zone_out
from training.record import Line, NoveltyCell, Result
from training.scenarios import KINDS, Scenario, Truth
from training.simulate import Urn, simulate


@dataclass(frozen=True, slots=True)
class OpenWorld:
    """What is said of parcels whose zone was left out.

    `log10_lr` belongs to `trials` (all of them H2); `strangeness` (n_parcels,) is None where the method has none.
    """

    trials: Trials
    log10_lr: Floats
    strangeness: Floats | None


def open_world(setting: Setting, known: Floats) -> OpenWorld:
    """Leave each zone out in turn, and declare its parcels as each compliant zone on the days it was not compliant.

    That is what H2's unlisted source stands for. Many a zone left out has a neighbour like itself among the compliant
    ones, so this is a hard test. LRs are calibrated and bounded by the trials of all zones.

    Parameters
    ----------
    known : ndarray of shape (n_parcels, n_zones + 1)
        Evidence of the parcels while their zones were known, to calibrate by.
    """
    package, codes = setting.package, setting.codes
    fits = fit_splits(setting.method, package, leave_one_zone_out(package.zone_of))
    evidence, strangeness = held_out(fits, package.batch, setting.n_zones)
    # A zone that was left out is no alternative either: its column says nothing.
    evidence[np.arange(codes.size), codes] = -np.inf
    trials = verification_trials(np.full(codes.size, -1), setting.days)
    was_compliant = np.stack([item.compliant for item in setting.days])[trials.day, codes[trials.parcel]]
    trials = trials.where(~was_compliant & setting.trusted[trials.parcel])
    calibration = setting.calibration(known)
    found = setting.scores(evidence, trials)
    # Where the zone left out was the only alternative, there is nothing to set the declaration against.
    usable = np.isfinite(found.asked)
    trials, found = trials.where(usable), found.where(usable)
    ln_n = np.log(setting.n_stones[trials.parcel])
    return OpenWorld(trials, found.log10_lr(calibration, ln_n), strangeness)


def open_world_results(found: OpenWorld, zone: Ints, *, draws: Draws) -> list[Result]:
    """Return how often a parcel from nowhere got LR > 10 and > 100: of all declarations, and of the best for it.

    The best declaration of a parcel on a day is the one with the highest LR: somebody who chooses what to declare
    chooses that. Zones weigh the same.
    """
    trials, lr = found.trials, found.log10_lr
    pair = trials.parcel * len(trials.days) + trials.day
    best = np.full(pair.max() + 1, -np.inf)
    np.maximum.at(best, pair, lr)
    which = np.unique(pair)
    best_parcel = which // len(trials.days)
    kinds = (
        ("zone left out, every declaration", lr, trials.parcel),
        ("zone left out, best declaration", best[which], best_parcel),
    )
    results: list[Result] = []
    for conditions, values, parcel in kinds:
        equal = 1.0 / n_alike(zone[parcel])
        for at in (10, 100):
            named: Line = ("open world", f"LR > {at} from nowhere", conditions)
            results.append(draws.share(values > np.log10(at), equal, parcel, zone[parcel], named=named))
    return results


ONLY_UNLISTED = tuple(float(kind in ("near", "far")) for kind in KINDS)


def simulated_nowhere(release: Release, urn: Urn, *, n: int, seed: int) -> tuple[list[Result], list[NoveltyCell]]:
    """Draw unlisted sources around the fitted zones, declare their parcels as compliant zones, and weigh them.

    What is drawn comes from the fitted model, so this flatters; zones left out in turn are the sterner test.

    Parameters
    ----------
    n : int
        Parcels, half of them near a listed zone.
    """
    scenario = replace(scenario_of(release), kinds=ONLY_UNLISTED, sieved=0.0)
    (log10_lr, p_value), truth = simulate(
        partial(_weighed, release=release), urn, scenario, n=n, seed=np.random.SeedSequence(seed)
    )
    results: list[Result] = []
    cells: list[NoveltyCell] = []
    for name in ("far", "near"):
        mine = truth.kind == KINDS.index(name)
        hits = int((log10_lr[mine] > 1).sum())
        results.append(counted("open world", "LR > 10 from nowhere", f"simulated, {name}", hits, int(mine.sum())))
        cells.append(novelty_cell(f"simulated, {name}", p_value[mine]))
    return results + [novelty_result(cell) for cell in cells], cells


def scenario_of(release: Release) -> Scenario:
    """Return what simulated parcels held when a release was made."""
    return built(Scenario, release.manifest["config"]["scenario"])


def _weighed(arrays: ParcelArrays, truth: Truth, *, release: Release) -> tuple[Floats, Floats]:
    """Return bounded log10 LRs and novelty p-values of a chunk."""
    signs = judge(release, look(release.model, arrays, truth.declared), truth.allowed).signs
    return signs.log10_lr, signs.novelty_p
