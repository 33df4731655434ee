"""Sheets whose columns become rows: a column for each class, repeats of a form, and repeats that name their parents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import is_blank, read_numbers, text_of
from kpfootprint.ingest.headers import Headers, tokens_of
from kpfootprint.ingest.meanings import (
    Sheet,
    listed,
    pass_over,
    with_lots_settled,
)
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, RawTable, Table, below
from kpfootprint.ingest.words import fold


def unfold(sheet: Sheet, wide: list[int]) -> Table:
    """Turn columns of classes into rows, and check the totals beside them."""
    sheet = with_lots_settled(sheet, "counts")
    sheet = _wide_measures(sheet, wide)
    raw, scheme = sheet.raw, sheet.scheme
    groups: dict[tuple[tuple[str, str], ...], dict[str, int]] = {}
    used = set(wide)
    for at in wide:
        item = sheet.meanings[at]
        slot = groups.setdefault(item.classes, {})
        if item.role in slot:
            sheet.tell("column_twice", at, column=item.role)
        slot[item.role] = at
    dims = {
        name: place
        for name in ("parcel_id", "zone_id", "size_class", *(i.column for i in scheme.categorical))
        if (place := sheet.one(name)) is not None
    }
    roles = {sheet.meanings[at].role for at in wide}
    if (
        not dims
        and raw.n_rows > 1
        and roles == {"carats"}
        and not sheet.places("lot", "description", "unknown", "other")
    ):
        sheet.tell("weights_below_classes", wide[0], column=sheet.meanings[wide[0]].classes[0][0])
    used |= set(dims.values())
    measures = ("n_stones", "carats")
    whole = {name: place for name in measures if (place := _whole_column(sheet, name)) is not None}
    graded = {name: place for name in measures if (place := sheet.one(name, "sample")) is not None}
    used |= set(whole.values()) | set(graded.values())
    for at in sheet.places("unknown"):
        numbers = sheet.numbers(at)
        if numbers is not None and len(numbers):
            sheet.tell("unknown_class_column", at, header=raw.columns[at].header)
    for at, item in enumerate(sheet.meanings):
        if item.party and at not in used:
            sheet.tell("unknown_class_column", at, header=raw.columns[at].header)
    pass_over(sheet, used)
    return _melted(sheet, groups, dims, whole, graded)


def _whole_column(sheet: Sheet, name: str) -> int | None:
    found = [at for at in sheet.places(name) if sheet.meanings[at].part != "sample" and not sheet.meanings[at].party]
    sure = [at for at in found if sheet.meanings[at].part == "whole"] or found
    return sure[0] if sure else None


def _wide_measures(sheet: Sheet, wide: list[int]) -> Sheet:
    """Say whether columns without a measure hold stones or carats: whole numbers are stones."""
    unsure = [at for at in wide if sheet.meanings[at].role == "stones_or_carats"]
    values = [sheet.raw.values(at) for at in unsure]
    counted = all(map(_are_whole, values))
    if unsure:
        _ask_about_shares(sheet, np.array(values))
        carats, stones = _whole_column(sheet, "carats"), _whole_column(sheet, "n_stones")
        if carats is not None and stones is None and sheet.one("n_stones", "sample") is None:
            beside = np.abs(np.nansum(values, axis=0) - sheet.raw.values(carats))
            counted = counted and not bool(np.all(beside < 0.01))
    meanings = list(sheet.meanings)
    for at, item in enumerate(meanings):
        if item.role == "stones_or_carats":
            whole = counted if at in unsure else _are_whole(sheet.raw.values(at))
            meanings[at] = replace(item, role="n_stones" if whole else "carats")
    return replace(sheet, meanings=meanings)


def _are_whole(values: NDArray[np.float64]) -> bool:
    return bool(np.all(np.isnan(values) | (values == np.floor(values))))


def _ask_about_shares(sheet: Sheet, values: NDArray[np.float64]) -> None:
    """Ask about classes that add up to 1 or to 100 in every row, or in every column, where no total stands beside."""
    if sheet.choices.get("shares") == "numbers" or sheet.places("n_stones", "carats", "stones_or_carats"):
        return
    for sums in (np.nansum(values, axis=0), np.nansum(values, axis=1)):
        sums = sums[sums > 0]
        for whole, slack in ((1.0, 0.011), (100.0, 1.01)):
            if len(sums) > 1 and bool(np.all(np.abs(sums - whole) <= slack)):
                sheet.tell("percent_or_numbers", None, sum=f"{whole:g}", choices=[("shares", "numbers")])
                return


def _melted(
    sheet: Sheet,
    groups: Mapping[tuple[tuple[str, str], ...], Mapping[str, int]],
    dims: Mapping[str, int],
    whole: Mapping[str, int],
    graded: Mapping[str, int],
) -> Table:
    raw, sampled = sheet.raw, bool(graded) and bool(whole)
    kinds: dict[frozenset[str], list[tuple[tuple[tuple[str, str], ...], Mapping[str, int]]]] = {}
    for classes, slot in groups.items():
        kinds.setdefault(frozenset(name for name, _ in classes), []).append((classes, slot))
    pieces: list[_Piece] = []
    for number, kind in enumerate(sorted(kinds, key=sorted)):
        for measure, at in (graded if sampled else whole).items():
            if parts := [slot[measure] for _, slot in kinds[kind] if measure in slot]:
                _check_rows(sheet, parts, at, measure)
        for classes, slot in kinds[kind]:
            filled = np.flatnonzero(np.logical_or.reduce([_filled(raw, at) for at in slot.values()]))
            name = f"{'sample' if sampled else 'classes'} {number}"
            pieces.append(_Piece(filled, slot, dict(classes), name, sampled))
    missing = [name for name in whole if not any(name in slot for slot in groups.values())]
    if (dims and (missing or sampled)) or sampled:
        pieces.append(_Piece(np.arange(raw.n_rows), whole, {}, "whole", sample=False))
    return _stacked(sheet, pieces, dims)


def _filled(raw: RawTable, at: int) -> NDArray[np.bool_]:
    """Say of each row whether its cell holds a number other than zero, or something that is no number."""
    column = raw.columns[at]
    numbers, broken = read_numbers(column.cells, raw.marks)
    return column.rows_with([*broken, *np.flatnonzero(np.isfinite(numbers) & (numbers != 0)).tolist()])


def _check_rows(sheet: Sheet, parts: list[int], total: int, measure: str) -> None:
    """Tell the rows whose classes do not add up to the total beside them."""
    sums, given = np.nansum([sheet.raw.values(at) for at in parts], axis=0), sheet.raw.values(total)
    slack = 0.5 if measure == "n_stones" else 0.005 * (len(parts) + 1) + 1e-6
    classes = listed(sheet.raw.columns[at].header for at in parts)
    for row in np.flatnonzero(np.isfinite(given) & (np.abs(sums - given) > slack)).tolist():
        told = {"found": f"{sums[row]:g}", "expected": f"{given[row]:g}", "classes": classes}
        sheet.tell("row_total", total, row, **told)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of a sheet, once for each class that has a column."""

    rows: NDArray[np.intp]
    slot: Mapping[str, int]
    classes: Mapping[str, str]
    breakdown: str
    sample: bool


