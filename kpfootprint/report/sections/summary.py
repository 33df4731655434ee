"""The first page: the conclusion with everything it must not be read without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Block, Bullets, Facts, Paragraph, Section, Verdict
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures import lr_scale
from kpfootprint.report.speaker import Speaker

HEADINGS = {
    "consistent": mark("Consistent with what was declared"),
    "inconclusive": mark("Inconclusive"),
    "query": mark("Reason to query the declaration"),
    "not_comparable": mark("Not comparable"),
    "undeclared": mark("Nothing was declared"),
}
REASONS = (
    "asks_alone",
    "short_alone",
    "asks_lr",
    "asks_share",
    "asks_novelty",
    "short_lr",
    "short_share",
    "short_goods",
    "short_novelty",
)
"""What made it a query, or what kept it from being called consistent."""

_TEXTS = {
    "consistent": mark(
        "What this parcel shows is consistent with {declared}. Goods from elsewhere can look alike; "
        "the error rates say how often that misleads."
    ),
    "inconclusive": mark("What this parcel shows does not settle whether it comes from {declared}."),
    "query": mark("There is reason to ask about {declared}. That is a question, and no finding about anybody."),
    "not_comparable": mark("This parcel cannot be compared with {declared}; the cautions say why."),
}


def summary(sp: Speaker) -> Section:
    """Return the first section."""
    content = sp.content
    kind = content["conclusion"] or "undeclared"
    text = sp.t(_TEXTS[kind], declared=sp.declared) if kind in _TEXTS else resemblance(sp)
    text = " ".join([text, *sp.sentences(REASONS)])
    blocks: list[Block] = [Verdict(kind=kind, heading=sp.t(HEADINGS[kind]), text=text)]
    if content["verification"] is not None:
        blocks.append(Paragraph(text=weight_of_evidence(sp, content["verification"]), tone="lead"))
    blocks += lr_scale(sp)
    blocks.append(Facts(rows=tuple(_facts(sp))))
    if content["cautions"]:
        blocks.append(Bullets(title=sp.t(mark("Cautions")), items=sp.says(content["cautions"]), tone="caution"))
    return Section(key="summary", heading=sp.t(mark("In short")), blocks=tuple(blocks))


def resemblance(sp: Speaker) -> str:
    """Say in a sentence which zones the parcel resembles."""
    found = sp.content["attribution"]
    if found is None:
        return sp.t(mark("Nothing can be said of what the parcel resembles; the cautions say why."))
    if not found["prediction_set"]:
        return sp.t(mark("The parcel resembles no zone of the reference."))
    return sp.t(
        mark("By its footprint the parcel could come from: {zones} ({level} prediction set)."),
        zones=sp.zones(found["prediction_set"]),
        level=sp.share(found["level"]),
    )


def weight_of_evidence(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Say the likelihood ratio in words, with its verbal equivalent."""
    value = found["log10_lr"]
    if abs(value) < 0.02:
        said = sp.t(mark("What was seen is about as probable under H1 as under H2."))
    elif value > 0:
        said = sp.t(mark("What was seen is {ratio} times as probable under H1 as under H2."), ratio=sp.ratio(value))
    else:
        said = sp.t(mark("What was seen is {ratio} times as probable under H2 as under H1."), ratio=sp.ratio(value))
    return said if found["verbal"] is None else f"{said} {sp.say(found['verbal'])}"


def _facts(sp: Speaker) -> list[tuple[str, str]]:
    content = sp.content
    rows: list[tuple[str, str]] = []
    parcel, found = content["parcel"], content["verification"]
    if parcel["declared"]:
        rows.append((sp.t(mark("Declared")), declared_carats(sp)))
    if found is not None:
        rows += [("H1", sp.say(found["h1"])), ("H2", sp.say(found["h2"]))]
        rows.append((sp.t(mark("Likelihood ratio")), likelihood_ratio(sp, found)))
        rows.append((sp.t(mark("Error rates")), error_rates(sp)))
    if content["mixture"] is not None:
        rows.append((sp.t(mark("Undeclared goods")), _undeclared(sp, content["mixture"])))
    if content["novelty"] is not None:
        rows.append((sp.t(mark("Novelty")), novelty(sp)))
    rows.append((sp.t(mark("Reference")), reference(sp)))
    return rows


