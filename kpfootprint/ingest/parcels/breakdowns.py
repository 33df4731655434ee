"""Sorting sheets: the limits of their size classes, and the breakdowns that counts become."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.names.labels import overlap, set_of
from kpfootprint.ingest.names.size_labels import find_size, fold_size, size_span, size_words
from kpfootprint.ingest.parcels.gathered import Findings
from kpfootprint.ingest.parcels.records import GoodsRows
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import Cell, Odd, is_blank, text_of
from kpfootprint.ingest.raw.rounding import CELL_UNIT_CT, spread_of
from kpfootprint.ingest.raw.tables import Column, KnownTable, Note
from kpfootprint.ingest.words import Vocabulary, is_not_recorded, nearest
from kpfootprint.parcel import NOT_RECORDED, Breakdown
from kpfootprint.scheme import Scheme, SieveSet

_DAY_MADE = re.compile(r"\d{1,2}[-/ .]?[A-Za-zéû]{3,5}\.?([-/ .]?\d{2,4})?|\d{1,4}[-/]\d{1,2}[-/]\d{2,4}( 00:00:00)?")
"""What a spreadsheet makes of ``3-5``: ``3-May``, ``2019-05-03 00:00:00``."""


SOFT = 0.1
"""How far beyond its limits, as a part of them, the mean stone of a class may lie: screens are soft."""

_FEW, _FAR = 5, 3.0
"""Stones of a class below which their mean may lie outside its limits, and how many times so far at most."""


def settle_sizes(
    tables: dict[str, KnownTable], inquiry: Inquiry, spoiled: dict[str, list[Problem]]
) -> dict[str, KnownTable]:
    """Give each size class of a sheet its limits, where the sheet's sieve set is not named and is not the package's.

    The classes of a parcel are those of its own rows: ``+11`` reaches to its next class. The mean stone of a class must
    lie within its limits, softly: where it does not, the classes were misunderstood. What is wrong with the sizes of
    one parcel among several is added to those of the `spoiled`.
    """
    table = tables.get("counts")
    if table is None or "size_class" not in table.columns or "lower_ct" in table.columns:
        return tables
    table = _with_quarters(table, inquiry)
    column = table.columns["size_class"]
    named = _names_a_set(tables.get("parcels"), inquiry.scheme)
    if "size_classes" in tables or named or table.typed or not table.complete:
        return {**tables, "counts": table}
    lower: list[Cell] = [None] * table.n_rows
    upper: list[Cell] = [None] * table.n_rows
    counts = table.values("n_stones") if "n_stones" in table.columns else np.zeros(table.n_rows)
    notes: dict[str, list[str]] = {}
    for parcel_id, rows in _rows_by_parcel(table):
        found = {code: column.cells[code] for code in np.unique(column.codes[rows]).tolist()}
        uncounted = {*column.codes[rows][np.isnan(counts[rows])].tolist()}
        labels = {
            code: text_of(cell) for code, cell in found.items() if not _is_open(cell, uncounted=code in uncounted)
        }
        if not labels or any(isinstance(cell, Odd) for cell in found.values()):
            continue
        own = replace(inquiry, problems=spoiled.setdefault(parcel_id, [])) if parcel_id else inquiry
        limits, made = _limits(table, rows, [*labels.values()], own)
        if limits is None and not parcel_id:
            return {**tables, "counts": replace(table, complete=False)}
        if limits is None:
            continue
        _check_means(table, rows, labels, limits, own)
        if made is not None:
            notes.setdefault(_told(made), []).append(parcel_id)
            for row in rows.tolist():
                low, high = limits.get(labels.get(int(column.codes[row]), ""), (None, float("inf")))
                lower[row], upper[row] = low, None if high == float("inf") else high
    if not notes:
        return {**tables, "counts": table}
    for classes, ids in notes.items():
        of = () if "" in ids else tuple(ids)
        table.trace.notes.append(Note(code="size_limits", values={"classes": classes}, parcels=of))
    columns = {**table.columns}
    for name, cells in (("lower_ct", lower), ("upper_ct", upper)):
        columns[name] = Column.of(column.header, cells)
    made_of = {**tables, "counts": replace(table, columns=columns)}
    if (titled := tables.get("parcels")) is not None and "sieve_set" in titled.columns:
        rest = {name: told for name, told in titled.columns.items() if name != "sieve_set"}
        made_of["parcels"] = replace(titled, columns=rest)
    return made_of


def _rows_by_parcel(table: KnownTable) -> list[tuple[str, NDArray[np.intp]]]:
    """Return the rows of each parcel with its id, which is blank where the table is of one parcel alone."""
    column = table.columns.get("parcel_id")
    if column is None:
        return [("", np.arange(table.n_rows))]
    names, places = np.unique([text_of(cell) for cell in column.cells], return_inverse=True)
    ids = places[column.codes]
    order = np.argsort(ids, kind="stable")
    pieces = np.split(order, np.flatnonzero(np.diff(ids[order])) + 1)
    return [(str(names[ids[rows[0]]]), rows) for rows in pieces if len(rows)]


def _limits(
    table: KnownTable, rows: NDArray[np.intp], labels: list[str], inquiry: Inquiry
) -> tuple[Mapping[str, tuple[float, float]] | None, SieveSet | None]:
    """Return the limits of labels, and the set that they make where it is not the package's; None where none is."""
    scheme = inquiry.scheme
    own = scheme.size.sieve_set
    known = size_words(own)
    places = {label: find_size(label, known) for label in labels}
    spans = [span for label in labels if (span := size_span(label, scheme)) is not None]
    pairs = any(span.kind == "sieve" and None not in (span.lower_ct, span.upper_ct) for span in spans)
    if None not in places.values() and not (pairs and any(span.upper_ct is None for span in spans)):
        limits = [*own.limits.values()]
        return {label: limits[at] for label, at in places.items() if at is not None}, None
    made, unknown = set_of(labels, scheme)
    for label in ([label for label in unknown if places[label] is None] or unknown)[:20]:
        day = _DAY_MADE.fullmatch(label) and size_span(label, scheme) is None
        first = next(row for row in rows.tolist() if text_of(table.columns["size_class"].at(row)) == label)
        inquiry.tell_of("size_is_date" if day else "unknown_size", table, first, "size_class")
    if made is None:
        return None, None
    lots = "breakdown" in table.columns and table.columns["breakdown"].header == "lots"
    if (both := overlap(made)) is not None and not lots:
        first = next(row for row in rows.tolist() if text_of(table.columns["size_class"].at(row)) in both)
        inquiry.tell_of("sizes_overlap", table, first, "size_class", one=both[0], other=both[1])
        return None, None
    return made.limits, made


