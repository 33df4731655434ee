"""The large tables of a submission, column by column: stones and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.cells import Cell, Odd, is_blank, read_text, read_yes_or_no, text_of
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.numbers import DecimalMarks, check_range, read_numbers
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.tables import Column, Table
from kpfootprint.ingest.words import Words, attribute_words, class_code, nearest
from kpfootprint.parcel import NOT_RECORDED
from kpfootprint.scheme import Attribute

MAX_STONE_CT = 5000.0
MAX_COMPARED = 200
"""Unknown names of a column that are compared with the known ones; further ones are told the first known names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """Rows of stones or counts, read: numbers, class codes, and the parcel that each row belongs to.

    `owners` holds positions in `ids`. A number that was blank or broken is NaN. Of counts, `breakdowns` numbers the
    named breakdowns (-1: not named), and `samples` flags rows of a graded sample.
    """

    table: Table
    ids: list[str]
    owners: NDArray[np.int32]
    numbers: Mapping[str, NDArray[np.float64]]
    codes: Mapping[str, NDArray[np.int16]]
    breakdowns: NDArray[np.intp] | None = None
    samples: NDArray[np.bool_] | None = None

    def rows_by_parcel(self) -> dict[str, NDArray[np.intp]]:
        """Return the positions of each parcel's rows, in the order of the file."""
        order = np.argsort(self.owners, kind="stable")
        bounds = np.searchsorted(self.owners[order], np.arange(len(self.ids) + 1))
        return {
            name: order[low:high]
            for name, low, high in zip(self.ids, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
            if high > low
        }


def read_goods(table: Table, single: str | None, words: Words, findings: Findings) -> Goods:
    """Read stones or counts by distinct cells; every broken one is noted under the parcel of its row."""
    ids, owners = _owners(table, single, findings)
    for row, width in table.ragged.items():
        broken = Broken("ragged_row", {"found": width, "expected": table.n_columns})
        findings.add(ids[owners[row]] or None, table.problem(broken, row))
    number_columns = {
        "stones": {words.scheme.size.column: "weight", "value_usd": "value"},
        "counts": {
            "n_stones": "count",
            "carats": "value",
            "value_usd": "value",
            "lower_ct": "value",
            "upper_ct": "value",
        },
    }[table.kind]
    found = [table.columns[name] for name in number_columns if name in table.columns]
    marks = DecimalMarks.seen_in(column.cells for column in found)
    numbers: dict[str, NDArray[np.float64]] = {}
    for name, kind in number_columns.items():
        column = table.columns.get(name)
        if column is None:
            continue
        values, broken_cells = read_numbers(column.cells, marks, typed=table.typed)
        _check_numbers(kind, column, values, broken_cells)
        findings.add_column(table, column, broken_cells, owners, ids)
        numbers[name] = values[column.codes]
    codes: dict[str, NDArray[np.int16]] = {}
    for attribute in words.scheme.categorical:
        column = table.columns.get(attribute.column)
        if column is None:
            continue
        by_cell, broken_cells = class_codes(column.cells, attribute)
        findings.add_column(table, column, broken_cells, owners, ids)
        codes[attribute.name] = by_cell[column.codes]
    breakdowns, samples = None, None
    if "breakdown" in table.columns and table.kind == "counts":
        column = table.columns["breakdown"]
        names = {text: k for k, text in enumerate(dict.fromkeys(map(text_of, column.cells)))}
        labels = [-1 if is_blank(cell) else names[text_of(cell)] for cell in column.cells]
        breakdowns = np.array(labels, dtype=np.intp)[column.codes]
    if "sample" in table.columns and table.kind == "counts":
        column = table.columns["sample"]
        read = [read_yes_or_no(cell) for cell in column.cells]
        unclear = {at: flag for at, flag in enumerate(read) if isinstance(flag, Broken)}
        findings.add_column(table, column, unclear, owners, ids)
        samples = np.array([flag is True for flag in read], dtype=bool)[column.codes]
    return Goods(
        table=table, ids=ids, owners=owners, numbers=numbers, codes=codes, breakdowns=breakdowns, samples=samples
    )


def _check_numbers(kind: str, column: Column, values: NDArray[np.float64], broken: dict[int, Broken]) -> None:
    if kind == "weight":
        check_range(values, broken, minimum="above_zero", maximum=MAX_STONE_CT)
    elif kind == "count":
        check_range(values, broken, minimum="zero", maximum=1e9, whole=True)
    else:
        check_range(values, broken, minimum="zero", maximum=1e12)
    if kind == "weight":
        for position in np.flatnonzero(np.isnan(values)).tolist():
            if is_blank(column.cells[position]):
                broken[position] = Broken("missing_value")


def _owners(table: Table, single: str | None, findings: Findings) -> tuple[list[str], NDArray[np.int32]]:
    """Return parcel ids, and for every row the position of its parcel among them."""
    column = table.columns.get("parcel_id")
    if column is None:
        return [single or ""], np.zeros(table.n_rows, dtype=np.int32)
    index: dict[str, int] = {}
    by_cell = np.zeros(len(column.cells), dtype=np.int32)
    broken: dict[int, Broken] = {}
    for position, cell in enumerate(column.cells):
        name = read_text(cell)
        if name is None or isinstance(name, Broken):
            broken[position] = name or Broken("missing_value")
            name = single or ""
        by_cell[position] = index.setdefault(name, len(index))
    owners = by_cell[column.codes]
    ids = list(index)
    if broken:
        findings.add_column(table, column, broken, np.zeros_like(owners), [None])  # type: ignore[list-item]
    return ids, owners


def class_codes(cells: Sequence[Cell], attribute: Attribute) -> tuple[NDArray[np.int16], dict[int, Broken]]:
    """Return the class code of each distinct cell, `NOT_RECORDED` where blank, with the broken ones by position."""
    codes = np.full(len(cells), NOT_RECORDED, dtype=np.int16)
    broken: dict[int, Broken] = {}
    known = attribute_words(attribute)
    names: dict[str, str] = {}
    unlike_any: Broken | None = None
    for position, cell in enumerate(cells):
        if is_blank(cell):
            continue
        if isinstance(cell, Odd):
            broken[position] = Broken(cell.code, {"expected": f"a {attribute.name}"})
            continue
        text = text_of(cell)
        code = class_code(text, known)
        if code is not None:
            codes[position] = code
            continue
        if not names:
            every = attribute.code_names
            names = {word: every[code] for word, code in known.items()}
            unlike_any = Broken("unknown_class", {"attribute": attribute.name, "nearest": nearest("", names)})
        if len(broken) < MAX_COMPARED:
            values = {"attribute": attribute.name, "nearest": nearest(text, names)}
            broken[position] = Broken("unknown_class", values)
        elif unlike_any is not None:
            broken[position] = unlike_any
    return codes, broken
