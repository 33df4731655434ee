"""The arrays of a release: dataclasses to flat names and back, so that nothing in it can run, and what they must be.

`checks_of` lists every array with its shape and its rule, each by itself and all beside each other: no model is used
half right. The generic part (types, and that every number is finite) comes from the dataclasses and needs no line here.
A new array of the model wants one line in `checks_of`: a test names it where the line is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import ReleaseError
from kpfootprint.scheme import Scheme, SieveSet
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.networks import Network
from kpfootprint.stats.ranks import RankTable
from kpfootprint.stats.structure import SizeGrid, Structure
from kpfootprint.stats.summaries import WINDOWS
from kpfootprint.stats.tables import TableModel

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


Array = NDArray[Any]
Rule = Callable[[Array], Any]
MAY_BE_INFINITE = frozenset({"model.structure.grid.edges"})


@dataclass(frozen=True, slots=True)
class Check:
    """Name, shape and rule of one array; `said` completes "must"."""

    name: str
    shape: tuple[int, ...]
    said: str = "be finite"
    rule: Rule = np.isfinite


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
    for check in checks_of(model, scheme, zones, levels):
        array = arrays[check.name] if check.name in arrays else np.array(_at(model, check.name))
        if array.shape != check.shape:
            raise ReleaseError(
                "{name} has the shape {shape}; beside the other arrays it is {wanted}",
                name=check.name,
                shape=array.shape,
                wanted=check.shape,
            )
        with np.errstate(all="ignore"):
            if not np.all(check.rule(array)):
                raise ReleaseError("{name} must {said}", name=check.name, said=check.said)


def checks_of(model: FootprintModel, scheme: Scheme, zones: int, levels: tuple[int, ...]) -> Iterator[Check]:
    """Give what every array of a model must be."""
    yield from _structure(model.structure, scheme)
    sizes, dim = len(scheme.size.sieve_set.classes), model.structure.n_parameters
    yield Check("model.predictor.sources", (zones, dim))
    yield Check("model.predictor.scales", (zones,), *POSITIVE)
    combinations = int(np.prod(levels[:-1]))
    yield Check(
        "model.predictor.combinations",
        (combinations, len(levels) - 1),
        "name levels",
        lambda a: (a >= 0) & (a < np.array(levels[:-1])) if a.size else True,
    )
    yield Check("model.predictor.shifts", (combinations, dim))
    yield Check("model.predictor.priors.len", (), *_equal(len(levels) - 1))
    for f, count in enumerate(levels[:-1]):
        yield Check(f"model.predictor.priors.{f}", (count,), "be chances that add up to 1", _are_chances)
    yield Check("model.predictor.last", (levels[-1], dim))
    yield Check("model.predictor.within", (dim, dim), *COVARIANCE)
    yield Check("model.predictor.within_unknown", (dim, dim), *COVARIANCE)
    yield Check("model.predictor.mean", (dim,))
    yield Check("model.predictor.between", (dim, dim), *SPREAD)
    yield Check("model.predictor.neighbours", (dim, dim), *SPREAD)
    yield Check("model.bands", (sizes,), *_codes(sizes))
    yield from _network("model.gate", model.gate, len(WINDOWS))
    bins = model.shares.edges.size - 1
    yield from _network("model.shares.network", model.shares.network, bins)
    yield Check("model.shares.edges", (max(bins, 2) + 1,), *INCREASING)
    for name, table in (
        ("model.shares.none", model.shares.none),
        ("model.shares.none_blend", model.shares.none_blend),
        ("model.shares.as_declared", model.shares.as_declared),
        ("model.shares.as_declared_blend", model.shares.as_declared_blend),
        ("model.shares.association", model.shares.association),
        ("model.novelty", model.novelty),
    ):
        yield from _ranks(name, table)
    if model.shares.goods_p is not None:
        yield Check("model.shares.goods_p", (), "lie in 0 to 1", _within(0.0, 1.0))
    yield Check("model.shares.widening_ln_n", (max(model.shares.widening.size, 1),), *INCREASING)
    yield Check("model.shares.widening", (max(model.shares.widening.size, 1),), "lie in 0 to 0.5", _within(0.0, 0.5))
    yield Check("model.calibration.coefficients", (4,))
    drawn = max(len(model.resampled_sources), 1)
    yield Check("model.calibration.resampled", (drawn, 4))
    yield Check("model.calibration.centre", ())
    yield Check("model.calibration.scale", (), *POSITIVE)
    yield Check("model.calibration.limits", (2,), *INCREASING)
    yield Check("model.calibration.bounds", (2,), "lie about 0", lambda a: (a[0] < 0) & (a[1] > 0))
    if model.sets is not None:
        yield from _ranks("model.sets", model.sets)
    if model.sets is None or model.calibration.set_threshold is not None:
        yield Check(
            "model.calibration.set_threshold", (), "lie in 0 to 1", lambda a: a.dtype.kind == "f" and 0 <= a <= 1
        )
    if model.calibration.offset_spread is not None:
        yield Check("model.calibration.offset_spread", (), *POSITIVE)
    yield Check("model.detection", (6,))
    points = len(model.ordination.points)
    yield Check("model.ordination.axes", (dim, 2))
    yield Check("model.ordination.points", (points, 2))
    yield Check("model.ordination.source", (points,), *_codes(zones))
    yield Check("model.resampled_sources", (drawn, zones, dim))
    yield Check("model.n_reference", (zones,), *POSITIVE)
    yield Check("model.largest", (), *POSITIVE)
    if model.goods is not None:
        yield from _network("model.goods.network", model.goods.network, bins)
        yield from _ranks("model.goods.ranks", model.goods.ranks)
    if model.novelty_weight is not None:
        yield Check("model.novelty_weight", (), "lie in 0 to 1", _within(0.0, 1.0))
    if model.tables is not None:
        yield from _tables(model.tables, [sizes, *model.structure.n_classes], zones, drawn)


def _tables(model: TableModel, classes: list[int], zones: int, drawn: int) -> Iterator[Check]:
    yield Check("model.tables.weight", (), "lie in 0 to 1", _within(0.0, 1.0))
    if model.vote is not None:
        yield Check("model.tables.vote", (), "lie in 0 to 1", _within(0.0, 1.0))
    for name in ("tables", "resampled"):
        yield Check(f"model.tables.{name}.len", (), *_equal(len(classes)))
    for a, (_, count) in enumerate(zip(model.tables, classes, strict=False)):
        yield Check(f"model.tables.tables.{a}.shares", (zones, count), *SHARES)
        yield Check(f"model.tables.tables.{a}.unlisted", (count,), *SHARES)
        yield Check(f"model.tables.tables.{a}.within", (), "lie between 0 and 1", lambda a: (a > 0) & (a < 1))
        yield Check(f"model.tables.tables.{a}.known", (zones + 1,), *POSITIVE)
        yield Check(f"model.tables.resampled.{a}", (drawn, zones, count), *SHARES)


def _structure(structure: Structure, scheme: Scheme) -> Iterator[Check]:
    grid, own = structure.grid, scheme.size.sieve_set
    cells, sizes = grid.n_cells, len(own.classes)
    classes = [len(item.classes) for item in scheme.categorical]
    yield Check("model.structure.grid.edges", (cells + 1,), *INCREASING)
    nodes = grid.nodes.shape[1] if grid.nodes.ndim == 2 else 0
    yield Check("model.structure.grid.nodes", (cells, max(nodes, 1)), "lie in their cells", _inside(grid.edges))
    yield Check("model.structure.grid.log_widths", (cells, 1), "be the widths between nodes", _widths(grid))
    yield Check(
        "model.structure.grid.centres", (cells,), "lie in their cells", lambda a: _inside(grid.edges)(a[:, None])
    )
    yield Check("model.structure.class_of_cell", (cells,), "be the size class of each cell", _classes(grid, own))
    yield Check("model.structure.class_x", (sizes,), *INCREASING)
    for name in ("slopes", "bases", "class_prior_means", "class_prior_precisions"):
        yield Check(f"model.structure.{name}.len", (), *_equal(len(classes)))
    for a, count in enumerate(classes):
        yield Check(f"model.structure.slopes.{a}", (count,))
        yield Check(f"model.structure.bases.{a}", (count, count - 1))
        yield Check(f"model.structure.class_prior_means.{a}", (count - 1,))
        yield Check(f"model.structure.class_prior_precisions.{a}", (count - 1, count - 1), *COVARIANCE)
    pairs = [(a, b) for a in range(len(classes)) for b in range(a + 1, len(classes))]
    yield Check("model.structure.associations.len", (), *_equal(len(pairs)))
    for position, (a, b) in enumerate(pairs):
        yield Check(
            f"model.structure.associations.{position}", (classes[a], classes[b]), "stay below 100", _within(-100, 100)
        )
    yield Check("model.structure.softness", (), *POSITIVE)
    yield Check("model.structure.edge_mean", ())
    yield Check("model.structure.edge_sd", (), *POSITIVE)
    yield Check("model.structure.size_prior_mean", (2,))
    yield Check("model.structure.size_prior_precision", (2, 2), *COVARIANCE)


def _network(name: str, network: Network, outputs: int) -> Iterator[Check]:
    layers = len(network.weights)
    inputs = network.location.size
    yield Check(f"{name}.location", (max(inputs, 1),))
    yield Check(f"{name}.scale", (max(inputs, 1),), *POSITIVE)
    yield Check(f"{name}.weights.len", (), "be 1 or more", lambda a: a >= 1)
    yield Check(f"{name}.biases.len", (), *_equal(layers))
    for layer in range(layers):
        width = outputs if layer == layers - 1 else int(network.biases[layer].size)
        yield Check(f"{name}.weights.{layer}", (inputs, width))
        yield Check(f"{name}.biases.{layer}", (width,))
        inputs = width


def _ranks(name: str, table: RankTable) -> Iterator[Check]:
    sizes, count = table.quantiles.shape if table.quantiles.ndim == 2 else (0, 0)
    yield Check(f"{name}.ln_n", (max(sizes, 2),), *INCREASING)
    yield Check(f"{name}.quantiles", (max(sizes, 2), max(count, 2)), "rise in every row", lambda a: np.diff(a) >= 0)
    yield Check(f"{name}.floor", (), "lie in 0 to 1", lambda a: (a > 0) & (a <= 1))


def _at(model: FootprintModel, name: str) -> Any:
    found: Any = model
    for part in name.split(".")[1:]:
        found = len(found) if part == "len" else found[int(part)] if part.isdigit() else getattr(found, part)
    return found


POSITIVE: tuple[str, Rule] = ("be above 0", lambda a: a > 0)
SHARES: tuple[str, Rule] = (
    "be shares above 0 that add up to 1",
    lambda a: (a > 0) & (np.abs(a.sum(axis=-1, keepdims=True) - 1.0) < 1e-6),
)
INCREASING: tuple[str, Rule] = ("increase", lambda a: np.diff(a) > 0)


def _equal(count: int) -> tuple[str, Rule]:
    return f"be {count}, as the manifest says", lambda a: a == count


def _codes(count: int) -> tuple[str, Rule]:
    return f"lie in 0 to {count - 1}", lambda a: (a >= 0) & (a < count)


def _classes(grid: SizeGrid, own: SieveSet) -> Rule:
    """Return whether each cell is said to lie in the size class that its middle lies in."""
    return lambda a: a == own.class_of(np.exp(grid.centres))


def _within(low: float, high: float) -> Rule:
    return lambda a: (a >= low) & (a <= high)


def _are_chances(a: Array) -> bool:
    return bool((a >= 0).all() and abs(a.sum() - 1.0) < 1e-6)


def _inside(edges: Array) -> Rule:
    """Return whether log sizes (n_cells, m) lie between the edges of their cells; the last cell may be open."""
    return lambda a: (np.exp(a) > edges[:-1, None] * (1 - 1e-9)) & (np.exp(a) < edges[1:, None] * (1 + 1e-9))


def _widths(grid: SizeGrid) -> Rule:
    """Return whether the nodes stand for the whole width of their cells, but for the last, which may be open."""
    width = np.diff(np.log(grid.edges[:-1]))
    return lambda a: np.isclose(np.exp(a[:-1, 0]) * grid.nodes.shape[-1], width, rtol=1e-6)


def _symmetric(a: Array, least: float) -> bool:
    size = np.abs(a).max(initial=1e-300)
    return bool(np.allclose(a, a.T, atol=1e-8 * size) and np.linalg.eigvalsh(a).min(initial=np.inf) >= least * size)


COVARIANCE: tuple[str, Rule] = ("be symmetric and positive definite", lambda a: _symmetric(a, 1e-12))
SPREAD: tuple[str, Rule] = ("be symmetric, without a negative direction", lambda a: _symmetric(a, -1e-9))
