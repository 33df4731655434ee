"""What was understood of the sheets of a parcel: shown before anything is computed, and kept in the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.words import code_names
from kpfootprint.parcel import Stones
from kpfootprint.scheme import Scheme

TABLES_TOLD = ("stones", "counts", "parcels", "declarations", "size_classes")
"""Tables in the order in which their reading is told."""

NOTES = {
    "total_checked": "the row {label} is a total, which agrees with its rows",
    "total_without_numbers": "the row {label} is a total without numbers",
    "sum_of_rows": "the row is the sum of the rows above it and names no class: a total without its name",
    "mean_row": "the row {label} holds means",
    "note_below": "the row {label} stands below the total and holds no number",
    "size_limits": "size classes in carats: {classes}",
    "words_passed_over": "words of {column} that name no size and no class: {words}",
}
"""English texts of what a receipt tells; other languages hang on the names."""


class Receipt:
    """Tells of each parcel how it was read; what holds for all parcels of an input is put together once.

    Parameters
    ----------
    tables : iterable of Table
        The tables that were read.
    """

    def __init__(self, tables: Iterable[Table], scheme: Scheme) -> None:
        self._names = {item.name: code_names(item) for item in scheme.categorical}
        read = sorted(tables, key=lambda table: TABLES_TOLD.index(table.kind))
        goods = next((table for table in read if table.kind in ("stones", "counts")), None)
        left_out = [item for table in read for item in table.trace.left_out]
        notes = [note for table in read for note in table.trace.notes]
        self._common = {
            "header_rows": [1] if goods is None else list(goods.trace.header_rows),
            "left_out": [
                {"table": item.table, "row": item.row, "code": item.code, "values": dict(item.values)}
                | {"text": NOTES[item.code].format(**item.values)}
                for item in left_out[:100]
            ],
            "passed_over": list(dict.fromkeys(name for table in read for name in table.trace.passed_over)),
            "hidden": [f"{table.name}: {what}" for table in read for what in table.trace.hidden],
            "notes": [
                {"code": note.code, "values": dict(note.values), "text": NOTES[note.code].format(**note.values)}
                for note in notes
            ],
        }

    def of(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return how a parcel was read, as plain JSON values, from its stones or breakdowns.

        A plain list under plain headers gives the same, whatever file or document it came in.
        """
        n_stones, carats, stones = body["n_stones"], body["carats"], body.get("stones")
        return {
            "n_stones": n_stones or None,
            "carats": carats,
            "mean_ct": round(carats / n_stones, 4) if carats and n_stones else None,
            "largest_ct": None if stones is None else round(float(stones.weight_ct.max()), 6),
            "classes": self._classes(stones, body),
            **self._common,
        }

    def _classes(self, stones: Stones | None, body: Mapping[str, Any]) -> dict[str, dict[str, int]]:
        """Return how many stones were read of each class, by attribute; classes without stones are left out."""
        found: dict[str, dict[str, int]] = {}
        if stones is not None:
            for name, codes in stones.codes.items():
                names = self._names[name]
                found[name] = _named(names, np.bincount(codes + 1, minlength=len(names) + 1)[1:])
            return found
        sizes = body["sieve_set"].classes if body.get("sieve_set") is not None else ()
        for breakdown in body["breakdowns"]:
            for at, name in enumerate(breakdown.attributes):
                if name in found and not breakdown.sample:
                    continue
                known = (breakdown.codes[:, at] >= 0) & (breakdown.n_stones >= 0)
                names = self._names.get(name, sizes)
                counts = np.zeros(len(names))
                np.add.at(counts, breakdown.codes[known, at], breakdown.n_stones[known])
                if name not in found or name in self._names:
                    found[name] = _named(names, counts)
        return found


def _named(names: Sequence[str], counts: Any) -> dict[str, int]:
    return {name: int(count) for name, count in zip(names, counts.tolist(), strict=True) if count}
