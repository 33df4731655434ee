"""A parcel as a JSON document, read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.assemble import assemble
from kpfootprint.ingest.build import CONDITIONS
from kpfootprint.ingest.cells import Cell, Odd, text_of
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.recognise import recognise
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, ColumnMaker, RawTable, Table
from kpfootprint.ingest.words import Words, fold, nearest
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme

_LISTS = ("declarations", "stones", "counts", "size_classes")


def ingest_json(
    document: object,
    scheme: Scheme,
    zone_table: ZoneTable,
    limits: Limits | None = None,
    *,
    given: Mapping[str, Any] | None = None,
    sealed: bool = False,
) -> Parcel:
    """Read the JSON parcel of the contract: columns or rows of stones, or counts.

    Parameters
    ----------
    document : object
        A parsed JSON document: an object with ``parcel_id`` and ``stones`` or ``counts``.
    given : mapping, optional
        What is known besides, in the same shape without stones; it goes before what the document says.
    sealed : bool
        Whether the document was written by `parcel_to_json` with ``sealed``, and says how its sheet was read.

    Returns
    -------
    Parcel

    Raises
    ------
    IngestError
        With every problem. ``row`` is the position of a stone, declaration or cell, counted from 1; numbers must be
        JSON numbers, so a number in quotes is refused.
    """
    words, limits = Words(scheme, zone_table), limits or Limits()
    problems: list[Problem] = []
    read_as = None
    if sealed and isinstance(document, Mapping):
        read_as = document.get("read_as")
        document = {name: value for name, value in document.items() if name != "read_as"}
    if given and isinstance(document, Mapping) and "parcel_id" in given:
        document = {**document, "parcel_id": given["parcel_id"]}
    tables, parcel_id = document_tables(document, words, limits, problems)
    tables = overlay(tables, given or {}, parcel_id, words, limits, problems)
    submission = assemble(tables, words, limits, single=parcel_id, problems=problems)
    if submission.failures:
        raise IngestError(submission.problems())
    parcel = submission.batch.parcels[0]
    return parcel if read_as is None else replace(parcel, read_as=read_as)


def overlay(
    tables: Mapping[str, Table],
    given: Mapping[str, Any],
    parcel_id: str,
    words: Words,
    limits: Limits,
    problems: list[Problem],
) -> dict[str, Table]:
    """Lay what the caller knows of a parcel over what its file or document says: the one place where the two meet.

    A field that is given goes before the parcel's own, declarations that are given before all of its own; what is blank
    or None is not given.
    """
    said = {name: value for name, value in given.items() if value is not None and value not in ([], {})}
    laid = dict(tables)
    if not said:
        return laid
    extra, _ = document_tables(said | {"parcel_id": parcel_id}, words, limits, problems)
    for kind, table in extra.items():
        laid[kind] = _over(table, laid[kind]) if kind == "parcels" and kind in laid else table
    return laid


def _over(given: Table, own: Table) -> Table:
    """Lay a row that the caller gave over the parcel's own row."""
    if own.n_rows == 0:
        return given
    columns = dict(own.columns)
    for name, column in given.columns.items():
        columns[name] = Column(column.header, column.cells, np.zeros(own.n_rows, dtype=np.int32))
    return replace(own, columns=columns)


def document_tables(
    document: object, words: Words, limits: Limits, problems: list[Problem]
) -> tuple[dict[str, Table], str]:
    """Turn a JSON parcel into tables, and return the parcel's id with them; faults are added to `problems`."""
    if not isinstance(document, Mapping):
        raise IngestError([problem(Broken("wrong_type", {"expected": "an object"}), table="parcel", value=document)])
    fields = {
        name: value for name, value in document.items() if name not in (*_LISTS, "conditions") and value is not None
    }
    conditions = document.get("conditions")
    if isinstance(conditions, Mapping):
        known = words.columns("parcels")
        strange = [name for name in conditions if known.get(fold(str(name))) not in CONDITIONS]
        for name in strange[:20]:
            broken = Broken("unknown_member", {"nearest": nearest(str(name)[:80], {fold(c): c for c in CONDITIONS})})
            problems.append(problem(broken, table="conditions", column=str(name)))
        fields |= {n: value for n, value in conditions.items() if value is not None and n not in strange}
    elif conditions is not None:
        problems.append(_wrong("conditions", conditions, "an object"))
    sizes = _named_sizes(document.get("size_classes"), fields)
    parcel_id = fields.get("parcel_id")
    if not isinstance(parcel_id, str) or not parcel_id.strip():
        blank = parcel_id is None or isinstance(parcel_id, str)
        broken = Broken("missing_value") if blank else Broken("wrong_type", {"expected": "text"})
        problems.append(problem(broken, table="parcel", column="parcel_id", value=parcel_id))
        fields["parcel_id"] = parcel_id = "parcel"
    parcel_id = text_of(parcel_id)
    raws = [_raw("parcel", {name: [value] for name, value in fields.items()}, numbered=False)]
    kinds = ["parcels"]
    for kind in _LISTS:
        value = sizes if kind == "size_classes" else document.get(kind)
        if value is None:
            continue
        columns = _columns(kind, value, problems, limits.max_columns)
        if columns:
            raws.append(_raw(kind, columns))
            kinds.append(kind)
    tables: dict[str, Table] = {}
    for kind, raw in zip(kinds, raws, strict=True):
        if len(raw.columns[0].codes) > limits.max_rows:
            problems.append(problem(Broken("too_many_rows", {"limit": limits.max_rows}), table=raw.name))
        else:
            tables[kind] = recognise(raw, kind, words, problems)
    return tables, parcel_id


