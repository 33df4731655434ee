"""What the header of a column means: pieces, carats, a size class, a class of an attribute, or nothing of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from kpfootprint.ingest.labels import size_span
from kpfootprint.ingest.words import (
    JOINED,
    Words,
    attribute_words,
    declared_words,
    fold,
    one_code,
    plain,
    stem_key,
    unit_words,
)

MEASURES = ("n_stones", "carats", "percent")
_PER = re.compile(
    r"(cts?|carats?|kt|poids|weight)\s*(/|per|par|pro)\s*(st|sts|pcs?|pces?|p|stones?|pierres?|pieces?)\b"
)
_PER_CARAT = re.compile(r"(st|sts|pcs?|p|stones?|pierres?|pieces?)\s*(/|per|par|pro)\s*(cts?|carats?)\b")
_LONGEST = 200
_MANY = 4096
_WORD = re.compile(r"[^\W_]+|[%#$]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a header means.

    Parameters
    ----------
    role : str
        A column of the documentation (``parcel_id``, ``zone_id``, ``n_stones``, ``carats``, ``size_class``,
        ``value_usd``, the column of an attribute), or ``lot``, ``row``, ``mean``, ``money``, ``percent``,
        ``description``, ``other`` (known, and not ours), ``unknown``.
    classes : tuple of (str, str)
        Column and class that the header itself names, where the column holds stones or carats of that class.
    part : str
        ``whole`` (a total), ``sample``, or blank.
    party : str
        Words that remain beside a measure, and name nothing that is known: whose pieces or carats these are.
    sure : bool
        Whether the header alone decides; otherwise the cells below it are asked.
    """

    role: str
    classes: tuple[tuple[str, str], ...] = ()
    part: str = ""
    party: str = ""
    sure: bool = True

    @property
    def wide(self) -> bool:
        """Whether the header names a class, so that the cells below are numbers of it."""
        return bool(self.classes)


UNKNOWN = Meaning(role="unknown", sure=False)


def tokens_of(text: str) -> list[str]:
    """Return the words of a header, folded; dots of abbreviations and underscores part words."""
    return _WORD.findall(plain(text).replace("_", " "))


@lru_cache(maxsize=1)
def _lexicon() -> Mapping[str, Mapping[str, str]]:
    """Return the words of headers by role, folded."""
    units = {"in_carats": unit_words("carats"), "other_unit": unit_words("grains", "points", "others")}
    lexicon: Mapping[str, Iterable[str]] = {**declared_words()["headers"], **units}
    return {role: dict.fromkeys((" ".join(tokens_of(word)) for word in found), role) for role, found in lexicon.items()}


def says(role: str, *tokens: str) -> bool:
    """Say whether one of some words of a header has a role, such as ``each`` or ``size``."""
    return any(token in _lexicon()[role] for token in tokens)


def all_say(roles: Iterable[str], tokens: Iterable[str], also: Iterable[str] = ()) -> bool:
    """Say whether each of some words has one of some roles, or is one of some others."""
    known = {*also}.union(*(_lexicon()[role] for role in roles))
    return all(token in known for token in tokens)


