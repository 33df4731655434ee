"""A parcel as a JSON document, read and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.columns.units import ask_about_heavy
from kpfootprint.ingest.files.archive import Limits, refuse
from kpfootprint.ingest.names.documented import recognise
from kpfootprint.ingest.names.headers import Meaning, headers_of
from kpfootprint.ingest.names.inquiry import Choices, Inquiry
from kpfootprint.ingest.parcels.assemble import assemble
from kpfootprint.ingest.parcels.breakdowns import RANGES
from kpfootprint.ingest.parcels.records import CONDITIONS, field_readers
from kpfootprint.ingest.problems import Broken, listed, problem
from kpfootprint.ingest.raw.cells import Cell, Odd, text_of
from kpfootprint.ingest.raw.tables import GOODS, Column, ColumnMaker, KnownTable, RawTable
from kpfootprint.ingest.sheets.asked import ask_about_table
from kpfootprint.ingest.sheets.said_of_parcels import declared_places
from kpfootprint.ingest.words import Vocabulary, fold, nearest, table_names, vocabulary_of
from kpfootprint.parcel import Breakdown, Declaration, DeclaredCountry, Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme, SieveSet

_LISTS = ("declarations", "stones", "counts", "size_classes")


def ingest_json(
    document: object,
    scheme: Scheme,
    zone_table: ZoneTable,
    limits: Limits | None = None,
    *,
    given: Mapping[str, Any] | None = None,
    choices: Choices | None = None,
    sealed: bool = False,
) -> Parcel:
    """Read the JSON parcel of the contract: columns or rows of stones, or counts.

    Parameters
    ----------
    document : object
        A parsed JSON document: an object with ``parcel_id`` and ``stones`` or ``counts``.
    given : mapping, optional
        What is known besides, in the same shape without stones; it goes before what the document says.
    choices : mapping of str to str, optional
        Answers to questions that an earlier reading asked.
    sealed : bool
        Whether the document was written by `parcel_to_json` with ``sealed``, and says how its sheet was read; then
        nothing is asked.

    Returns
    -------
    Parcel

    Raises
    ------
    IngestError
        With every problem. ``row`` is the position of a stone, declaration or cell, counted from 1; numbers must be
        JSON numbers, so a number in quotes is refused.

    Examples
    --------
    >>> import kpfootprint
    >>> release = kpfootprint.load_release(kpfootprint.shipped_release())
    >>> document = {
    ...     "parcel_id": "A-1",
    ...     "declarations": [{"zone_id": "berberati"}],
    ...     "stones": {"weight_ct": [0.2, 0.4] * 30, "colour": ["brown", "cape"] * 30, "morphology": ["cube"] * 60},
    ... }
    >>> parcel = kpfootprint.ingest_json(document, release.scheme, release.zone_table)
    >>> parcel.n_stones
    60
    >>> document["stones"]["weight_ct"][0] = 0
    >>> kpfootprint.ingest_json(document, release.scheme, release.zone_table)
    Traceback (most recent call last):
    kpfootprint.errors.IngestError: stones, row 1, column weight_ct: the number is zero; it must be above (value '0')
    """
    inquiry, limits = Inquiry(headers_of(vocabulary_of(scheme, zone_table)), choices or {}), limits or Limits()
    read_as = None
    if sealed and isinstance(document, Mapping):
        read_as = document.get("read_as")
        document = {name: value for name, value in document.items() if name != "read_as"}
    if given and isinstance(document, Mapping) and "parcel_id" in given:
        document = {**document, "parcel_id": given["parcel_id"]}
    tables, parcel_id = document_tables(document, inquiry, limits, asking=not sealed)
    tables = overlay(tables, given or {}, parcel_id, inquiry, limits)
    reading = assemble(tables, inquiry.headers.words, limits, single=parcel_id, problems=inquiry.problems)
    if reading.failures:
        raise IngestError(reading.problems)
    parcel = reading.parcels[0]
    return parcel if read_as is None else replace(parcel, read_as=read_as)


def overlay(
    tables: Mapping[str, KnownTable], given: Mapping[str, Any], parcel_id: str | None, inquiry: Inquiry, limits: Limits
) -> dict[str, KnownTable]:
    """Lay what the caller knows of a parcel over what its file or document says: the one place where the two meet.

    A field that is given goes before the parcel's own, declarations that are given before all of its own, and what is
    said otherwise there is told; what is blank or None is not given.
    """
    said = {name: value for name, value in given.items() if value is not None and value not in ([], {})}
    laid = dict(tables)
    if not said:
        return laid
    extra, _ = document_tables(said | {"parcel_id": parcel_id}, inquiry, limits, asking=False)
    if (goods := next((laid[kind] for kind in GOODS if kind in laid), None)) is not None:
        for name, one, other in _said_otherwise(extra, laid, inquiry.headers.words):
            goods.trace.note("given_before", field=name, given=one, said=other)
    for kind, table in extra.items():
        laid[kind] = _over(table, laid[kind]) if kind == "parcels" and kind in laid else table
    return laid


def _said_otherwise(
    given: Mapping[str, KnownTable], own: Mapping[str, KnownTable], words: Vocabulary
) -> Iterator[tuple[str, str, str]]:
    """Give the fields that a file says otherwise than the caller does, with what each of them says."""
    pairs = {kind: (table, own[kind]) for kind, table in given.items() if kind in own and own[kind].n_rows}
    for name in [name for name in pairs["parcels"][0].columns if name != "parcel_id"] if "parcels" in pairs else ():
        said = [of.columns[name].at(0) if name in of.columns else None for of in pairs["parcels"]]
        readers = [field_readers(of.marks, of.typed)[name] for of in pairs["parcels"]]
        one, other = (read(cell) for read, cell in zip(readers, said, strict=True))
        if other is not None and one != other:
            yield name, text_of(said[0]), text_of(said[1])
    if "declarations" in pairs:
        ours, theirs = (sorted(declared_places(table, words)) for table in pairs["declarations"])
        if {*ours} != {*theirs}:
            yield "zone_id", listed(ours), listed(theirs)


def _over(given: KnownTable, own: KnownTable) -> KnownTable:
    """Lay a row that the caller gave over the parcel's own row."""
    if own.n_rows == 0:
        return given
    columns = dict(own.columns)
    for name, column in given.columns.items():
        columns[name] = Column.filled(column.header, column.at(0), own.n_rows)
    return replace(own, columns=columns)


