"""What is wrong with a package told once: not again in every row, and not in what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kpfootprint.errors import Problem
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import fold
from kpfootprint.retold import Said
from training.package.descriptor import told

ALIKE, SHOWN = 12, 3
"""Different values that are told one by one where they have the same fault; of more of them, so many are."""


def once(problems: Iterable[Problem]) -> list[Problem]:
    """Tell what is wrong in many rows alike once, at the first of them, with their number.

    Where more than `ALIKE` values have the same fault in one column, three are told. Where rows have too many cells,
    what their cells hold is not told: they do not stand where they should.
    """
    found = _headers_told(problems)
    found = [item for item in found if item.code == "ragged_row"] or found
    groups: dict[object, dict[object, list[int]]] = {}
    for position, item in enumerate(found):
        place = (item.table, item.column, item.code) if item.row is not None else position
        value = None if item.code == "ragged_row" else item.value  # which is but what the row begins with
        groups.setdefault(place, {}).setdefault(value, []).append(position)
    out: dict[int, Problem] = {}
    for by_value in groups.values():
        same = list(by_value.values())
        shown = same if len(same) <= ALIKE else [group[:1] for group in same[:SHOWN]]
        for group in shown:
            n = _rows(found, group)
            for position in group if n <= SHOWN else group[:1]:
                out[position] = _of_package(found[position])
            if n > SHOWN and len(shown) == len(same):
                out[group[0]] = and_more(out[group[0]], n - 1)
        if len(shown) < len(same):
            rest = sum(_rows(found, group) for group in same) - SHOWN
            last = shown[-1][0]
            out[last] = and_more(out[last], rest, "; and so in {n} more rows, whatever the value")
    return [out[position] for position in sorted(out)]


def _rows(found: Sequence[Problem], group: Iterable[int]) -> int:
    """Return how many rows problems are about: that of a class which is not known speaks of several."""
    return sum(_count(found[position]) for position in group)


def _count(item: Problem) -> int:
    return 1 if item.code == "more_problems" else int(str(item.values.get("count", 1)))


def and_more(item: Problem, n: int, text: str = "; and so in {n} more rows") -> Problem:
    """Return a problem that says in how many more rows it is."""
    more = Said(text, n=n)
    return replace(
        item,
        reason=Said("{reason}{more}", reason=Said(item.reason), more=more),
        values={**item.values, "more": more},
    )


def _of_package(item: Problem) -> Problem:
    """Say of a word that is no class what is to be changed in a package, of which a submission has other ways out."""
    values = item.values
    if item.code != "unknown_class" or values.get("rule", "unknown_class_often") != "unknown_class_often":
        return item
    reason = Said(
        "no class of {attribute} is called so; nearest: {nearest}; correct the cells, or make it a class or a synonym "
        "of one in datapackage.json",
        attribute=values["attribute"],
        nearest=values["nearest"],
    )
    return replace(item, reason=reason, values={})


def _headers_told(problems: Iterable[Problem]) -> list[Problem]:
    """Tell a row that repeats the header as such, in place of what is wrong with each of its cells."""
    found = list(problems)
    again = {(item.table, item.row) for item in found if item.row is not None and item.value and _is_header(item)}
    out: dict[object, Problem] = {}
    for position, item in enumerate(found):
        if (place := (item.table, item.row)) in again:
            reason = "the row repeats the header; take it out"
            out.setdefault(place, told("header_again", reason, table=item.table, row=item.row))
        else:
            out[position] = item
    return list(out.values())


def _is_header(item: Problem) -> bool:
    return item.code in _OF_CELLS and fold(str(item.value)) == fold(item.column or "")


_OF_CELLS = (
    *("unknown_parcel", "unknown_class", "foreign_key", "bad_country"),
    *("not_a_number", "not_whole", "not_a_date", "not_yes_or_no"),
)
"""What is wrong with the cells of a row that repeats the header."""


def without_consequences(problems: Sequence[Problem], n_stones: int) -> list[Problem]:
    """Return problems of tables without those that follow from stones of no parcel; `n_stones` is the rows of them.

    Whatever else such a row says, as a total at the foot of the table does, is of no parcel either. As many stones as
    there are such rows may be those that parcels lack, first of parcels that lack carats too, and are not told again.
    """
    strays = [item for item in problems if item.code == "unknown_parcel"]
    if strays and sum(map(_count, strays)) >= n_stones:
        return strays
    rows = {(item.table, item.row) for item in strays}
    n = left = sum(_count(item) for item in strays if not (is_total(str(item.value)) or _is_header(item)))
    light = {item.row for item in problems if item.code == "carats_total"}
    short = {item.row: _lacking(item.values) for item in problems if item.code == "stones_total"}
    lacking: set[int | None] = set()
    for row in sorted(short, key=lambda row: (row not in light, short[row])):
        if 0 < short[row] <= left:
            left -= short[row]
            lacking.add(row)

    def follows(item: Problem) -> bool:
        """Whether a problem follows from rows of no parcel."""
        if item.code == "no_stones":
            return n > 0
        return (item.table, item.row) in rows or (item.code in _TOTALS and item.row in lacking)

    return [item for item in problems if item.code == "unknown_parcel" or not follows(item)]


_TOTALS = ("stones_total", "carats_total")


def _lacking(values: Mapping[str, object]) -> int:
    return round(float(str(values["expected"])) - float(str(values["found"])))
