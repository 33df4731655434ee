"""What speaks for and against: shares by attribute, findings by class, sentences, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Bullets, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures import shapley_shares, shares_of_stones
from kpfootprint.report.sections.summary import FIRST_PAGE
from kpfootprint.report.sentences import Speaker

WOULD_CHANGE = ("grade_again", "more_stones", "declare_screen", "more_references", "sorter_matters")
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
    blocks.append(Beside(shown=tuple(shapley_shares(sp)), blocks=tuple(lists)))
    if found["classes"]:
        blocks.append(
            Paragraph(
                text=sp.t(mark("A contribution above zero speaks for the declaration, one below zero against it.")),
                tone="note",
            )
        )
        pictures = shares_of_stones(sp)
        for name, table in classes_tables(sp, found["classes"]).items():
            first, *others = pictures[name]
            blocks.append(Beside(shown=(replace(first, data=table), *others), blocks=(table,)))
    return Section(key="balance", heading=sp.t(mark("What speaks for and against")), blocks=tuple(blocks))


def classes_tables(sp: Speaker, classes: list[Mapping[str, Any]]) -> dict[str, Table]:
    """Return observed and expected shares of stones with their contributions: a table for each attribute."""
    header = (
        sp.t(mark("Class")),
        sp.t(mark("Observed")),
        sp.t(mark("Expected")),
        sp.t(mark("Expected range")),
        sp.t(mark("Contribution")),
    )
    return {
        name: Table(
            caption=sp.t(
                mark("{attribute}: shares of stones and contributions (log10)"), attribute=sp.names.attribute(name)
            ),
            header=header,
            rows=tuple(_class_row(sp, c) for c in found),
        )
        for name, found in groupby(classes, key=lambda c: c["attribute"])
    }


def _class_row(sp: Speaker, c: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        sp.names.class_(c["attribute"], c["class"]),
        sp.share(c["observed"]),
        sp.share(c["expected"]),
        sp.span(c["low"], c["high"]),
        sp.log10(c["contribution"]),
    )
