"""``kpfootprint compare`` and ``verify``: one parcel in, its report out; a sealed report made again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.cli.fields import as_parcel, parcel_options
from kpfootprint.cli.output import out_option, refuse_terminal, writing
from kpfootprint.cli.reading import read_parcel
from kpfootprint.cli.surroundings import lang_option, model_option, now, release_folder

if TYPE_CHECKING:
    from kpfootprint.report import Report

FORMATS = ("text", "json", "html", "pdf", "dossier")


@click.command()
@click.argument("stones", type=click.Path(exists=True, path_type=Path))
@parcel_options
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Form of the report."
)
@lang_option
@out_option
@model_option
def compare(stones: Path, form: str, lang: str, out: Path | None, model: Path | None, **fields: Any) -> None:
    """Compare a parcel with what was declared.

    STONES is one table of stones or counts (CSV, CSV.GZ, XLSX), a JSON parcel, or a submission that holds one parcel.
    Without --declare the report says what the parcel resembles, and nothing more.
    """
    if form in {"pdf", "dossier"}:
        refuse_terminal({"pdf": "PDF", "dossier": "dossier"}[form], out)
    from kpfootprint.flow import examine
    from kpfootprint.parcel import Batch
    from kpfootprint.release import load_release

    folder = release_folder(model)
    release = load_release(folder)
    parcel = read_parcel(stones, release, as_parcel(fields))
    created_at = now()
    (report,) = examine(Batch((parcel,)), release, status_on=created_at.date(), created_at=created_at)
    rendered = _sealed(report, parcel, folder) if form == "dossier" else _rendered(report, form, lang)
    with writing(out) as stream:
        stream.write(rendered)


def _rendered(report: Report, form: str, lang: str) -> bytes:
    from kpfootprint import report as forms

    match form:
        case "json":
            return (report.to_json() + "\n").encode()
        case "pdf":
            return forms.render_pdf(report, lang)
        case "html":
            return forms.render_html(report, lang).encode()
        case _:
            return forms.render_text(report, lang).encode()
