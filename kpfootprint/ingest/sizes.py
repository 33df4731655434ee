"""Size classes as sheets write them: sieves in both orders, grainers, ranges of carats; and the set that they make.

A stone passes a sieve or lies on it, so ``-11+9`` and ``+9-11`` are the stones between sieves 9 and 11, and ``+11``
alone is whatever lies on sieve 11, up to the next class of the same sheet. A grain is 0.25 ct; the limits of grainers
are those of the package's sieve sets, or half a grain to each side. Weights are read to 0.01 ct, so that
``0.30-0.49 ct`` is 0.295 to 0.495 ct, and a stone of ``5 ct`` weighs 4.80 to 5.79 ct, as the trade's ladder has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, Odd, is_blank, text_of
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.tables import Column, Note, Table
from kpfootprint.ingest.words import Words, declared_words, find_size, fold_size, size_words, unit_pattern
from kpfootprint.scheme import Scheme, SieveSet

GRAIN_CT = 0.25
SHEET = "sheet"
"""Name of a sieve set that is made from the labels of a sheet."""

_NUMBER = r"(\d+(?:\.\d+)?)"
_DASH = r"(?:-|/|to|a|bis|au)"
_UNITS = {"gr": unit_pattern("grains"), "ct": unit_pattern("carats"), "pt": unit_pattern("points")}
_UNIT = unit_pattern("grains", "carats", "points")
_BETWEEN = (
    re.compile(rf"-{_NUMBER}(?:/|to|a|au)?\+{_NUMBER}"),
    re.compile(rf"\+{_NUMBER}(?:/|to|a|au)?-{_NUMBER}"),
)
_OPEN = re.compile(rf"([+-]){_NUMBER}")
_RANGE = re.compile(rf"{_NUMBER}(?:{_UNIT})?{_DASH}{_NUMBER}({_UNIT})")
_ONE = re.compile(rf"([+\-<>]|>=|<=|over|above|under|below|plusde|moinsde)?{_NUMBER}({_UNIT})"
                  r"(\+|up|&up|andup|&over|andover|etplus|-|anddown|etmoins)?")  # fmt: skip
_FROM_TO = re.compile(r"(?:de|from|between|entre)(.+?)(?:a|to|and|et)(\d.+)")
_FRACTION = re.compile(r"1/[234](?:ct|cts|carats?)|[23]/4(?:ct|cts|carats?)|2/3(?:ct|cts|carats?)")
"""Parts of a carat, or ranges: two readings."""

_DAY_MADE = re.compile(r"\d{1,2}[-/ .]?[A-Za-zéû]{3,5}\.?([-/ .]?\d{2,4})?|\d{1,4}[-/]\d{1,2}[-/]\d{2,4}( 00:00:00)?")
"""What a spreadsheet makes of ``3-5``: ``3-May``, ``2019-05-03 00:00:00``."""

_UP = ("+", ">", ">=", "over", "above", "plusde", "up", "&up", "andup", "&over", "andover", "etplus")
_DOWN = ("-", "<", "<=", "under", "below", "moinsde", "anddown", "etmoins")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Limits of a size class in carats; None is open, to the next class of the sheet or for good.

    `last` is the weight that a range names at its end, so that ``1-2 ct`` beside ``2-3 ct`` ends at 2 ct, not at 2.79.
    """

    lower_ct: float | None
    upper_ct: float | None
    kind: str
    last: float | None = None


