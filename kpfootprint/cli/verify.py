"""``kpfootprint verify``: a sealed report made again from its input, without a network."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpfootprint.cli.output import say, tell
from kpfootprint.cli.surroundings import home, model_option, release_folder, retold, told
from kpfootprint.errors import ReleaseError

if TYPE_CHECKING:
    from kpfootprint.report import Remade
    from kpfootprint.report.dossier import DossierInput

DIFFERENT = 1


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
        "Not the same: {count} differences from {report}.",
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
