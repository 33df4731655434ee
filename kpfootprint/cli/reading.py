"""From a path on the command line to parcels: a table, a JSON parcel, or a whole submission."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpfootprint.errors import IngestError, Problem

if TYPE_CHECKING:
    from kpfootprint.ingest import Submission
    from kpfootprint.parcel import Parcel
    from kpfootprint.release import Release


def read_submission(path: Path, release: Release) -> Submission:
    """Read every parcel of a submission; bad parcels stand in its failures."""
    from kpfootprint.ingest import ingest_submission

    return ingest_submission(path, release.scheme, release.zone_table)


def read_parcel(path: Path, release: Release, fields: dict[str, Any]) -> Parcel:
    """Read the one parcel that a path holds.

    A folder, an archive or a workbook of several sheets is a submission: its one parcel is taken, or the one that
    ``--parcel-id`` names. Everything else is one table of stones or counts, which `fields` complete.
    """
    from kpfootprint.ingest import ingest_file, ingest_json

    if path.suffix.lower() == ".json":
        return ingest_json(_document(path) | fields, release.scheme, release.zone_table)
    if not _is_submission(path):
        given = {"parcel_id": path.name.split(".")[0]} | fields
        return ingest_file(path, release.scheme, release.zone_table, parcel=given)
    others = sorted(set(fields) - {"parcel_id"})
    if others:
        raise click.UsageError(f"{path} is a submission with its own declarations and conditions: leave options out")
    return _chosen(read_submission(path, release), fields.get("parcel_id"))


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise IngestError([Problem(table=path.name, code="not_json", reason=f"this is not JSON: {error}")]) from None
    if not isinstance(document, dict):
        raise IngestError([Problem(table=path.name, code="not_json", reason="a JSON parcel is an object")])
    return document


def _is_submission(path: Path) -> bool:
    if path.is_dir() or path.suffix.lower() == ".zip":
        return True
    if path.suffix.lower() != ".xlsx":
        return False
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as workbook:
            return sum(name.startswith("xl/worksheets/sheet") for name in workbook.namelist()) > 1
    except (BadZipFile, OSError):
        return False  # the reader of tables says what is wrong with it


def _chosen(submission: Submission, parcel_id: str | None) -> Parcel:
    names = [parcel_id] if parcel_id is not None else list(submission.order)
    if len(names) != 1:
        raise click.UsageError(f"the submission holds {len(names)} parcels: pick one with --parcel-id, or use batch")
    for failure in submission.failures:
        if failure.parcel_id == names[0]:
            raise IngestError(failure.problems)
    found = next((parcel for parcel in submission.batch if parcel.parcel_id == names[0]), None)
    if found is None:
        raise click.UsageError(f"the submission holds no parcel {names[0]!r}; it holds {', '.join(submission.order)}")
    return found
