"""Write lir.json: what NFI's `lir` computes for a few sets of log10 LRs, a second opinion for kpfootprint.stats.

Run it in an environment of its own, `lir` is no dependency of this project:

    python3.11 -m venv lir-env
    lir-env/bin/pip install lir==1.3.1
    lir-env/bin/python tests/golden/make_lir_values.py tests/golden/lir.json
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from lir.algorithms.bayeserror import elub  # type: ignore[import-not-found]
from lir.data.models import LLRData  # type: ignore[import-not-found]
from lir.metrics import cllr, cllr_min  # type: ignore[import-not-found]
from lir.plotting.expected_calibration_error import calculate_ece  # type: ignore[import-not-found]

LOG10_PRIOR_ODDS = [-2.0, -0.5, 0.0, 1.0]


def _cases() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(20160525)
    good = rng.normal(1.0, 1.2, 80), rng.normal(-1.0, 1.2, 300)
    return {
        "good": good,
        "overconfident": (3 * good[0], 3 * good[1]),
        "shifted": (good[0] + 1, good[1] + 1),
        "ties": (np.round(good[0]), np.round(good[1])),
        "small": (rng.normal(0.5, 1.0, 6), rng.normal(-0.5, 1.0, 9)),
        "uninformative": (rng.normal(0.0, 0.2, 50), rng.normal(0.0, 0.2, 50)),
        "extreme": (np.concatenate([good[0], [12.0, -11.0]]), np.concatenate([good[1], [-15.0]])),
    }


def _values(h1: np.ndarray, h2: np.ndarray) -> dict[str, Any]:
    llrs = np.concatenate([h1, h2])
    labels = np.concatenate([np.ones(h1.size, dtype=int), np.zeros(h2.size, dtype=int)])
    data = LLRData(features=llrs.reshape(-1, 1), labels=labels)
    priors = 1 / (1 + 10.0 ** -np.array(LOG10_PRIOR_ODDS))
    return {
        "h1": h1.tolist(),
        "h2": h2.tolist(),
        "cllr": cllr(data),
        "cllr_min": cllr_min(data),
        "ece": calculate_ece(10.0**llrs, labels, priors).tolist(),
        "elub": [float(bound) for bound in elub(llrs.copy(), labels)],
    }


def main(target: Path) -> None:
    """Write the values to `target`."""
    document = {
        "lir": version("lir"),
        "numpy": version("numpy"),
        "log10_prior_odds": LOG10_PRIOR_ODDS,
        "cases": {name: _values(*case) for name, case in _cases().items()},
    }
    target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
