from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.conclusions import CONCLUSIONS, REASONS, Rules, Signs, conclude, reasons_for

RULES = Rules(
    minimum_stones=40,
    query_log10_lr=-1.0,
    query_share_p=0.005,
    query_share_low=0.1,
    query_novelty_p=0.005,
    consistent_log10_lr=0.5,
    consistent_share_p=0.05,
    consistent_best_p=0.2,
    consistent_novelty_p=0.03,
    strong_novelty_p=0.15,
)


def signs(**values: float) -> Signs:
    return Signs(**{name: np.array([value]) for name, value in values.items()})


def word(
    n: float = 500,
    lr: float = 2.0,
    share_p: float = 0.5,
    low: float = 0.0,
    novelty_p: float = 0.5,
    as_declared_p: float = 0.5,
    best_p: float = 0.5,
) -> str:
    seen = signs(
        log10_lr=lr, share_p=share_p, share_low=low, as_declared_p=as_declared_p, best_p=best_p, novelty_p=novelty_p
    )
    return CONCLUSIONS[int(conclude(RULES, seen, np.array([n]))[0])]


def test_a_parcel_that_reaches_all_is_consistent() -> None:
    assert word() == "consistent"
    assert word(lr=0.5, share_p=0.05, novelty_p=0.03, n=40) == "consistent"


def test_each_threshold_alone_takes_consistent_away() -> None:
    assert word(lr=0.499) == "inconclusive"
    assert word(share_p=0.049) == "inconclusive"
    assert word(as_declared_p=0.049) == "inconclusive"
    assert word(best_p=0.199) == "inconclusive"
    assert word(novelty_p=0.029) == "inconclusive"


def test_each_query_alone_is_a_query() -> None:
    assert word(lr=-1.0) == "query"
    assert word(share_p=0.005, low=0.1) == "query"
    assert word(novelty_p=0.005) == "query"


def test_undeclared_goods_are_queried_only_where_both_are_reached() -> None:
    assert word(share_p=0.004, low=0.099) == "inconclusive"
    assert word(share_p=0.006, low=0.5) == "inconclusive"


@given(st.floats(-5, 5), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_handful_of_stones_is_never_comparable(lr: float, share_p: float, low: float, novelty_p: float) -> None:
    assert word(39, lr, share_p, low, novelty_p) == "not_comparable"


@given(st.floats(-5, 5), st.floats(0, 3), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_lr_is_never_judged_harder(
    lr: float, more: float, share_p: float, low: float, novelty_p: float
) -> None:
    order = ["query", "inconclusive", "consistent"]
    before, after = word(500, lr, share_p, low, novelty_p), word(500, lr + more, share_p, low, novelty_p)
    assert order.index(after) >= order.index(before)


def test_rules_come_back_from_json() -> None:
    assert Rules.from_json(asdict(RULES)) == RULES
    assert Rules.from_json({**asdict(RULES), "unknown": 1.0}) == RULES
    assert replace(RULES, minimum_stones=10) != RULES
    with pytest.raises(KeyError):
        Rules.from_json({"minimum_stones": 3.0})


@given(
    log10_lr=st.floats(-3, 3),
    share_p=st.floats(0, 1),
    share_low=st.floats(0, 1),
    as_declared_p=st.floats(0, 1),
    best_p=st.floats(0, 1),
    novelty_p=st.floats(0, 1),
    n_stones=st.integers(1, 3000),
)
def test_a_conclusion_that_needs_a_reason_has_one(
    log10_lr: float,
    share_p: float,
    share_low: float,
    as_declared_p: float,
    best_p: float,
    novelty_p: float,
    n_stones: int,
) -> None:
    seen = signs(
        log10_lr=log10_lr,
        share_p=share_p,
        share_low=share_low,
        as_declared_p=as_declared_p,
        best_p=best_p,
        novelty_p=novelty_p,
    )
    conclusion = CONCLUSIONS[int(conclude(RULES, seen, np.array([float(n_stones)]))[0])]
    reasons = reasons_for(RULES, conclusion, seen)
    assert bool(reasons) == (conclusion in ("query", "inconclusive"))
    assert set(reasons) <= set(REASONS)
    if conclusion == "query":
        assert ("lr" in reasons) == (log10_lr <= RULES.query_log10_lr)
        assert ("novelty" in reasons) == (novelty_p <= RULES.query_novelty_p)
