"""What was understood of the sheets of a parcel: shown before anything is computed, and kept in the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.words import code_names
from kpfootprint.parcel import Parcel
from kpfootprint.scheme import Scheme

NOTES = {
    "total_checked": "the row {label} is a total, which agrees with its rows",
    "total_without_numbers": "the row {label} is a total without numbers",
    "sum_of_rows": "the row is the sum of the rows above it and names no class: a total without its name",
    "note_below": "the row {label} stands below the total and holds no number",
    "size_limits": "size classes in carats: {classes}",
    "words_passed_over": "words of {column} that name no size and no class: {words}",
}
"""English texts of what a receipt tells; other languages hang on the names."""


def read_as_of(parcel: Parcel, tables: Sequence[Table], scheme: Scheme) -> dict[str, Any]:
    """Return how a parcel was read, as plain JSON values.

    A plain list under plain headers gives the same, whatever file or document it came in.
    """
    goods = next((table for table in tables if table.kind in ("stones", "counts")), None)
    left_out = [item for table in tables for item in table.trace.left_out]
    return {
        "n_stones": parcel.n_stones,
        "carats": parcel.carats,
        "mean_ct": _mean(parcel),
        "largest_ct": None if parcel.stones is None else round(float(parcel.stones.weight_ct.max()), 6),
        "classes": classes_of(parcel, scheme),
        "header_rows": [1] if goods is None else list(goods.trace.header_rows),
        "left_out": [
            {
                "table": item.table,
                "row": item.row,
                "code": item.code,
                "values": dict(item.values),
                "text": NOTES[item.code].format(**item.values),
            }
            for item in left_out[:100]
        ],
        "passed_over": list(dict.fromkeys(name for table in tables for name in table.trace.passed_over)),
        "hidden": [f"{table.name}: {what}" for table in tables for what in table.trace.hidden],
        "notes": [
            {"code": note.code, "values": dict(note.values), "text": NOTES[note.code].format(**note.values)}
            for table in tables
            for note in table.trace.notes
        ],
    }


def _mean(parcel: Parcel) -> float | None:
    if parcel.carats is None or not parcel.n_stones:
        return None
    return round(parcel.carats / parcel.n_stones, 4)


def classes_of(parcel: Parcel, scheme: Scheme) -> dict[str, dict[str, int]]:
    """Return how many stones were read of each class, by attribute; classes without stones are left out."""
    found: dict[str, dict[str, int]] = {}
    if parcel.stones is not None:
        for item in scheme.categorical:
            codes = parcel.stones.codes.get(item.name)
            if codes is not None:
                counts = np.bincount(codes[codes >= 0], minlength=len(code_names(item)))
                found[item.name] = _named(code_names(item), counts)
        return found
    for breakdown in parcel.breakdowns:
        for at, name in enumerate(breakdown.attributes):
            if name in found:
                continue
            sizes = parcel.sieve_set.classes if parcel.sieve_set is not None else ()
            names = sizes if name == scheme.size.name else code_names(scheme.attribute(name))
            known = (breakdown.codes[:, at] >= 0) & (breakdown.n_stones >= 0)
            codes = breakdown.codes[known, at]
            counts = np.bincount(codes, weights=breakdown.n_stones[known], minlength=len(names))
            found[name] = _named(names, counts)
    return found


def _named(names: Sequence[str], counts: Any) -> dict[str, int]:
    return {name: int(count) for name, count in zip(names, counts.tolist(), strict=True) if count}
