"""``kpfootprint beside``: several kept reports side by side, on one page."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpfootprint.bounded import read_bounded
from kpfootprint.cli.output import out_option, writing
from kpfootprint.cli.surroundings import lang_option, told
from kpfootprint.errors import ReportError
from kpfootprint.retold import Said
from kpfootprint.strict_json import NotJson, read_json

if TYPE_CHECKING:
    from kpfootprint.report import Report

LARGEST = 256 * 2**20
"""Bytes of a file of reports: some thousands."""


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="REPORT...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@lang_option
@out_option
def beside(files: tuple[Path, ...], lang: str, out: Path | None) -> None:
    """Set reports side by side: several parcels, or one under several declarations, releases or sorters.

    A file holds one report as JSON (compare --format json), a list of them or a report a line (batch); lines with
    problems are left out. The page stands in one HTML file.
    """
    from kpfootprint.report import compare_side_by_side

    reports = [report for file in files for report in reports_of(file)]
    if len(reports) < 2:
        raise click.UsageError(told("two reports or more are needed to stand side by side, got {n}", n=len(reports)))
    try:
        page = compare_side_by_side(reports, lang)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        what = f"{type(error).__name__} {error}".splitlines()[0][:120]
        raise ReportError(
            "one of these reports is not as kpfootprint writes them, and cannot be shown ({what})", what=what
        ) from None
    with writing(out) as stream:
        stream.write(page.encode())


def reports_of(file: Path) -> list[Report]:
    """Return the reports of a file: one JSON document on any number of lines, a list of them, or one a line.

    Raises
    ------
    ReportError
        Where a document is no report, by file and line.
    """
    from kpfootprint.report.report import report_of

    reports = []
    for place, document in _documents(file):
        if isinstance(document, dict) and "problems" in document and "schema_version" not in document:
            continue
        try:
            reports.append(report_of(document))
        except ReportError as error:
            raise ReportError("{place}: {error}", place=place, error=error) from None
    return reports


def _documents(file: Path) -> Iterator[tuple[str, object]]:
    text = _text(file)
    try:
        whole = read_json(text)
    except NotJson as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        if len(lines) < 2 or not lines[0][1].rstrip().endswith("}"):
            raise ReportError("{name}: this is not JSON: {error}", name=file.name, error=error) from None
        for number, line in lines:
            try:
                yield Said("{name}, line {number}", name=file.name, number=str(number)), read_json(line)
            except NotJson as wrong:
                raise ReportError(
                    "{name}, line {number}: this is not JSON: {error}", name=file.name, number=str(number), error=wrong
                ) from None
    else:
        for item in whole if isinstance(whole, list) else [whole]:
            yield file.name, item


def _text(file: Path) -> str:
    with file.open("rb") as stream:
        data = read_bounded(stream, LARGEST, file.name)
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise ReportError("{name}: this is no text in UTF-8 or UTF-16", name=file.name) from None
