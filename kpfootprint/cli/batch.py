"""``kpfootprint batch`` and ``validate``: a whole submission, one line a parcel, or all that is wrong with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.output import form_option, out_option, say, tell, writing
from kpfootprint.cli.parallel import lines_of, problem_line
from kpfootprint.cli.reading import choose_option, read_submission, receipt_lines
from kpfootprint.cli.surroundings import lang_option, model_option, now, open_release, told
from kpfootprint.errors import IngestError, Problem
from kpfootprint.visible import csv_line

if TYPE_CHECKING:
    from kpfootprint.ingest import Choices, Reading

SOME_BAD = 3
COLUMNS = (
    *("parcel_id", "conclusion", "log10_lr", "low", "high", "verbal", "typicality_p", "novelty_p"),
    *("declared", "n_stones", "carats", "exported_on", "undeclared_stones", "cautions", "release", "report_id"),
    "problems",
)
"""Of a row a parcel, for a spreadsheet; no cell is taken for a formula."""


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@out_option
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that examine parcels.")
@click.option(
    "--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers examine parcels, as tcp://host:8786."
)
@form_option("jsonl", "csv", default="jsonl", help="Form of the lines.")
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder to write each parcel's report into besides, as a page.",
)
@lang_option
@choose_option
@model_option
def batch(
    submission: Path,
    out: Path | None,
    workers: int,
    scheduler: str | None,
    form: str,
    reports: Path | None,
    lang: str,
    choices: Choices,
    model: Path | None,
) -> int:
    """Examine every parcel of a submission.

    SUBMISSION is a folder, .zip or .xlsx. The result has one report a line, in the order of parcels, or one row a
    parcel for a spreadsheet (--format csv). A bad parcel's line holds its problems instead, and the exit status is
    then 3.
    """
    release = open_release(model)
    read = read_submission(submission, release, choices)
    lines = lines_of(read.parcels, release, now(), workers=workers, scheduler=scheduler)
    hidden = not sys.stderr.isatty()
    with (
        writing(out) as stream,
        click.progressbar(length=len(read.order), label=told("Examining"), file=sys.stderr, hidden=hidden) as bar,
    ):
        n_bad = 0
        if form == "csv":
            stream.write(csv_line(COLUMNS).encode() + b"\r\n")
        for number, (line, good) in enumerate(_in_order(read, lines), start=1):
            stream.write(_row(line).encode() + b"\r\n" if form == "csv" else line.encode() + b"\n")
            if good and reports is not None:
                _write_report(reports, number, line, lang)
            bar.update(1)
            n_bad += not good
    if n_bad:
        tell("Parcels with problems: {bad} of {count}; see their lines.", err=True, bad=n_bad, count=len(read.order))
    return SOME_BAD if n_bad else 0


def _in_order(read: Reading, lines: Iterator[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Yield a line for every parcel of the submission, and whether it is a report or problems."""
    failures = {failure.parcel_id: failure for failure in read.failures}
    for parcel_id in read.order:
        failure = failures.get(parcel_id)
        yield next(lines) if failure is None else (problem_line(parcel_id, failure.problems), False)


def _write_report(folder: Path, number: int, line: str, lang: str) -> None:
    """Write a report as a page, under the parcel's place and what of its name a file can bear."""
    from kpfootprint.report import read_report, render_html

    report = read_report(line)
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in report.content["parcel"]["parcel_id"])[:80]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number:04}-{name}.html").write_text(render_html(report, lang), encoding="utf-8")


def _row(line: str) -> str:
    """Return the row of a parcel from its line of JSON: what its report says first, or what is wrong with it."""
    document = json.loads(line)
    parcel = document["parcel"]
    if "problems" in document:
        names = ("table", "row", "column", "value", "code", "reason")
        problems = (Problem(**{name: item[name] for name in names}) for item in document["problems"])
        cells: dict[str, Any] = {"parcel_id": parcel["parcel_id"], "problems": "; ".join(map(str, problems))}
    else:
        verification = document["verification"] or {}
        fraction = (document["mixture"] or {}).get("undeclared_stone_fraction") or {}
        cells = {
            "parcel_id": parcel["parcel_id"],
            "conclusion": document["conclusion"],
            **{name: verification.get(name) for name in ("log10_lr", "low", "high", "typicality_p")},
            "verbal": (verification.get("verbal") or {}).get("text"),
            "novelty_p": (document["novelty"] or {}).get("p_value"),
            "declared": " ".join(item["zone_id"] for item in parcel["declared"]),
            "n_stones": parcel["n_stones"],
            "carats": parcel["carats"],
            "exported_on": parcel["exported_on"],
            "undeclared_stones": fraction.get("estimate"),
            "cautions": " ".join(item["code"] for item in document["cautions"]),
            "release": document["model"]["release"],
            "report_id": document["report_id"],
        }
    return csv_line([cells.get(name) for name in COLUMNS])


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@choose_option
@model_option
def validate(submission: Path, choices: Choices, model: Path | None) -> None:
    """List all problems of a submission, or say how it was read.

    SUBMISSION is a folder, .zip or workbook, or one sheet alone. Every problem is told at once: table, row, column,
    reason, value. Without any, each parcel is told as it was understood: stones, carats, classes, rows left out,
    columns passed over. Nothing is examined.
    """
    read = read_submission(submission, open_release(model), choices)
    if read.problems:
        raise IngestError(read.problems)
    n_stones = sum(parcel.n_stones for parcel in read.batch)
    n_parcels = len(read.order)
    if n_parcels == 1:
        tell("1 parcel, {stones} stones: no problem found.", stones=n_stones)
    else:
        tell("{parcels} parcels, {stones} stones: no problem found.", parcels=n_parcels, stones=n_stones)
    plain = n_parcels > 1 and all(parcel.read_plainly for parcel in read.batch)
    for parcel in () if plain else read.batch:
        for line in receipt_lines(parcel):
            say(line)
