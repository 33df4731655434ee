"""Everything that is learnt, in one frozen object of arrays, and the evidence of a batch seen through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.stats.declarations import Profile, declaration_features, profile_of, whatever_declared
from kpfootprint.stats.evidence import Predictor
from kpfootprint.stats.networks import Network
from kpfootprint.stats.ranks import RankTable
from kpfootprint.stats.selection import Evidence, fuse, gate_features
from kpfootprint.stats.shares import ShareModel
from kpfootprint.stats.structure import ParcelArrays, Structure
from kpfootprint.stats.summaries import WINDOWS
from kpfootprint.stats.views import View, view_of

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Affine calibration of log10 LRs with size terms, its resampled versions, and bounds.

    Parameters
    ----------
    coefficients : ndarray of shape (4,)
        a, b, c, d of ``a + b s + c x + d s x`` with x the standardised log number of stones.
    resampled : ndarray of shape (B, 4)
        The same from resampled cases.
    centre, scale : float
        Of ln n.
    limits : ndarray of shape (2,)
        Smallest and largest x.
    bounds : ndarray of shape (2,)
        Lowest and highest log10 LR that the cases carry.
    set_threshold : float
        Smallest posterior with which a source stays in the 90 % set.
    """

    coefficients: Floats
    resampled: Floats
    centre: float
    scale: float
    limits: Floats
    bounds: Floats
    set_threshold: float

    def apply(self, log10_score: Floats, ln_n: Floats, coefficients: Floats | None = None) -> Floats:
        """Return calibrated log10 LRs before bounds; `ln_n` broadcasts against the scores.

        Below the smallest calibrated parcel the offset fades with the number of stones: no stones, no evidence.
        """
        a, b, c, d = np.moveaxis(self.coefficients if coefficients is None else coefficients, -1, 0)
        x = np.clip((ln_n - self.centre) / self.scale, *self.limits)
        fade = np.exp(np.minimum(ln_n - self.centre - self.scale * self.limits[0], 0.0))
        out: Floats = fade * (a + c * x) + np.maximum(b + d * x, 0.0) * log10_score
        return out

    def bounded(self, log10_lr: Floats, highest: Floats | float = np.inf) -> Floats:
        """Return log10 LRs within the bounds, and at most `highest` (which broadcasts against them)."""
        out: Floats = np.clip(log10_lr, self.bounds[0], np.minimum(self.bounds[1], highest))
        return out


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A batch seen through the evidence of a model; `profile` is None where nothing was declared."""

    view: View
    gate: Floats
    profile: Profile | None
    evidence: Evidence


def gate_of(network: Network, view: View, structure: Structure) -> Floats:
    """Return the chance (n, n_windows) of each reading of the sizes; without sizes all is as recorded."""
    chances = network.probabilities(gate_features(view, structure))
    plain = np.zeros(len(WINDOWS))
    plain[0] = 1.0
    return np.where(view.arrays.recorded[:, :1], chances, plain)


def look(
    structure: Structure,
    predictor: Predictor,
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
    windows = len(WINDOWS)
    chances = gate_of(gate, view, structure)
    profile = None if declared is None else profile_of(view, structure, predictor, declared, bands)
    return Look(
        view=view,
        gate=chances,
        profile=profile,
        evidence=fuse(
            view.listed[:windows],
            view.unlisted[:windows],
            chances,
            None if profile is None else profile.declared[:windows],
        ),
    )


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
    view, profile = looked.view, looked.profile
    against = declaration_features(view, profile, structure, predictor, declared, allowed)
    goods = whatever_declared(view, profile, structure, predictor, declared, allowed)
    return np.concatenate([against, gate_features(view, structure), looked.gate, goods], axis=1)


def share_chances(model: FootprintModel, looked: Look, declared: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """Return the share network's chances (n, n_bins); a network of an older release reads the features it knows."""
    features = share_features(looked, model.structure, model.predictor, declared, allowed)
    network = model.shares.network
    return network.probabilities(features[:, : network.location.size])
