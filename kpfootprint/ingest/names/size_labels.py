"""What the label of a size class says: sieves, grainers, carats or points, and the limits in carats that they name.

A stone passes a sieve or lies on it, so ``-11+9`` and ``+9-11`` are the stones between sieves 9 and 11, and ``+11``
alone is whatever lies on sieve 11, up to the next class of the same sheet. A grain is 0.25 ct; the limits of grainers
are those of the package's sieve sets, or half a grain to each side. Weights are read to 0.01 ct, so that
``0.30-0.49 ct`` is 0.295 to 0.495 ct, and a stone of ``5 ct`` weighs 4.80 to 5.79 ct, as the trade's ladder has it.

Signs, numbers, units and words of a label become a letter each, and what these spell is one of a few forms. A word
that is none of those in ``[sizes]`` of ``words.toml`` makes it no label of a size.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kpfootprint.ingest.words import LONGEST_NAME, declared_words, kept_where_short, plain, unit_words, without_remark
from kpfootprint.scheme import Scheme, SieveSet

GRAIN_CT = 0.25
_SPECIALS = 10.8
"""Carats from which stones are specials, also where no unit says so: no sieve has that number."""
_UNITS = {"grains": "gr", "carats": "ct", "points": "pt"}
_FIRST = ("gr", "grs", "grainer", "grainers", "ct", "cts", "carat", "carats")
"""Units that may stand before their number: ``Gr 3``."""

# The letters: N number, U unit, T to, A and, F from, H or more, D or less, K sieve, G goods, L and S large and small.
_LETTERS = {"to": "T", "and": "A", "from": "F", "up": "H", "down": "D", "sieve": "K", "goods": "G"}
_LETTERS |= {"special": "L", "large": "L", "small": "S", "name": "", **dict.fromkeys(_UNITS, "U")}
_BESIDE = re.compile(r"^(?:[LS]G?)?(?P<core>.*?)(?:[LS]?G?)$")
"""Words around limits that say no more than these: ``+10.8 specials``, ``4 carat stones``."""
_FALLING = re.compile(r"-N[/T]?\+N|-NU?\+NU|-NU\+N")
_RISING = re.compile(r"\+N(?:[/T]?-|T)N")
_RANGE = re.compile(r"F?\+?NU?[-/T]NU|F?NU[-/T]N|\+NU?-NU|NU?<NU|FNU?ANU")
_ONE = re.compile(r"(?P<before>[+\-<>HD]?)N(?P<between>A?[+H])?U?(?P<after>A?[+\-HD])?")
_UP, _DOWN = ("+", ">", "H", "A+", "AH"), ("-", "<", "D", "A-", "AD")
_FRACTION = re.compile(r"1/[234]|[23]/4|2/3")
"""Parts of a carat, or ranges: two readings."""
_NUMBERING = re.compile(r"(?:\w|\d\d)\)\s*|(?:[a-z]|\d\d?)\.\s+(?=\D)")
"""What numbers the rows of a sheet: ``a) +11``, ``2. +9``; ``1. 4 gr`` could be 1.4 as well, and is no size."""
_GLYPH, _GLYPHS = re.compile("([0-9]?)([¼½¾])"), {"¼": ".25", "½": ".5", "¾": ".75"}
"""Parts of a carat that are one sign: ``½``, ``1½``."""
_OF_A_DAY = re.compile(r"(?<![\d.,])0\d")
"""A number as days have it: ``03``."""
_DIAMETER = re.compile(r"\s*\([^()]*\d\s*mm\)")
_SAME = str.maketrans({**dict.fromkeys("−–—‑‐", "-"), "≥": ">=", "≤": "<=", "＋": "+", ",": ".", "\u200b": None})


@dataclass(frozen=True, slots=True)
class Span:
    """Limits of a size class in carats; None is open, to the next class of the sheet or for good.

    `last` is the weight that a range names at its end, so that ``1-2 ct`` beside ``2-3 ct`` ends at 2 ct, not at 2.79.
    """

    lower_ct: float | None
    upper_ct: float | None
    kind: str
    last: float | None = None

    @classmethod
    def of(cls, lower: float | None, upper: float | None, kind: str, last: float | None = None) -> Span:
        """Return limits that are no less than 0, to the millionth of a carat."""
        lower, upper = (None if limit is None else round(max(limit, 0.0), 6) for limit in (lower, upper))
        return cls(lower, upper, kind, last)


def size_words(sieve_set: SieveSet) -> dict[str, int]:
    """Return folded size class names with the position of each; see `fold_size` for what they may be called."""
    return {fold_size(name): code for code, name in enumerate(sieve_set.classes)}


def _plainly(text: str) -> str:
    """Return a label in small letters with one way to write each sign, without an idle remark behind it."""
    return plain(without_remark(text)).translate(_SAME)


@kept_where_short
def fold_size(text: str) -> str:
    """Reduce the name of a size class; plus and minus count, ``"DTC +3"`` is ``"+3"``."""
    name = "".join(_plainly(text).split())
    name = re.sub(r"^[(\['‘’\"]+|[)\]:;'‘’\"]+$", "", name)
    for word in ("'", "dtc", "sieve", "tamis", "crible", "size", "taille", "calibre", "no", "n.", "#"):
        name = name.removeprefix(word)
    name = re.sub(r"(plus|moins|minus)(?=\d)", lambda found: "+" if found[1] == "plus" else "-", name)
    return name.removesuffix("sieve").removesuffix("dtc").removeprefix(".")


def find_size(text: str, words: Mapping[str, int]) -> int | None:
    """Return the position of a size class, also where a spreadsheet dropped its plus sign, or None.

    ``"+3-5"`` is ``"+3"`` where the next class is ``"+5"``.
    """
    name = fold_size(text)
    if name in words:
        return words[name]
    if f"+{name}" in words:
        return words[f"+{name}"]
    if name.startswith("+") and "-" in name:
        low, high = name.split("-", 1)
    elif name.startswith("-") and "+" in name:
        high, low = name[1:].split("+", 1)
        low = f"+{low}"
    else:
        return None
    return words[low] if low in words and words.get(f"+{high}") == words[low] + 1 else None


def size_span(text: str, scheme: Scheme) -> Span | None:
    """Return the limits that a label of a size class names, or None where it names none."""
    text = _GLYPH.sub(lambda hit: (hit[1] or "0") + _GLYPHS[hit[2]], text)
    if len(text) > LONGEST_NAME or not any(map(str.isdigit, text)) or _OF_A_DAY.search(text):
        return None
    label = _plainly(text).replace(">=", ">").replace("<=", "<").strip(" '\"‘’[];:.")
    label = _DIAMETER.sub("", _NUMBERING.sub("", label, count=1) if _NUMBERING.match(label) else label)
    span = _read(re.sub("[()]", " ", label), scheme)  # ``specials (+10.8)``
    if span is not None or "(" not in label:
        return span
    outer, _, inner = label.partition("(")
    span, within = _read(outer, scheme), _read(inner.rstrip(") "), scheme) or _read(f"{inner.rstrip(') ')} ct", scheme)
    alike = span is not None and within is not None and _overlap(span, within)  # ``3 gr (0.66-0.89)``
    return span if alike else None


def _overlap(one: Span, other: Span) -> bool:
    lower = max(one.lower_ct or 0.0, other.lower_ct or 0.0)
    return lower < min(float("inf") if span.upper_ct is None else span.upper_ct for span in (one, other))


@lru_cache(maxsize=1)
def _known() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern of what labels are made of, and the kind of each word."""
    words = {kind: unit_words(kind) for kind in _UNITS} | declared_words()["sizes"]
    kinds = {word: kind for kind, found in words.items() for word in found}
    every = "|".join(map(re.escape, sorted(kinds, key=len, reverse=True)))
    return re.compile(rf"(\d+(?:\.\d+)?|\.\d+)|(?<![^\W\d_])({every})(?![^\W\d_])\.?|[+\-<>/]|(\S)"), kinds