def _wrong(kind: str, value: object, expected: str, row: int | None = None) -> Problem:
    return problem(Broken("wrong_type", {"expected": expected}), table=kind, row=row, value=value)


def _named_sizes(sizes: object, fields: dict[str, Any]) -> object:
    """Let size classes and the parcel name the same sieve set where only one of them does, or none."""
    if not isinstance(sizes, list | tuple) or not all(isinstance(item, Mapping) for item in sizes):
        return sizes
    names = {str(item["sieve_set"]) for item in sizes if item.get("sieve_set") is not None}
    if "sieve_set" not in fields and len(names) <= 1:
        fields["sieve_set"] = next(iter(names), "declared")
    return [{"sieve_set": fields["sieve_set"], **item} if "sieve_set" in fields else item for item in sizes]


def _columns(kind: str, value: object, problems: list[Problem], max_columns: int) -> dict[str, Sequence[Any]]:
    """Return a list of rows, or an object of columns, as columns."""
    if isinstance(value, Mapping) and kind == "stones":
        lists = {name: column for name, column in value.items() if column is not None}
        if len(lists) > max_columns:
            problems.append(problem(Broken("too_many_columns", {"limit": max_columns}), table=kind))
            return {}
        for name, column in lists.items():
            if not isinstance(column, list | tuple):
                problems.append(problem(Broken("wrong_type", {"expected": "a list"}), table=kind, column=name))
                return {}
        first, length = next(((name, len(column)) for name, column in lists.items()), ("", 0))
        for name, column in lists.items():
            if len(column) != length:
                values = {"found": len(column), "expected": length, "column": first}
                problems.append(problem(Broken("unequal_columns", values), table=kind, column=name))
        return lists if length and all(len(column) == length for column in lists.values()) else {}
    if not isinstance(value, list | tuple):
        problems.append(_wrong(kind, value, "a list of objects"))
        return {}
    wrong = [at for at, row in enumerate(value, start=1) if not isinstance(row, Mapping)]
    if wrong:
        problems.extend(_wrong(kind, value[at - 1], "an object", at) for at in wrong[:1000])
        return {}
    names: dict[Any, None] = {}
    for row in value:
        names.update(dict.fromkeys(row))
        if len(names) > max_columns:
            problems.append(problem(Broken("too_many_columns", {"limit": max_columns}), table=kind))
            return {}
    return {name: [row.get(name) for row in value] for name in names}


def _raw(name: str, columns: Mapping[str, Sequence[Any]], *, numbered: bool = True) -> RawTable:
    made = []
    n_rows = 0
    for header, values in columns.items():
        maker = ColumnMaker()
        flags = not numbered or header == "sample"
        maker.add([_scalar(value) for value in values] if flags else typed_cells(values))
        made.append(maker.column(str(header)))
        n_rows = len(values)
    rows = np.arange(1, n_rows + 1, dtype=np.int32) if numbered else None
    return RawTable(name=name, source="document", columns=made, rows=rows, typed=True)


def _scalar(value: object) -> Cell:
    return value if isinstance(value, bool) else typed_cells([value])[0]


def typed_cells(values: Sequence[object]) -> list[Cell]:
    """Turn JSON values into cells: yes and no, lists and objects become `Odd`, so that they pass for nothing else."""
    kinds = set(map(type, values))
    if kinds <= {str, float, int, type(None)}:
        return list(values)  # type: ignore[arg-type]
    plain = (str, float, int, type(None))
    return [v if isinstance(v, plain) and not isinstance(v, bool) else Odd("wrong_type", _json_text(v)) for v in values]


def _json_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
