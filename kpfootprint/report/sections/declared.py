"""What was declared: zones, status, conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Facts, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.sections.summary import MOST_NAMED
from kpfootprint.report.sentences import STONES, Speaker


def declared(sp: Speaker) -> Section:
    """Return the section on the declaration and on how the parcel was prepared."""
    parcel = sp.content["parcel"]
    facts = Facts(rows=tuple(_parcel_facts(sp)))
    blocks: list[Block] = [facts]
    if len(parcel["declared"]) > MOST_NAMED:
        blocks = [Beside(shown=(_zones(sp),), blocks=(facts,))]
    elif parcel["declared"]:
        blocks = [_zones(sp), facts]
    heading = mark("What was declared") if parcel["declared"] else mark("The parcel")
    return Section(key="declared", heading=sp.t(heading), blocks=tuple(blocks))


def _zones(sp: Speaker) -> Table:
    parcel = sp.content["parcel"]
    carats = [zone["carats"] for zone in parcel["declared"]]
    total = None if None in carats else sum(carats)
    rows = tuple(
        (
            sp.zone(zone["zone_id"]),
            "\u2013" if zone["carats"] is None else sp.words.number(zone["carats"], 2),
            sp.share(zone["carats"] / total) if total and zone["carats"] is not None else "\u2013",
            sp.label(zone["status_on_export_date"]),
        )
        for zone in parcel["declared"]
    )
    return Table(
        caption=sp.t(mark("Declared zones and their status on {day}"), day=sp.words.day(parcel["status_on"])),
        header=(sp.t(mark("Zone")), sp.t(mark("Carats")), sp.t(mark("Share")), sp.t(mark("Status"))),
        rows=rows,
        numeric=(False, True, True, False),
    )


def _parcel_facts(sp: Speaker) -> list[tuple[str, str]]:
    parcel, words = sp.content["parcel"], sp.words
    conditions = parcel["conditions"]
    rows = [
        (sp.t(mark("Stones")), words.count(parcel["n_stones"])),
        (sp.t(mark("Carats")), "\u2013" if parcel["carats"] is None else words.number(parcel["carats"], 2)),
        (sp.t(mark("Exported on")), words.day(parcel["exported_on"])),
        (sp.t(mark("Certificate")), parcel["certificate_no"] or "\u2013"),
        (sp.t(mark("Exporter")), parcel["exporter"] or "\u2013"),
    ]
    screen, removed = conditions["bottom_screen_mm"], conditions["specials_removed"]
    shown = {
        "cleaning_state": sp.label(conditions["cleaning_state"]),
        "selection": sp.label(conditions["selection"]),
        "sorter": conditions["sorter"] or "\u2013",
        "bottom_screen_mm": "\u2013" if screen is None else words.trimmed(screen, 3),
        "specials_removed": "\u2013" if removed is None else sp.label(str(removed).lower()),
        "sieve_set": conditions["sieve_set"] or "\u2013",
    }
    if parcel["read_as"] is not None:
        rows.append((sp.t(mark("Read from the sheet")), read_as(sp, parcel["read_as"])))
    return rows + [(words.sentence(sp.label(name)), value) for name, value in shown.items()]


def read_as(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Say in one line what was understood of the sheet; what a receipt does not hold is not said."""
    words = sp.words
    said = []
    if found.get("n_stones"):
        said.append(words.plural(*STONES[:2], found["n_stones"], n=words.number(found["n_stones"])))
    if found.get("carats"):
        said.append(f"{words.number(found['carats'], 2)} ct")
    if found.get("mean_ct"):
        said.append(sp.t(mark("mean {carats} ct"), carats=words.stone(found["mean_ct"])))
    if found.get("largest_ct"):
        said.append(sp.t(mark("largest {carats} ct"), carats=words.stone(found["largest_ct"])))
    if found.get("left_out"):
        said.append(sp.t(mark("rows left out: {n}"), n=words.number(len(found["left_out"]))))
    if found.get("passed_over"):
        said.append(sp.t(mark("columns passed over: {names}"), names=words.row([str(x) for x in found["passed_over"]])))
    return sp.t(mark("; ")).join(said) or "\u2013"
