"""What an expert should read first: which classes and attributes speak, and what would change the conclusion."""

from __future__ import annotations

import numpy as np

from kpfootprint.comparison.hypotheses import Hypotheses
from kpfootprint.comparison.judge import Judged
from kpfootprint.comparison.results import ClassFinding, Mixture, Statement, Value
from kpfootprint.comparison.weigh import Weighed
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from kpfootprint.rules import CONCLUSIONS, Reason, Rules, Signs, reasons_for
from kpfootprint.stats.shares import NONE_P

SPEAKS = 0.05
"""Least log10 LR that is said to speak for either hypothesis."""
SORTER_MATTERS = 0.3
MOST_CLASSES = 4
MOST_FIRST = 2
ENOUGH_CONSISTENT = 0.8
FEW_REFERENCES = 15


def favours(log10_share: float) -> str:
    """Name the hypothesis that a contribution favours."""
    return "neither" if abs(log10_share) < SPEAKS else "H1" if log10_share > 0 else "H2"


def reason_sentences(rules: Rules, judged: Judged, row: int) -> list[Statement]:
    """Say what made the parcel a query, or what kept it from being called consistent, with the limits."""
    own, conclusion = CONCLUSIONS[judged.by_itself[row]], CONCLUSIONS[judged.conclusion[row]]
    alone = "asks_alone" if conclusion == "query" else "short_alone"
    out = [] if own == conclusion else [Statement(code=alone, values={})]
    one = slice(row, row + 1)
    shares = judged.shares
    signs = Signs(
        log10_lr=judged.log10_lr[one],
        share_p=shares.p_value[one],
        share_low=shares.low[one],
        as_declared_p=shares.as_declared_p[one],
        novelty_p=judged.novelty_p[one],
    )
    asks = own == "query"
    undeclared: dict[str, Value] = {
        "p_value": float(signs.share_p[0]),
        "p_limit": rules.query_share_p if asks else rules.consistent_share_p,
    }
    if asks:
        undeclared |= {"low": float(signs.share_low[0]), "low_limit": rules.query_share_low}
    said: dict[Reason, dict[str, Value]] = {
        "lr": {
            "log10_lr": float(signs.log10_lr[0]),
            "log10_limit": rules.query_log10_lr if asks else rules.consistent_log10_lr,
        },
        "share": undeclared,
        "goods": {"p_value": float(signs.as_declared_p[0]), "p_limit": rules.consistent_share_p},
        "novelty": {
            "p_value": float(signs.novelty_p[0]),
            "p_limit": rules.query_novelty_p if asks else rules.consistent_novelty_p,
        },
    }
    found = reasons_for(rules, own, signs)
    return out + [Statement(code=f"{'asks' if asks else 'short'}_{reason}", values=said[reason]) for reason in found]


def class_sentences(classes: tuple[ClassFinding, ...], zones: tuple[str, ...]) -> list[Statement]:
    """Say which classes lie outside the range of what was declared, the farthest first, and where to look first."""
    outside: list[tuple[float, ClassFinding]] = []
    n_ranged = 0
    for item in classes:
        if item.low is None or item.high is None or item.expected is None:
            continue
        n_ranged += 1
        beyond = max(item.observed - item.high, item.low - item.observed)
        if beyond > 0:
            width = max(item.high - item.low, 1e-3)
            outside.append((beyond / width, item))
    outside.sort(key=lambda pair: -pair[0])
    out = [
        Statement(
            code="class_more" if item.observed > (item.high or 0.0) else "class_fewer",
            values={
                "attribute": item.attribute,
                "class": item.class_name,
                "zones": zones,
                "observed": item.observed,
                "expected": item.expected,
                "low": item.low,
                "high": item.high,
                "favours": favours(item.contribution or 0.0),
            },
        )
        for _, item in outside[:MOST_CLASSES]
    ]
    if n_ranged and not outside:
        out.append(Statement(code="within_ranges", values={"n_classes": n_ranged}))
    out += [
        Statement(code="look_first", values={"attribute": item.attribute, "class": item.class_name})
        for _, item in outside[:MOST_FIRST]
    ]
    return out


def attribute_sentences(shares: tuple[tuple[str, float], ...]) -> list[Statement]:
    """Say which hypothesis each attribute favours, the weightiest first."""
    return [
        Statement(
            code="attribute_favours",
            values={"attribute": name, "log10_lr_share": share, "favours": favours(share)},
        )
        for name, share in sorted(shares, key=lambda pair: -abs(pair[1]))
    ]


def mixture_sentence(mixture: Mixture) -> Statement:
    """Say whether undeclared goods were found, or what share could have been missed."""
    if mixture.p_value > NONE_P:
        return Statement(
            code="mixture_not_found",
            values={"detection_limit": mixture.detection_limit, "p_value": mixture.p_value},
        )
    stones = mixture.undeclared_stone_fraction
    return Statement(
        code="mixture_found",
        values={"share": stones.estimate, "low": stones.low, "high": stones.high, "p_value": mixture.p_value},
    )


def change_sentences(
    parcel: Parcel, hypotheses: Hypotheses, weighed: Weighed, row: int, conclusion: str, release: Release
) -> list[Statement]:
    """Say what would change the conclusion: more stones, a declared screen, more reference parcels, another sorter."""
    out = []
    if conclusion in ("inconclusive", "not_comparable"):
        enough = next(
            (
                int(item["n_stones_low"])
                for item in release.manifest["error_rates"]
                if item.get("true_declarations_consistent", 0.0) >= ENOUGH_CONSISTENT
            ),
            None,
        )
        if enough is not None and 0 < parcel.n_stones < enough:
            out.append(Statement(code="more_stones", values={"n_stones": parcel.n_stones, "needed": enough}))
        if parcel.conditions.bottom_screen_mm is None:
            out.append(Statement(code="declare_screen", values={}))
        for k in np.flatnonzero(hypotheses.weights[row]):
            count = int(release.model.n_reference[k])
            if count < FEW_REFERENCES:
                out.append(Statement(code="more_references", values={"zone": release.zone_ids[k], "n_parcels": count}))
    without = float(weighed.sorter_blank[row])
    if np.isfinite(without) and abs(without - weighed.judged.unbounded[row]) > SORTER_MATTERS:
        sorter = parcel.conditions.sorter
        out.append(Statement(code="sorter_matters", values={"sorter": sorter, "log10_lr_without": without}))
    return out


def resemblance_sentences(weighed: Weighed, row: int, zone_ids: tuple[str, ...]) -> list[Statement]:
    """Say which zones the parcel resembles, or none."""
    posterior = weighed.posterior[row]
    if weighed.unlisted_posterior[row] > posterior.max():
        return [Statement(code="resembles_none", values={})]
    best = np.argsort(-posterior, kind="stable")[:3]
    return [
        Statement(code="resembles", values={"zone": zone_ids[k], "posterior": float(posterior[k])})
        for k in best
        if posterior[k] >= 0.1
    ]
