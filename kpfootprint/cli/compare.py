"""``kpfootprint compare``: one parcel in, its report out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.fields import as_parcel, parcel_options
from kpfootprint.cli.output import drawn, form_option, out_option, refuse_terminal, writing
from kpfootprint.cli.reading import choose_option, read_parcel
from kpfootprint.cli.surroundings import lang_option, model_option, now, open_release, settings

if TYPE_CHECKING:
    from kpfootprint.ingest import Choices
    from kpfootprint.parcel import Parcel
    from kpfootprint.release import Release
    from kpfootprint.report import Report


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
