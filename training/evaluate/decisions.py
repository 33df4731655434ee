"""Errors of the conclusion and true blends, counted on examinations of parcels that the model did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from kpfootprint.comparison.results import Examination
from kpfootprint.conclusions import CONSISTENT
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.shares import NONE_P
from training.declarants import N_TRIES, SHARES, Tried
from training.evaluate.trials import Draws, Trials, counted
from training.record import NO_END, DecisionErrors, Line, Result

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


def tried_results(tried: Tried | None) -> list[Result]:
    """Return how often declarants who try are called consistent, under their own zone and under the kindest of all."""
    if tried is None:
        return []
    out = []
    for share in SHARES:
        mine = (tried.share == share) & (tried.n_stones >= SIZE_EDGES[0])
        if not mine.any():
            continue
        consistent = tried.conclusion[mine] == CONSISTENT
        conditions = f"{share:.0%} undeclared"
        for metric, hits in (
            ("own zone called consistent", consistent[:, 0]),
            (f"kindest of {N_TRIES} declarations called consistent", consistent.any(axis=1)),
        ):
            out.append(counted("decision", metric, conditions, int(hits.sum()), int(hits.size)))
        unseen = tried.known_p[mine] > ASKED
        metric = f"not seen by who knows zone, source and share, where {ASKED:.0%} of true ones are asked about"
        out.append(counted("decision", metric, conditions, int(unseen.sum()), int(unseen.size)))
    return out
