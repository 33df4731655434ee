"""Any parcel that can be read gives a report, however few, large, small or alike its stones are."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpfootprint.comparison.weigh import weigh
from kpfootprint.errors import NotExamined
from kpfootprint.flow import examine, examine_each
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.report import Report, render_html, render_text
from kpfootprint.report.schema import report_schema
from tests.every import every
from tests.test_flow import DAY, NOW, some_parcel
from tests.worlds import shipped

WEIGHTS = (0.001, 0.004, 0.005, 0.01, 0.2, 1.0, 10.79, 10.81, 19.99, 20.0, 25.0, 79.0, 81.0, 500.0, 5000.0)
DECLARED: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"zone_id": "berberati"}],
    [{"zone_id": "mbaiki"}],
    [{"zone_id": "carnot", "carats": 1e-3}, {"zone_id": "bria", "carats": 1e6}],
    [{"zone_id": "boda", "percent": 99.5}, {"zone_id": "lunda-norte", "percent": 0.5}],
    [{"country": "CF", "percent": 60}, {"country": "CD", "percent": 40}],
    [{"country": "CF"}],
)
CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {"bottom_screen_mm": 0.1},
    {"bottom_screen_mm": 100.0},
    {"bottom_screen_mm": 1.8, "specials_removed": True, "sorter": "S3", "selection": "buyer_sorted"},
)
SETS: tuple[list[dict[str, Any]], ...] = (
    [{"size_class": "all", "lower_ct": 0}],
    [{"size_class": "dust", "lower_ct": 0, "upper_ct": 0.004}, {"size_class": "all", "lower_ct": 0.004}],
    [{"size_class": "stones", "lower_ct": 0, "upper_ct": 200}, {"size_class": "rocks", "lower_ct": 200}],
    [{"size_class": "a", "lower_ct": 0.1, "upper_ct": 0.1001}, {"size_class": "b", "lower_ct": 0.1001}],
)


def read(document: dict[str, Any]) -> Parcel:
    """Read a parcel, however unlikely its numbers are: as one that was kept is read again, and never asked about."""
    release = shipped()
    return ingest_json({"parcel_id": "odd", **document}, release.scheme, release.zone_table, sealed=True)


def sound(parcel: Parcel) -> dict[str, Any]:
    """Examine a parcel, and check that its report is whole."""
    (report,) = examine(Batch((parcel,)), shipped(), status_on=DAY, created_at=NOW)
    content: dict[str, Any] = json.loads(json.dumps(report.content, allow_nan=False))
    jsonschema.Draft202012Validator(report_schema()).validate(content)
    if content["mixture"] is not None:
        for name in ("undeclared_stone_fraction", "undeclared_carat_fraction"):
            share = content["mixture"][name]
            assert 0 <= share["low"] <= share["estimate"] <= share["high"] <= 1
    if content["verification"] is not None:
        found = content["verification"]
        assert found["low"] <= found["log10_lr"] <= found["high"]
    assert render_text(report)
    return content


def class_of(draw: st.DrawFn, names: tuple[str, ...], n: int) -> list[str | None] | None:
    kind = draw(st.sampled_from(("none", "one", "any")))
    if kind == "none":
        return None
    if kind == "one":
        return [draw(st.sampled_from(names))] * n
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return [(*names, None)[k] for k in rng.integers(0, len(names) + 1, n)]


@st.composite
def stone_lists(draw: st.DrawFn) -> dict[str, Any]:
    n = draw(st.sampled_from((1, 2, 3, 39, 40, 700)))
    low, high = sorted((draw(st.sampled_from(WEIGHTS)), draw(st.sampled_from(WEIGHTS))))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    weights = np.exp(rng.uniform(np.log(low), np.log(high), n)).clip(0.001, 5000.0)
    stones: dict[str, Any] = {"weight_ct": weights.round(3).tolist()}
    for item in shipped().scheme.categorical:
        stones[item.column] = class_of(draw, item.code_names, n)
    return {
        "stones": stones,
        "declarations": draw(st.sampled_from(DECLARED)),
        "conditions": draw(st.sampled_from(CONDITIONS)),
        "exported_on": draw(st.sampled_from((None, "2016-06-01", "1999-01-01"))),
    }


@st.composite
def sheets(draw: st.DrawFn) -> dict[str, Any]:
    scheme = shipped().scheme
    own = draw(st.sampled_from((None, *SETS)))
    names = scheme.size.sieve_set.classes if own is None else tuple(item["size_class"] for item in own)
    rows = []
    by = draw(st.sampled_from((("size",), ("colour",), ("size", "colour"), ("size", "colour", "morphology"), ())))
    for _ in range(draw(st.integers(1, 5)) if by else 1):
        row: dict[str, Any] = {"breakdown": "one"} if by else {}
        if "size" in by and draw(st.integers(0, 4)):
            row["size_class"] = draw(st.sampled_from(names))
        for item in scheme.categorical:
            if item.name in by:
                row[item.column] = draw(st.sampled_from((*item.code_names, None)))
        row["carats"] = draw(st.sampled_from((0.01, 3.0, 5e5)))
        row["n_stones"] = draw(st.sampled_from((1, 7, 5000, *((None,) if by else ()))))
        rows.append(row)
    document = {
        "counts": rows,
        "declarations": draw(st.sampled_from(DECLARED)),
        "conditions": draw(st.sampled_from(CONDITIONS)),
    }
    return document | ({} if own is None else {"size_classes": own})


@settings(max_examples=12, deadline=None)
@given(stone_lists())
def test_any_stone_list_gives_a_report(document: dict[str, Any]) -> None:
    sound(read(document))


@settings(max_examples=12, deadline=None)
@given(sheets())
def test_any_sheet_gives_a_report(document: dict[str, Any]) -> None:
    sound(read(document))


def test_half_a_ton_of_dust_behind_a_screen_of_a_hand_gives_a_report() -> None:
    """Sixty million stones in one of two classes that overlap: what they tell of sizes is lopsided beyond rounding."""
    row = {"breakdown": "one", "size_class": "dust", "carats": 0.01, "n_stones": 1}
    rest = {**row, "carats": 500_000.0, "n_stones": None}
    limits = [{"size_class": "dust", "lower_ct": 0, "upper_ct": 0.004}, {"size_class": "all", "lower_ct": 0.004}]
    counts = [{"breakdown": "one", "carats": 0.01, "n_stones": 1}, row, rest]
    said = {"declarations": [{"zone_id": "berberati"}], "conditions": {"bottom_screen_mm": 100.0}}
    sound(read({"counts": counts, "size_classes": limits, **said}))


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(st.one_of(stone_lists(), sheets()))
def test_any_parcel_gives_a_report_at_length(document: dict[str, Any]) -> None:
    sound(read(document))


@pytest.mark.slow
@every("weight", WEIGHTS)
def test_stones_all_alike_are_few_or_odd(weight: float) -> None:
    stones = {"weight_ct": [weight] * 60, "colour": ["brown"] * 60, "morphology": ["cube"] * 60}
    content = sound(read({"stones": stones, "declarations": [{"zone_id": "carnot"}]}))
    assert content["conclusion"] != "consistent"


def test_a_very_large_parcel() -> None:
    rng = np.random.default_rng(3)
    names = shipped().scheme.attribute("colour").class_names
    stones = {
        "weight_ct": np.exp(rng.normal(-1.3, 0.8, 100_000)).clip(0.01, 900).round(2).tolist(),
        "colour": [names[k] for k in rng.integers(0, 3, 100_000)],
    }
    content = sound(read({"stones": stones, "declarations": [{"zone_id": "carnot"}]}))
    assert "beyond_calibrated_size" in [item["code"] for item in content["cautions"]]


def test_what_fails_in_one_parcel_is_that_parcels_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    parcels = [some_parcel(seed, n=60) for seed in range(4)]

    def failing(together: Any, release: Any) -> Any:
        if (together.arrays.n_stones == 61).any():
            raise np.linalg.LinAlgError("singular")
        return weigh(together, release)

    monkeypatch.setattr("kpfootprint.flow.weigh", failing)
    parcels[2] = some_parcel(2, n=61)
    found = examine_each(Batch(tuple(parcels)), shipped(), status_on=DAY, created_at=NOW)
    assert [isinstance(item, NotExamined) for item in found] == [False, False, True, False]
    assert isinstance(found[2], NotExamined)
    (problem,) = found[2].problems
    assert (problem.code, problem.table) == ("not_examined", "parcels")
    assert "singular" in problem.reason
    alone = examine(Batch((parcels[0],)), shipped(), status_on=DAY, created_at=NOW)
    assert isinstance(found[0], Report)
    assert found[0].to_json() == alone[0].to_json()
    assert render_html(found[0], "fr")
