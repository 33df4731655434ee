"""The peers that unmix, on virtual mixtures of parcels that they did not learn from."""

from __future__ import annotations

import numpy as np

from kpfootprint.reference import ReferencePackage
from training.evaluate.methods import some, zone_codes, zones_of
from training.evaluate.mixtures import coverage_cells, detection_cells, mixture_results, virtual_mixtures
from training.evaluate.record import CoverageCell, DetectionCell, Evaluation
from training.folds import fold_of_parcels, folds
from training.peers.mixing import MonteCarloKS, MultinomialEM
from training.peers.run import N_FOLDS, SEED
from training.peers.tables import tables_of


def measure_unmixer(
    unmixer: type[MultinomialEM] | type[MonteCarloKS], package: ReferencePackage, *, n_each: int = 6, level: float = 0.9
) -> Evaluation:
    """Measure a method of unmixing on virtual mixtures of the parcels that each fold did not learn from.

    A mixture counts as found where the p-value is 0.05 or less.
    """
    codes, n_zones = zone_codes(package), len(zones_of(package))
    rng = np.random.default_rng(SEED)
    coverage: list[CoverageCell] = []
    detection: list[DetectionCell] = []
    for split in folds(fold_of_parcels(package.zone_of, n_folds=N_FOLDS, seed=SEED)):
        learnt = tables_of(some(package.batch, split.train), package.scheme)
        fitted = unmixer().fit(learnt, codes[split.train], n_zones)
        truth = virtual_mixtures(package, split.test, n_each=n_each, rng=rng)
        said = fitted.unmix(tables_of(truth.batch, package.scheme), truth.declared, level=level)
        coverage += coverage_cells(truth, said.share, said.low, said.high, level=level)
        detection += detection_cells(truth, said.p_value <= 0.05)
    return Evaluation(
        release=unmixer.name,
        reference={"name": package.name, "version": package.version, "sha256": package.sha256},
        quick=False,
        results=tuple(mixture_results(coverage, detection)),
        coverage=tuple(coverage),
        detection=tuple(detection),
    )
