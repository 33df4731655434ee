"""The files of a table: mostly one; several where its resource lists them, each with the header or the first alone."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.files.archive import Budget, gunzip, read_file
from kpfootprint.ingest.files.csvfile import decode, read_csv
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.words import fold
from training.package.descriptor import LIMITS, told


def paths_of(item: Mapping[str, Any]) -> list[str]:
    """Return the paths of the files of a resource, in their order."""
    path = item["path"]
    return [path] if isinstance(path, str) else list(path)


def absent(folder: Path, item: Mapping[str, Any]) -> list[str]:
    """Return the paths of a resource at which there is no file."""
    return [path for path in paths_of(item) if not (folder / path).is_file()]


def digest_of(folder: Path, item: Mapping[str, Any]) -> tuple[str, int]:
    """Return the SHA-256 and the size in bytes of the files of a resource, one behind the other."""
    whole, size = hashlib.sha256(), 0
    for path in paths_of(item):
        with (folder / path).open("rb") as stream:
            while block := stream.read(1 << 20):
                whole.update(block)
                size += len(block)
    return whole.hexdigest(), size


def table_of(folder: Path, item: Mapping[str, Any], headers: Headers | None = None) -> RawTable:
    """Read a table with the reader of ingestion; without `headers` the first row is the header.

    The rows of a further file follow those of the file before, and its header is passed over where it is that of the
    first; rows are numbered as if all were one file (see `placed`).
    """
    paths, name = paths_of(item), item["name"]
    if len(paths) == 1:
        return read_csv(_bytes(folder / paths[0]), name, PurePosixPath(paths[0]).name, headers, LIMITS)
    texts = _texts(folder, item)
    header = texts[0].partition("\n")[0].strip()
    for at, text in enumerate(texts[1:], start=1):
        first, _, rest = text.partition("\n")
        texts[at] = f"\n{rest}" if first.strip() == header else text
    return read_csv("".join(texts).encode(), name, PurePosixPath(paths[0]).name, headers, LIMITS)


def placed(problems: Iterable[Problem], folder: Path, items: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """Return problems with the file in place of the table, and the line in it, where a table has several files."""
    found = list(problems)
    for item in items:
        rows = [at for at, one in enumerate(found) if one.table == item.get("name") and one.row is not None]
        if not rows or isinstance(item["path"], str):
            continue
        lengths = [text.count("\n") for text in _texts(folder, item)]
        for at in rows:
            row, part = found[at].row or 0, 0
            while part < len(lengths) - 1 and row > lengths[part]:
                row, part = row - lengths[part], part + 1
            found[at] = replace(found[at], table=item["path"][part], row=row)
    return found


def unlisted(folder: Path, document: Mapping[str, Any], stones: RawTable) -> Iterator[Problem]:
    """Give the files that have the columns of the stones and are not listed: stones would be lost with them.

    A file that is listed may lie there packed and unpacked.
    """
    named = [path for item in document["resources"] for path in paths_of(item)]
    either = (path for name in named for path in (name, name.removesuffix(".gz"), f"{name}.gz"))
    listed = {(folder / path).resolve() for path in either}
    beside = {path.parent for path in listed} | {folder.resolve()}
    columns = {fold(column.header) for column in stones.columns if not column.empty}
    for path in sorted(path for place in beside if place.is_dir() for path in place.iterdir()):
        if path in listed or path.name.startswith(".") or not path.name.lower().endswith(_TABLES) or not path.is_file():
            continue
        if columns and columns <= {fold(cell) for cell in re.split("[,;\t]", _first_line(path))}:
            reason = "{path} has the columns of stones and is not listed; list it in the path of stones, or take it out"
            yield told("unlisted_table", reason, column="resources", path=path.name)


_TABLES = (".csv", ".tsv", ".txt", ".csv.gz")


def _first_line(path: Path) -> str:
    """Return the first line of a file, or nothing where it is no text."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return decode(stream.readline(10_000), path.name).strip("\ufeff \r\n").replace('"', "")
    except (OSError, EOFError, IngestError, zlib.error):
        return ""


def _bytes(path: Path) -> bytes:
    budget = Budget(LIMITS)
    data = read_file(path, budget)
    return gunzip(data, path.name, budget) if path.suffix == ".gz" else data


def _texts(folder: Path, item: Mapping[str, Any]) -> list[str]:
    """Return the texts of the files of a table, each of whole lines."""
    texts = [decode(_bytes(folder / path), item["name"]).removeprefix("\ufeff") for path in paths_of(item)]
    lined = (text.replace("\r\n", "\n").replace("\r", "\n") for text in texts)
    return [text if text.endswith("\n") else f"{text}\n" for text in lined]
