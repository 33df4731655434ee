"""The options that say what a parcel's own row and its bordereau would say."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import Any

import click

from kpfootprint.cli.output import Command
from kpfootprint.cli.surroundings import told


class Day(click.ParamType[date]):
    """A day, as ``2025-03-31``."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day."""
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()
        except ValueError:
            self.fail(told("{value} is no day as 2025-03-31", value=repr(str(value))), param, ctx)


class Declared(click.ParamType[dict[str, Any]]):
    """``ZONE``, ``ZONE=CARATS`` or ``ZONE=60%``; ``country:CF`` in the place of a zone is a country."""

    name = "ZONE[=CARATS|=SHARE%]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Return a declaration in the JSON parcel's shape."""
        from kpfootprint.ingest import declaration_given

        found = declaration_given(str(value))
        if isinstance(found.get("percent", found.get("carats")), str):
            wrong = told(
                "{amount} in {value} is not a number of carats, or two; write for example berberati=152.8, or "
                "berberati=60%",
                amount=repr(str(value).rpartition("=")[2].strip()),
                value=repr(value),
            )
            self.fail(wrong, param, ctx)
        return found


OPTIONS = (
    click.option("--parcel-id", metavar="ID", help="Name of the parcel; the file's name without its ending otherwise."),
    click.option(
        "--declare",
        "declarations",
        type=Declared(),
        multiple=True,
        metavar="ZONE[=CARATS|=SHARE%]",
        help="A declared zone; repeat it, with carats or percent, for a blend. country:CF declares a country.",
    ),
    click.option(
        "--exported-on",
        type=Day(),
        metavar="DATE",
        help="Day of export, as 2025-03-31: the day whose zone status counts.",
    ),
    click.option("--cleaning-state", metavar="STATE", help="unwashed, acid_rinsed or deep_boiled."),
    click.option("--selection", metavar="SELECTION", help="run_of_mine or buyer_sorted."),
    click.option(
        "--sorter", metavar="NAME", help="Who judged colour and morphology, as the reference names them: S1, S2, ..."
    ),
    click.option(
        "--bottom-screen-mm", type=float, metavar="MM", help="Aperture of the screen that small stones fell through."
    ),
    click.option("--specials-removed", type=bool, metavar="yes|no", help="Whether the largest stones were taken out."),
    click.option("--sieve-set", metavar="NAME", help="Sieve set whose classes a sorting sheet uses."),
)


def parcel_options(command: Command) -> Command:
    """Add every option of this room, shown in the order above."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def as_parcel(options: dict[str, Any]) -> dict[str, Any]:
    """Return the given options in the JSON parcel's shape, without those that were left out."""
    from kpfootprint.parcel import Conditions

    conditions = {item.name: options[item.name] for item in fields(Conditions)}
    day: date | None = options["exported_on"]
    parcel: dict[str, Any] = {
        "parcel_id": options["parcel_id"],
        "exported_on": None if day is None else day.isoformat(),
        "declarations": list(options["declarations"]),
        "conditions": {name: value for name, value in conditions.items() if value is not None},
    }
    return {name: value for name, value in parcel.items() if value}
