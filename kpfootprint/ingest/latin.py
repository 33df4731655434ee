"""Russian words in Latin letters, as people write them who have no others at hand: ``tsvet``, ``cvet``, ``belyj``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_LEAST = 3
"""Russian letters from which on a word is told from others in Latin ones."""

_LETTERS: Mapping[str, str] = {
    **{"а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "j"},
    **{"к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f"},
    **{"х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu"},
    **{"я": "ya"},
}

_WAYS: tuple[Mapping[str, str], ...] = (
    {},
    {"й": "y"},
    {"й": "i", "ю": "iu", "я": "ia"},
    {"й": ""},
    {"ц": "c", "х": "h", "ж": "j"},
)
"""Ways of writing letters in others than `_LETTERS`: ``belyj``, ``belyy``, ``belyi``, ``bely``."""


def with_latin(words: object, known: Collection[str]) -> object:
    """Return nested lists of words, with those of Russian in Latin letters besides.

    Parameters
    ----------
    words : object
        Lists of words in mappings, as they were read.
    known : collection of str
        Words that are no Russian ones, whatever could be written as they are.
    """
    if isinstance(words, dict):
        return {name: with_latin(item, known) for name, item in words.items()}
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return words
    russian = [word for word in words if len(re.findall("[а-яё]", word)) >= _LEAST]
    tables = [str.maketrans({**_LETTERS, **way}) for way in _WAYS]
    made = dict.fromkeys(word.translate(table) for word in russian for table in tables)
    return [*words, *(word for word in made if word not in known)]
