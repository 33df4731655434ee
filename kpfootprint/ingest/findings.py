"""Problems as they are found, each with the parcel that it spoils."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, Table


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
        self, table: Table, column: Column, broken: Mapping[int, Broken], owners: NDArray[np.int32], ids: list[str]
    ) -> None:
        """Note every row of a column whose cell breaks a rule; `broken` goes by position in ``column.cells``."""
        if not broken:
            return
        if next(iter(broken.values())).code == "unknown_class":
            alike = {code: found for code, found in broken.items() if found.code == "unknown_class"}
            self._add_by_value(table, column, alike, owners, ids)
            broken = {code: found for code, found in broken.items() if code not in alike}
        bad_cells = np.zeros(len(column.cells), dtype=bool)
        bad_cells[list(broken)] = True
        rows = np.flatnonzero(bad_cells[column.codes])
        room = max(self._limit - self._listed, 0)
        for row in rows[:room].tolist():
            code = int(column.codes[row])
            self.add(
                ids[owners[row]],
                problem(
                    broken[code],
                    table=table.name,
                    row=table.line(row),
                    column=column.header_at(row),
                    value=column.cells[code] if broken[code].code != "missing_value" else None,
                ),
            )
        for owner, count in zip(*np.unique(owners[rows[room:]], return_counts=True), strict=True):
            self._unlisted[ids[owner]] += int(count)

    def _add_by_value(
        self, table: Table, column: Column, broken: Mapping[int, Broken], owners: NDArray[np.int32], ids: list[str]
    ) -> None:
        """Note each value that breaks a rule once for each parcel, at its first row, with the number of its rows."""
        bad_cells = np.zeros(len(column.cells), dtype=bool)
        bad_cells[list(broken)] = True
        rows = np.flatnonzero(bad_cells[column.codes])
        keys = owners[rows].astype(np.int64) * len(column.cells) + column.codes[rows]
        _, first, counts = np.unique(keys, return_index=True, return_counts=True)
        for at, count in sorted(zip(first.tolist(), counts.tolist(), strict=True)):
            row = int(rows[at])
            code = int(column.codes[row])
            found = broken[code]
            if count > 1:
                values = {**found.values, "count": int(count), "rule": "unknown_class_often"}
                found = Broken(found.code, values)
            place = problem(
                found, table=table.name, row=table.line(row), column=column.header_at(row), value=column.cells[code]
            )
            self.add(ids[owners[row]], place)

    def spoiled(self) -> set[str | None]:
        """Return the parcels with a problem."""
        return set(self._by_parcel) | set(self._unlisted)

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
