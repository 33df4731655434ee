"""From an upload, pasted rows or an example to a parcel. The name of an upload is looked at, never used as a path."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest import ingest_file, ingest_json
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from kpfootprint.strict_json import NotJson, read_json
from service.pages.examples import Example

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".xlsx", ".zip", ".json")
ID_LENGTH = 80


def parcel_of_file(release: Release, *, upload: BinaryIO, name: str, parcel: dict[str, Any]) -> Parcel:
    """Read an uploaded file; the fields of the form go before what the file says."""
    own = name.replace("\\", "/").rpartition("/")[2]
    ending = max((item for item in ENDINGS if own.lower().endswith(item)), key=len, default=None)
    if ending is None:
        reason = f"files of this kind cannot be read; give {', '.join(ENDINGS)}"
        raise IngestError([Problem(table="file", value=own[:ID_LENGTH], code="unknown_file_kind", reason=reason)])
    if ending == ".json":
        return _parcel_of_json(release, upload.read(), parcel)
    stem = "".join(c for c in own[: -len(ending)] if c.isprintable()).strip()[:ID_LENGTH] or "parcel"
    with tempfile.TemporaryDirectory(prefix="kpf-") as folder:
        path = Path(folder) / f"upload{ending}"
        with path.open("wb") as copy:
            shutil.copyfileobj(upload, copy, 1 << 20)
        return _parcel_at(path, release, {"parcel_id": stem} | parcel if ending not in {".xlsx", ".zip"} else parcel)


def parcel_of_text(release: Release, *, text: str, parcel: dict[str, Any]) -> Parcel:
    """Read pasted rows, from a spreadsheet or a CSV file, or a pasted JSON parcel."""
    if text.lstrip().startswith("{"):
        return _parcel_of_json(release, text.encode(), parcel)
    with tempfile.TemporaryDirectory(prefix="kpf-") as folder:
        path = Path(folder) / "pasted.csv"
        path.write_text(text, encoding="utf-8")
        return _parcel_at(path, release, parcel)


def parcel_of_example(release: Release, *, example: Example) -> Parcel:
    """Read an example that came with the package."""
    return _parcel_at(example.path(), release, dict(example.parcel))


def _parcel_at(path: Path, release: Release, parcel: dict[str, Any]) -> Parcel:
    return ingest_file(path, release.scheme, release.zone_table, parcel=parcel)


def _parcel_of_json(release: Release, text: bytes, parcel: dict[str, Any]) -> Parcel:
    try:
        document = read_json(text)
    except NotJson as error:
        raise IngestError([Problem(table="parcel", code="not_json", reason=f"this is not JSON: {error}")]) from None
    if isinstance(document, dict):
        document = document | parcel
    return ingest_json(document, release.scheme, release.zone_table)
