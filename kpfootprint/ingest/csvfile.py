"""CSV as it is found: comma, semicolon or tab, UTF-8 or cp1252."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import IngestError
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.regular import read_regular
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, ColumnMaker, RawTable, without_blank_rows
from kpfootprint.ingest.words import TABLES, Words, fold

_SEPARATORS = (",", ";", "\t")
_CHUNK = 1 << 16


def _refuse(name: str, code: str, **values: object) -> IngestError:
    return IngestError([problem(Broken(code, values), table=name)])


def decode(data: bytes, name: str) -> tuple[str, str]:
    """Return the text of a CSV file and its encoding; raise `IngestError` where it is no text."""
    if not data[:4096].strip() and not data.strip():
        raise _refuse(name, "file_empty")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _refuse(name, "wrong_file_kind", found="text in UTF-16; save it as UTF-8")
    for magic, found in _MAGIC:
        if data.startswith(magic):
            raise _refuse(name, "wrong_file_kind", found=found)
    if b"\x00" in data:
        raise _refuse(name, "wrong_file_kind", found="it holds zero bytes, as no text does")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise _refuse(name, "bad_encoding")


_MAGIC = (
    (b"PK\x03\x04", "a zip archive or a workbook"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


def read_csv(data: bytes, name: str, source: str, words: Words, limits: Limits) -> RawTable:
    """Read one CSV file into columns.

    Rows are told by the line on which they begin; the header is line 1. Blank lines and rows are left out. A row with
    too many or too few cells is kept, cut or filled, and remembered in `RawTable.ragged`.
    """
    text, encoding = decode(data, name)
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
        data = data.replace(b"\r", b"\n")
    separator = _separator(text, words)
    if text[:3] != "sep":
        regular = _read_regular(data.removeprefix(b"\xef\xbb\xbf"), separator, encoding, name, source, limits)
        if regular is not None:
            return without_blank_rows(regular)
    skipped = 0
    first, _, rest = text.partition("\n")
    if first[:4] == "sep=" and len(first.strip()) == 5:
        text, skipped = rest, 1
        separator = _separator(text, words)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=False)
    try:
        return without_blank_rows(_read(reader, name, source, limits, skipped))
    except csv.Error as error:
        raise _refuse(name, "bad_csv", detail=error) from None


def _read_regular(
    data: bytes, separator: str, encoding: str, name: str, source: str, limits: Limits
) -> RawTable | None:
    """Read a file whose rows are all alike, many times faster than cell by cell; None where they are not."""
    head, _, body = data.partition(b"\n")
    try:
        header = next(csv.reader([head.decode(encoding)], delimiter=separator), [])
    except csv.Error:
        return None
    if not header or not header[-1].strip() or head.count(b'"') % 2:
        return None
    if len(header) > limits.max_columns or body.count(b"\n") > 2 * limits.max_rows:
        return None
    regular = read_regular(body, separator, len(header), encoding)
    if regular is None:
        return None
    columns, lines = regular
    n_rows = len(columns[0][1])
    if n_rows > limits.max_rows:
        raise _refuse(name, "too_many_rows", limit=limits.max_rows)
    made = [Column(title.strip(), cells, codes) for title, (cells, codes) in zip(header, columns, strict=True)]
    return RawTable(name=name, source=source, columns=made, rows=(lines + 2).astype(np.int32))


def _separator(text: str, words: Words) -> str:
    """Choose the separator under which the header holds most known names, then most cells."""
    known = set().union(*(words.columns(table) for table in TABLES))
    head = text[:100_000].lstrip("\n\r")

    def score(separator: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader(io.StringIO(head), delimiter=separator), [])
        except csv.Error:
            return (0, 0)
        return (sum(fold(cell) in known for cell in cells), len(cells))

    best = max(_SEPARATORS, key=score)
    return best if score(best)[1] > 1 else "\t"


def _read(reader: Iterator[list[str]], name: str, source: str, limits: Limits, skipped: int) -> RawTable:
    line = skipped
    header: list[str] = []
    for header in reader:
        line += 1 + sum(cell.count("\n") for cell in header)
        if any(cell.strip() for cell in header):
            break
    while header and not header[-1].strip():
        header.pop()
    width = len(header)
    if width > limits.max_columns:
        raise _refuse(name, "too_many_columns", limit=limits.max_columns)
    makers = [ColumnMaker() for _ in header]
    lines: list[NDArray[np.int32]] = []
    ragged: dict[int, int] = {}
    n_rows = 0
    while chunk := list(islice(reader, _CHUNK)):
        if n_rows + len(chunk) > limits.max_rows:
            raise _refuse(name, "too_many_rows", limit=limits.max_rows)
        numbers = _line_numbers(chunk, line + 1, reader.line_num + skipped)  # type: ignore[attr-defined]
        line = reader.line_num + skipped  # type: ignore[attr-defined]
        if set(map(len, chunk)) != {width}:
            _mend(chunk, width, n_rows, ragged)
        for maker, cells in zip(makers, zip(*chunk, strict=True), strict=True):
            maker.add(cells)
        lines.append(numbers)
        n_rows += len(chunk)
    return RawTable(
        name=name,
        source=source,
        columns=[maker.column(title.strip()) for maker, title in zip(makers, header, strict=True)],
        rows=np.concatenate(lines) if lines else np.zeros(0, dtype=np.int32),
        ragged=ragged,
    )


def _line_numbers(chunk: list[list[str]], start: int, end: int) -> NDArray[np.int32]:
    """Return the line on which each row begins; a quoted cell may hold line breaks."""
    if end - start + 1 == len(chunk):
        return np.arange(start, end + 1, dtype=np.int32)
    heights = np.array([1 + sum(cell.count("\n") for cell in row) for row in chunk], dtype=np.int32)
    return (start + np.concatenate([[0], np.cumsum(heights)[:-1]])).astype(np.int32)


def _mend(chunk: list[list[str]], width: int, offset: int, ragged: dict[int, int]) -> None:
    """Cut or fill rows to `width` cells; blank cells beyond the header, and blank lines, are no fault."""
    for position, row in enumerate(chunk):
        if len(row) == width:
            continue
        if any(cell.strip() for cell in row) and (len(row) < width or any(cell.strip() for cell in row[width:])):
            ragged[offset + position] = len(row)
        chunk[position] = row[:width] + [""] * (width - len(row))
