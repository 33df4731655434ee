"""From the command line to parcels: what options say of one, and what a path holds, and how that was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.output import Command
from kpfootprint.cli.surroundings import OPENED, asked_language, told

if TYPE_CHECKING:
    from kpfootprint.ingest import Choices, Reading
    from kpfootprint.parcel import Batch, Parcel
    from kpfootprint.planning.sorters import Sorting
    from kpfootprint.release import Release
    from kpfootprint.report.locale import Words


def day_given(_context: click.Context, _parameter: click.Parameter, value: str | None) -> date | None:
    """Return a day; one without its noughts, ``2025-3-1``, is refused here as in sheets and over HTTP."""
    from kpfootprint.plain import day_in

    try:
        return None if value is None else day_in(value)
    except ValueError:
        raise click.BadParameter(told("{value} is no day as 2025-03-31", value=repr(value))) from None


def zones_given(_context: click.Context, _parameter: click.Parameter, said: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return declarations in the JSON parcel's shape; ``country:CF`` in the place of a zone is a country."""
    from kpfootprint.ingest import declaration_given

    found = [declaration_given(value) for value in said]
    for value, item in zip(said, found, strict=True):
        if isinstance(item.get("percent", item.get("carats")), str):
            wrong = told(
                "{amount} in {value} is not a number of carats, or two; write for example berberati=152.8, or "
                "berberati=60%",
                amount=repr(value.rpartition("=")[2].strip()),
                value=repr(value),
            )
            raise click.BadParameter(wrong)
    return found