def size_span(text: str, scheme: Scheme) -> Span | None:
    """Return the limits that a label of a size class names, or None where it names none."""
    label = fold_size(text).replace("mm", "?")
    if not label or not any(char.isdigit() for char in label) or _FRACTION.fullmatch(label):
        return None
    if found := _FROM_TO.fullmatch(label):
        label = f"{found[1]}-{found[2]}"
    for position, pattern in enumerate(_BETWEEN):
        if found := pattern.fullmatch(label):
            high, low = found.groups() if position == 0 else found.groups()[::-1]
            lower, upper = _sieve(low, scheme), _sieve(high, scheme)
            if lower is None or upper is None or not lower < upper:
                return None
            return Span(lower_ct=lower, upper_ct=upper, kind="sieve")
    if found := _OPEN.fullmatch(label):
        sign, number = found.groups()
        limit = _sieve(number, scheme)
        if limit is None:
            return None
        if sign == "+":
            return Span(lower_ct=limit, upper_ct=None, kind="sieve")
        return Span(lower_ct=None, upper_ct=limit, kind="sieve")
    if found := _RANGE.fullmatch(label):
        first, last, unit = found.groups()
        return _between(first, last, _unit(unit), scheme)
    if found := _ONE.fullmatch(label):
        before, number, unit, after = found.groups()
        return _single(before or after or "", number, _unit(unit), scheme)
    return None


def _unit(text: str) -> str:
    return next(name for name, pattern in _UNITS.items() if re.fullmatch(pattern, text))


def _sieve(number: str, scheme: Scheme) -> float | None:
    """Return the weight of a stone that a sieve of the package, or of the trade's plates, just keeps."""
    label = f"+{number}"
    for item in scheme.sieve_sets:
        if label in item.classes:
            return item.lower_ct[item.classes.index(label)]
    known: dict[str, float] = declared_words()["plates"]
    return known.get(number)


def _grainer(number: float, scheme: Scheme) -> tuple[float, float]:
    label = f"{number:g}gr"
    for item in scheme.sieve_sets:
        if label in item.classes:
            at = item.classes.index(label)
            return item.lower_ct[at], item.upper_ct[at]
    edges = dict(zip((f"{number + 1:g}gr", f"{number - 1:g}gr"), ("lower", "upper"), strict=True))
    lower, upper = (number - 0.5) * GRAIN_CT, (number + 0.5) * GRAIN_CT
    for item in scheme.sieve_sets:
        for at, name in enumerate(item.classes):
            if edges.get(name) == "lower":
                upper = item.lower_ct[at]
            elif edges.get(name) == "upper":
                lower = item.upper_ct[at]
    return lower, upper


def _carats(text: str, unit: str) -> tuple[float, float, bool]:
    """Return a weight, half the unit in which it is read, and whether it is a whole number of carats."""
    scale = 0.01 if unit == "pt" else 1.0
    decimals = len(text.partition(".")[2])
    half = min(0.005, 0.5 * 10.0 ** -max(decimals, 2))
    return float(text) * scale, half, unit == "ct" and decimals == 0


def _between(first: str, last: str, unit: str, scheme: Scheme) -> Span | None:
    if unit == "gr":
        lower, upper = _grainer(float(first), scheme)[0], _grainer(float(last), scheme)[1]
        return Span(lower_ct=lower, upper_ct=upper, kind="gr") if float(first) < float(last) else None
    (low, half, whole), (high, _, also) = _carats(first, unit), _carats(last, unit)
    if not low < high:
        return None
    if whole and also:
        lower, upper = max(low - 0.205, 0.0), high + 0.795
        return Span(lower_ct=_round(lower), upper_ct=_round(upper), kind="ct", last=high)
    return Span(lower_ct=_round(max(low - half, 0.0)), upper_ct=_round(high + half), kind="range", last=high)


def _single(sign: str, number: str, unit: str, scheme: Scheme) -> Span | None:
    if sign in _UP:
        lower = _grainer(float(number), scheme)[0] if unit == "gr" else _carats(number, unit)[0] - 0.005
        return Span(lower_ct=_round(max(lower, 0.0)), upper_ct=None, kind="open")
    if sign in _DOWN:
        upper = _grainer(float(number), scheme)[0] if unit == "gr" else _carats(number, unit)[0] - 0.005
        return Span(lower_ct=None, upper_ct=_round(upper), kind="open") if upper > 0 else None
    if unit == "gr":
        lower, upper = _grainer(float(number), scheme)
        return Span(lower_ct=lower, upper_ct=upper, kind="gr")
    low, half, whole = _carats(number, unit)
    if whole:
        return Span(lower_ct=_round(max(low - 0.205, 0.0)), upper_ct=_round(low + 0.795), kind="ct", last=low)
    return (
        Span(lower_ct=_round(low - half), upper_ct=_round(low + half), kind="range", last=low) if low > half else None
    )


