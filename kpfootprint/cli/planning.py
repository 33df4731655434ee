"""``kpfootprint plan``, ``adequacy``, ``pool`` and ``drift``: what comes before a comparison and after many."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.fields import Declared
from kpfootprint.cli.output import out_option, writing
from kpfootprint.cli.reading import read_submission
from kpfootprint.cli.surroundings import lang_option, model_option, now, open_release, settings

if TYPE_CHECKING:
    from kpfootprint.release import Release

form_option = click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Form of the answer.",
)
on_option = click.option(
    "--on",
    "day",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="DATE",
    help="Day whose status of zones counts, as 2025-03-31; today (UTC) otherwise.",
)


@click.command()
@click.option(
    "--declare",
    "declared",
    type=Declared(),
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
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), default=0.2, show_default=True, help="Of stones.")
@on_option
@form_option
@lang_option
@out_option
@model_option
def plan(
    declared: tuple[dict[str, Any], ...],
    against: str,
    share: float,
    day: datetime | None,
    form: str,
    lang: str,
    out: Path | None,
    model: Path | None,
) -> None:
    """Say how many stones, and how many reference parcels, it takes to find a share of undeclared goods."""
    from kpfootprint.planning.answers import plan_answer

    release = open_release(model)
    question = {"declared": [dict(item) for item in declared], "against": against, "share": share}
    _show(plan_answer(question, release, (day or now()).date()), release, form, lang, out)


@click.command()
@click.argument("zone")
@on_option
@form_option
@lang_option
@out_option
@model_option
def adequacy(zone: str, day: datetime | None, form: str, lang: str, out: Path | None, model: Path | None) -> None:
    """Say whether the references of ZONE are enough, and which parcels to collect next."""
    from kpfootprint.planning.answers import adequacy_answer

    release = open_release(model)
    _show(adequacy_answer(zone, release, (day or now()).date()), release, form, lang, out)


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@form_option
@lang_option
@out_option
@model_option
def pool(submission: Path, form: str, lang: str, out: Path | None, model: Path | None) -> None:
    """Weigh all parcels of SUBMISSION as one claim.

    They are not poured together and their likelihood ratios are not multiplied: what they share is modelled.
    """
    from kpfootprint.errors import IngestError
    from kpfootprint.planning.answers import pool_answer

    release = open_release(model)
    read = read_submission(submission, release)
    problems = [problem for failure in read.failures for problem in failure.problems]
    if problems:
        raise IngestError(problems)
    _show(pool_answer(read.batch, release, now().date()), release, form, lang, out)


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
@form_option
@lang_option
@out_option
@model_option
def drift(
    exporter: str | None, zone: str | None, per_points: int, form: str, lang: str, out: Path | None, model: Path | None
) -> None:
    """Say what changes from shipment to shipment of an exporter or a zone, from the register."""
    if exporter is None and zone is None:
        raise click.UsageError("name --exporter, --zone or both")
    from kpfootprint.report.planned import answer_text
    from service.work.drift import drifted
    from service.work.place import Workplace

    given = settings()
    work = Workplace(given.model_copy(update={"model": model or given.model}))
    work.open()
    try:
        said = "en" if form == "json" else lang
        answer = drifted(work, exporter=exporter, zone=zone, per_shipments=per_points, lang=said)
        zones = {item.zone_id: item.name for item in work.release().zone_table.zones}
    finally:
        work.close()
    text = (
        json.dumps(answer, ensure_ascii=False, indent=1) + "\n" if form == "json" else answer_text(answer, zones, lang)
    )
    with writing(out) as stream:
        stream.write(text.encode())


def _show(answer: dict[str, Any], release: Release, form: str, lang: str, out: Path | None) -> None:
    from kpfootprint.report.planned import answer_text, worded

    zones = {zone.zone_id: zone.name for zone in release.zone_table.zones}
    if form == "json":
        text = json.dumps(worded(answer, zones), ensure_ascii=False, indent=1) + "\n"
    else:
        text = answer_text(worded(answer, zones, lang), zones, lang)
    with writing(out) as stream:
        stream.write(text.encode())