def document_tables(
    document: object, inquiry: Inquiry, limits: Limits, *, asking: bool
) -> tuple[dict[str, KnownTable], str]:
    """Turn a JSON parcel into tables, and return the parcel's id with them; faults are told.

    With `asking`, what could be read in two ways is asked about, as it is of a sheet.
    """
    words, problems = inquiry.headers.words, inquiry.problems
    document = as_parcel(document, words)
    if not isinstance(document, Mapping):
        raise IngestError([problem(Broken("wrong_type", {"expected": "an object"}), table="parcel", value=document)])
    others = (*_LISTS, "conditions")
    fields = {name: value for name, value in document.items() if name not in others and value is not None}
    conditions = document.get("conditions")
    if isinstance(conditions, Mapping):
        known = words.columns("parcels")
        strange = {name: None for name in conditions if known.get(fold(str(name))) not in CONDITIONS}
        for name in islice(strange, 20):
            close = nearest(str(name)[:80], {fold(c): c for c in CONDITIONS})
            inquiry.tell("unknown_member", "conditions", None, str(name), nearest=close)
        fields |= {n: value for n, value in conditions.items() if value is not None and n not in strange}
    elif conditions is not None:
        problems.append(_wrong("conditions", conditions, "an object"))
    sizes = _named_sizes(document.get("size_classes"), fields)
    parcel_id = fields.get("parcel_id")
    if not isinstance(parcel_id, str) or not parcel_id.strip():
        blank = parcel_id is None or isinstance(parcel_id, str)
        broken = Broken("missing_value") if blank else Broken("wrong_type", {"expected": "a text"})
        problems.append(problem(broken, table="parcel", column="parcel_id", value=parcel_id))
        fields["parcel_id"] = parcel_id = "parcel"
    parcel_id = text_of(parcel_id)
    raws = {"parcels": _raw("parcel", {name: [value] for name, value in fields.items()}, numbered=False)}
    for kind in _LISTS:
        value = sizes if kind == "size_classes" else document.get(kind)
        try:
            if value is not None and (columns := _columns(kind, value, limits)):
                raws[kind] = _raw(kind, columns)
        except IngestError as error:
            problems += error.problems
    tables = {kind: recognise(raw, kind, inquiry) for kind, raw in raws.items()}
    for kind in GOODS if asking and not problems else ():
        if kind in tables and (kind == "stones" or "sieve_set" not in fields):
            _ask_about(tables[kind], raws[kind], inquiry)
    return tables, parcel_id


def _ask_about(table: KnownTable, raw: RawTable, inquiry: Inquiry) -> None:
    """Ask about what could be read in two ways: stones given twice, weights that are no carats, means of no stones."""
    size = inquiry.scheme.size.column
    names = {id(column): "carats" if name == size else name for name, column in table.columns.items()}
    meanings = [Meaning(role=names.get(id(column), "other")) for column in raw.columns]
    sheet = Layout(raw, meanings, inquiry, table.trace)
    ask_about_table(table, sheet)
    if size in table.columns:
        ask_about_heavy(sheet, sheet.places("carats")[0], table.values(size))


