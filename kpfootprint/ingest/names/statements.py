"""What a line says of a whole parcel: how many stones, their weight in all and in the mean, how they were washed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import DecimalMarks, read_number
from kpfootprint.ingest.words import (
    all_say,
    condition_values,
    declared_words,
    fold,
    holds,
    is_not_recorded,
    plain,
    says,
    stem_key,
    tokens_of,
    unit_pattern,
)

STATED = ("n_stones", "carats", "weight_g", "mean_ct", "largest_ct")
"""What a line may say of a whole parcel, as fields of it."""

_NUMBER = r"(?:\d{1,3}(?:[ ,.']\d{3})+(?:[.,]\d{1,2})?(?![\d.,]|\s*\d)|\d+(?:[.,]\d+)?|(?<!\d)[.,]\d+)"
_PIECES, _CARATS = rf"(?:{unit_pattern('pieces')}|pieces?|diamonds|diamants)", unit_pattern("carats")
GRAMS = "(?:" + "|".join(map(re.escape, sorted(declared_words()["in_carats"]["g"]["words"], key=len)[::-1])) + ")"
_PER = rf"\s*(?:/|per|par|a|by)\s*(?:{_PIECES}|st|p)\b"
_AMOUNT = re.compile(
    rf"(?<![\w.,/+<>-])(?<![<>]\s)(?:"
    rf"(?P<mean>{_NUMBER})\s*{_CARATS}\.?{_PER}"
    rf"|(?P<other>{_NUMBER})\s*(?:{_PIECES}|[$€]|\w{{3}})\.?\s*(?:/|per|par)\s*{_CARATS}\b"
    rf"|(?P<n_stones>{_NUMBER})\)?\s*(?:\([^\d()]*\)\s*)?(?:{_PIECES}(?<!\dst)\b|st\.)"
    rf"|(?P<carats>{_NUMBER})\s*(?:{_CARATS})(?<!\dk)\b"
    rf"|(?P<grams>{_NUMBER})\s*{GRAMS}\b"
    rf"|(?P<apart>n|no|nb|nbre|w|wt)\s*=\s*(?P<said>{_NUMBER})(?![\w/]))"
)
_BRACKETS = re.compile(r"[(\[][^()\[\]\d]*[)\]]")
_IN_BRACKETS = re.compile(r"[(\[][\s.,;]*[)\]]\W*$")
_LIMIT = re.compile(r"[<>≤≥~≈±?]|(?<!\w)[+-]\d")
DAY = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of stones, or a weight, that stands in a text: what it is of, the number as written, and where."""

    kind: str
    number: str
    start: int
    end: int

    @property
    def value(self) -> float:
        """The number; NaN where it can be read in two ways."""
        number = read_number(self.number, DecimalMarks())
        return float("nan") if isinstance(number, Broken) else number


_NONE = ("no", "pas", "aucun", "aucune", "keine", "kein", "geen")
_CARAT_G = 0.2
"""What a carat weighs, in grams."""


def amounts_in(text: str) -> list[Amount]:
    """Return the amounts in a text in `plain` letters: ``n_stones``, ``carats``, ``grams``, and ``mean`` carats."""
    found: list[Amount] = []
    for hit in _AMOUNT.finditer(text):
        kind = hit.lastgroup or ""
        if kind == "said":
            kind = "carats" if hit["apart"][0] == "w" else "n_stones"
        number = hit["said"] or hit[kind]
        if kind == "n_stones" and not number.isdigit():
            number = re.sub(r"[ ,.']", "", number) if re.fullmatch(r"\d{1,3}(?:\D\d{3})+", number) else ""
        if kind != "other" and number:
            found.append(Amount(kind, number, hit.start(), hit.end()))
    return found


