"""Cells of a table: what they may hold, and how a number, a date or a yes is read; what has two readings is refused."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.words import condition_values, declared_words, fold, fold_sure, plain, says, unit_pattern
from kpfootprint.retold import Said
from kpfootprint.visible import is_visible, visible
from kpfootprint.wanted import each


@dataclass(frozen=True, slots=True)
class Odd:
    """A cell that can hold no value: a formula, a list in JSON. `code` is the rule that it breaks."""

    code: str
    text: str

    def __str__(self) -> str:
        return self.text


Cell = str | int | float | bool | date | Odd | None


def eights_of(
    data: NDArray[np.uint8], starts: NDArray[np.intp], lengths: NDArray[np.intp], count: int
) -> list[NDArray[np.uint64]]:
    """Return the bytes of each cell as `count` numbers of eight bytes, padded with zeros."""
    eights = np.ndarray(shape=(len(data) - 7,), dtype="<u8", buffer=data.data, strides=(1,))
    masks = np.array([(1 << (8 * size)) - 1 for size in range(9)], dtype=np.uint64)
    return [eights[starts + 8 * at] & masks[np.clip(lengths - 8 * at, 0, 8)] for at in range(count)]


class PlainCells(Sequence[str]):
    """Cells of a column that holds mostly distinct ones, kept in UTF-8 until someone asks for one of them."""

    def __init__(self, data: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> None:
        self._data, self._starts, self._ends = data, starts, ends

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        return self._data[self._starts[at] : self._ends[at]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        whole = self._data.tobytes()
        places = zip(self._starts.tolist(), self._ends.tolist(), strict=True)
        for start, end in each(places, 10_000):
            yield whole[start:end].decode()

    def blank(self) -> NDArray[np.bool_]:
        """Say of each cell whether it is empty."""
        return np.asarray(self._starts == self._ends)

    @property
    def numbers(self) -> NDArray[np.float64] | None:
        """The cells as numbers, where all of them are digits with a decimal point at most; None elsewhere."""
        return self._looked_through[0]

    def may_hold(self, words: Iterable[str]) -> bool:
        """Say quickly whether a cell may hold one of some words in small letters: all of its signs stand somewhere."""
        signs = self._looked_through[1]
        return not signs.isascii() or any(set(signs.lower()).issuperset(word) for word in words)

    @cached_property
    def _looked_through(self) -> tuple[NDArray[np.float64] | None, str]:
        """The cells as numbers, where all are, and the signs that they hold."""
        lengths = self._ends - self._starts
        words = eights_of(self._data, self._starts, lengths, max(1, -(-int(lengths.max()) // 8)))
        packed = np.ascontiguousarray(np.stack(words, axis=1))
        held = np.zeros(256, dtype=bool)
        held[packed.view(np.uint8)] = True
        signs = bytes(np.flatnonzero(held).tolist()).decode("latin-1")
        numbers = None
        if set("0123456789.\0").issuperset(signs) and bool(lengths.all()):
            with suppress(ValueError):
                numbers = packed.view(f"S{8 * len(words)}").reshape(-1).astype(np.float64)
        return numbers, signs


LONGEST_TEXT = 200
"""Characters of the longest name, number or id."""

DASHES = frozenset("-–—−‐‑.")
"""Signs that stand for nothing where one of them, or two, fill a cell; a point is how programs write it."""


LONGEST = 500
"""Characters of a cell that are read: what is longer is no number, no class and no name, whatever it begins with."""


def shortened(cell: Cell) -> Cell:
    """Return a cell, cut where it is longer than anything that could be meant, and seen to be cut."""
    return f"{cell[:LONGEST]}…" if isinstance(cell, str) and len(cell) > LONGEST else cell


def is_blank(cell: Cell) -> bool:
    """Say whether a cell holds nothing: a dash or a point alone is nothing, too."""
    if cell is None:
        return True
    if not isinstance(cell, str):
        return False
    text = cell.strip()
    return not text or (len(text) <= 2 and set(text) <= DASHES)


def text_of(cell: Cell) -> str:
    """Return a cell as text on one line; a whole number loses the ``.0`` that spreadsheets give it."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    text = "" if cell is None else " ".join(str(cell).split())
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def texts_in(cells: Iterable[Cell]) -> list[str]:
    """Return the cells that hold something, as text."""
    return [text_of(cell) for cell in cells if not is_blank(cell)]


