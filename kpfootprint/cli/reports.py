"""``kpfootprint beside`` and ``verify``: kept reports set side by side, and a sealed one made again from its input."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpfootprint.bounded import read_bounded
from kpfootprint.cli.output import out_option, say, tell, writing
from kpfootprint.cli.surroundings import home, lang_option, model_option, release_folder, retold, told
from kpfootprint.errors import ReleaseError, ReportError
from kpfootprint.retold import Said
from kpfootprint.strict_json import NotJson, read_json

if TYPE_CHECKING:
    from kpfootprint.report import Remade, Report
    from kpfootprint.report.dossier import DossierInput

DIFFERENT = 1
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


@click.command()
@click.argument("dossier", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--code", metavar="CODE", help="Short code on a printed report: say whether it is the dossier's.")
@model_option
def verify(dossier: Path, code: str | None, model: Path | None) -> int:
    """Make a sealed report again.

    DOSSIER is what compare --format dossier wrote. Everything in it is made again from its input, with the very
    release that it names, and compared byte for byte: exit status 0 where it is the same, 1 where it is not, 2 where
    it is no dossier or its release is not here. When it was made, and by whom, is not proven by that.
    """
    from kpfootprint.report.dossier import verify_dossier
    from kpfootprint.report.report import is_code_of, short_code

    check = verify_dossier(dossier, lambda sealed: _made_again(sealed, model))
    if code is not None and not is_code_of(code, check.report_id):
        short = short_code(check.report_id)
        tell(
            "Not the same: the code {code} is not that of {report} ({short}).",
            err=True,
            report=check.report_id,
            code=code,
            short=short,
        )
        return DIFFERENT
    if check.same:
        tell(
            "Same: the report made again is {report}, and every file is the same byte for byte.", report=check.report_id
        )
        tell(
            "Not proven: when it was made ({time} is its maker's word), by whom, and whether the stones are those "
            "of the parcel. A register that holds this report proves the time.",
            time=check.created_at,
        )
        return 0
    tell(
        "Not the same; differences from {report}: {count}.",
        err=True,
        report=check.report_id,
        count=len(check.differences),
    )
    for difference in check.differences:
        say(retold(difference), err=True)
    return DIFFERENT


def _made_again(sealed: DossierInput, model: Path | None) -> Remade:
    from kpfootprint.flow import examine
    from kpfootprint.ingest import ingest_json, parcel_to_json
    from kpfootprint.parcel import Batch
    from kpfootprint.release import load_release
    from kpfootprint.report import Remade

    release = load_release(model or _folder_of(sealed))
    parcel = ingest_json(sealed.parcel, release.scheme, release.zone_table, sealed=True)
    (report,) = examine(Batch((parcel,)), release, status_on=sealed.status_on, created_at=sealed.created_at)
    return Remade(report=report, parcel=parcel_to_json(parcel, release.scheme, sealed=True), card=release.card)


def _folder_of(sealed: DossierInput) -> Path:
    """Return the folder of the very release that the report was made with, whether it is active or not."""
    from kpfootprint.release import sha256_of_manifest
    from service.register.activations import release_folders

    folders = [*release_folders(home()).values()]
    with suppress(ReleaseError):  # the active one may be gone, which does not matter where another one is wanted
        folders.insert(0, release_folder(None))
    for folder in folders:
        if sha256_of_manifest(folder) == sealed.manifest_sha256:
            return folder
    raise click.UsageError(
        told(
            "release {release} of the dossier is not here (its manifest has the SHA-256 {sha256}); name its folder "
            "with --model",
            release=repr(sealed.release[:80]),
            sha256=sealed.manifest_sha256[:80],
        )
    )
