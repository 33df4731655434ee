"""The doors of ingestion: a file, a folder, an upload or a document becomes parcels, with how each was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.columns.chosen import counts_goods, is_legend, is_of_words, legend_around, legend_in, words_in
from kpfootprint.ingest.document import as_parcel, document_tables, overlay
from kpfootprint.ingest.files.archive import Budget, Limits, read_file, refuse
from kpfootprint.ingest.files.inputs import Upload, read_one, stem, tables_in
from kpfootprint.ingest.names.headers import headers_of
from kpfootprint.ingest.names.inquiry import WHOLE, Choices, Inquiry
from kpfootprint.ingest.parcels.alike import APART
from kpfootprint.ingest.parcels.assemble import Reading, assemble
from kpfootprint.ingest.parcels.breakdowns import settle_sizes
from kpfootprint.ingest.parcels.gathered import Findings
from kpfootprint.ingest.parcels.records import read_declarations, settle_days
from kpfootprint.ingest.problems import Broken, listed, problem
from kpfootprint.ingest.raw.cells import Cell, text_of
from kpfootprint.ingest.raw.rounding import STONE_UNIT_CT, rounding_tolerance
from kpfootprint.ingest.raw.tables import GOODS, KnownTable, RawTable, missing_column, parties_together, stacked
from kpfootprint.ingest.sheets.bundles import recognise_files
from kpfootprint.ingest.sheets.quoted import quote_lines
from kpfootprint.ingest.sheets.said_of_parcels import with_titles
from kpfootprint.ingest.words import declared_words, fold, nearest, vocabulary_of
from kpfootprint.parcel import Declaration, Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.retold import said_of
from kpfootprint.scheme import Scheme
from kpfootprint.strict_json import NotJson, read_json
from kpfootprint.wanted import each


def two_inputs() -> Problem:
    """Return the problem of a file and pasted rows that are both given."""
    return problem(Broken("two_inputs"), table="file")


def read(
    source: Path | Upload,
    scheme: Scheme,
    zone_table: ZoneTable,
    *,
    given: Mapping[str, Any] | None = None,
    choices: Choices | None = None,
    one: bool = False,
    limits: Limits | None = None,
) -> Reading:
    """Read whatever was brought: a file, a folder, an archive, a workbook, a JSON parcel. Bad input raises nothing.

    Parameters
    ----------
    source : Path or Upload
        Where it lies, or its name and bytes.
    given : mapping, optional
        What is known besides of the one parcel, in the shape of the JSON parcel without stones; it goes before what
        the input says, and makes `one` true.
    choices : mapping of str to str, optional
        Answers to questions that an earlier reading asked, as its problems' ``choices`` name them.
    one : bool
        Whether one parcel is expected; ``given["parcel_id"]`` picks it where there are several.

    Returns
    -------
    Reading
    """
    try:
        return _read(source, _asked(scheme, zone_table, choices), given or {}, limits, one=one or bool(given))
    except IngestError as error:
        return Reading(problems=error.problems)


def ingest_submission(
    path: Path | Upload,
    scheme: Scheme,
    zone_table: ZoneTable,
    limits: Limits | None = None,
    *,
    choices: Choices | None = None,
) -> Reading:
    """Read a submission: a folder, a .zip or a workbook with the tables of the documentation, or one sheet alone.

    Returns
    -------
    Reading
        The good parcels, and the others with all that is wrong with each. Every parcel may have failed.

    Raises
    ------
    IngestError
        With every problem, where a table cannot be read, or rows cannot be laid to a parcel.

    Examples
    --------
    >>> from pathlib import Path
    >>> import kpfootprint
    >>> release = kpfootprint.load_release(kpfootprint.shipped_release())
    >>> found = kpfootprint.ingest_submission(Path("examples/submission"), release.scheme, release.zone_table)
    >>> len(found.batch), found.problems
    (3, ())
    """
    return _read(path, _asked(scheme, zone_table, choices), {}, limits, one=False)


def ingest_file(
    path: Path | Upload,
    scheme: Scheme,
    zone_table: ZoneTable,
    *,
    parcel: Mapping[str, Any] | None = None,
    choices: Choices | None = None,
    limits: Limits | None = None,
) -> Parcel:
    """Read one parcel: a sheet of stones or counts, a JSON parcel, or a submission that holds one parcel.

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

    Examples
    --------
    >>> from pathlib import Path
    >>> import kpfootprint
    >>> release = kpfootprint.load_release(kpfootprint.shipped_release())
    >>> sheet = Path("examples/true_berberati.json")
    >>> kpfootprint.ingest_file(sheet, release.scheme, release.zone_table, parcel={"parcel_id": "A-1"}).parcel_id
    'A-1'
    """
    found = _read(path, _asked(scheme, zone_table, choices), parcel or {}, limits, one=True)
    if found.failures:
        raise IngestError(found.problems)
    return found.parcels[0]


def _asked(scheme: Scheme, zone_table: ZoneTable, choices: Choices | None) -> Inquiry:
    return Inquiry(headers_of(vocabulary_of(scheme, zone_table)), choices or {})


def _read(
    source: Path | Upload, inquiry: Inquiry, said: Mapping[str, Any], limits: Limits | None, *, one: bool
) -> Reading:
    words, choices, limits = inquiry.headers.words, inquiry.choices, limits or Limits()
    whole: KnownTable | None = None
    copies = choices.get(APART[0]) == APART[1] or choices.get("sheets") == "parcels"
    if source.name.lower().endswith(".json") and (isinstance(source, Upload) or source.is_file()):
        document = as_parcel(_document(source, limits), words)
        if isinstance(document, Mapping) and document.get("parcel_id") is None:
            document = {**document, "parcel_id": stem(source)}
        if isinstance(document, Mapping) and isinstance(said.get("parcel_id"), str):
            document = {**document, "parcel_id": said["parcel_id"]}
        tables, single = document_tables(document, inquiry, limits, asking=True)
        named: str | None = single
    else:
        tables = _of_all_parcels(_read_tables(source, inquiry, limits), inquiry)
        tables, named = _named(tables, source, said, inquiry, limits, one=one)
        valued = any(table.valuations for table in tables.values())
        tables = _chosen_valuation(tables, named, inquiry, one=one)
        named = named if len(_parcel_ids(tables)) <= 1 or one else None
        copies = copies or valued
        if named is None and not valued and not inquiry.chose(WHOLE) and (said_of := tables.get("parcels")):
            whole = said_of if said_of.titles else said_of.trace.whole
        tables = with_titles(tables, _parcel_ids(tables) if named is None else [named])
    tables = overlay(tables, said, named, inquiry, limits)
    spoiled: dict[str, list[Problem]] = {}
    of_all = inquiry.apart()
    for item in inquiry.problems:
        own = spoiled.setdefault(str(item.values["parcel"]), []) if "parcel" in item.values else of_all.problems
        own.append(item)
    tables = settle_sizes(settle_days(tables, choices), of_all, spoiled)
    found = assemble(tables, words, limits, single=named, problems=of_all.problems, spoiled=spoiled, copies=copies)
    apart = [] if whole is None or found.failures else _totals_apart(whole, found.parcels)
    return Reading(problems=tuple(apart)) if apart else found


def _of_all_parcels(tables: dict[str, KnownTable], inquiry: Inquiry) -> dict[str, KnownTable]:
    """Ask where a line says that there are more parcels or fewer than there are, and drop what it says."""
    parcels, found = tables.get("parcels"), max(len(_parcel_ids(tables)), 1)
    if parcels is None or (column := parcels.columns.get("n_parcels")) is None:
        return tables
    others = [row for row in range(parcels.n_rows) if text_of(column.at(row)) not in ("", str(found))]
    for row in others[:1] if not inquiry.chose(WHOLE) else ():
        told = {"expected": text_of(column.at(row)), "found": found}
        inquiry.tell_of("parcels_total", parcels, row, "n_parcels", **told, choices=[WHOLE])
    columns = {name: item for name, item in parcels.columns.items() if name != "n_parcels"}
    kept = {kind: table for kind, table in tables.items() if kind != "parcels"}
    return {**kept, "parcels": replace(parcels, columns=columns)} if columns else kept


def _totals_apart(said: KnownTable, parcels: Sequence[Parcel]) -> list[Problem]:
    """Return what a title states of all parcels together, stones or carats, that their sum is not."""
    n_stones = sum(parcel.n_stones for parcel in parcels)
    sums = {"n_stones": float(n_stones), "carats": sum(parcel.carats or np.nan for parcel in parcels)}
    problems: list[Problem] = []
    for name in [name for name in sums if name in said.columns]:
        cell, total = said.columns[name].at(0), float(said.values(name)[0])
        units = np.full(max(n_stones, 1), STONE_UNIT_CT)
        most = rounding_tolerance(total, units, coarsest=STONE_UNIT_CT, written=cell) if name == "carats" else 0.0
        if abs(total - sums[name]) > most:
            told = {"expected": text_of(cell), "found": f"{sums[name]:.6g}", "choices": [WHOLE]}
            problems.append(said.problem(Broken("total_disagrees", told), 0, name))
    return problems


def _document(source: Path | Upload, limits: Limits) -> object:
    if isinstance(source, Upload):
        data = source.data
    else:
        data = read_file(source, Budget(replace(limits, max_unpacked_bytes=limits.max_json_bytes)))
    if len(data) > limits.max_json_bytes:
        raise refuse(source.name, "unpacks_too_large", limit=limits.max_json_bytes)
    try:
        return read_json(data)
    except NotJson as error:
        raise IngestError([problem(Broken("not_json", {"detail": said_of(error)}), table=source.name)]) from None


def _named(
    tables: dict[str, KnownTable],
    source: Path | Upload,
    said: Mapping[str, Any],
    inquiry: Inquiry,
    limits: Limits,
    *,
    one: bool,
) -> tuple[dict[str, KnownTable], str | None]:
    """Return tables and the id of the only parcel in them, or None where they hold several."""
    found = _parcel_ids(tables)
    if not one:
        single = None if len(found) > 1 else next(iter(found), stem(source))
        if single is None:
            tables = {kind: _needs_parcel_id(table, inquiry) for kind, table in tables.items()}
        return tables, single
    wanted = text_of(said["parcel_id"]) if isinstance(said.get("parcel_id"), str) else None
    if len(found) > 1 and wanted not in found:
        broken = Broken("several_parcels", {"found": len(found), "known": listed(found, 10)})
        asked = [item for item in inquiry.problems if item.code == "sheets_or_parcels"]
        raise IngestError(asked or [problem(broken, table=source.name, value=wanted)])
    own = wanted if wanted in found else next(iter(found), None)
    name = str(wanted or own or stem(source))
    _tell_strangers(tables, found, inquiry, limits.max_problems)
    return {kind: _of_parcel(table, own, name) for kind, table in tables.items()}, name


def _tell_strangers(tables: Mapping[str, KnownTable], found: list[str], inquiry: Inquiry, most: int) -> None:
    """Note up to `most` declarations of parcels that there are not: a misspelt id would drop what it declares."""
    table = tables.get("declarations")
    column = table.columns.get("parcel_id") if table is not None else None
    if table is None or column is None or not found:
        return
    known, names = {name: name for name in found}, column.names()
    codes, rows = np.unique(column.codes, return_index=True)
    for code, row in each(zip(codes.tolist(), rows.tolist(), strict=True), 100):
        if names[code] and names[code] not in known:
            inquiry.tell_of("unknown_parcel", table, row, "parcel_id", nearest=nearest(names[code], known))
            if len(inquiry.problems) >= most:
                return


def _needs_parcel_id(table: KnownTable, inquiry: Inquiry) -> KnownTable:
    if table.kind == "size_classes" or "parcel_id" in table.columns or table.titles:
        return table
    inquiry.problems.append(missing_column(table.name, "parcel_id", table.columns.values()))
    return replace(table, complete=False)


def _parcel_ids(tables: Mapping[str, KnownTable]) -> list[str]:
    found: dict[str, None] = {}
    for kind in ("parcels", *GOODS):
        if kind in tables and "parcel_id" in tables[kind].columns:
            column = tables[kind].columns["parcel_id"]
            used = np.bincount(column.codes, minlength=len(column.cells)).tolist()
            found |= dict.fromkeys(name for name, n_rows in zip(column.names(), used, strict=True) if name and n_rows)
    return list(found)


def _of_parcel(table: KnownTable, parcel_id: str | None, name: str) -> KnownTable:
    """Keep the rows of one parcel (and those of none, which are a fault), and call it by `name`."""
    valuations = {party: _of_parcel(item, parcel_id, name) for party, item in table.valuations.items()}
    column = table.columns.get("parcel_id")
    if column is None:
        return replace(table, valuations=valuations)
    names = column.names()
    own = np.array([said in ("", parcel_id) for said in names], dtype=bool)
    kept = table.keep(np.flatnonzero(own[column.codes]))
    cells: list[Cell] = [name if said else cell for said, cell in zip(names, column.cells, strict=True)]
    columns = {**kept.columns, "parcel_id": replace(kept.columns["parcel_id"], cells=cells)}
    return replace(kept, columns=columns, valuations=valuations)


def _chosen_valuation(
    tables: dict[str, KnownTable], named: str | None, inquiry: Inquiry, *, one: bool
) -> dict[str, KnownTable]:
    """Take the valuation that was chosen; without a choice, a submission has a parcel for each, and one parcel asks."""
    counts = tables.get("counts")
    if counts is None or not counts.valuations:
        return tables
    parties = counts.valuations
    chosen = next((party for party in parties if fold(party) == fold(inquiry.choices.get("valuation", ""))), None)
    declared = tables.get("declarations")
    zones = {} if declared is None else declared.valuations
    if chosen is not None:
        return {**tables, "counts": parties[chosen], **({"declarations": zones[chosen]} if zones else {})}
    if one:
        told = "; ".join(f"{party} ({_totals(item)})" for party, item in parties.items())
        answers = [("valuation", party) for party in parties]
        inquiry.tell("which_valuation", counts.name, found=told, choices=answers)
        return {**tables, "counts": replace(counts, complete=False, valuations={})}
    ids = [f"{named or 'parcel'}/{party}" for party in parties]
    made = {kind: table for kind, table in tables.items() if kind != "parcels"}
    made |= {"declarations": stacked([zones[party] for party in parties], ids)} if zones else {}
    return made | {"counts": parties_together([*parties.values()], ids)}


def _totals(table: KnownTable) -> str:
    said = []
    for name, unit in (("n_stones", "stones"), ("carats", "ct")):
        if name in table.columns:
            total = float(np.nansum(table.values(name)))
            said.append(f"{total:.0f} {unit}" if name == "n_stones" else f"{total:.2f} {unit}")
    return ", ".join(said)


def _read_tables(source: Path | Upload, inquiry: Inquiry, limits: Limits) -> dict[str, KnownTable]:
    """Read and recognise every table of a file, a folder or an archive; faults are told.

    Raises
    ------
    IngestError
        Where nothing is left that could be looked at further.
    """
    problems = inquiry.problems
    raws, passed = tables_in(source, inquiry.headers, Budget(limits), problems)
    kept, legends, chosen = _words_apart(raws, inquiry)
    tables = recognise_files(kept, replace(inquiry, choices=chosen | dict(inquiry.choices)))
    if tables:
        trace = next(iter(tables.values())).trace
        trace.passed_over.extend(passed)
        for sheet, lines in legends.items():
            quote_lines(sheet, lines, trace)
    for sheet, lines in legends.items() if not inquiry.chose(WHOLE) else ():
        if counted := [line for line in lines if counts_goods(line)]:
            inquiry.tell("sheet_of_goods", sheet, sheet=sheet, lines=listed(counted, 3), choices=[WHOLE])
    rows = sum(table.n_rows for kind, table in tables.items() if kind in GOODS)
    if rows == 0 and "declarations" in tables and tables["declarations"].complete and not problems:
        _tell_declared_alone(tables["declarations"], inquiry, limits)
    if rows == 0 and not problems:
        inquiry.tell("no_stones" if tables else "no_tables", source.name)
    if rows == 0:
        raise IngestError(problems)
    return tables


def _words_apart(
    raws: Sequence[RawTable], inquiry: Inquiry
) -> tuple[list[RawTable], dict[str, list[str]], dict[str, str]]:
    """Part tables from legends and tables of words; return them, what else legends say, and what words stand for."""
    headers, several = inquiry.headers, len(raws) > 1
    legends = {raw.name: legend_in(raw, headers) for raw in raws if several and is_legend(raw, headers)}
    others = [raw for raw in raws if raw.name not in legends]
    named_so = declared_words()["words"]["tables"]
    of_words = [raw for raw in others if several and (fold(raw.name) in named_so or is_of_words(raw))]
    chosen: dict[str, str] = {}
    for raw in of_words:
        chosen |= words_in(raw, inquiry.problems)
    kept = [raw for raw in others if raw not in of_words]
    said = [*(said for said, _ in legends.values()), *(legend_around(raw, headers) for raw in kept)]
    for key in [key for key in dict.fromkeys(chain.from_iterable(said)) if key not in chosen]:
        if len(answers := {of[key] for of in said if key in of}) == 1:  # of two files, each may have its own
            chosen[key] = answers.pop()
    return kept, {name: lines for name, (_, lines) in legends.items()}, chosen


def words_of(upload: Upload, limits: Limits | None = None) -> dict[str, str]:
    r"""Read a table of words, as choices: ``attribute;word;class`` says which class a word of one's own stands for.

    Raises
    ------
    IngestError
        With every problem.

    Examples
    --------
    >>> from kpfootprint.ingest import Upload, words_of
    >>> words_of(Upload("words.csv", b"attribute,word,class\ncolour,BRN2,brown\n"))
    {'colour:BRN2': 'brown'}
    """
    problems: list[Problem] = []
    found = read_one(upload.name, upload.data, None, Budget(limits or Limits()), lenient=False)
    chosen = words_in(found[0], problems) if found else {}
    if problems:
        raise IngestError(problems)
    return chosen


def _tell_declared_alone(table: KnownTable, inquiry: Inquiry, limits: Limits) -> None:
    findings, words = Findings(limits.max_problems), inquiry.headers.words
    declared = read_declarations(table, None if "parcel_id" in table.columns else "parcel", words, findings)
    inquiry.problems.extend(findings.all())
    carats: defaultdict[str, float] = defaultdict(float)
    percents: defaultdict[str, float] = defaultdict(float)
    for part in chain.from_iterable(declared.values()):
        if isinstance(part, Declaration):
            carats[part.zone_id] += part.carats or 0.0
            percents[part.zone_id] += part.percent or 0.0
    told = [f"{zone} {percents[zone]:g}%" if percents[zone] else f"{zone} {carats[zone]:.2f} ct" for zone in carats]
    inquiry.tell_of("declarations_alone", table, zones=", ".join(told) or "zones")
