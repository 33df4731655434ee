"""Files from anywhere, read to a bound: a pipe waits, a device never ends, a link leads elsewhere, an archive swells.

A zip archive is opened only where its table of contents is small and its files are packed as usual. Opening builds an
object for every line of the contents; and what is packed by bzip2 or LZMA cannot be unpacked in pieces: from a thousand
bytes comes a gigabyte at once.
"""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path
from typing import IO, BinaryIO

from kpfootprint.errors import KPFootprintError
from kpfootprint.retold import Said

LARGEST_CONTENTS = 1 << 20
"""Bytes of the largest table of contents: about 10,000 files with long names."""

_ENDS = ((b"PK\x05\x06", 12, 4), (b"PK\x06\x06", 40, 8))
"""How records of the end begin, and where they say in how many bytes how large the contents are; zip64 goes before."""

_LONGEST_END = 22 + 65_535 + 20 + 56
"""Bytes of both, with a comment."""


class UnfitFile(KPFootprintError, OSError):
    """A file is no plain one where only those are read, or holds more than is ever read."""

    code = "unfit_file"


def open_plain(path: Path, *, links: bool = True) -> BinaryIO:
    """Open a file that is one; neither a pipe nor a device is waited for.

    Raises
    ------
    OSError
        `UnfitFile` where it is something else; where `links` may not be followed, ELOOP.
    """
    flags = getattr(os, "O_NONBLOCK", 0) | (0 if links else getattr(os, "O_NOFOLLOW", 0))
    stream = os.fdopen(os.open(path, os.O_RDONLY | flags), "rb")
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise UnfitFile("{name} is no plain file", name=path.name)


def read_bounded(stream: BinaryIO, most: int, name: str) -> bytes:
    """Return what a stream holds; raise `UnfitFile` where that is more than so many bytes."""
    data = stream.read(most + 1)
    if len(data) > most:
        raise UnfitFile("{name} holds more than {most} MB", name=name, most=most // 2**20)
    return data


class TooManyFiles(zipfile.BadZipFile):
    """An archive's table of contents is too large."""


class OddlyPacked(zipfile.BadZipFile):
    """A file of an archive is packed in a way that is not read."""


def open_zip(stream: IO[bytes], largest: int = LARGEST_CONTENTS) -> zipfile.ZipFile:
    """Open an archive to read.

    Raises
    ------
    zipfile.BadZipFile
        Where it is none: `OddlyPacked` where a file in it is packed otherwise than by Deflate, `TooManyFiles` where its
        table of contents is larger than `largest` bytes.
    """
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _LONGEST_END))
    tail = stream.read()
    for mark, at, width in _ENDS:
        start = tail.find(mark)
        while start >= 0:
            if int.from_bytes(tail[start + at : start + at + width], "little") > largest:
                raise TooManyFiles("its table of contents is too large")
            start = tail.find(mark, start + 1)
    archive = zipfile.ZipFile(stream)
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in archive.infolist()):
        archive.close()
        raise OddlyPacked(Said("a file in it is packed otherwise than by Deflate; pack it again as usual"))
    return archive
