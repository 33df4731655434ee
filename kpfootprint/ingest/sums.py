"""Rows of a table that are sums of others: checked against them and left out, or asked about; never stones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, DecimalMarks, read_numbers, text_of
from kpfootprint.ingest.headers import Headers, plain
from kpfootprint.ingest.regular import PlainCells
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import LeftOut, RawTable

STONE_UNIT_CT = 0.01
"""Stones are weighed to this, or finer."""

CELL_UNIT_CT = 0.1
"""Cells of a sorting sheet are weighed to this, or finer."""


def unit_of(values: NDArray[np.float64], *, coarsest: float = 1.0) -> float:
    """Return the unit that values were rounded to: the largest of 1, 0.1, … 0.000001 of which all are multiples."""
    for decimals in range(7):
        unit = 10.0**-decimals
        if unit <= coarsest and np.all(np.abs(values - np.round(values, decimals)) <= 1e-9 * np.maximum(1.0, values)):
            return unit
    return 1e-6


def spread_of(parts: NDArray[np.float64], *, coarsest: float) -> float:
    r"""Return by how much rounding each of `n` parts can move their sum, but for one chance in billions.

    Parts rounded to a unit :math:`u` give their sum an error of standard deviation :math:`u \sqrt{n / 12}`; seven times
    that, :math:`2 u \sqrt n`, is allowed. The unit is looked for in the parts, and is `coarsest` at most.
    """
    return 2.0 * unit_of(parts, coarsest=coarsest) * math.sqrt(len(parts)) + 1e-9 * float(np.sum(parts))


def rounding_tolerance(total: float, parts: NDArray[np.float64], *, coarsest: float) -> float:
    """Return by how much rounding can make a total and the sum of its parts differ.

    A total rounded to a unit is off by half of that; `spread_of` the parts is added.
    """
    return 0.5 * unit_of(np.array([total])) + spread_of(parts, coarsest=coarsest)


_WALKED = 50_000
"""Rows of a table without classes that are searched for sums one by one; of longer lists the last row is looked at."""

_UNIT_CT = 0.1

Sums = list[tuple[int, NDArray[np.float64], NDArray[np.float64]]]
"""Column, its numbers, and their running sums with a zero in front; rows that are left out count as zero."""


def leave_out_totals(
    raw: RawTable, measures: Sequence[int], classes: Sequence[int], headers: Headers, choices: Mapping[str, str]
) -> tuple[RawTable, list[LeftOut], list[Problem]]:
    """Leave out rows that are totals or subtotals, each checked against the rows that it sums.

    Parameters
    ----------
    measures : sequence of int
        Columns of stones and carats.
    classes : sequence of int
        Columns of size classes and classes of attributes.
    choices : mapping
        ``total``: ``leave_out`` or ``keep``, for a last row without a label that is the sum of the others.

    Returns
    -------
    RawTable
        Without the rows that were recognised.
    list of LeftOut
        Those rows.
    list of Problem
        Totals that do not agree, and rows that could be a total or a stone.
    """
    if not measures or raw.n_rows < 2:
        return raw, [], []
    labelled = _labelled_rows(raw, headers, set(measures))
    left: dict[int, LeftOut] = {}
    problems: list[Problem] = []
    marks = _marks(raw)
    values: dict[int, NDArray[np.float64]] = {}
    if len(labelled):
        values = {at: _values(raw, at, marks) for at in measures}
        for row in labelled.tolist():
            if headers.is_mean(_label(raw, row)):
                left[row] = LeftOut(
                    table=raw.name, row=raw.line(row), code="mean_row", values={"label": _label(raw, row)}
                )
        _check_labelled(raw, labelled, values, left, problems)
    _find_unlabelled(raw, labelled, measures, classes, values, marks, choices, left, problems)
    if not left:
        return raw, [], problems
    kept = np.ones(raw.n_rows, dtype=bool)
    kept[list(left)] = False
    return raw.keep(np.flatnonzero(kept)), [left[row] for row in sorted(left)], problems


def _marks(raw: RawTable) -> DecimalMarks:
    return DecimalMarks.seen_in(
        [c for c in column.cells[:2000] if isinstance(c, str) and any(d.isdigit() for d in c)] for column in raw.columns
    )


def _values(raw: RawTable, at: int, marks: DecimalMarks) -> NDArray[np.float64]:
    column = raw.columns[at]
    values, _ = read_numbers(column.cells, marks)
    return values[column.codes]


def _labelled_rows(raw: RawTable, headers: Headers, measures: set[int]) -> NDArray[np.intp]:
    """Return the rows with a cell that says total, in whatever column it stands."""
    found = np.zeros(raw.n_rows, dtype=bool)
    stems = headers.total_stems
    for at, column in enumerate(raw.columns):
        cells = column.cells
        if isinstance(cells, PlainCells) and (cells.numbers is not None or not cells.may_hold(stems)):
            continue
        if at in measures and len(cells) > 1000:
            continue
        texts = [c for c in cells if isinstance(c, str)]
        joined = plain("\n".join(texts)) if len(texts) > 50 else None
        if joined is not None and not any(stem in joined for stem in stems):
            continue
        hits = [
            code for code, c in enumerate(cells) if isinstance(c, str) and (headers.is_total(c) or headers.is_mean(c))
        ]
        if hits:
            mask = np.zeros(len(cells), dtype=bool)
            mask[hits] = True
            found |= mask[column.codes]
    return np.flatnonzero(found)


def _label(raw: RawTable, row: int) -> str:
    """Return the first text of a row."""
    for column in raw.columns:
        cell: Cell = column.at(row)
        if isinstance(cell, str) and cell.strip() and not cell.strip()[0].isdigit():
            return text_of(cell)
    return ""


def _equals(total: float, parts: NDArray[np.float64]) -> bool:
    """Say whether a number without a label is the sum of others, to the hundredth."""
    return bool(np.isfinite(parts).all()) and abs(float(parts.sum()) - total) <= 0.0051


def _agrees(total: float, parts: NDArray[np.float64]) -> bool:
    parts = parts[np.isfinite(parts)]
    if not len(parts):
        return total == 0
    whole = bool(np.all(parts == np.floor(parts))) and total == math.floor(total)
    slack = 0.5 if whole and total < 1e9 else rounding_tolerance(total, parts, coarsest=_UNIT_CT)
    return abs(float(parts.sum()) - total) <= slack


def _check_labelled(
    raw: RawTable,
    labelled: NDArray[np.intp],
    values: Mapping[int, NDArray[np.float64]],
    left: dict[int, LeftOut],
    problems: list[Problem],
) -> None:
    own = np.ones(raw.n_rows, dtype=bool)
    own[labelled] = False
    start, last = 0, -1
    for row in labelled.tolist():
        if row in left:
            continue
        shown = {at: float(v[row]) for at, v in values.items() if np.isfinite(v[row])}
        begins = dict.fromkeys((start, 0))
        agreeing = [
            begin
            for begin in begins
            if all(_agrees(total, _parts(values[at], own, begin, row)) for at, total in shown.items())
        ]
        if agreeing:
            code = "total_checked" if shown else "total_without_numbers"
            left[row] = LeftOut(table=raw.name, row=raw.line(row), code=code, values={"label": _label(raw, row)})
            start, last = row + 1, row
            continue
        at, total = (
            next(
                (at, total)
                for at, total in shown.items()
                if not any(_agrees(total, _parts(values[at], own, begin, row)) for begin in begins)
            )
            if any(
                not any(_agrees(total, _parts(values[at], own, begin, row)) for begin in begins)
                for at, total in shown.items()
            )
            else next(iter(shown.items()))
        )
        sums = [float(np.nansum(_parts(values[at], own, begin, row))) for begin in begins]
        nearest = min(sums, key=lambda found: abs(found - total))
        problems.append(
            problem(
                Broken("total_disagrees", {"expected": f"{total:g}", "found": f"{nearest:.6g}"}),
                table=raw.name,
                row=raw.line(row),
                column=raw.columns[at].header,
                value=raw.columns[at].at(row),
            )
        )
        left[row] = LeftOut(table=raw.name, row=raw.line(row), code="total_checked", values={"label": _label(raw, row)})
        start, last = row + 1, row
    if last >= 0:
        for row in range(last + 1, raw.n_rows):
            if all(not np.isfinite(v[row]) and _is_blank_at(raw, at, row) for at, v in values.items()):
                left[row] = LeftOut(
                    table=raw.name, row=raw.line(row), code="note_below", values={"label": _label(raw, row)}
                )


def _is_blank_at(raw: RawTable, at: int, row: int) -> bool:
    cell = raw.columns[at].at(row)
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _parts(values: NDArray[np.float64], own: NDArray[np.bool_], begin: int, end: int) -> NDArray[np.float64]:
    return values[begin:end][own[begin:end]]


def _find_unlabelled(
    raw: RawTable,
    labelled: NDArray[np.intp],
    measures: Sequence[int],
    classes: Sequence[int],
    values: dict[int, NDArray[np.float64]],
    marks: DecimalMarks,
    choices: Mapping[str, str],
    left: dict[int, LeftOut],
    problems: list[Problem],
) -> None:
    """Find sums that no word names: rows without any class among rows that have one, and the last row of a list."""
    rows = np.setdiff1d(np.arange(raw.n_rows), [*left, *labelled.tolist()]) if left else np.arange(raw.n_rows)
    if len(rows) < 3:
        return
    bare = np.zeros(raw.n_rows, dtype=bool)
    if classes:
        blank = np.logical_and.reduce([raw.columns[at].blank() for at in classes])
        if np.mean(blank[rows]) <= 0.34:
            bare = blank
    suspects = rows[bare[rows]]
    last = int(rows[-1])
    halves = _last_may_be_a_sum(raw, measures, rows, marks, values)
    if not len(suspects) and not halves and (classes or len(rows) > _WALKED):
        return
    for at in measures:
        if at not in values:
            values[at] = _values(raw, at, marks)
    own = np.zeros(raw.n_rows, dtype=bool)
    own[rows] = True
    start = int(rows[0])
    for row in suspects.tolist():
        for begin in (start, int(rows[0])):
            inside = np.flatnonzero(own[begin:row]) + begin
            shown = {at: float(v[row]) for at, v in values.items() if np.isfinite(v[row])}
            if len(inside) < (2 if row == last else 3) or not shown:
                continue
            if all(_equals(total, values[at][inside]) for at, total in shown.items()):
                left[row] = LeftOut(table=raw.name, row=raw.line(row), code="sum_of_rows", values={})
                own[row] = False
                start = row + 1
                break
    if last in left or choices.get("total") == "keep":
        return
    found = _sum_without_classes(rows, values, own, classes=bool(classes))
    for row in found:
        if choices.get("total") == "leave_out":
            left[row] = LeftOut(table=raw.name, row=raw.line(row), code="sum_of_rows", values={})
            continue
        at = next(at for at, v in values.items() if np.isfinite(v[row]))
        options = [("total", "leave_out"), ("total", "keep")]
        problems.append(
            problem(
                Broken("total_or_stone", {"choices": options}),
                table=raw.name,
                row=raw.line(row),
                column=raw.columns[at].header,
                value=raw.columns[at].at(row),
            )
        )


def _last_may_be_a_sum(
    raw: RawTable,
    measures: Sequence[int],
    rows: NDArray[np.intp],
    marks: DecimalMarks,
    values: dict[int, NDArray[np.float64]],
) -> bool:
    """Say quickly whether the last row holds about half of what the column sums to."""
    for at in measures:
        if at not in values:
            values[at] = _values(raw, at, marks)
        total = float(np.nansum(values[at][rows]))
        last = float(values[at][rows[-1]])
        if np.isfinite(last) and last > 0 and abs(total - 2 * last) <= 0.02 * total:
            return True
    return False


def _sum_without_classes(
    rows: NDArray[np.intp],
    values: Mapping[int, NDArray[np.float64]],
    own: NDArray[np.bool_],
    *,
    classes: bool,
) -> list[int]:
    """Return rows that are sums of those before them and have nothing that tells them from a stone."""
    rows = rows[own[rows]]
    last = int(rows[-1])
    before = rows[:-1]
    shown = {at: float(v[last]) for at, v in values.items() if np.isfinite(v[last]) and v[last] > 0}
    enough = 4 if classes else 2
    found: list[int] = []
    if shown and len(before) >= enough and all(_equals(total, values[at][before]) for at, total in shown.items()):
        found.append(last)
    if classes or found or len(rows) > _WALKED or len(values) != 1:
        return found
    weights = next(iter(values.values()))[rows]
    start, total, sums = 0, 0.0, []
    for place, weight in enumerate(weights.tolist()):
        if place - start >= 5 and abs(total - weight) <= 0.005 + 1e-9:
            sums.append(int(rows[place]))
            start, total = place + 1, 0.0
        elif math.isfinite(weight):
            total += weight
    return sums if len(sums) > 1 else found
