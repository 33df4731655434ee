"""What labels name: size classes as sheets write them, the set that they make, and the classes of descriptions.

A stone passes a sieve or lies on it, so ``-11+9`` and ``+9-11`` are the stones between sieves 9 and 11, and ``+11``
alone is whatever lies on sieve 11, up to the next class of the same sheet. A grain is 0.25 ct; the limits of grainers
are those of the package's sieve sets, or half a grain to each side. Weights are read to 0.01 ct, so that
``0.30-0.49 ct`` is 0.295 to 0.495 ct, and a stone of ``5 ct`` weighs 4.80 to 5.79 ct, as the trade's ladder has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kpfootprint.ingest.raw.cells import Cell, Odd, is_blank, text_of
from kpfootprint.ingest.raw.tables import Column
from kpfootprint.ingest.words import (
    attribute_words,
    class_code,
    declared_words,
    fold_size,
    is_plain,
    one_code,
    plain,
    says,
    tokens_of,
    unit_pattern,
)
from kpfootprint.scheme import Attribute, Scheme, SieveSet

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
_RANGE = re.compile(rf"\+?{_NUMBER}(?:{_UNIT})?{_DASH}{_NUMBER}({_UNIT})")
_ONE = re.compile(r"([+\-<>]|>=|<=|over|above|under|below|upto|jusqu'?a|plusde|moinsde|morethan|lessthan)?"
                  rf"{_NUMBER}({_UNIT})"
                  r"(\+|up|&up|andup|&over|andover|etplus|-|anddown|etmoins)?")  # fmt: skip
_FROM_TO = re.compile(r"(?:de|from|between|entre)(.+?)(?:a|to|and|et)(\d.+)")
_UNIT_AFTER = re.compile(rf"(?<=\d)-({_UNIT})$")
_UNIT_BEFORE = re.compile(rf"(gr|grs|grainers?|cts?|carats?)\.?{_NUMBER}")
_UNIT_OF_FIRST = re.compile(rf"{_NUMBER}({_UNIT}){_DASH}{_NUMBER}")
"""Units beside their numbers in other ways: ``3-grainer``, ``Gr 3``, ``2 ct to 2.99``."""
_SPECIALS = ("+10.8", "10.8+")
"""How specials are written without a unit: no sieve has that number."""
_FRACTION = re.compile(r"1/[234](?:ct|cts|carats?)|[23]/4(?:ct|cts|carats?)|2/3(?:ct|cts|carats?)")
"""Parts of a carat, or ranges: two readings."""

_UP = ("+", ">", ">=", "over", "above", "plusde", "morethan", "up", "&up", "andup", "&over", "andover", "etplus")
_DOWN = ("-", "<", "<=", "under", "below", "upto", "jusqua", "jusqu'a", "moinsde", "lessthan", "anddown", "etmoins")


@dataclass(frozen=True, slots=True)
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
    label = _UNIT_AFTER.sub(r"\1", fold_size(text).replace("mm", "?").removesuffix("."))
    if found := _UNIT_BEFORE.fullmatch(label):
        label = f"{found[2]}{found[1]}"
    if found := _UNIT_OF_FIRST.fullmatch(label):
        label = f"{found[1]}-{found[3]}{found[2]}"
    label = re.sub(r"(?<![\d.])\.(?=\d)", "0.", label)
    if not label or not any(char.isdigit() for char in label) or _FRACTION.fullmatch(label):
        return None
    if label in _SPECIALS:
        label = "+10.8ct"
    if found := _FROM_TO.fullmatch(label):
        label = f"{found[1]}-{found[2]}"
    for position, pattern in enumerate(_BETWEEN):
        if found := pattern.fullmatch(label):
            high, low = found.groups() if position == 0 else found.groups()[::-1]
            lower, upper = _sieve(low, scheme), _sieve(high, scheme)
            if lower is None or upper is None or not lower < upper:
                return None
            return Span(lower, upper, "sieve")
    if found := _OPEN.fullmatch(label):
        sign, number = found.groups()
        limit = _sieve(number, scheme)
        if limit is None:
            return None
        return Span(limit, None, "sieve") if sign == "+" else Span(None, limit, "sieve")
    if found := _RANGE.fullmatch(label):
        first, last, unit = found.groups()
        return _between(first, last, _unit(unit), scheme)
    if found := _ONE.fullmatch(label):
        before, number, unit, after = found.groups()
        return _single(before or after or "", number, _unit(unit), scheme)
    return None


def names_size(text: str, scheme: Scheme) -> bool:
    """Say whether a label names a size class by its limits, or one of a set of the package by its name."""
    name = fold_size(text)
    return size_span(text, scheme) is not None or any(
        fold_size(own) == name for item in scheme.sieve_sets for own in item.classes
    )


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
    lower, upper = (number - 0.5) * GRAIN_CT, (number + 0.5) * GRAIN_CT
    for item in scheme.sieve_sets:
        for name, (low, high) in item.limits.items():
            if name == f"{number:g}gr":
                return low, high
            if name == f"{number + 1:g}gr":
                upper = low
            elif name == f"{number - 1:g}gr":
                lower = high
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
        return _span(lower, upper, "gr") if float(first) < float(last) else None
    (low, half, whole), (high, _, also) = _carats(first, unit), _carats(last, unit)
    if not low < high:
        return None
    if whole and also:
        return _span(low - 0.205, high + 0.795, "ct", high)
    return _span(low - half, high + half, "range", high)


def _single(sign: str, number: str, unit: str, scheme: Scheme) -> Span | None:
    if sign in _UP + _DOWN:
        limit = _grainer(float(number), scheme)[0] if unit == "gr" else _carats(number, unit)[0] - 0.005
        if sign in _UP:
            return _span(limit, None, "open")
        return _span(None, limit, "open") if limit > 0 else None
    if unit == "gr":
        return _span(*_grainer(float(number), scheme), "gr")
    low, half, whole = _carats(number, unit)
    if whole:
        return _span(low - 0.205, low + 0.795, "ct", low)
    return _span(low - half, low + half, "range", low) if low > half else None


def _span(lower: float | None, upper: float | None, kind: str, last: float | None = None) -> Span:
    lower, upper = (None if limit is None else round(max(limit, 0.0), 6) for limit in (lower, upper))
    return Span(lower, upper, kind, last)


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
        lower = span.lower_ct or 0.0
        above = next((value for value in lowers if value > lower + 1e-9), float("inf"))
        limits[label] = lower, above if span.upper_ct is None else span.upper_ct
    order = sorted(limits, key=lambda label: limits[label])
    for label, following in pairwise(order):
        (lower, upper), (begins, _) = limits[label], limits[following]
        if abs(begins - upper) < 0.011 and lower < begins:  # hundredths that two rules round differently
            limits[label] = lower, begins
    if empty := [label for label, (lower, upper) in limits.items() if not lower < upper]:
        return None, empty
    return SieveSet.of(SHEET, {label: limits[label] for label in order}), []


def _word_span(label: str, scheme: Scheme) -> Span | None:
    """Return the limits of a class that a set of the package names by a word: ``specials``."""
    name = fold_size(label)
    for item in scheme.sieve_sets:
        if name in item.classes and not any(char.isdigit() for char in name):
            lower, upper = item.limits[name]
            return Span(lower, None if upper == float("inf") else upper, "word")
    return None


def _touching(spans: dict[str, Span]) -> dict[str, Span]:
    """Let ranges that name the same weight at both ends meet there, as ``1-2 ct`` and ``2-3 ct`` do.

    So do ``< 5 ct``, ``5-10 ct`` and ``> 10 ct``, where every range ends at a weight that another class names.
    """
    above = {round(span.lower_ct + 0.005, 3) for span in spans.values() if span.kind == "open" and span.lower_ct}
    groups = [{label: span for label, span in spans.items() if span.kind == kind} for kind in ("ct", "range")]
    firsts = {_first(span) for span in groups[0].values()}
    meeting = any(span.last is not None and _near(span.last, firsts) for span in groups[1].values())
    if meeting and all(map(_are_ranges, groups)) and not _near(10.8, above):  # above it whole carats are the trade's
        groups = [groups[0] | groups[1]]  # ``0.3-1 ct`` and ``1-2 ct``
    for group in groups:
        firsts = {_first(span) for span in group.values()}
        ranges = [span for span in group.values() if span.last is not None and _first(span) < span.last - 1e-9]
        meet = [_near(span.last, firsts) for span in ranges if span.last is not None]
        ends = [_near(span.last, firsts | above) for span in ranges if span.last is not None]
        if any(meet) or (ends and all(ends)):
            for label, span in group.items():
                assert span.last is not None
                whole = _first(span) > span.last - 1e-9
                wide = {"ct": 1.0, "range": 0.01}[span.kind] if whole else 0.0
                spans[label] = _span(_first(span) - 0.005, span.last + wide - 0.005, span.kind, span.last)
    return spans


def _are_ranges(spans: dict[str, Span]) -> bool:
    """Say whether all of some spans, of which there is one, end at another weight than that at which they begin."""
    return bool(spans) and all(span.last is not None and _first(span) < span.last - 1e-9 for span in spans.values())


def _first(span: Span) -> float:
    assert span.lower_ct is not None
    return round(span.lower_ct + (0.205 if span.kind == "ct" else 0.005), 3)


def _near(value: float, others: set[float]) -> bool:
    return any(abs(value - other) < 1e-6 for other in others)


def overlap(made: SieveSet) -> tuple[str, str] | None:
    """Return two classes of a set that share weights, or None."""
    items = sorted((limits, name) for name, limits in made.limits.items())
    pairs = pairwise(items)
    return next(((one, other) for ((_, upper), one), ((lower, _), other) in pairs if lower < upper - 1e-9), None)


# Descriptions of lots and stones: ``4-8 GR SAWABLES WHITE`` names a size, a shape and a colour.

_SIEVE_WORD = re.compile(r"\b(?:sieve|tamis|crible)\s+(?=\d{1,2}\b)", re.IGNORECASE)
_LIMITED = ("limit", "about", "mean", "each", "besides")
"""What words beside a weight say by which it is no size by itself."""
_PARTS = re.compile(r"\s*(?:,(?!\d)|;|\b(?:with|avec|mit|com|con)\b)\s*", re.IGNORECASE)
_WORDS = 4
"""Words that the name of a class or of a size class has at most."""


def split_descriptions(
    column: Column, attributes: Sequence[Attribute], scheme: Scheme
) -> tuple[dict[str, Column], list[str]]:
    """Read sizes and classes out of a column of descriptions.

    Returns
    -------
    dict of str to Column
        ``size_class`` and the columns of the attributes that some description names. Blank where one names nothing,
        or several classes that no set of the package holds together.
    list of str
        Words that were not understood.
    """
    names = ["size_class", *(item.column for item in attributes)]
    read: dict[str, list[Cell]] = {name: [] for name in names}
    unread: list[str] = []
    for cell in column.cells:
        said = not is_blank(cell) and not isinstance(cell, Odd)
        found = _split(text_of(cell), attributes, scheme, unread) if said else {}
        for name in names:
            read[name].append(found.get(name))
    named = {name: cells for name, cells in read.items() if any(cell is not None for cell in cells)}
    made = {name: Column.of(column.header, cells).rows(column.codes) for name, cells in named.items()}
    return made, list(dict.fromkeys(unread))


def _split(text: str, attributes: Sequence[Attribute], scheme: Scheme, unread: list[str]) -> dict[str, str]:
    parts = _PARTS.split(text)
    apart = [part for part in parts if says("blemish", *tokens_of(part))]  # ``with black spots``
    unread += apart
    text = text if not apart else ", ".join(part for part in parts if part not in apart)
    text = text.replace("≥", ">=").replace("≤", "<=")
    text = _SIEVE_WORD.sub("+", re.sub(r"([+<>=-])\s+(?=\d)", r"\1", text))  # ``- 9 + 7``, ``sieve 9``, ``> 2 ct``
    parted = text if re.match(r"[^/]*\d/\d", text) else text.replace("/", " / ").replace(";", " ")  # ``4/6 GR``
    words = [word for word in (word.strip(",;:()[]'") for word in parted.split()) if word not in ("", "/", "&", "-")]
    found: dict[str, str] = {}
    sizes: list[str] = []
    codes: dict[str, set[int]] = {}
    known = {item.name: attribute_words(item) for item in attributes}
    start = 0
    while start < len(words):
        if says("negated", plain(words[start])):
            unread.append(" ".join(words[start : start + 2]))
            start += 2
            continue
        for end in range(min(len(words), start + _WORDS), start, -1):
            piece = " ".join(words[start:end])
            if (span := size_span(piece, scheme)) is not None:
                beside = [plain(word) for word in (*words[max(start - 2, 0) : start], *words[end : end + 2])]
                limited = span.kind != "sieve" and any(says(role, *beside) for role in _LIMITED)
                (unread if limited else sizes).append(piece)  # ``max 2 ct``
                break
            hits = [(item, code) for item in attributes if (code := class_code(piece, known[item.name])) is not None]
            if len(hits) == 1:
                codes.setdefault(hits[0][0].column, set()).add(hits[0][1])
                break
        else:
            unread.append(words[start])
            end = start + 1
        start = end
    if len(set(sizes)) == 1:
        found["size_class"] = sizes[0]
    elif sizes:
        unread += sizes
    for item in attributes:
        code = one_code(item, codes.get(item.column, set()))
        if code is not None:
            found[item.column] = item.code_names[code]
        elif codes.get(item.column):
            unread += [item.code_names[code] for code in sorted(codes[item.column])]
    return found


def classes_in(text: str, scheme: Scheme) -> set[str]:
    """Return what a text names and nothing else: ``size_class``, and the columns of attributes whose classes it has."""
    unread: list[str] = []
    named = _split(text, scheme.categorical, scheme, unread)
    return {"size_class"} if names_size(text, scheme) else {*named} if all(map(is_plain, unread)) else set()


def describe(texts: Sequence[str], scheme: Scheme) -> bool:
    """Say whether every text names sizes or classes, and one of them at least two: ``White octa +11``."""
    made, _ = split_descriptions(Column.of("", texts), scheme.categorical, scheme)
    named = np.sum([~item.blank() for item in made.values()], axis=0) if made else np.zeros(len(texts))
    return bool(np.all(named > 0)) and bool(np.any(named > 1))
