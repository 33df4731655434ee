"""Short words of the field in any language: conditions, statuses, names of fields."""

from __future__ import annotations

from kpfootprint.report.locale import Words
from kpfootprint.report.templates_en import VOCABULARY


def label(code: str | None, words: Words) -> str:
    """Return the words for a code of the vocabulary, the code itself where there are none, a dash for None."""
    if code is None:
        return "\u2013"
    return words.text(VOCABULARY[code]) if code in VOCABULARY else code
