"""Simulated parcels from sources that nobody has sampled, near a known zone and far from all: support, and flags."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from kpfootprint.release import Release
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.model import FootprintModel, look
from kpfootprint.stats.novelty import highest_log10_lr
from kpfootprint.stats.selection import elsewhere
from kpfootprint.stats.structure import ParcelArrays
from kpfootprint.stats.verification import log10_lr_of
from training.evaluate.novelty import novelty_cell, novelty_result
from training.evaluate.trials import counted
from training.prepare import Fitted, Prepared
from training.record import NoveltyCell, Result
from training.scenarios import KINDS, Scenario, Truth
from training.simulation import simulate

ONLY_UNLISTED = tuple(float(kind in ("near", "far")) for kind in KINDS)


def simulated_nowhere(
    release: Release, prepared: Prepared, fitted: Fitted, *, n: int, seed: int, n_jobs: int
) -> tuple[list[Result], list[NoveltyCell]]:
    """Draw unlisted sources around the fitted zones, declare their parcels as compliant zones, and weigh them.

    What is drawn comes from the fitted model, so this flatters; zones left out in turn are the sterner test.

    Parameters
    ----------
    n : int
        Parcels, half of them near a listed zone.
    """
    scenario = replace(scenario_of(release), kinds=ONLY_UNLISTED, sieved=0.0)
    view = partial(_weighed, model=release.model, unlisted_weight=release.unlisted_weight)
    parts, truth = simulate(
        view, fitted, scenario, prepared.allowed_sets, n=n, seed=np.random.SeedSequence(seed), n_jobs=n_jobs
    )
    log10_lr, p_value = (np.concatenate(column) for column in zip(*parts, strict=True))
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
    settings: dict[str, Any] = dict(release.manifest["config"]["scenario"])
    return Scenario(**settings | {"stones_limits": tuple(settings["stones_limits"])})


def _weighed(
    arrays: ParcelArrays, truth: Truth, *, model: FootprintModel, unlisted_weight: float
) -> tuple[Floats, Floats]:
    """Return bounded log10 LRs and novelty p-values of a chunk."""
    looked = look(model, arrays, truth.declared)
    ln_n = looked.ln_n
    alternatives = elsewhere(truth.declared, truth.allowed)
    p_value = model.novelty.p_values(looked.strangeness, ln_n)
    weight = np.full(len(ln_n), unlisted_weight)
    log10_lr = log10_lr_of(model, looked.evidence, alternatives, weight, ln_n)
    return model.calibration.bounded(log10_lr, highest_log10_lr(p_value)), p_value
