"""Whether the rows that name a size class and a weight each are stones, as a list has them that says their sieves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.names.size_labels import size_span
from kpfootprint.ingest.raw.cells import text_of

ANSWERS = (("rows", "stones"), ("weights", "carats"))
"""The answers that rows are stones, or classes that were weighed."""

_NEAR = 1.6
"""How many times the limits of its class a flat or a long stone may weigh, or the limits its weight."""

_MOST_NEAR = 0.8
"""The part of the rows that weigh what a stone of their class does, from which on the others are mistaken ones."""

_HEAVY = 10.0
"""Carats above which numbered rows of classes are hardly stones."""


def are_sized_stones(sheet: Layout, classed: Sequence[int]) -> bool:
    """Say whether rows with a size class and carats are stones; it is asked where that, or a stone's class, is unsure.

    They are where each has a number or a name of its own and weighs what a stone of its class does, and the stones of
    one class differ in weight.
    """
    sizes, weights = sheet.places("size_class"), sheet.places("carats")
    others = sheet.places("n_stones", "description", "described", "lower_ct", "upper_ct", "breakdown", "mean")
    if len(sizes) != 1 or len(weights) != 1 or others or sheet.raw.columns[weights[0]].mostly_distinct:
        return False
    if (said := sheet.choices.get("rows")) == "stones" or sheet.choices.get("weights") == "carats":
        return said == "stones"
    carats, column = sheet.raw.values(weights[0]), sheet.raw.columns[sizes[0]]
    lower, upper = _limits(sheet, sizes[0])
    known = np.isfinite(carats) & np.isfinite(lower)
    if sheet.raw.n_rows < 3 or not known.any():
        return False
    if 2 * (carats < lower / _NEAR).sum() > known.sum():  # no class weighs less than its least stone
        sheet.tell("stones_or_classes", sizes[0], header=column.header, choices=ANSWERS)
        return False
    if column.mostly_distinct or not _are_named(sheet, weights[0]):
        return False
    if not np.all(known | column.blank()) or not np.all(carats > 0) or not _differ(column.codes, carats):
        return False
    far = known & ~((carats >= lower / _NEAR) & (carats <= upper * _NEAR))
    inside = known & (carats >= 0.9 * lower) & (carats <= 1.1 * upper)
    if _is_grid(sheet, classed):
        return False
    if far.sum() > (1 - _MOST_NEAR) * known.sum() or 2 * inside.sum() < known.sum():
        if float(np.nanmax(carats)) <= _HEAVY:
            sheet.tell("stones_or_classes", sizes[0], header=column.header, choices=ANSWERS)
        return False
    for row in np.flatnonzero(far)[:20].tolist():
        label = text_of(column.at(row))
        sheet.tell("stone_of_size", sizes[0], row, found=f"{carats[row]:g}", label=label, choices=ANSWERS[:1])
    return True


def _are_named(sheet: Layout, weight: int) -> bool:
    """Say whether each row has a number of its own, or a name with one: ``CAR7-001``."""
    for at in sheet.places("row", "unknown", "other", "lot", "ticket"):
        column = sheet.raw.columns[at]
        if at == weight or column.mostly_distinct or column.blank().any():
            continue
        distinct = len(np.unique(column.codes)) == sheet.raw.n_rows
        if distinct and all(any(map(str.isdigit, text)) for text in column.names() if text):
            return True
    return False


def _limits(sheet: Layout, at: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the limits of each row's class in carats; an open one ends where the next of the sheet begins."""
    column = sheet.raw.columns[at]
    spans = [size_span(text_of(cell), sheet.scheme) for cell in column.cells]
    starts = sorted({span.lower_ct for span in spans if span is not None and span.lower_ct is not None})
    lower, upper = [], []
    for span in spans:
        low = np.nan if span is None else span.lower_ct or 0.0
        high = np.nan if span is None else span.upper_ct
        lower.append(low)
        upper.append(next((start for start in starts if start > low), np.inf) if high is None else high)
    return np.array(lower)[column.codes], np.array(upper)[column.codes]


def _differ(codes: NDArray[np.int32], carats: NDArray[np.float64]) -> bool:
    """Say whether some class has several rows, and they differ in weight."""
    return any(len(np.unique(carats[codes == code])) > 1 for code in np.unique(codes).tolist())


def _is_grid(sheet: Layout, classed: Sequence[int]) -> bool:
    """Say whether each size comes once with each class of the other attributes, as in a sorting sheet."""
    coded = np.column_stack([sheet.raw.columns[at].codes for at in classed])
    whole = np.prod([len(np.unique(column)) for column in coded.T])
    return coded.shape[1] > 1 and len(coded) == len(np.unique(coded, axis=0)) == whole