def _read(label: str, scheme: Scheme) -> Span | None:
    """Return the limits that a label in small letters names, or None."""
    pattern, kinds = _known()
    found = [*pattern.finditer(label)]
    spelled, numbers, units = "", list[str](), list[str]()
    for at, token in enumerate(found):
        number, word, unknown = token.groups()
        if unknown:
            return None
        kind = kinds.get(word or "", "")
        numbers += [number] if number else []
        units += [kind] if kind in _UNITS else []
        if kind in ("plus", "minus"):  # ``plus 11``, ``10 ct et plus``
            spelled += {"plus": "H+", "minus": "D-"}[kind][at + 1 < len(found) and found[at + 1][1] is not None]
        else:
            spelled += "N" if number else _LETTERS[kind] if word else token[0]
    core = _BESIDE.sub(r"\g<core>", spelled)
    if core == "N-U" or (core == "UN" and found[0][2] in _FIRST):  # ``3-grainer``, ``Gr 3``
        core = "NU"
    span = _spelled(core, numbers, units, scheme)
    if span is None or ("L" in spelled and span.upper_ct is not None) or ("S" in spelled and span.upper_ct is None):
        return None
    return span


def _spelled(core: str, numbers: list[str], units: list[str], scheme: Scheme) -> Span | None:
    on_sieve, core = "K" in core, core.replace("K", "")
    if core in ("+N", ">N", "HN", "N+", "NH", "NAH", "NA+") and float(numbers[0]) == _SPECIALS:
        units = ["carats"]
    if len({*units}) > 1:
        return None
    unit = _UNITS[units[0]] if units else ""
    if _FALLING.fullmatch(core):
        numbers = numbers[::-1]
    if not units:
        return _of_sieves(core, on_sieve, numbers, scheme)
    if _FALLING.fullmatch(core) or _RANGE.fullmatch(core):
        fraction = unit == "ct" and "/" in core and _FRACTION.fullmatch("/".join(numbers))
        return None if fraction else _between(numbers[0], numbers[1], unit, scheme)
    if (one := _ONE.fullmatch(core)) is None or sum(map(bool, one.groups())) > 1:
        return None
    return _single(one["before"], one["between"] or one["after"] or "", numbers[0], unit, scheme)


