"""How sure: the likelihood ratio on its scale, under other questions, undeclared goods, measured errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Beside, Bullets, Facts, Figure, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures import mixture_profile
from kpfootprint.report.sections.summary import detection_limit, undeclared_share
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
        said += [Paragraph(text=text) for text in sp.sentences("mixture_")]
        said.append(_mixture(sp, mixture))
        if mixture["sources"]:
            said.append(_sources(sp, mixture))
    blocks = (Beside(shown=tuple(shown), blocks=tuple(said)),)
    return Section(key="certainty", heading=sp.t(mark("How sure")), blocks=blocks)


def _typicality(sp: Speaker, found: Mapping[str, Any]) -> Paragraph:
    typical = sp.t(
        mark(
            "Of parcels that do come from what was declared, {share} would lie as far from it as this one or further."
        ),
        share=sp.words.chance(found["typicality_p"]),
    )
    return Paragraph(text=typical)


def _other_questions(sp: Speaker, found: Mapping[str, Any]) -> Table:
    rows = [(sp.t(mark("As reported")), sp.log10(found["log10_lr"]))]
    for other in found["by_alternative"]:
        if other["kind"] == "any_other_zone":
            name = sp.t(mark("against any other zone"))
        elif other["kind"] == "zone":  # stands with what else is found of that zone
            continue
        else:
            name = sp.t(mark("with an unlisted source at weight {weight}"), weight=sp.share(other["unlisted_weight"]))
        rows.append((name, sp.log10(other["log10_lr"])))
    selection = found["by_selection"]
    rows += [
        (sp.t(mark("sizes as recorded, unbounded")), sp.log10(selection["as_recorded"])),
        (sp.t(mark("sizes possibly picked over, unbounded")), sp.log10(selection["marginalised"])),
        (sp.t(mark("colours and shapes alone, unbounded")), sp.log10(selection["size_conditional"])),
    ]
    rows += [
        (
            sp.t(mark("parcels of a zone varying {factor} times as much"), factor=sp.words.trimmed(v["factor"], 1)),
            sp.log10(v["log10_lr"]),
        )
        for v in found["by_variance"] or ()
        if v["factor"] != 1
    ]
    return Table(
        caption=sp.t(mark("The log10 likelihood ratio under other questions")),
        header=(sp.t(mark("Question")), sp.t(mark("log10 LR"))),
        rows=tuple(rows),
    )


def _error_rates(sp: Speaker, rates: Mapping[str, Any]) -> Table:
    names = {
        "true_declarations_queried": sp.t(mark("True declarations wrongly queried")),
        "false_declarations_accepted": sp.t(mark("False declarations wrongly called consistent")),
        "declarants_who_try": sp.t(
            mark("Parcels with undeclared goods, declared as suits them best, called consistent")
        ),
    }
    caption = sp.t(
        mark("Errors measured at this size ({low} to {high} stones) on {parcels}"),
        low=sp.words.number(rates["n_stones_low"]),
        high=sp.words.number(rates["n_stones_high"]),
        parcels=sp.say(rates["measured_on"]),
    )
    rows = tuple(
        (
            name,
            sp.share(rates[key]["rate"]),
            sp.span(rates[key]["low"], rates[key]["high"]),
            sp.t(
                mark("{errors} of {trials}"),
                errors=sp.words.number(rates[key]["errors"]),
                trials=sp.words.number(rates[key]["trials"]),
            ),
        )
        for key, name in names.items()
        if rates[key] is not None
    )
    header = (
        sp.t(mark("Error")),
        sp.t(mark("Rate")),
        sp.t(mark("{level} interval"), level=sp.share(0.9)),
        sp.t(mark("Counted")),
    )
    return Table(caption=caption, header=header, rows=rows)


def _mixture(sp: Speaker, found: Mapping[str, Any]) -> Facts:
    carats = found["undeclared_carat_fraction"]
    rows = [
        (sp.t(mark("Share of stones")), undeclared_share(sp, found)),
        (sp.t(mark("Share of carats")), "\u2013" if carats is None else _share(sp, carats, found)),
        (sp.label("detection_limit"), detection_limit(sp, found)),
        (sp.t(mark("p (none at all)")), sp.words.probability(found["p_value"])),
    ]
    if found["association_p"] is not None:
        association = sp.words.probability(found["association_p"])
        rows.append((sp.t(mark("p (one kind of goods)")), association))
    if found["indistinguishable"]:
        rows.append((sp.t(mark("Not told apart")), sp.zones(found["indistinguishable"])))
    return Facts(title=sp.t(mark("Undeclared goods")), rows=tuple(rows))


def _share(sp: Speaker, share: Mapping[str, float], found: Mapping[str, Any]) -> str:
    """Return a share with its interval; of one that can be read in two ways the interval alone."""
    if not found["readings"]:
        return sp.between(share)
    return sp.span(share["low"], share["high"])


def _sources(sp: Speaker, found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            sp.zone(s["zone_id"]),
            sp.share(s["estimate"]),
            sp.span(s["low"], s["high"]),
            sp.share(s["posterior"]),
        )
        for s in sorted(found["sources"], key=lambda s: -s["posterior"])
    )
    return Table(
        caption=sp.t(mark("Where undeclared goods could come from: their share, if that zone were the only source")),
        header=(
            sp.t(mark("Zone")),
            sp.t(mark("Share")),
            sp.t(mark("{level} interval"), level=sp.share(found["sources"][0]["level"])),
            sp.t(mark("Probability")),
        ),
        rows=rows,
    )
