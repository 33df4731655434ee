"""Frozen dataclasses of arrays to flat names and back, so that a release is plain arrays and nothing in it can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import ReleaseError

T = TypeVar("T")
Arrays = dict[str, NDArray[Any]]


def pack(value: Any, name: str = "model") -> Arrays:
    """Flatten dataclasses, tuples, numbers and arrays into named arrays (None is left out).

    Raises
    ------
    TypeError
        For anything else.
    """
    if value is None:
        return {}
    if is_dataclass(value):
        out: Arrays = {}
        for item in fields(value):
            out |= pack(getattr(value, item.name), f"{name}.{item.name}")
        return out
    if isinstance(value, tuple):
        out = {f"{name}.len": np.array(len(value))}
        for position, item in enumerate(value):
            out |= pack(item, f"{name}.{position}")
        return out
    if isinstance(value, np.ndarray | float | int | np.floating | np.integer):
        return {name: np.asarray(value)}
    raise TypeError(f"{name}: cannot pack {type(value).__name__}")


def unpack(kind: type[T], arrays: Mapping[str, NDArray[Any]]) -> T:
    """Rebuild a dataclass from what `pack` made; arrays come back read-only.

    Raises
    ------
    ReleaseError
        Where an array is missing, is of another type than its dataclass says, or belongs to nothing.
    """
    taken: set[str] = set()
    built: T = _build(kind, arrays, "model", taken)
    strange = sorted(set(arrays) - taken)
    if strange:
        raise ReleaseError(
            "the release has an array {strange} that this version does not know", strange=repr(strange[0][:80])
        )
    return built


def _build(kind: Any, arrays: Mapping[str, NDArray[Any]], name: str, taken: set[str]) -> Any:
    origin = get_origin(kind)
    if origin is UnionType:
        present = any(key == name or key.startswith(name + ".") for key in arrays)
        inner = next(item for item in get_args(kind) if item is not NoneType)
        return _build(inner, arrays, name, taken) if present else None
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints_of(kind)
        return kind(
            **{item.name: _build(hints[item.name], arrays, f"{name}.{item.name}", taken) for item in fields(kind)}
        )
    if origin is tuple:
        size = int(_find(arrays, f"{name}.len", np.integer, taken, single=True))
        item_kind = get_args(kind)[0]
        return tuple(_build(item_kind, arrays, f"{name}.{position}", taken) for position in range(size))
    if kind is float:
        return float(_find(arrays, name, np.floating, taken, single=True))
    if kind is int:
        return int(_find(arrays, name, np.integer, taken, single=True))
    array = _find(arrays, name, get_args(get_args(kind)[1])[0], taken)
    array.setflags(write=False)
    return array


_hints_of = cache(get_type_hints)


def _find(
    arrays: Mapping[str, NDArray[Any]], name: str, scalar: Any, taken: set[str], *, single: bool = False
) -> NDArray[Any]:
    try:
        array = arrays[name]
    except KeyError:
        raise ReleaseError(
            "the release has no array {name}; it was made for another version", name=repr(name)
        ) from None
    if not np.issubdtype(array.dtype, scalar) or (single and array.ndim):
        found = f"{array.dtype} of shape {array.shape}"
        wanted = f"one {scalar.__name__} number" if single else f"an array of {scalar.__name__}"
        raise ReleaseError("{name} is {found}; {wanted} belongs there", name=name, found=found, wanted=wanted)
    taken.add(name)
    return array
