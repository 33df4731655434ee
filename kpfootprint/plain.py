"""Dataclasses as JSON has them, and back; numbers are rounded once and here: digits by kind, orders and sums kept.

========================  ==========================================
log10 LRs and shares      3 decimals
fractions, probabilities  4 decimals
p-values                  4 significant digits
carats, millimetres       3 decimals
map coordinates           3 decimals
``Annotated[float, k]``   k decimals
========================  ==========================================

Rounding to a fixed number of decimals is monotone, so ``low <= estimate <= high`` survives it. Sums do not survive it
by themselves: `parts` rounds shares by largest remainder, so that their decimals add up to the rounded total.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from functools import cache, partial
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

LOG10_DECIMALS = 3
FRACTION_DECIMALS = 4
P_DIGITS = 4


def day_in(text: str) -> date:
    """Return the day that a text writes as YYYY-MM-DD, and no other way that ISO 8601 knows.

    >>> day_in("2024-02-29")
    datetime.date(2024, 2, 29)
    """
    day = date.fromisoformat(text)
    if text != day.isoformat():
        raise ValueError(f"{text!r} is not written as YYYY-MM-DD")
    return day


def decimals(value: float, places: int = 3) -> float:
    """Round to `places` decimals, without a negative zero.

    >>> decimals(-0.0004)
    0.0
    """
    return round(float(value), places) + 0.0


def fraction(value: float) -> float:
    """Round a fraction or a probability; the result stays within 0 and 1.

    Raises
    ------
    ValueError
        Where the value lies outside 0 and 1 by more than rounding explains.
    """
    if not -1e-9 <= value <= 1 + 1e-9:
        raise ValueError(f"a fraction must lie between 0 and 1, got {value!r}")
    return decimals(min(max(float(value), 0.0), 1.0), FRACTION_DECIMALS)


def p_value(value: float) -> float:
    """Round a p-value to four significant digits.

    >>> p_value(0.000123456)
    0.0001235
    """
    if not 0 <= value <= 1 + 1e-9:
        raise ValueError(f"a p-value must lie between 0 and 1, got {value!r}")
    return float(f"{min(float(value), 1.0):.{P_DIGITS}g}")


def two_digits(value: float) -> float:
    """Round to two significant digits."""
    return float(f"{value:.2g}")


def stated(value: float) -> float:
    """Round an amount that somebody stated to three decimals; one that is too small for them does not become nothing.

    >>> stated(152.80049), stated(0.00012345)
    (152.8, 0.00012)
    """
    return decimals(value) or two_digits(value)


Log10 = Annotated[float, LOG10_DECIMALS]
Fraction = Annotated[float, fraction]
PValue = Annotated[float, p_value]
Amount = Annotated[float, 3]
Coordinate = Annotated[float, 3]
Share = Annotated[float, 3]
"""Kinds of numbers, with their decimals or what rounds them; a share is one of the answers of planning, which count on
drawn parcels: more digits would promise too much."""

T = TypeVar("T")
Shapes = Mapping[Any, Callable[[Any], Any]]


def plain(found: Any, shapes: Shapes = MappingProxyType({})) -> Any:
    """Return a dataclass as JSON has it, each number rounded by the kind of its type, days as ISO 8601 writes them.

    Parameters
    ----------
    found : dataclass
        A result; its members may be dataclasses, tuples, mappings, numbers and texts, or None.
    shapes : mapping of type to callable
        What stands for dataclasses that JSON has in another shape.
    """
    kind: Any = type(found)
    return _plain(kind)(found, shapes)


@cache
def _plain(kind: Any) -> Callable[[Any, Shapes], Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        (rounds,) = kind.__metadata__
        if isinstance(rounds, int):
            rounds = partial(decimals, places=rounds)
        return lambda value, _: rounds(value)
    if origin in (Union, UnionType) and NoneType in arguments and len(arguments) == 2:
        (given,) = (_plain(item) for item in arguments if item is not NoneType)
        return lambda value, shapes: None if value is None else given(value, shapes)
    if origin is tuple:
        item = _plain(arguments[0])
        return lambda value, shapes: [item(one, shapes) for one in value]
    if origin in (Mapping, dict):
        item = _plain(arguments[1])
        return lambda value, shapes: {name: item(one, shapes) for name, one in value.items()}
    if is_dataclass(kind):
        inner = [(name, _plain(hint)) for name, hint in get_type_hints(kind, include_extras=True).items()]

        def members(value: Any, shapes: Shapes) -> Any:
            if kind in shapes:
                return shapes[kind](value)
            return {name: part(getattr(value, name), shapes) for name, part in inner}

        return members
    if kind is date:
        return lambda value, _: value.isoformat()
    if kind is float:
        raise TypeError("a number that stands in a report needs a kind, which says how it is rounded")
    return lambda value, _: value


def built(kind: type[T], document: Any) -> T:
    """Return what `plain` made of a value of this kind; members that the kind does not have are passed over.

    Members that are built already stay as they are.

    Raises
    ------
    KeyError
        Where a member is missing that has no default.
    """
    out: T = _built(kind, document)
    return out


def _built(kind: Any, document: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        (given,) = (item for item in arguments if item is not NoneType)
        return None if document is None else _built(given, document)
    if origin is tuple and arguments[-1] is ...:
        return tuple(_built(arguments[0], item) for item in document)
    if origin is tuple:
        return tuple(_built(item, one) for item, one in zip(arguments, document, strict=True))
    if is_dataclass(kind) and isinstance(kind, type) and not isinstance(document, kind):
        members = _members(kind)
        names = [name for name, (_, needed) in members.items() if needed or name in document]
        return kind(**{name: _built(members[name][0], document[name]) for name in names})
    return day_in(document) if kind is date else document


@cache
def _members(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Return the type of each member of a dataclass, and whether one must be given."""
    hints = get_type_hints(kind)
    return {f.name: (hints[f.name], f.default is MISSING and f.default_factory is MISSING) for f in fields(kind)}


def parts(values: Sequence[float], total: float, places: int) -> list[float]:
    """Round `values` so that their decimals add up exactly to `total` rounded to `places` decimals.

    Largest remainder: every value is rounded down, and the units still missing go to the largest remainders, the
    earlier value first where two are equal. No value moves by more than one unit.

    Raises
    ------
    ValueError
        Where the values do not sum to the total within what rounding explains.

    Examples
    --------
    >>> parts([0.1114, 0.1114, 0.1114], 0.3342, 3)
    [0.112, 0.111, 0.111]
    """
    unit = 10**places
    if abs(sum(values) - total) * unit > 0.5:
        raise ValueError(f"shares {list(values)} sum to {sum(values)!r}, not to their total {total!r}")
    target = round(decimals(total, places) * unit)
    floors = [int(value * unit // 1) for value in values]
    missing = target - sum(floors)
    order = sorted(range(len(values)), key=lambda i: (floors[i] - values[i] * unit, i))
    whole = [(missing // len(values)) if values else 0] * len(values)
    for i in order[: missing - sum(whole)]:
        whole[i] += 1
    return [decimals((low + more) / unit, places) for low, more in zip(floors, whole, strict=True)]
