from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kpfootprint.errors import ReleaseError
from kpfootprint.release.arrays import pack, unpack


@dataclass(frozen=True)
class Inner:
    values: NDArray[np.float64]
    weight: float


@dataclass(frozen=True)
class Outer:
    inner: Inner
    many: tuple[Inner, ...]
    count: int
    maybe: NDArray[np.float64] | None
    nested: Inner | None


def an_outer(size: int, n: int, weight: float, *, present: bool) -> Outer:
    values = np.linspace(0, 1, size)
    return Outer(
        inner=Inner(values=values, weight=weight),
        many=tuple(Inner(values=values * k, weight=float(k)) for k in range(n)),
        count=n,
        maybe=values if present else None,
        nested=Inner(values=values + 1, weight=2.0) if present else None,
    )


@given(st.integers(0, 4), st.integers(0, 3), st.floats(allow_nan=False), st.booleans())
def test_unpack_undoes_pack(size: int, n: int, weight: float, present: bool) -> None:
    value = an_outer(size, n, weight, present=present)
    arrays = pack(value)
    again = unpack(Outer, arrays)
    assert pack(again).keys() == arrays.keys()
    for name, array in pack(again).items():
        np.testing.assert_array_equal(array, arrays[name])
    assert (again.count, again.inner.weight, len(again.many)) == (n, weight, n)
    assert (again.maybe is None) == (again.nested is None) == (not present)


def test_arrays_come_back_read_only() -> None:
    again = unpack(Outer, pack(an_outer(3, 1, 0.5, present=True)))
    with pytest.raises(ValueError, match="read-only"):
        again.inner.values[0] = 9.0


def test_a_missing_array_is_named() -> None:
    arrays = pack(an_outer(2, 2, 0.5, present=False))
    del arrays["model.many.1.values"]
    with pytest.raises(ReleaseError, match=r"no array 'model\.many\.1\.values'"):
        unpack(Outer, arrays)


@pytest.mark.parametrize("value", ["text", [1.0], {"a": 1}, object(), b"bytes"])
def test_only_plain_numbers_are_packed(value: object) -> None:
    with pytest.raises(TypeError, match="cannot pack"):
        pack(value)
