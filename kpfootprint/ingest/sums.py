"""Rows of a table that are sums of others: checked against them and left out, or asked about; never stones."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, DecimalMarks, read_number, read_numbers, text_of
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

_LABELLED = re.compile(r"[^\W\d]+\s*[:=]\s*(\d.*)")
"""A total whose label stands in the cell of its number: ``Total: 65``."""


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
    labels, summaries = _labelled_rows(raw, headers, set(measures))
    left: dict[int, LeftOut] = {}
    problems: list[Problem] = []
    marks = _marks(raw)
    values: dict[int, NDArray[np.float64]] = {}
    if labels or summaries:
        values = {at: _values(raw, at, marks) for at in measures}
        named = _named_rows(raw, classes)
        own = np.ones(raw.n_rows, dtype=bool)
        own[[*labels, *summaries]] = False
        for row in [row for row, label in labels.items() if headers.is_weak_total(label) and named[row]]:
            if not _agreeing(row, labels, values, own):
                del labels[row]  # a remark beside a stone
    labelled = np.array(sorted({*labels, *summaries}), dtype=np.intp)
    _find_unlabelled(raw, labelled, measures, classes, values, marks, choices, left, problems)
    if labels or summaries:
        none = np.array(sorted({*labelled.tolist(), *left}), dtype=np.intp)
        _check_labelled(raw, none, labels, values, left, problems)
        _check_summaries(raw, none, summaries, values, named, left, problems)
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
    values, broken = read_numbers(column.cells, marks)
    for code in broken:
        said = _LABELLED.fullmatch(text_of(column.cells[code]))
        if said is not None:
            number = read_number(said[1], marks)
            values[code] = np.nan if isinstance(number, Broken) else number
    return values[column.codes]


def _labelled_rows(raw: RawTable, headers: Headers, measures: set[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Return the labels of rows with a cell that says total, in whatever column, and those of means and the like."""
    totals: dict[int, str] = {}
    summaries: dict[int, str] = {}
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
        for code, cell in enumerate(cells):
            if not isinstance(cell, str):
                continue
            found = totals if headers.is_total(cell) else summaries if headers.is_summary(cell) else None
            if found is not None:
                for row in np.flatnonzero(column.codes == code).tolist():
                    found.setdefault(row, text_of(cell))
    return totals, {row: label for row, label in summaries.items() if row not in totals}


def _named_rows(raw: RawTable, classes: Sequence[int]) -> NDArray[np.bool_]:
    """Say of each row whether every class column of it is filled."""
    if not classes:
        return np.zeros(raw.n_rows, dtype=bool)
    blank = np.logical_or.reduce([raw.columns[at].blank() for at in classes])
    return np.asarray(~blank, dtype=bool)


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
    most = 0.5 * (unit_of(np.array([total])) + unit_of(parts, coarsest=_UNIT_CT) * len(parts)) + 1e-6
    slack = 0.5 if whole and total < 1e9 else min(most, rounding_tolerance(total, parts, coarsest=_UNIT_CT))
    return abs(float(parts.sum()) - total) <= slack


def _shown(values: Mapping[int, NDArray[np.float64]], row: int) -> dict[int, float]:
    """Return the numbers of a row, by column."""
    return {at: float(v[row]) for at, v in values.items() if np.isfinite(v[row])}


def _spans(row: int, labels: Mapping[int, str], start: int, n_rows: int) -> list[tuple[int, int]]:
    """Return the rows that a total may sum: since the last total, from the first row on, or those below it."""
    below = min((other for other in labels if other > row), default=n_rows)
    return list(dict.fromkeys([(start, row), (0, row), (row + 1, below), (row + 1, n_rows)]))


def _agreeing(
    row: int,
    labels: Mapping[int, str],
    values: Mapping[int, NDArray[np.float64]],
    own: NDArray[np.bool_],
    start: int | None = None,
) -> bool:
    """Say whether all numbers of a total agree with the same rows."""
    shown = _shown(values, row)
    before = [other + 1 for other in labels if other < row]
    begin = max(before, default=0) if start is None else start
    return any(
        all(_agrees(total, values[at][low:high][own[low:high]]) for at, total in shown.items())
        for low, high in _spans(row, labels, begin, len(own))
    )


def _check_labelled(
    raw: RawTable,
    labelled: NDArray[np.intp],
    labels: Mapping[int, str],
    values: Mapping[int, NDArray[np.float64]],
    left: dict[int, LeftOut],
    problems: list[Problem],
) -> None:
    """Hold each total against the rows since the last total, or from the first row on, or against those below it."""
    own = np.ones(raw.n_rows, dtype=bool)
    own[labelled] = False
    start, last = 0, -1
    for row in sorted(labels):
        shown = _shown(values, row)
        spans = _spans(row, labels, start, raw.n_rows)
        parts = {at: [values[at][low:high][own[low:high]] for low, high in spans] for at in shown}
        if not _agreeing(row, labels, values, own, start):
            at = next((at for at, total in shown.items() if not any(map(partial(_agrees, total), parts[at]))), None)
            at = next(iter(shown)) if at is None else at
            nearest = min((float(np.nansum(part)) for part in parts[at]), key=lambda found: abs(found - shown[at]))
            problems.append(
                problem(
                    Broken("total_disagrees", {"expected": f"{shown[at]:g}", "found": f"{nearest:.6g}"}),
                    table=raw.name,
                    row=raw.line(row),
                    column=raw.columns[at].header,
                    value=raw.columns[at].at(row),
                )
            )
        code = "total_checked" if shown else "total_without_numbers"
        left[row] = LeftOut(table=raw.name, row=raw.line(row), code=code, values={"label": labels[row]})
        start, last = row + 1, row
    for row in range(last + 1, raw.n_rows) if last > 0 else ():
        if all(not np.isfinite(v[row]) and _is_blank_at(raw, at, row) for at, v in values.items()):
            left[row] = LeftOut(
                table=raw.name, row=raw.line(row), code="note_below", values={"label": _label(raw, row)}
            )


