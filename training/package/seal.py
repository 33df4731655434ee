"""Reference packages begun: tables and descriptors written, and sealed with the hashes of the tables."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from kpfootprint.reference import shipped_reference
from training import filled
from training.package.descriptor import DESCRIPTOR, fault, read_descriptor
from training.package.parts import absent, digest_of


def seal(folder: Path) -> Path:
    """Write the sizes and hashes of the tables into the descriptor."""
    document = read_descriptor(folder)
    missing = [path for item in document["resources"] for path in absent(folder, item)]
    if missing:
        reason = "the descriptor names files that are not there: {missing}"
        raise fault("file_missing", reason, missing=", ".join(missing))
    for item in document["resources"]:
        digest, size = digest_of(folder, item)
        item |= {"bytes": size, "hash": f"sha256:{digest}"}
    return write_descriptor(folder, document)


def write_descriptor(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write ``datapackage.json`` and return its path."""
    path = folder / DESCRIPTOR
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def write_table(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], lines: Sequence[int] | None = None
) -> None:
    """Write a table as CSV, gzipped (without a time in it) where its name ends in ``.gz``.

    `lines` are those that the header and the rows shall stand on, with blank ones between; one each without it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    at = 1
    for line, row in zip(count(1) if lines is None else lines, chain([header], rows), strict=False):
        text.write("\n" * (line - at))
        writer.writerow(row)
        at = line + 1
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def init_package(folder: Path) -> Path:
    """Begin an empty reference package, or seal the one that is there.

    An empty package has the attributes and schemas of the shipped one, tables of headers alone, and a README that
    explains every column. Where the folder has a descriptor already, nothing but the sizes and hashes in it is renewed.

    Returns
    -------
    Path
        The descriptor.

    Raises
    ------
    ReferenceDataError
        Where the folder holds other files, or the descriptor or a table cannot be read.
    """
    folder = Path(folder)
    if not (folder / DESCRIPTOR).exists():
        if folder.exists() and any(folder.iterdir()):
            reason = "{name} holds files but no {descriptor}; give an empty folder"
            raise fault("folder_not_empty", reason, name=folder.name, descriptor=DESCRIPTOR)
        _begin(folder)
    return seal(folder)


def blank_descriptor(**members: str) -> dict[str, Any]:
    """Return the shipped descriptor with other members; regions are whatever the new package calls them."""
    document = read_descriptor(shipped_reference()) | members | {"synthetic": False}
    document.pop("licenses", None)
    for item in document["resources"]:
        for field in item["schema"]["fields"]:
            if (item["name"], field["name"]) == ("zones", "region"):
                field["constraints"].pop("enum", None)
    return document


def _begin(folder: Path) -> None:
    document = blank_descriptor(
        name="my-reference",
        title="Reference footprints of …",
        version="0.1",
        description="Who collected these parcels, when, where, and how they were sorted",
    )
    folder.mkdir(parents=True, exist_ok=True)
    for item in document["resources"]:
        if item["name"] == "stones":
            item.pop("compression", None)
            item["path"] = "stones.csv"
        write_table(folder / item["path"], [field["name"] for field in item["schema"]["fields"]], [])
    said = filled("package.md", folder=folder.name, descriptor=DESCRIPTOR, tables=document["resources"])
    (folder / "README.md").write_text(said, encoding="utf-8")
    write_descriptor(folder, document)