def _round(value: float) -> float:
    return round(value, 6)


def is_pair(label: str) -> bool:
    """Say whether a label names two sieves."""
    return any(pattern.fullmatch(fold_size(label)) for pattern in _BETWEEN)


def set_of(labels: Sequence[str], scheme: Scheme) -> tuple[SieveSet | None, list[str]]:
    """Make a sieve set from the labels of a sheet.

    Returns
    -------
    SieveSet or None
        A class for each label, the smallest first; None where a label is not understood.
    list of str
        The labels that are not understood.
    """
    spans: dict[str, Span] = {}
    unknown: list[str] = []
    for label in dict.fromkeys(labels):
        span = size_span(label, scheme) or _word_span(label, scheme)
        if span is None:
            unknown.append(label)
        else:
            spans[label] = span
    if unknown or not spans:
        return None, unknown
    spans = _touching(spans)
    lowers = sorted({span.lower_ct for span in spans.values() if span.lower_ct is not None})
    limits: dict[str, tuple[float, float]] = {}
    for label, span in spans.items():
        lower, upper = span.lower_ct, span.upper_ct
        if lower is None:
            lower = 0.0
        if upper is None:
            above = [value for value in lowers if value > lower + 1e-9]
            upper = above[0] if above else float("inf")
        limits[label] = (lower, upper)
    order = sorted(limits, key=lambda label: limits[label])
    closed: dict[str, tuple[float, float]] = {}
    for label, following in pairwise([*order, ""]):
        lower, upper = limits[label]
        if following and abs(limits[following][0] - upper) < 0.011:  # hundredths that two rules round differently
            upper = limits[following][0]
        closed[label] = (lower, upper)
    return (
        SieveSet(
            name=SHEET,
            classes=tuple(order),
            lower_ct=tuple(closed[label][0] for label in order),
            upper_ct=tuple(closed[label][1] for label in order),
        ),
        [],
    )


def _word_span(label: str, scheme: Scheme) -> Span | None:
    """Return the limits of a class that a set of the package names by a word: ``specials``."""
    name = fold_size(label)
    for item in scheme.sieve_sets:
        if name in item.classes and not any(char.isdigit() for char in name):
            at = item.classes.index(name)
            upper = item.upper_ct[at]
            return Span(lower_ct=item.lower_ct[at], upper_ct=None if upper == float("inf") else upper, kind="word")
    return None


def _touching(spans: dict[str, Span]) -> dict[str, Span]:
    """Let ranges that name the same weight at both ends meet there, as ``1-2 ct`` and ``2-3 ct`` do.

    So do ``< 5 ct``, ``5-10 ct`` and ``> 10 ct``, where every range ends at a weight that another class names.
    """
    above = {round(span.lower_ct + 0.005, 3) for span in spans.values() if span.kind == "open" and span.lower_ct}
    for kind in ("ct", "range"):
        group = {label: span for label, span in spans.items() if span.kind == kind}
        firsts = {_first(span) for span in group.values()}
        ranges = [span for span in group.values() if span.last is not None and _first(span) < span.last - 1e-9]
        meet = [_near(span.last, firsts) for span in ranges if span.last is not None]
        ends = [_near(span.last, firsts | above) for span in ranges if span.last is not None]
        if any(meet) or (ends and all(ends)):
            for label, span in group.items():
                assert span.last is not None
                whole = _first(span) > span.last - 1e-9
                upper = span.last + (1.0 if whole and kind == "ct" else 0.0) - 0.005
                spans[label] = replace(span, lower_ct=_round(max(_first(span) - 0.005, 0.0)), upper_ct=_round(upper))
    return spans


def _first(span: Span) -> float:
    assert span.lower_ct is not None
    return round(span.lower_ct + (0.205 if span.kind == "ct" else 0.005), 3)


