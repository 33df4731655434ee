"""The usual methods, measured in the same harness as the product: same folds, same trials, same calibrator."""

from __future__ import annotations

from training.peers.distances import ChiSquare, KolmogorovSmirnov, NearestCentroid
from training.peers.likelihoods import (
    DirichletMultinomial,
    LinearDiscriminant,
    LogisticRegression,
    Multinomial,
    RandomForest,
)
from training.peers.mixing import MonteCarloKS, MultinomialEM
from training.peers.tables import Peer, Unmixer

PEERS: tuple[Peer, ...] = (
    *(KolmogorovSmirnov(), ChiSquare(), NearestCentroid(), Multinomial()),
    *(DirichletMultinomial(), RandomForest(), LogisticRegression(), LinearDiscriminant()),
)
UNMIXERS: tuple[Unmixer, ...] = (MultinomialEM(), MonteCarloKS())