def has_digit(text: str) -> bool:
    """Say whether a digit stands in a text."""
    return any(map(str.isdigit, text))


def line_of(cells: Iterable[Cell]) -> str:
    """Return what the cells of a row say, in one line."""
    return " ".join(texts_in(cells))


def read_text(cell: Cell) -> str | Broken | None:
    """Read text; a number is taken as its digits, blank gives None. What cannot be written in a report is refused."""
    if isinstance(cell, Odd | bool):
        return Broken(cell.code if isinstance(cell, Odd) else "wrong_type", {"expected": "a text"})
    if is_blank(cell):
        return None
    text = text_of(cell)
    if len(text) > LONGEST_TEXT:
        return Broken("wrong_type", {"expected": Said("text of at most {most} characters", most=LONGEST_TEXT)})
    if not is_visible(text):
        said = Said("text without characters that cannot be seen, as in {text},", text=visible(text))
        return Broken("wrong_type", {"expected": said})
    return text


_DAY = re.compile(
    r"(?P<year>\d{4}(?=[-/.])|(?:19|20)\d\d)(?P<mark>[-/.]?)(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
    r"([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)


_WEEKDAY = (
    r"(?:(?:le|the|on|(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche),? )*"
)
_NUMBER, _MONTH = r"(?P<day>\d{1,2})(?:er|st|nd|rd|th)?", r"(?P<month>[^\W\d_]{3,9})\.?"
_NAMED_DAYS = (
    re.compile(
        rf"{_WEEKDAY}{_NUMBER}(?: de\b)?[ ./-]*{_MONTH},?(?: de\b)?[ ./-]*(?P<year>\d{{4}}|(?<=[-/.])\d\d)(?: ?г\.?)?",
        re.IGNORECASE,
    ),
    re.compile(rf"{_WEEKDAY}{_MONTH} {_NUMBER},? (?P<year>\d{{4}})", re.IGNORECASE),
)
_DAY_OR_MONTH = re.compile(
    r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})(?P=mark)(?P<year>\d{4}|[0-5]\d)([T ]\d\d:\d\d(:\d\d)?)?",
    re.ASCII,
)
_MONTHS = {name: at for names in declared_words()["months"].values() for at, name in enumerate(names.split(), start=1)}
"""Months by the first letters of their names, folded, in the languages of `words.toml`."""


def _month(name: str) -> int:
    return _MONTHS.get(name[:4], _MONTHS.get(name[:3], 0))


def read_date(cell: Cell, *, day_first: bool | None = None) -> date | Broken | None:
    """Read a day: a date cell, or text ``YYYY-MM-DD``, ``YYYY/MM/DD``, ``YYYYMMDD``, ``12 mars 2019``; blank: None.

    What begins with the year, names the month, or can be one day alone, ``31/03/2024``, is read; ``11/03/2024`` is
    where `day_first` says what stands first.
    """
    if isinstance(cell, Odd):
        return Broken(cell.code, {"expected": "a date"})
    if is_blank(cell):
        return None
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str | int | float) and not isinstance(cell, bool):
        found = _DAY.fullmatch(text_of(cell))
        if found is not None:
            day, month, year = found["day"], found["month"], found["year"]
        elif found := next((hit for named in _NAMED_DAYS if (hit := named.fullmatch(text_of(cell)))), None):
            day, month, year = found["day"], str(_month(fold(found["month"]))), f"20{found['year']}"[-4:]
        elif (found := _DAY_OR_MONTH.fullmatch(text_of(cell))) is not None:
            return _either_day(*found.group("year", "one", "other"), day_first=day_first)
        else:
            return Broken("not_a_date")
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            pass
    return Broken("not_a_date")


