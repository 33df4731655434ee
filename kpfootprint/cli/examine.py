"""``kpfootprint compare``, ``batch`` and ``validate``: parcels in, their reports out, or all that is wrong."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.output import drawn, form_option, out_option, refuse_terminal, say, tell, writing
from kpfootprint.cli.reading import (
    as_parcel,
    choose_option,
    parcel_options,
    read_parcel,
    read_submission,
    receipt_lines,
)
from kpfootprint.cli.surroundings import lang_option, model_option, now, open_release, problem_told, settings, told
from kpfootprint.errors import IngestError, NotExamined
from kpfootprint.visible import csv_line

if TYPE_CHECKING:
    from kpfootprint.ingest import Choices, ParcelFailure
    from kpfootprint.parcel import Parcel
    from kpfootprint.release import Release
    from kpfootprint.report import Report

CHUNK = 32
"""Parcels examined together. It does not depend on the number of workers, so neither do the bytes."""
SOME_BAD = 3
COLUMNS = (
    *("parcel_id", "conclusion", "log10_lr", "low", "high", "verbal", "typicality_p", "novelty_p"),
    *("declared", "n_stones", "carats", "exported_on", "undeclared_stones", "cautions", "release", "report_id"),
    "problems",
)
"""Of a row a parcel, for a spreadsheet; no cell is taken for a formula."""


@click.command()
@click.argument("stones", type=click.Path(exists=True, path_type=Path))
@parcel_options
@form_option("text", "json", "html", "pdf", "dossier", help="Form of the report.")
@choose_option
@lang_option
@out_option
@model_option
def compare(
    stones: Path, form: str, choices: Choices, lang: str, out: Path | None, model: Path | None, **given: Any
) -> None:
    """Compare a parcel with what was declared.

    STONES is one sheet of stones or counts (CSV, CSV.GZ, XLSX, ODS, XLS), a JSON parcel, or a submission with one
    parcel in it (or the one that --parcel-id names). Options go before what the file says. Without any declaration the
    report says what the parcel resembles, and nothing more. A sheet that can be read in two ways is refused with both;
    --choose says which is meant.
    """
    if form in {"pdf", "dossier"}:
        refuse_terminal({"pdf": "PDF", "dossier": "dossier"}[form], out)
    from kpfootprint.flow import examine
    from kpfootprint.parcel import Batch

    release = open_release(model)
    parcel = read_parcel(stones, release, as_parcel(given), choices)
    created_at = now()
    (report,) = examine(Batch((parcel,)), release, status_on=created_at.date(), created_at=created_at)
    rendered = _sealed(report, parcel, release) if form == "dossier" else _rendered(report, form, lang)
    with writing(out) as stream:
        stream.write(rendered)


def _rendered(report: Report, form: str, lang: str) -> bytes:
    from kpfootprint.report.whole import lay_out

    if form == "json":
        return (report.to_json() + "\n").encode()
    return drawn(lay_out(report, lang, None if form == "text" else settings().stationery), form)


def _sealed(report: Report, parcel: Parcel, release: Release) -> bytes:
    from kpfootprint.ingest import parcel_to_json
    from kpfootprint.report.dossier import write_dossier

    return write_dossier(report, parcel=parcel_to_json(parcel, release.scheme, sealed=True), card=release.card)


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@out_option
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes that examine parcels, without --scheduler.",
)
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
    from kpfootprint.report import Report

    release = open_release(model)
    read = read_submission(submission, release, choices)
    failures = {failure.parcel_id: failure for failure in read.failures}
    outcomes = examined(read.parcels, release, now(), workers=workers, scheduler=scheduler)
    hidden = not sys.stderr.isatty()
    with (
        writing(out) as stream,
        click.progressbar(length=len(read.order), label=told("Examining"), file=sys.stderr, hidden=hidden) as bar,
    ):
        n_bad = 0
        if form == "csv":
            stream.write(csv_line(COLUMNS).encode() + b"\r\n")
        for number, parcel_id in enumerate(read.order, start=1):
            found = failures.get(parcel_id) or next(outcomes)
            stream.write(f"{_row(found, lang)}\r\n".encode() if form == "csv" else f"{_line(found)}\n".encode())
            if not isinstance(found, Report):
                n_bad += 1
            elif reports is not None:
                _write_report(reports, number, found, lang)
            bar.update(1)
    if n_bad:
        tell("Parcels with problems: {bad} of {count}; see their lines.", err=True, bad=n_bad, count=len(read.order))
    return SOME_BAD if n_bad else 0


def _write_report(folder: Path, number: int, report: Report, lang: str) -> None:
    """Write a report as the page that `compare` makes, named by its place and what of its name a file can bear."""
    parcel_id = report.part("parcel")["parcel"]["parcel_id"]
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in parcel_id)[:80]
    folder.mkdir(parents=True, exist_ok=True)
    with writing(folder / f"{number:04}-{name}.html") as stream:
        stream.write(_rendered(report, "html", lang))


def _line(found: Report | NotExamined | ParcelFailure) -> str:
    """Return the line of a parcel: its report, or what is wrong with it, as JSON."""
    from kpfootprint.report import Report

    if isinstance(found, Report):
        return found.to_json()
    problems = [problem.as_dict() for problem in found.problems]
    document = {"parcel": {"parcel_id": found.parcel_id}, "problems": problems}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _row(found: Report | NotExamined | ParcelFailure, lang: str) -> str:
    """Return the row of a parcel: what its report says first, or what is wrong with it, texts in a language."""
    from kpfootprint.report import Report
    from kpfootprint.report.sentences import speaker

    if isinstance(found, Report):
        document = found.content
        parcel, verification = document["parcel"], document["verification"] or {}
        fraction = (document["mixture"] or {}).get("undeclared_stone_fraction") or {}
        cells: dict[str, Any] = {
            **{name: parcel[name] for name in ("parcel_id", "n_stones", "carats", "exported_on")},
            **{name: verification.get(name) for name in ("log10_lr", "low", "high", "typicality_p")},
            **{name: document[name] for name in ("conclusion", "report_id")},
            "verbal": speaker(found, lang).say(verification["verbal"]) if verification.get("verbal") else None,
            "novelty_p": (document["novelty"] or {}).get("p_value"),
            "declared": " ".join(item["zone_id"] for item in parcel["declared"]),
            "undeclared_stones": fraction.get("estimate"),
            "cautions": " ".join(item["code"] for item in document["cautions"]),
            "release": document["model"]["release"],
        }
    else:
        told_of = "; ".join(problem_told(problem, lang) for problem in found.problems)
        cells = {"parcel_id": found.parcel_id, "problems": told_of}
    return csv_line([cells.get(name) for name in COLUMNS])


def examined(
    parcels: Sequence[Parcel], release: Release, created_at: datetime, *, workers: int, scheduler: str | None
) -> Iterator[Report | NotExamined]:
    """Yield what comes of each parcel, in order: examined a chunk at a time, only a few chunks being under way.

    They are examined here, over processes of this machine, or over a Dask cluster.
    """
    from kpfootprint.flow import examine_each
    from kpfootprint.parcel import Batch

    when: dict[str, Any] = {"status_on": created_at.date(), "created_at": created_at}
    batches = (Batch(tuple(parcels[start : start + CHUNK])) for start in range(0, len(parcels), CHUNK))
    if scheduler is None and workers == 1:
        for chunk in batches:
            yield from examine_each(chunk, release, **when)
        return
    with ExitStack() as stack:
        submit, there, at_once = (
            _processes(stack, workers, release) if scheduler is None else _dask(stack, scheduler, release)
        )
        under_way: deque[Any] = deque()
        for chunk in batches:
            under_way.append(submit(examine_each, chunk, there, **when))
            if len(under_way) >= at_once:
                yield from _found(under_way.popleft())
        while under_way:
            yield from _found(under_way.popleft())


def _found(future: Any) -> tuple[Report | NotExamined, ...]:
    from concurrent.futures import BrokenExecutor

    try:
        found: tuple[Report | NotExamined, ...] = future.result()
    except BrokenExecutor:
        raise click.ClickException(
            told("a worker process died, for want of memory perhaps; nothing was written")
        ) from None
    return found


def _processes(stack: ExitStack, workers: int, release: Release) -> tuple[Callable[..., Any], Any, int]:
    """Return how work is given to processes here, the release as they are given it, and how much of it at once."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    pool = stack.enter_context(ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")))
    stack.callback(pool.shutdown, cancel_futures=True)
    return pool.submit, release, 2 * workers


