from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.networks import Network
from training.amortise import fit_network
from training.config import read_config


def a_network(classifier: MLPClassifier, features: Floats) -> Network:
    return Network(
        location=np.zeros(features.shape[1], np.float32),
        scale=np.ones(features.shape[1], np.float32),
        weights=tuple(w.astype(np.float32) for w in classifier.coefs_),
        biases=tuple(b.astype(np.float32) for b in classifier.intercepts_),
    )


def test_forward_pass_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(400, 6))
    labels = (features[:, 0] > 0.3).astype(int) + (features[:, 1] > 0)
    classifier = MLPClassifier((12, 8), max_iter=20, random_state=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(features, labels)
    inside = np.clip(features, -7.9, 7.9)
    ours = a_network(classifier, features).probabilities(inside)
    np.testing.assert_allclose(ours, classifier.predict_proba(inside), atol=1e-5)


@pytest.mark.parametrize("present", [(0, 1, 2, 3), (0, 2, 3), (1, 3)])
def test_a_fitted_network_gives_no_chance_to_classes_that_never_occurred(present: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    centre = rng.normal(size=(4, 5)) * 4
    labels = rng.choice(np.array(present), 600).astype(np.intp)
    features = centre[labels] + rng.normal(size=(600, 5))
    config = replace(read_config(), seed=1, stages=((1e-2, 15),), penalty=1e-4, batch=64)
    network = fit_network(features, labels, n_classes=4, hidden=(16,), config=config)
    chances = network.probabilities(features)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-12)
    assert (chances.argmax(axis=1) == labels).mean() > 0.95
    for absent in set(range(4)) - set(present):
        assert chances[:, absent].max() < 1e-12


def test_inputs_are_clipped_at_eight_scales() -> None:
    network = Network(
        location=np.array([1.0], np.float32),
        scale=np.array([2.0], np.float32),
        weights=(np.array([[1.0, -1.0]], np.float32),),
        biases=(np.zeros(2, np.float32),),
    )
    far = network.probabilities(np.array([[17.0], [1e9], [-15.0], [-1e9]]))
    np.testing.assert_allclose(far[0], far[1])
    np.testing.assert_allclose(far[2], far[3])
    assert far[0, 0] == pytest.approx(1 / (1 + np.exp(-16)))


def test_a_wrong_width_is_refused() -> None:
    network = Network(
        location=np.zeros(3, np.float32),
        scale=np.ones(3, np.float32),
        weights=(np.zeros((3, 2), np.float32),),
        biases=(np.zeros(2, np.float32),),
    )
    with pytest.raises(ValueError, match="must have 3 columns, got 4"):
        network.probabilities(np.zeros((1, 4)))
