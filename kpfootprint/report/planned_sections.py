"""The answers of planning laid out: what text, page and PDF draw of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Bullets, Facts, Figure, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.curves import band_curve, control_chart, on_axis
from kpfootprint.report.planned_sentences import Voice


def plan_sections(answer: Mapping[str, Any], voice: Voice) -> list[Section]:
    """Lay out a plan."""
    said = voice.words
    declared = said.listing([f"{voice.zone(d['zone_id'])} {said.share(d['stone_share'])}" for d in answer["declared"]])
    facts = Facts(
        rows=(
            (said.text(mark("Declared")), declared),
            (said.text(mark("Undeclared goods from")), voice.zone(answer["against"])),
            (said.text(mark("Share of stones to be found")), said.share(answer["share"])),
            (
                said.text(mark("Smallest share found nine times in ten, however many stones")),
                said.share(answer["floor"]) if answer["distinguishable"] else said.text(mark("none")),
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
    return [
        Section(
            key="answer", heading=said.text(mark("In short")), blocks=(lead(answer), facts, *cautions(answer, voice))
        ),
        Section(key="chance", heading=title, blocks=(Beside(shown=(figure,), blocks=(table,)),)),
        Section(key="references", heading=said.text(mark("What more references would buy")), blocks=(more,)),
    ]


def pool_sections(answer: Mapping[str, Any], voice: Voice) -> list[Section]:
    """Lay out what several parcels say as one claim."""
    said = voice.words
    lr, mixture = answer["verification"], answer["mixture"]
    share, several = mixture["undeclared_stone_fraction"], answer["n_parcels"] > 1
    joint = said.between(lr["log10_lr"], lr, lambda value: said.number(value, 2))
    if lr["bound_hit"] is not None and lr["low"] == lr["high"]:
        before = said.text(mark("(its bound; {unbounded} before)"), unbounded=said.number(lr["log10_lr_unbounded"], 2))
        joint = f"{said.number(lr['log10_lr'], 2)} {before}"
    rows = [
        (said.text(mark("Parcels")), said.number(answer["n_parcels"])),
        (said.text(mark("Joint log10 likelihood ratio")), joint),
    ]
    if several:
        rows += [
            (
                said.text(mark("If the parcels shared nothing (a plain sum)")),
                said.number(lr["log10_lr_if_independent"], 2),
            ),
            (said.text(mark("Part lost to what they share")), said.share(lr["dependence"])),
        ]
    rows.append(
        (
            said.text(mark("Undeclared share of all stones")),
            f"{said.between(share['estimate'], share, said.share)}, {said.p_value(mixture['p_value'])}",
        )
    )
    parcels = Table(
        caption=said.text(mark("The parcels")),
        header=(said.text(mark("Parcel")), said.text(mark("Stones")), said.text(mark("Carats"))),
        rows=tuple(
            (
                one["parcel_id"],
                said.count(one["n_stones"]),
                "\u2013" if one["carats"] is None else said.number(one["carats"], 2),
            )
            for one in answer["parcels"]
        ),
    )
    why = Paragraph(
        text=said.text(
            mark(
                "The parcels share what nobody knows: where exactly their source lies, and how their "
                "sorter judges. The sum of "
                "their log likelihood ratios counts that again with every parcel, and so claims more than is known."
            )
        ),
        tone="note",
    )
    blocks = (lead(answer), Facts(rows=tuple(rows)), *((why,) if several else ()), *cautions(answer, voice))
    return [
        Section(key="answer", heading=said.text(mark("In short")), blocks=blocks),
        Section(key="parcels", heading=said.text(mark("The parcels")), blocks=(parcels,)),
    ]


def drift_sections(answer: Mapping[str, Any], voice: Voice) -> list[Section]:
    """Lay out control charts."""
    said = voice.words
    heading = said.text(mark("In short"))
    if not answer["series"]:
        few = mark("Shipments found: {n}. There is nothing to follow before there are two.")
        nothing = Paragraph(text=said.text(few, n=said.number(answer["n_shipments"])), tone="lead")
        return [Section(key="answer", heading=heading, blocks=(nothing,))]
    signals = [signal["text"] for series in answer["series"] for signal in series["signals"]]
    none = said.text(mark("No change was found."))
    rate = Paragraph(
        text=said.text(
            mark(
                "Where nothing changes, one shipment in {n} raises an alarm in any of the {charts} charts. Sizes, "
                "classes and values are drawn as multiples of their centre (\u00d71) on a logarithmic scale, classes "
                "against the others of their attribute."
            ),
            charts=said.number(answer["false_alarm"]["charts"]),
            n=said.number(answer["false_alarm"]["per_points"]),
        ),
        tone="note",
    )
    found: Block = Bullets(items=tuple(signals)) if signals else Paragraph(text=none)
    figures = tuple(_chart(f"p-{k}", series, none, voice) for k, series in enumerate(answer["series"]))
    return [
        Section(key="answer", heading=heading, blocks=(found, rate)),
        Section(key="charts", heading=said.text(mark("Charts")), blocks=figures),
    ]


def _chart(key: str, series: Mapping[str, Any], none: str, voice: Voice) -> Figure:
    said, title = voice.words, voice.series(series["name"])
    alt = "; ".join(signal["text"] for signal in series["signals"]) or none
    header = (mark("Shipment"), mark("Value"), mark("Lower limit"), mark("Upper limit"))
    data = Table(
        caption=title,
        header=tuple(said.text(name) for name in header),
        rows=tuple(
            (said.day(p["at"]), *(on_axis(series, p[name], said) for name in ("value", "lower", "upper")))
            for p in series["points"]
        ),
    )
    return Figure(key=key, title=title, alt=alt, svg=control_chart(key, title, alt, series, said), data=data)


def lead(answer: Mapping[str, Any]) -> Paragraph:
    """Return the answer in a sentence or two."""
    return Paragraph(text=answer["sentence"], tone="lead")


def cautions(answer: Mapping[str, Any], voice: Voice) -> tuple[Block, ...]:
    """Return the cautions of an answer in a frame; nothing without any."""
    items = tuple(one["text"] for one in answer["cautions"])
    return (Bullets(items=items, title=voice.words.text(mark("Cautions")), tone="caution"),) if items else ()
