"""Time the reading of a million stones against `pandas.read_csv` of the same file.

Run with ``python -m benchmarks.bench_ingest`` or ``python benchmarks/bench_ingest.py``. Rounds are interleaved and the
medians are printed, with their ratio, and the median time of `ingest_json` for a parcel of 1,000 stones.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from kpfootprint.ingest import ingest_file, ingest_json, ingest_submission
from training.package import load_package

REFERENCE = Path(__file__).parents[1] / "data" / "reference"


def write_stones(path: Path, n_stones: int, *, decimals: int, parcels: int) -> None:
    """Write a stones CSV of made-up weights, colours and shapes."""
    scheme = load_package(REFERENCE).scheme
    rng = np.random.default_rng(20261)
    columns = [np.maximum(np.exp(rng.normal(-1.5, 0.8, n_stones)), 0.01).round(decimals).astype(str)]
    columns += [
        np.array(item.class_names)[rng.integers(len(item.classes), size=n_stones)] for item in scheme.categorical
    ]
    if parcels > 1:
        columns.insert(0, np.char.add("P", np.sort(rng.integers(parcels, size=n_stones)).astype(str)))
    header = (["parcel_id"] if parcels > 1 else []) + ["weight_ct", *(item.column for item in scheme.categorical)]
    rows = "\n".join(map(",".join, zip(*(column.tolist() for column in columns), strict=True)))
    path.write_text(",".join(header) + "\n" + rows + "\n", encoding="utf-8")


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Print the ratios."""
    import pandas as pd

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stones", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    package = load_package(REFERENCE)
    with tempfile.TemporaryDirectory() as folder:
        for decimals, parcels in ((2, 1), (4, 1), (2, 1000)):
            path = Path(folder) / f"stones{parcels}.csv"
            write_stones(path, options.stones, decimals=decimals, parcels=parcels)
            ingest = partial(
                ingest_file if parcels == 1 else ingest_submission, path, package.scheme, package.zone_table
            )
            ours, theirs = [], []
            for _ in range(options.rounds):
                theirs.append(timed(partial(pd.read_csv, path)))
                ours.append(timed(ingest))
            a, b = statistics.median(ours), statistics.median(theirs)
            print(f"{options.stones:,} stones, {decimals} decimals, {parcels} parcels:", end=" ")
            print(f"{a:.2f} s, read_csv {b:.2f} s, ratio {a / b:.2f}")
    rng = np.random.default_rng(1)
    document = {
        "parcel_id": "bench",
        "declarations": [{"zone_id": "berberati", "carats": 100.0}],
        "stones": {
            "weight_ct": np.maximum(np.exp(rng.normal(-1.5, 0.8, 1000)), 0.01).round(2).tolist(),
            **{
                item.column: np.array(item.class_names)[rng.integers(len(item.classes), size=1000)].tolist()
                for item in package.scheme.categorical
            },
        },
    }
    times = [timed(lambda: ingest_json(document, package.scheme, package.zone_table)) for _ in range(200)]
    print(f"ingest_json of 1,000 stones: {statistics.median(times) * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
