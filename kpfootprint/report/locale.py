"""Languages: message catalogues (gettext) and the locale's form of numbers and dates (CLDR, by Babel)."""

from __future__ import annotations

import gettext
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from kpfootprint.retold import LANGUAGES, catalogue

CATALOGUE = Path(__file__).parent / "catalogues" / "fr.po"
_LOCALES = {"en": "en_GB", "fr": "fr_FR"}


def mark(message: str) -> str:
    """Mark a message for the catalogue and return it unchanged; it is translated where it is shown."""
    return message


def mark_plural(one: str, many: str) -> tuple[str, str]:
    """Mark a message that depends on a count, in singular and plural."""
    return one, many


def language_of(tag: str) -> str:
    """Return the language to render for a language tag: itself, its base language, or English.

    >>> language_of("fr-CF"), language_of("pt")
    ('fr', 'en')
    """
    base = tag.replace("_", "-").split("-")[0].lower()
    return base if base in LANGUAGES else "en"


class Shown(str):
    """A value as it is shown. A message may ask for it with a preposition before it, or before each of its items.

    >>> "{a:de}, {b:de}, {c:de}".format(a=Shown("Nola"), b=Shown("Amada-Gaza"), c=Shown("le lot"))
    'de Nola, d\u2019Amada-Gaza, du lot'
    """

    items: tuple[str, ...] = ()
    joined: Callable[[Sequence[str]], str] | None = None

    def __format__(self, preposition: str) -> str:
        """Return the value, each of its items after the preposition; ``de`` is elided before a vowel."""
        if not preposition:
            return str(self)
        if self.joined is None:
            return _after(preposition, self)
        return str(self.joined([_after(preposition, item) for item in self.items]))


def _after(preposition: str, word: str) -> str:
    first, said = unicodedata.normalize("NFD", word[:1]).lower()[:1], f"{preposition} {word}"
    for apart, together in _CONTRACTED.items():
        if said.startswith(apart):
            return together + said.removeprefix(apart)
    return f"d\u2019{word}" if preposition == "de" and first and first in "aeiou" else said


_CONTRACTED = {"de le ": "du ", "\u00e0 le ": "au "}


