"""The words of a report and what they mean: the glossary in a language, its terms in running text, and its page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from kpfootprint.report.blocks import Term
from kpfootprint.report.locale import Words, held
from kpfootprint.report.messages import TEXTS

TERMS: Mapping[str, str] = TEXTS["terms"]
"""Terms by key: the term | its forms in running text | its meaning."""


@lru_cache(maxsize=8)
def glossary(lang: Words) -> tuple[Term, ...]:
    """Return the glossary in a language, in the alphabetical order of its terms."""
    terms = []
    for key, message in TERMS.items():
        term, forms, meaning = lang.text(message).split(" | ")
        terms.append(Term(key=key, term=term, forms=tuple(forms.split(", ")), meaning=meaning))
    return tuple(sorted(terms, key=lambda term: term.term.casefold().replace("é", "e")))


class Linker:
    """Finds terms in the running text of a document, each once a section; none of a document without a glossary."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._keys = {form: term.key for term in terms for form in term.forms}
        forms = sorted(self._keys, key=len, reverse=True)
        any_form = "|".join(map(re.escape, forms)) or "(?!)"
        self._pattern = re.compile(rf"(?<![\w\-])({any_form})(?![\w\-])", re.IGNORECASE)
        self.seen: dict[str, set[str]] = {}

    def runs(self, text: str, section: str) -> list[tuple[str, str | None]]:
        """Split a text, its numbers and units held together, into (piece, term key or None)."""
        text, seen = held(text), self.seen.setdefault(section, set())
        runs: list[tuple[str, str | None]] = []
        end = 0
        for found in self._pattern.finditer(text):
            key = self._keys[found[0].lower()]
            if key in seen:
                continue
            seen.add(key)
            if found.start() > end:
                runs.append((text[end : found.start()], None))
            runs.append((found[0], key))
            end = found.end()
        if end < len(text) or not runs:
            runs.append((text[end:], None))
        return runs
