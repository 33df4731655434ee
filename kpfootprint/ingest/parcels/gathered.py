"""What is wrong with the parcels of an input, gathered by parcel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.tables import KnownTable


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
