"""What a reader is told first, in order: the classes that weigh most, a headline, the reasons, what to ask next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kpfootprint.comparison.cautions import FEW_REFERENCES, carats_apart
from kpfootprint.comparison.results import (
    ODD_WEIGHTS,
    ClassFinding,
    Examination,
    Mixture,
    Statement,
    Value,
    Verification,
    standing,
)
from kpfootprint.comparison.weigh import OfDeclaration, OneParcel
from kpfootprint.conclusions import CONCLUSIONS, Conclusion, Reason, Rules, Signs, reasons_for
from kpfootprint.release import Release
from kpfootprint.stats.intervals import LEVEL
from kpfootprint.stats.shares import NONE_P

SPEAKS = 0.05
"""Least log10 LR that is said to speak for either hypothesis."""
LIKE = 0.15
"""An observed share within this part of the expected one is called about as expected."""
HALF = 0.5
ABOUT_HALF = 0.4
"""Beside an undeclared share of stones from here on, what is left is not called most of the parcel."""
NEARLY_ALL = 0.9
"""A parcel whose undeclared share ends below this is partly as declared, whatever its LR says of it as a whole."""
MIXED = ("headline_mixed", "headline_partly")
UNLIKE_P = 0.05
"""A parcel that more of what was declared would lie as far from than this is not called unlike it."""
FOUND = 0.02
"""Least estimated share of undeclared goods that a headline names."""
SORTER_MATTERS = 0.3
MOST_CLASSES = 4
WORTH_SAYING = 0.075
"""Least part of the evidence on its side for which a further class is named."""
MOST_FIRST = 2
ENOUGH_CONSISTENT = 0.8
CARATS_ASKED = 0.1
"""Declared carats this part of the parcel's away from them are asked about; slips seldom add up to the last carat."""


def favours(log10_share: float) -> str:
    """Name the hypothesis that a contribution favours."""
    return "neither" if abs(log10_share) < SPEAKS else "H1" if log10_share > 0 else "H2"


def sentences_of(
    one: OneParcel,
    found: Examination,
    against: OfDeclaration | None,
    classes: tuple[ClassFinding, ...],
    shares: tuple[tuple[str, float], ...],
) -> tuple[Statement, ...]:
    """Return everything that is said of a parcel, `shares` of its log10 LR being those of the attributes."""
    out: list[Statement] = []
    reasons: tuple[Reason, ...] = ()
    mixing = False
    if against and found.verification and found.attribution and found.mixture and found.conclusion:
        judged, row, rules = against.judged, one.row, one.release.rules
        own = CONCLUSIONS[judged.by_itself[row]]
        of_own = reasons_for(rules, own, judged.signs, row)
        reasons = of_own if own == found.conclusion else ()  # else its zones one by one made it so
        mixing = found.conclusion == "inconclusive" and shows_mixing(reasons, found.verification, found.mixture)
        out += class_sentences(classes, one.source, found.conclusion)
        out += headline_sentences(reasons, found, one.source)
        if CONCLUSIONS[one.word] != CONCLUSIONS[judged.conclusion[row]]:
            few = one.plainer.attributes
            out.append(Statement.of("short_record", attributes=few) if few else Statement.of("short_sizes"))
        elif own != found.conclusion:
            out.append(Statement.of("asks_alone" if found.conclusion == "query" else "short_alone"))
        out += reason_sentences(rules, own, judged.signs, row, of_own)
        out += attribute_sentences(shares)
        out.append(mixture_sentence(found.mixture))
        if np.isfinite(split := float(against.split[one.row])):
            out.append(Statement.of("split", log10_lr=split, favours=favours(split)))
        out += change_sentences(one, against, found.conclusion, shares)
    if found.attribution is not None:
        out += resemblance_sentences(one)
    return *out, next_question(one, found, reasons, classes, mixing=mixing)


def _cautioned(found: Examination, *codes: str) -> bool:
    """Say whether one of these cautions was said."""
    return any(caution.code in codes for caution in found.cautions)


