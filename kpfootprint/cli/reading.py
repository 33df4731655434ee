"""From a path on the command line to parcels: a sheet, a JSON parcel, or a whole submission, and how it was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.surroundings import told

if TYPE_CHECKING:
    from kpfootprint.ingest import Choices, Reading
    from kpfootprint.parcel import Batch, Parcel
    from kpfootprint.planning.sorters import Sorting
    from kpfootprint.release import Release


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
    """Read a sorter's sheet of a parcel, or each party's valuation where one sheet has several."""
    from kpfootprint.errors import IngestError
    from kpfootprint.planning.sorters import Sorting

    name = path.name.split(".")[0]
    try:
        parcel = read_parcel(path, release, given, choices)
    except IngestError as error:
        asked = [problem for problem in error.problems if problem.code == "which_valuation"]
        if not asked or len(asked) < len(error.problems):
            raise
        parties = dict.fromkeys(party for _, party in asked[0].values["choices"])
        each = {party: read_parcel(path, release, given, {**choices, "valuation": party}) for party in parties}
        return [Sorting(goods=parcel.parcel_id, sorter=party, parcel=parcel) for party, parcel in each.items()]
    return [Sorting(goods=parcel.parcel_id, sorter=parcel.conditions.sorter or name, parcel=parcel)]


def receipt_lines(parcel: Parcel) -> Iterator[str]:
    """Yield how a parcel was read: stones, carats, classes, and whatever was left out or passed over."""
    read: dict[str, Any] = dict(parcel.read_as or {})
    counted = f"{read['n_stones']} stones" if read["n_stones"] else "stones not counted"
    weighed = "not weighed" if read["carats"] is None else f"{read['carats']:.2f} ct"
    mean = "" if read["mean_ct"] is None else f", {read['mean_ct']:.2f} ct a stone"
    largest = "" if read["largest_ct"] is None else f", the largest {read['largest_ct']:g} ct"
    yield f"{parcel.parcel_id}: {counted}, {weighed}{mean}{largest}"
    for name, classes in read["classes"].items():
        if classes:
            yield f"  {name}: " + ", ".join(f"{label} ({count})" for label, count in classes.items())
    if read["header_rows"] not in ([], [1]):
        yield "  header in row " + " and ".join(map(str, read["header_rows"]))
    for item in read["left_out"]:
        yield f"  left out: {item['table']}, row {item['row']}: {item['text']}"
    if read["passed_over"]:
        yield "  passed over: " + ", ".join(read["passed_over"])
    if read["hidden"]:
        yield "  hidden, and read all the same: " + ", ".join(read["hidden"])
    for item in read["notes"]:
        yield f"  {item['text']}"
    zones = [(item.zone_id, item.carats, item.percent) for item in parcel.declarations]
    for name, carats, percent in (*zones, *((item.country, item.carats, item.percent) for item in parcel.countries)):
        amount = "" if carats is None else f" {carats:g} ct"
        yield f"  declared: {name}{amount}" + ("" if percent is None else f" {percent:g}%")