_QUARTERS = re.compile(r"([1-9]\d?)(?:[-/]([1-9]\d?))?q(?:tr|uarters?)?s?")


def _with_quarters(table: KnownTable, inquiry: Inquiry) -> KnownTable:
    """Read sizes such as ``2-1q`` as was chosen: as grainers, or as a quality, so that the row has no size."""
    column = table.columns["size_class"]
    grains: dict[int, Cell] = {}
    for code, cell in enumerate(column.cells):
        if isinstance(cell, str) and (found := _QUARTERS.fullmatch(fold_size(cell))):
            grains[code] = "-".join(map(str, sorted({int(number) for number in found.groups() if number}))) + " gr"
    meant = inquiry.choices.get("quarters")
    if not grains:
        return table
    if meant not in ("grains", "quality"):
        made, _ = set_of([*map(text_of, grains.values())], inquiry.scheme)
        sizes, limits = ", ".join(text_of(column.cells[code]) for code in grains), "" if made is None else _told(made)
        told = {"sizes": sizes, "limits": limits, "choices": [("quarters", "grains"), ("quarters", "quality")]}
        first = int(np.flatnonzero(column.rows_with(grains))[0])
        inquiry.tell_of("quarters_or_quality", table, first, "size_class", **told)
        return replace(table, complete=False)
    read = grains if meant == "grains" else dict.fromkeys(grains)
    sizes_read = replace(column, cells=[read.get(*item) for item in enumerate(column.cells)])
    columns = {**table.columns, "size_class": sizes_read}
    if meant == "quality":  # rows with and without a size are parts of one parcel
        columns.setdefault("breakdown", Column.filled("lots", "lots", table.n_rows))
    return replace(table, columns=columns)


