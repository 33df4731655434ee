"""Tables of the same columns side by side, and what stands in one cell for two columns: laid below or beside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import Cell
from kpfootprint.ingest.raw.tables import Column, RawTable, below
from kpfootprint.ingest.sheets.around import MEASURES, ONE
from kpfootprint.ingest.words import tokens_of, without_measure

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
    first = next(iter(found), "")
    names = set(found.get(first, {}))
    if any(set(tokens_of(name.partition("/")[0])) & {"lot", "parcel", "parcelle", "colis"} for name in names):
        return raw  # tables of several lots, not one form filled in several times
    fields = [name.rpartition("/")[2] for name in names]
    if {headers.of(name).role for name in fields} <= {
        "n_stones",
        "carats",
        "mean",
        "money",
        "percent",
        "stones_or_carats",
    }:
        return raw  # pieces and carats as several saw them, or of several grades
    if len(found) < 2 or len(names) < 2 or any(set(item) != names for item in found.values()):
        return raw
    order = [[item[name] for name in found[first]] for item in found.values()]
    roles = [headers.of(item.header.rpartition("/")[2]).role for item in raw.columns]
    own = [at for at in range(len(raw.columns)) if not any(at in item for item in order)]
    counts = [at for at in own if roles[at] == "n_stones"]
    weights = [at for at in own if roles[at] == "carats" and "carats" in {headers.of(name).role for name in fields}]
    filled = np.sum([~raw.blank(item) for item in order], axis=0)
    weighed = np.nansum([raw.values(at) for item in order for at in item if roles[at] == "carats"], axis=0)
    if any(not np.array_equal(raw.values(at), filled) for at in counts) or not all(
        np.allclose(raw.values(at), weighed, atol=0.0051) for at in weights
    ):
        return raw  # so many stones are said to be in the form, or so heavy ones, as are not
    counts += weights
    every, made = _laid_below(raw, order, [*found[first]])
    by_row = np.argsort(every, kind="stable")
    rest = [
        column.rows(every[by_row])
        for at, column in enumerate(raw.columns)
        if at not in counts and not any(at in item for item in order)
    ]
    columns = [*rest, *(column.rows(by_row) for column in made)]
    return replace(raw, columns=columns, rows=raw.rows[every[by_row]], ragged={})


_IN_A_CELL = {"n_stones": r"\d+", "carats": r"\d+(?:[.,]\d+)?"}
_NUMBER = re.compile(r"\W*\d")
_BELOW_A_CLASS = re.compile(r"(\d+)\s*/\s*(\d+[.,]\d+)(?:\s*ct)?")


def parted(raw: RawTable, headers: Headers) -> RawTable:
    """Part columns that hold stones and carats in one cell, under a header of both: ``12/3.40`` below ``Pcs/Cts``.

    Below a class, or a total, that is so where the second has decimals: ``12/3.40`` below ``White``; beside classes,
    below a word that names none as well.
    """
    columns: list[Column] = []
    classed = {name for column in raw.columns for name, _ in headers.of(column.header).classes}
    for column in raw.columns:
        first, _, second = column.header.partition("/")
        names = [first.strip(), f"{without_measure(first)} {second}".strip()]  # ``White pcs/cts``
        roles, texts = [headers.of(name).role for name in names], [] if column.mostly_distinct else column.names()
        both = re.compile(r"\s*/\s*".join(f"({_IN_A_CELL.get(role, '!')})" for role in roles))
        said = headers.among_classes(column.header, headers.of(column.header), classed)
        unnamed = said.role == "unknown" and any(texts) and all(map(_BELOW_A_CLASS.fullmatch, filter(None, texts)))
        if (said.role == "stones_or_carats" or unnamed) and classed:
            names, roles, both = (
                [f"{column.header} pcs", f"{column.header} cts"],
                ["n_stones", "carats"],
                _BELOW_A_CLASS,
            )
        hits = [both.fullmatch(text) for text in texts]
        others = any(not hit and _NUMBER.match(text) for text, hit in zip(texts, hits, strict=True))
        if roles[0] == roles[1] or not any(hits) or others:
            columns.append(column)
            continue
        for at, name in enumerate(names, start=1):
            rest = texts if at == 1 else [None] * len(texts)  # words below the table stay what they are
            cells: list[Cell] = [hit[at] if hit else other for hit, other in zip(hits, rest, strict=True)]
            columns.append(replace(column, header=name, cells=cells))
    return replace(raw, columns=columns)


def _laid_below(
    raw: RawTable, repeats: Sequence[Sequence[int]], headers: Sequence[str]
) -> tuple[NDArray[np.intp], list[Column]]:
    """Lay the columns of repeats below each other, and return the row of which each is with them."""
    kept = [np.flatnonzero(~raw.blank(item)) for item in repeats]
    parts = [[raw.columns[at].rows(rows) for at in item] for item, rows in zip(repeats, kept, strict=True)]
    return np.concatenate(kept), [below(*item) for item in zip(headers, zip(*parts, strict=True), strict=True)]


def side_by_side(sheet: Layout) -> Layout | None:
    """Return a sheet whose tables side by side are laid below each other; None where that is asked first."""
    headed = [at for at, column in enumerate(sheet.raw.columns) if column.header.strip()]
    keys = [(sheet.meanings[at].role, sheet.meanings[at].classes, sheet.meanings[at].part == "sample") for at in headed]
    blocks = _blocks(keys)
    if blocks < 2 and (gap := _gap_between_measures(sheet)) is not None:
        names = listed((column.header for column in sheet.raw.columns[gap + 1 :]), 8)
        sheet.tell("tables_beside", None, found=2, headers=names)
        return None
    if blocks < 2:
        return sheet
    width = len(headed) // blocks
    if sheet.choices.get(ONE[0]) != ONE[1]:
        names = listed((sheet.raw.columns[at].header for at in headed[:width]), 8)
        sheet.tell("tables_beside", None, found=blocks, headers=names, choices=[ONE])
        return None
    raw, first = sheet.raw, headed[:width]
    repeats = [headed[start : start + width] for start in range(0, len(headed), width)]
    every, columns = _laid_below(raw, repeats, [raw.columns[at].header for at in first])
    raw = replace(raw, columns=[replace(column, headers=()) for column in columns], rows=raw.rows[every], ragged={})
    return replace(sheet, raw=raw, meanings=[replace(sheet.meanings[at], party="", part="") for at in first])


def _gap_between_measures(sheet: Layout) -> int | None:
    """Return an empty column without a header, on both sides of which something is named and measured."""
    for at, column in enumerate(sheet.raw.columns):
        if not column.empty:
            continue
        for side, measures in ((sheet.meanings[:at], MEASURES), (sheet.meanings[at + 1 :], (*MEASURES, "percent"))):
            roles = {item.role for item in side}
            if not roles & {*measures} or not (
                roles & {"size_class", "zone_id", "description"} or {*sheet.attributes} & roles
            ):
                break
        else:
            return at
    return None


def _blocks(keys: Sequence[tuple[str, object, bool]]) -> int:
    """Return how often the columns of a table with a measure and something that it measures repeat themselves."""
    for blocks in range(min(12, len(keys) // 2), 1, -1):
        width = len(keys) // blocks
        first = keys[:width]
        roles = {role for role, classes, _ in first if not classes}
        named = roles - {*MEASURES, "mean", "money", "percent", "other", "unknown"}
        if len(keys) == width * blocks and list(first) * blocks == list(keys) and named and roles & {*MEASURES}:
            return blocks
    return 1