def as_parcel(document: object, words: Vocabulary) -> object:
    """Return a bare list of stones, or of cells of a sorting sheet, as a parcel, and a parcel in an object of its own.

    Members that are looked up by their names bear these: ``parcelId``, ``Stones``. Anything else is as it was.
    """
    if isinstance(document, Mapping):
        inner = next(iter(document.values())) if len(document) == 1 else None
        document = inner if isinstance(inner, Mapping) and fold(str(next(iter(document)))) == "parcel" else document
        own = {fold(name): name for name in (*_LISTS, "conditions")}
        lists = {fold(str(name)) for name, value in document.items() if isinstance(value, list | tuple | Mapping)}
        own |= {name: kind for name in lists if (kind := table_names().get(name)) in _LISTS}  # ``pierres``
        known = words.columns("parcels")
        ids = [name for name in document if known.get(fold(str(name))) == "parcel_id"]
        own |= {fold(str(name)): "parcel_id" for name in ids if len(ids) == 1}
        named = {own.get(fold(str(name)), name): value for name, value in document.items()}
        return named if len(named) == len(document) else document
    if not isinstance(document, list | tuple) or not all(isinstance(item, Mapping) for item in document):
        return document
    members = {fold(str(name)) for item in document for name in item}
    if not members or members & {fold(name) for name in (*_LISTS, "conditions")}:
        return document
    return {"counts" if members & {"nstones", "sizeclass"} else "stones": document}


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


def _columns(kind: str, value: object, limits: Limits) -> Mapping[str, Sequence[Any]]:
    """Return a list of rows, or an object of columns, as columns; raise `IngestError` where it is neither."""
    columns: Mapping[Any, Sequence[Any]]
    if isinstance(value, Mapping) and kind == "stones":
        columns = {name: column for name, column in value.items() if column is not None}
        _check_width(kind, columns, limits)
        for name, column in columns.items():
            if not isinstance(column, list | tuple):
                raise IngestError([problem(Broken("wrong_type", {"expected": "a list"}), table=kind, column=name)])
    elif not isinstance(value, list | tuple):
        raise IngestError([_wrong(kind, value, "a list of objects")])
    else:
        wrong = [at for at, row in enumerate(value, start=1) if not isinstance(row, Mapping)]
        if wrong:
            raise IngestError([_wrong(kind, value[at - 1], "an object", at) for at in wrong[:1000]])
        names: dict[Any, None] = {}
        for row in value:
            names.update(dict.fromkeys(row))
            _check_width(kind, names, limits)
        columns = {name: [row.get(name) for row in value] for name in names}
    first, length = next(((name, len(column)) for name, column in columns.items()), ("", 0))
    unequal = {name: len(column) for name, column in columns.items() if len(column) != length}
    if unequal:
        told = {"expected": length, "column": first}
        raise IngestError(
            problem(Broken("unequal_columns", {"found": found, **told}), table=kind, column=name)
            for name, found in unequal.items()
        )
    if length > limits.max_rows:
        raise refuse(kind, "too_many_rows", limit=limits.max_rows)
    return columns if length else {}


def _check_width(kind: str, names: Sized, limits: Limits) -> None:
    if len(names) > limits.max_columns:
        raise refuse(kind, "too_many_columns", limit=limits.max_columns)


def _raw(name: str, columns: Mapping[str, Sequence[Any]], *, numbered: bool = True) -> RawTable:
    made = []
    for header, values in columns.items():
        maker = ColumnMaker()
        maker.add(_typed_cells(values, flags=not numbered or header == "sample"))
        made.append(maker.column(str(header)))
    n_rows = len(next(iter(columns.values())))
    rows = np.arange(1, n_rows + 1, dtype=np.int32) if numbered else np.zeros(n_rows, dtype=np.int32)
    return RawTable(name=name, source="document", columns=made, rows=rows, typed=True)


def _typed_cells(values: Sequence[object], *, flags: bool) -> list[Cell]:
    """Turn JSON values into cells: what may be none of them becomes `Odd`, so that it passes for nothing else."""
    if set(map(type, values)) <= {str, float, int, type(None)}:
        return list(values)  # type: ignore[arg-type]
    cells: list[Cell] = []
    for value in values:
        if isinstance(value, bool) and not flags:
            cells.append(Odd("wrong_type", "true" if value else "false"))
        else:
            cells.append(value if isinstance(value, str | float | int | None) else Odd("wrong_type", str(value)))
    return cells


