"""The answers of planning in words: their sentences, and documents that are drawn as text, page or PDF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Block, Bullets, Document, Facts, Figure, Paragraph, Section, Table
from kpfootprint.report.locale import Words, mark, words
from kpfootprint.report.pictures.curves import band_curve, control_chart
from kpfootprint.report.text import document_text

Json = dict[str, Any]

SENTENCES: dict[str, str] = {
    "plan_stones": mark(
        "About {n_stones} stones are needed to find {share} of goods from {against} nine times in ten; however many "
        "stones there are, less than {floor} is not found so surely."
    ),
    "plan_never": mark(
        "No number of stones finds {share} of goods from {against} nine times in ten: parcels of one "
        "zone differ too much. "
        "With the largest size tried the chance is {most}; the smallest share found so surely is {floor}."
    ),
    "plan_not_distinguishable": mark(
        "Goods from {against} cannot be told from what was declared by this reference: even a parcel "
        "that holds nothing "
        "else would not be found nine times in ten, however many stones it has."
    ),
    "adequacy": mark(
        "With {n_parcels} reference parcels, {share} of true declarations of {zone} are called "
        "consistent. False ones hide "
        "best among goods from {hardest}: {passing} of such parcels pass. With {extra_parcels} "
        "further parcels {then} of "
        "true declarations would be called consistent; further parcels of {collect} would help most."
    ),
    "adequacy_alone": mark(
        "With {n_parcels} reference parcels, {share} of true declarations of {zone} are called "
        "consistent; the reference "
        "holds no other zone."
    ),
    "level_rose": mark("{series} rose by {shift} from {since} on."),
    "level_fell": mark("{series} fell by {shift} from {since} on."),
    "one_parcel": mark("One parcel alone was pooled; nothing is shared."),
    "different_declarations": mark(
        "The parcels declare different zones. Together they ask whether all of them are what they "
        "were declared; a single "
        "false one speaks against all."
    ),
    "bound_hit": mark("The joint likelihood ratio is held at its bound, log10 {log10_lr}."),
    "synthetic_reference": mark(
        "The reference {reference} is synthetic: its parcels are invented. Nothing here speaks of real goods."
    ),
}
AGAINST = {
    "non_compliant": mark("zones that were not compliant"),
    "nowhere": mark("a source nobody has sampled"),
}
CHANGED = mark("With that shipment these conditions changed: {changed}.")
_SHARES = {"share", "floor", "most", "passing", "then"}
_ZONES = {"zone", "hardest", "collect", "against"}


def worded(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str = "en") -> Json:
    """Return an answer of planning with every statement in words beside its code and values.

    Parameters
    ----------
    zones : mapping
        Names of zones by id.
    """
    said = words(lang)
    out: Json = {name: value for name, value in answer.items() if name != "statement"}
    if "statement" in answer:
        out["sentence"] = sentence(answer["statement"], zones, said)
    if "cautions" in answer:
        out["cautions"] = [{**one, "text": sentence(one, zones, said)} for one in answer["cautions"]]
    if "series" in answer:
        out["series"] = [
            {**one, "signals": [{**signal, "text": sentence(signal, zones, said)} for signal in one["signals"]]}
            for one in answer["series"]
        ]
    return out


def sentence(statement: Mapping[str, Any], zones: Mapping[str, str], said: Words) -> str:
    """Return a statement of planning in words."""
    shown = {name: _shown(name, value, zones, said) for name, value in statement["values"].items()}
    text = said.text(SENTENCES[statement["code"]], **shown)
    if statement["values"].get("changed"):
        text += " " + said.text(CHANGED, changed=said.listing(statement["values"]["changed"]))
    return text


def _shown(name: str, value: Any, zones: Mapping[str, str], said: Words) -> str:
    if name in _ZONES:
        return zones.get(value, said.text(AGAINST[value]) if value in AGAINST else str(value))
    if name in _SHARES and value is not None:
        return said.share(value)
    if name == "since":
        return said.day(value)
    if isinstance(value, float):
        return said.trimmed(value, 3)
    return said.number(value) if isinstance(value, int) else str(value)


def answer_text(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str) -> str:
    """Render an answer that `worded` has worded as plain text."""
    return document_text(document_of(answer, zones, lang))


def document_of(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str) -> Document:
    """Lay an answer of planning out as a document, which text, page and PDF draw."""
    said = words(lang)
    if "detection" in answer:
        title, sections = said.text(mark("How many stones it takes")), _plan(answer, zones, said)
    elif "hardest" in answer:
        name = zones.get(answer["zone_id"], answer["zone_id"])
        title = said.text(mark("Are the references of {zone} enough?"), zone=name)
        sections = _adequacy(answer, zones, said)
    elif "series" in answer:
        title, sections = said.text(mark("What changes from shipment to shipment")), _drift(answer, said)
    else:
        title, sections = said.text(mark("Several parcels as one claim")), _pool(answer, said)
    release = answer.get("release")
    return Document(
        lang=said.lang,
        title=title,
        subtitle="" if release is None else said.text(mark("Release {release}"), release=release),
        report_id="",
        created_at="",
        foot="",
        sections=tuple(sections),
        glossary_heading="",
        skip=said.text(mark("Skip to the report")),
        data_label=said.text(mark("The figures behind this picture")),
        sections_label=said.text(mark("Sections")),
    )


def _zone(zone: str, zones: Mapping[str, str], said: Words) -> str:
    return zones.get(zone, said.text(AGAINST[zone]) if zone in AGAINST else zone)


def _plan(answer: Mapping[str, Any], zones: Mapping[str, str], said: Words) -> list[Section]:
    declared = said.listing(
        [f"{_zone(d['zone_id'], zones, said)} {said.share(d['stone_share'])}" for d in answer["declared"]]
    )
    facts = Facts(
        rows=(
            (said.text(mark("Declared")), declared),
            (said.text(mark("Undeclared goods from")), _zone(answer["against"], zones, said)),
            (said.text(mark("Share of stones to be found")), said.share(answer["share"])),
            (
                said.text(mark("Smallest share found nine times in ten, however many stones")),
                said.share(answer["floor"]),
            ),
            (said.text(mark("Status of zones on")), said.day(answer["on"])),
        )
    )
    rows = answer["detection"]
    table = Table(
        caption=said.text(mark("Chance to find it, at 5% false alarm")),
        header=tuple(said.text(h) for h in (mark("Stones"), mark("Carats"), mark("Chance"), mark("90% interval"))),
        rows=tuple(
            (
                said.number(row["n_stones"]),
                said.number(row["carats"], 0),
                said.share(row["chance"]),
                f"{said.share(row['low'])} – {said.share(row['high'])}",
            )
            for row in rows
        ),
        numeric=(True, True, True, True),
    )
    title = said.text(mark("Chance to find it by number of stones"))
    figure = Figure(
        key="p-plan",
        title=title,
        alt=answer["sentence"],
        svg=band_curve(
            "p-plan",
            title,
            answer["sentence"],
            [(r["n_stones"], r["low"], r["chance"], r["high"]) for r in rows],
            said,
            x_label=said.text(mark("stones")),
        ),
        data=table,
    )
    more = Table(
        caption=said.text(
            mark("Chance at {n} stones with further reference parcels of every zone concerned"),
            n=said.number(answer["references"][0]["n_stones"]),
        ),
        header=(said.text(mark("Further parcels")), said.text(mark("Chance"))),
        rows=tuple((said.number(r["extra_parcels"]), said.share(r["chance"])) for r in answer["references"]),
        numeric=(True, True),
    )
    lead = Paragraph(text=answer["sentence"], tone="lead")
    return [
        Section(key="answer", heading=said.text(mark("In short")), blocks=(lead, facts, *_cautions(answer, said))),
        Section(key="chance", heading=title, blocks=(figure, table)),
        Section(key="references", heading=said.text(mark("What more references would buy")), blocks=(more,)),
    ]


def _adequacy(answer: Mapping[str, Any], zones: Mapping[str, str], said: Words) -> list[Section]:
    facts = Facts(
        rows=(
            (said.text(mark("Reference parcels")), said.number(answer["n_parcels"])),
            (said.text(mark("Worth, odd ones weighed down")), said.number(answer["effective_parcels"], 1)),
            (said.text(mark("Stones of the parcels that were drawn")), said.number(answer["n_stones"])),
            (said.text(mark("True declarations called consistent")), said.share(answer["true_consistent"])),
            (said.text(mark("True declarations queried")), said.share(answer["true_queried"])),
            (
                said.text(mark("Goods from a source nobody has sampled that pass")),
                said.share(answer["nowhere_consistent"]),
            ),
        )
    )
    hardest = Table(
        caption=said.text(mark("Where a false declaration hides best")),
        header=tuple(
            said.text(h)
            for h in (mark("Zone"), mark("Distance in standard deviations of parcels"), mark("Parcels that pass"))
        ),
        rows=tuple(
            (
                _zone(item["zone_id"], zones, said),
                said.number(item["distance"], 1),
                said.share(item["chance_false_consistent"]),
            )
            for item in answer["hardest"]
        ),
        numeric=(False, True, True),
    )
    gain = Table(
        caption=said.text(mark("What further parcels of this zone would buy")),
        header=tuple(
            said.text(h)
            for h in (mark("Further parcels"), mark("Expected Cllr"), mark("True declarations called consistent"))
        ),
        rows=tuple(
            (said.number(g["extra_parcels"]), said.number(g["expected_cllr"], 2), said.share(g["expected_chance"]))
            for g in answer["gain"]
        ),
        numeric=(True, True, True),
    )
    lead = Paragraph(text=answer["sentence"], tone="lead")
    note = Paragraph(
        text=said.text(
            mark(
                "Counted on parcels drawn from the fitted model and judged by the release itself; "
                "Cllr is over this zone's "
                "parcels against those of the zones above and of unsampled sources, harder than an average declaration."
            )
        ),
        tone="note",
    )
    return [
        Section(key="answer", heading=said.text(mark("In short")), blocks=(lead, facts, *_cautions(answer, said))),
        Section(key="hardest", heading=said.text(mark("Neighbours")), blocks=(hardest,)),
        Section(key="gain", heading=said.text(mark("What more references would buy")), blocks=(gain, note)),
    ]


def _pool(answer: Mapping[str, Any], said: Words) -> list[Section]:
    lr, mixture = answer["verification"], answer["mixture"]
    share = mixture["undeclared_stone_fraction"]
    facts = Facts(
        rows=(
            (said.text(mark("Parcels")), said.number(answer["n_parcels"])),
            (
                said.text(mark("Joint log10 likelihood ratio")),
                f"{said.number(lr['log10_lr'], 2)} ({said.number(lr['low'], 2)} – {said.number(lr['high'], 2)})",
            ),
            (
                said.text(mark("If the parcels shared nothing (too large)")),
                said.number(lr["log10_lr_if_independent"], 2),
            ),
            (said.text(mark("Part lost to what they share")), said.share(lr["dependence"])),
            (
                said.text(mark("Undeclared share of all stones")),
                f"{said.share(share['estimate'])} ({said.share(share['low'])} – {said.share(share['high'])}), "
                + said.p_value(mixture["p_value"]),
            ),
        )
    )
    why = Paragraph(
        text=said.text(
            mark(
                "The parcels share what nobody knows: where exactly their source lies, and how their "
                "sorter judges. The sum of "
                "their log likelihood ratios counts that again with every parcel, and is therefore too large."
            )
        ),
        tone="note",
    )
    return [Section(key="answer", heading=said.text(mark("In short")), blocks=(facts, why, *_cautions(answer, said)))]


def _cautions(answer: Mapping[str, Any], said: Words) -> tuple[Block, ...]:
    items = tuple(one["text"] for one in answer["cautions"])
    return (Bullets(items=items, title=said.text(mark("Cautions")), tone="caution"),) if items else ()


def _drift(answer: Mapping[str, Any], said: Words) -> list[Section]:
    signals = [signal["text"] for series in answer["series"] for signal in series["signals"]]
    none = said.text(mark("No change was found."))
    rate = Paragraph(
        text=said.text(
            mark("All {charts} charts together raise one false alarm in {n} shipments."),
            charts=said.number(answer["false_alarm"]["charts"]),
            n=said.number(answer["false_alarm"]["per_points"]),
        ),
        tone="note",
    )
    found: Block = Bullets(items=tuple(signals)) if signals else Paragraph(text=none)
    figures = tuple(
        Figure(
            key=f"p-{position}",
            title=series["name"],
            alt="; ".join(signal["text"] for signal in series["signals"]) or none,
            svg=control_chart(f"p-{position}", series, said),
            data=Table(
                caption=series["name"],
                header=(said.text(mark("Shipment")), said.text(mark("Value"))),
                rows=tuple((said.day(p["at"]), said.number(p["value"], 2)) for p in series["points"]),
                numeric=(False, True),
            ),
        )
        for position, series in enumerate(answer["series"])
    )
    return [
        Section(key="answer", heading=said.text(mark("In short")), blocks=(found, rate)),
        Section(key="charts", heading=said.text(mark("Charts")), blocks=figures),
    ]
