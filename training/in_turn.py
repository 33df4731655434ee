"""Reference parcels left out in turn, under their own declaration, as the networks of undeclared shares see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from joblib import delayed

from kpfootprint.stats.arrays import Floats, Ints, joined
from training.amortise import rank_view
from training.folds import Split
from training.prepare import Fitted, Prepared, fit_model
from training.progress import side_by_side
from training.rank import Ranked, ShareNetworks
from training.scenarios import Truth


def seen_in_turn(
    prepared: Prepared,
    splits: Sequence[Split],
    fitted: Fitted,
    networks: ShareNetworks,
    *,
    kept: Ints,
    prior: Floats | None,
    n_jobs: int,
) -> Ranked:
    """Return what the networks see of the parcels at `kept`, each declared as its zone and by a fit without it.

    `fitted`, of all parcels, gives the gate and the weight of the tables.
    """

    def one(split: Split) -> Ranked:
        rows = np.intersect1d(split.test, kept)
        refit = fit_model(prepared, split.train, table_weight=fitted.tables.weight, prior=prior)
        seen = partial(rank_view, fitted=replace(refit, gate=fitted.gate), networks=networks)
        found: Ranked = seen(prepared.arrays.take(rows), _true(prepared, rows))
        return found

    tasks = [delayed(one)(split) for split in splits if np.isin(split.test, kept).any()]
    out: Ranked = joined(side_by_side(tasks, n_jobs=n_jobs))
    return out


def _true(prepared: Prepared, rows: Ints) -> Truth:
    """Return the true declaration of parcels, on a day on which their zone was compliant, if there was one."""
    own, n_zones = prepared.groups[rows], len(prepared.zone_ids)
    declared = np.eye(n_zones)[own]
    allowed = prepared.allowed_sets[(prepared.allowed_sets[:, own] > 0).argmax(axis=0)] > 0
    none, no = np.zeros(rows.size), np.zeros(rows.size, dtype=bool)
    return Truth(
        kind=np.zeros(rows.size, dtype=np.intp),
        declared=declared,
        home=declared,
        source=own,
        foreign=none,
        share=none,
        allowed=allowed | (declared > 0),
        cut_low=no,
        cut_high=no,
    )
