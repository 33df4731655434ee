"""Stones and counts: the large tables, read column by column, and the breakdowns that counts become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.cells import (
    MOST_BROKEN,
    Cell,
    DecimalMarks,
    Odd,
    check_range,
    is_blank,
    read_id,
    read_numbers,
    read_yes_or_no,
    text_of,
)
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.sums import CELL_UNIT_CT, spread_of
from kpfootprint.ingest.tables import Column, Findings, Table
from kpfootprint.ingest.words import (
    Words,
    attribute_words,
    class_code,
    classes_joined,
    condition_values,
    find_size,
    fold,
    fold_size,
    nearest,
    one_code,
    size_words,
)
from kpfootprint.parcel import NOT_RECORDED, Breakdown
from kpfootprint.scheme import Attribute, SieveSet
from kpfootprint.wanted import each

MAX_STONE_CT = 5000.0
MAX_COMPARED = 200
"""Unknown names of a column that are compared with the known ones; further ones are told the first known names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """Rows of stones or counts, read: numbers, class codes, and the parcel that each row belongs to.

    `owners` holds positions in `ids`. A number that was blank or broken is NaN. Of counts, `breakdowns` numbers the
    named breakdowns (-1: not named), and `samples` flags rows of a graded sample.
    """

    table: Table
    ids: list[str]
    owners: NDArray[np.int32]
    numbers: Mapping[str, NDArray[np.float64]]
    codes: Mapping[str, NDArray[np.int16]]
    breakdowns: NDArray[np.intp] | None = None
    samples: NDArray[np.bool_] | None = None

    def rows_by_parcel(self) -> dict[str, NDArray[np.intp]]:
        """Return the positions of each parcel's rows, in the order of the file."""
        order = np.argsort(self.owners, kind="stable")
        bounds = np.searchsorted(self.owners[order], np.arange(len(self.ids) + 1))
        return {
            name: order[low:high]
            for name, low, high in zip(self.ids, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
            if high > low
        }


def read_goods(table: Table, single: str | None, words: Words, findings: Findings) -> Goods:
    """Read stones or counts by distinct cells; every broken one is noted under the parcel of its row."""
    ids, owners = _owners(table, single, findings)
    for row, width in table.ragged.items():
        broken = Broken("ragged_row", {"found": width, "expected": table.n_columns})
        findings.add(ids[owners[row]] or None, table.problem(broken, row))
    number_columns = {
        "stones": {words.scheme.size.column: "weight", "value_usd": "value"},
        "counts": {
            "n_stones": "count",
            "carats": "value",
            "value_usd": "value",
            "lower_ct": "value",
            "upper_ct": "value",
        },
    }[table.kind]
    found = [table.columns[name] for name in number_columns if name in table.columns]
    marks = DecimalMarks.seen_in(column.cells for column in found)
    numbers: dict[str, NDArray[np.float64]] = {}
    for name, kind in number_columns.items():
        column = table.columns.get(name)
        if column is None:
            continue
        values, broken_cells = read_numbers(column.cells, marks, typed=table.typed)
        _check_numbers(kind, column, values, broken_cells)
        findings.add_column(table, name, broken_cells, owners, ids)
        numbers[name] = values[column.codes]
    codes: dict[str, NDArray[np.int16]] = {}
    for attribute in words.scheme.categorical:
        column = table.columns.get(attribute.column)
        if column is None:
            continue
        by_cell, broken_cells = class_codes(column.cells, attribute)
        findings.add_column(table, attribute.column, broken_cells, owners, ids)
        codes[attribute.name] = by_cell[column.codes]
    breakdowns, samples = None, None
    if "breakdown" in table.columns and table.kind == "counts":
        column = table.columns["breakdown"]
        names = {text: k for k, text in enumerate(dict.fromkeys(map(text_of, column.cells)))}
        labels = [-1 if is_blank(cell) else names[text_of(cell)] for cell in column.cells]
        breakdowns = np.array(labels, dtype=np.intp)[column.codes]
    if "sample" in table.columns and table.kind == "counts":
        column = table.columns["sample"]
        read = [read_yes_or_no(cell) for cell in column.cells]
        unclear = {at: flag for at, flag in enumerate(read) if isinstance(flag, Broken)}
        findings.add_column(table, "sample", unclear, owners, ids)
        samples = np.array([flag is True for flag in read], dtype=bool)[column.codes]
    return Goods(
        table=table, ids=ids, owners=owners, numbers=numbers, codes=codes, breakdowns=breakdowns, samples=samples
    )


def _check_numbers(kind: str, column: Column, values: NDArray[np.float64], broken: dict[int, Broken]) -> None:
    if kind == "weight":
        check_range(values, broken, minimum="above_zero", maximum=MAX_STONE_CT)
    elif kind == "count":
        check_range(values, broken, minimum="zero", maximum=1e9, whole=True)
    else:
        check_range(values, broken, minimum="zero", maximum=1e12)
    if kind == "weight":
        for position in np.flatnonzero(np.isnan(values)).tolist():
            if is_blank(column.cells[position]):
                broken[position] = Broken("missing_value")


def _owners(table: Table, single: str | None, findings: Findings) -> tuple[list[str], NDArray[np.int32]]:
    """Return parcel ids, and for every row the position of its parcel among them."""
    column = table.columns.get("parcel_id")
    if column is None:
        return [single or ""], np.zeros(table.n_rows, dtype=np.int32)
    index: dict[str, int] = {}
    by_cell = np.zeros(len(column.cells), dtype=np.int32)
    broken: dict[int, Broken] = {}
    for position, cell in each(enumerate(column.cells), 1000):
        name = read_id(cell)
        if name is None or isinstance(name, Broken):
            broken[position] = name or Broken("missing_value")
            name = single or ""
        by_cell[position] = index.setdefault(name, len(index))
    owners = by_cell[column.codes]
    ids = list(index)
    if broken:
        findings.add_column(table, "parcel_id", broken, np.zeros_like(owners), [None])
    return ids, owners


def class_codes(cells: Sequence[Cell], attribute: Attribute) -> tuple[NDArray[np.int16], dict[int, Broken]]:
    """Return the class code of each distinct cell, `NOT_RECORDED` where blank, with the broken ones by position."""
    codes = np.full(len(cells), NOT_RECORDED, dtype=np.int16)
    broken: dict[int, Broken] = {}
    exact = {name: code for code, name in enumerate(attribute.code_names)}
    known: dict[str, int] = {}
    names: dict[str, str] = {}
    unlike_any: Broken | None = None
    for position, cell in each(enumerate(cells), 1000):
        if is_blank(cell):
            continue
        if isinstance(cell, Odd):
            broken[position] = Broken(cell.code, {"expected": f"a {attribute.name}"})
            continue
        text = text_of(cell)
        code = exact.get(text)
        if code is None:
            known = known or attribute_words(attribute)
            code = class_code(text, known)
            several = set() if code is not None else classes_joined(text, known)
            code = one_code(attribute, several) if several else code
        if code is not None:
            codes[position] = code
            continue
        if not several and fold(text) in condition_values(""):
            continue
        if not names:
            every = attribute.code_names
            names = {word: every[code] for word, code in known.items()}
            unlike_any = Broken("unknown_class", {"attribute": attribute.name, "nearest": nearest("", names)})
        if several:
            named = [attribute.code_names[code] for code in sorted(several)]
            values = {"attribute": attribute.name, "classes": ", ".join(named), "sets": _holding(attribute, several)}
            broken[position] = Broken("unknown_class", {**values, "rule": "several_classes"})
        elif len(broken) < MAX_COMPARED:
            values = {"attribute": attribute.name, "nearest": nearest(text, names)}
            broken[position] = Broken("unknown_class", values)
        elif unlike_any is not None:
            broken[position] = unlike_any
            if len(broken) >= MOST_BROKEN:
                return codes, broken | dict.fromkeys(range(position + 1, len(cells)), unlike_any)
    return codes, broken


def _holding(attribute: Attribute, codes: set[int]) -> str:
    """Name the sets that hold some classes, the smallest first."""
    members = attribute.members_of_codes()
    wanted = members[[*codes]].any(axis=0)
    held = [code for code in range(len(attribute.classes), len(members)) if bool(members[code][wanted].all())]
    return ", ".join(attribute.code_names[code] for code in sorted(held, key=lambda code: members[code].sum())) or "–"


RANGES = "ranges"
"""Name of the size classes of a sheet whose rows give limits of their own."""


def read_breakdowns(
    goods: Goods, rows: NDArray[np.intp], parcel_id: str, sieve_set: SieveSet, words: Words, findings: Findings
) -> tuple[tuple[Breakdown, ...], SieveSet]:
    """Gather a parcel's rows by the class columns that they fill, or by the breakdown they name; equal cells add up.

    Returns
    -------
    tuple of Breakdown
        None where a problem was found.
    SieveSet
        The size classes that the codes mean: those given, or the ranges of the rows.
    """
    table = goods.table
    names = words.scheme.attribute_names
    codes = np.full((len(rows), len(names)), NOT_RECORDED, dtype=np.int16)
    codes[:, 0], sieve_set, sound = _size_codes(goods, rows, parcel_id, sieve_set, findings)
    for position, name in enumerate(names[1:], start=1):
        if name in goods.codes:
            codes[:, position] = goods.codes[name][rows]
    filled = codes >= 0
    named = np.full(len(rows), -1) if goods.breakdowns is None else goods.breakdowns[rows]
    sample = np.zeros(len(rows), dtype=bool) if goods.samples is None else goods.samples[rows]
    bare = ~filled.any(axis=1) & (named < 0)
    carats = goods.numbers["carats"][rows] if "carats" in goods.numbers else np.full(len(rows), np.nan)
    # rows of number and weight alone are a parcel, if they are all there is of it
    if not (bare.all() and bool((carats > 0).all()) and not sample.any()):
        for at in np.flatnonzero(bare).tolist() if sound else ():
            findings.add(parcel_id, table.problem(Broken("no_class"), int(rows[at])))
            sound = False
    if not sound:
        return (), sieve_set
    pattern = np.where((named >= 0)[:, None], False, filled)
    keys = np.column_stack([named, sample, pattern])
    _, first, groups = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    groups = groups.reshape(-1)
    breakdowns: list[Breakdown] = []
    for group in np.argsort(first):
        members = np.flatnonzero(groups == group)
        used = np.flatnonzero(filled[members].any(axis=0))
        made = _breakdown(
            goods,
            rows[members],
            codes[np.ix_(members, used)],
            [names[i] for i in used],
            parcel_id,
            findings,
            sample=bool(sample[members[0]]),
        )
        if made is None:
            return (), sieve_set
        breakdowns.append(made)
    _check_agreement(goods, breakdowns, parcel_id, findings)
    return tuple(breakdowns), sieve_set


def number_and_weight(n_stones: int, carats: float) -> Breakdown:
    """Return the breakdown of a parcel of which nothing but number and weight is known."""
    return Breakdown(
        attributes=(),
        codes=np.zeros((1, 0), dtype=np.int16),
        n_stones=np.array([n_stones], dtype=np.int64),
        carats=np.array([carats]),
    )


def _size_codes(
    goods: Goods, rows: NDArray[np.intp], parcel_id: str, sieve_set: SieveSet, findings: Findings
) -> tuple[NDArray[np.int16], SieveSet, bool]:
    column = goods.table.columns.get("size_class")
    lower, upper = (
        goods.numbers[name][rows] if name in goods.numbers else np.full(len(rows), np.nan)
        for name in ("lower_ct", "upper_ct")
    )
    limited = ~(np.isnan(lower) & np.isnan(upper))
    codes = np.full(len(rows), NOT_RECORDED, dtype=np.int16)
    sound = True
    known = size_words(sieve_set)
    labels = {fold_size(name): name for name in sieve_set.classes}
    for at, row in enumerate(rows.tolist() if column is not None else ()):
        assert column is not None
        cell = column.at(row)
        if is_blank(cell) or limited[at]:
            continue
        code = None if isinstance(cell, Odd) else find_size(text_of(cell), known)
        if code is not None:
            codes[at] = code
            continue
        values = {
            "attribute": f"size class of {sieve_set.name}",
            "nearest": nearest("" if findings.full else text_of(cell), labels),
        }
        broken = Broken(cell.code, {"expected": "text"}) if isinstance(cell, Odd) else Broken("unknown_class", values)
        findings.add(parcel_id, goods.table.problem(broken, row, "size_class"))
        sound = False
    if not limited.any() or not sound:
        return codes, sieve_set, sound
    lower, upper = np.where(np.isnan(lower), 0.0, lower), np.where(np.isnan(upper), np.inf, upper)
    for at in np.flatnonzero(limited & ~(lower < upper)).tolist():
        broken = Broken("bad_sieve_set", {"detail": f"from {lower[at]:g} to {upper[at]:g} ct is no range"})
        findings.add(parcel_id, goods.table.problem(broken, int(rows[at]), "upper_ct"))
        sound = False
    texts = [None if column is None else column.at(row) for row in rows.tolist()]
    ranges: dict[tuple[float, float], str] = {}
    for at in np.flatnonzero(limited | (codes >= 0)).tolist() if sound else ():
        if not limited[at]:
            lower[at], upper[at] = sieve_set.lower_ct[codes[at]], sieve_set.upper_ct[codes[at]]
        text = None if is_blank(texts[at]) or isinstance(texts[at], Odd) else text_of(texts[at])
        span = f"{lower[at]:g}+ ct" if np.isinf(upper[at]) else f"{lower[at]:g}-{upper[at]:g} ct"
        name = ranges.setdefault((float(lower[at]), float(upper[at])), text or span)
        if text and name == span:
            ranges[float(lower[at]), float(upper[at])] = text
    if not sound or not ranges:
        return codes, sieve_set, sound
    made = _ranges(ranges)
    place = dict(zip(zip(made.lower_ct, made.upper_ct, strict=True), range(len(ranges)), strict=True))
    for at in np.flatnonzero(limited | (codes >= 0)).tolist():
        codes[at] = place[float(lower[at]), float(upper[at])]
    return codes, made, True


def _ranges(ranges: dict[tuple[float, float], str]) -> SieveSet:
    """Make a set of the ranges of a sheet; two ranges of one name bear their limits too."""
    spans = sorted(ranges)
    texts = [ranges[span] for span in spans]
    names = [
        text if texts.count(text) == 1 else f"{text} ({low:g}-{high:g} ct)"
        for text, (low, high) in zip(texts, spans, strict=True)
    ]
    return SieveSet(
        name=RANGES,
        classes=tuple(names),
        lower_ct=tuple(low for low, _ in spans),
        upper_ct=tuple(high for _, high in spans),
    )


def _breakdown(
    goods: Goods,
    rows: NDArray[np.intp],
    codes: NDArray[np.int16],
    names: list[str],
    parcel_id: str,
    findings: Findings,
    *,
    sample: bool,
) -> Breakdown | None:
    nothing = np.full(len(rows), np.nan)
    numbers = goods.numbers["n_stones"][rows] if "n_stones" in goods.numbers else nothing
    carats = goods.numbers["carats"][rows] if "carats" in goods.numbers else nothing
    carats = np.where((numbers == 0) & np.isnan(carats), 0.0, carats)
    counts = np.where(np.isnan(numbers), np.where(carats == 0, 0, NOT_RECORDED), numbers).astype(np.int64)
    missing = np.isnan(carats)
    weighed = bool((~missing & (counts != 0)).any())
    for at in np.flatnonzero((counts < 0) & missing).tolist():
        findings.add(parcel_id, goods.table.problem(Broken("missing_value"), int(rows[at]), "n_stones"))
    wrong = (
        ((missing | (carats <= 0)) & (counts > 0)) | ((counts == 0) & (carats > 0))
        if weighed
        else np.zeros(len(rows), dtype=bool)
    )
    for at in np.flatnonzero(wrong).tolist():
        code = "missing_value" if missing[at] else "zero" if counts[at] > 0 else "no_stones"
        column = "n_stones" if counts[at] == 0 else "carats"
        findings.add(parcel_id, goods.table.problem(Broken(code), int(rows[at]), column))
    if bool(wrong.any()) or bool(((counts < 0) & missing).any()):
        return None
    values = np.where(counts == 0, 0.0, goods.numbers["value_usd"][rows] if "value_usd" in goods.numbers else nothing)
    cells, inverse = np.unique(np.column_stack([codes, counts < 0]), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    totals = np.bincount(inverse, weights=counts, minlength=len(cells)).astype(np.int64)
    return Breakdown(
        attributes=tuple(names),
        codes=np.ascontiguousarray(cells[:, :-1]).astype(np.int16),
        n_stones=np.where(cells[:, -1] > 0, NOT_RECORDED, totals),
        carats=np.round(np.bincount(inverse, weights=carats, minlength=len(cells)), 6) if weighed else None,
        value_usd=None
        if np.isnan(values).any()
        else np.round(np.bincount(inverse, weights=values, minlength=len(cells)), 2),
        sample=sample,
    )


def _check_agreement(goods: Goods, breakdowns: list[Breakdown], parcel_id: str, findings: Findings) -> None:
    """Note breakdowns that hold other totals than the first one, and samples that hold more."""
    if all(item.n_stones.max() == 0 for item in breakdowns):
        findings.add(parcel_id, goods.table.problem(Broken("no_stones")))

    def tell(item: Breakdown, other: Breakdown, found: str, expected: str, column: str) -> None:
        values = {"attributes": " x ".join(item.attributes), "others": " x ".join(other.attributes)}
        broken = Broken("breakdowns_disagree", {**values, "found": found, "expected": expected})
        findings.add(parcel_id, goods.table.problem(broken, None, column))

    whole = [item for item in breakdowns if not item.sample]
    counted = [item for item in whole if item.counted is not None]
    for item in counted[1:]:
        if item.counted != counted[0].counted:
            tell(item, counted[0], str(item.counted), str(counted[0].counted), "n_stones")
    for item in breakdowns:
        if item.sample and counted:
            _check_sample(item, counted[0], goods, parcel_id, findings)
    weighed = [item for item in whole if item.weighed is not None]
    for item in weighed[1:]:
        first = weighed[0].carats
        assert first is not None
        assert item.carats is not None
        slack = spread_of(first, coarsest=CELL_UNIT_CT) + spread_of(item.carats, coarsest=CELL_UNIT_CT)
        if abs(float(item.carats.sum()) - float(first.sum())) > slack:
            tell(item, weighed[0], f"{item.carats.sum():.2f} ct", f"{first.sum():.2f} ct", "carats")


def _check_sample(sample: Breakdown, whole: Breakdown, goods: Goods, parcel_id: str, findings: Findings) -> None:
    """Note a sample with more stones than the whole, in all or in one class of size."""
    pairs = [(int(np.maximum(sample.n_stones, 0).sum()), int(whole.n_stones.sum()))]
    shared = [name for name in sample.attributes if name in whole.attributes]
    if shared and shared[0] == whole.attributes[0]:
        sizes = [item.codes[:, item.attributes.index(shared[0])] for item in (sample, whole)]
        for code in np.unique(sizes[0][sizes[0] >= 0]).tolist():
            held = [
                int(np.maximum(item.n_stones, 0)[size == code].sum())
                for item, size in zip((sample, whole), sizes, strict=True)
            ]
            pairs.append((held[0], held[1]))
    for found, expected in pairs:
        if found > expected:
            broken = Broken("sample_exceeds", {"found": found, "expected": expected})
            findings.add(parcel_id, goods.table.problem(broken, None, "n_stones"))
            return
