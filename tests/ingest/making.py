"""Small parcels and files for the tests of ingestion."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
import pytest

from kpfootprint.errors import IngestError, Problem
from kpfootprint.parcel import Parcel

Row = tuple[str, str | None, str | None]


def stones_csv(rows: list[Row], *, separator: str = ",", comma: bool = False, end: str = "\n") -> str:
    """Write stones as CSV; `comma` writes decimal commas, quoted where the separator is a comma."""
    quote = comma and separator == ","
    lines = [separator.join(("weight_ct", "colour", "morphology"))]
    for weight, colour, morphology in rows:
        number = weight.replace(".", ",") if comma else weight
        lines.append(separator.join((f'"{number}"' if quote else number, colour or "", morphology or "")))
    return end.join(lines) + end


def problems_of(call: Callable[[], object]) -> tuple[Problem, ...]:
    """Return the problems that a call raises."""
    with pytest.raises(IngestError) as caught:
        call()
    assert caught.value.problems
    return caught.value.problems


def outcome(call: Callable[[], Parcel]) -> Parcel | tuple[Problem, ...]:
    """Return the parcel that a call gives, or the problems that it raises."""
    try:
        return call()
    except IngestError as error:
        return error.problems


def told(problems: tuple[Problem, ...]) -> list[tuple[str, str, int | None, str | None, str | None]]:
    """Return problems as (code, table, row, column, value)."""
    return [(p.code, p.table, p.row, p.column, p.value) for p in problems]


def parcel(**changes: Any) -> dict[str, Any]:
    """Return a small sound JSON parcel with some members changed."""
    document: dict[str, Any] = {
        "parcel_id": "P1",
        "exported_on": "2023-05-10",
        "declarations": [{"zone_id": "berberati", "carats": 0.96}],
        "conditions": {"cleaning_state": "acid_rinsed", "bottom_screen_mm": 1.83, "specials_removed": False},
        "stones": {
            "weight_ct": [0.21, 0.35, 0.4],
            "colour": ["brown", "cape", None],
            "morphology": ["macle", None, "cube"],
        },
    }
    return document | changes


def book_of(sheets: Mapping[str, Sequence[Sequence[Any]]]) -> bytes:
    """Return an .xlsx workbook; a cell may be a value with its number format."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for at, row in enumerate(rows, start=1):
            for place, value in enumerate(row, start=1):
                cell = sheet.cell(at, place)
                cell.value, shown = value if isinstance(value, tuple) else (value, "General")
                cell.number_format = shown
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


SPACE = "urn:oasis:names:tc:opendocument:xmlns"
ODS = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="{SPACE}:office:1.0" xmlns:table="{SPACE}:table:1.0"
 xmlns:text="{SPACE}:text:1.0">
<office:body><office:spreadsheet><table:table table:name="Pierres">ROWS</table:table></office:spreadsheet>
</office:body></office:document-content>"""
KIND = "application/vnd.oasis.opendocument.spreadsheet"


def ods_of(rows: Sequence[Sequence[Any]], more: str = "", *, hide: int = 0) -> bytes:
    """Return an .ods workbook of one sheet; `more` stands among what is said of its numbers, row `hide` is hidden."""

    def cell(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, int | float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"{more}/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    seen = [' table:visibility="collapse"' if at == hide else "" for at in range(1, len(rows) + 1)]
    lines = [f"<table:table-row{how}>{''.join(map(cell, row))}" for how, row in zip(seen, rows, strict=True)]
    return ods_with("".join(f"{line}</table:table-row>" for line in lines))


def ods_with(lines: str) -> bytes:
    """Return an .ods workbook whose rows are given as XML."""
    made = io.BytesIO()
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{KIND}"/></manifest:manifest>'
    )
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("mimetype", KIND)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", ODS.replace("ROWS", lines))
    return made.getvalue()
