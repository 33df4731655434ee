"""What speaks for and against: shares by attribute, findings by class, sentences, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Block, Bullets, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures import shapley_shares
from kpfootprint.report.sections.certainty import MIXTURE
from kpfootprint.report.sections.findings import RESEMBLANCE
from kpfootprint.report.speaker import Speaker

LOOK_FIRST = ("look_first",)
WOULD_CHANGE = ("more_stones", "declare_screen", "more_references")


def balance(sp: Speaker) -> Section | None:
    """Return the section on what weighs on either side; None where nothing was compared."""
    found = sp.content["explanation"]
    if found is None or sp.content["verification"] is None:
        return None
    elsewhere = (*RESEMBLANCE, *MIXTURE, *LOOK_FIRST, *WOULD_CHANGE)
    blocks: list[Block] = []
    weighing = [s for s in found["sentences"] if s["code"] not in elsewhere]
    if weighing:
        blocks.append(Bullets(items=sp.says(weighing)))
    blocks += shapley_shares(sp)
    for codes, title in ((LOOK_FIRST, mark("Where to look first")), (WOULD_CHANGE, mark("What would change this"))):
        said = [s for s in found["sentences"] if s["code"] in codes]
        if said:
            blocks.append(Bullets(title=sp.t(title), items=sp.says(said)))
    if found["classes"]:
        blocks.append(
            Paragraph(
                text=sp.t(mark("A contribution above zero speaks for the declaration, one below zero against it.")),
                tone="note",
            )
        )
        blocks.append(classes_table(sp, found["classes"]))
    return Section(key="balance", heading=sp.t(mark("What speaks for and against")), blocks=tuple(blocks))


def classes_table(sp: Speaker, classes: list[Mapping[str, Any]]) -> Table:
    """Return observed and expected shares of stones with their contributions, by class."""
    rows = tuple(
        (
            f"{sp.names.attribute(c['attribute'])}: {sp.names.class_(c['attribute'], c['class'])}",
            sp.share(c["observed"]),
            sp.share(c["expected"]),
            "\u2013"
            if c["low"] is None
            else sp.t(mark("{low} to {high}"), low=sp.share(c["low"]), high=sp.share(c["high"])),
            sp.log10(c["contribution"]),
        )
        for c in classes
    )
    return Table(
        caption=sp.t(mark("Shares of stones by class, with what is expected of the declaration")),
        header=(
            sp.t(mark("Class")),
            sp.t(mark("Observed")),
            sp.t(mark("Expected")),
            sp.t(mark("Expected range")),
            sp.t(mark("Contribution (log10)")),
        ),
        rows=rows,
        numeric=(False, True, True, True, True),
    )
