"""Several sorters of one parcel, laid out: what each sheet leads to, where they differ, and how they usually differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Bullets, Figure, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.share_rows import ShareRow, share_rows
from kpfootprint.report.planned_sections import cautions
from kpfootprint.report.planned_sentences import Voice

DASH = "\u2013"


def sorters_sections(answer: Mapping[str, Any], voice: Voice) -> list[Section]:
    """Lay out how far several sorters agree and what that does to the conclusion."""
    t = voice.words.text
    said = Bullets(items=tuple(one["text"] for one in answer["sentences"]))
    parts: tuple[Block, ...] = (_parts(answer, voice),) if answer["difference"]["by_attribute"] else ()
    classes = [_classes(one, answer, voice) for one in answer["agreement"]]
    sections: tuple[tuple[str, str, Sequence[Block]], ...] = (
        ("answer", mark("In short"), (said, _sheets(answer, voice), *cautions(answer, voice))),
        ("lr", mark("What makes the difference"), parts),
        ("classes", mark("Agreement by class"), classes),
        ("scales", mark("How these sorters usually differ"), [_scale(one, voice) for one in answer["scales"]]),
    )
    return [Section(key=key, heading=t(name), blocks=tuple(blocks)) for key, name, blocks in sections if blocks]


def _sheets(answer: Mapping[str, Any], voice: Voice) -> Table:
    said, t = voice.words, voice.words.text
    header = (
        *(mark("Sorter"), mark("Stones"), mark("Carats"), mark("Conclusion"), mark("log10 LR"), mark("Interval")),
        mark("Undeclared share of stones"),
    )

    def row(one: Mapping[str, Any]) -> tuple[str, ...]:
        share = one["undeclared_stone_fraction"]
        lr = one["log10_lr"]
        return (
            one["sorter"],
            said.count(one["n_stones"]),
            DASH if one["carats"] is None else said.number(one["carats"], 2),
            voice.conclusion(one["conclusion"]),
            DASH if lr is None else said.number(lr, 2),
            DASH if lr is None else f"{said.number(one['low'], 2)} – {said.number(one['high'], 2)}",
            DASH
            if share is None
            else f"{said.share(share['estimate'])} ({said.share(share['low'])} – {said.share(share['high'])})",
        )

    return Table(
        caption=t(mark("What each sheet leads to")),
        header=tuple(t(name) for name in header),
        rows=tuple(row(one) for one in answer["sorters"]),
        numeric=(False, True, True, False, True, True, True),
    )


def _parts(answer: Mapping[str, Any], voice: Voice) -> Table:
    said, t = voice.words, voice.words.text
    return Table(
        caption=t(mark("How far apart each attribute's part of the log10 likelihood ratio lies")),
        header=(t(mark("Attribute")), t(mark("Distance"))),
        rows=tuple(
            (voice.label(one["name"]), said.number(one["log10_lr"], 2)) for one in answer["difference"]["by_attribute"]
        ),
    )


def _classes(one: Mapping[str, Any], answer: Mapping[str, Any], voice: Voice) -> Beside:
    said, t = voice.words, voice.words.text
    name, sorters = one["attribute"], [sheet["sorter"] for sheet in answer["sorters"]]
    title = t(mark("{attribute}: shares of stones by sorter"), attribute=voice.label(name))
    table = Table(
        caption=title,
        header=(t(mark("Class")), *sorters),
        rows=tuple(
            (
                voice.class_(name, item["class"]),
                *(
                    f"{said.share(share)} ({said.number(n)})"
                    for share, n in zip(item["shares"], item["n_stones"], strict=True)
                ),
            )
            for item in one["classes"]
        ),
    )
    common = said.row([f"{pair['first']}, {pair['second']} {said.share(pair['share'])}" for pair in one["in_common"]])
    alt = t(mark("At most so many stones can be in the same class on both sheets: {common}."), common=common)
    rows = [ShareRow(name=voice.class_(name, item["class"]), values=tuple(item["shares"])) for item in one["classes"]]
    key = f"p-{name}"
    figure = Figure(key=key, title=title, alt=alt, svg=share_rows(key, title, alt, rows, said, sorters), data=table)
    return Beside(shown=(figure,), blocks=(table, Paragraph(text=alt, tone="note")))


def _scale(one: Mapping[str, Any], voice: Voice) -> Table:
    said, t = voice.words, voice.words.text
    caption = t(
        mark("{attribute}: stones that {second} puts into a class for one of {first}, from {n} parcels both sorted"),
        attribute=voice.label(one["attribute"]),
        first=one["first"],
        second=one["second"],
        n=said.number(one["n_parcels"]),
    )
    return Table(
        caption=caption,
        header=(
            *(t(mark("Class")), t(mark("Stones")), t(mark("90% interval"))),
            t(mark("Here: {first}, as {second} usually sees it"), first=one["first"], second=one["second"]),
            t(mark("Here: {second}"), second=one["second"]),
        ),
        rows=tuple(
            (
                voice.class_(one["attribute"], item["class"]),
                said.number(item["ratio"], 2),
                f"{said.number(item['low'], 2)} – {said.number(item['high'], 2)}",
                f"{said.number(item['first'])} → {said.number(item['as_second'])}",
                said.number(item["second"]),
            )
            for item in one["classes"]
        ),
    )
