"""A zip archive is opened only where its table of contents is small: opening builds an object for every line of it."""

from __future__ import annotations

import zipfile
from typing import IO

LARGEST_CONTENTS = 1 << 20
"""Bytes of the largest table of contents: about 10,000 files with long names."""

_END, _END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535


def open_zip(stream: IO[bytes], largest: int = LARGEST_CONTENTS) -> zipfile.ZipFile:
    """Open an archive to read.

    Raises
    ------
    zipfile.BadZipFile
        Where it is none, or its table of contents is larger than `largest` bytes.
    """
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT))
    tail = stream.read()
    start = tail.find(_END)
    while start >= 0:
        claimed = int.from_bytes(tail[start + 12 : start + 16], "little")
        if len(tail) - start >= _END_SIZE and claimed > largest:
            raise zipfile.BadZipFile("its table of contents is too large")
        start = tail.find(_END, start + 1)
    return zipfile.ZipFile(stream)
