"""Everything that is learnt, in one frozen object of arrays, and the evidence of a batch seen through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.averaging import Readings, averaged_readings
from kpfootprint.stats.calibration import Calibration
from kpfootprint.stats.declarations import (
    Profile,
    best_declaration,
    declaration_features,
    mixed_sources,
    profile_of,
    whatever_declared,
)
from kpfootprint.stats.evidence import Predictor
from kpfootprint.stats.networks import Network
from kpfootprint.stats.ranks import RankTable
from kpfootprint.stats.selection import Evidence, fuse_readings, gate_features
from kpfootprint.stats.shares import GoodsTest, ShareModel
from kpfootprint.stats.structure import ParcelArrays, Structure
from kpfootprint.stats.summaries import WINDOWS
from kpfootprint.stats.tables import TableModel
from kpfootprint.stats.views import View, view_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordination:
    """Two axes that show sources apart: `axes` (D, 2), points (R, 2) of reference parcels with their source (R,)."""

    axes: Floats
    points: Floats
    source: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class FootprintModel:
    """A trained model.

    Parameters
    ----------
    resampled_sources : ndarray of shape (B, Z, D)
        Locations of the sources from resampled reference parcels.
    bands : ndarray of shape (n_size_classes,)
        Bands of size in which association is looked at.
    detection : ndarray of shape (6,)
        Coefficients of `kpfootprint.stats.detection`.
    n_reference : ndarray of shape (Z,)
        Reference parcels of each source.
    largest : float
        Stones of the largest reference parcel.
    tables : TableModel, optional
        The second evidence; releases of format 2 have none.
    goods : GoodsTest, optional
        Of goods that were not compliant, whatever was declared; releases up to format 3 have none.
    """

    structure: Structure
    predictor: Predictor
    bands: Ints
    gate: Network
    shares: ShareModel
    calibration: Calibration
    novelty: RankTable
    detection: Floats
    ordination: Ordination
    resampled_sources: Floats
    n_reference: Ints
    largest: float
    tables: TableModel | None = None
    goods: GoodsTest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A batch seen through the evidence of a model; `profile` and `pairs` are None where nothing was declared.

    `readings` is the averaged evidence in every slot, `evidence` the same marginalised over the readings of the sizes,
    `pairs` the evidence of any two sources together, from `mixed_sources`.
    """

    view: View
    gate: Floats
    profile: Profile | None
    pairs: Floats | None
    readings: Readings
    evidence: Evidence


MEAN_READINGS = np.array([0.75, 0.0, 0.0, 0.25])
"""Readings of sizes of which the mean alone is known: as recorded, or it says nothing, as stones were taken out."""


def gate_of(network: Network, view: View, structure: Structure) -> Floats:
    """Return the chance (n, n_windows) of each reading of the sizes; without sizes all is as recorded."""
    chances = network.probabilities(gate_features(view, structure))
    plain = np.zeros(len(WINDOWS))
    plain[0] = 1.0
    chances = np.where(view.arrays.recorded[:, :1], chances, plain)
    if view.arrays.partial is not None:
        chances = np.where(np.isfinite(view.arrays.partial.mean_ct)[:, None], MEAN_READINGS, chances)
    return chances


def look(
    structure: Structure,
    predictor: Predictor,
    tables: TableModel | None,
    gate: Network,
    bands: Ints,
    arrays: ParcelArrays,
    declared: Floats | None,
) -> Look:
    """Compute views, gate, profile and fused evidence of a batch.

    Parameters
    ----------
    declared : ndarray of shape (n, Z), optional
        Declared shares of stones; rows sum to 1.
    """
    view = view_of(arrays, structure, predictor)
    pairs = None if declared is None else mixed_sources(view, structure, predictor)
    return _looked(structure, predictor, tables, bands, view, gate_of(gate, view, structure), pairs, declared)


def look_again(
    structure: Structure,
    predictor: Predictor,
    tables: TableModel | None,
    bands: Ints,
    looked: Look,
    rows: Ints,
    declared: Floats,
) -> Look:
    """Return parcels of a look (repeats allowed) as they are seen under other declarations (len(rows), Z)."""
    view = looked.view.take(rows)
    pairs = None if looked.pairs is None else looked.pairs[:, rows]
    return _looked(structure, predictor, tables, bands, view, looked.gate[rows], pairs, declared)


def look_at_best(
    structure: Structure,
    predictor: Predictor,
    tables: TableModel | None,
    bands: Ints,
    looked: Look,
    rows: Ints,
    declared: Floats,
    allowed: NDArray[np.bool_],
) -> tuple[Look, Floats]:
    """Return parcels of a look under the declarations that suit them best, and these declarations (len(rows), Z).

    Parameters
    ----------
    declared, allowed : ndarray of shape (len(rows), Z)
        What was declared, and the sources that were compliant.
    """
    assert looked.pairs is not None
    best = best_declaration(looked.pairs[:, rows], looked.gate[rows, 0], declared, allowed)
    return look_again(structure, predictor, tables, bands, looked, rows, best), best


def _looked(
    structure: Structure,
    predictor: Predictor,
    tables: TableModel | None,
    bands: Ints,
    view: View,
    gate: Floats,
    pairs: Floats | None,
    declared: Floats | None,
) -> Look:
    profile = None if declared is None else profile_of(view, structure, predictor, declared, bands)
    said = None if declared is None or profile is None else (declared, profile.declared)
    readings = averaged_readings(view, structure, tables, said)
    evidence = fuse_readings(readings, gate)
    return Look(view=view, gate=gate, profile=profile, pairs=pairs, readings=readings, evidence=evidence)


def share_features(
    looked: Look,
    structure: Structure,
    predictor: Predictor,
    declared: Floats,
    allowed: NDArray[np.bool_],
) -> Floats:
    """Return what the share network sees (n, F): the parcel against its declaration, how its sizes fit, what it is.

    Features are only ever added at the end, so that a network of an older release sees those that it knows.
    """
    assert looked.profile is not None
    assert looked.pairs is not None
    view, profile = looked.view, looked.profile
    against = declaration_features(view, profile, structure, predictor, declared, allowed)
    goods = whatever_declared(view, profile, looked.pairs, declared, allowed)
    return np.concatenate([against, gate_features(view, structure), looked.gate, goods], axis=1)


def share_chances(model: FootprintModel, looked: Look, declared: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """Return the share network's chances (n, n_bins); a network of an older release reads the features it knows."""
    features = share_features(looked, model.structure, model.predictor, declared, allowed)
    network = model.shares.network
    return network.probabilities(features[:, : network.location.size])
