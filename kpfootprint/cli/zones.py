"""``kpfootprint zones``: the zones that can be declared, and how each stood on a day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from kpfootprint.cli.output import say
from kpfootprint.cli.surroundings import model_option, now, open_release, told

HEAD = ("zone_id", "name", "country", "region", "status")


@click.command()
@click.option(
    "--on",
    "day",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="DATE",
    help="Day whose status is shown, as 2025-03-31; today (UTC) otherwise.",
)
@model_option
def zones(day: datetime | None, model: Path | None) -> None:
    """List the zones and their status on a day."""
    on = (day or now()).date()
    table = open_release(model).zone_table
    rows = [(z.zone_id, z.name, z.country, z.region, table.status_on(z.zone_id, on)) for z in table.zones]
    widths = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    for row in (HEAD, *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    say(told("Status on {day}.", day=on.isoformat()), err=True)
