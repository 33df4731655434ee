"""Laws of rounding: sums and orders survive it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint import plain as rounding
from kpfootprint.plain import Fraction, Log10, PValue

finite = st.floats(min_value=-50, max_value=50, allow_nan=False)


@given(st.lists(finite, min_size=1, max_size=8))
def test_parts_add_up_as_written_and_move_by_a_unit_at_most(values: list[float]) -> None:
    total = sum(values)
    parts = rounding.parts(values, total, 3)
    assert sum(Decimal(repr(part)) for part in parts) == Decimal(repr(rounding.decimals(total, 3)))
    assert all(abs(part - value) < 0.001 + 1e-9 for part, value in zip(parts, values, strict=True))


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=30).filter(lambda v: sum(v) > 0.01))
def test_rounded_probabilities_stay_probabilities(weights: list[float]) -> None:
    parts = rounding.parts([weight / sum(weights) for weight in weights], 1.0, 4)
    assert sum(Decimal(repr(part)) for part in parts) == 1
    assert all(0 <= part <= 1 for part in parts)


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=3, max_size=3))
def test_order_survives(values: list[float]) -> None:
    low, estimate, high = (rounding.fraction(value) for value in sorted(values))
    assert 0 <= low <= estimate <= high <= 1


@given(st.floats(min_value=0, max_value=1))
def test_p_values_keep_four_digits(value: float) -> None:
    assert rounding.p_value(value) == pytest.approx(value, rel=5.1e-4, abs=1e-300)


def test_parts_refuse_shares_that_do_not_make_their_total() -> None:
    with pytest.raises(ValueError, match="not to their total"):
        rounding.parts([0.5, 0.6], 1.0, 3)


@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_fractions_outside_nought_and_one_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        rounding.fraction(value)
    with pytest.raises(ValueError, match="between 0 and 1"):
        rounding.p_value(value)


def test_no_negative_zero() -> None:
    assert str(rounding.decimals(-0.0001)) == "0.0"


@dataclass(frozen=True, kw_only=True)
class Inner:
    p: PValue


@dataclass(frozen=True, kw_only=True)
class Outer:
    lr: Log10
    share: Fraction | None
    pairs: tuple[tuple[Fraction, Fraction], ...]
    inner: Inner


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    share: float


def test_a_number_is_rounded_by_its_kind_wherever_it_stands() -> None:
    found = Outer(lr=-0.00049, share=None, pairs=((0.12344, 0.12346),), inner=Inner(p=0.000123456))
    plain = rounding.plain(found, {})
    assert plain == {"lr": 0.0, "share": None, "pairs": [[0.1234, 0.1235]], "inner": {"p": 0.0001235}}
    assert rounding.plain(found, {Inner: lambda inner: [inner.p]})["inner"] == [0.000123456]


def test_a_number_of_no_kind_stands_in_no_report() -> None:
    with pytest.raises(TypeError, match="needs a kind"):
        rounding.plain(Forgotten(share=0.5), {})
