"""The parcel: what was declared of it, what it says and resembles, and its value and volume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kpfootprint.report.blocks import Beside, Block, Bullets, Facts, Paragraph, Section, Table
from kpfootprint.report.locale import mark
from kpfootprint.report.pictures.classes import shares_of_stones
from kpfootprint.report.pictures.footprint_map import footprint_map
from kpfootprint.report.sections.summary import MOST_NAMED, resemblance
from kpfootprint.report.sentences import STONES, Speaker

MOST_SHOWN = 20
"""Zones of a table of resemblance, the most probable of more; those declared or of the set are always shown."""


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
    return sp.section("declared", heading, *blocks)


def _zones(sp: Speaker) -> Table:
    parcel = sp.content["parcel"]
    carats = [zone["carats"] for zone in parcel["declared"]]
    total = None if None in carats else sum(carats)
    caption = sp.t("Declared zones and their status on {day}", day=sp.words.day(parcel["status_on"]))
    zone, status = (mark("Zone"), sp.zone, "zone_id"), (mark("Status"), sp.label, "status_on_export_date")
    if all(one is None for one in carats):
        return sp.columns(caption, parcel["declared"], zone, status, numeric=(False, False))
    return sp.columns(
        caption,
        parcel["declared"],
        zone,
        (mark("Carats"), sp.carats, "carats"),
        (mark("Share"), lambda carats: sp.share(carats / total if total else None), "carats"),
        status,
        numeric=(False, True, True, False),
    )


def _parcel_facts(sp: Speaker) -> list[tuple[str, str]]:
    parcel, words = sp.content["parcel"], sp.words
    rows = sp.facts(
        parcel,
        (mark("Stones"), words.count, "n_stones"),
        (mark("Carats"), sp.carats, "carats"),
        (mark("Exported on"), words.day, "exported_on"),
        (mark("Certificate"), sp.given, "certificate_no"),
        (mark("Exporter"), sp.given, "exporter"),
    )
    if parcel["read_as"] is not None:
        rows.append((sp.t("Read from the sheet"), read_as(sp, parcel["read_as"])))
    conditions: dict[str, Callable[[Any], str]] = {
        "cleaning_state": sp.label,
        "selection": sp.label,
        "sorter": sp.given,
        "bottom_screen_mm": lambda screen: words.trimmed(screen, 3),
        "specials_removed": sp.label,
        "sieve_set": sp.given,
    }
    of = parcel["conditions"]
    return rows + [(words.sentence(sp.label(name)), shown(of[name])) for name, shown in conditions.items()]


_QUOTED = ("words", "lines", "comments")
"""Values of a note that quote what stands on a sheet and was not understood."""


def read_as(sp: Speaker, found: Mapping[str, Any]) -> str:
    """Say in one line what was understood of the sheet; what a receipt does not hold is not said."""
    words = sp.words
    shown: dict[str, Callable[[Any], str]] = {
        "n_stones": lambda n: words.plural(*STONES, n, n=words.number(n)),
        "carats": lambda carats: f"{words.carats(carats)} ct",
        "mean_ct": lambda carats: sp.t("mean {carats} ct", carats=words.stone(carats)),
        "largest_ct": lambda carats: sp.t("largest {carats} ct", carats=words.stone(carats)),
        "left_out": lambda rows: sp.t("rows left out: {n}", n=words.number(len(rows))),
        "passed_over": lambda names: sp.t("columns passed over: {names}", names=words.row([str(x) for x in names])),
    }
    said = [show(found[name]) for name, show in shown.items() if found.get(name)]
    told = [note["values"] for note in found.get("notes", ()) if note["code"].endswith("_not_read")]
    if quoted := [str(text) for values in told for name in _QUOTED if (text := values.get(name))]:
        said.append(sp.t("not read: {words}", words=words.row(quoted)))
    return sp.t("; ").join(said) or "\u2013"


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
        blocks += [Paragraph(text=text) for text in sp.sentences("resembles_")]
        pictures = tuple(footprint_map(sp))
        blocks += [Beside(shown=pictures, blocks=tables)] if pictures else tables
    else:
        blocks += tables
    if content["verification"] is None:  # else they stand with what they weigh
        for shares in shares_of_stones(sp).values():
            blocks += shares
    return sp.section("findings", mark("What the parcel says"), *blocks)


def _attribution(sp: Speaker, found: dict[str, Any]) -> Table:
    """Return what is found of every zone, the most probable first; a tie keeps the report's order."""
    inside, verified = set(found["prediction_set"]), sp.content["verification"]
    rows = [(zone["zone_id"], zone["posterior"]) for zone in found["zones"]]
    rows.sort(key=lambda row: -row[1])
    shown = {zone for zone, _ in rows[:MOST_SHOWN]} | inside | set(sp.declared_zones)
    others = [row for row in rows if row[0] not in shown]
    others = others if len(others) > 1 else []
    rows = [row for row in rows if row not in others]
    rows.append(("unlisted", found["unlisted_posterior"]))
    header = [mark("Zone"), mark("Probability"), mark("In the set")]
    table = [[sp.zone(zone), sp.words.credence(p), sp.label(zone in inside)] for zone, p in rows]
    if verified is not None:
        alone = {other["zone_id"]: other["log10_lr"] for other in verified["by_alternative"] if other["kind"] == "zone"}
        header.append(mark("log10 LR against it alone"))
        for cells, (zone, _) in zip(table, rows, strict=True):
            cells.append(sp.log10(alone.get(zone)))
    if others:
        name = sp.t("{n} other zones, together", n=sp.words.number(len(others)))
        table.insert(-1, [name, sp.words.credence(sum(p for _, p in others)), sp.label(False), "\u2013"][: len(header)])
    message = mark("What the parcel resembles, if every zone were as likely beforehand; prediction set at {level}")
    if sp.sentences("resembles_small"):
        message = mark("What the parcel resembles, if every zone were as likely beforehand")
    caption = sp.t(message, level=sp.share(found["level"]))
    return sp.table(caption, header, table, numeric=(False, True, False, True)[: len(header)])


