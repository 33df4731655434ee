"""From a path on the command line to parcels: a table, a JSON parcel, or a whole submission."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpfootprint.errors import IngestError, Problem
from kpfootprint.strict_json import NotJson, read_json

if TYPE_CHECKING:
    from kpfootprint.ingest import Submission
    from kpfootprint.parcel import Parcel
    from kpfootprint.release import Release


def read_submission(path: Path, release: Release) -> Submission:
    """Read every parcel of a submission; bad parcels stand in its failures."""
    from kpfootprint.ingest import ingest_submission

    return ingest_submission(path, release.scheme, release.zone_table)


def read_parcel(path: Path, release: Release, given: dict[str, Any]) -> Parcel:
    """Read the one parcel that a path holds; what the command line says goes before what the file says."""
    from kpfootprint.ingest import ingest_file, ingest_json

    if path.suffix.lower() == ".json":
        return ingest_json(_document(path, given), release.scheme, release.zone_table)
    return ingest_file(path, release.scheme, release.zone_table, parcel=given)


def _document(path: Path, given: dict[str, Any]) -> object:
    try:
        document = read_json(path.read_bytes())
    except NotJson as error:
        raise IngestError([Problem(table=path.name, code="not_json", reason=f"this is not JSON: {error}")]) from None
    if not isinstance(document, dict):
        return document
    whole = {"parcel_id": path.stem} | document | given
    own = document.get("conditions")
    if isinstance(own, dict) and "conditions" in given:
        whole["conditions"] = own | given["conditions"]
    return whole