def parcel_to_json(parcel: Parcel, scheme: Scheme, *, sealed: bool = False) -> dict[str, Any]:
    """Write a parcel as the JSON document that `ingest_json` reads back to the same parcel.

    Members that are not known are left out; classes bear the names of the scheme. With `sealed` the document also says
    how the sheet of the parcel was read, so that its report can be made again.
    """
    conditions = {name: value for name in CONDITIONS if (value := getattr(parcel.conditions, name)) is not None}
    zones = [{"zone_id": item.zone_id} | _amounts(item) for item in parcel.declarations]
    countries = [{"country": item.country} | _amounts(item) for item in parcel.countries]
    document: dict[str, Any] = {
        "parcel_id": parcel.parcel_id,
        "exported_on": None if parcel.exported_on is None else parcel.exported_on.isoformat(),
        "certificate_no": parcel.certificate_no,
        "exporter": parcel.exporter,
        "carats": parcel.declared_carats,
        "value_usd": parcel.value_usd,
        "hs_code": parcel.hs_code,
        "declarations": [*zones, *countries] or None,
        "conditions": conditions or None,
    }
    if parcel.stones is not None:
        stones: dict[str, list[Any]] = {scheme.size.column: parcel.stones.weight_ct.tolist()}
        for item in scheme.categorical:
            if item.name in parcel.stones.codes:
                names = (*item.code_names, None)
                stones[item.column] = [names[code] for code in parcel.stones.codes[item.name].tolist()]
        if parcel.stones.value_usd is not None:
            stones["value_usd"] = parcel.stones.value_usd.tolist()
        document["stones"] = stones
    else:
        parts = [(k, _count_rows(item, parcel, scheme)) for k, item in enumerate(parcel.breakdowns, start=1)]
        numbered = _needs_names(parcel)
        document["counts"] = [row | ({"breakdown": str(k)} if numbered else {}) for k, rows in parts for row in rows]
        if parcel.n_stones and all(item.counted is None or item.sample for item in parcel.breakdowns):
            document["n_stones"] = parcel.n_stones
    if sealed and parcel.read_as is not None:
        document["read_as"] = dict(parcel.read_as)
    own = parcel.sieve_set
    if own is not None and not _ranged(own) and scheme.sieve_set(own.name) is None:
        document["size_classes"] = [
            {"sieve_set": own.name, "size_class": name} | _limits(*limits) for name, limits in own.limits.items()
        ]
    return {name: value for name, value in document.items() if value is not None}


def _amounts(item: Declaration | DeclaredCountry) -> dict[str, float]:
    return {name: value for name in ("carats", "percent") if (value := getattr(item, name)) is not None}


def _limits(lower: float, upper: float) -> dict[str, float]:
    return {"lower_ct": lower} if upper == float("inf") else {"lower_ct": lower, "upper_ct": upper}


def _needs_names(parcel: Parcel) -> bool:
    """Say whether rows would be grouped otherwise by the columns that they fill."""
    open_cells = any(bool((item.codes < 0).any()) for item in parcel.breakdowns)
    kinds = [(item.attributes, item.sample) for item in parcel.breakdowns]
    bare = len(kinds) > 1 and any(not names for names, _ in kinds)
    return open_cells or bare or len(set(kinds)) < len(kinds)


def _ranged(sizes: SieveSet) -> bool:
    """Say whether rows give the limits of their sizes themselves."""
    return sizes.name == RANGES or not sizes.gapless


def _count_rows(item: Breakdown, parcel: Parcel, scheme: Scheme) -> list[dict[str, Any]]:
    names: list[tuple[str, tuple[str, ...]]] = []
    sizes = parcel.sieve_set
    limits = {} if sizes is None or not _ranged(sizes) else sizes.limits
    for name in item.attributes:
        if name == scheme.size.name:
            names.append(("size_class", sizes.classes if sizes else ()))
        else:
            attribute = scheme.attribute(name)
            names.append((attribute.column, attribute.code_names))
    rows: list[dict[str, Any]] = []
    for at, codes in enumerate(item.codes.tolist()):
        coded = zip(names, codes, strict=True)
        row: dict[str, Any] = {column: classes[code] for (column, classes), code in coded if code >= 0}
        if (size := row.get("size_class")) in limits:
            row |= _limits(*limits[size])
        if item.n_stones[at] >= 0:
            row["n_stones"] = int(item.n_stones[at])
        if item.carats is not None and not np.isnan(item.carats[at]):
            row["carats"] = float(item.carats[at])
        if item.value_usd is not None:
            row["value_usd"] = float(item.value_usd[at])
        if item.sample:
            row["sample"] = True
        rows.append(row)
    return rows
