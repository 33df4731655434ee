"""Files of a folder or an archive, within limits and never outside of it."""

from __future__ import annotations

import gzip
import io
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from kpfootprint import bounded
from kpfootprint.errors import IngestError
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.retold import said_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on an input; the defaults let a million stones through with room to spare.

    Parameters
    ----------
    max_rows : int
        Rows of one table.
    max_columns : int
        Columns of one table.
    max_unpacked_bytes : int
        Bytes of all files together once an archive, a workbook or gzip is unpacked.
    max_json_bytes : int
        Bytes of a JSON parcel, which takes many times its size in memory.
    max_ratio : float
        Unpacked bytes for each packed one; looked at above 10 MB unpacked, as small files may shrink a lot.
    max_files : int
        Files of an archive or a folder.
    max_problems : int
        Problems listed before the rest is only counted.
    """

    max_rows: int = 2_000_000
    max_columns: int = 200
    max_unpacked_bytes: int = 300_000_000
    max_json_bytes: int = 100_000_000
    max_ratio: float = 200.0
    max_files: int = 200
    max_problems: int = 1000


_PIECE = 1 << 20
_OLD_OFFICE, _PROTECTED = b"\xd0\xcf\x11\xe0", "EncryptedPackage".encode("utf-16-le")
"""How files of old Office programs begin, in which new ones put what a password protects, under this name."""
_SMALL = 10_000_000


def refuse(name: str, code: str, value: object = None, *, row: int | None = None, **values: object) -> IngestError:
    """Return the error of a file that breaks a rule."""
    told = {key: said_of(found) if isinstance(found, Exception) else found for key, found in values.items()}
    return IngestError([problem(Broken(code, told), table=name, row=row, value=value)])


def is_hidden(path: str) -> bool:
    """Say whether a path is one that systems leave behind: hidden files, lock files of office programs."""
    return path.startswith("__MACOSX/") or any(part.startswith((".", "~$")) for part in PurePosixPath(path).parts)


def shown_name(path: str) -> str:
    """Return how a hidden or a lock file would be called if it were none: ``~$stones.xlsx`` is ``stones.xlsx``."""
    return PurePosixPath(path).name.removeprefix(".~lock.").removesuffix("#").lstrip("._~$")


class Budget:
    """Counts unpacked bytes against the limits, over all files of an input."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.left = limits.max_unpacked_bytes

    def spend(self, name: str, unpacked: int) -> None:
        """Count `unpacked` more bytes of a file."""
        self.left -= unpacked
        if self.left < 0:
            raise refuse(name, "unpacks_too_large", limit=self.limits.max_unpacked_bytes)


def read_file(path: Path, budget: Budget) -> bytes:
    """Return the bytes of a file on disk; of a pipe or a device, which may be endless, no more than the budget has."""
    if path.is_file():
        budget.spend(path.name, path.stat().st_size)
        return path.read_bytes()
    with path.open("rb") as stream:
        data = stream.read(max(budget.left, 0) + 1)
    budget.spend(path.name, len(data))
    return data


def _unpacked(opened: Callable[[], IO[bytes] | gzip.GzipFile], name: str, packed_size: int, budget: Budget) -> bytes:
    """Unpack a file piece by piece; what its header claims about the size is not believed."""
    pieces: list[bytes] = []
    total, ratio = 0, budget.limits.max_ratio
    try:
        with opened() as stream:
            while piece := stream.read(_PIECE):
                budget.spend(name, len(piece))
                pieces.append(piece)
                total += len(piece)
                if total > max(_SMALL, ratio * max(packed_size, 1)):
                    raise refuse(name, "unpack_ratio", limit=f"{ratio:g}")
    except IngestError:
        raise
    except Exception as error:  # a reader of archives that is fed with anything may raise anything
        raise refuse(name, "damaged_file", detail=error) from None
    return b"".join(pieces)


def gunzip(data: bytes, name: str, budget: Budget) -> bytes:
    """Unpack gzip."""
    if not data.startswith(b"\x1f\x8b"):
        raise refuse(name, "wrong_file_kind", found="it is not gzip")
    return _unpacked(partial(gzip.GzipFile, fileobj=io.BytesIO(data)), name, len(data), budget)


@contextmanager
def unzipped(data: bytes, name: str, budget: Budget) -> Iterator[list[tuple[str, Callable[[], bytes]]]]:
    """Open a zip archive, and give the path of each of its files with the way to unpack it.

    Raises
    ------
    IngestError
        For what is no archive, paths outside of it, links, passwords and too many files.
    """
    with _open_zip(data, name) as archive:
        members = _checked(archive, name, budget.limits)
        yield [(member.filename, partial(_unzip, archive, member, budget)) for member in members]


def _unzip(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget) -> bytes:
    return _unpacked(partial(archive.open, member), member.filename, member.compress_size, budget)


def _open_zip(data: bytes, name: str) -> zipfile.ZipFile:
    try:
        return bounded.open_zip(io.BytesIO(data))
    except bounded.TooManyFiles:
        raise refuse(name, "too_many_files", limit=Limits().max_files) from None
    except bounded.OddlyPacked as error:
        raise refuse(name, "damaged_file", detail=error) from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        if data.startswith(b"PK\x03\x04"):
            raise refuse(name, "damaged_file", detail="it ends before its contents do; copy or send it again") from None
        if data.startswith(_OLD_OFFICE) and _PROTECTED in data:
            raise refuse(name, "encrypted_file") from None
        found = "an old or a protected Office file" if data.startswith(_OLD_OFFICE) else "it is not a zip file"
        raise refuse(name, "wrong_file_kind", found=found) from None


def _checked(archive: zipfile.ZipFile, name: str, limits: Limits) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > limits.max_files:
        raise refuse(name, "too_many_files", limit=limits.max_files)
    for member in members:
        path = member.filename.replace("\\", "/")
        if not path:
            raise refuse(name, "damaged_file", detail="a file in it has no name")
        if path.startswith("/") or ":" in path.split("/")[0] or ".." in path.split("/"):
            raise refuse(name, "path_outside", member.filename)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise refuse(name, "archive_link", member.filename)
        if member.flag_bits & 0x1:
            raise refuse(name, "encrypted_file", member.filename)
    return [member for member in members if not member.is_dir()]


def files_of(path: Path, budget: Budget, hidden: list[str]) -> Iterator[tuple[str, bytes]]:
    """Give name and bytes of every file of a folder; the paths of `hidden` ones are added to those."""
    most = budget.limits.max_files
    inside = sorted(islice(path.rglob("*"), most + 1))
    if len(inside) > most:
        raise refuse(path.name, "too_many_files", limit=most)
    for item in inside:
        name = item.relative_to(path).as_posix()
        if is_hidden(name):
            hidden.append(name)
        elif item.is_symlink():
            raise refuse(path.name, "archive_link", name)
        elif item.is_file():
            yield name, read_file(item, budget)


def files_in(data: bytes, name: str, budget: Budget, hidden: list[str]) -> Iterator[tuple[str, bytes]]:
    """Give name and bytes of every file of a .zip; the paths of `hidden` ones are added to those."""
    with unzipped(data, name, budget) as members:
        for path, unpack in members:
            inside = path.replace("\\", "/")
            if is_hidden(inside):
                hidden.append(inside)
            else:
                yield inside, unpack()