def _near(value: float, others: set[float]) -> bool:
    return any(abs(value - other) < 1e-6 for other in others)


def overlap(made: SieveSet) -> tuple[str, str] | None:
    """Return two classes of a set that share weights, or None."""
    items = sorted(zip(made.lower_ct, made.upper_ct, made.classes, strict=True))
    for (_, upper, one), (lower, _, other) in pairwise(items):
        if lower < upper - 1e-9:
            return one, other
    return None


SOFT = 0.1
"""How far beyond its limits, as a part of them, the mean stone of a class may lie: screens are soft."""

_FEW = 5
"""Stones of a class below which their mean says nothing of its limits."""


def settle_sizes(
    tables: dict[str, Table],
    words: Words,
    choices: Mapping[str, str],
    problems: list[Problem],
    spoiled: dict[str, list[Problem]],
) -> dict[str, Table]:
    """Give each size class of a sheet its limits, where the sheet's sieve set is not named and is not the package's.

    The classes of a parcel are those of its own rows: ``+11`` reaches to its next class. The mean stone of a class must
    lie within its limits, softly: where it does not, the classes were misunderstood. What is wrong with the sizes of
    one parcel among several is added to those of the `spoiled`.
    """
    table = tables.get("counts")
    if table is None or "size_class" not in table.columns or "lower_ct" in table.columns:
        return tables
    table = _with_quarters(table, words.scheme, choices, problems)
    column = table.columns["size_class"]
    if "size_classes" in tables or _names_a_set(tables.get("parcels")) or table.typed or not table.complete:
        return {**tables, "counts": table}
    lower: list[Cell] = [None] * table.n_rows
    upper: list[Cell] = [None] * table.n_rows
    notes: dict[str, list[str]] = {}
    for parcel_id, rows in _rows_by_parcel(table):
        found = {code: column.cells[code] for code in np.unique(column.codes[rows]).tolist()}
        labels = {code: text_of(cell) for code, cell in found.items() if not is_blank(cell)}
        if not labels or any(isinstance(cell, Odd) for cell in found.values()):
            continue
        found_wrong = spoiled.setdefault(parcel_id, []) if parcel_id else problems
        limits, made = _limits(table, rows, [*labels.values()], words.scheme, found_wrong)
        if limits is None and not parcel_id:
            return {**tables, "counts": replace(table, complete=False)}
        if limits is None:
            continue
        _check_means(table, rows, labels, limits, found_wrong)
        if made is not None:
            notes.setdefault(_told(made), []).append(parcel_id)
            for row in rows.tolist():
                low, high = limits.get(labels.get(int(column.codes[row]), ""), (None, float("inf")))
                lower[row], upper[row] = low, None if high == float("inf") else high
    if not notes:
        return {**tables, "counts": table}
    table.trace.notes += [
        Note(code="size_limits", values={"classes": classes}, parcels=() if "" in ids else tuple(ids))
        for classes, ids in notes.items()
    ]
    columns = {**table.columns}
    for name, cells in (("lower_ct", lower), ("upper_ct", upper)):
        columns[name] = Column.of(column.header, cells)
    return {**tables, "counts": replace(table, columns=columns)}


def _rows_by_parcel(table: Table) -> list[tuple[str, NDArray[np.intp]]]:
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
    table: Table, rows: NDArray[np.intp], labels: list[str], scheme: Scheme, problems: list[Problem]
) -> tuple[Mapping[str, tuple[float, float]] | None, SieveSet | None]:
    """Return the limits of labels, and the set that they make where it is not the package's; None where none is."""
    own = scheme.size.sieve_set
    known = size_words(own)
    places = {label: find_size(label, known) for label in labels}
    open_above = any(fold_size(label).startswith("+") and not is_pair(label) for label in labels)
    if None not in places.values() and not (open_above and any(map(is_pair, labels))):
        return {label: (own.lower_ct[at], own.upper_ct[at]) for label, at in places.items() if at is not None}, None
    made, unknown = set_of(labels, scheme)
    for label in unknown[:20]:
        _tell_unknown(table, rows, label, scheme, problems)
    if made is None:
        return None, None
    lots = "breakdown" in table.columns and table.columns["breakdown"].header == "lots"
    if (both := overlap(made)) is not None and not lots:
        problems.append(
            table.problem(Broken("sizes_overlap", {"one": both[0], "other": both[1]}), int(rows[0]), "size_class")
        )
        return None, None
    limits = {label: (low, high) for label, low, high in zip(made.classes, made.lower_ct, made.upper_ct, strict=True)}
    return limits, made