@dataclass(frozen=True)
class Headers:
    """The words of headers, for one scheme."""

    words: Words

    @cached_property
    def _attributes(self) -> Mapping[str, str]:
        """Folded words for the attributes, with the column of each."""
        more: Mapping[str, Iterable[str]] = declared_words()["attributes"]
        known: dict[str, str] = {}
        for item in self.words.scheme.categorical:
            for word in (item.column, item.name, *item.labels.values(), *item.synonyms, *more.get(item.name, ())):
                known.setdefault(fold(word), item.column)
        return known

    @cached_property
    def _exact(self) -> Mapping[str, str]:
        """Folded headers that the documentation names, with the role of each."""
        known: dict[str, str] = dict(self._attributes)
        size = self.words.scheme.size
        for word in (size.column, *size.synonyms):
            known.setdefault(fold(word), "carats")
        for table in ("counts", "stones", "declarations"):
            for word, column in self.words.columns(table).items():
                role = "carats" if column == size.column else column
                if word in ("lot", "lotno", "lotid", "numerodelot"):
                    role = "lot"
                known.setdefault(word, role)
        return known

    @cached_property
    def _class_words(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """Folded words of classes, with the column and code of each attribute that has the word."""
        known: dict[str, list[tuple[str, int]]] = {}
        for item in self.words.scheme.categorical:
            for word, code in attribute_words(item).items():
                known.setdefault(word, []).append((item.column, code))
        return {word: tuple(found) for word, found in known.items()}

    def _named(self, text: str) -> tuple[tuple[str, int], ...]:
        """Return column and code of each attribute that has a word."""
        return self._class_words.get(fold(text)) or self._class_words.get(stem_key(text), ())

    @cached_property
    def _met(self) -> dict[str, Meaning]:
        return {}

    def attribute(self, name: str) -> str | None:
        """Return the column of an attribute by any of its names; sizes are ``size_class``."""
        size = self.words.scheme.size
        if fold(name) in {fold(word) for word in (size.name, "size_class", *size.labels.values())}:
            return "size_class"
        return self._attributes.get(fold(name))

    def attributes(self) -> list[str]:
        """Return the names of the attributes whose words a caller may choose classes for."""
        return [self.words.scheme.size.name, *(item.name for item in self.words.scheme.categorical)]

    def of(self, header: str) -> Meaning:
        """Return what a header means by its words alone."""
        if len(header) > _LONGEST:
            return UNKNOWN
        met = self._met.get(header)
        if met is None:
            met = self._of(header)
            if len(self._met) < _MANY:
                self._met[header] = met
        return met

    def _of(self, header: str) -> Meaning:
        text = " ".join(header.split())
        if not text:
            return UNKNOWN
        exact = self._exact.get(fold(text))
        low = plain(text)
        if exact is not None and "%" not in text and "/" not in text:
            return Meaning(role=exact)
        if _PER.search(low) or _PER_CARAT.search(low):
            return Meaning(role="money" if says("money", *tokens_of(text)) else "mean")
        tokens = tokens_of(text)
        joined = f" {' '.join(tokens)} "
        if any(f" {phrase} " in joined for phrase in _lexicon()["other"] if " " in phrase):
            return Meaning(role="other")
        for phrase in (phrase for phrase in _lexicon()["n_stones"] if " " in phrase):
            if f" {phrase} " in joined:
                joined = joined.replace(f" {phrase} ", " pcs ")
        tokens = joined.split()
        if says("money", *tokens):
            usd = not says("money_elsewhere", *tokens)
            whole = says("value", *tokens)
            return Meaning(role="money", sure=not (usd and whole))
        if says("each", *tokens) and says("carats", *tokens):
            return Meaning(role="mean")
        if says("other_unit", *tokens) and says("carats", *tokens):
            return Meaning(role="other_unit")
        if says("percent", *tokens):
            return Meaning(role="percent")
        if says("mean", *tokens):
            return Meaning(role="mean")
        if self._row_number(tokens):
            return Meaning(role="row")
        if self._lot_number(tokens):
            return Meaning(role="lot")
        part = ""
        left: list[str] = []
        for token in tokens:
            if says("whole", token):
                part = part or "whole"
            elif says("sample", token):
                part = "sample"
            elif not says("filler", token):
                left.append(token)
        carats = [token for token in left if says("carats", token)]
        pieces = [token for token in left if says("n_stones", token)]
        rest = [token for token in left if token not in carats and token not in pieces]
        if pieces:
            rest = [token for token in rest if token not in ("no", "nr", "n", "num", "numero", "nombre")]
        if not carats and not pieces and (numbers := [token for token in rest if token in ("no", "nr", "n")]):
            others = [token for token in rest if token not in numbers]
            if (others and self._classes(" ".join(others), others, "n_stones")) or (not others and part == "whole"):
                pieces, rest = numbers, others
        measure = "carats" if carats else "n_stones" if pieces else ""
        role = self._exact.get("".join(rest)) if rest and not measure else None
        if role is not None and role not in MEASURES:
            return Meaning(role=role)
        classes = self._classes(header, rest, measure)
        if not classes and (named := [token for token in rest if token in self._attributes]):  # ``Couleur Blanc``
            own = self._classes(header, [token for token in rest if token not in named], measure)
            classes = own if {name for name, _ in own} == {self._attributes[token] for token in named} else ()
        if classes:
            return Meaning(role=measure or "stones_or_carats", classes=classes, part="" if part == "whole" else part)
        if measure:
            if not rest:
                return Meaning(role=measure, part=part)
            if says("zone", *rest):
                return Meaning(role=measure, part=part)
            return Meaning(role=measure, part=part, party=" ".join(rest), sure=False)
        return self._other(rest, part)

    def as_class(self, text: str) -> Meaning | None:
        """Return what a header means that names an attribute and a class of it, as a class: ``Crystal``."""
        classes = self._classes(text, tokens_of(text), "n_stones")
        return Meaning(role="stones_or_carats", classes=classes) if classes else None

    def measure(self, text: str) -> str | None:
        """Return what a label names that is said of a whole parcel: ``n_stones``, ``carats`` or ``zone_id``."""
        said = self.of(text)
        whole = not said.wide and (not said.party or said.part == "whole") and said.part != "sample"
        return said.role if whole and said.role in ("n_stones", "carats", "zone_id") else None

    def _other(self, rest: list[str], part: str) -> Meaning:
        for role in ("zone", "size", "lot", "description", "other"):
            if says(role, *rest):
                name = {"zone": "zone_id", "size": "size_class"}.get(role, role)
                return Meaning(role=name, sure=role in ("zone", "other"))
        columns = {self._attributes[token] for token in rest if token in self._attributes}
        if len(columns) == 1:
            return Meaning(role=columns.pop(), sure=len(rest) == 1)
        if not rest and part:
            return Meaning(role="stones_or_carats", part=part, sure=False)
        return UNKNOWN

    def _row_number(self, tokens: list[str]) -> bool:
        """Say whether a header is that of a running number: ``N°``, ``Stone no``, ``Sr.``."""
        one = ("stone", "pierre", "diamant", "diamond", "stein", "камня", "камень", "piedra")
        return says("row", *tokens) and all_say(("row", "filler", "of"), tokens, one)

    def _lot_number(self, tokens: list[str]) -> bool:
        """Say whether a header is the number of a lot: ``Lot number``, ``Bag #``."""
        rest = [token for token in tokens if not says("lot", token)]
        return len(rest) < len(tokens) and all_say(("row", "filler"), rest, ("number", "nombre", "code"))

    def _classes(self, header: str, rest: list[str], measure: str) -> tuple[tuple[str, str], ...]:
        """Return the classes that the words beside a measure name: ``White``, ``White octa``, ``-11+9``."""
        if not rest and not measure and not any(char.isdigit() for char in header):
            return ()
        if not measure or any(char.isdigit() for char in header):
            label = header if not measure else self.without_measure(header)
            if size_span(label, self.words.scheme) is not None and not label.strip().isdigit():
                return (("size_class", " ".join(label.split())),)
        found: dict[str, set[int]] = {}
        start, joined = 0, JOINED.search(header) is not None
        while start < len(rest):
            for end in range(len(rest), start, -1):
                hits = self._named(" ".join(rest[start:end]))
                if len(hits) == 1:
                    column, code = hits[0]
                    if column in found and not joined:
                        return ()
                    found.setdefault(column, set()).add(code)
                    start = end
                    break
            else:
                return ()
        classes = []
        for item in self.words.scheme.categorical:
            one = one_code(item, found.get(item.column, set()))
            classes += [] if one is None else [(item.column, item.code_names[one])]
        return tuple(classes) if len(classes) == len(found) else ()

    def without_measure(self, header: str) -> str:
        """Return a header without the words for pieces, carats and shares: ``+11 (pcs)`` is ``+11``."""
        nothing = ("n_stones", "carats", "percent", "filler")
        words = filter(None, re.split(r"[\s()\[\]:;]+", header))
        kept = [word for word in words if not all_say(nothing, [plain(word).strip(".")])]
        return " ".join(kept)

    @cached_property
    def total_stems(self) -> tuple[str, ...]:
        """Folded words of which a label of a total or of a summary has one at least."""
        known = (*_lexicon()["total"], *_lexicon()["total_alone"], *_lexicon()["summary"])
        return tuple(word for word in known if word)  # signs fold to nothing, which stands in every text

    def is_plain(self, text: str) -> bool:
        """Say whether a text names rough goods and no more: ``rough diamonds``, ``quality``."""
        roles = ("filler", "n_stones", "description", "other", "lot")
        return all_say(roles, (token for token in tokens_of(text) if not token.isdigit()))

    def is_unit(self, text: str) -> bool:
        """Say whether a cell below a header is the unit of its column: ``ct``, ``g``, ``pcs``, ``%``."""
        roles = ("n_stones", "in_carats", "other_unit", "percent", "money")
        return len(text) <= 12 and all_say(roles, [plain(text).strip("()[]. ")], ("no", "nr", "n"))

    def is_summary(self, text: str) -> bool:
        """Say whether a cell is the label of a row of means, of extremes, of shares, or of the number of rows."""
        text = " ".join(tokens_of(text))
        if text in _lexicon()["n_stones"] and " " in text:
            return True
        tokens = text.split()
        measures = ("summary", "mean", "n_stones", "carats", "filler", "of", "whole", "percent")
        return 0 < len(tokens) <= 4 and (
            (says("summary", tokens[0]) and len(tokens) <= 3)
            or says("percent", tokens[0])
            or ((says("summary", *tokens) or says("mean", *tokens)) and all_say(measures, tokens))
        )

    def is_weak_total(self, text: str) -> bool:
        """Say whether a label of a total is a word that a remark may hold as well: ``all``, ``report``."""
        return " ".join(tokens_of(text)) in _lexicon()["total_alone"]

    def is_total(self, text: str) -> bool:
        """Say whether a cell is the label of a total or a subtotal: ``Total``, ``Sous-total``, ``Cape total``."""
        tokens = tokens_of(text)
        if not tokens or len(tokens) > 6:
            return False
        said = " ".join(tokens)
        if all(len(token) == 1 and token.isalpha() for token in tokens):
            tokens = ["".join(tokens)]  # T O T A L
        carried = (phrase for phrase in _lexicon()["total_alone"] if " " in phrase)
        if said in _lexicon()["total_alone"] or any(f" {phrase} " in f" {said} " for phrase in carried):
            return True
        return self._sums(tokens[0]) or (
            len(tokens) > 1 and ((says("before_total", tokens[0]) and self._sums(tokens[1])) or self._sums(tokens[-1]))
        )

    def _sums(self, token: str) -> bool:
        """Say whether a word stands for a sum, alone or in one with others: ``Eindtotaal``, ``Gesamtgewicht``."""
        return says("total", token) or any(stem in token for stem in ("total", "totaal", "gesamt", "summe", "итог"))
