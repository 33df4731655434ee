"""How sure: the likelihood ratio under other questions, undeclared goods, errors; and what speaks for and against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Bullets, Facts, Figure, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.messages import TEXTS
from kpfootprint.report.pictures.classes import shares_of_stones
from kpfootprint.report.pictures.curves import mixture_profile
from kpfootprint.report.pictures.ratio import shapley_shares
from kpfootprint.report.sections.summary import FIRST_PAGE, FOUND_P, LEAST_READ, detection_limit, undeclared_share
from kpfootprint.report.sentences import Speaker


def certainty(sp: Speaker) -> Section | None:
    """Return the section on how sure the comparison is; None where nothing was compared."""
    content = sp.content
    if content["verification"] is None and content["mixture"] is None:
        return None
    said: list[Paragraph | Bullets | Facts | Table] = []
    shown: list[Figure | Table] = []
    found, mixture = content["verification"], content["mixture"]
    if found is not None:
        shown.append(_other_questions(sp, found))
        said.append(_typicality(sp, found))
    if content["error_rates"] is not None:
        said.append(_error_rates(sp, content["error_rates"]))
    if mixture is not None:
        shown += mixture_profile(sp)
        if mixture["p_value"] <= FOUND_P and mixture["undeclared_stone_fraction"]["low"] == 0:
            said += [Paragraph(text=text) for text in sp.sentences("mixture_found")]
        alone = mixture["association_p"]
        if alone is not None and alone <= FOUND_P:
            several = mark(
                "Taken alone, how its classes occur together speaks for goods of several kinds ({p_value}); the test "
                "of undeclared goods weighs that with all else."
            )
            said.append(Paragraph(text=sp.t(several, p_value=sp.words.p_value(alone))))
        said.append(_mixture(sp, mixture))
        if sources := [item for item in mixture["sources"] if item["estimate"] >= LEAST_READ]:
            said.append(_sources(sp, sources))
    return sp.section("certainty", mark("How sure"), Beside(shown=tuple(shown), blocks=tuple(said)))


def _typicality(sp: Speaker, found: Mapping[str, Any]) -> Paragraph:
    message = mark(
        "Of parcels that do come from what was declared, {share} would lie as far from it as this one or further."
    )
    return Paragraph(text=sp.t(message, share=sp.words.chance(found["typicality_p"])))


def _other_questions(sp: Speaker, found: Mapping[str, Any]) -> Table:
    rows = [(sp.t("As reported"), sp.log10(found["log10_lr"]))]
    for other in found["by_alternative"]:
        name, weight = sp.t("against any other zone"), other["unlisted_weight"]
        if weight is not None:
            name = sp.t("with an unlisted source at weight {weight}", weight=sp.share(weight))
        if other["kind"] != "zone":  # which stands with what else is found of that zone
            rows.append((name, sp.log10(other["log10_lr"])))
    selection = found["by_selection"]
    rows += [
        (sp.t("sizes as recorded, unbounded"), sp.log10(selection["as_recorded"])),
        (sp.t("sizes possibly picked over, unbounded"), sp.log10(selection["marginalised"])),
        (_without_sizes(sp), sp.log10(selection["size_conditional"])),
    ]
    rows += [
        (
            sp.t("parcels of a zone varying {factor} times as much", factor=sp.words.trimmed(v["factor"], 1)),
            sp.log10(v["log10_lr"]),
        )
        for v in found["by_variance"] or ()
        if v["factor"] != 1
    ]
    caption = sp.t("The log10 likelihood ratio under other questions")
    return sp.table(caption, (mark("Question"), mark("log10 LR")), rows)


def _without_sizes(sp: Speaker) -> str:
    """Return what is left of a footprint without its sizes: colours and shapes, where the attributes are these."""
    explained = sp.content["explanation"] or {"attributes": []}
    if {item["name"] for item in explained["attributes"]} == {"size", "colour", "morphology"}:
        return sp.t("colours and shapes alone, unbounded")
    return sp.t("without sizes, unbounded")


def _error_rates(sp: Speaker, rates: Mapping[str, Any]) -> Table:
    number = sp.words.number
    known = {name: number(rates[f"n_stones_{name}"]) for name in ("low", "high")}
    message = mark("Errors measured at this size ({low} to {high} stones) on {parcels}")

    def counted(errors: int, trials: int) -> str:
        return sp.t("{errors} of {trials}", errors=number(errors), trials=number(trials))

    return sp.columns(
        sp.t(message, parcels=sp.say(rates["measured_on"]), **known),
        [{"name": name, **rates[key]} for key, name in TEXTS["errors"].items() if rates[key] is not None],
        (mark("Error"), sp.t, "name"),
        (mark("Rate"), sp.share, "rate"),
        (mark("90% interval"), sp.span, "low", "high"),
        (mark("Counted"), counted, "errors", "trials"),
    )


def _mixture(sp: Speaker, found: Mapping[str, Any]) -> Facts:
    carats = found["undeclared_carat_fraction"]
    rows = [
        (sp.t("Share of stones"), undeclared_share(sp, found)),
        (sp.t("Share of carats"), "\u2013" if carats is None else _share(sp, carats, found)),
        (sp.t("p if there are none"), sp.words.probability(found["p_value"])),
    ]
    if found["p_value"] > FOUND_P:
        rows.append((sp.label("detection_limit"), detection_limit(sp, found)))
        if found["indistinguishable"]:
            rows.append((sp.t("Mostly missed, even as half of the stones"), sp.zones(found["indistinguishable"])))
    return Facts(title=sp.t("Undeclared goods"), rows=tuple(rows))


def _share(sp: Speaker, share: Mapping[str, float], found: Mapping[str, Any]) -> str:
    """Return a share with its interval; of one that can be read in two ways the interval alone."""
    if not found["readings"]:
        return sp.between(share)
    return sp.span(share["low"], share["high"])


def _sources(sp: Speaker, sources: Sequence[Mapping[str, Any]]) -> Table:
    return sp.columns(
        sp.t("Where undeclared goods could come from: their share, if that zone were the only source"),
        sorted(sources, key=lambda s: -s["posterior"]),
        (mark("Zone"), sp.zone, "zone_id"),
        (mark("Share"), sp.share, "estimate"),
        (mark("90% interval"), sp.span, "low", "high"),
        (mark("Probability"), sp.words.credence, "posterior"),
    )


WOULD_CHANGE = (
    "grade_again",
    "more_stones",
    "declare_screen",
    "more_references",
    "sorter_matters",
    "conditions_matter",
)
ELSEWHERE = (*FIRST_PAGE, *WOULD_CHANGE, "resembles", "mixture_", "look_first", "attribute_favours")
"""How the codes of sentences begin that other sections show, or lists and pictures of this one."""


def balance(sp: Speaker) -> Section | None:
    """Return the section on what weighs on either side; None where nothing was compared."""
    found = sp.content["explanation"]
    if found is None or sp.content["verification"] is None:
        return None
    blocks: list[Block] = []
    weighing = [s for s in found["sentences"] if not s["code"].startswith(ELSEWHERE)]
    if weighing:
        blocks.append(Bullets(items=sp.says(weighing)))
    lists = [
        Bullets(title=sp.t(title), items=said)
        for codes, title in (
            (("look_first",), mark("Where to look first")),
            (WOULD_CHANGE, mark("What would change this")),
        )
        if (said := sp.sentences(*codes))
    ]
    pictures = tuple(shapley_shares(sp))
    blocks += [Beside(shown=pictures, blocks=tuple(lists))] if pictures else lists
    if found["classes"]:
        above = sp.t("A contribution above zero speaks for the declaration, one below zero against it.")
        blocks.append(Paragraph(text=above, tone="note"))
        blocks += [Beside(shown=shown, blocks=(shown[0].data,)) for shown in shares_of_stones(sp).values()]
    return sp.section("balance", mark("What speaks for and against"), *blocks)
