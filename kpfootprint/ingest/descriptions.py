"""Descriptions of lots and stones: ``4-8 GR SAWABLES WHITE`` names a size, a shape and a colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kpfootprint.ingest.cells import Cell, Odd, is_blank, text_of
from kpfootprint.ingest.headers import Headers
from kpfootprint.ingest.sizes import size_span
from kpfootprint.ingest.tables import Column
from kpfootprint.ingest.words import attribute_words, class_code, code_names, one_code
from kpfootprint.scheme import Attribute

_LONGEST = 4
"""Words that the name of a class or of a size class has at most."""


def split_descriptions(
    column: Column, attributes: Sequence[Attribute], headers: Headers
) -> tuple[dict[str, Column], list[str]]:
    """Read sizes and classes out of a column of descriptions.

    Returns
    -------
    dict of str to Column
        ``size_class`` and the columns of the attributes that some description names. Blank where one names nothing,
        or several classes that no set of the package holds together.
    list of str
        Words that were not understood.
    """
    names = ["size_class", *(item.column for item in attributes)]
    read: dict[str, list[Cell]] = {name: [] for name in names}
    unread: list[str] = []
    for cell in column.cells:
        named = not is_blank(cell) and not isinstance(cell, Odd)
        found = _split(text_of(cell), attributes, headers, unread) if named else {}
        for name in names:
            read[name].append(found.get(name))
    made: dict[str, Column] = {}
    for name in names:
        if any(value is not None for value in read[name]):
            made[name] = Column.of(column.header, read[name]).rows(column.codes)
    return made, list(dict.fromkeys(unread))


def _split(text: str, attributes: Sequence[Attribute], headers: Headers, unread: list[str]) -> dict[str, str]:
    words = [word for word in text.replace("/", " / ").replace(";", " ").split() if word not in ("/", "&", "-", ",")]
    words = _whole_ranges(text) or words
    found: dict[str, str] = {}
    sizes: list[str] = []
    codes: dict[str, set[int]] = {}
    known = {item.name: attribute_words(item) for item in attributes}
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + _LONGEST), start, -1):
            piece = " ".join(words[start:end])
            if size_span(piece, headers.words.scheme) is not None:
                sizes.append(piece)
                break
            hits = [(item, code) for item in attributes if (code := class_code(piece, known[item.name])) is not None]
            if len(hits) == 1:
                codes.setdefault(hits[0][0].column, set()).add(hits[0][1])
                break
        else:
            unread.append(words[start])
            end = start + 1
        start = end
    if len(set(sizes)) == 1:
        found["size_class"] = sizes[0]
    elif sizes:
        unread += sizes
    for item in attributes:
        code = one_code(item, codes.get(item.column, set()))
        if code is not None:
            found[item.column] = code_names(item)[code]
        elif codes.get(item.column):
            unread += [code_names(item)[code] for code in sorted(codes[item.column])]
    return found


def _whole_ranges(text: str) -> list[str]:
    """Return the words of a description whose slashes stand between numbers, as in ``4/6 GR``."""
    return (
        text.split()
        if any(
            a.isdigit() and b.isdigit()
            for a, b in zip(text.partition("/")[0][-1:], text.partition("/")[2][:1], strict=False)
        )
        else []
    )


def describe(texts: Sequence[str], headers: Headers) -> bool:
    """Say whether every text names sizes or classes, and one of them at least two: ``White octa +11``."""
    made, _ = split_descriptions(Column.of("", texts), headers.words.scheme.categorical, headers)
    named = np.sum([~item.blank() for item in made.values()], axis=0) if made else np.zeros(len(texts))
    return bool(np.all(named > 0)) and bool(np.any(named > 1))
