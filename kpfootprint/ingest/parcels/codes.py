"""Class codes of cells: what is one class, a set, or nothing that was recorded, and what is unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.names.labels import class_begun
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import MOST_BROKEN, Cell, Odd, is_blank, text_of
from kpfootprint.ingest.words import attribute_words, class_code, classes_joined, is_not_recorded, nearest, one_code
from kpfootprint.parcel import NOT_RECORDED
from kpfootprint.scheme import Attribute
from kpfootprint.wanted import each

_MAX_COMPARED = 200
"""Unknown names of a column that are compared with the known ones; further ones are told the first known names."""
_SCALE = re.compile(r"\s*([D-L])\s*(?:[-–/]\s*([E-M]))?\s*", re.IGNORECASE)
"""Letters of the colour scale: to K they may be white, from I on they may be cape."""


def class_codes(cells: Sequence[Cell], attribute: Attribute) -> tuple[NDArray[np.int16], dict[int, Broken]]:
    """Return the class code of each distinct cell, `NOT_RECORDED` where blank, with the broken ones by position."""
    codes = np.full(len(cells), NOT_RECORDED, dtype=np.int16)
    broken: dict[int, Broken] = {}
    exact = {name: code for code, name in enumerate(attribute.code_names)}
    known: Mapping[str, int] = {}
    names: dict[str, str] = {}
    unlike_any: Broken | None = None
    for position, cell in each(enumerate(cells), 1000):
        if is_blank(cell):
            continue
        if isinstance(cell, Odd):
            broken[position] = Broken(cell.code, {"expected": f"a {attribute.name}"})
            continue
        text = text_of(cell)
        code = exact.get(text)
        if code is None:
            known = known or attribute_words(attribute)
            code = class_code(text, known)
            several = set() if code is not None else classes_joined(text, known) or _of_letters(text, known)
            code = one_code(attribute, several) if several else code
            code = class_begun(text, attribute) if code is None and not several else code
        if code is not None:
            codes[position] = code
            continue
        if not several and is_not_recorded(text):
            continue
        if not names:
            every = attribute.code_names
            names = {word: every[code] for word, code in known.items()}
            unlike_any = Broken("unknown_class", {"attribute": attribute.name, "nearest": nearest("", names)})
        if several:
            named = [attribute.code_names[code] for code in sorted(several)]
            values = {"attribute": attribute.name, "classes": ", ".join(named), "sets": _holding(attribute, several)}
            broken[position] = Broken("unknown_class", {**values, "rule": "several_classes"})
        elif len(broken) < _MAX_COMPARED:
            values = {"attribute": attribute.name, "nearest": nearest(text, names)}
            broken[position] = Broken("unknown_class", values)
        elif unlike_any is not None:
            broken[position] = unlike_any
            if len(broken) >= MOST_BROKEN:
                return codes, broken | dict.fromkeys(range(position + 1, len(cells)), unlike_any)
    return codes, broken


def _of_letters(text: str, known: Mapping[str, int]) -> set[int]:
    """Return the codes of letters of the colour scale, ``G`` or ``F-H``, in packages with white and cape."""
    found = _SCALE.fullmatch(text)
    if found is None or not {"white", "cape"} <= {*known}:
        return set()
    first, last = found[1].upper(), (found[2] or found[1]).upper()
    return {known[word] for word, named in (("white", first <= "K"), ("cape", last >= "I")) if named}


def _holding(attribute: Attribute, codes: set[int]) -> str:
    """Name the sets that hold some classes, the smallest first."""
    members = attribute.members_of_codes()
    wanted = members[[*codes]].any(axis=0)
    held = [code for code in range(len(attribute.classes), len(members)) if bool(members[code][wanted].all())]
    return ", ".join(attribute.code_names[code] for code in sorted(held, key=lambda code: members[code].sum())) or "–"