def goods(sp: Speaker) -> Section | None:
    """Return the section on value and volume; None where nothing of them is known."""
    found = sp.content["goods"]
    if found is None or (found["mean_ct_usual"] is None and found["usd_per_ct"] is None and not found["carats"]):
        return None
    blocks: list[Block] = []
    if found["flags"]:
        blocks.append(Bullets(items=sp.says(found["flags"]), tone="caution"))
    beside = _beside_reference(sp, found)
    blocks.append(Beside(shown=(_by_size(sp, found),), blocks=(beside,)) if found["by_size"] else beside)
    nothing = sp.t("Value and volume enter no likelihood ratio and no conclusion.")
    return sp.section("goods", mark("Value and volume"), *blocks, Paragraph(text=nothing, tone="note"))


def _beside_reference(sp: Speaker, found: Mapping[str, Any]) -> Table:
    rows, stone, number, dash = [], sp.words.stone, sp.words.number, "\u2013"
    if found["mean_ct"] is not None:
        usual = found["mean_ct_usual"]
        expected = (
            (dash, dash) if usual is None else (stone(usual["expected"]), sp.span(usual["low"], usual["high"], stone))
        )
        rows.append((sp.t("Mean stone (ct)"), stone(found["mean_ct"]), *expected))
    many = len(found["carats"]) > MOST_NAMED
    within = [zone["carats"] for zone in found["carats"] if many and zone["carats"] <= zone["high"]]
    for zone in found["carats"]:
        if not many or zone["carats"] > zone["high"]:
            name = sp.t("Carats of {zone}", zone=sp.zone(zone["zone_id"]))
            most = {"high": sp.carats(zone["high"]), "n": number(zone["n_parcels"])}
            rows.append((name, sp.carats(zone["carats"]), dash, sp.t("up to {high} ({n} parcels)", **most)))
    if within:
        name = sp.t("Carats of {n} declared zones", n=number(len(within)))
        rows.append((name, sp.carats(sum(within)), dash, sp.t("each within what is usual")))
    if found["usd_per_ct"] is not None:
        rows.append((sp.t("Value per carat (USD)"), number(found["usd_per_ct"], 2), dash, dash))
    caption = sp.t("The parcel beside reference parcels of what was declared")
    return sp.table(caption, ("", mark("This parcel"), mark("Expected"), mark("Usual")), rows).filled()


def _by_size(sp: Speaker, found: Mapping[str, Any]) -> Table:
    return sp.columns(
        sp.t("Value per carat by size"),
        found["by_size"],
        (mark("Class"), str, "size_class"),
        (mark("Stones"), sp.words.number, "n_stones"),
        (mark("Carats"), sp.carats, "carats"),
        (mark("USD a carat"), sp.dollars, "usd_per_ct"),
    )
