"""Value and volume beside the footprint: they decide nothing, and are shown with what the reference leads to expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Bullets, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.sections.summary import MOST_NAMED
from kpfootprint.report.sentences import Speaker


def goods(sp: Speaker) -> Section | None:
    """Return the section on value and volume; None where nothing of them is known."""
    found = sp.content["goods"]
    if found is None or (found["mean_ct_usual"] is None and found["usd_per_ct"] is None and not found["carats"]):
        return None
    blocks: list[Block] = []
    if found["flags"]:
        blocks.append(Bullets(items=sp.says(found["flags"]), tone="caution"))
    if found["by_size"]:
        blocks.append(Beside(shown=(_by_size(sp, found),), blocks=(_beside_reference(sp, found),)))
    else:
        blocks.append(_beside_reference(sp, found))
    blocks.append(
        Paragraph(text=sp.t(mark("Value and volume enter no likelihood ratio and no conclusion.")), tone="note")
    )
    return Section(key="goods", heading=sp.t(mark("Value and volume")), blocks=tuple(blocks))


def _beside_reference(sp: Speaker, found: Mapping[str, Any]) -> Table:
    rows, stone = [], sp.words.stone
    if found["mean_ct"] is not None:
        usual = found["mean_ct_usual"]
        rows.append(
            (
                sp.t(mark("Mean stone (ct)")),
                stone(found["mean_ct"]),
                "\u2013" if usual is None else stone(usual["expected"]),
                "\u2013" if usual is None else sp.span(usual["low"], usual["high"], stone),
            )
        )
    many = len(found["carats"]) > MOST_NAMED
    within = [zone["carats"] for zone in found["carats"] if many and zone["carats"] <= zone["high"]]
    for zone in found["carats"]:
        if many and zone["carats"] <= zone["high"]:
            continue
        high = sp.words.number(zone["high"], 2)
        rows.append(
            (
                sp.t(mark("Carats of {zone}"), zone=sp.zone(zone["zone_id"])),
                sp.words.number(zone["carats"], 2),
                "\u2013",
                sp.t(mark("up to {high} ({n} parcels)"), high=high, n=sp.words.number(zone["n_parcels"])),
            )
        )
    if within:
        name = sp.t(mark("Carats of {n} declared zones"), n=sp.words.number(len(within)))
        rows.append((name, sp.words.number(sum(within), 2), "\u2013", sp.t(mark("each within what is usual"))))
    if found["usd_per_ct"] is not None:
        rows.append((sp.t(mark("Value per carat (USD)")), sp.words.number(found["usd_per_ct"], 2), "\u2013", "\u2013"))
    return Table(
        caption=sp.t(mark("The parcel beside reference parcels of what was declared")),
        header=("", sp.t(mark("This parcel")), sp.t(mark("Expected")), sp.t(mark("Usual"))),
        rows=tuple(rows),
    ).filled()


def _by_size(sp: Speaker, found: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            item["size_class"],
            sp.words.number(item["n_stones"]),
            sp.words.number(item["carats"], 2),
            sp.words.number(item["usd_per_ct"], 2),
        )
        for item in found["by_size"]
    )
    header = (mark("Class"), mark("Stones"), mark("Carats"), mark("USD a carat"))
    return Table(
        caption=sp.t(mark("Value per carat by size")),
        header=tuple(sp.t(name) for name in header),
        rows=rows,
    )
