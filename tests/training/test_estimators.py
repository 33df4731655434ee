"""The estimators keep scikit-learn's promises; what they do not keep is listed with its reason."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from kpfootprint.stats.tables import fit_table
from training.estimators import TableClassifier

EXCEPTIONS = {"check_classifiers_train": "its clouds differ in their totals; a table of counts looks at shares alone"}
"""Checks that are not kept, and why."""


@pytest.mark.slow
def test_scikit_learn_finds_nothing_to_complain_of() -> None:
    found = check_estimator(TableClassifier(), expected_failed_checks=EXCEPTIONS, on_skip=None, on_fail=None)
    failed = {one["check_name"]: repr(one["exception"])[:200] for one in found if one["status"] == "failed"}
    assert failed == {}


def test_a_clone_is_as_its_parameters_say_and_learns_what_the_release_learns() -> None:
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(5), 3)
    groups = np.repeat(np.arange(3), 12)
    counts = np.array([rng.multinomial(200, rng.dirichlet(80 * shares[g])) for g in groups]).astype(float)
    model = clone(TableClassifier(variance_factor=3.0))
    assert model.get_params() == {"variance_factor": 3.0}
    table = fit_table(counts, groups, 3)
    np.testing.assert_array_equal(model.fit(counts, groups).table_.shares, table.shares)
    assert cross_val_score(TableClassifier(), counts, groups, cv=4).mean() > 0.9
    wide, plain = model.predict_proba(counts), TableClassifier().fit(counts, groups).predict_proba(counts)
    assert wide.max(axis=1).mean() < plain.max(axis=1).mean()
