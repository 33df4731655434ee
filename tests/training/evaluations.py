"""A small invented evaluation that holds every kind of entry."""

from __future__ import annotations

import numpy as np

from training.acceptance import Criteria
from training.record import (
    CoverageCell,
    DecisionErrors,
    DetectionCell,
    Evaluation,
    NoveltyCell,
    Result,
    Suspect,
    Trial,
)


def make_trials(*, gap: float = 1.5, seed: int = 3, n: int = 80) -> tuple[Trial, ...]:
    """Make trials whose log10 LRs lie `gap` above (true) and below 0 (false), two declarations a parcel."""
    rng = np.random.default_rng(seed)
    return tuple(
        Trial(
            parcel_id=f"P{i // 2:03}",
            true_zone="west" if i < n else "east",
            declared=("west", "north")[i % 2],
            day="2020-01-01",
            is_h1=i < n,
            n_stones=200,
            log10_lr=float(rng.normal(gap if i < n else -gap, 1.0)),
        )
        for i in range(2 * n)
    )


def make_evaluation(criteria: Criteria | None = None, *, release: str = "2026.1", gap: float = 1.5) -> Evaluation:
    """Make an evaluation that reaches every goal of `criteria`."""
    results = [
        Result(
            characteristic=c.characteristic,
            metric=c.metric,
            conditions=c.conditions,
            value=c.goal,
            low=c.goal - 0.01,
            high=c.goal + 0.01,
            n_parcels=100,
            n_trials=300,
        )
        for c in (criteria.criteria if criteria else ())
    ]
    return Evaluation(
        release=release,
        reference={"name": "test", "version": "1", "sha256": "0" * 64, "synthetic": True},
        quick=False,
        made={"seed": 1},
        bounds=(-1.5, 2.0),
        results=tuple(results),
        trials=make_trials(gap=gap),
        coverage=tuple(
            CoverageCell(
                kind=kind,
                share_low=share,
                share_high=share,
                n_stones_low=n,
                n_stones_high=n,
                level=0.9,
                covered=45,
                trials=50,
                mean_absolute_error=0.1,
            )
            for kind in ("single", "blend")
            for share in (0.0, 0.3)
            for n in (100, 1000)
        ),
        detection=tuple(
            DetectionCell(kind="single", n_stones=n, share=share, found=found, trials=20)
            for n, row in ((100, (1, 10, 17)), (1000, (1, 18, 20)))
            for share, found in zip((0.0, 0.2, 0.5), row, strict=True)
        ),
        novelty=(NoveltyCell(kind="known zone", alpha=0.05, flagged=3, trials=100),),
        decisions=(
            DecisionErrors(
                n_stones_low=50,
                n_stones_high=500,
                true_queried=1,
                true_trials=60,
                false_consistent=2,
                false_trials=90,
            ),
        ),
        suspects=(Suspect(parcel_id="P<1>", zone_id="west", reason="odd", chance=0.9),),
    )
