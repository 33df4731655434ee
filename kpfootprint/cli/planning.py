"""``kpfootprint zones``, ``plan``, ``adequacy``, ``pool``, ``drift`` and ``sorters``: before a comparison and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.output import Command, drawn, form_option, out_option, refuse_terminal, say, tell, writing
from kpfootprint.cli.reading import (
    as_parcel,
    choose_option,
    day_given,
    parcel_options,
    read_sortings,
    share_given,
    whole_submission,
    zones_given,
)
from kpfootprint.cli.surroundings import at_work, lang_option, model_option, now, open_release, told

if TYPE_CHECKING:
    from kpfootprint.ingest import Choices
    from kpfootprint.release import Release


def answer_options(command: Command) -> Command:
    """Add ``--format``, ``--lang``, ``--out`` and ``--model``: how an answer is shown, and which release gives it."""
    return answer_option(lang_option(out_option(model_option(command))))


answer_option = form_option("text", "json", "html", "pdf", help="Form of the answer.")
on_option = click.option(
    "--on",
    "day",
    callback=day_given,
    metavar="DATE",
    help="Day whose status of zones counts, as 2025-03-31; today (UTC) otherwise.",
)


@click.command()
@on_option
@model_option
def zones(day: date | None, model: Path | None) -> None:
    """List the zones and their status on a day."""
    on = day or now().date()
    table = open_release(model).zone_table
    shown = {"compliant": told("compliant"), "suspended": told("suspended"), "not_covered": told("not_covered")}
    header = (told("zone_id"), told("name"), told("country"), told("region"), told("status"))
    statuses = (table.status_on(zone.zone_id, on) for zone in table.zones)
    rows = [
        (zone.zone_id, zone.name, zone.country, zone.region, shown.get(status, status))
        for zone, status in zip(table.zones, statuses, strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    tell("Status on {day}.", err=True, day=on.isoformat())


@click.command()
@click.option(
    "--declare",
    "declared",
    callback=zones_given,
    multiple=True,
    required=True,
    metavar="ZONE[=CARATS]",
    help="A declared zone; repeat it, with carats, for a blend.",
)
@click.option(
    "--against",
    default="non_compliant",
    show_default=True,
    metavar="ZONE|non_compliant|nowhere",
    help="Where the undeclared goods would come from.",
)
@click.option("--share", callback=share_given, metavar="SHARE", default="0.2", show_default=True, help="Of stones.")
@on_option
@answer_options
def plan(
    declared: list[dict[str, Any]],
    against: str,
    share: float,
    day: date | None,
    model: Path | None,
    **shown: Any,
) -> None:
    """Say how many stones, and how many reference parcels, it takes to find a share of undeclared goods."""
    from kpfootprint.planning.answers import plan_answer

    release = open_release(model)
    question = {"declared": declared, "against": against, "share": share}
    _show(plan_answer(question, release, day or now().date()), release, **shown)


@click.command()
@click.argument("zone")
@on_option
@answer_options
def adequacy(zone: str, day: date | None, model: Path | None, **shown: Any) -> None:
    """Say whether the references of ZONE are enough, and which parcels to collect next."""
    from kpfootprint.planning.answers import adequacy_answer

    release = open_release(model)
    _show(adequacy_answer(zone, release, day or now().date()), release, **shown)


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@answer_options
def pool(submission: Path, model: Path | None, **shown: Any) -> None:
    """Weigh all parcels of SUBMISSION as one claim.

    They are not poured together and their likelihood ratios are not multiplied: what they share is modelled.
    """
    from kpfootprint.planning.answers import pool_answer

    release = open_release(model)
    _show(pool_answer(whole_submission(submission, release), release, now().date()), release, **shown)


@click.command()
@click.option("--exporter", metavar="NAME", help="Follow the shipments of this exporter.")
@click.option("--zone", metavar="ZONE", help="Follow the shipments that declare this zone.")
@click.option(
    "--per-points",
    type=click.IntRange(2, 100_000),
    default=100,
    show_default=True,
    help="Shipments to one false alarm over all charts together.",
)
@answer_options
def drift(
    exporter: str | None, zone: str | None, per_points: int, form: str, lang: str, out: Path | None, model: Path | None
) -> None:
    """Say what changes from shipment to shipment of an exporter or a zone, from the register."""
    if exporter is None and zone is None:
        raise click.UsageError(told("name --exporter, --zone or both"))
    from kpfootprint.ingest.raw.cells import text_of
    from service.work.planning import drifted

    with at_work(model) as work:
        said = "en" if form == "json" else lang
        answer = drifted(work, exporter=exporter and text_of(exporter), zone=zone, per_points=per_points, lang=said)
        zones = work.release().zone_table.names
    _write(answer, zones, form, lang, out)


@click.command()
@click.argument("sheets", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="SHEET...")
@click.option(
    "--history",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="SUBMISSION",
    help="Earlier parcels that several sorters sorted, named PARCEL/SORTER: their usual scale. May be repeated.",
)
@parcel_options
@choose_option
@answer_options
def sorters(
    sheets: tuple[Path, ...],
    history: tuple[Path, ...],
    choices: Choices,
    model: Path | None,
    form: str,
    lang: str,
    out: Path | None,
    **given: Any,
) -> None:
    """Set several sorters' sheets of one parcel side by side.

    SHEET is one sheet with several valuations (exporter, ministry, independent), or a sheet of each sorter's own: its
    sorter is the one it states, or else the name of the file. Says where they agree, class by class, what each leads
    to, and what their differences do to the conclusion; with --history also whether they differ as usual.
    """
    from kpfootprint.flow import examine
    from kpfootprint.parcel import Batch
    from kpfootprint.planning.sorters import sorters_answer, sortings_of

    release = open_release(model)
    found = [one for sheet in sheets for one in read_sortings(sheet, release, as_parcel(given), choices)]
    moment = now()
    batch = Batch(tuple(one.parcel for one in found))
    reports = examine(batch, release, status_on=moment.date(), created_at=moment)
    earlier = [one for path in history for one in sortings_of(whole_submission(path, release))]
    answer = sorters_answer(found, [report.content for report in reports], earlier, release)
    _show(answer, release, form, lang, out)


def _show(answer: dict[str, Any], release: Release, form: str, lang: str, out: Path | None) -> None:
    from kpfootprint.report.planned_sentences import worded

    zones = release.zone_table.names
    _write(worded(answer, zones, "en" if form == "json" else lang), zones, form, lang, out)


def _write(answer: dict[str, Any], zones: Mapping[str, str], form: str, lang: str, out: Path | None) -> None:
    from kpfootprint.report.planned_sections import document_of

    if form == "pdf":
        refuse_terminal("PDF", out)
    if form == "json":
        made = (json.dumps(answer, ensure_ascii=False, indent=1) + "\n").encode()
    else:
        made = drawn(document_of(answer, zones, lang, created_at=now().strftime("%Y-%m-%dT%H:%M:%SZ")), form)
    with writing(out) as stream:
        stream.write(made)