def _stacked(sheet: Sheet, pieces: list[_Piece], dims: Mapping[str, int]) -> Table:
    raw = sheet.raw
    rows = np.concatenate([piece.rows for piece in pieces]) if pieces else np.zeros(0, dtype=np.intp)
    columns: dict[str, Column] = {name: raw.columns[at].rows(rows) for name, at in dims.items()}
    for measure in ("n_stones", "carats"):
        if any(measure in piece.slot for piece in pieces):
            columns[measure] = laid([(piece.rows, piece.slot.get(measure)) for piece in pieces], raw, measure)
    for name in dict.fromkeys(name for piece in pieces for name in piece.classes):
        if name in columns:
            sheet.tell("column_twice", name, column=name)
        columns[name] = _texts(name, [(len(piece.rows), piece.classes.get(name)) for piece in pieces])
    breakdowns = dict.fromkeys(piece.breakdown for piece in pieces)
    if len(breakdowns) > 1 or any(piece.sample for piece in pieces):
        columns["breakdown"] = _texts("breakdown", [(len(piece.rows), piece.breakdown) for piece in pieces])
    if any(piece.sample for piece in pieces):
        columns["sample"] = _texts("sample", [(len(piece.rows), "yes" if piece.sample else "no") for piece in pieces])
    made = raw.known("counts", columns, sheet.trace, complete=not sheet.problems)
    return replace(made, n_rows=len(rows), rows=None if raw.rows is None else raw.rows[rows], ragged={})


def _texts(header: str, parts: list[tuple[int, str | None]]) -> Column:
    return Column.of(header, [text for _, text in parts]).rows(np.repeat(np.arange(len(parts)), [n for n, _ in parts]))


def laid(parts: list[tuple[NDArray[np.intp], int | None]], raw: RawTable, measure: str) -> Column:
    """Lay stretches of columns of one measure below each other."""
    return below(
        measure,
        [Column.filled(measure, None, len(rows)) if at is None else raw.columns[at].rows(rows) for rows, at in parts],
    )


_REPEATED = re.compile(
    r"(?P<before>.*?)[\[_ /.(](?P<at>\d{1,4})[\])]?[_ /.](?P<field>.+)|(?P<own>.+?)[_ .](?P<last>\d{1,4})"
)


