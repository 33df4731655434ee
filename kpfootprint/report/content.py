"""From what a comparison found to the report's one content. All rounding happens here, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from kpfootprint.comparison.results import (
    Attribution,
    ErrorRate,
    ErrorRates,
    Examination,
    Explanation,
    Interval,
    Mixture,
    Statement,
    Verification,
)
from kpfootprint.parcel import Parcel
from kpfootprint.report import rounding
from kpfootprint.report.locale import Names, names, words
from kpfootprint.report.model_card import ModelCard
from kpfootprint.report.report import SCHEMA_VERSION, Report, canonical, declared_status, seal
from kpfootprint.report.sentences import rounded, say

Json = dict[str, Any]


def build_report(parcel: Parcel, examination: Examination, model: ModelCard, *, created_at: datetime) -> Report:
    """Build the report of one parcel.

    Parameters
    ----------
    parcel : Parcel
        The parcel as it was submitted; none of its stones enter the report.
    examination : Examination
        What was found, unrounded.
    model : ModelCard
        The release and the reference it rests on.
    created_at : datetime
        When the report is made, with a time zone. It stands in the report and changes nothing else in it.

    Returns
    -------
    Report
        Its texts are English; other languages are rendered from codes and values.

    Raises
    ------
    ValueError
        Where `created_at` has no time zone, a fraction lies outside 0 and 1, or Shapley shares do not add up.
    """
    if created_at.tzinfo is None:
        raise ValueError("created_at needs a time zone")
    card = canonical(model.to_json())
    tell = _teller(names(card, "en"))
    content: Json = {
        "schema_version": SCHEMA_VERSION,
        "created_at": created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "software": {"name": model.software_name, "version": model.software_version},
        "parcel": _parcel(parcel, examination, model.scheme.size.name),
        "status": {
            "day": examination.status_on.isoformat(),
            "declared": declared_status([zone.status_on_export_date for zone in examination.declared]),
        },
        "verification": _maybe(examination.verification, lambda found: _verification(found, tell)),
        "attribution": _maybe(examination.attribution, _attribution),
        "mixture": _maybe(examination.mixture, _mixture),
        "novelty": _maybe(
            examination.novelty,
            lambda found: {"p_value": rounding.p_value(found.p_value), "floor": rounding.p_value(found.floor)},
        ),
        "explanation": _maybe(
            examination.explanation, lambda found: _explanation(found, examination.verification, tell)
        ),
        "conclusion": examination.conclusion,
        "error_rates": _maybe(examination.error_rates, lambda found: _error_rates(found, tell)),
        "cautions": [tell(caution) for caution in examination.cautions],
    }
    return seal(content, {"model": card})


def _maybe(found: Any, shape: Callable[[Any], Json]) -> Json | None:
    return None if found is None else shape(found)


def _or_none(value: float | None, rounds: Callable[[float], float]) -> float | None:
    return None if value is None else rounds(value)


def _teller(english: Names) -> Callable[[Statement], Json]:
    """Return the function that makes a statement's JSON, with its English text."""
    lang = words("en")

    def tell(statement: Statement) -> Json:
        document: Json = {"code": statement.code, "values": rounded(statement.values)}
        return {**document, "text": say(document, lang, english)}

    return tell


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _parcel(parcel: Parcel, examination: Examination, size: str) -> Json:
    conditions = parcel.conditions
    return {
        "parcel_id": parcel.parcel_id,
        "n_stones": parcel.n_stones or None,
        "n_stones_graded": parcel.n_stones_graded(size),
        "read_as": None if parcel.read_as is None else dict(parcel.read_as),
        "carats": _or_none(parcel.carats, rounding.amount),
        "declared_carats": _or_none(parcel.declared_carats, rounding.amount),
        "certificate_no": parcel.certificate_no,
        "exporter": parcel.exporter,
        "exported_on": _iso(parcel.exported_on),
        "status_on": _iso(examination.status_on),
        "conditions": {
            "cleaning_state": conditions.cleaning_state,
            "selection": conditions.selection,
            "sorter": conditions.sorter,
            "bottom_screen_mm": _or_none(conditions.bottom_screen_mm, rounding.amount),
            "specials_removed": conditions.specials_removed,
            "sieve_set": conditions.sieve_set,
        },
        "declared": [
            {
                "zone_id": zone.zone_id,
                "carats": _or_none(zone.carats, rounding.amount),
                "status_on_export_date": zone.status_on_export_date,
            }
            for zone in examination.declared
        ],
    }


