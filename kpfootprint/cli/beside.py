"""``kpfootprint beside``: several kept reports side by side, on one page."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kpfootprint.cli.output import out_option, writing


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="REPORT...", type=click.Path(exists=True, path_type=Path))
@click.option("--lang", default="en", metavar="en|fr", help="Language of texts; English otherwise.")
@out_option
def beside(files: tuple[Path, ...], lang: str, out: Path | None) -> None:
    """Set reports side by side: several parcels, or one under several declarations, releases or sorters.

    A file holds one report as JSON (compare --format json) or a report a line (batch); lines with problems are left
    out. The page stands in one HTML file.
    """
    from kpfootprint.report import compare_side_by_side, read_report

    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    reports = [read_report(line) for line in lines if "problems" not in json.loads(line)]
    if len(reports) < 2:
        raise click.UsageError(f"two reports or more are needed to stand side by side, got {len(reports)}")
    with writing(out) as stream:
        stream.write(compare_side_by_side(reports, lang).encode())
