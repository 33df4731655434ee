"""Tables and descriptors written, and sealed with the hashes of the tables."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.package.descriptor import DESCRIPTOR, fault, read_descriptor


def seal(folder: Path) -> Path:
    """Write the sizes and hashes of the tables into the descriptor."""
    document = read_descriptor(folder)
    missing = [item["path"] for item in document["resources"] if not (folder / item["path"]).is_file()]
    if missing:
        raise fault("file_missing", f"the descriptor names files that are not there: {', '.join(missing)}")
    for item in document["resources"]:
        data = (folder / item["path"]).read_bytes()
        item |= {"bytes": len(data), "hash": f"sha256:{hashlib.sha256(data).hexdigest()}"}
    return write_descriptor(folder, document)


def write_descriptor(folder: Path, document: Mapping[str, Any]) -> Path:
    """Write ``datapackage.json`` and return its path."""
    path = folder / DESCRIPTOR
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table as CSV, gzipped (without a time in it) where its name ends in ``.gz``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
