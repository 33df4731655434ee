"""The arrays of a release: dataclasses to flat names and back, so that nothing in it can run, and what they must be.

What an array must be stands where it is declared, in the dataclasses of `kpfootprint.stats`: its shape, in letters that
`checks_of` gives a meaning (``"Z D"``: zones by numbers of a parcel), and the name of a rule. So each is held by itself
and all beside each other: no model is used half right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from itertools import combinations
from math import prod
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import ReleaseError
from kpfootprint.scheme import Scheme
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.networks import Network
from kpfootprint.stats.summaries import WINDOWS

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


def _lacking(name: str) -> ReleaseError:
    return ReleaseError("the release has no array {name}; it was made for another version", name=repr(name))


def _find(
    arrays: Mapping[str, NDArray[Any]], name: str, scalar: Any, taken: set[str], *, single: bool = False
) -> NDArray[Any]:
    try:
        array = arrays[name]
    except KeyError:
        raise _lacking(name) from None
    if not np.issubdtype(array.dtype, scalar) or (single and array.ndim):
        found = f"{array.dtype} of shape {array.shape}"
        wanted = f"one {scalar.__name__} number" if single else f"an array of {scalar.__name__}"
        raise ReleaseError("{name} is {found}; {wanted} belongs there", name=name, found=found, wanted=wanted)
    taken.add(name)
    return array


Array = NDArray[Any]
Rule = Callable[[Array], Any]
Told = tuple[str, Rule]
MAY_BE_INFINITE = frozenset({"model.structure.grid.edges"})


@dataclass(frozen=True, slots=True)
class Check:
    """Name, shape and rule of one array; what is told of the rule completes "must"."""

    name: str
    shape: tuple[int, ...]
    told: Told = ("be finite", np.isfinite)


def check_model(model: FootprintModel, scheme: Scheme, zones: int, levels: tuple[int, ...]) -> None:
    """Check a model against itself, the scheme, the number of zones and the number of levels of each condition.

    Raises
    ------
    ReleaseError
        With the first array that cannot be right: what was found and what belongs there.
    """
    arrays = pack(model)
    for name, array in arrays.items():
        if name not in MAY_BE_INFINITE and not np.isfinite(array).all():
            raise ReleaseError("{name} holds a number that is not finite", name=name)
    if model.sets is None and model.calibration.set_threshold is None:
        raise _lacking("model.calibration.set_threshold")
    for check in checks_of(model, scheme, zones, levels):
        array = arrays[check.name]
        if array.shape != check.shape:
            raise ReleaseError(
                "{name} has the shape {shape}; beside the other arrays it is {wanted}",
                name=check.name,
                shape=array.shape,
                wanted=check.shape,
            )
        with np.errstate(all="ignore"):
            if not np.all(check.told[1](array)):
                raise ReleaseError("{name} must {said}", name=check.name, said=check.told[0])


def checks_of(model: FootprintModel, scheme: Scheme, zones: int, levels: tuple[int, ...]) -> Iterator[Check]:
    """Give what every array of a model must be, by the shapes and rules that the fields of its dataclasses name."""
    own, grid, classes = scheme.size.sieve_set, model.structure.grid, [len(item.classes) for item in scheme.categorical]
    sizes, pairs, edges = [len(own.classes), *classes], list(combinations(classes, 2)), grid.edges
    many = {
        **{"Z": zones, "D": 2 + sum(classes) - len(classes), "S": sizes[0], "T": sizes, "C": classes},
        **{"A": [a for a, _ in pairs], "O": [b for _, b in pairs], "B": max(len(model.resampled_sources), 1)},
        **{"L": list(levels[:-1]), "F": len(levels) - 1, "K": prod(levels[:-1]), "N": levels[-1]},
        **{"G": edges.size - 1, "E": max(model.shares.edges.size - 1, 2), "W": len(WINDOWS)},
    }
    rules = RULES | {
        "levels": ("name levels", lambda a: (a >= 0) & (a < np.array(levels[:-1])) if a.size else True),
        "zones": _codes(zones),
        "size classes": _codes(sizes[0]),
        "in cells": ("lie in their cells", lambda a: _inside(edges, np.exp(a.reshape(len(a), -1)))),
        "widths": (
            "be the widths between nodes",
            lambda a: np.isclose(np.exp(a[:-1, 0]) * grid.nodes.shape[-1], np.diff(np.log(edges[:-1])), rtol=1e-6),
        ),
        "cell classes": ("be the size class of each cell", lambda a: a == own.class_of(np.exp(grid.centres))),
    }
    yield from _checks(type(model), model, "model", many, rules)


def _checks(kind: Any, value: Any, name: str, many: dict[str, Any], rules: Mapping[str, Told]) -> Iterator[Check]:
    """Give the checks of a value of an annotated type.

    `many` says how many there are of what the letters of shapes stand for, a list where that differs from item to item
    of a tuple; small letters are whatever they are in the first array of their dataclass, two at least.
    """
    shape, named = "", list[str]()
    if get_origin(kind) is Annotated:
        shape, *named = kind.__metadata__
        kind = get_args(kind)[0]
    if isinstance(value, Network):
        yield from _network(name, value, many[shape])
    elif is_dataclass(value):
        many = dict(many)
        for item, inner in get_type_hints(type(value), include_extras=True).items():
            yield from _checks(inner, getattr(value, item), f"{name}.{item}", many, rules)
    elif isinstance(value, tuple):
        count = next(len(known) for letter in shape if isinstance(known := many.get(letter), list))
        yield Check(f"{name}.len", (), _equal(count))
        for at, one in enumerate(value[:count]):
            here = {
                letter: known[at] if isinstance(known, list) and len(known) == count else known
                for letter, known in many.items()
            }
            yield from _checks(Annotated[(get_args(kind)[0], shape, *named)], one, f"{name}.{at}", here, rules)
    elif value is not None:
        yield Check(name, _shape(shape.split(), np.shape(value), many), *(rules[rule] for rule in named))


def _shape(dims: Sequence[str], found: tuple[int, ...], many: dict[str, Any]) -> tuple[int, ...]:
    for letter, length in zip(dims, found, strict=False):
        if letter.islower():
            many.setdefault(letter, max(length, 2) if len(found) == len(dims) else 2)
    return tuple(int(dim) if dim.isdigit() else many[dim[0]] + int(dim[1:] or 0) for dim in dims)


def _network(name: str, network: Network, outputs: int) -> Iterator[Check]:
    inputs, layers = max(network.location.size, 1), len(network.weights)
    yield Check(f"{name}.location", (inputs,))
    yield Check(f"{name}.scale", (inputs,), RULES["positive"])
    yield Check(f"{name}.weights.len", (), ("be 1 or more", lambda a: a >= 1))
    yield Check(f"{name}.biases.len", (), _equal(layers))
    for layer in range(layers):
        width = outputs if layer == layers - 1 else int(network.biases[layer].size)
        yield Check(f"{name}.weights.{layer}", (inputs, width))
        yield Check(f"{name}.biases.{layer}", (width,))
        inputs = width


def _are_chances(a: Array) -> bool:
    return bool((a >= 0).all() and abs(a.sum() - 1.0) < 1e-6)


def _inside(edges: Array, a: Array) -> Array:
    """Return whether sizes (n_cells, m) lie between the edges of their cells; the last cell may be open."""
    out: Array = (a > edges[:-1, None] * (1 - 1e-9)) & (a < edges[1:, None] * (1 + 1e-9))
    return out


def _symmetric(a: Array, least: float) -> bool:
    size = np.abs(a).max(initial=1e-300)
    return bool(np.allclose(a, a.T, atol=1e-8 * size) and np.linalg.eigvalsh(a).min(initial=np.inf) >= least * size)


def _equal(count: int) -> Told:
    return f"be {count}, as the manifest says", lambda a: a == count


def _codes(count: int) -> Told:
    return f"lie in 0 to {count - 1}", lambda a: (a >= 0) & (a < count)


RULES: dict[str, Told] = {
    "positive": ("be above 0", lambda a: a > 0),
    "increase": ("increase", lambda a: np.diff(a) > 0),
    "rise": ("rise in every row", lambda a: np.diff(a) >= 0),
    "share": ("lie in 0 to 1", lambda a: (a >= 0) & (a <= 1)),
    "positive share": ("lie in 0 to 1", lambda a: (a > 0) & (a <= 1)),
    "between": ("lie between 0 and 1", lambda a: (a > 0) & (a < 1)),
    "tail": ("lie in 0 to 0.5", lambda a: (a >= 0) & (a <= 0.5)),
    "moderate": ("stay below 100", lambda a: np.abs(a) <= 100),
    "about 0": ("lie about 0", lambda a: (a[0] < 0) & (a[1] > 0)),
    "chances": ("be chances that add up to 1", _are_chances),
    "shares": (
        "be shares above 0 that add up to 1",
        lambda a: (a > 0) & (np.abs(a.sum(axis=-1, keepdims=True) - 1.0) < 1e-6),
    ),
    "covariance": ("be symmetric and positive definite", lambda a: _symmetric(a, 1e-12)),
    "spread": ("be symmetric, without a negative direction", lambda a: _symmetric(a, -1e-9)),
}