def _verification(found: Verification, tell: Callable[[Statement], Json]) -> Json:
    return {
        "h1": tell(found.h1),
        "h2": tell(found.h2),
        "log10_lr": rounding.log10(found.log10_lr),
        "low": rounding.log10(found.low),
        "high": rounding.log10(found.high),
        "level": rounding.fraction(found.level),
        "bounds": [rounding.log10(bound) for bound in found.bounds],
        "bound_hit": found.bound_hit,
        "log10_lr_unbounded": rounding.log10(found.log10_lr_unbounded),
        "verbal": None if found.verbal is None else tell(found.verbal),
        "typicality_p": rounding.p_value(found.typicality_p),
        "by_alternative": [
            {
                "kind": other.kind,
                "zone_id": other.zone_id,
                "unlisted_weight": _or_none(other.unlisted_weight, rounding.fraction),
                "log10_lr": rounding.log10(other.log10_lr),
            }
            for other in found.by_alternative
        ],
        "by_selection": {
            "as_recorded": rounding.log10(found.by_selection.as_recorded),
            "marginalised": rounding.log10(found.by_selection.marginalised),
            "size_conditional": _or_none(found.by_selection.size_conditional, rounding.log10),
        },
        "by_variance": None
        if found.by_variance is None
        else [{"factor": rounding.amount(v.factor), "log10_lr": rounding.log10(v.log10_lr)} for v in found.by_variance],
    }


def _attribution(found: Attribution) -> Json:
    posteriors = [*(posterior for _, posterior in found.zones), found.unlisted_posterior]
    *zones, unlisted = rounding.parts(posteriors, 1.0, rounding.FRACTION_DECIMALS)
    return {
        "zones": [
            {"zone_id": zone_id, "posterior": posterior}
            for (zone_id, _), posterior in zip(found.zones, zones, strict=True)
        ],
        "unlisted_posterior": unlisted,
        "prediction_set": list(found.prediction_set),
        "level": rounding.fraction(found.level),
    }


def _interval(found: Interval) -> Json:
    return {
        name: rounding.fraction(value)
        for name, value in zip(
            ("estimate", "low", "high", "level"), (found.estimate, found.low, found.high, found.level), strict=True
        )
    }


def _mixture(found: Mixture) -> Json:
    return {
        "undeclared_stone_fraction": _interval(found.undeclared_stone_fraction),
        "undeclared_carat_fraction": _maybe(found.undeclared_carat_fraction, _interval),
        "p_value": rounding.p_value(found.p_value),
        "detection_limit": rounding.fraction(found.detection_limit),
        "sources": [
            {"zone_id": s.zone_id, **_interval(s.share), "posterior": rounding.fraction(s.posterior)}
            for s in found.sources
        ],
        "indistinguishable": list(found.indistinguishable),
        "association_p": _or_none(found.association_p, rounding.p_value),
        "profile": [[rounding.fraction(share), rounding.fraction(chance)] for share, chance in found.profile],
    }


def _explanation(found: Explanation, verification: Verification | None, tell: Callable[[Statement], Json]) -> Json:
    shares = [share for _, share in found.attributes]
    total = sum(shares) if verification is None else verification.log10_lr_unbounded
    exact = rounding.parts(shares, total, rounding.LOG10_DECIMALS) if shares else []
    spots = found.footprint_map
    by_name = {name: share for (name, _), share in zip(found.attributes, exact, strict=True)}

    def told(sentence: Statement) -> Json:
        """Say a share of the log10 LR by the number that stands for it everywhere, rounded so that shares add up."""
        own = by_name.get(str(sentence.values.get("attribute")))
        if own is None or "log10_lr_share" not in sentence.values:
            return tell(sentence)
        return tell(Statement(code=sentence.code, values={**sentence.values, "log10_lr_share": own}))

    return {
        "attributes": [
            {"name": name, "log10_lr_share": share} for (name, _), share in zip(found.attributes, exact, strict=True)
        ],
        "classes": [
            {
                "attribute": item.attribute,
                "class": item.class_name,
                "observed": rounding.fraction(item.observed),
                "expected": _or_none(item.expected, rounding.fraction),
                "low": _or_none(item.low, rounding.fraction),
                "high": _or_none(item.high, rounding.fraction),
                "contribution": _or_none(item.contribution, rounding.log10),
            }
            for item in found.classes
        ],
        "sentences": [told(sentence) for sentence in found.sentences],
        "footprint_map": None
        if spots is None
        else {
            "parcel": _point(spots.parcel),
            "centres": {zone: _point(centre) for zone, centre in spots.centres.items()},
            "references": {zone: [_point(spot) for spot in where] for zone, where in spots.references.items()},
        },
    }


def _point(spot: tuple[float, float]) -> list[float]:
    return [round(spot[0], rounding.MAP_DECIMALS) + 0.0, round(spot[1], rounding.MAP_DECIMALS) + 0.0]


def _error_rates(found: ErrorRates, tell: Callable[[Statement], Json]) -> Json:
    return {
        "measured_on": tell(found.measured_on),
        "n_stones_low": found.n_stones_low,
        "n_stones_high": found.n_stones_high,
        "true_declarations_queried": _rate(found.true_declarations_queried),
        "false_declarations_accepted": _rate(found.false_declarations_accepted),
        "declarants_who_try": _maybe(found.declarants_who_try, _rate),
    }


def _rate(found: ErrorRate) -> Json:
    return {
        "rate": rounding.fraction(found.rate),
        "low": rounding.fraction(found.low),
        "high": rounding.fraction(found.high),
        "errors": found.errors,
        "trials": found.trials,
    }