@dataclass(frozen=True, slots=True)
class Words:
    """One language: messages, numbers, shares, dates and lists in its form.

    Built by `words`; `decimal`, `group` and `percent` come from CLDR.
    """

    lang: str
    catalogue: gettext.NullTranslations
    decimal: str
    group: str
    percent: str

    def text(self, message: str, **values: str) -> str:
        """Translate a message and fill in its values."""
        shown = self.catalogue.gettext(message) if message else ""
        return shown.format(**_able(values))

    def plural(self, one: str, many: str, count: int, **values: str) -> str:
        """Translate a message that depends on a count and fill in its values."""
        return self.catalogue.ngettext(one, many, count).format(**_able(values))

    @staticmethod
    def sentence(text: str) -> str:
        """Begin a text with a capital."""
        return text[:1].upper() + text[1:]

    def number(self, value: float, places: int = 0) -> str:
        """Return a number with `places` decimals.

        >>> words("en").number(1234.5, 1), words("fr").number(-0.25, 2)
        ('1,234.5', '\u22120,25')
        """
        plain = f"{value:,.{places}f}"
        if plain.startswith("-"):
            plain = "" if float(plain.replace(",", "")) == 0 else "\u2212"
            plain += f"{abs(value):,.{places}f}"
        return plain.translate({44: self.group, 46: self.decimal})

    def count(self, value: int | None) -> str:
        """Return a whole number, or a dash where nobody counted."""
        return "\u2013" if value is None else self.number(value)

    def trimmed(self, value: float | None, places: int) -> str:
        """Return a number with at most `places` decimals, without trailing zeros; a dash for None."""
        if value is None:
            return "\u2013"
        full = self.number(value, places)
        return full.rstrip("0").removesuffix(self.decimal) if places else full

    def stone(self, carats: float) -> str:
        """Return what a stone weighs; a light one has a decimal more."""
        return self.number(carats, 2 if carats >= 0.1 else 3)

    def carats(self, value: float) -> str:
        """Return carats with two decimals; a speck is no zero.

        >>> words("en").carats(152.8), words("en").carats(0.0001)
        ('152.80', '<0.01')
        """
        return "<" + self.number(0.01, 2) if 0 < value < 0.005 else self.number(value, 2)

    def share(self, value: float, finer: int = 0) -> str:
        """Return a fraction as a percentage: no decimals from 10 % on, one below; `finer` decimals more.

        >>> words("en").share(0.284), words("en").share(0.042), words("en").share(0.0003)
        ('28%', '4.2%', '<0.1%')
        """
        if 0 < value < 0.0005 and not finer:
            return "<" + self.percent.format(self.number(0.1, 1))
        if 0.9995 <= value < 1:
            return ">" + self.percent.format(self.number(99.9, 1))
        places = 1 if 0.0005 <= value < 0.0995 or 0.995 <= value < 1 else 0
        return self.percent.format(self.number(100 * value, places + finer))

    def shares_beside(self, observed: float, low: float, high: float) -> tuple[str, str, str]:
        """Return a share and the range beside it; one that lies outside is not shown as the limit that it passes.

        >>> words("en").shares_beside(0.0611, 0.025, 0.0607), words("en").shares_beside(0.06, 0.025, 0.0604)
        (('6.11%', '2.5%', '6.07%'), ('6.0%', '2.5%', '6.0%'))
        """
        shown = [self.share(value) for value in (observed, low, high)]
        passed = 1 if observed < low else 2 if observed > high else 0
        for finer in (1, 2):
            if passed and shown[0] == shown[passed]:
                shown[0], shown[passed] = self.share(observed, finer), self.share((low, high)[passed - 1], finer)
        return shown[0], shown[1], shown[2]

    def credence(self, value: float) -> str:
        """Return the probability of what is neither certain nor impossible as a percentage, whatever it was rounded to.

        >>> words("en").credence(0.0), words("en").credence(1.0)
        ('<0.1%', '>99.9%')
        """
        return self.share(min(max(value, 1e-9), 1 - 1e-9))

    def probability(self, value: float) -> str:
        """Return a p-value with two significant digits, ``<0.001`` below that."""
        if value < 0.001:
            return "<" + self.number(0.001, 3)
        return self.number(value, _p_places(value))

    def chance(self, value: float) -> str:
        """Return a p-value as a percentage, rounded as `probability` rounds it.

        >>> words("en").chance(0.855), words("en").p_value(0.855), words("en").chance(0.0007)
        ('85%', 'p = 0.85', 'fewer than 0.1%')
        """
        if value < 0.001:
            return self.text(mark("fewer than {share}"), share=self.share(0.001))
        return self.share(round(value, _p_places(value)))

    def p_value(self, value: float) -> str:
        """Return a p-value with its sign, ``p = 0.12`` or ``p < 0.001``."""
        shown = self.probability(value)
        return f"p < {shown[1:]}" if shown.startswith("<") else f"p = {shown}"

    def day(self, value: str | None) -> str:
        """Return an ISO day in words, such as ``3 May 2026``; a dash for None."""
        if value is None:
            return "\u2013"
        return _day(self.lang, value[:10])

    def listing(self, items: Sequence[str]) -> Shown:
        """Return ``A, B and C``; items that hold a comma themselves are set off by semicolons."""
        return self._joined(items, mark("{first} and {last}"), mark("{first}; and {last}"))

    def choice(self, items: Sequence[str]) -> Shown:
        """Return ``A, B or C``: one of them is meant."""
        return self._joined(items, mark("{first} or {last}"))

    def _joined(self, items: Sequence[str], message: str, apart: str = "") -> Shown:
        """Join items by a message; `apart` stands for it where a comma before it would seem to part two items."""

        def join(parts: Sequence[str], message: str = message) -> str:
            return self.text(message, first=self.row(parts[:-1]), last=parts[-1]) if len(parts) > 1 else "".join(parts)

        parted = len(items) > 1 and ", " in items[-2]
        shown = Shown(join(items, apart if apart and parted else message))
        shown.items, shown.joined = tuple(items), join
        return shown

    @property
    def colon(self) -> str:
        """What stands between a name and what it is: French sets a space before it."""
        return self.text(mark(": "))

    def country(self, code: str) -> str:
        """Return the name of a country, or its code where it has none."""
        return _countries(self.lang).get(code, code)

    def between(self, estimate: float, found: Mapping[str, float], shown: Callable[[float], str]) -> str:
        """Return ``12 (90% interval 3 to 24)``, with `low`, `high` and `level` of what was found."""
        limits = {"low": shown(found["low"]), "high": shown(found["high"]), "level": self.share(found["level"])}
        return self.text(mark("{estimate} ({level} interval {low} to {high})"), estimate=shown(estimate), **limits)

    def row(self, items: Sequence[str]) -> str:
        """Return ``A, B, C``, or ``A; B; C`` where an item holds a comma."""
        return (self.text(mark("; ")) if any(", " in item for item in items) else ", ").join(items)


