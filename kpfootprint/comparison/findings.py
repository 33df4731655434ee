"""From the numbers of a batch to what a report is made from, parcel by parcel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from kpfootprint.comparison.cautions import (
    Cautions,
    Doubt,
    declaration_cautions,
    number_and_weight_alone,
    record_cautions,
    release_cautions,
    size_cautions,
    variance_cautions,
    weight_cautions,
)
from kpfootprint.comparison.explain import class_findings, expectations, observed_shares
from kpfootprint.comparison.hypotheses import Hypotheses, h1_statement, h2_statement
from kpfootprint.comparison.mixture import mixture_of
from kpfootprint.comparison.results import (
    AlternativeLR,
    Attribution,
    ErrorRate,
    ErrorRates,
    Examination,
    Explanation,
    FootprintMap,
    Mixture,
    Novelty,
    SelectionLR,
    Statement,
    VarianceLR,
    Verification,
)
from kpfootprint.comparison.sentences import (
    attribute_sentences,
    change_sentences,
    class_sentences,
    headline_sentences,
    mixture_sentence,
    next_question,
    reason_sentences,
    reasons_of,
    resemblance_sentences,
    shows_mixing,
    split_sentence,
)
from kpfootprint.comparison.value_and_volume import goods_of
from kpfootprint.comparison.weigh import LEVEL, OTHER_WEIGHTS, VARIANCES, OfDeclaration, Weighed
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from kpfootprint.rules import CONCLUSIONS, Conclusion, Reason
from kpfootprint.stats.arrays import Floats
from kpfootprint.stats.novelty import LOG10_SUPPORT_OF_NOVEL, NOVEL_P

FEWEST = 10
"""Fewer stones than this resemble nothing and are not called unusual either: nobody has measured what they carry."""


def verbal_of(log10_lr: float, scale: Mapping[str, Any]) -> Statement:
    """Return the verbal band of an LR; the scale is symmetric in H1 and H2."""
    size = abs(log10_lr)
    bands = scale["bands"]
    band = next((b["band"] for b in bands if b["to_lr"] is None or size < np.log10(b["to_lr"])), bands[-1]["band"])
    side = "neither" if band == "none" else "H1" if log10_lr > 0 else "H2"
    return Statement(code="verbal", values={"band": band, "favours": side, "scale": scale["name"]})


def verification_of(
    weighed: Weighed, against: OfDeclaration, hypotheses: Hypotheses, row: int, release: Release
) -> Verification:
    """Return what speaks for and against the declaration of one parcel."""
    log10_lr, unbounded = float(against.judged.log10_lr[row]), float(against.judged.unbounded[row])
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
    arrays = weighed.looked.view.arrays
    return Verification(
        h1=h1_statement(hypotheses.weights[row], release.zone_ids, hypotheses.origins[row]),
        h2=h2_statement(hypotheses.alternatives[row], release.zone_ids, release.unlisted_weight),
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
            size_conditional=conditional if arrays.recorded[row, 1:].any() else None,
        ),
    )


def attribution_of(weighed: Weighed, row: int, release: Release) -> Attribution:
    """Return which zones the parcel resembles."""
    posterior, unlisted = weighed.posterior[row], float(weighed.unlisted_posterior[row])
    order = np.argsort(-posterior, kind="stable")
    listed = posterior / max(posterior.sum(), 1e-300)
    kept = [release.zone_ids[k] for k in order if listed[k] >= release.model.calibration.set_threshold]
    if unlisted >= release.model.calibration.set_threshold:
        kept.append("unlisted")
    return Attribution(
        zones=tuple((release.zone_ids[k], float(posterior[k])) for k in order),
        unlisted_posterior=unlisted,
        prediction_set=tuple(kept),
        level=LEVEL,
    )


def error_rates_of(n_stones: int, release: Release) -> ErrorRates | None:
    """Return the error rates measured at this size."""
    for item in release.manifest["error_rates"]:
        if item["n_stones_low"] <= n_stones <= item["n_stones_high"] and "true_declarations_queried" in item:
            return ErrorRates(
                measured_on=Statement(
                    code="measured_simulated",
                    values={"n_parcels": int(release.manifest["n_ranked"]), "release": release.name},
                ),
                n_stones_low=item["n_stones_low"],
                n_stones_high=item["n_stones_high"],
                true_declarations_queried=ErrorRate(**item["true_declarations_queried"]),
                false_declarations_accepted=ErrorRate(**item["false_declarations_accepted"]),
                declarants_who_try=ErrorRate(**item["declarants_who_try"]) if "declarants_who_try" in item else None,
            )
    return None


def map_of(weighed: Weighed, row: int, release: Release) -> FootprintMap:
    """Return the parcel among the reference parcels, on the two axes that show zones apart."""
    ordination, predictor = release.model.ordination, release.model.predictor
    centres = (predictor.sources - predictor.mean) @ ordination.axes
    numbers = weighed.looked.view.summaries.estimates[0, row]
    x, y = (numbers - predictor.mean) @ ordination.axes
    return FootprintMap(
        parcel=(float(x), float(y)),
        centres={zone: (float(a), float(b)) for zone, (a, b) in zip(release.zone_ids, centres, strict=True)},
        references={
            zone: tuple((float(a), float(b)) for a, b in ordination.points[ordination.source == k])
            for k, zone in enumerate(release.zone_ids)
        },
    )


def explanation_of(
    weighed: Weighed,
    against: OfDeclaration | None,
    hypotheses: Hypotheses,
    row: int,
    parcel: Parcel,
    release: Release,
    verification: Verification | None,
    mixture: Mixture | None,
    conclusion: Conclusion | None,
    doubt: Doubt,
    picked: bool,
    compared_on: date,
) -> Explanation:
    """Return why: shares by attribute, findings by class, sentences, the map.

    What weighs comes first among the sentences; where no declaration is weighed, classes are only observed.
    """
    model, scheme = release.model, release.scheme
    arrays = weighed.looked.view.arrays
    expected = None
    if against is not None:
        pool = weighed.posterior[row] * hypotheses.alternatives[row]
        elsewhere = pool if pool.sum() > 0 else weighed.posterior[row] + 1e-9
        expected = expectations(model, arrays, row, hypotheses.weights[row], elsewhere / elsewhere.sum())
    shares = np.zeros(arrays.recorded.shape[1]) if against is None else against.attribute_shares[row]
    observed = observed_shares(model, arrays, row)
    classes = class_findings(scheme, observed, arrays.recorded[row], expected, shares)
    named = zip(scheme.attribute_names, (float(share) for share in shares), strict=True)
    attributes = () if against is None else tuple(named)
    sentences: list[Statement] = []
    reasons: tuple[Reason, ...] = ()
    mixing = False
    if against is not None and verification is not None and conclusion is not None and mixture is not None:
        reasons = reasons_of(release.rules, against.judged, row)
        source = hypotheses.declared_as(row, release.zone_ids)
        sentences += class_sentences(classes, source, conclusion)
        possible = attribution_of(weighed, row, release).prediction_set
        sentences += headline_sentences(reasons, conclusion, verification, mixture, source, possible, doubt)
        mixing = conclusion == "inconclusive" and shows_mixing(reasons, verification, mixture)
        sentences += reason_sentences(release.rules, against.judged, row)
        sentences += attribute_sentences(attributes)
        sentences.append(mixture_sentence(mixture))
        if np.isfinite(against.split[row]):
            sentences.append(split_sentence(float(against.split[row])))
        sentences += change_sentences(parcel, hypotheses, against, row, conclusion, release, attributes)
    if not 0 < parcel.n_stones < FEWEST and doubt != "wrong" and not number_and_weight_alone(parcel):
        sentences += resemblance_sentences(weighed, row, release.zone_ids)
    declared, day = hypotheses.declared[row], hypotheses.days[row].isoformat()
    question = next_question(
        *(parcel, declared, day, conclusion, reasons, classes, release),
        compared_on=compared_on,
        doubt=doubt,
        mixing=mixing,
        picked=picked,
    )
    sentences.append(question)
    complete = bool(arrays.recorded[row].all())
    return Explanation(
        attributes=attributes,
        classes=classes,
        sentences=tuple(sentences),
        footprint_map=map_of(weighed, row, release) if complete else None,
    )


def examination_of(
    parcel: Parcel,
    weighed: Weighed,
    hypotheses: Hypotheses,
    row: int,
    release: Release,
    mean_ct: Floats,
    *,
    compared_on: date,
) -> Examination:
    """Return everything found about one parcel of a batch.

    What too few stones, a number and a weight alone, or weights in another unit cannot carry is not given: no
    likelihood ratio, no undeclared share, no error rates.

    Parameters
    ----------
    compared_on : date
        Day of the comparison; an export date beyond it is said.
    """
    n_stones = parcel.n_stones or max(round(float(weighed.looked.view.arrays.n_stones[row])), 1)
    arrays = weighed.looked.view.arrays
    verification, mixture = None, None
    conclusion: Conclusion | None = "not_comparable" if parcel.declarations else None
    said = Cautions([])
    release_cautions(said, release)
    declaration_cautions(said, parcel, hypotheses, row, release, compared_on)
    goods = goods_of(parcel, arrays, hypotheses, row, release)
    doubt = weight_cautions(
        said, parcel, arrays, row, mean_ct, goods.mean_ct_usual, minimum_stones=release.rules.minimum_stones
    )
    enough = n_stones >= release.rules.minimum_stones
    some = n_stones >= FEWEST and doubt != "wrong" and not number_and_weight_alone(parcel)
    against = weighed.declaration if enough and some else None
    size_cautions(said, n_stones, weighed.looked.gate[row], release, doubt)
    record_cautions(said, parcel, arrays, row, release)
    if against is not None:
        verification = verification_of(weighed, against, hypotheses, row, release)
        mixture = mixture_of(
            release.model,
            weighed,
            against,
            row,
            weights=hypotheses.weights[row],
            allowed=hypotheses.allowed[row],
            mean_ct=mean_ct,
            weighted=parcel.carats is not None,
            zone_ids=release.zone_ids,
        )
        conclusion = CONCLUSIONS[int(against.judged.conclusion[row])]
    novelty = Novelty(p_value=float(weighed.novelty_p[row]), floor=release.model.novelty.floor)
    novel = some and novelty.p_value <= NOVEL_P
    # what holds the support of a novel parcel is not the references' reach; its own caution says so
    if verification is not None and (hit := verification.bound_hit) is not None and not (novel and hit == "upper"):
        said.add("bound_hit", bound=hit, log10_lr=verification.log10_lr)
    if verification is not None:
        variance_cautions(said, verification, novel, release)
    if novel:
        said.add("novel_parcel", p_value=novelty.p_value, log10_lr=LOG10_SUPPORT_OF_NOVEL)
    return Examination(
        status_on=hypotheses.days[row],
        declared=hypotheses.declared[row],
        verification=verification,
        attribution=attribution_of(weighed, row, release) if some else None,
        mixture=mixture,
        novelty=novelty if some else None,
        explanation=explanation_of(
            *(weighed, against, hypotheses, row, parcel, release, verification, mixture, conclusion),
            doubt=doubt,
            picked=any(item.code == "size_range_missing" for item in said.statements),
            compared_on=compared_on,
        ),
        conclusion=conclusion,
        error_rates=error_rates_of(n_stones, release) if against is not None else None,
        cautions=tuple(said.statements),
        goods=goods,
    )
