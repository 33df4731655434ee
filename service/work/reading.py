"""From an upload, pasted rows, a document or an example to parcels. The name of an upload is never used as a path."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest import Submission, ingest_file, ingest_json, ingest_submission
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz", ".xlsx", ".zip", ".json")
ID_LENGTH = 80


def parcel_of_file(release: Release, *, upload: BinaryIO, name: str, parcel: Mapping[str, Any]) -> Parcel:
    """Read an uploaded file; the fields of the form go before what the file says."""
    own, ending = _named(name)
    if ending == ".json":
        return _parcel_of_json(release, upload.read(), parcel)
    given = {"parcel_id": _stem(own, ending)} | dict(parcel) if ending not in {".xlsx", ".zip"} else dict(parcel)
    with _laid_down(upload, f"upload{ending}") as path:
        return _parcel_at(path, release, given)


def parcel_of_text(release: Release, *, text: str, parcel: Mapping[str, Any]) -> Parcel:
    """Read pasted rows, from a spreadsheet or a CSV file, or a pasted JSON parcel."""
    if text.lstrip().startswith("{"):
        return _parcel_of_json(release, text.encode(), parcel)
    with tempfile.TemporaryDirectory(prefix="kpf-") as folder:
        path = Path(folder) / "pasted.csv"
        path.write_text(text, encoding="utf-8")
        return _parcel_at(path, release, dict(parcel))


def parcel_at(release: Release, *, path: Path, parcel: Mapping[str, Any]) -> Parcel:
    """Read a file that came with the package."""
    return _parcel_at(path, release, dict(parcel))


def submission_of_file(release: Release, *, upload: BinaryIO, name: str) -> Submission:
    """Read every parcel of an upload; what is wrong with one loses no other."""
    own, ending = _named(name)
    if ending == ".json":
        raise IngestError([_unknown_kind(own, [kind for kind in ENDINGS if kind != ".json"])])
    with _laid_down(upload, f"{_stem(own, ending)}{ending}") as path:
        return ingest_submission(path, release.scheme, release.zone_table)


def _named(name: str) -> tuple[str, str]:
    own = name.replace("\\", "/").rpartition("/")[2]
    ending = max((item for item in ENDINGS if own.lower().endswith(item)), key=len, default=None)
    if ending is None:
        raise IngestError([_unknown_kind(own, ENDINGS)])
    return own, ending


def _unknown_kind(own: str, kinds: Any) -> Problem:
    reason = f"files of this kind cannot be read; give {', '.join(kinds)}"
    return Problem(table="file", value=own[:ID_LENGTH], code="unknown_file_kind", reason=reason)


def _stem(own: str, ending: str) -> str:
    kept = "".join(c for c in own[: -len(ending)] if c.isprintable() and c not in '/\\:*?"<>|')
    return kept.strip(" .")[:ID_LENGTH] or "parcel"


@contextmanager
def _laid_down(upload: BinaryIO, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kpf-") as folder:
        path = Path(folder) / name
        with path.open("wb") as copy:
            shutil.copyfileobj(upload, copy, 1 << 20)
        yield path


def _parcel_at(path: Path, release: Release, parcel: dict[str, Any]) -> Parcel:
    return ingest_file(path, release.scheme, release.zone_table, parcel=parcel)


def _parcel_of_json(release: Release, text: bytes, parcel: Mapping[str, Any]) -> Parcel:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise IngestError([Problem(table="parcel", code="not_json", reason=f"this is not JSON: {error}")]) from None
    if isinstance(document, dict):
        document = document | dict(parcel)
    return ingest_json(document, release.scheme, release.zone_table)
