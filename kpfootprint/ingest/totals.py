"""Labels of rows that sum up others: totals, means, shares, and the parts that ``of which`` tells."""

from __future__ import annotations

from functools import lru_cache

from kpfootprint.ingest.words import all_say, kept_where_short, lexicon, phrases, says, tokens_of


@lru_cache(maxsize=1)
def _of_which() -> tuple[str, ...]:
    return tuple(f"{words} " for words in lexicon()["of_which"])


@lru_cache(maxsize=1)
def total_stems() -> tuple[str, ...]:
    """Folded words of which a label of a total or of a summary has one at least."""
    known = (*lexicon()["total"], *lexicon()["total_alone"], *lexicon()["summary"])
    return tuple(word for word in known if word)  # signs fold to nothing, which stands in every text


def is_of_which(text: str) -> bool:
    """Say whether a label begins with words by which its row tells a part of those above: ``of which white``."""
    return not text[:1].isdigit() and f"{' '.join(tokens_of(text))} ".startswith(_of_which())


def without_of_which(text: str) -> str:
    """Return a label without the words by which it tells a part: ``of which white`` is ``white``."""
    words = f"{' '.join(tokens_of(text))} "
    return words.removeprefix(next((start for start in _of_which() if words.startswith(start)), "")).strip()


def is_summary(text: str) -> bool:
    """Say whether a cell is the label of a row of means, of extremes, of shares, or of the number of rows."""
    text = " ".join(tokens_of(text))
    if text in lexicon()["n_stones"] and " " in text:
        return True
    tokens = text.split()
    measures = ("summary", "mean", "n_stones", "carats", "filler", "of", "whole", "percent")
    if not 0 < len(tokens) <= 4:
        return False
    begins = says("percent", tokens[0]) or (says("summary", tokens[0]) and len(tokens) <= 3)
    return begins or ((says("summary", *tokens) or says("mean", *tokens)) and all_say(measures, tokens))


def is_weak_total(text: str) -> bool:
    """Say whether a label of a total is a word that a remark may hold as well: ``all``, ``report``."""
    return " ".join(tokens_of(text)) in lexicon()["total_alone"]


@kept_where_short
def is_total(text: str) -> bool:
    """Say whether a cell is the label of a total or a subtotal: ``Total``, ``Sous-total``, ``Cape total``."""
    if text[:1].isdigit() and text[-1:].isdigit():  # a number, mostly
        return False
    tokens = tokens_of(text)
    if not tokens or (len(tokens) > 6 and sum(map(str.isalpha, tokens)) > 3):  # ``Sous-total 2.00 – 2.99 ct``
        return False
    said = " ".join(tokens)
    if tokens[0] == "sub" and len(tokens) > 1 and not _sums(tokens[1]):
        return False  # ``Sub-parcel A``
    if all(len(token) == 1 and token.isalpha() for token in tokens):
        tokens = ["".join(tokens)]  # T O T A L
    if said in lexicon()["total_alone"] or any(f" {words} " in f" {said} " for words in phrases("total_alone")):
        return True
    second = len(tokens) > 1 and says("before_total", tokens[0]) and _sums(tokens[1])
    return second or _sums(tokens[0]) or _sums(tokens[-1])


def _sums(token: str) -> bool:
    """Say whether a word stands for a sum, alone or in one with others: ``Eindtotaal``, ``Gesamtgewicht``."""
    return says("total", token) or any(stem in token for stem in ("total", "totaal", "gesamt", "summe", "итог"))
