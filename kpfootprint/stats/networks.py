"""Small feed-forward networks as plain arrays: the forward pass alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from kpfootprint.stats.arrays import Floats

Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A classifier with rectified hidden layers and a softmax on top.

    Parameters
    ----------
    location, scale : ndarray of shape (F,)
        Inputs are centred and scaled by these, then clipped to eight scales.
    weights : tuple of ndarray of shape (n_in, n_out)
        One for each layer.
    biases : tuple of ndarray of shape (n_out,)
        One for each layer.
    """

    location: Singles
    scale: Singles
    weights: tuple[Singles, ...]
    biases: tuple[Singles, ...]

    def standardise(self, features: NDArray[np.floating]) -> Singles:
        """Return the inputs of the first layer."""
        scaled = (features.astype(np.float32) - self.location) / self.scale
        out: Singles = np.clip(scaled, -8.0, 8.0)
        return out

    def probabilities(self, features: NDArray[np.floating]) -> Floats:
        """Return class probabilities (n, n_classes) for features (n, F).

        Raises
        ------
        ValueError
            If the number of features is not that of the first layer.
        """
        if features.shape[1] != self.location.size:
            raise ValueError(f"features must have {self.location.size} columns, got {features.shape[1]}")
        # doubles: in singles a row's last digits would depend on how many rows there are
        hidden = self.standardise(features).astype(np.float64)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = np.maximum(hidden @ weight + bias, 0.0)
        logits = hidden @ self.weights[-1] + self.biases[-1]
        return softmax(logits, axis=1)