def headline_sentences(
    reasons: Sequence[Reason], found: Examination, source: Mapping[str, tuple[str, ...]]
) -> list[Statement]:
    """Say in one sentence what the parcel is like, and of what the LR does not speak that speaks against a query.

    What is like its declaration may be like other sources that cannot be excluded too. Each of these is a source of its
    own, so nothing is said of them beside a blend.
    """
    verification, mixture, conclusion = found.verification, found.mixture, found.conclusion
    assert verification is not None
    assert mixture is not None
    log10_lr = verification.log10_lr
    about: dict[str, Value] = {**source}
    zones = source["zones"]
    if _cautioned(found, *ODD_WEIGHTS):
        code, about = "headline_weights", {}
    elif conclusion == "consistent":
        possible = () if found.attribution is None or len(zones) > 1 else found.attribution.prediction_set
        code = "headline_like"
        about["other_zones"] = tuple(zone for zone in possible if zone not in zones)
    elif conclusion == "inconclusive" and shows_mixing(reasons, verification, mixture):
        code = "headline_signs"
        about |= _share(mixture)
    elif conclusion == "inconclusive" and reasons and log10_lr > 0 and {"share", "goods", "best"}.issuperset(reasons):
        code = "headline_short"
    elif conclusion == "inconclusive" or not reasons:
        code = "headline_unsettled"
    elif "share" in reasons and ("lr" not in reasons or mixture.undeclared_stone_fraction.high < NEARLY_ALL):
        share = mixture.undeclared_stone_fraction
        mostly = share.estimate < ABOUT_HALF and (share.high < HALF or log10_lr > 0)
        code = "headline_mixed" if mostly else "headline_partly"
        about |= _share(mixture)
    else:
        unlike = "headline_unlike" if verification.typicality_p < UNLIKE_P else "headline_less"
        code = unlike if "lr" in reasons else "headline_novel"
    out = [Statement.of(code, **about)]
    side = verification.verbal.values["favours"]
    if conclusion == "query" and (side == "H1" or code in MIXED):
        kind = "mixed" if "share" in reasons else "novel" if reasons else "blend"
        out.append(Statement.of(f"lr_of_{kind}", log10_lr=log10_lr, favours=side, **source))
    return out


def _share(mixture: Mixture) -> dict[str, Value]:
    stones = mixture.undeclared_stone_fraction
    known: dict[str, Value] = {"share": stones.estimate, "low": stones.low, "high": stones.high}
    return known | {"n_readings": len(mixture.readings)} if mixture.readings else known


def shows_mixing(reasons: Sequence[Reason], verification: Verification, mixture: Mixture) -> bool:
    """Return whether a parcel that is otherwise as declared shows undeclared goods, yet too few or too unsurely."""
    found = mixture.p_value <= NONE_P and FOUND <= mixture.undeclared_stone_fraction.estimate < HALF
    return "share" in reasons and verification.log10_lr > 0 and found


def reason_sentences(
    rules: Rules, own: Conclusion, signs: Signs, row: int, reasons: Sequence[Reason]
) -> list[Statement]:
    """Say what made the parcel a query, or what kept it from being called consistent, with the limits."""
    asks = own == "query"
    undeclared: dict[str, Value] = {
        "p_value": float(signs.share_p[row]),
        "p_limit": rules.query_share_p if asks else rules.consistent_share_p,
    }
    if asks:
        undeclared |= {"low": float(signs.share_low[row]), "low_limit": rules.query_share_low}
    said: dict[Reason, dict[str, Value]] = {
        "lr": {
            "log10_lr": float(signs.log10_lr[row]),
            "log10_limit": rules.query_log10_lr if asks else rules.consistent_log10_lr,
            "favours": "H1" if signs.log10_lr[row] > 0 else "H2",
        },
        "share": undeclared,
        "goods": {"p_value": float(signs.as_declared_p[row]), "p_limit": rules.consistent_share_p},
        "best": {"p_value": float(signs.best_p[row]), "p_limit": rules.consistent_best_p},
        "novelty": {
            "p_value": float(signs.novelty_p[row]),
            "p_limit": rules.query_novelty_p if asks else rules.consistent_novelty_p,
        },
    }
    return [Statement.of(f"{'asks' if asks else 'short'}_{reason}", **said[reason]) for reason in reasons]


def evidence_shares(contributions: Sequence[float]) -> list[float]:
    """Return what part of the evidence on its own side each contribution is, between 0 and 1.

    >>> evidence_shares([-3.0, 1.0, -1.0])
    [0.75, 1.0, 0.25]
    """
    against = -sum(min(value, 0.0) for value in contributions)
    speaking_for = sum(max(value, 0.0) for value in contributions)
    return [
        abs(value) / side if (side := speaking_for if value > 0 else against) > 0 else 0.0 for value in contributions
    ]


