"""``kpfootprint verify``: a sealed report made again from its input, without a network."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpfootprint.cli.surroundings import home, model_option, release_folder

if TYPE_CHECKING:
    from kpfootprint.report import Report
    from kpfootprint.report.dossier import DossierInput

DIFFERENT = 1


@click.command()
@click.argument("dossier", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@model_option
def verify(dossier: Path, model: Path | None) -> int:
    """Make a sealed report again.

    DOSSIER is what compare --format dossier wrote. Its report is made again from its input, and what comes out is
    compared with it: exit status 0 where it is the same, 1 where it is not.
    """
    from kpfootprint.report.dossier import verify_dossier

    check = verify_dossier(dossier, lambda sealed: _made_again(sealed, model))
    if check.same:
        click.echo(f"Same: the report made again is {check.report_id}, byte for byte.")
        return 0
    click.echo(f"Not the same: {len(check.differences)} differences from {check.report_id}.", err=True)
    for difference in check.differences:
        click.echo(difference, err=True)
    return DIFFERENT


def _made_again(sealed: DossierInput, model: Path | None) -> Report:
    from kpfootprint.flow import examine
    from kpfootprint.ingest import ingest_json
    from kpfootprint.parcel import Batch
    from kpfootprint.release import load_release

    release = load_release(model or _folder_of(sealed))
    parcel = ingest_json(sealed.parcel, release.scheme, release.zone_table)
    (report,) = examine(Batch((parcel,)), release, status_on=sealed.status_on, created_at=sealed.created_at)
    return report


def _folder_of(sealed: DossierInput) -> Path:
    """Return the folder of the very release that the report was made with, or of the active one with a word."""
    from service.register.activations import release_folders

    for folder in release_folders(home()).values():
        if sha256((folder / "manifest.json").read_bytes()).hexdigest() == sealed.manifest_sha256:
            return folder
    active = release_folder(None)
    click.echo(f"Release {sealed.release} of the dossier is not here; {active} is used instead.", err=True)
    return active
