"""What the parcel says: what it resembles, where it lies among the reference parcels, its sizes, colours and shapes."""

from __future__ import annotations

from typing import Any

from kpfootprint.report.blocks import Beside, Block, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures import footprint_map, shares_of_stones
from kpfootprint.report.sections.summary import resemblance
from kpfootprint.report.sentences import Speaker

TOO_FEW = "small_parcel"


def findings(sp: Speaker) -> Section:
    """Return the section on what was seen. Too few stones have no place on a map and resemble nothing in particular."""
    content = sp.content
    small = any(item["code"] == TOO_FEW for item in content["cautions"])
    enough = content["verification"] is not None or not small
    blocks: list[Block] = []
    if content["conclusion"] is not None:  # without one, the first section has said it
        blocks.append(Paragraph(text=resemblance(sp)))
    tables = () if content["attribution"] is None else (_attribution(sp, content["attribution"]),)
    if content["explanation"] is not None and enough:
        blocks += [Paragraph(text=text) for text in sp.sentences("resembles")]
        blocks.append(Beside(shown=tuple(footprint_map(sp)), blocks=tables))
    else:
        blocks += tables
    if content["verification"] is None:  # else they stand with what they weigh
        for pictures in shares_of_stones(sp).values():
            blocks += pictures
    return Section(key="findings", heading=sp.t(mark("What the parcel says")), blocks=tuple(blocks))


def _attribution(sp: Speaker, found: dict[str, Any]) -> Table:
    """Return what is found of every zone, the most probable first; a tie keeps the report's order."""
    inside, verified = set(found["prediction_set"]), sp.content["verification"]
    rows = [(zone["zone_id"], zone["posterior"]) for zone in found["zones"]]
    rows.sort(key=lambda row: -row[1])
    rows.append(("unlisted", found["unlisted_posterior"]))
    header = [sp.t(mark("Zone")), sp.t(mark("Probability")), sp.t(mark("In the set"))]
    table = [[sp.zone(zone), sp.share(p), sp.label(str(zone in inside).lower())] for zone, p in rows]
    if verified is not None:
        alone = {other["zone_id"]: other["log10_lr"] for other in verified["by_alternative"] if other["kind"] == "zone"}
        header.append(sp.t(mark("log10 LR against it alone")))
        for cells, (zone, _) in zip(table, rows, strict=True):
            cells.append(sp.log10(alone.get(zone)))
    return Table(
        caption=sp.t(
            mark("What the parcel resembles, if every zone were as likely beforehand; prediction set at {level}"),
            level=sp.share(found["level"]),
        ),
        header=tuple(header),
        rows=tuple(tuple(cells) for cells in table),
        numeric=(False, True, False, True)[: len(header)],
    )
