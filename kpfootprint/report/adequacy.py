"""Whether the references of a zone are enough, laid out on two pages: the annex to a proposal for a compliant zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Facts, Figure, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.share_rows import ShareRow, share_rows
from kpfootprint.report.planned_sections import cautions, lead
from kpfootprint.report.planned_sentences import Voice


def adequacy_sections(answer: Mapping[str, Any], voice: Voice) -> list[Section]:
    """Lay out whether the references of a zone are enough."""
    said, t = voice.words, voice.words.text
    headings = (mark("In short"), mark("Who could pass as this zone"), mark("What more references would buy"))
    table, facts = _passing(answer, voice), _facts(answer, voice)
    pictured: Block = facts
    if answer["others"]:
        figure = _picture(answer, table, voice)
        pictured = Beside(shown=(figure,), blocks=(facts, Paragraph(text=figure.alt, tone="note")))
    blocks = (
        (lead(answer), pictured, *cautions(answer, voice)),
        (table,),
        (_gain(answer, voice),),
    )
    out = [
        Section(key=key, heading=t(heading), blocks=inner)
        for key, heading, inner in zip(("answer", "others", "gain"), headings, blocks, strict=True)
    ]
    how = mark(
        "Parcels of {n} stones were drawn from what the release knows of each zone and declared as {zone}; the rules "
        "of the release judged each, as they judge a real parcel. A parcel passes where it is called consistent. A "
        "distance of 1 is how far parcels of one zone usually lie from their mean. Cllr is the cost of the likelihood "
        "ratios, 0 at best and 1 for knowing nothing, over parcels of this zone against those of the five that pass "
        "most and of unsampled sources: harder than an average declaration."
    )
    text = t(how, n=said.number(answer["n_stones"]), zone=voice.zone(answer["zone_id"]))
    out.append(Section(key="how", heading=t(mark("How this was counted")), blocks=(Paragraph(text=text),)))
    return out


def _facts(answer: Mapping[str, Any], voice: Voice) -> Facts:
    said, t = voice.words, voice.words.text
    return Facts(
        rows=(
            (t(mark("Reference parcels")), said.number(answer["n_parcels"])),
            (t(mark("Effective number of them, odd ones counting less")), said.number(answer["effective_parcels"], 1)),
            (t(mark("Stones of the parcels that were drawn")), said.number(answer["n_stones"])),
            (t(mark("True declarations called consistent")), said.share(answer["true_consistent"])),
            (t(mark("True declarations queried")), said.share(answer["true_queried"])),
            (t(mark("Goods from a source nobody has sampled that pass")), said.share(answer["nowhere_consistent"])),
            (t(mark("Status of zones on")), said.day(answer["on"])),
        )
    )


def _passing(answer: Mapping[str, Any], voice: Voice) -> Table:
    said, t = voice.words, voice.words.text
    status = {True: t(mark("compliant")), False: t(mark("not compliant"))}
    header = (
        *(mark("Zone"), mark("Status"), mark("Distance in standard deviations of parcels")),
        *(mark("Parcels that pass"), mark("90% interval"), mark("Parcels drawn")),
    )
    return Table(
        caption=t(mark("Every other zone, the nearest first")),
        header=tuple(t(name) for name in header),
        rows=tuple(
            (
                voice.zone(item["zone_id"]),
                status[item["compliant"]],
                said.number(item["distance"], 1),
                said.share(item["chance_false_consistent"]),
                f"{said.share(item['low'])} – {said.share(item['high'])}",
                said.number(item["n_drawn"]),
            )
            for item in answer["others"]
        ),
        numeric=(False, False, True, True, True, True),
    )


def _picture(answer: Mapping[str, Any], table: Table, voice: Voice) -> Figure:
    said, t = voice.words, voice.words.text
    title = t(mark("Parcels of other zones that pass as this one"))
    rows = [
        ShareRow(
            name=voice.zone(item["zone_id"]),
            values=(item["chance_false_consistent"],),
            limits=(item["low"], item["high"]),
            odd=not item["compliant"],
        )
        for item in answer["others"]
    ]
    alt = t(mark("Bold: not compliant. The nearest zone stands on top; box: 90% interval."))
    return Figure(key="p-others", title=title, alt=alt, svg=share_rows("p-others", title, alt, rows, said), data=table)


def _gain(answer: Mapping[str, Any], voice: Voice) -> Table:
    said, t = voice.words, voice.words.text
    header = (mark("Further parcels"), mark("Expected Cllr"), mark("True declarations called consistent"))
    return Table(
        caption=t(mark("What further parcels of this zone would buy")),
        header=tuple(t(name) for name in header),
        rows=tuple(
            (said.number(g["extra_parcels"]), said.number(g["expected_cllr"], 2), said.share(g["expected_chance"]))
            for g in answer["gain"]
        ),
        numeric=(True, True, True),
    )