_QUARTERS = re.compile(r"([1-9]\d?)(?:[-/]([1-9]\d?))?q(?:tr|uarters?)?s?")


def _with_quarters(table: Table, scheme: Scheme, choices: Mapping[str, str], problems: list[Problem]) -> Table:
    """Read sizes such as ``2-1q`` as was chosen: as grainers, or as a quality, so that the row has no size."""
    column = table.columns["size_class"]
    grains: dict[int, Cell] = {}
    for code, cell in enumerate(column.cells):
        if isinstance(cell, str) and (found := _QUARTERS.fullmatch(fold_size(cell))):
            grains[code] = "-".join(map(str, sorted({int(number) for number in found.groups() if number}))) + " gr"
    meant = choices.get("quarters")
    if not grains:
        return table
    if meant not in ("grains", "quality"):
        made, _ = set_of([*map(text_of, grains.values())], scheme)
        told = {
            "sizes": ", ".join(text_of(column.cells[code]) for code in grains),
            "limits": "" if made is None else _told(made),
            "choices": [("quarters", "grains"), ("quarters", "quality")],
        }
        first = int(np.flatnonzero(np.isin(column.codes, [*grains]))[0])
        problems.append(table.problem(Broken("quarters_or_quality", told), first, "size_class"))
        return replace(table, complete=False)
    read = grains if meant == "grains" else dict.fromkeys(grains)
    columns = {
        **table.columns,
        "size_class": replace(column, cells=[read.get(*item) for item in enumerate(column.cells)]),
    }
    if meant == "quality":  # rows with and without a size are parts of one parcel
        columns.setdefault("breakdown", Column.filled("lots", "lots", table.n_rows))
    return replace(table, columns=columns)


def _names_a_set(parcels: Table | None) -> bool:
    if parcels is None or "sieve_set" not in parcels.columns:
        return False
    column = parcels.columns["sieve_set"]
    return any(not is_blank(column.cells[code]) for code in np.unique(column.codes).tolist())


def _told(made: SieveSet) -> str:
    items = zip(made.classes, made.lower_ct, made.upper_ct, strict=True)
    return "; ".join(
        f"{label}: ≥ {low:g} ct" if high == float("inf") else f"{label}: {low:g}–{high:g} ct"
        for label, low, high in items
    )


def _tell_unknown(table: Table, rows: NDArray[np.intp], label: str, scheme: Scheme, problems: list[Problem]) -> None:
    column = table.columns["size_class"]
    first = next(row for row in rows.tolist() if text_of(column.at(row)) == label)
    code = "size_is_date" if _DAY_MADE.fullmatch(label) and size_span(label, scheme) is None else "unknown_size"
    problems.append(table.problem(Broken(code), first, "size_class"))


def _check_means(
    table: Table,
    rows: NDArray[np.intp],
    labels: Mapping[int, str],
    limits: Mapping[str, tuple[float, float]],
    problems: list[Problem],
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
        if stones < _FEW or carats <= 0:
            continue
        mean, slack = carats / stones, 0.005 * len(inside) / stones
        if low * (1 - SOFT) - slack <= mean <= high * (1 + SOFT) + slack:
            continue
        told = {"mean": f"{mean:.3g}", "lower": f"{low:g}", "upper": "any" if high == float("inf") else f"{high:g}"}
        problems.append(table.problem(Broken("size_mean_outside", told), int(rows[inside[0]]), "size_class"))
