"""From the numbers of a batch to what a report is made from, parcel by parcel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kpfootprint.comparison.cautions import cautions_of, held_by_distance, verification_cautions
from kpfootprint.comparison.explain import explanation_of, goods_of
from kpfootprint.comparison.results import (
    AlternativeLR,
    Attribution,
    ErrorRates,
    Examination,
    Interval,
    Mixture,
    Novelty,
    SelectionLR,
    ShareReading,
    SourceShare,
    Statement,
    Value,
    VarianceLR,
    Verification,
)
from kpfootprint.comparison.weigh import OTHER_WEIGHTS, VARIANCES, OfDeclaration, OneParcel
from kpfootprint.conclusions import CONCLUSIONS, Conclusion
from kpfootprint.plain import built
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats
from kpfootprint.stats.declarations import (
    ASSOCIATION_WEIGHT,
    PROFILE_SLOTS,
    SHARES,
    association_statistic,
    foreign_sources,
)
from kpfootprint.stats.intervals import ENDS, LEVEL
from kpfootprint.stats.ranks import LOG10_SUPPORT_OF_UNUSUAL, NOVEL_P
from kpfootprint.stats.shares import cumulative, detection_limit, source_distances, told_apart, two_modes

FINE = np.linspace(0.0, 1.0, 101)
LEAST_POSTERIOR = 0.05
MOST_SOURCES = 5


def verbal_of(log10_lr: float, scale: Mapping[str, Any]) -> Statement:
    """Return the verbal band of an LR; the scale is symmetric in H1 and H2."""
    size = abs(log10_lr)
    bands = scale["bands"]
    band = next((b["band"] for b in bands if b["to_lr"] is None or size < np.log10(b["to_lr"])), bands[-1]["band"])
    side = "neither" if band == "none" else "H1" if log10_lr > 0 else "H2"
    return Statement.of("verbal", band=band, favours=side, scale=scale["name"])


def _h1(one: OneParcel) -> Statement:
    """Spell out H1."""
    weights, zone_ids, origins = one.weights, one.release.zone_ids, one.hypotheses.origins[one.row]
    present = np.flatnonzero(weights)
    if present.size == 1 and (origins is None or not origins.free):
        return Statement.of("h1_zone", zone=zone_ids[present[0]])
    shares: dict[str, Value] = {
        "zones": tuple(zone_ids[k] for k in present),
        "stone_shares": tuple(float(weights[k]) for k in present),
    }
    if origins is None or not origins.free:
        return Statement.of("h1_blend", **shares)
    code = "h1_origins" if origins.amounts is None or len(origins.names) == 1 else "h1_split"
    return Statement.of(code, origins=origins.names, **shares)


def _h2(one: OneParcel) -> Statement:
    """Spell out H2."""
    present = np.flatnonzero(one.hypotheses.alternatives[one.row])
    if present.size == 0:
        return Statement.of("h2_unlisted_only", unlisted_weight=1.0)
    zones = tuple(one.release.zone_ids[k] for k in present)
    values: dict[str, Value] = {"zones": zones, "unlisted_weight": one.release.unlisted_weight}
    if in_part := tuple(one.release.zone_ids[k] for k in present if one.weights[k] > 0):
        values["declared_zones"] = in_part
    return Statement.of("h2_elsewhere", **values)


def verification_of(one: OneParcel, against: OfDeclaration) -> Verification:
    """Return what speaks for and against the declaration of one parcel."""
    hypotheses, row, release = one.hypotheses, one.row, one.release
    log10_lr, unbounded = float(against.judged.signs.log10_lr[row]), float(against.judged.unbounded[row])
    low, high = float(release.model.calibration.bounds[0]), float(against.judged.highest[row])
    others = [AlternativeLR(kind="any_other_zone", log10_lr=float(against.any_other[row]))]
    others += [
        AlternativeLR(kind="zone", zone_id=release.zone_ids[k], log10_lr=float(against.each[row, k]))
        for k in np.flatnonzero(hypotheses.weights[row] < 1.0)
    ]
    others += [
        AlternativeLR(kind="unlisted_weight", unlisted_weight=weight, log10_lr=float(against.by_weight[row, k]))
        for k, weight in enumerate(OTHER_WEIGHTS)
    ]
    as_recorded, marginalised, conditional = (float(value) for value in against.by_selection[row])
    return Verification(
        h1=_h1(one),
        h2=_h2(one),
        log10_lr=log10_lr,
        low=float(against.low[row]),
        high=float(against.high[row]),
        level=LEVEL,
        bounds=(low, high),
        bound_hit="upper" if unbounded > high else "lower" if unbounded < low else None,
        log10_lr_unbounded=unbounded,
        verbal=verbal_of(log10_lr, release.manifest["verbal_scale"]),
        typicality_p=float(against.typicality_p[row]),
        by_alternative=tuple(others),
        by_variance=tuple(
            VarianceLR(factor=factor, log10_lr=float(against.by_variance[row, k])) for k, factor in enumerate(VARIANCES)
        ),
        by_selection=SelectionLR(
            as_recorded=as_recorded,
            marginalised=marginalised,
            size_conditional=conditional if one.arrays.recorded[row, 1:].any() else None,
        ),
    )


def attribution_of(one: OneParcel) -> Attribution:
    """Return which zones the parcel resembles."""
    release, weighed = one.release, one.weighed
    posterior, unlisted = weighed.posterior[one.row], float(weighed.unlisted_posterior[one.row])
    order = np.argsort(-posterior, kind="stable")
    listed = posterior / max(posterior.sum(), 1e-300)
    named = [*(release.zone_ids[k] for k in order), "unlisted"]
    inside = release.model.in_set(np.append(listed[order], unlisted), float(weighed.looked.ln_n[one.row]))
    return Attribution(
        zones=tuple((release.zone_ids[k], float(posterior[k])) for k in order),
        unlisted_posterior=unlisted,
        prediction_set=tuple(name for name, kept in zip(named, inside, strict=True) if kept),
        level=LEVEL,
    )


def carat_share(stone_share: float, mean_foreign: float, mean_declared: float) -> float:
    """Turn a share of stones into a share of carats by the mean stones of both kinds of goods."""
    foreign = stone_share * mean_foreign
    return foreign / max(foreign + (1.0 - stone_share) * mean_declared, 1e-12)


def _source_posteriors(one: OneParcel, foreign: Bools) -> tuple[Floats, Floats]:
    """Return explicit log evidence (J, Z) of admixtures and the posterior (Z,) of each foreign zone as the source."""
    row, profile, trust = one.row, one.weighed.looked.weighed, one.weighed.looked.gate[one.row, 0]
    parts = [profile.mixed[position][row] - profile.declared[slot][row] for position, slot in enumerate(PROFILE_SLOTS)]
    gain = np.logaddexp(np.log(trust + 1e-9) + parts[0], np.log(1.0 - trust + 1e-9) + parts[1])
    gain = gain + ASSOCIATION_WEIGHT * profile.association[:, row].sum(axis=0)
    if not foreign.any():
        return gain, np.zeros(foreign.size)
    top = np.where(foreign, gain.max(axis=0), -np.inf)
    weight = np.where(foreign, np.exp(top - top.max()), 0.0)
    return gain, weight / weight.sum()


def _share_given_source(gain: Floats) -> Interval:
    curve = np.interp(FINE, np.concatenate([[0.0], SHARES]), np.concatenate([[0.0], gain]))
    chance = np.exp(curve - curve.max()).cumsum()
    chance /= chance[-1]
    low, middle, high = np.interp([ENDS[0], 0.5, ENDS[1]], chance, FINE)
    return Interval(estimate=float(middle), low=float(min(low, middle)), high=float(max(high, middle)), level=LEVEL)


def mixture_of(one: OneParcel, against: OfDeclaration) -> Mixture:
    """Return what can be said of undeclared goods in one parcel.

    Nothing is said in carats where its own are not known, or where the goods could be of unsampled sources alone, whose
    stones weigh nobody knows what.
    """
    row, release, weights, mean_ct = one.row, one.release, one.weights, one.mean_ct
    shares = against.judged.shares
    n_stones = float(np.exp(one.weighed.looked.ln_n[row]))
    stones = Interval(
        estimate=float(shares.estimate[row]),
        low=float(shares.low[row]),
        high=float(shares.high[row]),
        level=LEVEL,
    )
    foreign = foreign_sources(weights[None], one.hypotheses.allowed[row][None])[0]
    gain, posterior = _source_posteriors(one, foreign)
    mean_foreign, mean_declared = float(posterior @ mean_ct), float(weights @ mean_ct)
    ends = (carat_share(share, mean_foreign, mean_declared) for share in (stones.estimate, stones.low, stones.high))
    carats = Interval(**dict(zip(("estimate", "low", "high"), ends, strict=True)), level=LEVEL)
    distance = source_distances(release.model.predictor, release.model.structure, weights[None])[0]
    told = told_apart(release.model.detection, n_stones, distance)
    ranked = [int(z) for z in np.argsort(-posterior, kind="stable")[:MOST_SOURCES] if posterior[z] >= LEAST_POSTERIOR]
    sources = tuple(
        SourceShare(zone_id=release.zone_ids[z], share=_share_given_source(gain[:, z]), posterior=float(posterior[z]))
        for z in (ranked if shares.found[row] else [])
    )
    upper = release.model.shares.edges[1:]
    edges = np.clip(upper[upper > 0], 0.0, 1.0)
    reached = cumulative(shares.chances[row : row + 1])[0, 1:][upper > 0]
    return Mixture(
        undeclared_stone_fraction=stones,
        undeclared_carat_fraction=None if one.parcel.carats is None or not foreign.any() else carats,
        p_value=float(shares.p_value[row]),
        detection_limit=detection_limit(release.model.detection, n_stones, distance, foreign.astype(float)),
        sources=sources,
        indistinguishable=tuple(release.zone_ids[z] for z in np.flatnonzero(foreign & ~told)),
        association_p=_association_p(one, foreign),
        profile=tuple((float(x), float(min(p, 1.0))) for x, p in zip(edges, reached, strict=True)),
        readings=readings_within(two_modes(edges, reached), stones),
    )


def readings_within(modes: tuple[tuple[float, float, float], ...], stones: Interval) -> tuple[ShareReading, ...]:
    """Return two readings that begin and end with the interval; nothing where it leaves half of one of them out."""
    if not modes or any(not stones.low <= (low + high) / 2 <= stones.high for low, high, _ in modes):
        return ()
    (_, until, first), (since, _, second) = modes
    return (
        ShareReading(low=stones.low, high=until, chance=first),
        ShareReading(low=since, high=stones.high, chance=second),
    )


def _association_p(one: OneParcel, foreign: Bools) -> float | None:
    """Return the p-value of "one kind of goods" from within-parcel association alone; None without joint counts."""
    looked, at = one.weighed.looked, slice(one.row, one.row + 1)
    if not any(pair[one.row].any() for pair in one.arrays.pairs):
        return None
    statistic = association_statistic(looked.weighed, np.broadcast_to(foreign, (len(looked.gate), foreign.size)))
    return float(one.release.model.shares.association.p_values(statistic[at], looked.ln_n[at])[0])


def error_rates_of(n_stones: int, release: Release) -> ErrorRates | None:
    """Return the error rates measured at this size."""
    measured = {"true_declarations_queried", "false_declarations_accepted"}
    for item in release.manifest["error_rates"]:
        if item["n_stones_low"] <= n_stones <= item["n_stones_high"] and measured.issubset(item):
            on = Statement.of("measured_simulated", n_parcels=int(release.manifest["n_ranked"]), release=release.name)
            return built(ErrorRates, {**item, "measured_on": on})
    return None


def examination_of(one: OneParcel) -> Examination:
    """Return everything found about one parcel of a batch.

    What too few stones, a number and a weight alone, or weights in another unit cannot carry is not given: no
    likelihood ratio, no undeclared share, no error rates.
    """
    parcel, release, row = one.parcel, one.release, one.row
    goods = goods_of(one)
    said, some = cautions_of(one, goods.mean_ct_usual)
    against = one.weighed.declaration if some else None
    novelty = Novelty(p_value=float(one.weighed.novelty_p[row]), floor=release.model.novelty.floor)
    novel = some and novelty.p_value <= NOVEL_P
    attribution = attribution_of(one) if some else None
    verification = mixture = errors = None
    conclusion: Conclusion | None = "not_comparable" if parcel.origins else None
    if against is not None:
        verification, errors = verification_of(one, against), error_rates_of(one.n_stones, release)
        mixture = mixture_of(one, against)
        conclusion = CONCLUSIONS[one.word]
        verification_cautions(said, one, against.judged, verification, novel)
        if not against.judged.shares.determined[row]:
            said.add("share_undetermined")
    held = verification is not None and held_by_distance(verification, release)
    if novel or held:
        support = {"log10_lr": LOG10_SUPPORT_OF_UNUSUAL} if held else {}
        said.add("novel_parcel" if novel else "unusual_parcel", p_value=novelty.p_value, **support)
    found = Examination(
        status_on=one.day,
        declared=one.declared,
        verification=verification,
        attribution=attribution,
        mixture=mixture,
        novelty=novelty if some else None,
        explanation=None,
        conclusion=conclusion,
        error_rates=errors,
        cautions=tuple(said.statements),
        goods=goods,
    )
    return replace(found, explanation=explanation_of(one, found))
