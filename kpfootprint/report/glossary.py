"""The glossary in a language, the terms in running text, and the text of `docs/glossary.md`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from kpfootprint.report.blocks import Term
from kpfootprint.report.locale import Words, words
from kpfootprint.report.terms import TERMS


@lru_cache(maxsize=8)
def glossary(lang: Words) -> tuple[Term, ...]:
    """Return the glossary in a language, in the alphabetical order of its terms."""
    terms = [
        Term(
            key=key,
            term=lang.text(term),
            forms=tuple(lang.text(forms).strip("|").split("|")),
            meaning=lang.text(meaning),
        )
        for key, term, forms, meaning in TERMS
    ]
    return tuple(sorted(terms, key=lambda term: term.term.casefold().replace("é", "e")))


class Linker:
    """Finds terms in running text; each section links a term the first time it uses it."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._keys = {form: term.key for term in terms for form in term.forms}
        forms = sorted(self._keys, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<![\w\-])({'|'.join(map(re.escape, forms))})(?![\w\-])", re.IGNORECASE)

    def runs(self, text: str, seen: set[str]) -> list[tuple[str, str | None]]:
        """Split a text into (piece, term key or None); `seen` collects the terms already linked."""
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


@lru_cache(maxsize=8)
def linker(lang: Words) -> Linker:
    """Return the linker of a language's glossary."""
    return Linker(glossary(lang))


def glossary_markdown() -> str:
    """Return the text of ``docs/glossary.md``: the glossary in every language."""
    parts = [
        "# Glossary",
        "Every term a report uses, in English and in French. Reports carry the same texts; "
        "both come from `kpfootprint/report/terms.py` and its catalogue.",
    ]
    for lang, heading in (("en", "English"), ("fr", "Fran\u00e7ais")):
        parts.append(f"## {heading}")
        parts += [f'<a id="{lang}-{term.key}"></a>**{term.term}**\n: {term.meaning}' for term in glossary(words(lang))]
    return "\n\n".join(parts) + "\n"
