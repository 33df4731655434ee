"""Tables that could be read in two ways: each doubt is a problem, with the readings to choose from."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.cells import PlainCells, text_of
from kpfootprint.ingest.descriptions import split_descriptions
from kpfootprint.ingest.headers import tokens_of
from kpfootprint.ingest.meanings import Sheet, cells_of, listed
from kpfootprint.ingest.words import declared_words, fold, unit_words

_HEAVY_CT = 5.0
"""Weight above which all rows must lie, of which no two are of one class, to be taken for lots rather than stones."""

_OF_STONES = ("weightct", "poidsct")
"""Headers that the documentation gives to the weight of a stone, folded."""

_HEAVY_MIDDLE = 20.0
"""Weight in the middle of a list, from which on it is asked whether it is in carats where no hundredths are given."""

_HUNDREDTHS = re.compile(r"[.,]\d\d")

_FEW = 3
"""Whole weights from which on they are taken for points rather than carats."""


def ask_about_cells(sheet: Sheet, classed: list[int]) -> None:
    """Ask whether rows with a size class and carats are classes, or stones, where two of them are alike."""
    if sheet.places("n_stones"):
        return
    rows = np.column_stack([sheet.raw.columns[at].codes for at in classed])
    if len(np.unique(rows, axis=0)) == len(rows) or sheet.places("lot", "description", "described", "parcel_id"):
        return
    at = sheet.places("size_class")[0]
    header = sheet.raw.columns[at].header
    sheet.tell("stones_or_cells", at, header=header, choices=[(f"column:{header}", "ignore")])


def ask_about_stones(sheet: Sheet, classed: list[int]) -> None:
    """Ask whether the rows of a list of weights are stones, or lots of several; and whether weights are carats."""
    weights = sheet.places("carats")
    if not weights or isinstance(sheet.raw.columns[weights[0]].cells, PlainCells):
        return
    at = weights[0]
    weight = sheet.raw.values(at)
    header = sheet.raw.columns[at].header
    means = sheet.places("mean")
    if means and bool(np.any(sheet.raw.values(means[0]) < 0.9 * weight)):
        sheet.tell("lots_without_numbers", at, header=sheet.raw.columns[means[0]].header)
        return
    if sheet.choices.get("rows") != "stones" and (by := _lots_by(sheet, classed, weight)) is not None:
        named = sheet.raw.columns[by].header
        sheet.tell("lots_without_numbers", by, header=named, choices=[("rows", "stones")])
        return
    known = weight[np.isfinite(weight)]
    if sheet.choices.get("weights") == "carats" or set(tokens_of(header)) & set(unit_words("carats")):
        return
    if len(known) >= _FEW and bool(np.all(known == np.floor(known))) and float(known.max(initial=0.0)) >= 2.0:
        sheet.tell("points_or_carats", at, header=header, choices=[("weights", "carats")])
    elif (
        len(known) >= _FEW
        and (middle := float(np.median(known))) >= _HEAVY_MIDDLE
        and not any(_HUNDREDTHS.search(text_of(cell)) for cell in cells_of(sheet.raw.columns[at], sheet.headers))
    ):
        sheet.tell("heavy_or_carats", at, header=header, middle=f"{middle:g}", choices=[("weights", "carats")])


def _lots_by(sheet: Sheet, classed: list[int], weight: NDArray[np.float64]) -> int | None:
    """Return the column by which rows are lots rather than stones, or None."""
    raw = sheet.raw
    for at in sheet.places("description"):
        made, _ = split_descriptions(raw.columns[at], sheet.headers.words.scheme.categorical, sheet.headers)
        if "size_class" in made:
            return at
    for at, column in enumerate(raw.columns):
        if (
            not isinstance(column.cells, PlainCells)
            and at not in sheet.places("carats", "row")
            and _of_goods(sheet, at)
        ):
            return at
    if sheet.places("row", "parcel_id") or raw.n_rows < 2 or not np.isfinite(weight).any():
        return None
    goods = [at for at, column in enumerate(raw.columns) if sheet.headers.of(column.header).role == "description"]
    sure = fold(raw.columns[sheet.places("carats")[0]].header) in _OF_STONES
    known = [*sheet.places("lot", "description"), *classed]
    named = known or [at for at in range(len(raw.columns)) if at not in sheet.places("carats", "money", "value_usd")]
    if not named or (sure and not goods) or float(np.nanmin(weight)) <= _HEAVY_CT:
        return None
    distinct = len(np.unique(np.column_stack([raw.columns[at].codes for at in named]), axis=0)) == raw.n_rows
    return named[0] if distinct else None


_HEADING = re.compile(r"7102[. ]?\d\d([. ]?\d\d){0,2}")
"""A heading of the customs tariff for diamonds."""


_SEVERAL_SAID = re.compile(
    rf"\b([2-9]|[1-9]\d+)\s*({'|'.join(map(re.escape, unit_words('pieces')))}|pieces?|pièces?)\b"
    r"|\b(lots?|paquets?|packs?)\s+(de|of)\s+\d|^[x×]\s?\d+$",
    re.IGNORECASE,
)
"""A remark by which a row is of several stones: ``3 pcs``, ``lot de 3``."""


def _of_goods(sheet: Sheet, at: int) -> bool:
    """Say whether the cells of a column name goods, of which a row holds several: customs headings, ``5 pierres``."""
    if sheet.meanings[at].role not in ("description", "unknown", "other", "lot"):
        return False
    cells = [text_of(cell) for cell in cells_of(sheet.raw.columns[at], sheet.headers)]
    if cells and all(map(_HEADING.fullmatch, cells)):
        return True
    if sheet.meanings[at].role == "other":
        return any(len(cell) <= 30 and _SEVERAL_SAID.search(cell) for cell in cells)
    many = set(declared_words()["headers"]["goods"])
    return sheet.meanings[at].role in ("description", "unknown") and any(many & {*tokens_of(c)} for c in cells)


def all_percent(sheet: Sheet, at: int) -> bool:
    """Say whether all cells of a column bear a percent sign."""
    cells = cells_of(sheet.raw.columns[at], sheet.headers)
    return bool(cells) and all(isinstance(cell, str) and cell.strip().endswith("%") for cell in cells)


def ask_about_blanks(sheet: Sheet, classed: list[int]) -> Sheet:
    """Ask whether a class that is blank below a filled one goes on, where rows with and without it alternate."""
    if len(classed) < 2 or sheet.places("parcel_id"):
        return sheet
    raw = sheet.raw
    for at in classed:
        others = [other for other in classed if other != at]
        blank = raw.columns[at].blank()
        filled = np.logical_and.reduce([~raw.columns[other].blank() for other in others])
        full = np.flatnonzero(~blank & filled)
        if not len(full):
            continue
        between = np.flatnonzero(blank & filled)
        between = between[between > full[0]]
        if not len(between) or full[-1] < between[0] or _same_sums(sheet, full, between):
            continue
        if sheet.choices.get("blanks") == "as_above":
            return _filled_down(sheet, at)
        sheet.tell("blank_below", at, int(between[0]), header=raw.columns[at].header, choices=[("blanks", "as_above")])
        return sheet
    return sheet


def _same_sums(sheet: Sheet, some: NDArray[np.intp], others: NDArray[np.intp]) -> bool:
    """Say whether rows sum to what others do in stones and carats, so that they are a breakdown of the same stones."""
    measures = sheet.places("n_stones", "carats")
    values = [sheet.raw.values(at) for at in measures]
    sums = [(float(np.nansum(v[some])), float(np.nansum(v[others]))) for v in values]
    return len(sums) > 1 and all(abs(one - other) <= 0.0051 + 0.001 * abs(one) for one, other in sums)


def _filled_down(sheet: Sheet, at: int) -> Sheet:
    column = sheet.raw.columns[at]
    last = np.maximum.accumulate(np.where(column.blank(), -1, np.arange(sheet.raw.n_rows)))
    codes = np.where(last >= 0, column.codes[np.maximum(last, 0)], column.codes).astype(np.int32)
    columns = list(sheet.raw.columns)
    columns[at] = replace(column, codes=codes)
    return replace(sheet, raw=replace(sheet.raw, columns=columns))


def is_transposed(sheet: Sheet, wide: list[int]) -> bool:
    """Say whether classes stand in columns and pieces and carats in rows, and tell it."""
    if len(wide) < 2 or sheet.raw.n_rows > 12:
        return False
    for at in range(len(sheet.raw.columns)):
        cells = cells_of(sheet.raw.columns[at], sheet.headers)
        roles = {sheet.headers.of(cell).role for cell in cells if isinstance(cell, str)}
        if at not in wide and roles & {"n_stones", "carats"} and roles <= {"n_stones", "carats", "mean", "money"}:
            sheet.tell("transposed", at, header=listed(str(cell) for cell in cells))
            return True
    return False