def unrepeated(raw: RawTable, headers: Headers) -> RawTable:
    """Lay the repeats of a form below each other: ``stones[1]/weight``, ``stones[2]/weight``; or ``weight_1``."""
    found: dict[str, dict[str, int]] = {}
    for at, column in enumerate(raw.columns):
        hit = _REPEATED.fullmatch(column.header)
        if hit is not None:
            number = hit["at"] or hit["last"]
            name = f"{hit['before']}/{hit['field']}" if hit["field"] else hit["own"]
            found.setdefault(number, {})[name] = at
    names = set(next(iter(found.values()), {}))
    if any(set(tokens_of(name.partition("/")[0])) & {"lot", "parcel", "parcelle", "colis"} for name in names):
        return raw  # tables of several lots, not one form filled in several times
    if {headers.of(name.rpartition("/")[2]).role for name in names} <= {
        "n_stones",
        "carats",
        "mean",
        "money",
        "percent",
    }:
        return raw  # pieces and carats as several saw them
    if len(found) < 2 or len(names) < 2 or any(set(item) != names for item in found.values()):
        return raw
    inside = {at for item in found.values() for at in item.values()}
    rows = np.arange(raw.n_rows)
    pieces = []
    for item in found.values():
        blank = np.logical_and.reduce([raw.columns[at].blank() for at in item.values()])
        pieces.append(rows[~blank])
    every = np.concatenate(pieces)
    order = np.argsort(every, kind="stable")
    columns = [column.rows(every[order]) for at, column in enumerate(raw.columns) if at not in inside]
    for name in next(iter(found.values())):
        column = laid([(piece, item[name]) for piece, item in zip(pieces, found.values(), strict=True)], raw, name)
        columns.append(column.rows(order))
    lines = None if raw.rows is None else raw.rows[every[order]]
    return replace(raw, columns=columns, rows=lines, ragged={})


def with_parents(raws: Sequence[RawTable], headers: Headers, problems: list[Problem]) -> list[RawTable]:
    """Give the rows of a repeat what its parents say of their parcel and zone: ``_parent_index`` names an ``_index``.

    A parent table of one row that holds nothing else of ours becomes titles of its repeats.
    """
    mains = [raw for raw in raws if _column(raw, "_index") is not None and _column(raw, "_parent_index") is None]
    repeats = [raw for raw in raws if _column(raw, "_parent_index") is not None]
    if len(mains) != 1 or not repeats:
        return list(raws)
    main = mains[0]
    roles = [headers.of(column.header.rpartition("/")[2]).role for column in main.columns]
    stays = {"carats", "n_stones"} & set(roles) or "parcel_id" in roles
    titles = () if stays or main.n_rows != 1 else _as_titles(main)
    made: list[RawTable] = []
    for raw in raws:
        if raw is main and not stays:
            continue
        made.append(_joined(raw, main, roles, titles, headers, problems) if raw in repeats else raw)
    return made


def _column(raw: RawTable, header: str) -> Column | None:
    return next((column for column in raw.columns if column.header.strip().casefold() == header), None)


def _as_titles(main: RawTable) -> tuple[tuple[int, tuple[object, ...]], ...]:
    line = main.line(0) or 1
    return tuple((line, (column.header.rpartition("/")[2], column.at(0))) for column in main.columns)


def _joined(
    raw: RawTable,
    main: RawTable,
    roles: Sequence[str],
    titles: tuple[tuple[int, tuple[object, ...]], ...],
    headers: Headers,
    problems: list[Problem],
) -> RawTable:
    index, parent = _column(main, "_index"), _column(raw, "_parent_index")
    assert index is not None
    assert parent is not None
    places = {text_of(index.at(row)): row for row in range(main.n_rows) if not is_blank(index.at(row))}
    rows = np.array([places.get(text_of(cell), -1) for cell in parent.cells], dtype=np.intp)[parent.codes]
    for row in np.flatnonzero(rows < 0).tolist():
        broken = Broken("unknown_parent", {"table": main.name})
        place = problem(broken, table=raw.name, row=raw.line(row), column=parent.header, value=parent.at(row))
        problems.append(place)
    own = {headers.of(column.header.rpartition("/")[2]).role for column in raw.columns}
    wanted = {"parcel_id"} | ({"zone_id"} if "carats" not in roles else set())
    more = [
        column.rows(np.maximum(rows, 0))
        for column, role in zip(main.columns, roles, strict=True)
        if role in wanted - own and fold(column.header) != "index"
    ]
    return replace(raw, columns=[*raw.columns, *more], titles=(*raw.titles, *titles))  # type: ignore[arg-type]
