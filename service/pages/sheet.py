"""A sheet as it was given, held by the page until it is compared: how it is read, its rows at fault, what is asked."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from kpfootprint.errors import Problem
from kpfootprint.ingest import Reading, Upload
from service.pages.forms import text_of

MAX_HELD = 1 << 20
"""Bytes of a file that the page holds while its reader decides; a larger one is chosen again."""

_SHOWN = 12
_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Held:
    """A file that travels with the page, so that nothing is stored before it is compared."""

    name: str
    data: str

    @classmethod
    def of(cls, upload: Upload) -> Held | None:
        """Return an upload as the page holds it, or None where it is too large for that."""
        if len(upload.data) > MAX_HELD:
            return None
        return cls(upload.name, base64.b64encode(upload.data).decode("ascii"))

    def upload(self) -> Upload:
        """Return the upload again."""
        return Upload(self.name, base64.b64decode(self.data))


def held_in(form: FormData) -> Held | None:
    """Return the file that a page held, or None."""
    name, data = text_of(form, "held_name"), text_of(form, "held_data")
    try:
        return Held(name, data) if name and base64.b64decode(data, validate=True) else None
    except (binascii.Error, ValueError):
        return None


def choices_in(form: FormData) -> Mapping[str, str]:
    """Return the answers to questions that a form holds, as ``question=answer``."""
    said = [value.rpartition("=") for value in form.getlist("choice") if isinstance(value, str) and "=" in value]
    return {question.strip(): answer.strip() for question, _, answer in said if question.strip()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the page shows of a sheet.

    Parameters
    ----------
    held : Held or None
        The file itself, where the page holds it.
    read_as : mapping or None
        How it was read, where it can be read.
    lines : tuple of (number, text, at fault)
        The lines at fault, each with the one above it; of a workbook, those of the sheet with the first of them.
    questions : tuple of tuples of str
        For each question its possible answers, as ``question=answer``.
    chosen : tuple of str
        The answers that were given, in the same form.
    """

    held: Held | None
    read_as: Mapping[str, Any] | None
    parcel_id: str
    lines: tuple[tuple[int, str, bool], ...]
    questions: tuple[tuple[str, ...], ...]
    chosen: tuple[str, ...]

    @classmethod
    def unread(cls, held: Held | None, choices: Mapping[str, str]) -> Sheet:
        """Return a sheet that is held and was not read."""
        chosen = tuple(f"{question}={answer}" for question, answer in choices.items())
        return cls(held=held, read_as=None, parcel_id="", lines=(), questions=(), chosen=chosen)

    @classmethod
    def of(cls, upload: Upload, reading: Reading, held: Held | None, choices: Mapping[str, str]) -> Sheet:
        """Return what is shown of an upload."""
        parcel = reading.parcels[0] if reading.parcels and not reading.problems else None
        asked = [problem.values.get("choices") for problem in reading.problems]
        return cls(
            held=held,
            read_as=None if parcel is None else parcel.read_as,
            parcel_id="" if parcel is None else parcel.parcel_id,
            lines=_lines(upload, [problem for problem in reading.problems if problem.row is not None]),
            questions=tuple(tuple(f"{key}={answer}" for key, answer in pairs) for pairs in asked if pairs),
            chosen=tuple(f"{question}={answer}" for question, answer in choices.items()),
        )


def _lines(upload: Upload, problems: list[Problem]) -> tuple[tuple[int, str, bool], ...]:
    """Return the lines at fault of a text or a workbook, with the line above each."""
    name = upload.name.lower()
    if not problems or len(upload.data) > MAX_HELD:
        return ()
    if name.endswith((".csv", ".tsv", ".txt")):
        lines, rows = upload.data.decode("utf-8-sig", errors="replace").splitlines(), {p.row for p in problems}
    elif name.endswith((".xlsx", ".ods", ".xls")):
        table = problems[0].table
        lines, rows = _lines_of_book(upload.data, table), {p.row for p in problems if p.table == table}
    else:
        return ()
    faults = sorted(row for row in rows if row is not None)[:_SHOWN]
    shown = sorted({1} | {near for row in faults for near in (row - 1, row)})
    return tuple((at, lines[at - 1][:_WIDTH], at in rows) for at in shown if 1 <= at <= len(lines))


def _lines_of_book(data: bytes, table: str) -> list[str]:
    """Return the rows of a sheet as lines; the workbook was read before, within its limits."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    if table not in book.sheet_names:
        return []
    sheet = book.get_sheet_by_name(table).to_python(skip_empty_area=False)
    return [" | ".join(text_in_cell(cell) for cell in row) for row in sheet]


def text_in_cell(cell: object) -> str:
    """Return a cell as it is shown: a whole number without its point."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
