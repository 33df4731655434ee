"""Names of the arrays that everything here is computed with, and dataclasses of them: some rows, and several as one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

T = TypeVar("T")


def rows_of(found: T, rows: Ints | Bools, *, but: Collection[str] = ()) -> T:
    """Return a dataclass with these rows (repeats allowed) of every array in it; fields named in `but` stay whole."""
    item: Any = found
    names = [field.name for field in fields(item) if field.name not in but]
    out: T = replace(item, **{name: _rows(getattr(item, name), rows) for name in names})
    return out


def _rows(value: Any, rows: Ints | Bools) -> Any:
    if isinstance(value, np.ndarray):
        return value[rows]
    if isinstance(value, tuple):
        return tuple(_rows(item, rows) for item in value)
    if value is None or not is_dataclass(value):
        return value
    return value.take(rows) if hasattr(value, "take") else rows_of(value, rows)


def joined(parts: Sequence[T]) -> T:
    """Put dataclasses of arrays one after another."""
    kind: Any = type(parts[0])
    columns = {field.name: [getattr(part, field.name) for part in parts] for field in fields(kind)}
    out: T = kind(
        **{name: joined(items) if is_dataclass(items[0]) else np.concatenate(items) for name, items in columns.items()}
    )
    return out