_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.ASCII | re.IGNORECASE)


def _either_day(year: str, one: str, other: str, *, day_first: bool | None) -> date | Broken:
    """Return the day that ``31/03/2024`` is; refuse ``11/03/2024`` and ``13/05/21`` with the days that they can be."""
    orders = [(year, other, one), (year, one, other), (one, other, year)][: 2 if len(year) > 2 else 3]
    days: list[date | None] = []
    for of_year, month, day in orders:
        try:
            days.append(date(int(of_year) + (0 if len(of_year) > 2 else 2000), int(month), int(day)))
        except ValueError:
            days.append(None)
    if day_first is not None and (chosen := days[0 if day_first else 1]) is not None:
        return chosen
    match sorted({*filter(None, days)}):
        case [first, second, *_]:
            told = {"first": first.isoformat(), "second": second.isoformat()}
            return Broken("not_a_date", {"rule": "day_or_month", **told})
        case [only]:
            return only
    return Broken("not_a_date")


def read_id(cell: Cell) -> str | Broken | None:
    """Read a name that may consist of digits; what a spreadsheet shortened (``1.23E+11``) names nothing any more."""
    text = read_text(cell)
    return Broken("shortened_id") if isinstance(text, str) and _SHORTENED.fullmatch(text) else text


def read_yes_or_no(cell: Cell) -> bool | Broken | None:
    """Read yes or no in English or French; blank and "unknown" give None."""
    if isinstance(cell, Odd):
        return Broken(cell.code, {"expected": "yes or no"})
    if is_blank(cell):
        return None
    word = fold_sure(text_of(cell))
    known = condition_values("specials_removed")
    if word not in known:
        return Broken("not_yes_or_no")
    return None if known[word] is None else known[word] == "yes"


_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)
_SPACED = re.compile(r"[+-]?[1-9]\d{0,2}([ \u00a0\u202f\u2009'\u2019]\d{3})+([.,]\d+)?", re.ASCII)
_SEPARATED = re.compile(r"[+-]?[\d.,]*\d[\d.,]*", re.ASCII)
_TWO = re.compile(
    r"(?!0x)\d[\d.,]*\s*(pcs?|st|p)?\s*([-/|(;x×*]|to|à|bis)\s*\d[\d.,; ]*\s*(cts?)?\)?", re.ASCII | re.IGNORECASE
)
_ERROR = re.compile(r"#{2,}|#[A-Z]+[/0-9A-Z]*[!?]?", re.ASCII)
_NOT_FINITE = frozenset({"nan", "inf", "infinity", "-inf", "-infinity", "+inf", "+infinity", "∞", "-∞"})


@dataclass(frozen=True, slots=True)
class DecimalMarks:
    """Which decimal marks a table uses beyond doubt. ``0,21`` and ``12,5`` show a comma; ``1,234`` shows nothing."""

    comma: bool = False
    point: bool = False

    @classmethod
    def seen_in(cls, columns: Iterable[Sequence[Cell]]) -> DecimalMarks:
        """Look for both marks in the text cells of number columns."""
        comma = point = False
        texts: list[str] = []
        for cells in columns:
            plain = isinstance(cells, PlainCells) and cells.numbers is not None
            texts += [cell for cell in (cells[:1000] if plain else cells) if isinstance(cell, str)]
        for cell in texts if any("," in text for text in texts) else ():
            bare = without_unit(cell.strip())
            text = bare if isinstance(bare, str) else ""
            if THOUSANDS.fullmatch(text):
                continue
            comma = comma or ("," in text and bool(_COMMA.fullmatch(text) or _SPACED.fullmatch(text)))
            point = point or ("." in text and bool(_PLAIN.fullmatch(text) or _SPACED.fullmatch(text)))
        return cls(comma, point)


