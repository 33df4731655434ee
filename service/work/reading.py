"""From an upload, pasted rows, a document or an example to parcels. The name of an upload is never used as a path."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest import Upload, ingest_file, ingest_json
from kpfootprint.ingest.files.archive import refuse
from kpfootprint.ingest.files.csvfile import separated, text_of_table
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from kpfootprint.retold import said_of
from kpfootprint.strict_json import AmbiguousJson, NotJson, read_json
from service.errors import Refused, refusal_for

ID_LENGTH = 80


def upload_of(name: str, data: bytes) -> Upload:
    """Return an upload by the last part of its name, without characters that nobody sees, and not too long."""
    own = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in own if c.isprintable() and c not in ':*?"<>|').strip(" ")
    stem, dot, ending = kept.partition(".")
    return Upload(f"{stem.strip(' ')[:ID_LENGTH] or 'parcel'}{dot}{ending[-ID_LENGTH:]}", data)


def pasted(text: str) -> Upload:
    """Return pasted rows, from a spreadsheet or a CSV file, or a pasted JSON parcel, as an upload."""
    return Upload("pasted.json" if text.lstrip().startswith(("{", "[")) else "pasted.csv", text.encode())


def json_in(body: bytes) -> Any:
    """Return the JSON of a body; raise `Refused` where it is none, or can be read in two ways."""
    try:
        return read_json(body)
    except AmbiguousJson as error:
        raise refusal_for([Problem(table="body", code="ambiguous_json", reason=said_of(error))]) from None
    except NotJson as error:
        raise Refused("not_json", "The body is not JSON: {error}.", error=error) from None


def parcel_of_json(release: Release, *, body: bytes, given: Mapping[str, Any], choices: Mapping[str, str]) -> Parcel:
    """Read a body; what is given besides goes before what it says."""
    return ingest_json(json_in(body), release.scheme, release.zone_table, given=given, choices=choices)


def parcel_of_file(
    release: Release, *, upload: Upload, parcel: Mapping[str, Any], choices: Mapping[str, str]
) -> Parcel:
    """Read an uploaded file; what is given besides goes before what the file says."""
    return ingest_file(upload, release.scheme, release.zone_table, parcel=parcel, choices=choices)


def rows_of_csv(data: bytes, name: str, headers: Headers | None = None) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of a plain table with the lines that they end on, parted as a table of goods is.

    Raises
    ------
    IngestError
        Where it is no text, or quotes do not close as they should.
    """
    content = text_of_table(data, name)
    skipped, _, separator = separated(content, headers)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    try:
        for cells in reader:
            yield reader.line_num, cells if reader.line_num > skipped else []  # ``sep=;`` is no row
    except csv.Error:
        raise refuse(name, "bad_quotes", row=reader.line_num) from None