def stated(text: str, headers: Headers) -> dict[str, str]:
    """Return what a line says of the whole parcel, and nothing else, by field: ``836 stones, 371.37 ct``.

    A line that speaks of stones apart, of classes, or of about so many says nothing of the whole. The fields are
    ``n_stones``, ``carats``, ``weight_g``, ``mean_ct`` and ``largest_ct``.
    """
    said = plain(text).replace("the above", "these")
    amounts = amounts_in(said)
    rest = said
    for amount in reversed(amounts):
        rest = rest[: amount.start] + " " + rest[amount.end :]
    in_brackets = _IN_BRACKETS.search(rest) is not None or any(said[: amount.start].endswith("(") for amount in amounts)
    tokens = [token for token in tokens_of(_BRACKETS.sub(" ", rest)) if not token.isdigit()]
    if says("gross", *tokens):  # with what the goods are packed in
        packed = ("grams",) if says("net", *tokens) else ("grams", "carats")
        amounts = [amount for amount in amounts if amount.kind not in packed]
    kinds = [amount.kind for amount in amounts]
    metric = any(amount.kind == "grams" and amount.value == _CARAT_G for amount in amounts)  # ``1 ct = 0.2 g``
    if not amounts or len({*kinds}) < len(kinds) or _LIMIT.search(rest) or metric:
        return {}
    if kinds == ["carats"] and holds("largest", tokens):
        return {"largest_ct": amounts[0].number}
    if kinds in (["carats"], ["mean"]) and (kinds == ["mean"] or says("mean", *tokens)):
        return {"mean_ct": amounts[0].number} if not says("money", *tokens) else {}
    if any(holds(role, tokens) for role in ("apart", "besides", "in_part", "about", "of_which", "limit", "smallest")):
        return {}
    bare = all_say(("n_stones", "carats", "whole", "total", "filler", "lot", "row", "declared"), tokens)
    bare = bare or says("total", *tokens) or not {"all", "tout", "ensemble"}.isdisjoint(tokens)
    of_size = says("size", *tokens) and any(map(str.isdigit, rest))
    of_class = of_size or any(headers.of(token).wide for token in rest.split())
    if not bare and (of_class or not (in_brackets or {"n_stones", "carats"} <= {*kinds})):
        return {}
    fields = {"grams": "weight_g", "mean": "mean_ct"}
    return {fields.get(amount.kind, amount.kind): amount.number for amount in amounts}


def amounts_besides(text: str) -> set[str]:
    """Return how many stones or carats a line says to be besides others or to be none any more: ``Two stones lost``."""
    spelled = {word: str(at + 1) for at, words in enumerate(declared_words()["numbers"]["words"]) for word in words}
    said = re.sub(r"[^\W\d]+", lambda hit: spelled.get(hit[0], hit[0]), plain(text))
    amounts, tokens = amounts_in(said), tokens_of(text)
    if tokens[:1] and tokens[0] in _NONE:
        return set()  # ``Pas de pierre de plus de 10,8 ct``
    of_one = [amount.kind for amount in amounts] == ["carats"]  # ``Plus grosse pierre : 0,31 ct``
    extreme = of_one and (holds("largest", tokens) or holds("smallest", tokens))
    others = holds("besides", tokens) or holds("cancelled", tokens)
    return {f"{amount.value:.2f}" for amount in amounts} if others and not extreme else set()


def condition_said(field: str, text: str) -> str | None:
    """Return the value of a condition that a text says, whatever its gender and number: ``Pierres lavées à l'acide``.

    None where it says more, or nothing; a word of several meanings, ``brut``, says one where it stands alone.
    """
    if "?" in text and not is_not_recorded(text):
        return None
    if fold(text) in (known := condition_values(field)):
        return known[fold(text)]
    words, beside = declared_words()["values"].get(field, {}), declared_words()["values"]["beside"]
    tokens = tokens_of(text)
    stems = [*map(stem_key, tokens)]
    for phrase, value in sorted(_phrases_of(words).items(), key=lambda item: -len(item[0])):
        for at in range(len(stems) - len(phrase) + 1 if " ".join(phrase) not in beside["alone"] else 0):
            if stems[at : at + len(phrase)] == [*map(stem_key, phrase)]:
                rest = (*tokens[:at], *tokens[at + len(phrase) :])
                return value if all_say(("filler", "n_stones", "goods"), rest, beside["words"]) else None
    return None


def _phrases_of(words: Mapping[str, Iterable[str]]) -> dict[tuple[str, ...], str]:
    return {(*tokens_of(name),): value for value, own in words.items() for name in (*own, value)}