def read_number(cell: Cell, marks: DecimalMarks, *, typed: bool = False) -> float | Broken:
    """Read a number; a blank cell gives NaN.

    A number with two marks (``1,234.5``) or repeated marks (``1,234,567``) is refused, as two countries read it in two
    ways; so is ``1,234`` unless the table writes decimal commas and no decimal points, and ``1.234`` where it writes
    decimal commas. Spaces and apostrophes between thousands are accepted. With `typed`, text is no number (JSON).
    """
    if isinstance(cell, Odd):
        return Broken(cell.code, {"expected": "a number"})
    if is_blank(cell):
        return float("nan")
    if isinstance(cell, bool | date):
        return Broken("not_a_number")
    if isinstance(cell, str):
        number_said = _number_in_text(cell.strip(), marks)
        if not typed or (isinstance(number_said, Broken) and number_said.code == "ambiguous_number"):
            return number_said
        return Broken("not_a_number", {} if isinstance(number_said, Broken) else {"rule": "number_in_quotes"})
    assert cell is not None
    try:
        number = float(cell)
    except OverflowError:
        return Broken("not_finite")
    return number if np.isfinite(number) else Broken("not_finite")


_UNIT = re.compile(
    rf"(?<=[\d.,])\s*(?:({unit_pattern('carats', 'pieces')})|({unit_pattern('grains', 'points', 'others')}))\.?"
)


def without_unit(text: str) -> str | Broken:
    """Return a number without ``ct`` or ``pcs`` behind it; other units are refused."""
    if not text or not text.rstrip(".")[-1:].isalpha():
        return text
    found = _UNIT.search(folded := plain(text))
    if found is None or found.end() < len(folded):
        return text
    return Broken("unknown_unit") if found[2] else folded[: found.start()]


_OTHER_SIGNS = str.maketrans("−٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫", "-01234567890123456789.")
"""Signs of other scripts for digits, and for the decimal mark."""


_AS_TEXT = re.compile(r"^['’](?=[\d.,+-])")
"""The mark by which a spreadsheet is told to take a number for text."""


_ITS_SHARE = r"\s*\(\s*\d[\d.,]*\s*%\s*\)"
_WITH_ITS_SHARE = re.compile(rf"(?<=\d){_ITS_SHARE}$")
"""What share of the whole a number is, in brackets behind it: ``45 (12%)``."""


def _number_in_text(text: str, marks: DecimalMarks) -> float | Broken:
    bare = without_unit(_AS_TEXT.sub("", _WITH_ITS_SHARE.sub("", text)))
    if isinstance(bare, Broken):
        return bare
    text = bare
    if _ERROR.fullmatch(text):
        return Broken("spreadsheet_error")
    if text.casefold() in _NOT_FINITE:
        return Broken("not_finite")
    text = text.translate(_OTHER_SIGNS)
    if _SIEVE.fullmatch(text) and text[0] == "+":
        return Broken("not_a_number", {"rule": "sieve_for_number"})
    if THOUSANDS.fullmatch(text):
        decimal = marks.comma and not marks.point if "," in text else not marks.comma
        if not decimal:
            return Broken("ambiguous_number")
    if _SPACED.fullmatch(text):
        text = re.sub(r"[ \u00a0\u202f\u2009'\u2019]", "", text)
    if _PLAIN.fullmatch(text) or _COMMA.fullmatch(text):
        number = float(text.replace(",", "."))
        return number if np.isfinite(number) else Broken("not_finite")
    if _SEPARATED.fullmatch(text):
        return Broken("ambiguous_number")
    if says("nil", plain(text)):
        return 0.0
    return Broken("two_numbers" if _TWO.fullmatch(text) else "not_a_number")


_WITH_ITS_UNIT = re.compile(
    rf"[+-]?\d[\d.,'\u00a0\u202f ]*(%|ct|cts|carats?|pcs?|st|g|mg|usd|eur|fcfa)?\.?({_ITS_SHARE})?|[$€]\s*\d[\d.,' ]*",
    re.IGNORECASE,
)
_SIEVE = re.compile(r"[+-]\d{1,2}")


def is_number(text: str) -> bool:
    """Say whether a cell holds a number, with a unit perhaps, and not the name of a sieve."""
    text = text.strip()
    return _WITH_ITS_UNIT.fullmatch(text) is not None and _SIEVE.fullmatch(text) is None


