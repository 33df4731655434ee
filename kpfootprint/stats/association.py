r"""Within-parcel association: the part of a mixture's signature that parcel drift cannot imitate.

Mixing two kinds of goods makes attributes hang together within the parcel: stones of one kind bring their sizes,
colours and morphologies along. For each pair of attributes the dependence ratio of a mixture,

.. math:: R_{ab} = \frac{(1-\alpha) J^d_{ab} + \alpha J^f_{ab}}
                        {((1-\alpha) p^d_a + \alpha p^f_a)\,((1-\alpha) p^d_b + \alpha p^f_b)},

is put on the parcel's own margins, and its log likelihood is compared with the ratio of a parcel of one kind.
Pairs are added up (a composite likelihood).

References
----------
Varin, Reid and Firth (2011), Statistica Sinica 21:5-42 (composite likelihoods).
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from kpfootprint.stats.arrays import Floats, Ints, ParcelArrays
from kpfootprint.stats.categories import fit_margins
from kpfootprint.stats.evidence import Predictor, expected_shift
from kpfootprint.stats.structure import Structure, cell_probabilities

N_BANDS = 5
N_SWEEPS = 15
"""Steps of proportional fitting of each source's tables; the classes of the strongest association need the most."""


LEAST = 1e-30
"""Chance that no class is held to go below, so that its logarithm is a number."""


def size_bands(chances: Floats) -> Ints:
    """Return which of `N_BANDS` bands each size class lies in, so that bands hold about equal chances."""
    middle = chances.cumsum() - 0.5 * chances
    bands = np.minimum((middle / chances.sum() * N_BANDS).astype(np.intp), N_BANDS - 1)
    return np.unique(bands, return_inverse=True)[1].astype(np.intp)


def _chances(structure: Structure, numbers: Floats, arrays: ParcelArrays, bands: Ints) -> list[Floats]:
    """Band and class chances of sources ``numbers`` (n, M, D), each as (n, M, C)."""
    n, m, _ = numbers.shape
    flat = numbers.reshape(n * m, -1)
    kept = np.repeat(structure.kept(arrays.edge, arrays.top), m, axis=0) if n * m else np.zeros((0, 1, 1))
    cells = cell_probabilities(structure.grid, flat[:, :2], kept)
    indicator = structure.membership_of_classes() @ np.eye(bands.max() + 1)[bands]
    out = [(cells @ indicator).reshape(n, m, -1)]
    for block, basis in zip(structure.blocks[1:], structure.bases, strict=True):
        out.append(softmax(flat[:, block] @ basis.T, axis=1).reshape(n, m, -1))
    return out


def _pairs(structure: Structure, arrays: ParcelArrays, bands: Ints) -> list[tuple[int, int, Floats, Floats]]:
    """Every pair, size as number 0: (first, second, association, observed tables)."""
    indicator = np.eye(bands.max() + 1)[bands]
    band_x = (indicator.T @ structure.class_x) / indicator.sum(axis=0)
    out = []
    for a, table in enumerate(arrays.tables):
        observed = np.einsum("psc,sk->pkc", table, indicator)
        known = arrays.recorded[:, 0] & arrays.recorded[:, 1 + a]
        if arrays.partial is not None:
            known = known & ~arrays.partial.has_sets(a) & np.isnan(arrays.partial.mean_ct)
        observed = observed * known[:, None, None]
        out.append((0, 1 + a, band_x[:, None] * structure.slopes[a], observed))
    for (a, b), association, pair in zip(structure.pairs, structure.associations, arrays.pairs, strict=True):
        known = (arrays.recorded[:, 1 + a] & arrays.recorded[:, 1 + b])[:, None, None]
        out.append((1 + a, 1 + b, association, pair * known))
    return out


def association_gain(
    arrays: ParcelArrays,
    structure: Structure,
    predictor: Predictor,
    *,
    location: Floats,
    shares: Floats,
    bands: Ints,
) -> Floats:
    """Return the log likelihood gain (n_pairs, n, J, Z) of an admixture over goods of one kind.

    Parameters
    ----------
    location : ndarray of shape (n, D)
        Where the declared goods are expected (without conditions).
    shares : ndarray of shape (J,)
        Shares of stones of the admixture.
    bands : ndarray of shape (n_size_classes,)
        From `size_bands`.
    """
    shift = expected_shift(predictor, arrays.levels)[:, None, :]
    sources = np.concatenate(
        [location[:, None, :], np.broadcast_to(predictor.sources, (len(arrays), *predictor.sources.shape))], axis=1
    )
    chances = _chances(structure, sources + shift, arrays, bands)
    gains = []
    w = shares[None, :, None, None]
    for a, b, association, observed in _pairs(structure, arrays, bands):
        # behind an extreme screen a band of sizes may have no chance at all; nothing depends on anything there
        pa, pb = np.maximum(chances[a], LEAST), np.maximum(chances[b], LEAST)
        n, m = pa.shape[:2]
        joint = fit_margins(association, pa.reshape(n * m, -1), pb.reshape(n * m, -1), N_SWEEPS).reshape(n, m, -1)
        mixed = _mixed(joint, w)
        mixed_a, mixed_b = _mixed(pa, w), _mixed(pb, w)
        of_a, of_b = observed.sum(axis=2), observed.sum(axis=1)
        total = np.maximum(of_a.sum(axis=1), 1e-9)
        own_a = (of_a + 0.1) / (total + 0.1 * observed.shape[1])[:, None]
        own_b = (of_b + 0.1) / (total + 0.1 * observed.shape[2])[:, None]
        # the ratio of a mixture to its margins, averaged over the observed margins, without its table being made
        weighted = mixed.reshape(*mixed.shape[:3], *association.shape) @ (own_b[:, None, None] / mixed_b)[..., None]
        norm = (weighted[..., 0] * (own_a[:, None, None] / mixed_a)).sum(axis=-1)
        np.log(mixed, out=mixed)
        flat = _summed(mixed, observed.reshape(n, -1)) - _summed(np.log(mixed_a), of_a) - _summed(np.log(mixed_b), of_b)
        alone = fit_margins(association, own_a, own_b, 40) / (own_a[:, :, None] * own_b[:, None, :])
        base = (np.log(alone) * observed).sum(axis=(1, 2))
        gains.append(flat - observed.sum(axis=(1, 2))[:, None, None] * np.log(norm) - base[:, None, None])
    return np.stack(gains)


def _mixed(chances: Floats, shares: Floats) -> Floats:
    """Return mixtures (n, J, Z, K) of the first of the sources (n, 1 + Z, K) with each of the others."""
    out: Floats = shares * chances[:, None, 1:]
    out += (1.0 - shares) * chances[:, None, :1]
    return out


def _summed(values: Floats, counts: Floats) -> Floats:
    """Return the sums (n, J, Z) of values (n, J, Z, K) times counts (n, K)."""
    return (values.reshape(len(values), -1, values.shape[-1]) @ counts[:, :, None]).reshape(values.shape[:3])
