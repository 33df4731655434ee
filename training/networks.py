"""Fit small networks with scikit-learn and keep them as plain arrays."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from kpfootprint.stats.arrays import Ints
from kpfootprint.stats.networks import Network


def fit_network(
    features: NDArray[np.floating],
    labels: Ints,
    *,
    n_classes: int,
    hidden: tuple[int, ...],
    stages: Sequence[tuple[float, int]],
    penalty: float,
    batch: int,
    random_state: int,
) -> Network:
    """Fit a classifier in stages of falling learning rate.

    Parameters
    ----------
    features : ndarray of shape (n, F)
        Inputs; they are centred, scaled and clipped as `Network.standardise` does.
    labels : ndarray of shape (n,)
        Classes 0 to ``n_classes - 1``; a class that does not occur gets chance 0.
    stages : sequence of (learning rate, passes)
        Adam's learning rate and the number of passes over the data.
    """
    location = features.mean(axis=0).astype(np.float32)
    scale = np.maximum(features.std(axis=0), 1e-3).astype(np.float32)
    empty = Network(location=location, scale=scale, weights=(), biases=())
    inputs = empty.standardise(features)
    estimator = MLPClassifier(
        hidden, alpha=penalty, batch_size=min(batch, len(labels)), tol=0.0, random_state=random_state, warm_start=True
    )
    with warnings.catch_warnings(), threadpool_limits(1):  # threads that wait for a busy core cost more than they bring
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of passes is set, not found
        for rate, passes in stages:
            estimator.set_params(learning_rate_init=rate, max_iter=passes)
            estimator.fit(inputs, labels)
    weights = [weight.astype(np.float32) for weight in estimator.coefs_]
    biases = [bias.astype(np.float32) for bias in estimator.intercepts_]
    present = np.asarray(estimator.classes_, dtype=np.intp)
    last = np.zeros((weights[-1].shape[0], n_classes), dtype=np.float32)
    final = np.full(n_classes, -60.0, dtype=np.float32)
    if present.size == 2 and weights[-1].shape[1] == 1:
        last[:, present[1]], final[present] = weights[-1][:, 0], np.array([0.0, biases[-1][0]])
    else:
        last[:, present], final[present] = weights[-1], biases[-1]
    return Network(location=location, scale=scale, weights=(*weights[:-1], last), biases=(*biases[:-1], final))