def _of_sieves(core: str, on_sieve: bool, numbers: list[str], scheme: Scheme) -> Span | None:
    """Return the limits of numbers of sieves; a number alone is one of a sieve where a word says so."""
    known = [limit for number in numbers if (limit := _sieve(number, scheme)) is not None]
    if not known or len(known) < len(numbers):
        return None
    if _FALLING.fullmatch(core) or _RISING.fullmatch(core):
        return Span(known[0], known[1], "sieve") if known[0] < known[1] else None
    if core in ("+N", "N+") or (on_sieve and core == "N"):
        return Span(known[0], None, "sieve")
    return Span(None, known[0], "sieve") if core == "-N" else None


def names_size(text: str, scheme: Scheme) -> bool:
    """Say whether a label names a size class by its limits, or one of a set of the package by its name."""
    named = (fold_size(own) for item in scheme.sieve_sets for own in item.classes)
    return size_span(text, scheme) is not None or fold_size(text) in named


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
        return Span.of(lower, upper, "gr") if float(first) < float(last) else None
    (low, half, whole), (high, _, also) = _carats(first, unit), _carats(last, unit)
    if not low < high:
        return None
    if whole and also:
        return Span.of(low - 0.205, high + 0.795, "ct", high)
    return Span.of(low - half, high + half, "range", high)


def _single(before: str, after: str, number: str, unit: str, scheme: Scheme) -> Span | None:
    limits = _grainer(float(number), scheme)
    if before in _UP or after in _UP:
        return Span.of(limits[0] if unit == "gr" else _carats(number, unit)[0] - 0.005, None, "open")
    if before in _DOWN or after in _DOWN:
        below = limits[after in _DOWN] if unit == "gr" else _carats(number, unit)[0] - 0.005  # ``2 gr and down``
        return Span.of(None, below, "open") if below > 0 else None
    if unit == "gr":
        return Span.of(*limits, "gr")
    low, half, whole = _carats(number, unit)
    if whole:
        return Span.of(low - 0.205, low + 0.795, "ct", low)
    return Span.of(low - half, low + half, "range", low) if low > half else None
