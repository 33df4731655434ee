"""What makes a whole sheet doubtful: stones counted twice, numbers that are none of stones, means in place of sums."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.around import MEASURES, ONE
from kpfootprint.ingest.cells import PlainCells, text_of
from kpfootprint.ingest.labels import size_span
from kpfootprint.ingest.meanings import Layout
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.tables import Column, KnownTable
from kpfootprint.ingest.words import declared_words, says, tokens_of

_CLOSE = 0.05
"""How far two counts of the same stones may lie apart, of the larger one."""

_MANY = 50
"""Distinct cells of a column from which on it names no two sorters, or stages."""

_LIGHTEST_MEAN, _HEAVIEST_MEAN = 0.004, 100.0
"""Carats between which the mean stone of a class lies."""

_MOST = 2_000
"""Rows of a sorting sheet that are laid beside each other."""

_FEW = 5
"""Stones of which a mean says something."""


def ask_about_table(table: KnownTable, sheet: Layout) -> None:
    """Ask whether a table counts its stones twice, and whether its carats are sums."""
    if table.kind != "declarations":
        _ask_about_repeats(sheet)
        _ask_about_polished(sheet)
    if table.kind == "counts":
        _ask_about_means(table, sheet)


def _ask_about_polished(sheet: Layout) -> None:
    """Tell a title that names polished stones, or columns that such stones alone have."""
    words = declared_words()["headers"]
    headers = [column.header for column in sheet.raw.columns if {*tokens_of(column.header)} & {*words["of_polished"]}]
    said = [", ".join(headers)] if len(headers) > 1 else []
    said += [text for _, text in sheet.lines_around() if ":" not in text and says("polished", *tokens_of(text))]
    for text in said[:1] if not any(says("rough", *tokens_of(text)) for text in said) else ():
        sheet.tell("polished_goods", None, said=text)


def _ask_about_repeats(sheet: Layout) -> None:
    """Ask whether stones are counted twice: rows that come again, or as two sorters have them, below each other."""
    raw, measures = sheet.raw, sheet.places(*MEASURES, wide=None)
    classes = sheet.places("size_class", "description", *sheet.attributes)
    if not measures or sheet.choices.get(ONE[0]) == ONE[1] or sheet.places("parcel_id"):
        return
    counts = sheet.places("n_stones")
    if len(counts) == 1 and sheet.places("carats") and 1 < raw.n_rows <= _MOST:
        codes = np.column_stack([column.codes for column in raw.columns])
        _, first, twice = np.unique(codes, axis=0, return_index=True, return_inverse=True)
        again = np.flatnonzero((first[twice.reshape(-1)] < np.arange(raw.n_rows)) & (raw.values(counts[0]) >= _FEW))
        for row in again[:1].tolist():
            sheet.tell("counted_twice", None, row, header=raw.label(row), choices=[ONE])
            return
    for at in sheet.places("row") if not counts else ():
        column = raw.columns[at]
        if not column.mostly_distinct and (row := _numbered_again(column)) is not None:
            sheet.tell("counted_twice", at, row, header=column.header, choices=[ONE])
            return
    if (row := _again_from(sheet, [*classes, *measures])) is not None:
        sheet.tell("counted_twice", None, row, header=raw.label(row), choices=[ONE])
        return
    for at in sheet.places("unknown", "other", "row"):
        column = raw.columns[at]
        if len(column.cells) > _MANY:
            continue
        used, parts = np.unique(column.codes, return_inverse=True)
        groups = [np.flatnonzero(parts == part) for part in range(len(used) if len(used) <= 4 else 0)]
        alike = len({len(rows) for rows in groups}) == 1 < len(groups) and len(groups[0]) >= 3
        if alike and not column.blank().any() and _same_stones(sheet, classes, measures, groups):
            sheet.tell("counted_twice", at, int(groups[1][0]), header=column.header, choices=[ONE])
            return


def _numbered_again(column: Column) -> int | None:
    """Return the first row whose number stood before, where few do, so that numbers name the stones of a list."""
    rows = np.flatnonzero(~column.blank())
    _, first, place = np.unique(column.codes[rows], return_index=True, return_inverse=True)
    again = np.flatnonzero(first[place.reshape(-1)] < np.arange(len(rows)))
    return int(rows[again[0]]) if 0 < 3 * len(again) <= len(rows) else None


def _again_from(sheet: Layout, places: Sequence[int]) -> int | None:
    """Return the row from which on a table repeats what stands above, where its rows differ among themselves."""
    columns = [sheet.raw.columns[at] for at in places]

    def cells(row: int) -> tuple[str, ...]:
        return tuple(text_of(column.at(row)) for column in columns)

    for copies in (2, 3):
        part, rest = divmod(sheet.raw.n_rows, copies)
        if rest or part < 3 or any(cells(row) != cells(row + part) for row in range(3)):
            continue
        rows = [*map(cells, range(sheet.raw.n_rows))]
        if rows == rows[:part] * copies and 2 * len({*rows}) > max(part, 5):
            return part
    return None


def _same_stones(
    sheet: Layout,
    classes: Sequence[int],
    measures: Sequence[int],
    groups: Sequence[NDArray[np.intp]],
) -> bool:
    """Say whether groups of rows have the same classes and nearly the same sums, or the same weights."""
    values = [sheet.raw.values(at) for at in measures]
    coded = np.column_stack([sheet.raw.columns[at].codes for at in classes]) if classes else None
    if coded is not None and not any(isinstance(sheet.raw.columns[at].cells, PlainCells) for at in classes):
        kinds = [{*map(tuple, coded[rows].tolist())} for rows in groups]
        if all(kind == kinds[0] and len(kind) == len(groups[0]) for kind in kinds):
            sums = np.array([[np.nansum(v[rows]) for v in values] for rows in groups])
            return bool(np.all(np.ptp(sums, axis=0) <= _CLOSE * sums.max(axis=0)))
    lists = [np.sort(values[0][rows]) for rows in groups]
    return len(np.unique(lists[0])) > 2 and all(np.array_equal(one, lists[0]) for one in lists[1:])


def ask_about_titles(sheet: Layout, wide: Sequence[int]) -> None:
    """Ask what numbers below classes are where a title or the corner says prices, means, shares or carats."""
    roles = {sheet.meanings[at].role for at in wide}
    if roles != {"stones_or_carats"} or sheet.choices.get("shares") == "numbers" or sheet.places("n_stones", "carats"):
        return
    whole = all(bool(np.all(np.isnan(v) | (v == np.floor(v)))) for v in map(sheet.raw.values, wide))
    texts: list[tuple[int | None, str]] = [(line, text) for line, text in sheet.lines_around() if ":" not in text]
    if 0 not in wide and sheet.numbers(0) is None:
        texts.append((None, sheet.raw.columns[0].header))
    for at, text in texts:
        tokens = tokens_of(text)
        if any(map(str.isdigit, re.sub(r"\b(19|20)\d\d\b", "", text))):
            continue
        others = ("money", "mean", *(("carats",) if whole and at is not None else ()))
        said = not says("n_stones", *tokens) and any(says(role, *tokens) for role in others)
        if said or "%" in text or says("percent", *tokens):
            broken = sheet.raw.problem(Broken("measure_of_title", {"title": text, "choices": [("shares", "numbers")]}))
            sheet.problems.append(broken)
            return


def _ask_about_means(table: KnownTable, sheet: Layout) -> None:
    """Ask whether carats are sums, where they are what one stone weighs, or what no stones weigh in the mean."""
    if "carats" not in table.columns or sheet.choices.get("weights") == "carats":
        return
    carats, sizes = table.values("carats"), table.columns.get("size_class")
    if "n_stones" in table.columns:
        stones = table.values("n_stones")
        least, most = np.full(len(carats), _LIGHTEST_MEAN), np.full(len(carats), _HEAVIEST_MEAN)
        if table.typed and sizes is not None:  # those of a sheet are held against their limits once all are known
            spans = [size_span(name, sheet.scheme) for name in sizes.names()]
            least = np.array([0.0 if span is None else (span.lower_ct or 0.0) / 2 for span in spans])[sizes.codes]
            most = np.array([np.inf if span is None else 2 * (span.upper_ct or np.inf) for span in spans])[sizes.codes]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = carats / stones
        odd = (stones >= _FEW) & (carats > 0) & ~((means >= least) & (means <= most))
        for row in np.flatnonzero(odd).tolist()[:1] if sizes is None or table.typed else ():
            told = {"mean": f"{means[row]:.3g}", "choices": [("weights", "carats")]}
            sheet.problems.append(table.problem(Broken("mean_unlikely", told), row, "carats"))
        return
    if sizes is None or isinstance(sizes.cells, PlainCells):
        return
    spans = [size_span(text_of(cell), sheet.scheme) for cell in sizes.cells]
    rows = np.flatnonzero(np.isfinite(carats)).tolist()
    one = [
        span is not None
        and 0.9 * (span.lower_ct or 0) <= carats[row] <= 1.1 * (span.upper_ct or 3 * (span.lower_ct or 0))
        for row in rows
        for span in [spans[sizes.codes[row]]]
    ]
    if len(one) >= 3 and all(one):
        told = {"choices": [("weights", "carats")]}
        sheet.problems.append(table.problem(Broken("means_or_carats", told), rows[0], "carats"))


def ask_about_shares(sheet: Layout, values: NDArray[np.float64]) -> None:
    """Ask about classes that add up to 1 or to 100 in every row, or in every column, where no total stands beside."""
    if sheet.choices.get("shares") == "numbers" or sheet.places("n_stones", "carats", "stones_or_carats"):
        return
    for sums in (np.nansum(values, axis=0), np.nansum(values, axis=1)):
        sums = sums[sums > 0]
        for whole, slack in ((1.0, 0.011), (100.0, 1.01)):
            if len(sums) > 1 and bool(np.all(np.abs(sums - whole) <= slack)):
                sheet.tell("percent_or_numbers", None, sum=f"{whole:g}", choices=[("shares", "numbers")])
                return


def ask_about_weights(sheet: Layout, wide: Sequence[int], *, named: bool) -> None:
    """Tell carats below classes of which each could be the weight of a stone, where nothing says what the rows are."""
    filled = np.sum([np.isfinite(sheet.raw.values(at)) for at in wide], axis=0)
    one_each = bool(sheet.places("row")) and bool(np.all(filled == 1))
    loose = named or sheet.places("lot", "description", "unknown", "other")
    carats = {sheet.meanings[at].role for at in wide} == {"carats"}
    if carats and sheet.raw.n_rows > 1 and (one_each or not loose):
        sheet.tell("weights_below_classes", wide[0], column=sheet.meanings[wide[0]].classes[0][0])
