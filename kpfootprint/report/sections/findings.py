"""What the parcel says: its sizes, colours and shapes, what it resembles, how novel it is."""

from __future__ import annotations

from typing import Any

from kpfootprint.report.blocks import Block, Facts, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures import footprint_map, shares_of_stones
from kpfootprint.report.sections.summary import novelty, resemblance
from kpfootprint.report.speaker import Speaker

RESEMBLANCE = ("resembles", "resembles_none")


def findings(sp: Speaker) -> Section:
    """Return the section on what was seen."""
    content = sp.content
    blocks: list[Block] = []
    if content["conclusion"] is not None:  # without one, the first section has said it
        blocks.append(Paragraph(text=resemblance(sp)))
    if content["explanation"] is not None:
        blocks += [Paragraph(text=text) for text in sp.sentences(RESEMBLANCE)]
        blocks += shares_of_stones(sp)
        blocks += footprint_map(sp)
    if content["attribution"] is not None:
        blocks.append(_attribution(sp, content["attribution"]))
    if content["novelty"] is not None:
        blocks.append(Facts(rows=((sp.t(mark("Novelty")), novelty(sp)),)))
    return Section(key="findings", heading=sp.t(mark("What the parcel says")), blocks=tuple(blocks))


def _attribution(sp: Speaker, found: dict[str, Any]) -> Table:
    """Return the posteriors, largest first; a tie keeps the report's order."""
    inside = set(found["prediction_set"])
    rows = [(zone["zone_id"], zone["posterior"]) for zone in found["zones"]]
    rows.sort(key=lambda row: -row[1])
    rows.append(("unlisted", found["unlisted_posterior"]))
    return Table(
        caption=sp.t(
            mark("What the parcel resembles, with equal chances beforehand; prediction set at {level}"),
            level=sp.share(found["level"]),
        ),
        header=(sp.t(mark("Zone")), sp.t(mark("Probability")), sp.t(mark("In the set"))),
        rows=tuple((sp.zone(zone), sp.share(p), sp.label(str(zone in inside).lower())) for zone, p in rows),
        numeric=(False, True, False),
    )
