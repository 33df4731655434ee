"""The files of a release as they lie in its folder: nothing is believed before its hash agrees, and nothing runs."""

from __future__ import annotations

import errno
import hashlib
import io
import math
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.bounded import open_plain, open_zip, read_bounded
from kpfootprint.errors import ReleaseError
from kpfootprint.retold import Said, said_of
from kpfootprint.strict_json import NotJson, read_json

MANIFEST, ARRAYS = "manifest.json", "model.npz"
LARGEST_FILE = 128 * 2**20
"""Bytes of the largest file of a release that is read, and of all its arrays together once they are unpacked."""
LEFT_BY_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that desktops put into every folder they show; they are no part of a release, and are not read."""

_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(?P<dtype><[fi][48])', 'fortran_order': (?P<order>True|False), "
    rb"'shape': \((?P<shape>(?:\d{1,12}, ?)*(?:\d{1,12})?)\), \} *\n",
    re.DOTALL,
)
"""How numpy begins an array of plain numbers (version 1.0 of its format); nothing else is read or evaluated."""


def manifest_of(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """Return the manifest of a release, as text and as a document; the files it names are not looked at.

    Raises
    ------
    ReleaseError
        Where there is none, or it is no JSON object with a format and files.
    """
    try:
        text = _bytes_of(folder / MANIFEST)
    except OSError as error:
        raise ReleaseError(
            "{folder} is no release: {file} cannot be read ({reason})",
            folder=folder,
            file=MANIFEST,
            reason=_reason(error),
        ) from None
    try:
        manifest = read_json(text)
    except NotJson as error:
        raise ReleaseError("{file} is not a release's manifest: {error}", file=folder / MANIFEST, error=error) from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ReleaseError("{file} is not a release's manifest: it names no files", file=folder / MANIFEST)
    return text, manifest


def sha256_of_manifest(folder: Path) -> str | None:
    """Return the hash that names the release in a folder exactly, or None where there is no manifest to be read."""
    try:
        return hashlib.sha256(_bytes_of(folder / MANIFEST)).hexdigest()
    except OSError:
        return None


def read_files(folder: Path, formats: tuple[int, ...]) -> tuple[str, dict[str, Any], dict[str, bytes]]:
    """Read a release's folder whole, after every file's SHA-256 agrees with the manifest.

    Parameters
    ----------
    formats : tuple of int
        Formats that can be read; another one is refused before any file is looked at.

    Returns
    -------
    tuple
        The hash of the manifest, which names the release exactly; the manifest; every file that it names.

    Raises
    ------
    ReleaseError
        If a file is missing, altered, no plain file of the folder itself, or not in the manifest.
    """
    text, manifest = manifest_of(folder)
    if manifest.get("format") not in formats:
        known = f"{formats[0]}-{formats[-1]}"
        raise ReleaseError(
            "{folder}: format {format}; this software reads formats {known}",
            folder=folder,
            format=repr(manifest.get("format")),
            known=known,
        )
    listed = manifest["files"]
    odd = [name for name in listed if not _is_plain(name) or name == MANIFEST]
    if odd:
        raise ReleaseError(
            "{folder}: {odd} in the manifest is no name of a file in this folder", folder=folder, odd=repr(odd[0][:80])
        )
    found = {path.name for path in folder.iterdir()} - LEFT_BY_SYSTEMS
    strangers = sorted(name for name in found - set(listed) - {MANIFEST} if not name.startswith("._"))
    if strangers:
        raise ReleaseError("{folder}: not in the manifest: {strangers}", folder=folder, strangers=", ".join(strangers))
    content: dict[str, bytes] = {}
    for name, expected in listed.items():
        try:
            content[name] = _bytes_of(folder / name)
        except OSError as error:
            reason = _reason(error)
            raise ReleaseError(
                "{folder}: {name} is in the manifest and cannot be read ({reason})",
                folder=folder,
                name=name,
                reason=reason,
            ) from None
        sha256 = hashlib.sha256(content[name]).hexdigest()
        if sha256 != expected:
            raise ReleaseError(
                "{folder}: {name} was altered: its SHA-256 is {sha256}, the manifest says {expected}",
                folder=folder,
                name=name,
                sha256=sha256,
                expected=expected,
            )
    if ARRAYS not in content:
        raise ReleaseError("{folder}: {file} is not in the manifest", folder=folder, file=ARRAYS)
    return hashlib.sha256(text).hexdigest(), manifest, content


def plain_arrays(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz``: numbers alone, and no more of them than the file really holds.

    A header may claim any shape; it is compared with the bytes that are there before anything is allocated.

    Raises
    ------
    ReleaseError
        Where the bytes are anything else.
    """
    try:
        with open_zip(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > LARGEST_FILE:
                raise ReleaseError("unpacked it is larger than {most} MB", most=LARGEST_FILE // 2**20)
            names = [entry.filename for entry in entries]
            if len(set(names)) < len(names):
                raise ReleaseError("a name comes twice")
            return {entry.filename.removesuffix(".npy"): _array(archive.read(entry)) for entry in entries}
    except (
        ReleaseError,
        ValueError,
        LookupError,
        OSError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = said_of(error) or type(error).__name__
        if not isinstance(reason, Said):
            reason = reason.splitlines()[0][:120]
    raise ReleaseError("{file} holds something else than plain arrays: {reason}", file=ARRAYS, reason=reason)


def _array(data: bytes) -> NDArray[Any]:
    found = _HEADER.match(data)
    if found is None or len(found[0]) != 10 + int.from_bytes(data[8:10], "little"):
        raise ReleaseError("an array does not begin as numpy writes arrays of numbers")
    dtype = np.dtype(found["dtype"].decode())
    shape = tuple(int(length) for length in found["shape"].split(b",") if length.strip())
    if math.prod(shape) * dtype.itemsize != len(data) - len(found[0]):
        raise ReleaseError("an array claims the shape {shape}, and its bytes are not as many", shape=str(shape)[:60])
    flat = np.frombuffer(data, dtype, offset=len(found[0]))
    return flat.reshape(shape, order="F" if found["order"] == b"True" else "C").copy(order="K")


def _is_plain(name: str) -> bool:
    return name not in {"", ".", ".."} and not set(name) & set("/\\:\0") and len(name) <= 100 and name.isprintable()


def _bytes_of(path: Path) -> bytes:
    with open_plain(path, links=False) as stream:
        return read_bounded(stream, LARGEST_FILE, path.name)


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a link"
    return Said(error.strerror or str(error))