def share_given(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    """Return a share above 0 and up to 1: ``0.2``, ``0,2`` or ``20%``."""
    from kpfootprint.ingest import number_given

    text = value.strip()
    found = number_given(text.removesuffix("%"))
    share = found if isinstance(found, str) else found / (100.0 if text.endswith("%") else 1.0)
    if isinstance(share, str) or not 0 < share <= 1:
        raise click.BadParameter(told("{value} is no share above 0 and up to 1; write 0.2 or 20%", value=repr(text)))
    return share


def _condition(_: click.Context, param: click.Parameter, value: str | None) -> float | str | None:
    """Return a condition in the JSON parcel's shape; the reader of parcels says what is wrong with it."""
    from kpfootprint.ingest import condition_given

    return None if value is None else condition_given(str(param.name), value)


OPTIONS = (
    click.option("--parcel-id", metavar="ID", help="Name of the parcel; the file's name without its ending otherwise."),
    click.option(
        "--declare",
        "declarations",
        callback=zones_given,
        multiple=True,
        metavar="ZONE[=CARATS|=SHARE%]",
        help="A declared zone; repeat it, with carats or percent, for a blend. country:CF declares a country.",
    ),
    click.option(
        "--exported-on",
        callback=day_given,
        metavar="DATE",
        help="Day of export, as 2025-03-31: the day whose zone status counts.",
    ),
    click.option("--cleaning-state", metavar="STATE", help="unwashed, acid_rinsed or deep_boiled."),
    click.option("--selection", metavar="SELECTION", help="run_of_mine or buyer_sorted."),
    click.option(
        "--sorter", metavar="NAME", help="Who judged colour and morphology, as the reference names them: S1, S2, ..."
    ),
    click.option(
        "--bottom-screen-mm",
        callback=_condition,
        metavar="MM",
        help="Aperture of the screen that small stones fell through.",
    ),
    click.option(
        "--specials-removed", callback=_condition, metavar="yes|no", help="Whether the largest stones were taken out."
    ),
    click.option("--sieve-set", metavar="NAME", help="Sieve set whose classes a sorting sheet uses."),
)


def parcel_options(command: Command) -> Command:
    """Add the options that say what a parcel's own row and its bordereau would say, in the order above."""
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


def _choices(_context: click.Context, _parameter: click.Parameter, said: tuple[str, ...]) -> Choices:
    found: dict[str, str] = {}
    for text in said:
        if text.lower().endswith(".csv") and Path(text).is_file():
            from kpfootprint.ingest import Upload, words_of

            found |= words_of(Upload(Path(text).name, Path(text).read_bytes()))
            continue
        question, equals, answer = text.rpartition("=")
        if not equals or not question.strip() or not answer.strip():
            raise click.BadParameter(told("{text} is no QUESTION=ANSWER; write for example lots=one", text=repr(text)))
        found[question.strip()] = answer.strip()
    return found


choose_option = click.option(
    "--choose",
    "choices",
    multiple=True,
    metavar="QUESTION=ANSWER|FILE",
    callback=_choices,
    help="What is meant where a sheet can be read in two ways, as a problem tells: valuation=ministry, lots=one, "
    "column:Grade=ignore, colour:wht=colourless; or a CSV file with the columns attribute, word, class. "
    "May be repeated.",
)


def read_submission(path: Path, release: Release, choices: Choices | None = None) -> Reading:
    """Read every parcel of a submission; bad parcels stand in its failures."""
    from kpfootprint.ingest import ingest_submission

    return ingest_submission(path, release.scheme, release.zone_table, choices=choices)


def read_parcel(path: Path, release: Release, given: dict[str, Any], choices: Choices) -> Parcel:
    """Read the one parcel that a path holds; what the command line says goes before what the file says."""
    from kpfootprint.ingest import ingest_file

    return ingest_file(path, release.scheme, release.zone_table, parcel=given, choices=choices)


def whole_submission(path: Path, release: Release) -> Batch:
    """Read every parcel of a submission; a problem in any of them refuses all."""
    from kpfootprint.errors import IngestError

    read = read_submission(path, release)
    if read.problems:
        raise IngestError(read.problems)
    return read.batch


def read_sortings(path: Path, release: Release, given: dict[str, Any], choices: Choices) -> list[Sorting]:
    """Read a sorter's sheet of a parcel, each party's valuation where a sheet has several, or several sheets."""
    from kpfootprint.errors import IngestError
    from kpfootprint.parcel import Batch
    from kpfootprint.planning.sorters import Sorting, sortings_of

    name, choices = path.name.split(".")[0], {"sheets": "parcels", **choices}
    try:
        parcel = read_parcel(path, release, given, choices)
    except IngestError as error:
        codes, asked = {problem.code for problem in error.problems}, error.problems[0]
        if codes == {"several_parcels"} and not given.get("parcel_id"):
            ids = read_submission(path, release, choices).order
            sheets = [read_parcel(path, release, {**given, "parcel_id": one}, choices) for one in ids]
            return list(sortings_of(Batch(tuple(sheets))))
        if codes != {"which_valuation"}:
            raise
        parties = dict.fromkeys(party for _, party in asked.values["choices"])
        each = {party: read_parcel(path, release, given, {**choices, "valuation": party}) for party in parties}
        return [Sorting(goods=parcel.parcel_id, sorter=party, parcel=parcel) for party, parcel in each.items()]
    return [Sorting(goods=parcel.parcel_id, sorter=parcel.conditions.sorter or name, parcel=parcel)]


def receipt_lines(parcel: Parcel) -> Iterator[str]:
    """Yield how a parcel was read: stones, carats, classes, and whatever was left out or passed over."""
    from kpfootprint.report.locale import words
    from kpfootprint.report.sentences import STONES
    from service.pages.problems import Teller

    lang = asked_language()
    own, teller = words(lang), Teller(lang, OPENED[0].scheme)
    read: dict[str, Any] = dict(parcel.read_as or {})
    counted = [
        own.plural(*STONES, n, n=own.number(n)) if (n := read["n_stones"]) else told("stones not counted"),
        told("not weighed") if read["carats"] is None else f"{own.number(read['carats'], 2)} ct",
    ]
    if read["mean_ct"] is not None:
        counted.append(told("{mean} ct a stone", mean=own.number(read["mean_ct"], 2)))
    if read["largest_ct"] is not None:
        counted.append(told("the largest {largest} ct", largest=own.trimmed(read["largest_ct"], 3)))
    yield f"{parcel.parcel_id}{own.colon}{', '.join(counted)}"
    for title, classes in teller.counted(read):
        yield f"  {title}{own.colon}" + ", ".join(f"{label} ({count})" for label, count in classes)
    if read["header_rows"] not in ([], [1]):
        yield "  " + told("header in row {rows}", rows=own.listing([str(row) for row in read["header_rows"]]))
    for item in read["left_out"]:
        yield "  " + told("left out: {table}, row {row}: {text}", **item | {"text": teller.noted(item)})
    if read["passed_over"]:
        yield "  " + told("passed over: {names}", names=", ".join(read["passed_over"]))
    if read["hidden"]:
        yield "  " + told("hidden, and read all the same: {names}", names=", ".join(read["hidden"]))
    for item in read["notes"]:
        yield f"  {teller.noted(item)}"
    for shown in teller.declared(parcel, {}):
        yield "  " + told("declared: {zone}", zone=shown)
    for name, shown in teller.conditions(parcel):
        yield f"  {name}{own.colon}{shown}"
    yield from _conditions_not_known(parcel, own)


def _conditions_not_known(parcel: Parcel, own: Words) -> Iterator[str]:
    """Yield what a report will say of the conditions that no reference parcel has."""
    from kpfootprint.parcel import FACTORS
    from kpfootprint.report.locale import Names
    from kpfootprint.report.sentences import say

    for factor, known in zip(FACTORS[:-1], OPENED[0].level_names, strict=False):
        value = getattr(parcel.conditions, factor)
        if value is not None and value not in known:
            statement = {"code": "condition_unknown", "values": {"field": factor, "value": value}}
            yield "  " + say(statement, own, Names({}, {}, {}, frozenset()))
