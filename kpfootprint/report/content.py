"""From what a comparison found to the report's one content. All rounding happens here, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kpfootprint import plain as rounding
from kpfootprint.comparison.results import (
    Attribution,
    ClassFinding,
    Examination,
    Explanation,
    SourceShare,
    Statement,
    Verification,
)
from kpfootprint.parcel import Parcel
from kpfootprint.plain import Shapes
from kpfootprint.report.locale import Names, names, words
from kpfootprint.report.report import SCHEMA_VERSION, Report, canonical, declared_status, seal
from kpfootprint.report.sentences import rounded, say
from kpfootprint.scheme import Scheme

Json = dict[str, Any]


def build_report(parcel: Parcel, examination: Examination, made: Json, *, created_at: datetime) -> Report:
    """Build the report of one parcel.

    Parameters
    ----------
    parcel : Parcel
        The parcel as it was submitted; none of its stones enter the report.
    examination : Examination
        What was found, unrounded.
    made : mapping
        The members ``software`` and ``model``: the program, the release, and the reference it rests on.
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
    card = canonical(made["model"])
    tell = _teller(names(card, "en"))
    shapes: Shapes = {Statement: tell, Attribution: _attribution, SourceShare: _source, ClassFinding: _class}
    explained = partial(_explanation, verification=examination.verification, shapes=shapes)
    found = rounding.plain(examination, {**shapes, Explanation: explained})
    day, declared = found.pop("status_on"), found.pop("declared")
    statuses = [zone["status_on_export_date"] for zone in declared]
    content: Json = {
        "schema_version": SCHEMA_VERSION,
        "created_at": created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "software": made["software"],
        "parcel": {
            **_parcel(parcel, made["model"]["attributes"][0]["name"]),
            "status_on": day,
            "declared": declared,
        },
        "status": {"day": day, "declared": declared_status(statuses)},
        **found,
    }
    return seal(content, {"model": card})


def _teller(english: Names) -> Callable[[Statement], Json]:
    """Return the function that makes a statement's JSON, with its English text."""
    lang = words("en")

    def tell(statement: Statement) -> Json:
        document: Json = {"code": statement.code, "values": rounded(statement.values)}
        return {**document, "text": say(document, lang, english)}

    return tell


def _amount(value: float | None) -> float | None:
    return None if value is None else rounding.decimals(value)


def _parcel(parcel: Parcel, size: str) -> Json:
    return {
        "parcel_id": parcel.parcel_id,
        "n_stones": parcel.n_stones or None,
        "n_stones_graded": parcel.n_stones_graded(size),
        "read_as": None if parcel.read_as is None else dict(parcel.read_as),
        "carats": _amount(parcel.carats),
        "declared_carats": _amount(parcel.declared_carats),
        "certificate_no": parcel.certificate_no,
        "exporter": parcel.exporter,
        "exported_on": None if parcel.exported_on is None else parcel.exported_on.isoformat(),
        "conditions": asdict(parcel.conditions) | {"bottom_screen_mm": _amount(parcel.conditions.bottom_screen_mm)},
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


def _source(found: SourceShare) -> Json:
    share = rounding.plain(found.share, {})
    return {"zone_id": found.zone_id, **share, "posterior": rounding.fraction(found.posterior)}


def _class(found: ClassFinding) -> Json:
    members: Json = rounding.plain(found, {})
    members["class"] = members.pop("class_name")
    return members


def _explanation(found: Explanation, *, verification: Verification | None, shapes: Shapes) -> Json:
    """Say a share of the log10 LR by the number that stands for it everywhere, rounded so that shares add up."""
    shares = [share for _, share in found.attributes]
    total = sum(shares) if verification is None else verification.log10_lr_unbounded
    exact = rounding.parts(shares, total, rounding.LOG10_DECIMALS) if shares else []
    by_name = {name: share for (name, _), share in zip(found.attributes, exact, strict=True)}

    def told(sentence: Statement) -> Json:
        own = by_name.get(str(sentence.values.get("attribute")))
        if own is not None and "log10_lr_share" in sentence.values:
            sentence = Statement(code=sentence.code, values={**sentence.values, "log10_lr_share": own})
        said: Json = shapes[Statement](sentence)
        return said

    return {
        **rounding.plain(found, {**shapes, Statement: told}),
        "attributes": [{"name": name, "log10_lr_share": share} for name, share in by_name.items()],
    }


def described(scheme: Scheme) -> list[dict[str, Any]]:
    """Return what a report says of a scheme: names and labels, size classes with their limits in carats."""
    own = scheme.size.sieve_set
    sizes: list[dict[str, Any]] = [
        {"name": name, "labels": {}, "lower_ct": low, "upper_ct": None if high == float("inf") else high}
        for name, (low, high) in own.limits.items()
    ]
    found: list[dict[str, Any]] = [{**_named(scheme.size), "classes": sizes}]
    for item in scheme.categorical:
        classes = [{**_named(entry), "lower_ct": None, "upper_ct": None} for entry in item.classes]
        sets = {"sets": [_named(entry) for entry in item.sets]} if item.sets else {}
        found.append({**_named(item), "classes": classes, **sets})
    return found


def _named(item: Any) -> dict[str, Any]:
    return {"name": item.name, "labels": dict(item.labels)}
