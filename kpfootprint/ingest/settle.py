"""What can only be decided with all tables at hand: whose valuation is read, and the limits of a sheet's own sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, Odd, is_blank, text_of
from kpfootprint.ingest.fields import marks_of
from kpfootprint.ingest.meanings import Choices
from kpfootprint.ingest.numbers import read_numbers
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.sizes import is_pair, overlap, set_of
from kpfootprint.ingest.tables import Column, Note, Table
from kpfootprint.ingest.words import Words, find_size, fold, fold_size, size_words
from kpfootprint.scheme import SieveSet

SOFT = 0.1
"""How far beyond its limits, as a part of them, the mean stone of a class may lie: screens are soft."""

_FEW = 5
"""Stones of a class below which their mean says nothing of its limits."""


def chosen_valuation(
    tables: dict[str, Table], named: str | None, choices: Choices, problems: list[Problem], *, one: bool
) -> dict[str, Table]:
    """Take the valuation that was chosen; without a choice, a submission has a parcel for each, and one parcel asks."""
    counts = tables.get("counts")
    if counts is None or not counts.valuations:
        return tables
    parties = counts.valuations
    chosen = next((party for party in parties if fold(party) == fold(choices.get("valuation", ""))), None)
    if chosen is not None:
        return {**tables, "counts": parties[chosen]}
    if one:
        told = "; ".join(f"{party} ({_totals(item)})" for party, item in parties.items())
        broken = Broken("which_valuation", {"found": told, "choices": [("valuation", party) for party in parties]})
        problems.append(problem(broken, table=counts.name))
        return {**tables, "counts": replace(counts, complete=False, valuations={})}
    return {
        **{kind: table for kind, table in tables.items() if kind != "parcels"},
        "counts": _side_by_side(parties, named or "parcel"),
    }


def _totals(table: Table) -> str:
    said = []
    for name, unit in (("n_stones", "stones"), ("carats", "ct")):
        if name in table.columns:
            column = table.columns[name]
            values, _ = read_numbers(column.cells, marks_of(table))
            total = float(np.nansum(values[column.codes]))
            said.append(f"{total:.0f} {unit}" if name == "n_stones" else f"{total:.2f} {unit}")
    return ", ".join(said)


def _side_by_side(parties: Mapping[str, Table], parcel_id: str) -> Table:
    """Stack the valuations of a parcel as parcels of their own: ``P/exporter``, ``P/ministry``."""
    tables = list(parties.values())
    first = tables[0]
    columns: dict[str, Column] = {}
    for name in dict.fromkeys(name for table in tables for name in table.columns):
        cells: list[Cell] = [None]
        codes, headers = [], []
        for table in tables:
            column = table.columns.get(name)
            if column is None:
                codes.append(np.zeros(table.n_rows, dtype=np.int32))
                headers += [name] * table.n_rows
            else:
                codes.append((column.codes + len(cells)).astype(np.int32))
                cells += list(column.cells)
                headers += [column.header] * table.n_rows
        columns[name] = Column(name, cells, np.concatenate(codes), headers)
    ids: list[Cell] = [f"{parcel_id}/{party}" for party in parties]
    codes = [np.full(table.n_rows, at, dtype=np.int32) for at, table in enumerate(tables)]
    columns["parcel_id"] = Column("parcel_id", ids, np.concatenate(codes))
    rows = None if first.rows is None else np.concatenate([table.rows for table in tables if table.rows is not None])
    return replace(
        first, columns=columns, n_rows=sum(table.n_rows for table in tables), rows=rows, ragged={}, valuations={}
    )


def settle_sizes(tables: dict[str, Table], words: Words, problems: list[Problem]) -> dict[str, Table]:
    """Give each size class of a sheet its limits, where the sheet's sieve set is not named and is not the package's.

    The mean stone of a class must lie within its limits, softly: where it does not, the classes were misunderstood.
    """
    table = tables.get("counts")
    if table is None or "size_class" not in table.columns or "lower_ct" in table.columns:
        return tables
    column = table.columns["size_class"]
    used = [column.cells[code] for code in np.unique(column.codes).tolist()]
    if any(isinstance(cell, Odd) for cell in used):
        return tables
    labels = [text_of(cell) for cell in used if not is_blank(cell)]
    if not labels:
        return tables
    own = words.scheme.size.sieve_set
    known = size_words(own)
    in_own = all(find_size(label, known) is not None for label in labels)
    named = "size_classes" in tables or _names_a_set(tables.get("parcels"))
    open_above = any(fold_size(label).startswith("+") and not is_pair(label) for label in labels)
    if named or table.typed or (in_own and not (open_above and any(map(is_pair, labels)))):
        if in_own and not named and not table.typed:
            _check_means(table, {label: _limits(own, label) for label in labels}, problems)
        return tables
    made, unknown = set_of(labels, words.scheme)
    if made is None:
        for label in unknown[:20]:
            _tell_unknown(table, label, problems)
        return {**tables, "counts": replace(table, complete=False)}
    lots = "breakdown" in table.columns and table.columns["breakdown"].header == "lots"
    both = overlap(made)
    if both is not None and not lots:
        problems.append(table.problem(Broken("sizes_overlap", {"one": both[0], "other": both[1]}), None, "size_class"))
        return tables
    limits = {label: (low, high) for label, low, high in zip(made.classes, made.lower_ct, made.upper_ct, strict=True)}
    _check_means(table, limits, problems)
    table.trace.notes.append(Note(code="size_limits", values={"classes": _told(made)}))
    blank: dict[int, tuple[float | None, float | None]] = {}
    for code, cell in enumerate(column.cells):
        low, high = limits.get(text_of(cell), (None, None)) if not is_blank(cell) else (None, None)
        blank[code] = (low, None if high == float("inf") else high)
    columns = dict(table.columns)
    for position, name in enumerate(("lower_ct", "upper_ct")):
        cells: list[Cell] = [blank[code][position] for code in range(len(column.cells))]
        columns[name] = Column(column.header, cells, column.codes)
    return {**tables, "counts": replace(table, columns=columns)}


def _names_a_set(parcels: Table | None) -> bool:
    if parcels is None or "sieve_set" not in parcels.columns:
        return False
    column = parcels.columns["sieve_set"]
    return any(not is_blank(column.cells[code]) for code in np.unique(column.codes).tolist())


def _limits(own: SieveSet, label: str) -> tuple[float, float]:
    at = find_size(label, size_words(own))
    assert at is not None
    return own.lower_ct[at], own.upper_ct[at]


def _told(made: SieveSet) -> str:
    items = zip(made.classes, made.lower_ct, made.upper_ct, strict=True)
    return "; ".join(
        f"{label}: {low:g} ct and more" if high == float("inf") else f"{label}: {low:g} to {high:g} ct"
        for label, low, high in items
    )


def _tell_unknown(table: Table, label: str, problems: list[Problem]) -> None:
    column = table.columns["size_class"]
    code = next(at for at, cell in enumerate(column.cells) if text_of(cell) == label)
    rows = np.flatnonzero(column.codes == code)
    problems.append(table.problem(Broken("unknown_size"), int(rows[0]), "size_class"))


def _check_means(table: Table, limits: Mapping[str, tuple[float, float]], problems: list[Problem]) -> None:
    """Tell the classes whose stones weigh on average what no stone of the class weighs."""
    if not {"n_stones", "carats"} <= set(table.columns):
        return
    column = table.columns["size_class"]
    marks = marks_of(table)
    n, ct = (
        read_numbers(table.columns[name].cells, marks)[0][table.columns[name].codes] for name in ("n_stones", "carats")
    )
    both = np.isfinite(n) & np.isfinite(ct)
    for code, cell in enumerate(column.cells):
        if is_blank(cell) or text_of(cell) not in limits:
            continue
        rows = np.flatnonzero((column.codes == code) & both)
        stones, carats = float(n[rows].sum()), float(ct[rows].sum())
        low, high = limits[text_of(cell)]
        if stones < _FEW or carats <= 0:
            continue
        mean, slack = carats / stones, 0.005 * len(rows) / stones
        if low * (1 - SOFT) - slack <= mean <= high * (1 + SOFT) + slack:
            continue
        told = {"mean": f"{mean:.3g}", "lower": f"{low:g}", "upper": "any" if high == float("inf") else f"{high:g}"}
        problems.append(table.problem(Broken("size_mean_outside", told), int(rows[0]), "size_class"))
