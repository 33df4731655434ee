"""Workbooks (.xlsx): one sheet a table, cells as the workbook types them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from kpfootprint.errors import IngestError
from kpfootprint.ingest.archive import Budget, check_members, open_zip, refuse, unzip
from kpfootprint.ingest.cells import Cell, Odd
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.tables import ColumnMaker, RawTable, without_blank_rows

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell as FullCell
    from openpyxl.cell.cell import MergedCell
    from openpyxl.cell.read_only import EmptyCell, ReadOnlyCell

    SheetCell = FullCell | MergedCell | ReadOnlyCell | EmptyCell

_CHUNK = 1 << 14


def read_workbook(data: bytes, name: str, budget: Budget, limits: Limits) -> list[RawTable]:
    """Read every sheet that holds something; rows are told by their number in the sheet.

    Formula cells become `Odd` cells: their values are whatever program last computed them, so they are no data.
    """
    import openpyxl

    with open_zip(data, name) as archive:
        members = check_members(archive, name, limits)
        if "xl/workbook.xml" not in {member.filename for member in members}:
            raise refuse(name, "wrong_file_kind", found="it is a zip archive without a workbook")
        for member in members:
            unzip(archive, member, budget)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            try:
                tables = []
                for sheet in book.worksheets:
                    sheet.reset_dimensions()
                    table = _read_sheet(sheet.iter_rows(), sheet.title, name, limits)
                    if table is not None:
                        tables.append(table)
                return tables
            finally:
                book.close()
    except IngestError:
        raise
    except Exception as error:  # a parser that is fed with anything may raise anything
        raise refuse(name, "damaged_file", detail=f"{type(error).__name__}: {error}") from None


def _read_sheet(rows: Iterable[tuple[SheetCell, ...]], title: str, source: str, limits: Limits) -> RawTable | None:
    numbered = enumerate(rows, start=1)
    header: list[str] = []
    for _, row in numbered:
        header = ["" if cell.value is None else str(cell.value).strip() for cell in row]
        if any(header):
            break
    while header and not header[-1]:
        header.pop()
    if not header:
        return None
    if len(header) > limits.max_columns:
        raise refuse(title, "too_many_columns", limit=limits.max_columns)
    makers = [ColumnMaker() for _ in header]
    lines: list[int] = []
    ragged: dict[int, int] = {}
    for cells in _chunks(numbered, len(header), lines, ragged, limits, title):
        for maker, column in zip(makers, zip(*cells, strict=True), strict=True):
            maker.add(column)
    table = RawTable(
        name=title,
        source=source,
        columns=[maker.column(text) for maker, text in zip(makers, header, strict=True)],
        rows=np.array(lines, dtype=np.int32),
        ragged=ragged,
    )
    return without_blank_rows(table)


def _chunks(
    numbered: Iterator[tuple[int, tuple[SheetCell, ...]]],
    width: int,
    lines: list[int],
    ragged: dict[int, int],
    limits: Limits,
    title: str,
) -> Iterator[list[list[Cell]]]:
    chunk: list[list[Cell]] = []
    for line, row in numbered:
        cells = [_cell(cell) for cell in row]
        if all(cell is None for cell in cells):
            continue
        if any(cell is not None for cell in cells[width:]):
            ragged[len(lines)] = len(cells)
        chunk.append(cells[:width] + [None] * (width - len(cells)))
        lines.append(line)
        if len(lines) > limits.max_rows:
            raise refuse(title, "too_many_rows", limit=limits.max_rows)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _cell(cell: SheetCell) -> Cell:
    value = cell.value
    if value is None:
        return None
    if cell.data_type == "f":
        text = getattr(value, "text", None) or value
        return Odd("formula_cell", str(text))
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return value if value.strip() else None
    return value if isinstance(value, int | float) or hasattr(value, "isoformat") else str(value)  # type: ignore[return-value]
