"""What the library, or a job, said in English, told again in another language."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ERRORS = Path(__file__).parent / "locale" / "errors.fr.po"
LONGEST = 1000
"""Longer texts are told in English: they hold what a hostile file says."""


def retold(text: str, lang: str) -> str:
    """Return a text in a language; what nobody has put into it, as it is.

    >>> retold("the release 'A' has no zones", "en")
    "the release 'A' has no zones"
    """
    if lang != "fr" or len(text) > LONGEST:
        return text
    for pattern, message in _patterns():  # the first that fits
        if found := pattern.fullmatch(text):
            return message.format("", *(retold(part, lang) for part in found.groups()))
    place, colon, rest = text.partition(": ")  # errors are told after the file or the member that they are about
    told = retold(rest, lang) if colon else rest
    return text if told == rest else f"{place}\u00a0: {told}"


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    from babel.messages.pofile import read_po

    with ERRORS.open("rb") as file:
        known = [(str(item.id), str(item.string)) for item in read_po(file) if item.id]
    return [
        (re.compile(re.sub(r"\\\{\d\\\}", "(.+?)", re.escape(english)), re.DOTALL), told) for english, told in known
    ]
