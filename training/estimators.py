"""Statistics as scikit-learn estimators, where that is natural: rows of numbers in, one answer a row out.

Most of what a release does is no such thing (a parcel is several tables of counts with conditions, and a declaration
comes beside it), and is not forced into the shape.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.tables import ClassTable, fit_table, log_dirichlet_multinomial


class TableClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Dirichlet-multinomial table of one attribute as a classifier of parcels by their counts.

    Parameters
    ----------
    variance_factor : float
        How many times the variance between parcels of one source is taken, as in a report's sensitivity.

    Attributes
    ----------
    classes_ : ndarray of shape (Z,)
        The sources.
    table_ : ClassTable
        What was learnt: shares of each source, and the variance between parcels of one source.

    Examples
    --------
    >>> from training.estimators import TableClassifier
    >>> counts = [[30, 10], [28, 12], [9, 31], [12, 28]]
    >>> model = TableClassifier().fit(counts, ["north", "north", "south", "south"])
    >>> model.predict([[29, 11], [10, 30]]).tolist()
    ['north', 'south']
    """

    def __init__(self, variance_factor: float = 1.0) -> None:
        self.variance_factor = variance_factor

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from counts X (n, C) of parcels and their sources y (n,)."""
        counts, sources = validate_data(self, X, y, dtype=np.float64)
        check_non_negative(counts, "TableClassifier")
        check_classification_targets(sources)
        self.classes_, groups = np.unique(sources, return_inverse=True)
        if self.classes_.size < 2:
            raise ValueError("TableClassifier needs parcels of two classes or more, got 1 class")
        self.table_: ClassTable = fit_table(counts, groups.astype(np.intp), self.classes_.size)
        return self

    def predict_log_proba(self, X: ArrayLike) -> Floats:
        """Return log posteriors (n, Z), sources being equally likely before."""
        check_is_fitted(self)
        counts = validate_data(self, X, dtype=np.float64, reset=False)
        check_non_negative(counts, "TableClassifier")
        variance = self.table_.variance(self.variance_factor)[:-1]
        evidence = log_dirichlet_multinomial(counts, self.table_.shares * (1.0 / variance - 1.0)[:, None])
        return log_softmax(evidence, axis=1)

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return posteriors (n, Z)."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likeliest source (n,)."""
        likeliest = self.predict_log_proba(X).argmax(axis=1)
        out: NDArray[Any] = self.classes_[likeliest]
        return out

    def __sklearn_tags__(self) -> Any:
        """Say that numbers of stones are never negative."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags
