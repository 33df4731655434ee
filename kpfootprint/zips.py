"""A zip archive is opened only where its table of contents is small and its files are packed as usual.

Opening builds an object for every line of the contents; and what is packed by bzip2 or LZMA cannot be unpacked in
pieces: from a thousand bytes comes a gigabyte at once.
"""

from __future__ import annotations

import zipfile
from typing import IO

LARGEST_CONTENTS = 1 << 20
"""Bytes of the largest table of contents: about 10,000 files with long names."""

_ENDS = ((b"PK\x05\x06", 12, 4), (b"PK\x06\x06", 40, 8))
"""How records of the end begin, and where they say in how many bytes how large the contents are; zip64 goes before."""

_LONGEST_END = 22 + 65_535 + 20 + 56
"""Bytes of both, with a comment."""


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
        raise OddlyPacked("a file in it is packed otherwise than by Deflate; pack it again as usual")
    return archive