def declared_carats(sp: Speaker) -> str:
    """Name the declared zones with their carats; an empty text where nothing was declared."""
    zones = sp.content["parcel"]["declared"]
    shown = [
        sp.zone(zone["zone_id"])
        if zone["carats"] is None
        else sp.t(mark("{zone} {carats} ct"), zone=sp.zone(zone["zone_id"]), carats=sp.words.number(zone["carats"], 2))
        for zone in zones
    ]
    return sp.words.listing(shown)


def likelihood_ratio(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Return the log10 LR with its interval and its bounds."""
    return sp.t(
        mark("log10 LR {value}; {level} interval {low} to {high}; bounds {lowest} to {highest}"),
        value=sp.log10(found["log10_lr"]),
        level=sp.share(found["level"]),
        low=sp.log10(found["low"]),
        high=sp.log10(found["high"]),
        lowest=sp.log10(found["bounds"][0]),
        highest=sp.log10(found["bounds"][1]),
    )


def error_rates(sp: Speaker) -> str:
    """Return the measured error rates in a sentence."""
    rates = sp.content["error_rates"]
    if rates is None:
        return sp.t(mark("not measured at this size"))
    queried, accepted = rates["true_declarations_queried"], rates["false_declarations_accepted"]
    return sp.t(
        mark(
            "{queried} of true declarations were queried ({queried_errors} of {queried_trials}), "
            "{accepted} of false ones were called consistent ({accepted_errors} of {accepted_trials})"
        ),
        queried=sp.share(queried["rate"]),
        queried_errors=sp.words.number(queried["errors"]),
        queried_trials=sp.words.number(queried["trials"]),
        accepted=sp.share(accepted["rate"]),
        accepted_errors=sp.words.number(accepted["errors"]),
        accepted_trials=sp.words.number(accepted["trials"]),
    )


def _undeclared(sp: Speaker, found: Mapping[str, Any]) -> str:
    share = sp.between(found["undeclared_stone_fraction"])
    return sp.t(
        mark("{share} of stones; {p_value}; detection limit: {limit}"),
        share=share,
        p_value=sp.words.p_value(found["p_value"]),
        limit=detection_limit(sp, found),
    )


def detection_limit(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Return the detection limit, or say that there is none."""
    limit = found["detection_limit"]
    return sp.t(mark("none at this size")) if limit == 1 else sp.share(limit)


def novelty(sp: Speaker) -> str:
    """Return the novelty p-value with the smallest that could be had."""
    found = sp.content["novelty"]
    return sp.t(
        mark("{p_value} for “like the reference” (the smallest that could be had is {floor})"),
        p_value=sp.words.p_value(found["p_value"]),
        floor=sp.words.probability(found["floor"]),
    )


def reference_name(sp: Speaker) -> str:
    """Return the reference package's name and version, and whether it is synthetic."""
    found = sp.content["model"]["reference"]
    known = {"name": found["name"], "version": found["version"]}
    return sp.t(mark("{name} {version}, synthetic") if found["synthetic"] else mark("{name} {version}"), **known)


def reference(sp: Speaker) -> str:
    """Return the reference package: name, version, whether it is synthetic, parcels of each zone."""
    model = sp.content["model"]
    counts = sp.words.row(
        [f"{zone['name']} {sp.words.number(zone['n_parcels'])}" for zone in model["zones"] if zone["n_parcels"]]
    )
    known = {"name": model["reference"]["name"], "version": model["reference"]["version"], "counts": counts}
    if model["reference"]["synthetic"]:
        return sp.t(mark("{name} {version}, synthetic (invented parcels). Parcels of each zone: {counts}"), **known)
    return sp.t(mark("{name} {version}. Parcels of each zone: {counts}"), **known)
