"""What is wrong with an input: the rules that it can break, a stable name each, and where it breaks them.

``Problem.code`` is a key of `RULES`, and never changes its meaning. Texts in other languages hang on these names.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem

if TYPE_CHECKING:
    from kpfootprint.ingest.tables import KnownTable

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    resources.files("kpfootprint.ingest").joinpath("texts.toml").read_text(encoding="utf-8")
)
RULES, ANSWERS, NOTES = _TEXTS["rules"], _TEXTS["answers"], _TEXTS["notes"]
"""English texts of rules, of the answers that questions have, and of what a receipt tells."""


def text_of_answer(question: str, answer: str) -> str:
    """Return the English text of an answer, to be translated and filled with the name asked about and the answer."""
    kind = question.partition(":")[0] if ":" in question else question
    open_ended = "word=" if ":" in question and kind != "column" else f"{kind}="
    return ANSWERS.get(f"{kind}={answer}") or ANSWERS.get(open_ended) or f"{question}={answer}"


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a value breaks, before it is known where the value stands."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """What is wrong, in English."""
        return text_of_rule(self.code, self.values).format(**self.values)


def text_of_rule(code: str, values: Mapping[str, object]) -> str:
    """Return the English text of a rule, to be translated and filled with values."""
    return RULES[str(values.get("rule", code))]


def problem(
    broken: Broken, *, table: str, row: int | None = None, column: str | None = None, value: object = None
) -> Problem:
    """Place a broken rule; long values are cut, and what cannot be written as UTF-8 is replaced."""
    return Problem(
        table=_told(table, 80),
        row=row,
        column=None if column is None else _told(column, 80),
        value=None if value is None else _told(str(value), 80),
        code=broken.code,
        reason=_told(broken.reason, 600),
        values={name: _told(found, 200) if isinstance(found, str) else found for name, found in broken.values.items()},
    )


def _told(text: str, length: int) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= length else text[: length - 1] + "…"


class Findings:
    """Gathers problems by parcel; beyond `limit` of them they are only counted.

    The parcel None stands for the whole submission.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._listed = 0
        self._by_parcel: defaultdict[str | None, list[Problem]] = defaultdict(list)
        self._unlisted: defaultdict[str | None, int] = defaultdict(int)

    @property
    def full(self) -> bool:
        """Whether further problems are only counted."""
        return self._listed >= self._limit

    def add(self, parcel_id: str | None, found: Problem) -> None:
        """Note one problem."""
        if not self.full:
            self._by_parcel[parcel_id].append(found)
            self._listed += 1
        else:
            self._unlisted[parcel_id] += 1

    def add_column(
        self,
        table: KnownTable,
        name: str,
        broken: Mapping[int, Broken],
        owners: NDArray[np.int32],
        ids: Sequence[str | None],
    ) -> None:
        """Note the rows of a column whose cells break a rule; `broken` goes by position in ``column.cells``.

        Each class that is not known is noted once for each parcel, at its first row, with the number of its rows.
        """
        if not broken:
            return
        column = table.columns[name]
        for by_value in (True, False):
            mine = {code: found for code, found in broken.items() if (found.code == "unknown_class") == by_value}
            rows = np.flatnonzero(column.rows_with(mine)) if mine else np.zeros(0, dtype=np.intp)
            counts = np.ones(len(rows), dtype=np.intp)
            if by_value:
                keys = owners[rows].astype(np.int64) * len(column.cells) + column.codes[rows]
                _, first, counts = np.unique(keys, return_index=True, return_counts=True)
                order = np.argsort(first)
                rows, counts = rows[first[order]], counts[order]
            room = max(self._limit - self._listed, 0)
            for row, count in zip(rows[:room].tolist(), counts[:room].tolist(), strict=True):
                found = mine[int(column.codes[row])]
                if count > 1:
                    rule = found.values.get("rule", "unknown_class_often")
                    found = Broken(found.code, {**found.values, "count": count, "rule": rule})
                self.add(ids[owners[row]], table.problem(found, row, name))
            for owner, count in zip(*np.unique(owners[rows[room:]], return_counts=True), strict=True):
                self._unlisted[ids[owner]] += int(count)

    def spoiled(self) -> set[str | None]:
        """Return the parcels with a problem."""
        return set(self._by_parcel) | set(self._unlisted)

    def has(self, parcel_id: str) -> bool:
        """Say whether a parcel has a problem."""
        return parcel_id in self._by_parcel or parcel_id in self._unlisted

    def of(self, parcel_id: str | None) -> tuple[Problem, ...]:
        """Return the problems of a parcel, the last one telling how many are not listed."""
        listed = list(self._by_parcel.get(parcel_id, ()))
        hidden = self._unlisted.get(parcel_id, 0)
        if hidden:
            place = listed[-1].table if listed else "parcels"
            listed.append(problem(Broken("more_problems", {"count": hidden}), table=place))
        return tuple(listed)

    def all(self, first: Iterable[str | None] = ()) -> tuple[Problem, ...]:
        """Return every problem: of the whole, then by parcel in the order of `first`, then by parcel as found."""
        order = dict.fromkeys([None, *first, *self._by_parcel])
        listed = [found for parcel_id in order for found in self._by_parcel.get(parcel_id, ())]
        hidden = sum(self._unlisted.values())
        if hidden:
            listed.append(problem(Broken("more_problems", {"count": hidden}), table="submission"))
        return tuple(listed)