def _p_places(value: float) -> int:
    """Return how many decimals two significant digits of a p-value take."""
    return 4 if value < 0.01 else 3 if value < 0.1 else 2


def held(text: str) -> str:
    """Keep numbers with their units, and p with its value, on one line.

    >>> held("0.63 ct (p = 0.02)")
    '0.63\u00a0ct (p\u00a0=\u00a00.02)'
    """
    return _P.sub("\u00a0\\1\u00a0", _UNIT.sub("\u00a0", text))


_UNIT, _P = re.compile(r"(?<=\d) (?=(?:ct|mm|USD)\b)"), re.compile(r"(?<=\bp) ([<=]) (?=\d)")


def _able(values: Mapping[str, str]) -> dict[str, Shown]:
    return {name: value if isinstance(value, Shown) else Shown(value) for name, value in values.items()}


@lru_cache(maxsize=8)
def words(lang: str) -> Words:
    """Return the words of a language; an unknown one gives English."""
    from babel import Locale

    lang = language_of(lang)
    locale = Locale.parse(_LOCALES[lang])
    symbols: Any = locale.number_symbols
    symbols = symbols.get("latn", symbols)
    pattern = locale.percent_formats[None].pattern.replace("\u202f", "\u00a0")
    return Words(
        lang,
        catalogue(CATALOGUE, lang),
        symbols["decimal"],
        symbols["group"].replace("\u202f", "\u00a0"),
        "{}" + pattern[pattern.rindex("0") + 1 :],
    )


@lru_cache(maxsize=8)
def _countries(lang: str) -> Mapping[str, str]:
    from babel import Locale

    return Locale.parse(_LOCALES[lang]).territories


@lru_cache(maxsize=1024)
def _day(lang: str, day: str) -> str:
    from babel.dates import format_date

    shown = format_date(date.fromisoformat(day), format="d MMMM y", locale=_LOCALES[lang])
    return shown.replace("1 ", "1er ", 1) if lang == "fr" and shown.startswith("1 ") else shown


@dataclass(frozen=True, slots=True)
class Names:
    """Names of zones, attributes and classes in one language, from a report's ``model`` member.

    `sized` are the attributes whose classes are sizes.
    """

    zones: dict[str, str]
    attributes: dict[str, str]
    classes: dict[tuple[str, str], str]
    sized: frozenset[str]

    def zone(self, zone_id: str) -> str:
        """Return the zone's name, or its id where the report does not know it."""
        return self.zones.get(zone_id, zone_id)

    def attribute(self, name: str) -> str:
        """Return the attribute's label, with a capital."""
        return self.attributes.get(name, name)

    def class_(self, attribute: str, name: str) -> str:
        """Return the label of a class, or of a set of classes; a size class is named by its sieve."""
        return self.classes.get((attribute, name), name)


def names(model: str, lang: str) -> Names:
    """Return the names in the JSON of a report's ``model``; English labels stand in where a language has none."""
    return _names(model, language_of(lang))


_LIMITS = re.compile(r"\d+(\.\d+)?(-\d+(\.\d+)?|\+)")
"""What a size class is called that has no name but its limits."""


@lru_cache(maxsize=16)
def _names(document: str, lang: str) -> Names:
    model = json.loads(document)
    zones, attributes = model["zones"], model["attributes"]

    def label(item: dict[str, Any]) -> str:
        labels = item["labels"]
        return str(labels.get(lang) or labels.get("en") or item["name"])

    def class_label(item: dict[str, Any]) -> str:
        shown = label(item)
        sized = item.get("lower_ct") is not None and _LIMITS.fullmatch(shown)
        return shown.replace(".", words(lang).decimal) if sized else shown

    return Names(
        {zone["zone_id"]: zone["name"] for zone in zones},
        {item["name"]: Words.sentence(label(item)) for item in attributes},
        {
            (item["name"], c["name"]): class_label(c)
            for item in attributes
            for c in (*item["classes"], *item.get("sets", ()))
        },
        frozenset(item["name"] for item in attributes if any(c["lower_ct"] is not None for c in item["classes"])),
    )