def _names_a_set(parcels: KnownTable | None, scheme: Scheme) -> bool:
    """Say whether a sieve set is named; a title that names the package's own, ``Sieves: DTC``, leaves it to labels."""
    if parcels is None or "sieve_set" not in parcels.columns:
        return False
    column = parcels.columns["sieve_set"]
    named = [column.cells[code] for code in np.unique(column.codes).tolist() if not is_blank(column.cells[code])]
    own = parcels.titles and [text_of(cell) for cell in named] == [scheme.size.sieve_set.name]
    return bool(named) and not own


def _told(made: SieveSet) -> str:
    return "; ".join(
        f"{label}: ≥ {low:g} ct" if high == float("inf") else f"{label}: {low:g}–{high:g} ct"
        for label, (low, high) in made.limits.items()
    )


def _check_means(
    table: KnownTable,
    rows: NDArray[np.intp],
    labels: Mapping[int, str],
    limits: Mapping[str, tuple[float, float]],
    inquiry: Inquiry,
) -> None:
    """Tell the classes of a parcel whose stones weigh on average what no stone of the class weighs."""
    if not {"n_stones", "carats"} <= set(table.columns):
        return
    n, ct = (table.values(name)[rows] for name in ("n_stones", "carats"))
    both = np.isfinite(n) & np.isfinite(ct)
    for code, label in labels.items():
        inside = np.flatnonzero((table.columns["size_class"].codes[rows] == code) & both)
        stones, carats = float(n[inside].sum()), float(ct[inside].sum())
        low, high = limits[label]
        if stones <= 0 or carats <= 0:
            continue
        mean, slack = carats / stones, 0.005 * len(inside) / stones
        least, most = (low / _FAR, high * _FAR) if stones < _FEW else (low * (1 - SOFT), high * (1 + SOFT))
        if least - slack <= mean <= most + slack:
            continue
        told = {"mean": f"{mean:.3g}", "lower": f"{low:g}", "upper": "any" if high == float("inf") else f"{high:g}"}
        inquiry.tell_of("size_mean_outside", table, int(rows[inside[0]]), "size_class", **told)