def class_sentences(
    classes: tuple[ClassFinding, ...], source: Mapping[str, tuple[str, ...]], conclusion: Conclusion
) -> list[Statement]:
    """Say which classes weigh most, the weightiest first, and at which stones to look first.

    The weight of a class is its contribution to the log10 LR; with it stands what part of the evidence on that side it
    is. Where to look first are the classes that speak against the declaration and have more stones than expected:
    stones that are not there cannot be looked at.
    """
    weighed = [item for item in classes if item.contribution is not None]
    parts = evidence_shares([item.contribution or 0.0 for item in weighed])
    ranked = sorted(zip(weighed, parts, strict=True), key=lambda pair: -abs(pair[0].contribution or 0.0))
    out = [
        Statement(
            code=f"class_{relation(item)}",
            values={
                "attribute": item.attribute,
                "class": item.class_name,
                **source,
                "observed": item.observed,
                "expected": item.expected,
                "low": item.low,
                "high": item.high,
                "contribution": item.contribution,
                "evidence_share": part,
                "favours": favours(item.contribution or 0.0),
            },
        )
        for place, (item, part) in enumerate(ranked[:MOST_CLASSES])
        if place == 0 or (favours(item.contribution or 0.0) != "neither" and part >= WORTH_SAYING)
    ]
    within = sum(1 for item in weighed if item.low is not None and item.low <= item.observed <= (item.high or 0.0))
    if weighed:
        out.append(Statement.of("within_ranges", n_classes=within, n_all=len(weighed)))
    if conclusion == "consistent":
        return out
    first = [item for item in _against(classes) if relation(item) == "more"][:MOST_FIRST]
    said = [{"attribute": item.attribute, "class": item.class_name} for item in first]
    return [*out, *(Statement(code="look_first", values=values) for values in said)]


def _against(classes: tuple[ClassFinding, ...]) -> list[ClassFinding]:
    """Return the classes that speak against the declaration, the weightiest first."""
    found = [item for item in classes if favours(item.contribution or 0.0) == "H2"]
    return sorted(found, key=lambda item: item.contribution or 0.0)


def relation(item: ClassFinding) -> str:
    """Return whether there are more stones of a class than expected, fewer, or about as many (``like``)."""
    expected = item.expected or 0.0
    if abs(item.observed - expected) <= LIKE * expected:
        return "like"
    return "more" if item.observed > expected else "fewer"


def attribute_sentences(shares: tuple[tuple[str, float], ...]) -> list[Statement]:
    """Say which hypothesis each attribute favours, the weightiest first."""
    return [
        Statement.of("attribute_favours", attribute=name, log10_lr_share=share, favours=favours(share))
        for name, share in sorted(shares, key=lambda pair: -abs(pair[1]))
    ]


def mixture_sentence(mixture: Mixture) -> Statement:
    """Say whether undeclared goods were found, or what share could have been missed."""
    if mixture.p_value > NONE_P:
        return Statement.of("mixture_not_found", detection_limit=mixture.detection_limit, p_value=mixture.p_value)
    return Statement.of("mixture_found", **_share(mixture), p_value=mixture.p_value)


def change_sentences(
    one: OneParcel, against: OfDeclaration, conclusion: str, shares: tuple[tuple[str, float], ...]
) -> list[Statement]:
    """Say what would change the conclusion: the weightiest attribute graded again, more stones, a declared screen."""
    parcel, release, row, out = one.parcel, one.release, one.row, []
    parts = evidence_shares([share for _, share in shares])
    weightiest = max(zip(shares, parts, strict=True), key=lambda pair: abs(pair[0][1]), default=None)
    if weightiest is not None and favours(weightiest[0][1]) != "neither":
        (name, share), part = weightiest
        out.append(Statement.of("grade_again", attribute=name, evidence_share=part, favours=favours(share)))
    if conclusion == "inconclusive":
        if needed := more_stones(parcel.n_stones, release):
            out.append(Statement.of("more_stones", n_stones=parcel.n_stones, needed=needed))
        if parcel.conditions.bottom_screen_mm is None:
            out.append(Statement.of("declare_screen"))
        for k in np.flatnonzero(one.weights):
            count = int(release.model.n_reference[k])
            if count < FEW_REFERENCES:
                out.append(Statement.of("more_references", zone=release.zone_ids[k], n_parcels=count))
    if conclusion == "consistent" and one.plainer.unstated > one.word:
        out.append(Statement.of("conditions_matter", fields=parcel.conditions.stated))
    without = float(against.sorter_blank[row])
    if np.isfinite(without) and abs(without - against.judged.unbounded[row]) > SORTER_MATTERS:
        sorter = parcel.conditions.sorter
        out.append(Statement.of("sorter_matters", sorter=sorter, log10_lr_without=without))
    return out


