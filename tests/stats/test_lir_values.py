"""A second opinion: values that NFI's lir computed in an environment of its own (see golden/make_lir_values.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpfootprint.stats.calibration import elub_bounds
from kpfootprint.stats.metrics import cllr, cllr_min, empirical_cross_entropy

GOLDEN = Path(__file__).parents[1] / "golden" / "lir.json"
CASES = ["good", "overconfident", "shifted", "ties", "small", "uninformative", "extreme"]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert sorted(loaded["cases"]) == sorted(CASES)
    return loaded


@pytest.mark.parametrize("name", CASES)
def test_costs_agree(document: dict[str, Any], name: str) -> None:
    case = document["cases"][name]
    assert cllr(case["h1"], case["h2"]) == pytest.approx(case["cllr"], rel=1e-14)
    assert cllr_min(case["h1"], case["h2"]) == pytest.approx(case["cllr_min"], rel=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_bounds_agree(document: dict[str, Any], name: str) -> None:
    case = document["cases"][name]
    h1, h2 = np.array(case["h1"]), np.array(case["h2"])
    found = elub_bounds(h1, h2, weights=(np.ones(h1.size), np.ones(h2.size)), counts=(h1.size, h2.size))
    np.testing.assert_allclose(found, case["elub"], atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_curves_agree(document: dict[str, Any], name: str) -> None:
    case = document["cases"][name]
    curves = empirical_cross_entropy(case["h1"], case["h2"], document["log10_prior_odds"])
    # lir goes through 1 - p, which loses digits where the odds are large.
    np.testing.assert_allclose(curves.observed, case["ece"], rtol=1e-6)
