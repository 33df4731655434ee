"""The first page: the conclusion and the status, why, what to ask next, how often that misleads, and the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kpfootprint.comparison.results import ODD_WEIGHTS, standing
from kpfootprint.report.blocks import Banner, Beside, Block, Bullets, Facts, Paragraph, Section, Verdict
from kpfootprint.report.locale import mark, mark_plural
from kpfootprint.report.messages import CONCLUSIONS, TEXTS
from kpfootprint.report.pictures.ratio import lr_scale
from kpfootprint.report.report import origins_of
from kpfootprint.report.sentences import EVEN, Speaker, in_sentence

REASONS = ("asks_", "short_")
"""How the codes of sentences begin that say what made it a query, or kept it from being called consistent."""
FIRST_PAGE = (*REASONS, "headline_", "lr_of_", "next_")
"""The same of all sentences that the first page shows, and no other section."""
FOUND_P = 0.05
"""Undeclared goods with a p-value of at most this are found; how small a share could be missed is then no matter."""
READINGS = 0.15
"""Least probability of a source that is named as a reading of its own."""
LEAST_READ = 0.005
"""Least share of such a reading: of a source that would have none of the stones nothing is read."""
FEW_TRIALS = 20
"""A rate that was counted on fewer is not told in words."""
MOST_NAMED = 4
"""So many declared zones are told one by one on the first page; more have the table of the next section."""
MOST_ELSEWHERE = 12
"""So many zones of H2 are told one by one on the first page; of more, some are, and the last section lists all."""
SOME_ELSEWHERE = 6


def summary(sp: Speaker) -> Section:
    """Return the first section."""
    content = sp.content
    blocks: list[Block] = []
    if content["model"]["reference"]["synthetic"]:
        blocks.append(Banner(text=sp.t("SYNTHETIC: invented parcels, for trial only")))
    blocks.append(_verdict(sp))
    blocks.append(Facts(rows=tuple(_key_facts(sp))))
    found = content["verification"]
    if found is not None:
        said: list[Paragraph | Facts] = [Paragraph(text=weight_of_evidence(sp, found), tone="lead")]
        said += [Paragraph(text=text) for text in sp.sentences("lr_of_")]
        said.append(Facts(rows=explanations(sp, found)))
        blocks.append(Beside(shown=tuple(lr_scale(sp)), blocks=tuple(said)))
        reasons = [text for text in sp.sentences(*REASONS) if text not in why(sp)]
        if reasons:
            blocks.append(Bullets(title=sp.t("Reasons for the conclusion"), items=tuple(reasons)))
    if figures := _figures(sp):
        blocks.append(Facts(title=sp.t("In figures"), rows=tuple(figures)))
        if found is not None or content["mixture"] is not None:
            message = mark(
                "An interval at {level} is made to hold the true value in nine cases of ten. It allows for what the "
                "reference parcels leave open, and for nothing else."
            )
            blocks.append(Paragraph(text=sp.t(message, level=sp.share(0.9)), tone="note"))
    if cautions := tuple(text for text in sp.says(sp.cautions) if text not in why(sp)):
        blocks.append(Bullets(title=sp.t("Cautions"), items=cautions, tone="caution"))
    return sp.section("summary", mark("In short"), *blocks)


def doubted(content: Mapping[str, Any]) -> bool:
    """Return whether the unit of the weights is in doubt, which may explain whatever else was found."""
    return any(item["code"] in ODD_WEIGHTS for item in content["cautions"])


def heading(sp: Speaker) -> str:
    """Return the conclusion in words; what cannot be compared says why, and a doubt of the unit comes first."""
    kind = sp.content["conclusion"] or "undeclared"
    cautions = {item["code"]: item["values"] for item in sp.content["cautions"]}
    if kind == "not_comparable":
        lacking = "zone_without_reference"
        if unknown := [item["values"]["zone"] for item in sp.content["cautions"] if item["code"] == lacking]:
            return sp.t("Not comparable: no reference for {zones}", zones=sp.zones(unknown))
        if alone := cautions.get("number_and_weight_alone"):
            if alone["mean_ct"] is None:
                return sp.t("Not comparable: nothing but a weight")
            return sp.t("Not comparable: nothing but a number and a weight")
        if "small_parcel" in cautions:
            return sp.t("Not comparable: too few stones")
        if sp.content["verification"] is None and not cautions.keys().isdisjoint(ODD_WEIGHTS):
            return sp.t("Not comparable: the unit of the weights is in doubt")
    if kind == "undeclared" and doubted(sp.content):
        return sp.t("Unit of the weights in doubt. Nothing was declared")
    said = sp.t(CONCLUSIONS[kind])
    if sp.content["verification"] is None or not doubted(sp.content):
        return said
    return sp.t("Unit of the weights in doubt. If they are in carats: {conclusion}", conclusion=in_sentence(said))


def status(sp: Speaker) -> str:
    """Say the status of the declared zones on the day that counts; an empty text where nothing was declared."""
    said, n = standing_of_declared(sp), len(sp.content["parcel"]["declared"])
    return said and sp.words.plural(*STATUS_OF, n, day=status_day(sp), status=said)


def standing_of_declared(sp: Speaker) -> str:
    """Return the status without its day."""
    declared = sp.content["status"]["declared"]
    if declared is None:
        return ""
    zones = [(zone["zone_id"], standing(zone["status_on_export_date"])) for zone in sp.content["parcel"]["declared"]]
    barred, unknown = ([zone for zone, of in zones if of == kind] for kind in ("not_compliant", "unknown"))
    said = TEXTS["status"]
    parts = [sp.t(said[declared], zones=sp.zones(barred or unknown))]
    if barred and unknown:
        parts.append(sp.t(said["unknown"], zones=sp.zones(unknown)))
    return sp.t("; ").join(parts)


STATUS_OF = mark_plural(
    "Status of the declared zone on {day}: {status}",
    "Status of the declared zones on {day}: {status}",
)


def status_day(sp: Speaker) -> str:
    """Return the day whose status counts; one that nobody gave, or that is yet to come, is said to be that."""
    day = sp.words.day(sp.content["status"]["day"])
    codes = {item["code"] for item in sp.content["cautions"]}
    if "no_export_date" in codes:
        return sp.t("{day}, the day of the comparison as no export date is given", day=day)
    if "export_date_in_future" in codes:
        return sp.t("{day}, a day still to come, as things stand", day=day)
    return day


def _verdict(sp: Speaker) -> Verdict:
    unsure, said = doubted(sp.content), (*sp.sentences("headline_"), *why(sp))
    return Verdict(
        kind="doubted" if unsure else sp.content["conclusion"] or "undeclared",
        heading=heading(sp),
        status=status(sp),
        alarm=sp.content["status"]["declared"] in ("not_compliant", "mixed"),
        lines=tuple(text for text in (reversed(said) if unsure else said) if text),
    )


def why(sp: Speaker) -> tuple[str, ...]:
    """Return the one sentence that gives the reason: the class that weighs most, or what stands in the way."""
    content = sp.content
    found, conclusion = content["verification"], content["conclusion"]
    odd = sp.says([item for item in sp.cautions if item["code"] in ODD_WEIGHTS])
    if conclusion is None:
        return (*odd, resemblance(sp))
    if found is None:
        codes = ("zone_without_reference", "small_parcel", "number_and_weight_alone", *ODD_WEIGHTS)
        return tuple(sp.say(item) for item in sp.cautions if item["code"] in codes)
    if odd:
        return odd
    sentences = content["explanation"]["sentences"] if content["explanation"] is not None else []
    side = "H1" if conclusion == "consistent" else "H2"
    classes = [
        item for item in sentences if item["code"].startswith("class_") and item["values"].get("favours") == side
    ]
    reasons = [item for item in sentences if item["code"].startswith(REASONS)]
    by_class = conclusion == "consistent" or any(item["code"] == "asks_lr" for item in reasons)
    first = (classes if by_class and classes else reasons)[:1]
    return sp.says(first)


def _key_facts(sp: Speaker) -> list[tuple[str, str]]:
    content = sp.content
    rows = [(sp.t("Next question"), text) for text in sp.sentences("next_")]
    if content["conclusion"] == "consistent" and content["mixture"] is not None:
        high = content["mixture"]["undeclared_stone_fraction"]["high"]
        some = mark("By what this parcel shows: that up to {high} of its stones are undeclared goods.")
        all_ = mark("By what this parcel shows: that all of its stones are undeclared goods.")
        rows.append((sp.t("Not ruled out"), sp.t(all_ if high == 1 else some, high=sp.share(high))))
    if content["parcel"]["declared"]:
        rows.append((sp.t("Declared"), declared(sp)))
    rows.append((sp.t("Parcel"), sp.size))
    rows.append((sp.t("Compared with"), compared_with(sp)))
    if content["verification"] is not None:
        rows.append((sp.t("How often it misleads"), error_rates(sp)))
    return rows


def explanations(sp: Speaker, found: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the two explanations that are weighed, in words."""
    names = sp.t("As declared (H1)"), sp.t("From elsewhere (H2)")
    h2, zones = found["h2"], elsewhere(found)
    if len(zones) > MOST_ELSEWHERE:
        others = sp.t("{n} others, listed at the end", n=sp.words.number(len(zones) - SOME_ELSEWHERE))
        h2 = {**h2, "values": {**h2["values"], "zones": [*zones[:SOME_ELSEWHERE], others]}}
    said = (sp.words.sentence(sp.say(one)) + "." for one in (found["h1"], h2))
    return tuple(zip(names, said, strict=True))