def _check_summaries(
    raw: RawTable,
    labelled: NDArray[np.intp],
    summaries: Mapping[int, str],
    values: Mapping[int, NDArray[np.float64]],
    named: NDArray[np.bool_],
    left: dict[int, LeftOut],
    problems: list[Problem],
) -> None:
    """Leave out rows that are named after means, extremes or numbers of rows, where their numbers are those."""
    own = np.ones(raw.n_rows, dtype=bool)
    own[labelled] = False
    for row, label in summaries.items():
        shown = _shown(values, row)
        sums = {at: v[:row][own[:row]] for at, v in values.items()}
        if row and "%" in label and _are_shares(shown, sums):
            left[row] = LeftOut(table=raw.name, row=raw.line(row), code="share_row", values={"label": label})
            continue
        if named[row] and not all(_summarises(value, sums[at], sums) for at, value in shown.items()):
            continue  # a word of a stone: of average quality, say
        if row and all(_summarises(value, sums[at], sums) for at, value in shown.items()):
            left[row] = LeftOut(table=raw.name, row=raw.line(row), code="mean_row", values={"label": label})
            continue
        if row in left:
            continue
        broken = Broken("summary_or_stone", {"label": label})
        problems.append(problem(broken, table=raw.name, row=raw.line(row), value=label))


def _summarises(value: float, parts: NDArray[np.float64], others: Mapping[int, NDArray[np.float64]]) -> bool:
    """Say whether a number is the mean, an extreme, the number or a middle of others, or the weight of their stones."""
    parts = parts[np.isfinite(parts)]
    if not len(parts):
        return False
    total = float(parts.sum())
    sums = [float(np.nansum(item)) for item in others.values()]
    found = [total / len(parts), parts.min(), parts.max(), len(parts), float(np.median(parts)), float(np.std(parts))]
    found += [float(np.std(parts, ddof=1))] if len(parts) > 1 else []
    found += [total / other for other in sums if other > 0]
    return any(abs(value - item) <= 0.0051 + 0.005 * abs(item) for item in found)


def _are_shares(shown: Mapping[int, float], sums: Mapping[int, NDArray[np.float64]]) -> bool:
    """Say whether the numbers of a row are the percents, or the parts of one, of the sums of their columns."""
    totals = {at: float(np.nansum(sums[at])) for at in shown}
    whole = sum(totals.values())
    return all(
        any(abs(value - scale * totals[at] / whole) <= 0.0051 * scale for scale in (1.0, 100.0))
        for at, value in shown.items()
        if whole > 0
    )


def _is_blank_at(raw: RawTable, at: int, row: int) -> bool:
    cell = raw.columns[at].at(row)
    return cell is None or (isinstance(cell, str) and not cell.strip())


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
    rows = np.setdiff1d(np.arange(raw.n_rows), labelled) if len(labelled) else np.arange(raw.n_rows)
    if len(rows) < 3:
        return
    bare = np.zeros(raw.n_rows, dtype=bool)
    if classes:
        blank = np.logical_and.reduce([raw.columns[at].blank() for at in classes])
        if np.mean(blank[rows]) <= 0.5:
            bare = blank
    suspects = rows[bare[rows]]
    last = int(rows[-1])
    halves = _an_end_may_be_a_sum(raw, measures, rows, marks, values)
    if not len(suspects) and not halves and (classes or len(rows) > _WALKED):
        return
    for at in measures:
        if at not in values:
            values[at] = _values(raw, at, marks)
    own = np.zeros(raw.n_rows, dtype=bool)
    own[rows] = True
    start = int(rows[0])
    for row in suspects.tolist():
        for begin, end in ((start, row), (int(rows[0]), row), (row + 1, raw.n_rows)):
            if end > row and (row != int(rows[0]) or row == last):
                continue
            inside = np.flatnonzero(own[begin:end]) + begin
            shown = {at: float(v[row]) for at, v in values.items() if np.isfinite(v[row])}
            if len(inside) < (2 if row == last or len(shown) > 1 else 3) or not shown:
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


def _an_end_may_be_a_sum(
    raw: RawTable,
    measures: Sequence[int],
    rows: NDArray[np.intp],
    marks: DecimalMarks,
    values: dict[int, NDArray[np.float64]],
) -> bool:
    """Say quickly whether the first or the last row holds about half of what the column sums to."""
    for at in measures:
        if at not in values:
            values[at] = _values(raw, at, marks)
        total = float(np.nansum(values[at][rows]))
        ends = values[at][rows[[0, -1]]]
        if any(np.isfinite(end) and end > 0 and abs(total - 2 * end) <= 0.02 * total for end in ends.tolist()):
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
    enough = 4 if classes else 2
    found: list[int] = []
    for end, others in ((int(rows[-1]), rows[:-1]), (int(rows[0]), rows[1:])):
        shown = {at: float(v[end]) for at, v in values.items() if np.isfinite(v[end]) and v[end] > 0}
        if shown and len(others) >= enough and all(_equals(total, values[at][others]) for at, total in shown.items()):
            found.append(end)
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
