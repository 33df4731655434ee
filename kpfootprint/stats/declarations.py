r"""A parcel against what was declared: evidence of the declared blend, of admixtures to it, and their features.

Within-parcel association is the part of a mixture's signature that parcel drift cannot imitate. Mixing two kinds of
goods makes attributes hang together within the parcel: stones of one kind bring their sizes, colours and morphologies
along. For each pair of attributes the dependence ratio of a mixture,

.. math:: R_{ab} = \frac{(1-\alpha) J^d_{ab} + \alpha J^f_{ab}}
                        {((1-\alpha) p^d_a + \alpha p^f_a)\,((1-\alpha) p^d_b + \alpha p^f_b)},

is put on the parcel's own margins, and its log likelihood is compared with the ratio of a parcel of one kind.
Pairs are added up (a composite likelihood).

References
----------
Varin, Reid and Firth (2011), Statistica Sinica 21:5-42 (composite likelihoods).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays
from kpfootprint.stats.categories import completed, fit_margins
from kpfootprint.stats.evidence import (
    SLOTS,
    Predictor,
    SourceModel,
    View,
    admixtures,
    blend_location,
    contract,
    expand,
    expected_shift,
    log_sum,
    source_evidence,
)
from kpfootprint.stats.structure import Structure, cell_probabilities
from kpfootprint.stats.summaries import residual

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


SHARES = np.array([0.03, 0.08, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0])
"""Shares of undeclared stones at which the explicit evidence of a mixture is computed."""
NAMED = 0.05
"""Declared share from which on a zone counts as wholly declared; a speck of it leaves it nearly undeclared."""
MIXED_SHARES = np.array([0.2, 0.4, 0.6, 0.8])
"""Shares of the second of two sources at which the evidence of any two of them is computed; symmetric about a half."""
PROFILE_SLOTS = (0, 3)
ASSOCIATION_WEIGHT = 0.5
"""Pairs of attributes share stones, so their log likelihoods are added at half weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Explicit evidence for what was declared, and for admixtures to it.

    Parameters
    ----------
    shares : ndarray of shape (n, Z)
        Declared shares of stones; rows sum to 1.
    declared : ndarray of shape (n_slots, n)
        Log evidence of the declared blend, in every slot.
    distance : ndarray of shape (n_slots, n)
        Its squared distance.
    mixed : ndarray of shape (n_profile_slots, n, J, Z)
        Log evidence of an admixture of each source at each of `SHARES`.
    association : ndarray of shape (n_pairs, n, J, Z)
        Log likelihood gain of the within-parcel association under the same admixtures.
    location : ndarray of shape (n, D)
        Where the declared blend is expected.
    pairs : ndarray of shape (n_profile_slots, n, J, Z, Z)
        Evidence of any two sources together, from `mixed_sources`, whatever was declared.
    """

    shares: Floats
    declared: Floats
    distance: Floats
    mixed: Floats
    association: Floats
    location: Floats
    pairs: Floats


def declared_location(model: SourceModel, declared: Floats) -> tuple[Floats, Floats]:
    """Return where declared blends (n, Z) are expected: locations (n, D) and scales (n,)."""
    predictor = model.predictor
    return blend_location(predictor.sources, declared, model.structure), (declared**2) @ predictor.scales


def declared_evidence(view: View, declared: Floats) -> tuple[Floats, Floats]:
    """Return log evidence and squared distance (n_slots, n) of declared blends (n, Z)."""
    location, scale = declared_location(view.model, declared)
    n_slots, n = len(SLOTS), len(location)
    evidence, distance = source_evidence(
        view.whitened, np.tile(location, (n_slots, 1))[:, None, :], np.tile(scale, n_slots)[:, None]
    )
    return evidence.reshape(n_slots, n), distance.reshape(n_slots, n)


def profile_of(view: View, declared: Floats, pairs: Floats | None = None) -> Profile:
    """Compute evidence of the declared blends and of admixtures to them.

    Parameters
    ----------
    declared : ndarray of shape (n, Z)
        Declared shares of stones; rows sum to 1.
    pairs : ndarray, optional
        Where they are known already.
    """
    structure, predictor = view.model.structure, view.model.predictor
    location, scale = declared_location(view.model, declared)
    evidence, distance = declared_evidence(view, declared)
    expanded = expand(predictor.sources, structure)
    n, z = declared.shape
    mixed_location = admixtures(declared @ expanded, expanded, SHARES, structure).reshape(n, -1, location.shape[1])
    mixed_scale = (1.0 - SHARES)[None, :, None] ** 2 * scale[:, None, None]
    mixed_scale = (mixed_scale + SHARES[None, :, None] ** 2 * predictor.scales[None, None]).reshape(n, -1)
    slots = len(PROFILE_SLOTS)
    rows = np.concatenate([slot * n + np.arange(n) for slot in PROFILE_SLOTS])
    mixed, _ = source_evidence(
        view.whitened.take(rows), np.tile(mixed_location, (slots, 1, 1)), np.tile(mixed_scale, (slots, 1))
    )
    association = association_gain(
        view.arrays,
        structure,
        predictor,
        location=location,
        shares=SHARES,
        bands=view.model.bands,
    )
    return Profile(
        shares=declared,
        declared=evidence,
        distance=distance,
        mixed=mixed.reshape(slots, n, len(SHARES), z),
        association=association,
        location=location,
        pairs=mixed_sources(view) if pairs is None else pairs,
    )


def not_named(declared: Floats) -> Floats:
    """Return how far each source (n, Z) was left out of the declaration, from 0 to 1."""
    return np.maximum(1.0 - declared / NAMED, 0.0)


def foreign_sources(declared: Floats, allowed: Bools) -> Bools:
    """Return the sources (n, Z) that undeclared goods are looked for in: those not compliant and not all declared."""
    return ~allowed & (declared < 1.0 - 1e-9)


def association_statistic(profile: Profile, foreign: Bools) -> Floats:
    """Return the largest gain (n,) of within-parcel association over foreign sources and shares."""
    gain = profile.association.sum(axis=0).max(axis=1)
    out: Floats = np.where(foreign, gain, -np.inf).max(axis=1, initial=0.0)
    return out


def over_sources(gain: Floats, foreign: Bools) -> Floats:
    """Return the log mean over foreign sources of gains (n, J, Z), as (n, J)."""
    total = log_sum(np.where(foreign[:, None, :], gain, -60.0))
    out: Floats = total - np.log(np.maximum(foreign.sum(axis=1), 1))[:, None]
    return out


def mixed_sources(view: View) -> Floats:
    """Return log evidence (n_profile_slots, n, J, Z, Z) of goods of any source with others among them.

    The share of the last axis' source is one of `MIXED_SHARES`; two equal sources are the source alone.
    """
    structure, predictor = view.model.structure, view.model.predictor
    z = len(predictor.sources)
    expanded = expand(predictor.sources, structure)
    base, other = (index.ravel() for index in np.indices((z, z)))
    locations, scales = [], []
    lower = MIXED_SHARES[MIXED_SHARES < 0.5]
    for share in lower:
        locations.append(contract((1.0 - share) * expanded[base] + share * expanded[other], structure))
        scales.append((1.0 - share) ** 2 * predictor.scales[base] + share**2 * predictor.scales[other])
    n = len(view.arrays)
    rows = np.concatenate([slot * n + np.arange(n) for slot in PROFILE_SLOTS])
    found, _ = source_evidence(view.whitened.take(rows), np.concatenate(locations), np.concatenate(scales))
    table = found.reshape(len(PROFILE_SLOTS), n, lower.size, z, z)
    # a share of more than a half of one source is a share of less than a half of the other
    whole = np.concatenate([table, table.transpose(0, 1, 2, 4, 3)[:, :, ::-1]], axis=2)
    alone = np.stack([view.listed[slot] for slot in PROFILE_SLOTS])
    same = np.eye(z, dtype=bool)
    return np.where(same, alone[:, :, None, :, None], whole)


def best_declaration(found: Floats, trust: Floats, declared: Floats, allowed: Bools) -> Floats:
    """Return the declaration (n, Z) that suits each parcel best.

    That is the compliant source, or the blend of two, from which it is likeliest; what was declared of sources that
    were not compliant stays declared.

    Parameters
    ----------
    found : ndarray of shape (n_profile_slots, n, J, Z, Z)
        From `mixed_sources`.
    trust : ndarray of shape (n,)
        Chance that no sizes were taken out.
    """
    n, z = allowed.shape
    weight = np.maximum(np.stack([trust, 1.0 - trust]), 1e-9)
    fused = log_sum(np.moveaxis(found + np.log(weight)[:, :, None, None, None], 0, -1))
    both = allowed[:, None, :, None] & allowed[:, None, None, :]
    best = np.where(both, fused, -np.inf).reshape(n, -1).argmax(axis=1)
    share, first, second = np.unravel_index(best, (len(MIXED_SHARES), z, z))
    out = np.zeros((n, z))
    rows = np.arange(n)
    np.add.at(out, (rows, first), 1.0 - MIXED_SHARES[share])
    np.add.at(out, (rows, second), MIXED_SHARES[share])
    kept = np.where(allowed, 0.0, declared)
    out = kept + (1.0 - kept.sum(axis=1, keepdims=True)) * out
    return np.where(allowed.any(axis=1, keepdims=True), out, declared)


def whatever_declared(view: View, profile: Profile, allowed: Bools) -> Floats:
    """Return features (n, F) of what the goods look like, whatever of compliant sources was declared.

    A parcel with goods of a source that was not compliant can look like a compliant source that does not lie in it.
    So goods of any compliant source or pair of them stand against such goods with others among them.
    """
    declared = profile.shares
    own = np.log(np.maximum(np.where(allowed, 1.0, declared), 1e-30))
    other = np.log(np.maximum(np.where(allowed, 0.0, 1.0 - declared), 1e-30))
    own, other = own - log_sum(own)[:, None], other - log_sum(np.maximum(other, -60.0))[:, None]
    parts: list[Floats] = []
    for position, found in enumerate(profile.pairs):
        slot = PROFILE_SLOTS[position]
        listed = view.listed[slot]
        n, shares = found.shape[:2]
        alone = log_sum(listed + own)
        pairs = (found + own[:, None, :, None] + own[:, None, None, :]).reshape(n, -1)
        clean = np.logaddexp(alone, log_sum(pairs) - np.log(shares))
        by_source = log_sum((found + own[:, None, :, None]).transpose(0, 1, 3, 2)) + other[:, None, :]
        curve = np.concatenate([log_sum(by_source), log_sum(listed + other)[:, None]], axis=1) - clean[:, None]
        best = (found + np.maximum(own, -40.0)[:, None, :, None]).max(axis=(1, 2)) - clean[:, None]
        parts.append(np.clip(curve, -25, 25) / 5.0)
        parts.append(np.clip(log_sum(curve) - np.log(shares + 1.0), -25, 25)[:, None] / 5.0)
        parts.append(np.clip(np.where(other > -25.0, best, -5.0), -5, 25) / 5.0)
        parts.append(np.clip(profile.declared[slot] - clean, -25, 10)[:, None] / 5.0)
        parts.append(np.clip(clean - alone, -5, 25)[:, None] / 5.0)
        parts.append(np.clip(listed - listed.max(axis=1, keepdims=True), -25, 0) / 5.0)
    parts.append(np.log((declared**2).sum(axis=1))[:, None])
    return np.concatenate(parts, axis=1)


def declaration_features(view: View, profile: Profile, allowed: Bools) -> Floats:
    """Return the features (n, F) of a parcel against what was declared and who else could be the source.

    Parameters
    ----------
    allowed : ndarray of shape (n, Z), bool
        Sources that were compliant.
    """
    arrays, structure, declared = view.arrays, view.model.structure, profile.shares
    n = len(arrays)
    known = arrays.recorded.astype(float)
    parts: list[Floats] = [declared, allowed * not_named(declared)]
    foreign = foreign_sources(declared, allowed)
    for slot in range(len(SLOTS)):
        base = profile.declared[slot][:, None]
        best = view.listed[slot].max(axis=1, keepdims=True)
        parts.append(np.clip(base - best, -25, 5) / 5.0)
        parts.append(np.clip(view.unlisted[slot] - base, -25, 25) / 5.0)
        dims = np.maximum(view.n_dims[slot], 1.0)
        parts.append(np.log((profile.distance[slot] + 1.0) / (dims + 1.0))[:, None])
    association = profile.association.sum(axis=0)
    for pair in profile.association:
        parts.append(np.clip(over_sources(pair, foreign), -20, 20) / 4.0)
    parts.append(np.clip(np.where(foreign, association.max(axis=1), -4.0), -4, 20) / 4.0)
    for position, slot in enumerate(PROFILE_SLOTS):
        gain = profile.mixed[position] - profile.declared[slot][:, None, None]
        parts.append(np.clip(np.where(foreign, gain.max(axis=1), -5.0), -5, 25) / 5.0)
        for total in (gain, gain + ASSOCIATION_WEIGHT * association):
            curve = over_sources(total, foreign)
            parts.append(np.clip(curve, -25, 25) / 5.0)
            whole = np.concatenate([np.zeros((n, 1)), curve], axis=1)
            weights = np.exp(whole - log_sum(whole)[:, None])
            parts.append(weights)
            parts.append(weights[:, 1:] @ SHARES[:, None])
    location = profile.location
    gap = view.summaries.estimates[0] - view.whitened.take(slice(0, n)).seen(location[:, None, :])[:, 0]
    spread = np.diagonal(view.summaries.errors[0], axis1=1, axis2=2) + np.diag(view.model.predictor.within)
    gap = np.clip(gap / np.sqrt(spread), -9, 9) / 3.0
    for part, block in enumerate(structure.blocks):
        parts.append(gap[:, block] * known[:, part : part + 1])
    for a, table in enumerate(arrays.tables):
        flag = known[:, 1 + a : 2 + a]
        chances = structure.chances(a, location)
        if arrays.partial is not None:
            # within a set, what was declared is taken at its word
            table = completed(arrays.partial.exact[a], arrays.partial.sets[a], chances, arrays.partial.members[a])
        expected = (chances * table.sum(axis=2)[:, :, None]).sum(axis=1)
        parts.append(residual(table.sum(axis=1), expected) * flag / 2.0)
    return np.concatenate([part.reshape(n, -1) for part in parts], axis=1)
