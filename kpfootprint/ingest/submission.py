"""Submissions and single tables from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.archive import refuse
from kpfootprint.ingest.assemble import Submission, assemble
from kpfootprint.ingest.cells import Cell, is_blank, text_of
from kpfootprint.ingest.document import document_tables
from kpfootprint.ingest.files import read_tables, stem
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, Table
from kpfootprint.ingest.words import Words
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme


def ingest_submission(path: Path, scheme: Scheme, zone_table: ZoneTable, limits: Limits | None = None) -> Submission:
    """Read a submission: a folder, a .zip or an .xlsx workbook with the tables of the contract.

    Parameters
    ----------
    path : Path
        A folder or .zip with one CSV file a table, an .xlsx workbook with one sheet a table, or one table alone.

    Returns
    -------
    Submission
        The good parcels, and the others with all that is wrong with each. Every parcel may have failed.

    Raises
    ------
    IngestError
        With every problem, where a table cannot be read, or rows cannot be laid to a parcel.
    """
    words, limits = Words(scheme, zone_table), limits or Limits()
    problems: list[Problem] = []
    tables = read_tables(path, words, limits, problems)
    named = _parcel_ids(tables)
    single = None if len(named) > 1 else next(iter(named), stem(path))
    if single is None:
        tables = {kind: _needs_parcel_id(table, problems) for kind, table in tables.items()}
    return assemble(tables, words, limits, single=single, problems=problems)


def ingest_file(
    path: Path,
    scheme: Scheme,
    zone_table: ZoneTable,
    *,
    parcel: Mapping[str, Any] | None = None,
    limits: Limits | None = None,
) -> Parcel:
    """Read one parcel: a stones or counts table, or a submission that holds one parcel.

    Parameters
    ----------
    parcel : mapping, optional
        What is known besides, in the shape of the JSON parcel without stones; it goes before what the file says.
        ``parcel_id`` also picks the parcel where the file holds several. Without one, the file's own id is taken,
        then its name without suffixes.

    Raises
    ------
    IngestError
        With every problem.
    """
    words, limits = Words(scheme, zone_table), limits or Limits()
    given = {name: value for name, value in (parcel or {}).items() if value is not None}
    problems: list[Problem] = []
    tables = read_tables(path, words, limits, problems)
    wanted = text_of(given["parcel_id"]) if isinstance(given.get("parcel_id"), str) else None
    found = _parcel_ids(tables)
    if len(found) > 1 and wanted not in found:
        raise refuse(path.name, "several_parcels", found=len(found))
    own = wanted if wanted in found else next(iter(found), None)
    name = str(wanted or own or stem(path))
    tables = {kind: _of_parcel(table, own, name) for kind, table in tables.items()}
    extra, _ = document_tables(given | {"parcel_id": name}, words, limits, problems)
    for kind, table in extra.items():
        tables[kind] = _over(table, tables[kind]) if kind == "parcels" and kind in tables else table
    submission = assemble(tables, words, limits, single=name, problems=problems)
    if submission.failures:
        raise IngestError(submission.problems())
    return submission.batch.parcels[0]


def _needs_parcel_id(table: Table, problems: list[Problem]) -> Table:
    if table.kind == "size_classes" or "parcel_id" in table.columns:
        return table
    headers = ", ".join(column.header for column in table.columns.values())
    broken = Broken("missing_column", {"column": "parcel_id", "headers": headers})
    problems.append(problem(broken, table=table.name, column="parcel_id"))
    return replace(table, complete=False)


def _parcel_ids(tables: Mapping[str, Table]) -> list[str]:
    found: dict[str, None] = {}
    for kind in ("parcels", "stones", "counts"):
        if kind in tables and "parcel_id" in tables[kind].columns:
            column = tables[kind].columns["parcel_id"]
            used = np.unique(column.codes)
            found |= dict.fromkeys(text_of(column.cells[at]) for at in used.tolist() if not is_blank(column.cells[at]))
    return list(found)


def _of_parcel(table: Table, parcel_id: str | None, name: str) -> Table:
    """Keep the rows of one parcel (and those of none, which are a fault), and call it by `name`."""
    column = table.columns.get("parcel_id")
    if column is None:
        return table
    own = [is_blank(cell) or text_of(cell) == parcel_id for cell in column.cells]
    kept = np.flatnonzero(np.array(own, dtype=bool)[column.codes])
    place = {int(old): new for new, old in enumerate(kept)}
    cells: list[Cell] = [cell if is_blank(cell) else name for cell in column.cells]
    columns = {key: Column(item.header, item.cells, item.codes[kept]) for key, item in table.columns.items()}
    columns["parcel_id"] = Column(column.header, cells, column.codes[kept])
    rows = None if table.rows is None else table.rows[kept]
    ragged = {place[row]: found for row, found in table.ragged.items() if row in place}
    return replace(table, columns=columns, n_rows=len(kept), rows=rows, ragged=ragged)


def _over(given: Table, own: Table) -> Table:
    """Lay what the caller gave over the parcel's own row."""
    if own.n_rows == 0:
        return given
    columns = dict(own.columns)
    for name, column in given.columns.items():
        columns[name] = Column(column.header, column.cells, np.zeros(own.n_rows, dtype=np.int32))
    return replace(own, columns=columns)