RANGES = "ranges"
"""Name of the size classes of a sheet whose rows give limits of their own."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of one parcel, while they become breakdowns."""

    goods: GoodsRows
    rows: NDArray[np.intp]
    parcel_id: str
    findings: Findings

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column of numbers, NaN where there is none."""
        found = self.goods.numbers.get(name)
        return np.full(len(self.rows), np.nan) if found is None else found[self.rows]

    def tell(self, code: str, at: int | None = None, column: str | None = None, **values: object) -> None:
        """Note a problem of the parcel, at one of its rows."""
        row = None if at is None else int(self.rows[at])
        self.findings.add(self.parcel_id, self.goods.table.problem(Broken(code, values), row, column))


def read_breakdowns(
    goods: GoodsRows, rows: NDArray[np.intp], parcel_id: str, sieve_set: SieveSet, words: Vocabulary, findings: Findings
) -> tuple[tuple[Breakdown, ...], SieveSet]:
    """Gather a parcel's rows by the class columns that they fill, or by the breakdown they name; equal cells add up.

    Returns
    -------
    tuple of Breakdown
        None where a problem was found.
    SieveSet
        The size classes that the codes mean: those given, or the ranges of the rows.
    """
    part = _Part(goods, rows, parcel_id, findings)
    names = words.scheme.attribute_names
    codes = np.full((len(rows), len(names)), NOT_RECORDED, dtype=np.int16)
    codes[:, 0], sieve_set, sound = _size_codes(part, sieve_set)
    for position, name in enumerate(names[1:], start=1):
        if name in goods.codes:
            codes[:, position] = goods.codes[name][rows]
    filled = (codes >= 0) | _said_open(part, words)
    named = np.full(len(rows), -1) if goods.breakdowns is None else goods.breakdowns[rows]
    sample = np.zeros(len(rows), dtype=bool) if goods.samples is None else goods.samples[rows]
    bare = ~filled.any(axis=1) & (named < 0)
    # rows of number and weight alone are a parcel, if they are all there is of it
    if not (bare.all() and bool((part.numbers("carats") > 0).all()) and not sample.any()):
        for at in np.flatnonzero(bare).tolist() if sound else ():
            part.tell("no_class", at)
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
        used = np.flatnonzero((codes[members] >= 0).any(axis=0))
        own, attributes = codes[np.ix_(members, used)], tuple(names[at] for at in used)
        made = _breakdown(replace(part, rows=rows[members]), own, attributes, sample=bool(sample[members[0]]))
        if made is None:
            return (), sieve_set
        breakdowns.append(made)
    _check_agreement(part, breakdowns)
    return tuple(breakdowns), sieve_set


def _is_open(cell: Cell, *, uncounted: bool = False) -> bool:
    """Say whether a cell leaves its class open: it is blank, or says that nobody recorded it of counted stones."""
    return is_blank(cell) or (isinstance(cell, str) and is_not_recorded(cell) and not uncounted)


def _said_open(part: _Part, words: Vocabulary) -> NDArray[np.bool_]:
    """Say of each row and attribute whether the cell says that its class was not recorded; a blank one says nothing."""
    names = ["size_class", *(item.column for item in words.scheme.categorical)]
    found = np.zeros((len(part.rows), len(names)), dtype=bool)
    for at, column in enumerate(map(part.goods.table.columns.get, names)):
        said = () if column is None else (code for code, cell in column.texts() if is_not_recorded(cell))
        found[:, at] = False if column is None else column.rows_with(said)[part.rows]
    return found


def number_and_weight(n_stones: int, carats: float) -> Breakdown:
    """Return the breakdown of a parcel of which nothing but number and weight is known."""
    return Breakdown(
        attributes=(),
        codes=np.zeros((1, 0), dtype=np.int16),
        n_stones=np.array([n_stones], dtype=np.int64),
        carats=np.array([carats]),
    )


def _size_codes(part: _Part, sieve_set: SieveSet) -> tuple[NDArray[np.int16], SieveSet, bool]:
    goods, rows, findings = part.goods, part.rows, part.findings
    column = goods.table.columns.get("size_class")
    lower, upper = part.numbers("lower_ct"), part.numbers("upper_ct")
    limited = ~(np.isnan(lower) & np.isnan(upper))
    codes = np.full(len(rows), NOT_RECORDED, dtype=np.int16)
    sound = True
    known = size_words(sieve_set)
    labels = {fold_size(name): name for name in sieve_set.classes}
    cells: list[Cell] = [None if column is None else column.at(row) for row in rows.tolist()]
    for at, cell in enumerate(cells):
        if _is_open(cell) or limited[at]:
            continue
        code = None if isinstance(cell, Odd) else find_size(text_of(cell), known)
        if code is not None:
            codes[at] = code
            continue
        if isinstance(cell, Odd):
            part.tell(cell.code, at, "size_class", expected="text")
        else:
            close = nearest("" if findings.full else text_of(cell), labels)
            part.tell("unknown_class", at, "size_class", attribute=f"size class of {sieve_set.name}", nearest=close)
        sound = False
    if not limited.any() or not sound:
        return codes, sieve_set, sound
    lower, upper = np.where(np.isnan(lower), 0.0, lower), np.where(np.isnan(upper), np.inf, upper)
    for at in np.flatnonzero(limited & ~(lower < upper)).tolist():
        part.tell("bad_sieve_set", at, "upper_ct", detail=f"from {lower[at]:g} to {upper[at]:g} ct is no range")
        sound = False
    ranges: dict[tuple[float, float], str] = {}
    limits = [*sieve_set.limits.values()]
    for at in np.flatnonzero(limited | (codes >= 0)).tolist() if sound else ():
        if not limited[at]:
            lower[at], upper[at] = limits[codes[at]]
        text = None if is_blank(cells[at]) or isinstance(cells[at], Odd) else text_of(cells[at])
        span = f"{lower[at]:g}+ ct" if np.isinf(upper[at]) else f"{lower[at]:g}-{upper[at]:g} ct"
        name = ranges.setdefault((float(lower[at]), float(upper[at])), text or span)
        if text and name == span:
            ranges[float(lower[at]), float(upper[at])] = text
    if not sound or not ranges:
        return codes, sieve_set, sound
    made = _ranges(ranges)
    place = {span: code for code, span in enumerate(made.limits.values())}
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
    return SieveSet.of(RANGES, dict(zip(names, spans, strict=True)))


def _breakdown(part: _Part, codes: NDArray[np.int16], attributes: tuple[str, ...], *, sample: bool) -> Breakdown | None:
    numbers, carats = part.numbers("n_stones"), part.numbers("carats")
    carats = np.where((numbers == 0) & np.isnan(carats), 0.0, carats)
    counts = np.where(np.isnan(numbers), np.where(carats == 0, 0, NOT_RECORDED), numbers).astype(np.int64)
    missing = np.isnan(carats)
    weighed = bool((~missing & (counts != 0)).any())
    nothing = (counts < 0) & missing
    for at in np.flatnonzero(nothing).tolist():
        part.tell("missing_value", at, "n_stones")
    wrong = weighed & (((missing | (carats <= 0)) & (counts > 0)) | ((counts == 0) & (carats > 0)))
    for at in np.flatnonzero(wrong).tolist():
        code = "missing_value" if missing[at] else "zero" if counts[at] > 0 else "no_stones"
        part.tell(code, at, "n_stones" if counts[at] == 0 else "carats")
    if bool(wrong.any()) or bool(nothing.any()):
        return None
    values = np.where(counts == 0, 0.0, part.numbers("value_usd"))
    cells, inverse = np.unique(np.column_stack([codes, counts < 0]), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    totals = np.bincount(inverse, weights=counts, minlength=len(cells)).astype(np.int64)
    worth: NDArray[np.float64] = np.round(np.bincount(inverse, weights=values, minlength=len(cells)), 2)
    return Breakdown(
        attributes=attributes,
        codes=np.ascontiguousarray(cells[:, :-1]).astype(np.int16),
        n_stones=np.where(cells[:, -1] > 0, NOT_RECORDED, totals),
        carats=np.round(np.bincount(inverse, weights=carats, minlength=len(cells)), 6) if weighed else None,
        value_usd=None if np.isnan(values).any() else worth,
        sample=sample,
    )


def _check_agreement(part: _Part, breakdowns: list[Breakdown]) -> None:
    """Note breakdowns that hold other totals than the first one, and samples that hold more."""
    if all(item.n_stones.max() == 0 for item in breakdowns):
        part.tell("no_stones")

    def tell(item: Breakdown, other: Breakdown, found: str, expected: str, column: str) -> None:
        names = {"attributes": " x ".join(item.attributes), "others": " x ".join(other.attributes)}
        part.tell("breakdowns_disagree", None, column, **names, found=found, expected=expected)

    whole = [item for item in breakdowns if not item.sample]
    counted = [item for item in whole if item.counted is not None]
    for item in counted[1:]:
        if item.counted != counted[0].counted:
            tell(item, counted[0], str(item.counted), str(counted[0].counted), "n_stones")
    for item in breakdowns:
        if item.sample and counted:
            _check_sample(item, counted[0], part)
    weighed = [item for item in whole if item.weighed is not None]
    for item in weighed[1:]:
        first = weighed[0].carats
        assert first is not None
        assert item.carats is not None
        slack = spread_of(first, coarsest=CELL_UNIT_CT) + spread_of(item.carats, coarsest=CELL_UNIT_CT)
        if abs(float(item.carats.sum()) - float(first.sum())) > slack:
            tell(item, weighed[0], f"{item.carats.sum():.2f} ct", f"{first.sum():.2f} ct", "carats")


def _check_sample(sample: Breakdown, whole: Breakdown, part: _Part) -> None:
    """Note a sample with more stones than the whole, in all or in one class of size."""
    pairs = [(int(np.maximum(sample.n_stones, 0).sum()), int(whole.n_stones.sum()))]
    shared = [name for name in sample.attributes if name in whole.attributes]
    if shared and shared[0] == whole.attributes[0]:
        sizes = [item.codes[:, item.attributes.index(shared[0])] for item in (sample, whole)]
        both = [*zip((sample, whole), sizes, strict=True)]
        for code in np.unique(sizes[0][sizes[0] >= 0]).tolist():
            held = [int(np.maximum(item.n_stones, 0)[size == code].sum()) for item, size in both]
            pairs.append((held[0], held[1]))
    for found, expected in pairs:
        if found > expected:
            part.tell("sample_exceeds", None, "n_stones", found=found, expected=expected)
            return