def elsewhere(found: Mapping[str, Any]) -> Sequence[str]:
    """Return the zones of H2."""
    zones: Sequence[str] = found["h2"]["values"].get("zones", ())
    return zones


def resemblance(sp: Speaker) -> str:
    """Say in a sentence which zones the parcel resembles."""
    found = sp.content["attribution"]
    if found is None:
        return sp.t("Nothing can be said of what the parcel resembles.")
    if not found["prediction_set"]:
        return sp.t("The parcel resembles no zone of the reference.")
    zones = sp.either(found["prediction_set"])
    if sp.sentences("resembles_small"):
        return sp.t("By its footprint the parcel could come from {zones}.", zones=zones)
    said = mark("By its footprint the parcel could come from {zones} ({level} prediction set).")
    mixture = sp.content["mixture"]
    if len(sp.declared_zones) > 1 or (mixture is not None and mixture["p_value"] <= FOUND_P):
        said = mark("As goods of one zone alone, the parcel could come from {zones} ({level} prediction set).")
    return sp.t(said, zones=zones, level=sp.share(found["level"]))


def weight_of_evidence(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Say the likelihood ratio in words, with its verbal equivalent."""
    value = found["log10_lr"]
    side = "even" if abs(value) < EVEN else "H1" if value > 0 else "H2"
    held = ".held" if side != "even" and found["bound_hit"] is not None else ""
    said = sp.t(TEXTS["evidence"][side + held], ratio=sp.ratio(value))
    return said if found["verbal"] is None else f"{said} {sp.say(found['verbal'])}"


def _figures(sp: Speaker) -> list[tuple[str, str]]:
    content = sp.content
    found = content["verification"]
    rows: list[tuple[str, str]] = []
    if found is not None:
        rows.append((sp.t("Likelihood ratio"), likelihood_ratio(sp, found)))
    if content["mixture"] is not None:
        rows.append((sp.t("Undeclared goods"), _undeclared(sp, content["mixture"])))
    if content["novelty"] is not None and content["conclusion"] != "not_comparable":
        rows.append((sp.t("Novelty"), novelty(sp)))
    return rows


def declared(sp: Speaker) -> str:
    """Name what was declared: zones with their carats, or their shares where these were declared, or a country."""
    zones = sp.content["parcel"]["declared"]
    n = sp.words.number(len(zones))
    if origins := origins_of(sp.content):
        return sp.t("{origins}: a blend of {n} zones, which the report lists", origins=sp.origins(origins), n=n)
    if len(zones) > MOST_NAMED:
        return sp.t("A blend of {n} zones, which the report lists", n=n)
    total = sum(zone["carats"] or 0 for zone in zones)
    if total and sp.sentences("split"):  # which is said of what was declared by percent
        percents = [sp.words.percent.format(sp.words.trimmed(100 * zone["carats"] / total, 1)) for zone in zones]
        return sp.words.listing([f"{sp.zone(zone['zone_id'])} {of}" for zone, of in zip(zones, percents, strict=True)])
    shown = [
        sp.zone(zone["zone_id"])
        if zone["carats"] is None
        else sp.t("{zone} {carats} ct", zone=sp.zone(zone["zone_id"]), carats=sp.words.carats(zone["carats"]))
        for zone in zones
    ]
    return sp.words.listing(shown)


def likelihood_ratio(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Return the log10 LR with its interval and its bounds."""
    held = mark("log10 LR {value}, held at its bound with all of its {level} interval; bounds {lowest} to {highest}")
    free = mark("log10 LR {value}; {level} interval {low} to {high}; bounds {lowest} to {highest}")
    values = sp.lr_values(found)
    return sp.t(held if values["low"] == values["high"] else free, level=sp.share(found["level"]), **values)


def error_rates(sp: Speaker) -> str:
    """Say the measured error rates as how many in a hundred."""
    rates = sp.content["error_rates"] or {}
    said = []
    for rate, messages in ((rates.get(name), messages) for name, messages in TEXTS["rates"].items()):
        if rate is None or rate["trials"] < FEW_TRIALS:
            continue
        of = rate["trials"] if rate["errors"] == 0 else 100 if rate["rate"] >= 0.005 else 1000
        n = 0 if rate["errors"] == 0 else max(round(of * rate["rate"]), 1)
        said.append(sp.t(messages[("none", "one", "more")[min(n, 2)]], of=sp.words.number(of), n=sp.words.number(n)))
    said += [text for text in _measured_on_more(sp) if said]
    return " ".join(said) or sp.t("Not measured at this size.")


def _measured_on_more(sp: Speaker) -> Iterator[str]:
    """Say what the parcels had on which error rates were measured, and this one has not."""
    cautions = sp.content["cautions"]
    if lacking := [item["values"]["attribute"] for item in cautions if item["code"] == "attribute_not_recorded"]:
        shown = sp.words.listing([in_sentence(sp.names.attribute(name)) for name in lacking])
        message = mark("These rates are of parcels with every attribute recorded; not recorded here: {attributes}.")
        yield sp.t(message, attributes=shown)
    for n in (item["values"]["n_graded"] for item in cautions if item["code"] == "graded_in_part"):
        yield sp.words.plural(*EVERY_GRADED, n or 0, n=sp.words.count(n))


EVERY_GRADED = mark_plural(
    "These rates are of parcels of which every stone was graded; here {n} was.",
    "These rates are of parcels of which every stone was graded; here {n} were.",
)


def _undeclared(sp: Speaker, found: Mapping[str, Any]) -> str:
    short, long = mark("{share} of stones; {p_value}"), mark("{share} of stones; {p_value}; detection limit: {limit}")
    said = sp.t(
        short if found["p_value"] <= FOUND_P else long,
        share=undeclared_share(sp, found),
        p_value=sp.words.p_value(found["p_value"]),
        limit=detection_limit(sp, found),
    )
    readings = [
        sp.t("{share} from {zone}", share=sp.share(source["estimate"]), zone=sp.zone(source["zone_id"]))
        for source in found["sources"]
        if source["posterior"] >= READINGS and source["estimate"] >= LEAST_READ
    ]
    if len(readings) < 2:
        return said
    return f"{said}. " + sp.t("Read as one source: {readings}", readings=sp.words.choice(readings))


def undeclared_share(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Return the undeclared share of stones; one that can be read in two ways is told as both."""
    stones = found["undeclared_stone_fraction"]
    if not found["readings"]:
        return sp.between(stones)
    said = [
        sp.t("{reading} (probability {chance})", reading=_reading(sp, item), chance=sp.words.credence(item["chance"]))
        for item in found["readings"]
    ]
    return sp.t(
        "{readings}; {level} interval of both together {low} to {high}",
        readings=sp.words.choice(said),
        **{name: sp.share(stones[name]) for name in ("level", "low", "high")},
    )


def _reading(sp: Speaker, item: Mapping[str, float]) -> str:
    if item["high"] == 0:
        return sp.t("none")
    if item["low"] == 1:
        return sp.t("all")
    return sp.span(item["low"], item["high"])


def detection_limit(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Return the detection limit, or say that parcels of this size have none."""
    limit, none = found["detection_limit"], mark("none (whatever the share, more than one parcel in ten is missed)")
    return sp.t(none) if limit == 1 else sp.share(limit)


def novelty(sp: Speaker) -> str:
    """Say how unusual the parcel is: how many parcels of known zones are as much so."""
    found = sp.content["novelty"]
    return sp.t(
        "{share} of parcels of known zones lie as far from the whole reference, or farther ({p_value})",
        share=sp.words.sentence(sp.words.chance(found["p_value"])),
        p_value=sp.words.p_value(found["p_value"]),
    )


def reference_name(sp: Speaker) -> str:
    """Return the reference package's name and version, and whether it is synthetic."""
    found = sp.content["model"]["reference"]
    known = {"name": found["name"], "version": found["version"]}
    return sp.t(mark("{name} {version}, synthetic") if found["synthetic"] else mark("{name} {version}"), **known)


def compared_with(sp: Speaker) -> str:
    """Say how many reference parcels there are, and how many of what was declared."""
    counts = {zone["zone_id"]: zone["n_parcels"] for zone in sp.content["model"]["zones"]}
    declared = {zone: counts.get(zone, 0) for zone in sp.declared_zones}
    ours: str = sp.words.listing(
        [sp.t("{n} of {zone}", n=sp.words.number(n), zone=sp.zone(zone)) for zone, n in declared.items()]
    )
    if len(declared) > MOST_NAMED:
        n = sp.words.number(sum(declared.values()))
        ours = sp.t("{n} of the {zones} declared zones", n=n, zones=sp.words.number(len(declared)))
    known = {
        "n": sp.words.number(sum(counts.values())),
        "zones": sp.words.number(sum(1 for n in counts.values() if n)),
        "reference": reference_name(sp),
    }
    if not ours:
        return sp.t("{n} parcels of {zones} zones ({reference})", **known)
    return sp.t("{n} parcels of {zones} zones, among them {ours} ({reference})", ours=ours, **known)


def reference_counts(sp: Speaker) -> str:
    """Return how many reference parcels each zone has."""
    zones = [zone for zone in sp.content["model"]["zones"] if zone["n_parcels"]]
    return sp.words.row([f"{zone['name']} {sp.words.number(zone['n_parcels'])}" for zone in zones])
