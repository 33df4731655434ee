"""The answers of planning laid out: what text, page and PDF draw of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Bullets, Document, Facts, Figure, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.curves import band_curve, control_chart, on_axis
from kpfootprint.report.pictures.rows import ShareRow, share_rows
from kpfootprint.report.planned_sentences import conclusion, planner, series_name, status_in
from kpfootprint.report.sections.parcel import MOST_SHOWN
from kpfootprint.report.sentences import Speaker

IN_SHORT = mark("In short")
CARATS = mark("Carats")
INTERVAL = mark("90% interval")
STATUS_ON = mark("Status of zones on")
TRUE_CONSISTENT = mark("True declarations called consistent")


def document_of(answer: Mapping[str, Any], zones: Mapping[str, str], lang: str, *, created_at: str = "") -> Document:
    """Lay an answer of planning out as a document, which text, page and PDF draw.

    Parameters
    ----------
    created_at : str
        Moment that a PDF states, ISO 8601 in UTC.
    """
    sp = planner(answer, zones, lang)
    release = answer.get("release")
    subtitle = "" if release is None else sp.t("Release {release}", release=release)
    if "detection" in answer:
        declared = sp.zones([item["zone_id"] for item in answer["declared"]])
        title, sections = sp.t("How many stones it takes: {declared}", declared=declared), plan_sections(sp)
    elif "hardest" in answer:
        title = sp.t("Are the references of {zone} enough?", zone=sp.zone(answer["zone_id"]))
        sections = adequacy_sections(sp)
    elif "series" in answer:
        whose = [answer["exporter"], answer["zone_id"] and sp.zone(answer["zone_id"])]
        shown = sp.words.row([name for name in whose if name])
        title = sp.t("What changes from shipment to shipment: {whose}", whose=shown)
        subtitle = sp.t("Shipments followed: {n}", n=sp.words.number(answer["n_shipments"]))
        sections = drift_sections(sp)
    elif "sorters" in answer:
        title = sp.t("One parcel, several sorters: {goods}", goods=answer["goods"])
        sections = sorters_sections(sp)
    else:
        title, sections = sp.t("Several parcels as one claim"), pool_sections(sp)
    return Document(
        words=sp.words, title=title, subtitle=subtitle, created_at=created_at, foot=title, sections=tuple(sections)
    )


def plan_sections(sp: Speaker) -> list[Section]:
    """Lay out how many stones and references it takes to find a share."""
    answer, words = sp.content, sp.words
    declared = [f"{sp.zone(item['zone_id'])} {sp.share(item['stone_share'])}" for item in answer["declared"]]
    floor = sp.share(answer["floor"]) if answer["distinguishable"] else sp.t("none")
    facts = sp.facts(
        {**answer, "declared": words.listing(declared), "floor": floor},
        (mark("Declared"), str, "declared"),
        (mark("Undeclared goods from"), sp.zone, "against"),
        (mark("Share of stones to be found"), sp.share, "share"),
        (mark("Smallest share found nine times in ten, however many stones"), str, "floor"),
        (STATUS_ON, words.day, "on"),
    )
    rows = answer["detection"]
    table = sp.columns(
        sp.t("Chance to find it, at 5% false alarm"),
        rows,
        (mark("Stones"), words.number, "n_stones"),
        (CARATS, words.number, "carats"),
        (mark("Chance"), sp.share, "chance"),
        (INTERVAL, sp.span, "low", "high"),
        numeric=(True,) * 4,
    )
    points = [(row["n_stones"], row["low"], row["chance"], row["high"]) for row in rows]
    title, curve = sp.t("Chance to find it by number of stones"), band_curve(points, words, sp.t("stones"))
    figure = Figure(key="p-plan", title=title, alt=answer["sentence"], canvas=curve, data=table)
    stones = words.number(answer["references"][0]["n_stones"])
    more = sp.columns(
        sp.t("Chance at {n} stones with further reference parcels of every zone concerned", n=stones),
        answer["references"],
        (mark("Further parcels"), words.number, "extra_parcels"),
        (mark("Chance"), sp.share, "chance"),
        numeric=(True, True),
    )
    return [
        sp.section("answer", IN_SHORT, _lead(sp), Facts(rows=tuple(facts)), *_cautions(sp)),
        Section(key="chance", heading=title, blocks=(Beside(shown=(figure,), blocks=(table,)),)),
        sp.section("references", mark("What more references would buy"), more),
    ]


def adequacy_sections(sp: Speaker) -> list[Section]:
    """Lay out whether the references of a zone are enough, on two pages: the annex to a proposal."""
    answer, words = sp.content, sp.words
    near, far = _who_matters(answer["others"])
    tenths = partial(words.number, places=1)
    known = sp.facts(
        answer,
        (mark("Reference parcels"), words.number, "n_parcels"),
        (mark("Parcels graded without error that they are worth"), tenths, "effective_parcels"),
        (mark("Stones of the parcels that were drawn"), words.number, "n_stones"),
        (TRUE_CONSISTENT, sp.share, "true_consistent"),
        (mark("True declarations queried"), sp.share, "true_queried"),
        (mark("Goods from a source nobody has sampled that pass"), sp.share, "nowhere_consistent"),
        (STATUS_ON, words.day, "on"),
    )
    table = sp.columns(
        sp.t("Other zones, the nearest first"),
        near,
        (mark("Zone"), sp.zone, "zone_id"),
        (mark("Status"), sp.label, "status"),
        (mark("Distance in standard deviations of parcels"), tenths, "distance"),
        (mark("Parcels that pass"), sp.share, "chance_false_consistent"),
        (INTERVAL, sp.span, "low", "high"),
        (mark("Parcels drawn"), words.number, "n_drawn"),
        numeric=(False, False, True, True, True, True),
    )
    further: tuple[Block, ...] = ()
    if far:
        said = mark("Of {n} other zones, at a distance of {distance} or more, no parcel that was drawn passes.")
        text = sp.t(said, n=words.number(len(far)), distance=words.number(far[0]["distance"], 1))
        further = (Paragraph(text=text, tone="note"),)
    gain = sp.columns(
        sp.t("What further parcels of this zone would buy"),
        answer["gain"],
        (mark("Further parcels"), words.number, "extra_parcels"),
        (mark("Expected Cllr"), partial(words.number, places=2), "expected_cllr"),
        (TRUE_CONSISTENT, sp.share, "expected_chance"),
        numeric=(True, True, True),
    )
    how = mark(
        "Parcels of {n} stones were drawn from what the release knows of each zone and declared as {zone}; the rules "
        "of the release judged each, as they judge a real parcel. A parcel passes where it is called consistent. A "
        "distance of 1 is how far parcels of one zone usually lie from their mean. Cllr is the cost of the likelihood "
        "ratios, 0 at best and 1 for knowing nothing, over parcels of this zone against those of the five that pass "
        "most and of unsampled sources: harder than an average declaration."
    )
    counted = sp.t(how, n=words.number(answer["n_stones"]), zone=sp.zone(answer["zone_id"]))
    facts = Facts(rows=tuple(known))
    pictured: Block = facts
    if near:
        figure = _who_passes(sp, near, table)
        pictured = Beside(shown=(figure,), blocks=(facts, Paragraph(text=figure.alt, tone="note")))
    return [
        sp.section("answer", IN_SHORT, _lead(sp), pictured, *_cautions(sp)),
        sp.section("others", mark("Who could pass as this zone"), table, *further),
        sp.section("gain", mark("What more references would buy"), gain),
        sp.section("how", mark("How this was counted"), Paragraph(text=counted)),
    ]


def _who_matters(others: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Part the zones, the nearest first, into those that are shown and several far ones whose parcels never pass."""
    far = [item for item in others[MOST_SHOWN:] if not item["chance_false_consistent"]]
    far = far if len(far) > 1 else []
    return [item for item in others if item not in far], far


