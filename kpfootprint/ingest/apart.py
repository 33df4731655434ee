"""Reads .ods and .xls, run by itself: ``python -I apart.py`` with the workbook on standard input.

A few bytes of such a workbook can claim any number of cells, and their parser ends the process that it runs in where
memory runs out. So it has one of its own, with bounds, that says what it reads: of each sheet its name and whether it
is seen, then its rows in stretches, then None; at last None, or what is wrong.
"""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection
from typing import Any

MEMORY = 1 << 30
SECONDS = 100
STRETCH = 1000


def tell(there: Connection) -> None:
    """Send what the workbook on standard input holds."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(sys.stdin.buffer)
    for info in book.sheets_metadata:
        if str(info.typ).rpartition(".")[2] != "WorkSheet":
            continue
        sheet = book.get_sheet_by_name(info.name)
        seen = str(info.visible).rpartition(".")[2] == "Visible"
        there.send((info.name, seen))
        stretch: list[list[Any]] = []
        for row in sheet.iter_rows():
            stretch.append(row)
            if len(stretch) == STRETCH:
                there.send(stretch)
                stretch = []
        there.send(stretch)
        there.send(None)
    there.send(None)


if __name__ == "__main__":
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    except ImportError:
        pass
    connection = Connection(sys.stdout.fileno(), readable=False)
    try:
        tell(connection)
    except BaseException as error:  # the parser is of another language, whose panics are no ordinary exceptions
        connection.send(f"{type(error).__name__}: {error}")