def more_stones(n_stones: int, release: Release) -> int | None:
    """Return the least number of stones at which most true declarations were called consistent, where that is more."""
    enough = (
        int(item["n_stones_low"])
        for item in release.manifest["error_rates"]
        if item.get("true_declarations_consistent", 0.0) >= ENOUGH_CONSISTENT
    )
    least = next(enough, 0)
    return least if 0 < n_stones < least else None


def next_question(
    one: OneParcel, found: Examination, reasons: Sequence[Reason], classes: tuple[ClassFinding, ...], *, mixing: bool
) -> Statement:
    """Return the one question to put to the exporter next, from what weighed most.

    `mixing` says whether the parcel shows undeclared goods, though not enough for a query.
    """
    parcel, release, conclusion, day = one.parcel, one.release, found.conclusion, one.day.isoformat()
    doubted = _cautioned(found, *ODD_WEIGHTS)
    if not one.declared and not doubted:
        return Statement.of("next_declaration")
    if barred := _standing_so("not_compliant", one):
        return Statement.of("next_status", zones=barred, day=day)
    known = (*release.zone_ids, *one.hypotheses.left_out[one.row])
    if unknown := tuple(zone.zone_id for zone in one.declared if zone.zone_id not in known):
        return Statement.of("next_reference", zones=unknown)
    if doubted:
        return Statement.of("next_weights", mean_ct=parcel.mean_ct)
    if conclusion == "not_comparable":
        needed = int(release.rules.minimum_stones)
        if one.n_stones < needed:
            return Statement.of("next_stones", n_stones=one.n_stones, needed=needed)
        return Statement.of("next_grading", n_stones=parcel.n_stones or None)
    if conclusion == "query" or mixing:
        return _question_of_goods(reasons, classes)
    if conclusion == "inconclusive":
        if blank := release.open_conditions(parcel.conditions):
            return Statement.of("next_conditions", fields=blank)
        enough = more_stones(parcel.n_stones, release)
        asked = Statement.of("next_stones", n_stones=parcel.n_stones, needed=enough)
        return asked if enough else Statement.of("next_sources")
    if parcel.exported_on is None or parcel.exported_on > one.compared_on:
        return Statement.of("next_date")
    if differing := carats_apart(parcel, CARATS_ASKED):
        return Statement.of("next_carats", **differing)
    if unknown := _standing_so("unknown", one):
        return Statement.of("next_status_unknown", zones=unknown, day=day)
    return Statement.of("next_sources" if _cautioned(found, "size_range_missing") else "next_nothing")


def _standing_so(status: str, one: OneParcel) -> tuple[str, ...]:
    """Return the declared zones that stand so, see `standing`."""
    return tuple(zone.zone_id for zone in one.declared if standing(zone.status_on_export_date) == status)


def _question_of_goods(reasons: Sequence[Reason], classes: tuple[ClassFinding, ...]) -> Statement:
    """Return the question about stones that speak against a declaration, those that are there before missing ones."""
    against = _against(classes)
    if against and set(reasons) != {"novelty"}:
        item = next((item for item in against if relation(item) == "more"), against[0])
        if code := {"more": "next_bought", "fewer": "next_missing"}.get(relation(item)):
            return Statement(code=code, values={"attribute": item.attribute, "class": item.class_name})
    return Statement.of("next_sources")


def resemblance_sentences(one: OneParcel) -> list[Statement]:
    """Say which zones the parcel resembles, or none.

    In releases up to format 6 the set of zones has its level over reference parcels of all sizes together; of a parcel
    smaller than these are in the middle it is said that it has not.
    """
    posterior, zone_ids = one.weighed.posterior[one.row], one.release.zone_ids
    usual = np.exp(one.release.model.calibration.centre)
    few = Statement.of("resembles_small", level=LEVEL, usual_stones=int(float(f"{usual:.2g}")))
    level_hangs_on_size = one.release.model.sets is None and one.n_stones < usual
    small = [few] if level_hangs_on_size else []
    if one.weighed.unlisted_posterior[one.row] > posterior.max():
        return [Statement.of("resembles_none"), *small]
    best = [k for k in np.argsort(-posterior, kind="stable")[:3] if posterior[k] >= 0.1]
    said = [Statement.of("resembles", zone=zone_ids[k], posterior=float(posterior[k])) for k in best]
    return [*said, *small]