def _who_passes(sp: Speaker, near: Sequence[Mapping[str, Any]], table: Table) -> Figure:
    rows = [
        ShareRow(
            name=sp.zone(item["zone_id"]),
            values=(item["chance_false_consistent"],),
            limits=(item["low"], item["high"]),
            odd=not item["compliant"],
        )
        for item in near
    ]
    title = sp.t("Parcels of other zones that pass as this one")
    alt = sp.t("Bold: not compliant, or not in the zone table. The nearest zone stands on top; box: 90% interval.")
    return Figure(key="p-others", title=title, alt=alt, canvas=share_rows(rows, sp.words), data=table)


def pool_sections(sp: Speaker) -> list[Section]:
    """Lay out what several parcels say as one claim: what each declared, and of which day its status is."""
    answer, words = sp.content, sp.words
    lr, mixture, parcels = answer["verification"], answer["mixture"], answer["parcels"]
    share, several = mixture["undeclared_stone_fraction"], answer["n_parcels"] > 1
    joint = words.between(lr["log10_lr"], lr, sp.log10)
    if lr["bound_hit"] is not None and sp.log10(lr["low"]) == sp.log10(lr["high"]):
        before = sp.t("(its bound; {unbounded} before)", unbounded=sp.log10(lr["log10_lr_unbounded"]))
        joint = f"{sp.log10(lr['log10_lr'])} {before}"
    days = [words.day(day) for day in sorted({one["status_on"] for one in parcels})]
    rows = [
        (sp.t("Declared"), words.row(sorted({sp.origins(one["declared"]) for one in parcels}))),
        (
            sp.t(STATUS_ON),
            sp.t("the day of each parcel, {first} to {last}", first=days[0], last=days[-1]) if days[1:] else days[0],
        ),
        (sp.t("Parcels"), words.number(answer["n_parcels"])),
        (sp.t("Joint log10 likelihood ratio"), joint),
    ]
    if several:
        alone = sp.log10(lr["log10_lr_if_independent"])
        rows += [
            (sp.t("If the parcels shared nothing (a plain sum)"), alone),
            (sp.t("Part lost to what they share"), sp.share(lr["dependence"])),
        ]
    undeclared = f"{sp.between(share)}, {words.p_value(mixture['p_value'])}"
    rows.append((sp.t("Undeclared share of all stones"), undeclared))
    heading = mark("The parcels")
    table = sp.columns(
        sp.t(heading),
        parcels,
        (mark("Parcel"), str, "parcel_id"),
        (mark("Declared"), sp.origins, "declared"),
        (mark("Status"), partial(status_in, sp), "status", "status_on"),
        (mark("Stones"), words.count, "n_stones"),
        (CARATS, sp.carats, "carats"),
        numeric=(False, False, False, True, True),
    )
    why = mark(
        "The parcels share what nobody knows: where exactly their source lies, and how their sorter judges. The sum of "
        "their log likelihood ratios counts that again with every parcel, and so claims more than is known."
    )
    more = several and abs(lr["log10_lr_if_independent"]) > abs(lr["log10_lr_unbounded"])
    shared = (Paragraph(text=sp.t(why), tone="note"),) if more else ()
    return [
        sp.section("answer", IN_SHORT, _lead(sp), Facts(rows=tuple(rows)), *shared, *_cautions(sp)),
        sp.section("parcels", heading, table),
    ]


