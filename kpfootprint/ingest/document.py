"""A parcel as a JSON document, read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.assemble import assemble
from kpfootprint.ingest.cells import Cell, Odd, text_of
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.recognise import recognise
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import ColumnMaker, RawTable, Table
from kpfootprint.ingest.words import Words
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme

_LISTS = ("declarations", "stones", "counts", "size_classes")


def ingest_json(document: object, scheme: Scheme, zone_table: ZoneTable, limits: Limits | None = None) -> Parcel:
    """Read the JSON parcel of the contract: columns or rows of stones, or counts.

    Parameters
    ----------
    document : object
        A parsed JSON document: an object with ``parcel_id`` and ``stones`` or ``counts``.

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
    tables, parcel_id = document_tables(document, words, limits, problems)
    submission = assemble(tables, words, limits, single=parcel_id, problems=problems)
    if submission.failures:
        raise IngestError(submission.problems())
    return submission.batch.parcels[0]


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
        fields |= {name: value for name, value in conditions.items() if value is not None}
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
        columns = _columns(kind, value, problems)
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


def _columns(kind: str, value: object, problems: list[Problem]) -> dict[str, Sequence[Any]]:
    """Return a list of rows, or an object of columns, as columns."""
    if isinstance(value, Mapping) and kind == "stones":
        lists = {name: column for name, column in value.items() if column is not None}
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
    names = dict.fromkeys(name for row in value for name in row)
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
