"""What is wrong with a package told once: not as thousands of rows that have the same fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kpfootprint.errors import Problem

ALIKE, SHOWN = 12, 3
"""Different values that are told one by one where they have the same fault; of more of them, so many are."""


def once(problems: Iterable[Problem]) -> list[Problem]:
    """Tell what is wrong in many rows alike once, at the first of them, with their number.

    Where more than `ALIKE` values have the same fault in one column, three are told. Where rows have too many cells,
    what their cells hold is not told: they do not stand where they should.
    """
    found = list(problems)
    found = [item for item in found if item.code == "ragged_row"] or found
    groups: dict[object, dict[object, list[int]]] = {}
    for position, item in enumerate(found):
        place = (item.table, item.column, item.code) if item.row is not None else position
        groups.setdefault(place, {}).setdefault(item.value, []).append(position)
    out: dict[int, Problem] = {}
    for by_value in groups.values():
        same = list(by_value.values())
        shown = same if len(same) <= ALIKE else [group[:1] for group in same[:SHOWN]]
        for group in shown:
            n = _rows(found, group)
            for position in group if n <= SHOWN else group[:1]:
                out[position] = _of_package(found[position])
            if n > SHOWN and len(shown) == len(same):
                out[group[0]] = and_more(out[group[0]], f"{n - 1} more rows")
        if len(shown) < len(same):
            rest = sum(_rows(found, group) for group in same) - SHOWN
            last = shown[-1][0]
            out[last] = and_more(out[last], f"{rest} more rows, whatever the value")
    return [out[position] for position in sorted(out)]


def _rows(found: Sequence[Problem], group: Iterable[int]) -> int:
    """Return how many rows problems are about: that of a class which is not known speaks of several."""
    return sum(int(str(found[position].values.get("count", 1))) for position in group)


def and_more(item: Problem, rows: str) -> Problem:
    """Return a problem that says in how many more rows it is."""
    return replace(item, reason=f"{item.reason}; and so in {rows}")


def _of_package(item: Problem) -> Problem:
    """Say of a word that is no class what is to be changed in a package, of which a submission has other ways out."""
    values = item.values
    if item.code != "unknown_class" or values.get("rule", "unknown_class_often") != "unknown_class_often":
        return item
    reason = f"no class of {values['attribute']} is called so; nearest: {values['nearest']}; correct the cells, or "
    reason += "make it a class or a synonym of one in datapackage.json"
    return replace(item, reason=reason, values={})
