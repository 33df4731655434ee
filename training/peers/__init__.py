"""The usual methods, measured in the same harness as the product: same folds, same trials, same calibrator."""

from __future__ import annotations

from training.peers.tables import Peer, Unmixer
from training.peers.usual import (
    ChiSquare,
    DirichletMultinomial,
    KolmogorovSmirnov,
    LinearDiscriminant,
    LogisticRegression,
    MonteCarloKS,
    Multinomial,
    MultinomialEM,
    NearestCentroid,
    RandomForest,
)

PEERS: tuple[Peer, ...] = (
    *(KolmogorovSmirnov(), ChiSquare(), NearestCentroid(), Multinomial()),
    *(DirichletMultinomial(), RandomForest(), LogisticRegression(), LinearDiscriminant()),
)
UNMIXERS: tuple[Unmixer, ...] = (MultinomialEM(), MonteCarloKS())
