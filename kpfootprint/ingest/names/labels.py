"""What labels name together: the sieve set that those of a sheet make, and the classes of descriptions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from kpfootprint.ingest.names.size_labels import Span, fold_size, names_size, size_span
from kpfootprint.ingest.raw.cells import Cell, Odd, is_blank, text_of
from kpfootprint.ingest.raw.tables import Column
from kpfootprint.ingest.words import (
    attribute_words,
    class_code,
    declared_words,
    fold,
    is_plain,
    one_code,
    plain,
    says,
    tokens_of,
)
from kpfootprint.scheme import Attribute, Scheme, SieveSet

_NUMBERED = re.compile(r"\s*(\d{1,2})[.)]\s+")
SHEET = "sheet"
"""Name of a sieve set that is made from the labels of a sheet."""


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
    distinct = list(dict.fromkeys(labels))
    numbered = [_NUMBERED.match(label) for label in distinct]
    running = [int(found[1]) for found in numbered if found] == list(range(1, len(distinct) + 1))
    for label in distinct:
        name = _NUMBERED.sub("", label) if running else label  # ``1. 4 gr``
        span = size_span(name, scheme) or _named_span(name, scheme)
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


def _named_span(label: str, scheme: Scheme) -> Span | None:
    """Return the limits of a class that a set of the package names by a word, ``specials``, or by a sieve, ``#11``."""
    words = declared_words()["sizes"]
    special = {*tokens_of(label)} & {*words["special"]} and {*tokens_of(label)} <= {*words["special"], *words["goods"]}
    name = "specials" if special else fold_size(label)
    for item in scheme.sieve_sets:
        if name in item.classes and not any(char.isdigit() for char in name):
            lower, upper = item.limits[name]
            return Span(lower, None if upper == float("inf") else upper, "word")
    return size_span(f"+{name}", scheme) if name.isdigit() and name != label.strip() else None


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
                spans[label] = Span.of(_first(span) - 0.005, span.last + wide - 0.005, span.kind, span.last)
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
_LETTERS = 3
"""Letters of an abbreviation, at least."""
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
            codes_of = [(item, class_code(piece, known[item.name])) for item in attributes]
            if all(code is None for _, code in codes_of) and piece.endswith("."):
                codes_of = [(item, class_begun(piece, item)) for item in attributes]  # ``Yell. octa``
            hits = [(item, code) for item, code in codes_of if code is not None]
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


def class_begun(text: str, attribute: Attribute) -> int | None:
    """Return the code of a class whose name a text begins, where no word of another class begins so: ``Oct.``."""
    letters = text.removesuffix(".")
    if len(letters) < _LETTERS or not letters.isalpha():
        return None
    start, known = fold(letters), attribute_words(attribute)
    met = {code for word, code in known.items() if word.startswith(start)}
    names = [[fold(name) for name in (item.name, *item.labels.values())] for item in attribute.classes]
    own = {code for code, called in enumerate(names) if any(name.startswith(start) for name in called)}
    return one_code(attribute, own) if own == met else None


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
