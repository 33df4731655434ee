"""How an input may call things: folding, synonyms, and the nearest known names of an unknown one."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from importlib import resources
from itertools import islice
from typing import Any, TypeVar

from kpfootprint.ingest.latin import with_latin
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Attribute, AttributeClass, ClassSet, Scheme

TABLES = ("parcels", "declarations", "stones", "counts", "size_classes")


LONGEST_NAME = 64
LONGEST_FOLDED = 2000


Made = TypeVar("Made")


def kept_where_short(folded: Callable[[str], Made]) -> Callable[[str], Made]:
    """Keep what short texts fold to; longer ones are cut and folded anew each time, so that no cache keeps an input."""
    kept = lru_cache(maxsize=8192)(folded)

    @wraps(folded)
    def fold_of(text: str) -> Made:
        return kept(text) if len(text) <= LONGEST_NAME else folded(text[:LONGEST_FOLDED])

    return fold_of


@kept_where_short
def fold(text: str) -> str:
    """Reduce a name to its letters and digits, without case and accents: ``"Poids (ct)"`` is ``"poidsct"``."""
    spelt = text.casefold().replace("œ", "oe").replace("æ", "ae").replace("°", "o").replace("№", "no")
    return "".join(char for char in unicodedata.normalize("NFKD", spelt) if char.isalnum())


@lru_cache(maxsize=1)
def declared_words() -> Mapping[str, Any]:
    """Return the words of this library, as ``words.toml`` has them, and Russian ones in Latin letters as well."""
    text = resources.files("kpfootprint.ingest").joinpath("words.toml").read_text(encoding="utf-8")
    written = with_latin(tomllib.loads(text), frozenset(re.findall(r'"([^"]+)"', text)))
    assert isinstance(written, dict)
    return written


def plain(text: str) -> str:
    """Return a text in small letters, without accents."""
    if text.isascii():
        return text.lower()
    lowered = text.casefold().replace("œ", "oe").replace("æ", "ae").replace("№", " no ")
    lowered = unicodedata.normalize("NFKD", lowered)
    kept = "".join(char for char in lowered if not unicodedata.combining(char))
    return kept.replace("°", "o ").replace("º", "o ").replace("μ", "u")


def unit_words(*kinds: str) -> list[str]:
    """Return units of some kinds (carats, grains, points, others, pieces) in `plain` letters, the longest first."""
    found: Mapping[str, list[str]] = declared_words()["units"]
    return sorted((word for kind in kinds for word in found[kind]), key=len, reverse=True)


def unit_pattern(*kinds: str) -> str:
    """Return a pattern of units."""
    return f"(?:{'|'.join(map(re.escape, unit_words(*kinds)))})"


def _folded(names: Mapping[str, Iterable[str]]) -> dict[str, str]:
    known: dict[str, str] = {}
    for name, synonyms in names.items():
        known.setdefault(fold(name), name)
        for synonym in synonyms:
            known.setdefault(fold(synonym), name)
    return known


@lru_cache(maxsize=1)
def table_names() -> Mapping[str, str]:
    """Return folded table names, each with the name of this documentation."""
    return _folded(declared_words()["tables"])


@dataclass(frozen=True, eq=False)
class Labels(Mapping[str, str]):
    """Folded headers with the column each stands for: those that are listed, and those made of the words of a label.

    ``Référence colis``, ``N.º do certificado KP``: a head, and what may stand before and behind it.
    """

    listed: Mapping[str, str]
    made: Mapping[str, re.Pattern[str]]

    def __getitem__(self, key: str) -> str:
        found = self.listed.get(key)
        if found is None and len(key) <= LONGEST_NAME:
            found = next((name for name, made in self.made.items() if made.fullmatch(key)), None)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.listed)

    def __len__(self) -> int:
        return len(self.listed)


def word_tables() -> tuple[str, ...]:
    """Return the folded names of tables of words, and of sheets that explain codes."""
    known: Mapping[str, list[str]] = declared_words()["words"]
    return (*known["tables"], *known["legends"])


@lru_cache(maxsize=8)
def _fixed_columns(table: str) -> Labels:
    columns = {
        name: [*words, *(f"{word} mm" for word in words if name.endswith("_mm"))]
        for name, words in declared_words()["columns"][table].items()
    }
    return Labels(_folded(columns), {name: made for name, made in _made_labels().items() if name in columns})


@lru_cache(maxsize=1)
def _made_labels() -> Mapping[str, re.Pattern[str]]:
    """Return a pattern of the folded labels that are made of words, by the column they stand for."""
    labels, made = declared_words()["labels"], {}
    for name, parts in labels["made"].items():
        beside = "|".join(map(fold, [*parts["beside"], *labels["between"]]))
        heads = "|".join(map(fold, parts["heads"]))
        made[name] = re.compile(f"(?:{beside})*(?:{heads})(?:{beside})*")
    return made


@lru_cache(maxsize=8)
def condition_values(field: str) -> Mapping[str, str | None]:
    """Return folded values of a condition with the value each stands for; None is "not known"."""
    words = declared_words()["values"]
    blank: dict[str, str | None] = dict.fromkeys(_folded(words["blank"]))
    return blank | _folded(words.get(field, {}))


def fold_sure(text: str) -> str:
    """Return a value folded; one that is asked, ``acid rinsed?``, as it is, so that it stands for nothing known."""
    bare = text.strip(" ?")
    return fold(text) if not bare or "?" not in text else text


def is_not_recorded(text: str) -> bool:
    """Say whether a text stands for what nobody recorded: ``unknown``, ``n/a``, ``?``, ``/``."""
    return fold(text) in condition_values("") or (bool(text.strip()) and not text.strip(" ?/…"))


@lru_cache(maxsize=8)
def country_names(codes: frozenset[str]) -> Mapping[str, str]:
    """Return folded codes of three letters and names, in English and French, with the code of each country."""
    from babel import Locale
    from babel.core import get_global

    known = {
        fold(name): code for code, names in declared_words()["countries"].items() for name in names if code in codes
    }
    known |= {fold(long): item[0] for long, item in get_global("territory_aliases").items() if {*item} <= codes}
    for language in ("en", "fr"):
        names = Locale(language).territories
        known |= {fold(names[code]): code for code in codes if code in names}
    return known


def attribute_words(attribute: Attribute) -> Mapping[str, int]:
    """Return folded names, labels and synonyms of classes and sets, and their plurals, with the code of each."""
    items: list[AttributeClass | ClassSet] = [*attribute.classes, *attribute.sets]
    return _coded(tuple((item.name, *item.labels.values(), *item.synonyms) for item in items))


@lru_cache(maxsize=64)
def _coded(names: tuple[tuple[str, ...], ...]) -> Mapping[str, int]:
    known: dict[str, int] = {}
    stems: dict[str, set[int]] = {}
    for code, words in enumerate(names):
        for word in words:
            known.setdefault(fold(word), code)
            stems.setdefault(stem_key(word), set()).add(code)
    for english, words in declared_words()["classes"].items():
        for word in words if english in known else ():
            known.setdefault(fold(word), known[english])
    for word, code in list(known.items()):
        known.setdefault(f"{word}s", code)
    known |= {stem: next(iter(codes)) for stem, codes in stems.items() if len(codes) == 1 and len(stem) > 3}
    return known


def class_code(text: str, known: Mapping[str, int]) -> int | None:
    """Return the code of a class by its name, whatever its gender, number and order: ``vertes enrobées``.

    A remark in brackets behind it is passed over, ``brown (frosted)``, where it names no class and takes nothing back,
    and so is a dark shade, ``brun foncé``. `known` is what `attribute_words` returns.
    """
    if "?" in text:  # whoever wrote it was not sure
        return None
    code = _named(text, known)
    if code is not None or not _is_idle(remark := remark_of(text), known):
        return code
    whole = plain(text.removesuffix(remark)).strip()
    bare = _SHADE.sub("", whole).strip()
    code = _named(bare, known) if bare not in ("", text) else None
    dark = bare != whole and _MEDIUM.search(whole) is None
    return None if dark and code in (known.get("white"), known.get("colourless")) else code


def remark_of(text: str) -> str:
    """Return the remark in brackets behind a name, with its brackets and the blanks before it."""
    found = _REMARK.search(text) if "(" in text else None
    return "" if found is None or not found.start() else found[0]


def without_remark(text: str) -> str:
    """Return a text without the remark in brackets behind it, where that is an idle one."""
    remark = remark_of(text)
    return text.removesuffix(remark) if _is_idle(remark, {}) else text


def _is_idle(remark: str, known: Mapping[str, int]) -> bool:
    """Say whether a remark neither names a class nor takes back, doubts or negates what stands before it."""
    tokens = tokens_of(remark)
    roles = ("cancelled", "cancelled_alone", "apart", "negated", "nil", "polished", "about", "besides", "of_which")
    named = any(_named(token, known) is not None for token in tokens)
    return not named and not (tokens and any(holds(role, tokens) for role in roles))


def _named(text: str, known: Mapping[str, int]) -> int | None:
    code = known.get(fold(text))
    return known.get(stem_key(text)) if code is None else code


_REMARK = re.compile(r"\s*\([^()\d]*\)\s*$")
_MEDIUM = re.compile(r"^medium|moyen(?:ne)?s?$")
_SHADE = re.compile(r"^(?:dark|deep|medium|donker|dunkel|escuro)[ -]|[ -](?:foncee?s?|moyen(?:ne)?s?|escur[oa]s?)$")


JOINED = re.compile(r"\s*(?:[/&,+|]|\b(?:or|ou|et|and|und|y|e)\b)\s*", re.IGNORECASE)


_LETTERS = re.compile(r"\s*([A-Za-z])\s*(?:[-–]|to|à|bis)\s*([A-Za-z])\s*")


def classes_joined(text: str, known: Mapping[str, int]) -> set[int]:
    """Return the codes that a text names beside each other, ``white/cape``, or from one letter to another, ``D-H``.

    None where a part of it, or a letter between, names none.
    """
    parts = [part for part in JOINED.split(text) if part]
    if ends := _LETTERS.fullmatch(text):
        first, last = (ord(letter.upper()) for letter in ends.groups())
        parts = [chr(letter) for letter in range(first, last + 1)]
    codes = {class_code(part, known) for part in parts}
    return set() if len(parts) < 2 or None in codes else {code for code in codes if code is not None}


def one_code(attribute: Attribute, codes: set[int]) -> int | None:
    """Return the only code, or that of the set that holds all of them and no other class; None where there is none."""
    if len(codes) < 2:
        return next(iter(codes), None)
    members = attribute.members_of_codes()
    wanted = members[[*codes]].any(axis=0)
    return next((code for code, row in enumerate(members.tolist()) if row == wanted.tolist()), None)


@kept_where_short
def stem_key(text: str) -> str:
    """Return the sorted words of a name without endings of gender and number, in a form that no folded name has."""
    words = map(fold, text.replace("-", " ").replace("/", " ").split())
    stems = [re.sub("e{0,2}s?$", "", word) or word for word in words]
    return "~" + "~".join(sorted(stems))


MAX_COMPARED = 1000
"""Known names that a text is compared with: it is a hint, and takes its time."""


def nearest(text: str, known: Mapping[str, str], *, cutoff: float = 0.55, count: int = 3) -> str:
    """Name up to `count` known names that look like `text`; all of them (or the first ten) where none does."""
    hits = difflib.get_close_matches(fold(text), [*islice(known, MAX_COMPARED)], n=6, cutoff=cutoff)
    names = list(dict.fromkeys(known[hit] for hit in hits))[:count]
    if not names:
        every = list(dict.fromkeys(known.values()))
        names = every if len(every) <= 12 else [*every[:10], "…"]
    return ", ".join(names)


def misspelt(text: str, known: Mapping[str, str]) -> str | None:
    """Return the known name that a text is most likely a misspelling of, or None; several known words are none."""
    if all_say(lexicon() if len(tokens := tokens_of(text)) > 1 else ("consignee",), tokens):
        return None
    hits = difflib.get_close_matches(fold(text), known, n=1, cutoff=0.8)
    return known[hits[0]] if hits else None


_NUMERO = re.compile(r"\bn\. ?o\b")
"""``N.º`` without its accent."""
_WORD = re.compile(r"[^\W_]+|[%‰#$]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")  # ``NoOfStones``


_OFFICE = re.compile(
    r"^(?:sous[- ]?prefecture|sub[- ]?prefecture|s/p|zone|commune|secteur|area|region|mines?)\s+"
    r"(?:of |de la |de |du |d['’])?\s*"
    r"|\s+(?:sub[- ]?prefecture|prefecture|zone|area|region|mines?)$"
)


_IN_BRACKETS = re.compile(r"\s*\(([^()]*)\)\s*$")
_BESIDE = re.compile(r"\s*[,/()]\s*|\s+[-–]\s+")


def tokens_of(text: str) -> list[str]:
    """Return the words of a header, folded; dots of abbreviations and underscores part words."""
    return [*_short_tokens(text)] if len(text) <= LONGEST_NAME else _tokens(text)


def _tokens(text: str) -> list[str]:
    return _WORD.findall(_NUMERO.sub("no", plain(_CAMEL.sub(" ", text)).replace("_", " ")))


_short_tokens = lru_cache(maxsize=8192)(_tokens)


@lru_cache(maxsize=1)
def lexicon() -> Mapping[str, Mapping[str, str]]:
    """Return the words of headers by role, folded."""
    units = {"in_carats": unit_words("carats"), "other_unit": unit_words("grains", "points", "others")}
    lexicon: Mapping[str, Iterable[str]] = {**declared_words()["headers"], **units}
    return {role: dict.fromkeys((" ".join(tokens_of(word)) for word in found), role) for role, found in lexicon.items()}


@lru_cache(maxsize=128)
def phrases(role: str) -> tuple[str, ...]:
    """Return what stands for a role in several words."""
    return tuple(words for words in lexicon()[role] if " " in words)


def says(role: str, *tokens: str) -> bool:
    """Say whether one of some words of a header has a role, such as ``each`` or ``size``."""
    return not lexicon()[role].keys().isdisjoint(tokens)


def holds(role: str, tokens: Sequence[str]) -> bool:
    """Say whether what stands for a role, in one word or in several, stands among some words."""
    joined = f" {' '.join(tokens)} "
    return says(role, *joined.split()) or any(f" {words} " in joined for words in phrases(role))


def all_say(roles: Iterable[str], tokens: Iterable[str], also: Iterable[str] = ()) -> bool:
    """Say whether each of some words has one of some roles, or is one of some others."""
    known, others = _words_for(tuple(roles)), {*also}
    return all(token in known or token in others for token in tokens)


@lru_cache(maxsize=256)
def _words_for(roles: tuple[str, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(lexicon()[role] for role in roles))


def is_plain(text: str) -> bool:
    """Say whether a text names rough goods and no more: ``rough diamonds``, ``quality``."""
    roles = ("filler", "n_stones", "description", "other", "lot")
    return all_say(roles, (token for token in tokens_of(text) if not token.isdigit()))


def is_unit(text: str) -> bool:
    """Say whether a cell below a header is the unit of its column: ``ct``, ``g``, ``pcs``, ``%``."""
    roles = ("n_stones", "in_carats", "other_unit", "percent", "money")
    return len(text) <= 12 and all_say(roles, [plain(text).strip("()[]. ")], ("no", "nr", "n", "dtc", "mm"))


def is_row_number(tokens: list[str]) -> bool:
    """Say whether a header is that of a running number: ``N°``, ``Stone no``, ``Sr.``."""
    numbered = len(tokens) == 2 and says("one_stone", tokens[0]) and tokens[1] in ("number", "nombre", "nummer", "code")
    return numbered or (says("row", *tokens) and all_say(("row", "filler", "of", "one_stone"), tokens))


def is_lot_number(tokens: list[str]) -> bool:
    """Say whether a header is the number of a lot: ``Lot number``, ``Bag #``."""
    rest = [token for token in tokens if not says("lot", token)]
    if " ".join(token for token in tokens if not (says("row", token) or token.isdigit())) in phrases("lot"):
        return True
    return len(rest) < len(tokens) and all_say(("row", "filler"), rest, ("number", "nombre", "code"))


