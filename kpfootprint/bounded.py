"""Files from anywhere, read to a bound: a pipe waits, a device never ends, a link leads elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from kpfootprint.errors import KPFootprintError


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
    raise UnfitFile(f"{path.name} is no plain file")


def read_bounded(stream: BinaryIO, most: int, name: str) -> bytes:
    """Return what a stream holds; raise `UnfitFile` where that is more than so many bytes."""
    data = stream.read(most + 1)
    if len(data) > most:
        raise UnfitFile(f"{name} holds more than {most // 2**20} MB")
    return data
