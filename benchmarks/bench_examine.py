"""A full examination of 1,000 stones against one row through a random forest of 500 trees, in turns in one run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from kpfootprint.flow import examine
from kpfootprint.parcel import Batch, Declaration, Parcel, Stones
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import load_release, shipped_release
from training.package import load_package

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
N_STONES = 1000
ROUNDS = 25


def a_parcel(package: ReferencePackage) -> Parcel:
    """Return the first `N_STONES` stones of the first reference parcel that has as many, declared as its zone."""
    for parcel, zone in zip(package.batch, package.zone_of, strict=True):
        if parcel.stones is not None and parcel.n_stones >= N_STONES:
            weight_ct = parcel.stones.weight_ct[:N_STONES].copy()
            codes = {name: column[:N_STONES].copy() for name, column in parcel.stones.codes.items()}
            return replace(
                parcel,
                n_stones=N_STONES,
                carats=float(weight_ct.sum()),
                stones=Stones(weight_ct=weight_ct, codes=codes),
                declarations=(Declaration(zone_id=zone),),
                declared_carats=None,
            )
    raise LookupError(f"no reference parcel has {N_STONES} stones")


def shares(package: ReferencePackage) -> np.ndarray:
    """Return the share of every class of every attribute in each parcel, shape (n_parcels, n_classes)."""
    edges = [*package.scheme.size.sieve_set.lower_ct, np.inf]
    rows = []
    for parcel in package.batch:
        counts = [np.histogram(parcel.stone_list.weight_ct, edges)[0]]
        counts += [
            np.bincount(parcel.stone_list.codes[item.name], minlength=len(item.classes))
            for item in package.scheme.categorical
        ]
        rows.append(np.concatenate(counts) / parcel.n_stones)
    return np.array(rows)


def seconds(action: Callable[[], object]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start


def main() -> None:
    """Print both medians and their ratio."""
    package = load_package(REFERENCE)
    release, batch = load_release(shipped_release()), Batch((a_parcel(package),))
    table = shares(package)
    forest = RandomForestClassifier(500, random_state=0).fit(table, package.zone_of)
    now = datetime(2025, 3, 31, tzinfo=UTC)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(seconds(lambda: examine(batch, release, status_on=now.date(), created_at=now)))
        theirs.append(seconds(lambda: forest.predict_proba(table[:1])))
    a, b = median(ours), median(theirs)
    took = f"{a * 1e3:.1f} ms, a row of the forest {b * 1e3:.1f} ms"
    print(f"examination of {N_STONES} stones {took}: ratio {a / b:.2f}")


if __name__ == "__main__":
    main()