def drift_sections(sp: Speaker) -> list[Section]:
    """Lay out control charts."""
    answer, words = sp.content, sp.words
    if not answer["series"]:
        few = mark("Shipments found: {n}. There is nothing to follow before there are two.")
        nothing = Paragraph(text=sp.t(few, n=words.number(answer["n_shipments"])), tone="lead")
        return [sp.section("answer", IN_SHORT, nothing)]
    signals = [signal["text"] for series in answer["series"] for signal in series["signals"]]
    none = sp.t("No change was found.")
    rate = mark(
        "Where nothing changes, one shipment in {n} raises an alarm in any of the {charts} charts. Sizes, classes and "
        "values are drawn as multiples of their centre (\u00d71) on a logarithmic scale, classes against the others of "
        "their attribute."
    )
    known = {"charts": answer["false_alarm"]["charts"], "n": answer["false_alarm"]["per_points"]}
    alarms = Paragraph(text=sp.t(rate, **{name: words.number(n) for name, n in known.items()}), tone="note")
    found: Block = Bullets(items=tuple(signals)) if signals else Paragraph(text=none)
    lone = _lone_points(sp, answer["series"])
    notes = (Paragraph(text=lone), alarms) if lone else (alarms,)
    charts = [_chart(sp, f"p-{k}", series, none) for k, series in enumerate(answer["series"])]
    return [sp.section("answer", IN_SHORT, found, *notes), sp.section("charts", mark("Charts"), *charts)]


def _lone_points(sp: Speaker, followed: Sequence[Mapping[str, Any]]) -> str:
    """Say which shipments lie outside the limits of charts that signal no change."""
    lone = [
        f"{series_name(sp, series['name'])} ({sp.words.listing(days)})"
        for series in followed
        if not series["signals"]
        and (days := [sp.words.day(p["at"]) for p in series["points"] if not p["lower"] <= p["value"] <= p["upper"]])
    ]
    message = mark("Outside the limits by itself, which is no lasting change yet: {charts}.")
    return sp.t(message, charts=sp.t("; ").join(lone)) if lone else ""


def _chart(sp: Speaker, key: str, series: Mapping[str, Any], none: str) -> Figure:
    title = series_name(sp, series["name"])
    shown = partial(on_axis, series, said=sp.words)
    data = sp.columns(
        title,
        series["points"],
        (mark("Shipment"), sp.words.day, "at"),
        (mark("Value"), shown, "value"),
        (mark("Lower limit"), shown, "lower"),
        (mark("Upper limit"), shown, "upper"),
    )
    alt = sp.t("; ").join(signal["text"] for signal in series["signals"]) or none
    return Figure(key=key, title=title, alt=alt, canvas=control_chart(series, sp.words), data=data)