def _dask(stack: ExitStack, scheduler: str, release: Release) -> tuple[Callable[..., Any], Any, int]:
    """Return the same of a cluster."""
    from kpfootprint.cluster import connected, shared

    client = stack.enter_context(connected(scheduler))
    there = shared(client, release)
    return partial(client.submit, pure=False), there, 2 * max(1, sum(client.nthreads().values()))


@click.command()
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@choose_option
@model_option
def validate(submission: Path, choices: Choices, model: Path | None) -> None:
    """List all problems of a submission, or say how it was read.

    SUBMISSION is a folder, .zip or workbook, or one sheet alone. Every problem is told at once: table, row, column,
    reason, value. Without any, each parcel is told as it was understood: stones, carats, classes, rows left out,
    columns passed over, declaration, conditions; of several parcels where something in one of them asks to be looked
    at. Nothing is examined.
    """
    read = read_submission(submission, open_release(model), choices)
    if read.problems:
        raise IngestError(read.problems)
    n_stones, n_parcels = [parcel.n_stones for parcel in read.batch], len(read.order)
    if n_parcels == 1:
        tell("1 parcel: no problem found.")
    elif all(n_stones):
        tell("{parcels} parcels, {stones} stones: no problem found.", parcels=n_parcels, stones=sum(n_stones))
    else:
        tell("{parcels} parcels, not all of them counted: no problem found.", parcels=n_parcels)
    plain = n_parcels > 1 and all(parcel.read_plainly for parcel in read.batch)
    for parcel in () if plain else read.batch:
        for line in receipt_lines(parcel):
            say(line)