def is_number_of(tokens: list[str]) -> bool:
    """Say whether a header counts things, and does not say stones: ``Nombre de …``."""
    counted = [token for token in tokens if says("n_stones", token)]
    return bool(counted) and not {*counted} & {*unit_words("pieces")}


def without_measure(header: str) -> str:
    """Return a header without the words for pieces, carats and shares: ``+11 (pcs)`` is ``+11``."""
    nothing = ("n_stones", "carats", "percent", "filler")
    words = filter(None, re.split(r"[\s()\[\]:;]+", header))
    kept = [word for word in words if not all_say(nothing, [plain(word).strip(".")])]
    return " ".join(kept)


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Everything an input may call things, for one scheme and one table of zones."""

    scheme: Scheme
    zone_table: ZoneTable

    def columns(self, table: str) -> Mapping[str, str]:
        """Return folded headers of a table with the column each stands for."""
        return self._of_goods[table] if table in self._of_goods else _fixed_columns(table)

    @cached_property
    def _of_goods(self) -> Mapping[str, Mapping[str, str]]:
        """Folded headers of the tables that have a column for each attribute."""
        found = {table: dict(_fixed_columns(table).listed) for table in ("stones", "counts")}
        for known in found.values():
            for item in self.scheme.categorical:
                for word in (item.column, item.name, *item.labels.values(), *item.synonyms):
                    known.setdefault(fold(word), item.column)
        size = self.scheme.size
        for word in (size.column, *size.synonyms, *declared_words()["columns"]["counts"]["carats"]):
            found["stones"].setdefault(fold(word), size.column)
        return {table: Labels(known, _fixed_columns(table).made) for table, known in found.items()}

    @cached_property
    def zones(self) -> Mapping[str, str]:
        """Return folded zone ids and names with the id of each."""
        known: dict[str, str] = {}
        for zone in self.zone_table.zones:
            known.setdefault(fold(zone.zone_id), zone.zone_id)
        for zone in self.zone_table.zones:
            known.setdefault(fold(zone.name), zone.zone_id)
        heads = [fold(re.split("[,(]", zone.name)[0]) for zone in self.zone_table.zones]
        for zone, head in zip(self.zone_table.zones, heads, strict=True):
            known.setdefault(head if heads.count(head) == 1 else fold(zone.name), zone.zone_id)
        areas = {"", *(fold(zone.region) for zone in self.zone_table.zones)}
        inside = [fold(hit[1]) if (hit := _IN_BRACKETS.search(zone.name)) else "" for zone in self.zone_table.zones]
        for zone, other in zip(self.zone_table.zones, inside, strict=True):
            if other not in areas and inside.count(other) == 1:  # ``Bagandou`` of ``Mbaïki (Bagandou)``
                known.setdefault(other, zone.zone_id)
        return known

    def zone(self, text: str) -> str | None:
        """Return the id of a zone by its id or its name, or None.

        It may stand behind the word of an office, before what it is a part of, in brackets, ``Nola (Sangha)``, and
        beside its country: ``Nola, RCA``.
        """
        if "?" in text or ("(" in text and holds("doubted", tokens_of(text))):  # whoever wrote it was not sure
            return None
        parts = [part for part in _BESIDE.split(text) if part]
        for place, land in (parts, parts[::-1]) if len(parts) == 2 else ():
            found = self.zones.get(fold(_OFFICE.sub("", plain(place))))
            zone = self.zone_table.zone(found or "")
            if zone is not None and (country := self.country(land)) is not None:
                return found if country == zone.country else None
        own, inside = _IN_BRACKETS.sub("", text), _IN_BRACKETS.search(text)
        if inside is not None and self.zones.get(fold(text)) is None:
            named, other = self.zone(own), self.zone(inside[1])
            return named if other in (None, named) else None
        bare = _OFFICE.sub("", plain(text)).strip()
        return self.zones.get(fold(text)) or (self.zones.get(fold(bare)) if bare else None)

    def country(self, text: str) -> str | None:
        """Return the code of a zone's country by its code of two or three letters or its name, or None."""
        codes = {fold(zone.country): zone.country for zone in self.zone_table.zones}
        return codes.get(fold(text)) or country_names(frozenset(codes.values())).get(fold(text))


_MET: deque[Vocabulary] = deque(maxlen=8)


def vocabulary_of(scheme: Scheme, zone_table: ZoneTable) -> Vocabulary:
    """Return the words for a scheme and a table of zones; the last few are kept, with what was made of them."""
    found = next((item for item in _MET if item.scheme == scheme and item.zone_table == zone_table), None)
    if found is None:
        _MET.append(found := Vocabulary(scheme, zone_table))
    return found
