"""Headers: what that of a column means (pieces, carats, a class, nothing of ours), and where that of a table stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from kpfootprint.ingest.names.labels import class_begun
from kpfootprint.ingest.names.size_labels import Span, size_span
from kpfootprint.ingest.words import (
    JOINED,
    Vocabulary,
    all_say,
    attribute_words,
    class_code,
    declared_words,
    fold,
    holds,
    is_lot_number,
    is_not_recorded,
    is_number_of,
    is_row_number,
    lexicon,
    one_code,
    phrases,
    plain,
    says,
    stem_key,
    tokens_of,
    without_measure,
)

_WEIGHED = r"(?:cts?|carats?|kt|poids|weight|quilates?|karaat|кар|карат|кт)"
_COUNTED = r"(?:sts?|pcs?|pces?|p|stones?|pierres?|pieces?|nb|nbre|nombre|pedras?|stuks?|steen|шт|камень)"
_PER = re.compile(rf"{_WEIGHED}\s*(?:/|per|par|pro|por|на)\s*{_COUNTED}\b")
_PER_CARAT = re.compile(rf"{_COUNTED}\s*(?:/|per|par|pro|por|на)\s*{_WEIGHED}\b")
_TOLERANCE = re.compile(r"\s*\((?:±|\+/-)[^()]*\)$")
_UNCERTAIN = re.compile(r"^\W*(?:±|\+/-)|(?:±|\+/-)\W*$")
_LETTERS = re.compile(r"\b[A-Za-z]\s?[-–]\s?[A-Za-z]\b")
_DOTTED = re.compile(r"(?:[^\W\d]\w*\.)+(?=\w+$)")
_LONGEST = 200
_GRADE = 3
"""Letters of a grade behind a class, ``White 2``, at most; a year has more."""

_QUESTION = re.compile(
    r"q\d{1,2}[_.:)]\s*(?=[^\W\d])|(what|which) (is|are)\b|quel(le)?s? (est|sont)\b|how many\b|combien\b", re.IGNORECASE
)
"""How a question of a form begins: ``q1_weight``, ``What is the weight?``."""

_MANY = 4096
_NUMBER_OF = ("no", "nr", "n", "#")


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


_COUNT_OF = re.compile(
    r"(?:count of|nombre de|anzahl von|aantal van|contagem de|cuenta de) (?P<of>.+)|(?P<what>.+) count"
)
"""How programs head a count of weights, which is one of stones: ``Count of Weight (ct)``, ``weight_ct count``."""


@dataclass(frozen=True)
class Headers:
    """The words of headers, for one scheme."""

    words: Vocabulary

    @cached_property
    def _attributes(self) -> Mapping[str, str]:
        """Folded words for the attributes, with the column of each."""
        more: Mapping[str, Iterable[str]] = declared_words()["attributes"]
        known: dict[str, str] = {}
        for item in self.words.scheme.categorical:
            for word in (item.column, item.name, *item.labels.values(), *item.synonyms, *more.get(item.name, ())):
                known.setdefault(fold(word), item.column)
        return {f"{word}s": column for word, column in known.items()} | known

    @cached_property
    def _exact(self) -> Mapping[str, str]:
        """Folded headers that the documentation names, with the role of each."""
        known = dict(self._attributes)
        for table in ("counts", "stones", "declarations"):
            for word, column in self.words.columns(table).items():
                role = "carats" if column == self.words.scheme.size.column else column
                known.setdefault(word, role)
        return known

    def _exactly(self, text: str) -> str | None:
        """Return the role of a header that the documentation names."""
        role = self._exact.get(word := fold(text)) or self.words.columns("counts").get(word)
        return "lot" if role == "parcel_id" and any(lot in word for lot in lexicon()["lot"]) else role

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

    def field(self, label: str) -> str | None:
        """Return the field of a parcel that a label names, or None."""
        return self.words.columns("parcels").get(fold(label))

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
        text = text[hit.end() :].strip(" ?") if (hit := _QUESTION.match(text)) else text
        if not text:
            return UNKNOWN
        text = _TOLERANCE.sub("", text)
        if _UNCERTAIN.search(text):
            return Meaning(role="other")
        exact, low, tokens = self._exactly(text) if text != "#" else None, plain(text), tokens_of(text)
        if exact is not None and not {*"%‰/€£¥₽"} & {*text}:
            return Meaning(role=exact)
        of_parcel = self.field(text)
        screen = of_parcel == "bottom_screen_mm" and not all_say(("size", "filler"), tokens)
        if of_parcel == "certificate_no" or screen:
            return UNKNOWN
        if _PER.search(low) or _PER_CARAT.search(low):
            return Meaning(role="money" if says("money", *tokens) else "mean")
        joined = f" {' '.join(tokens)} "
        if any(f" {phrase} " in joined for phrase in phrases("other")):
            return Meaning(role="other")
        for phrase in phrases("n_stones"):
            joined = joined.replace(f" {phrase} ", " pcs ")
        tokens = joined.split()
        if "amount" in tokens and says("n_stones", *tokens):
            return UNKNOWN
        if says("money", *tokens):
            return Meaning(role="money", sure=says("money_elsewhere", *tokens) or not says("value", *tokens))
        weighed = says("carats", *tokens)
        for role, said in (
            ("other", holds("running", tokens) or holds("measured", tokens)),
            ("mean", weighed and says("each", *tokens)),
            ("other_unit", weighed and says("other_unit", *tokens) and not self._names_size(text)),
            ("percent", says("percent", *tokens)),
            ("mean", holds("mean", tokens)),
            ("row", is_row_number(tokens)),
            ("lot", is_lot_number(tokens)),
            ("other", says("containers", *tokens) and is_number_of(tokens)),
        ):
            if said:
                return Meaning(role=role)
        return self._measured(header, tokens)

    def _names_size(self, text: str) -> bool:
        """Say whether a header names a size before its measure: ``5 gr cts``, ``+11 n``."""
        size = _without_number_of(without_measure(text))
        return any(map(str.isdigit, text)) and size_span(size, self.words.scheme) is not None

    def _of_carats(self, header: str) -> Meaning | None:
        """Return what a header means that names a size in carats: ``5-10 ct``, ``5-10 ct (pcs)``, ``5-10 ct cts``."""
        words = [word for word in re.split(r"[\s()\[\]:;]+", header) if word]
        sieved = size_span(without_measure(header), self.words.scheme)
        named = not words or all_say(("carats", "n_stones"), [plain(words[0]).strip(".")])  # ``Carats (30.1)``
        if named or not any(map(str.isdigit, header)) or (sieved is not None and sieved.kind in ("sieve", "gr")):
            return None
        sized = [word for word in words if not all_say(("n_stones",), [plain(word).strip(".")])]
        for kept, measure in ((sized, "stones_or_carats"), (sized[:-1], "carats")):
            span = size_span(" ".join(kept), self.words.scheme)
            if span is not None and (measure != "carats" or all_say(("carats",), [plain(sized[-1]).strip(".")])):
                role = "n_stones" if len(sized) < len(words) else measure
                return Meaning(role=role, classes=(("size_class", " ".join(kept)),))
        return None

    def _measured(self, header: str, tokens: Sequence[str]) -> Meaning:
        """Return what a header means that names stones or carats, or what could be counted and weighed."""
        if (sized := self._of_carats(header)) is not None:
            return sized
        part = next((role for role in ("sample", "whole") if says(role, *tokens)), "")
        bare = [token for token in tokens if not any(says(role, token) for role in ("whole", "sample", "filler"))]
        header, measure, rest = self._counted(header, tokens, bare, part)
        role = self._exactly("".join(rest)) if rest and not measure else None
        if role is not None and role not in ("n_stones", "carats", "percent"):
            return Meaning(role=role)
        if classes := self._classes(header, rest, measure) or self._classes_of_attributes(header, rest, measure):
            return Meaning(role=measure or "stones_or_carats", classes=classes, part="" if part == "whole" else part)
        if says("n_stones", *bare) and (of_stone := self._of_each(tokens, rest)) is not None:
            return Meaning(role=of_stone)
        if not measure:
            return self._other(rest, part)
        alone = not rest or says("zone", *rest)
        letters = _LETTERS.search(header)  # ``D-H``, of which ``d`` is a filler
        party = plain(letters[0]) if letters else " ".join(rest)
        return Meaning(role=measure, part=part, party="" if alone else party, sure=alone)

    def _counted(self, header: str, tokens: Sequence[str], bare: list[str], part: str) -> tuple[str, str, list[str]]:
        """Return a header without the sign that counts stones, ``+11 n``, what it measures, and the other words."""
        measure = next((role for role in ("carats", "n_stones") if says(role, *bare)), "")
        measure = "n_stones" if _counts_weights(tokens) else measure
        rest = [token for token in bare if not says("carats", token) and not says("n_stones", token)]
        if says("n_stones", *bare):
            signs = (*_NUMBER_OF, "num", "numero", "nombre", "p")
            return header, measure, [token for token in rest if token not in signs]
        others = [token for token in rest if token not in _NUMBER_OF]
        if measure or others == rest:
            return header, measure, rest
        if self._names_size(header):
            return _without_number_of(header), "n_stones", others
        of_classes = self._classes(" ".join(others), others, "n_stones") if others else part == "whole"
        return (header, "n_stones", others) if of_classes else (header, measure, rest)

    def _classes_of_attributes(self, header: str, rest: Sequence[str], measure: str) -> tuple[tuple[str, str], ...]:
        """Return the classes that words name beside the names of their attributes: ``Couleur Blanc``."""
        known = {token: self._attributes.get(token) or self._attributes.get(token.rstrip("s")) for token in rest}
        named = {column for column in known.values() if column is not None}
        others = [token for token in rest if known[token] is None]
        classes = self._classes(header, others, measure) if named else ()
        return classes if {name for name, _ in classes} == named else ()

    def _of_each(self, tokens: Sequence[str], rest: Sequence[str]) -> str | None:
        """Return what a header tells of each stone, and counts none: ``Stone colour``, ``Taille des pierres``."""
        known = {self._attributes.get(token) or ("size_class" if says("size", token) else None) for token in rest}
        others = [token for token in tokens if token not in rest]
        if says("filler", *others) and tokens[0] in rest[:1]:  # ``of``
            others = [token.removesuffix("s") for token in others]
        return known.pop() if len(known) == 1 and all_say(("one_stone", "filler"), others) else None

    def among_classes(self, text: str, said: Meaning, wide: Collection[str]) -> Meaning:
        """Return what a header means beside classes of some attributes: ``Crystal`` is one, ``Unknown`` none."""
        if len(wide) == 1 and is_not_recorded(bare := without_measure(text)):
            measure = said.role if said.role in ("n_stones", "carats") else "stones_or_carats"
            return Meaning(role=measure, classes=((next(iter(wide)), bare),))
        classes = self._classes(text, tokens_of(text), "n_stones") if said.role in wide else self._graded(text)
        classes = classes if said.role in wide or (said == UNKNOWN and {*dict(classes)} <= {*wide}) else ()
        tokens = tokens_of(text)
        if not classes and (rest := [token for token in tokens if not says("of_class", token)]) != tokens:
            classes = own if {*dict(own := self._classes(" ".join(rest), rest, "n_stones"))} <= {*wide} else ()
        return Meaning(role="stones_or_carats", classes=classes) if classes else said

    def graded(self, texts: Iterable[str]) -> set[str]:
        """Return the attribute of which several classes are named with grades, ``Sawable 1``, or begun, ``Oct.``."""
        found = {*filter(None, map(self._graded, texts))}
        names = {name for classes in found for name, _ in classes}
        return names if len(found) > 1 == len(names) else set()

    def _graded(self, text: str) -> tuple[tuple[str, str], ...]:
        bare = text.rstrip("0123456789 ")
        if 0 < len(text) - len(bare) <= _GRADE:
            return self._classes(bare, tokens_of(bare), "n_stones")
        begun = [(item, class_begun(without_measure(text), item)) for item in self.words.scheme.categorical]
        named = [(item.column, item.code_names[code]) for item, code in begun if code is not None]
        return tuple(named) if len(named) == 1 else ()

    def size(self, text: str) -> Span | None:
        """Return the limits that a label of a size class names, or None."""
        return size_span(text, self.words.scheme)

    def classes(self, text: str) -> list[str]:
        """Return the columns of the attributes of which a text names a class: ``colour`` for ``vertes enrobées``."""
        known = self.words.scheme.categorical
        return [item.column for item in known if class_code(text, attribute_words(item)) is not None]

    def names_origin(self, label: str) -> bool:
        """Say whether a label is that of where the parcel is declared to be from: ``Provenance``, ``Declared``."""
        tokens = tokens_of(label)
        rest = " ".join(token for token in tokens if not all_say(("zone", "declared", "filler"), [token]))
        known = self.measure(label) == "zone_id" or self.declared(label) in ("zone_id", "country")
        return known or says("declared", *tokens) or says("place", rest) or says("mine", rest)

    def declared(self, label: str) -> str | None:
        """Return the column of declarations that a label names, numbered or not: ``Zone 1``."""
        return self.words.columns("declarations").get(fold(label.rstrip("0123456789 ")))

    def names_fact(self, label: str) -> bool:
        """Say whether a cell is the label of what is said of a parcel: ``Date``, ``Provenance``, ``Total ct``."""
        label = label.rstrip(": ")
        return self.field(label) is not None or self.measure(label) is not None or self.names_origin(label)

    def measure(self, text: str) -> str | None:
        """Return what a label names that is said of a whole parcel: ``n_stones``, ``carats`` or ``zone_id``."""
        if says("containers", *tokens_of(text)):
            return None  # ``Total number of parcels``
        said = self.of(text)
        whole = said.part == "whole" or (said.part != "sample" and all_say(("declared",), tokens_of(said.party)))
        return said.role if whole and not said.wide and said.role in ("n_stones", "carats", "zone_id") else None

    def of_row(self, label: str) -> str:
        """Return what the label of a row measures, as a role: ``n`` beside ``ct`` is a number of stones."""
        role = self.of(label).role
        return "n_stones" if role == "row" else role

    def _other(self, rest: list[str], part: str) -> Meaning:
        if {*rest} & {"lab", "laboratory", "labo"} and len(named := [t for t in rest if t in self._attributes]) == 1:
            return Meaning(role=self._attributes[named[0]], sure=False)
        for role in ("zone", "size", "lot", "description", "other"):
            if says(role, *rest):
                name = {"zone": "zone_id", "size": "size_class"}.get(role, role)
                words = [token for token in rest if not token.isdigit()]
                if role == "zone" and not all_say(("zone", "declared", "filler", "row", "of_zones"), words):
                    return UNKNOWN  # ``Zone de saisie``
                return Meaning(role=name, sure=role in ("zone", "other"))
        columns = {self._attributes[token] for token in rest if token in self._attributes}
        if len(columns) == 1:
            return Meaning(role=columns.pop(), sure=len(rest) == 1)
        if not rest and part:
            return Meaning(role="stones_or_carats", part=part, sure=False)
        if len(rest) > 1 and says("id", rest[-1]):
            return Meaning(role="other")
        return UNKNOWN

    def _classes(self, header: str, rest: list[str], measure: str) -> tuple[tuple[str, str], ...]:
        """Return the classes that the words beside a measure name: ``White``, ``White octa``, ``-11+9``."""
        if not rest and not measure and not any(char.isdigit() for char in header):
            return ()
        if not measure or any(char.isdigit() for char in header):
            label = header if not measure else without_measure(header)
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


def _counts_weights(tokens: Sequence[str]) -> bool:
    """Say whether a header is that of a number of weights: ``Count of Weight (ct)``."""
    counted = _COUNT_OF.fullmatch(" ".join(tokens))
    named = (counted["of"] or counted["what"]).split() if counted is not None else []
    return bool(named) and all_say(("carats",), named) and not all_say(("in_carats",), named)


def _without_number_of(header: str) -> str:
    """Return a header without ``n``, ``No.``: ``+11 n`` is ``+11``."""
    return " ".join(word for word in header.split() if plain(word).strip(".°") not in _NUMBER_OF)


def undotted(texts: list[str]) -> list[str]:
    """Return headers without the name of a table that all of them bear: ``dbo.stone.id``."""
    dotted = _DOTTED.match(texts[0]) if len(texts) > 1 else None
    if dotted is None or not all(text.startswith(dotted[0]) for text in texts):
        return texts
    return [text.removeprefix(dotted[0]) for text in texts]


@lru_cache(maxsize=8)
def headers_of(words: Vocabulary) -> Headers:
    """Return the words of headers for a vocabulary, with the headers that were met before."""
    return Headers(words)
