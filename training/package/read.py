"""Reference packages read and checked whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kpfootprint.errors import IngestError, Problem, ReferenceDataError
from kpfootprint.ingest.names.documented import recognise
from kpfootprint.ingest.names.headers import headers_of
from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.parcels.assemble import assemble
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import text_of
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.words import Vocabulary
from kpfootprint.parcel import Batch
from kpfootprint.reference import ReferencePackage
from kpfootprint.scheme import Scheme
from training.package.attributes import scheme_of, words_of
from training.package.column_names import check_header, check_stones, column_meant, with_known_fields
from training.package.descriptor import (
    DESCRIPTOR,
    LIMITS,
    SMALL_TABLES,
    fault,
    refuse_if,
    resource,
    told,
    written_descriptor,
    wrong_members,
)
from training.package.learnable import copies, known_by_sets, misplaced, never_recorded, undivided, without_point
from training.package.once import once, without_consequences
from training.package.parts import absent, digest_of, paths_of, placed, table_of, unlisted
from training.package.small_tables import Rows, check_rows, day_of, with_days, zone_table
from training.package.source import unpacked


def load_package(path: Path) -> ReferencePackage:
    """Read a reference package, a folder, a .zip or an .xlsx workbook, and check it whole.

    What is wrong with the package as such (its descriptor, attributes, hashes, columns) is told first and alone; then
    the small tables, checked by frictionless (schemas, keys); then the stones, checked as those of submissions are.
    What is wrong in many rows alike is told once, with their number.

    Raises
    ------
    ReferenceDataError
        With every problem: table, row, column, value.
    """
    try:
        with unpacked(path) as folder:
            return _load_placed(folder)
    except ReferenceDataError as error:
        raise ReferenceDataError(once(error.problems)) from None


def _load_placed(folder: Path) -> ReferencePackage:
    try:
        return _load(folder)
    except ReferenceDataError as error:
        items = written_descriptor(folder)["resources"] if any(item.row for item in error.problems) else ()
        raise ReferenceDataError(placed(error.problems, folder, items)) from None


def _load(folder: Path) -> ReferencePackage:
    document, scheme, problems, digests = _described(folder)
    words = words_of(scheme)
    rows, stones, unreadable = _tables(folder, document, words)
    refuse_if([*problems, *unreadable])
    check_rows(document, rows)
    zones = zone_table(rows["zones"], rows["zone_status"])
    batch, unread = _parcels(folder, document, words, stones, rows["parcels"])
    line_of = {row["parcel_id"]: line for line, row in rows["parcels"].items()}
    lines = [line_of[parcel.parcel_id] for parcel in batch]
    parcels = [rows["parcels"][line] for line in lines]
    zone_of = tuple(row["zone_id"] for row in parcels)
    refuse_if([*undivided(batch, scheme), *never_recorded(batch, scheme), *copies(batch, zone_of, lines)])
    return ReferencePackage(
        name=document["name"],
        version=document["version"],
        sha256=_identity(folder, document, digests),
        synthetic=document["synthetic"],
        scheme=scheme,
        zone_table=zones,
        batch=batch,
        zone_of=zone_of,
        collected_on=tuple(day_of(row.get("collected_on", "")) for row in parcels),
        unread=unread,
    )


def _described(folder: Path) -> tuple[dict[str, Any], Scheme, list[Problem], dict[str, str]]:
    """Return the descriptor, its scheme, what is ambiguous in it or altered since it was sealed, and hashes of tables.

    Raises
    ------
    ReferenceDataError
        Where no table can be read by it: with everything that is wrong with its members, its attributes and its hashes.
    """
    document = written_descriptor(folder)
    wrong = wrong_members(folder, document)
    digests, altered = ({}, []) if wrong else _digests(folder, document)
    scheme = None
    if isinstance(document.get("attributes"), list):
        try:
            scheme, ambiguous = scheme_of(document)
        except ReferenceDataError as error:
            ambiguous = [*error.problems]
        altered = [*ambiguous, *altered]
    if wrong or scheme is None:
        raise ReferenceDataError([*wrong, *altered])
    return with_known_fields(document), scheme, altered, digests


def _digests(folder: Path, document: Mapping[str, Any]) -> tuple[dict[str, str], list[Problem]]:
    """Return the SHA-256 of every table, and the tables that are not the ones that the descriptor was sealed with."""
    digests: dict[str, str] = {}
    problems = []
    for item in document["resources"]:
        if missing := absent(folder, item):
            if item["name"] in (*SMALL_TABLES, "stones"):
                problems += [
                    told("file_missing", "there is no file {path}", table=item["name"], path=p) for p in missing
                ]
            continue
        digests[item["name"]], size = digest_of(folder, item)
        sealed = str(item.get("hash", "")).removeprefix("sha256:").lower()
        stated = item.get("bytes")
        if sealed not in ("", digests[item["name"]]) or (isinstance(stated, int) and stated != size):
            reason = (
                "{path} was changed since the descriptor was written; if that was meant, run init again: "
                "python -m training init FOLDER"
            )
            problems.append(told("hash_count", reason, table=item["name"], path=", ".join(paths_of(item))))
    return digests, problems


def _identity(folder: Path, document: Mapping[str, Any], digests: Mapping[str, str]) -> str:
    """Return a hash that names the data exactly: of the descriptor, and of every table that it holds no hash of."""
    named = hashlib.sha256((folder / DESCRIPTOR).read_bytes())
    for item in document["resources"]:
        if not item.get("hash") and item["name"] in digests:
            named.update(f"{item['name']} {digests[item['name']]}\n".encode())
    return named.hexdigest()


def validate_package(path: Path) -> tuple[Problem, ...]:
    """Return every problem of a reference package; none means that it can be trained on."""
    try:
        load_package(path)
    except ReferenceDataError as error:
        return error.problems
    return ()


def _tables(
    folder: Path, document: Mapping[str, Any], words: Vocabulary
) -> tuple[dict[str, Rows], dict[str, RawTable], list[Problem]]:
    """Return zones, their status and parcels as they are written, the stones, and what is wrong with tables as such."""
    small: dict[str, Rows] = {name: {} for name in SMALL_TABLES}
    stones: dict[str, RawTable] = {}
    problems: list[Problem] = []
    for name in (*SMALL_TABLES, "stones"):
        item = resource(document, name)
        if item is None or absent(folder, item):
            continue
        try:
            if name in small:
                small[name] = with_days(table_rows(folder, document, name), item)
            else:
                stones[name] = table_of(folder, item, headers_of(words))
                problems += [*check_stones(stones[name], item, words), *unlisted(folder, document, stones[name])]
        except (IngestError, ReferenceDataError) as error:
            problems += error.problems
        except (OSError, EOFError) as error:
            reason = "{name} cannot be read: {reason}"
            problems.append(told("damaged_file", reason, table=name, name=", ".join(paths_of(item)), reason=error))
    return small, stones, problems


def table_rows(folder: Path, document: Mapping[str, Any], name: str) -> Rows:
    """Return the rows of a table of a package, as they are written; none where the package leaves it out.

    Raises
    ------
    ReferenceDataError
        With what is wrong with the header of a small table, or every row with more cells than headers, or fewer.
    """
    item = resource(document, name)
    if item is None:
        return {}
    table = table_of(folder, item)
    columns = [column for column in table.columns if not column.empty]
    written = [column.header.strip() for column in columns]
    headers = [column_meant(header, name, item) for header in written]
    wide = {"expected": len(columns)}
    ragged = [
        replace(table.problem(Broken("ragged_row", {"found": n} | wide), row), value=table.label(row))
        for row, n in table.ragged.items()
    ]
    wrong = [] if name == "stones" else [*check_header(name, headers, item, written)]
    refuse_if(wrong if not ragged or any(found.code == "missing_column" for found in wrong) else ragged)
    cells = [[text_of(column.cells[code]).strip() for code in column.codes.tolist()] for column in columns]
    rows = [dict(zip(headers, values, strict=True)) for values in zip(*cells, strict=True)]
    return dict(zip(table.rows.tolist(), rows, strict=True))


def _parcels(
    folder: Path, document: Mapping[str, Any], words: Vocabulary, stones: Mapping[str, RawTable], listed: Rows
) -> tuple[Batch, tuple[str, ...]]:
    """Read parcels, and name the columns of stones that say nothing; `ReferenceDataError` with every problem."""
    inquiry = Inquiry(headers_of(words))
    try:
        (item,) = (item for item in document["resources"] if item["name"] == "parcels")
        raws = {"parcels": table_of(folder, item), **stones}
        if not raws["stones"].n_rows:
            raise fault("empty_table", "the table has no rows", table="stones")
        tables = {name: recognise(raw, name, inquiry) for name, raw in raws.items()}
        refuse_if([*misplaced(tables["stones"], words.scheme)])
        reading = assemble(tables, words, LIMITS, problems=inquiry.problems)
    except IngestError as error:
        raise ReferenceDataError(error.problems) from None
    stones_known = tables["stones"]
    found = [
        *_in_order(without_consequences(reading.problems, stones_known.n_rows), listed),
        *known_by_sets(stones_known, words.scheme),
    ]
    of_rows = {(item.table, item.row) for item in found}
    bare = without_point(stones_known, words.scheme)
    refuse_if([*(item for item in bare if (item.table, item.row) not in of_rows), *found])
    return reading.batch, tuple(tables["stones"].trace.passed_over)


def _in_order(problems: Sequence[Problem], listed: Rows) -> list[Problem]:
    """Return problems with what others follow from first: stones of no parcel, which others lack, and ids alike.

    Each names the parcel that it is about, and two ids that are alike are told once.
    """
    lines = {row["parcel_id"]: line for line, row in listed.items()}
    out: list[Problem] = []
    alike: set[frozenset[str]] = set()
    for item in problems:
        told_of = item
        if item.code == "ids_alike":
            pair = frozenset((str(item.value), str(item.values["other"])))
            if pair in alike:
                continue
            alike.add(pair)
            told_of = replace(item, row=lines.get(str(item.value)))
        elif item.table == "parcels" and item.column is None and item.row in listed:
            told_of = replace(item, column="parcel_id", value=listed[item.row]["parcel_id"])
        elif item.code == "more_problems":
            told_of = replace(item, table="stones")
        out.append(told_of)
    return sorted(out, key=lambda item: item.code not in ("unknown_parcel", "ids_alike"))