def number_given(text: str) -> float | str:
    """Return the number in a field or an option; what is none, or two numbers, stays as it is, to be told as one."""
    number = read_number(text.strip(), DecimalMarks())
    if isinstance(number, Broken) or np.isnan(number):
        return text
    return int(number) if str(int(number)) == text.strip() else number  # told as it was written


def condition_given(name: str, text: str) -> float | str:
    """Return what a field or an option says of a condition, in the JSON parcel's shape."""
    return number_given(text) if name == "bottom_screen_mm" else text


def declaration_given(text: str) -> dict[str, Any]:
    """Return what ``ZONE``, ``ZONE=CARATS``, ``ZONE=60%`` or ``country:CF`` declares, in the JSON parcel's shape."""
    before, equals, amount = text.rpartition("=")
    named, amount = before if equals else text, amount.strip()
    kind, colon, country = named.partition(":")
    is_country = colon and kind.strip().casefold() in ("country", "pays")
    place = {"country": country.strip()} if is_country else {"zone_id": named.strip(), "carats": None}
    number = number_given(amount.removesuffix("%").strip()) if equals else None
    return place | ({"percent" if amount.endswith("%") else "carats": number} if equals else {})


MOST_BROKEN = 50_000
"""Different values of a column that are wrong, after which all that follow are: nobody mends so many."""


def read_numbers(
    cells: Sequence[Cell], marks: DecimalMarks, *, typed: bool = False
) -> tuple[NDArray[np.float64], dict[int, Broken]]:
    """Read many numbers; NaN where blank or broken, with the broken ones by position."""
    if isinstance(cells, PlainCells):
        if cells.numbers is not None and not marks.comma:
            return cells.numbers, {}
        cells = list(cells)
    fast = None if marks.comma else _plain_numbers(cells, typed=typed)
    if fast is not None:
        return fast, {}
    numbers = np.full(len(cells), np.nan)
    broken: dict[int, Broken] = {}
    for position, cell in each(enumerate(cells), 1000):
        number = read_number(cell, marks, typed=typed)
        if isinstance(number, Broken):
            broken[position] = number
            if len(broken) == MOST_BROKEN:
                return numbers, broken | dict.fromkeys(range(position + 1, len(cells)), number)
        else:
            numbers[position] = number
    return numbers, broken


def _plain_numbers(cells: Sequence[Cell], *, typed: bool) -> NDArray[np.float64] | None:
    """Read cells that are all finite numbers or digits with a decimal point; None where they are not."""
    kinds = set(map(type, cells))
    if kinds == {str} and not typed:
        if not set("".join(cells)) <= set("0123456789."):  # type: ignore[arg-type]
            return None
    elif not kinds <= {int, float}:
        return None
    try:
        numbers = np.array(list(map(float, cells)))  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None
    return numbers if bool(np.isfinite(numbers).all()) else None


SMALLEST = 5e-7
"""What is below it is written as zero."""


def check_range(
    numbers: NDArray[np.float64], broken: dict[int, Broken], *, zero: bool, maximum: float, whole: bool = False
) -> None:
    """Add to `broken` the numbers that are not above zero (or from zero) up to `maximum`; NaN is left alone."""
    suspects = (numbers < SMALLEST) | (numbers > maximum)
    if whole:
        suspects |= numbers > np.floor(numbers)
    for position in np.flatnonzero(suspects).tolist():
        wrong = out_of_range(float(numbers[position]), zero=zero, maximum=maximum, whole=whole)
        if wrong is not None:
            broken[position] = wrong


def out_of_range(number: float, *, zero: bool, maximum: float, whole: bool = False) -> Broken | None:
    """Return the rule by which a number is out of range, as `check_range` has it, or None."""
    if number < 0:
        return Broken("negative")
    if number < SMALLEST and not zero:
        return Broken("zero")
    if number > maximum:
        return Broken("too_large", {"limit": f"{maximum:,.0f}"})
    return Broken("not_whole") if whole and number != math.floor(number) else None