def sorters_sections(sp: Speaker) -> list[Section]:
    """Lay out how far several sorters agree, what each sheet leads to, and how they usually differ."""
    answer = sp.content
    said = Bullets(items=tuple(one["text"] for one in answer["sentences"]))
    parts = sp.columns(
        sp.t("How far apart each attribute's part of the log10 likelihood ratio lies"),
        answer["difference"]["by_attribute"],
        (mark("Attribute"), sp.names.attribute, "name"),
        (mark("Distance"), sp.log10, "log10_lr"),
    )
    found = (
        sp.section("answer", IN_SHORT, said, _sheets(sp), *_cautions(sp)),
        sp.section("lr", mark("What makes the difference"), *((parts,) if parts.rows else ())),
        sp.section("classes", mark("Agreement by class"), *(_classes(sp, one) for one in answer["agreement"])),
        sp.section("scales", mark("How these sorters usually differ"), *(_scale(sp, one) for one in answer["scales"])),
    )
    return [section for section in found if section.blocks]


def _sheets(sp: Speaker) -> Table:
    def share(one: Mapping[str, float] | None) -> str:
        return "\u2013" if one is None else f"{sp.share(one['estimate'])} ({sp.span(one['low'], one['high'])})"

    return sp.columns(
        sp.t("What each sheet leads to"),
        sp.content["sorters"],
        (mark("Sorter"), str, "sorter"),
        (mark("Stones"), sp.words.count, "n_stones"),
        (CARATS, sp.carats, "carats"),
        (mark("Conclusion"), partial(conclusion, sp), "conclusion"),
        (mark("log10 LR"), sp.log10, "log10_lr"),
        (mark("Interval"), sp.log10_span, "low", "high"),
        (mark("Undeclared share of stones"), share, "undeclared_stone_fraction"),
        numeric=(False, True, True, False, True, True, True),
    )


def _classes(sp: Speaker, one: Mapping[str, Any]) -> Beside:
    name, sorters = one["attribute"], [sheet["sorter"] for sheet in sp.content["sorters"]]
    title = sp.t("{attribute}: shares of stones by sorter", attribute=sp.names.attribute(name))

    def seen(item: Mapping[str, Sequence[float]]) -> list[str]:
        pairs = zip(item["shares"], item["n_stones"], strict=True)
        return [f"{sp.share(share)} ({sp.words.number(n)})" for share, n in pairs]

    rows = [
        ShareRow(name=sp.names.class_(name, item["class"]), values=tuple(item["shares"])) for item in one["classes"]
    ]
    table = Table(
        caption=title,
        header=(sp.t("Class"), *sorters),
        rows=tuple((row.name, *seen(item)) for row, item in zip(rows, one["classes"], strict=True)),
    )
    common = [f"{pair['first']}, {pair['second']} {sp.share(pair['share'])}" for pair in one["in_common"]]
    message = mark("At most so many stones can be in the same class on both sheets: {common}.")
    alt = sp.t(message, common=sp.words.row(common))
    canvas = share_rows(rows, sp.words, sorters)
    figure = Figure(key=f"p-{name}", title=title, alt=alt, canvas=canvas, data=table)
    return Beside(shown=(figure,), blocks=(table, Paragraph(text=alt, tone="note")))


def _scale(sp: Speaker, one: Mapping[str, Any]) -> Table:
    words, both = sp.words, {"first": one["first"], "second": one["second"]}
    caption = sp.t(
        "{attribute}: stones that {second} puts into a class for one of {first}, from {n} parcels both sorted",
        attribute=sp.names.attribute(one["attribute"]),
        n=words.number(one["n_parcels"]),
        **both,
    )
    return Table(
        caption=caption,
        header=(
            *map(sp.t, (mark("Class"), mark("Stones"), INTERVAL)),
            sp.t("Here: {first}, as {second} usually sees it", **both),
            sp.t("Here: {second}", second=one["second"]),
        ),
        rows=tuple(
            (
                sp.names.class_(one["attribute"], item["class"]),
                words.number(item["ratio"], 2),
                sp.span(item["low"], item["high"], lambda value: words.number(value, 2)),
                f"{words.number(item['first'])} \u2192 {words.number(item['as_second'])}",
                words.number(item["second"]),
            )
            for item in one["classes"]
        ),
    )


def _lead(sp: Speaker) -> Paragraph:
    return Paragraph(text=sp.content["sentence"], tone="lead")


def _cautions(sp: Speaker) -> tuple[Block, ...]:
    items = tuple(one["text"] for one in sp.content["cautions"])
    return (Bullets(items=items, title=sp.t("Cautions"), tone="caution"),) if items else ()
