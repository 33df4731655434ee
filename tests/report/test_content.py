"""The content: its schema, its invariants, its id."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kpfootprint.comparison.results import ErrorRate, Explanation, VarianceLR
from kpfootprint.errors import ReportError
from kpfootprint.report import build_report, read_report, render_html, render_pdf, render_text
from kpfootprint.report.locale import names, words
from kpfootprint.report.report import KNOWN_SCHEMA_VERSIONS, canonical, declared_status, in_full, seal
from kpfootprint.report.schema import report_schema
from kpfootprint.report.sentences import say
from tests.report.factory import CREATED_AT, KINDS, Kind, make_examination, make_model, make_parcel, make_report


def statements(found: Any) -> list[dict[str, Any]]:
    """Return every statement in a document, wherever it stands."""
    if isinstance(found, dict):
        here = [found] if {"code", "values", "text"} == set(found) else []
        return here + [one for value in found.values() for one in statements(value)]
    return [one for value in found for one in statements(value)] if isinstance(found, list) else []


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_holds(kind: Kind) -> None:
    jsonschema.Draft202012Validator(report_schema()).validate(make_report(kind).content)


def test_the_schema_refuses_a_misspelt_member_and_a_fraction_above_one() -> None:
    validator = jsonschema.Draft202012Validator(report_schema())
    content = make_report().content
    assert not validator.is_valid({**content, "verificaton": None})
    content["mixture"]["detection_limit"] = 1.2
    assert not validator.is_valid(content)


def test_every_known_version_has_a_schema() -> None:
    for version in KNOWN_SCHEMA_VERSIONS:
        assert report_schema(version)["properties"]["schema_version"] == {"const": version}


@pytest.mark.parametrize("kind", ["consistent", "query", "inconclusive"])
def test_shapley_shares_add_up_exactly_as_written(kind: Kind) -> None:
    content = make_report(kind).content
    shares = [Decimal(repr(a["log10_lr_share"])) for a in content["explanation"]["attributes"]]
    assert sum(shares) == Decimal(repr(content["verification"]["log10_lr_unbounded"]))


def test_shares_that_do_not_add_up_are_refused() -> None:
    examination = make_examination()
    explanation = examination.explanation
    assert isinstance(explanation, Explanation)
    wrong = replace(examination, explanation=replace(explanation, attributes=(("size", 9.0),)))
    with pytest.raises(ValueError, match="total"):
        build_report(make_parcel(), wrong, make_model(), created_at=CREATED_AT)


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_are_ordered_and_chances_add_up(kind: Kind) -> None:
    content = make_report(kind).content
    if content["mixture"] is not None:
        for found in (content["mixture"]["undeclared_stone_fraction"], *content["mixture"]["sources"]):
            assert 0 <= found["low"] <= found["estimate"] <= found["high"] <= 1
    if content["verification"] is not None:
        found = content["verification"]
        assert found["bounds"][0] <= found["low"] <= found["log10_lr"] <= found["high"] <= found["bounds"][1]
    if content["attribution"] is not None:
        chances = [zone["posterior"] for zone in content["attribution"]["zones"]]
        total = sum(Decimal(repr(p)) for p in (*chances, content["attribution"]["unlisted_posterior"]))
        assert total == 1


def test_the_contract_is_kept_to_the_letter() -> None:
    content = make_report("query").content
    assert set(content) == {
        *("schema_version", "report_id", "created_at", "software", "model", "parcel", "status", "verification"),
        *("attribution", "mixture", "novelty", "explanation", "conclusion", "error_rates", "goods", "cautions"),
    }
    assert content["parcel"]["declared"][1] == {
        "zone_id": "carnot",
        "carats": 40.2,
        "status_on_export_date": "suspended",
    }
    assert content["created_at"] == "2026-05-03T09:30:00Z"
    assert content["parcel"]["status_on"] == "2026-04-17"
    assert content["explanation"]["classes"][17] == {
        "attribute": "colour",
        "class": "brown",
        "observed": 0.28,
        "expected": 0.13,
        "low": 0.0795,
        "high": 0.1805,
        "contribution": -0.6,
    }
    assert content["mixture"]["undeclared_stone_fraction"] == {
        "estimate": 0.31,
        "low": 0.18,
        "high": 0.44,
        "level": 0.9,
    }


def test_what_cannot_be_had_is_null() -> None:
    content = make_report("nulls").content
    for member in ("verification", "attribution", "mixture", "novelty", "explanation", "error_rates"):
        assert content[member] is None
    assert content["parcel"]["exported_on"] is None
    assert make_report("undeclared").content["conclusion"] is None


def test_the_id_leaves_out_when_the_report_was_made() -> None:
    parcel, examination, model = make_parcel(), make_examination(), make_model()
    first = build_report(parcel, examination, model, created_at=CREATED_AT)
    later = build_report(parcel, examination, model, created_at=CREATED_AT + timedelta(days=400))
    assert first.report_id == later.report_id
    assert first.to_json().replace("2026-05-03T09:30:00Z", "2027-06-07T09:30:00Z") == later.to_json()
    other = build_report(replace(parcel, parcel_id="another"), examination, model, created_at=CREATED_AT)
    assert other.report_id != first.report_id


def test_the_id_is_found_whatever_the_texts_hold() -> None:
    for kind in KINDS:
        assert make_report(kind).report_id == make_report(kind).content["report_id"]
    evil = '","report_id":"sha256:0'
    report = build_report(make_parcel(parcel_id=evil), make_examination(), make_model(), created_at=CREATED_AT)
    assert report.report_id == report.content["report_id"] != "sha256:0"


def test_a_time_is_told_in_utc_and_needs_its_zone() -> None:
    there = datetime(2026, 5, 3, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    report = build_report(make_parcel(), make_examination(), make_model(), created_at=there)
    assert report.content["created_at"] == "2026-05-03T09:30:00Z"
    with pytest.raises(ValueError, match="time zone"):
        build_report(make_parcel(), make_examination(), make_model(), created_at=datetime(2026, 5, 3))


@pytest.mark.parametrize("day", [date(1, 1, 1), date(2000, 2, 29), date(9999, 12, 31)])
def test_any_day_can_be_told(day: date) -> None:
    report = build_report(
        make_parcel("consistent", exported_on=day),
        make_examination("consistent", status_on=day),
        make_model(),
        created_at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
    )
    assert report.content["parcel"]["status_on"] == day.isoformat()
    assert str(day.year) in render_text(report, "fr")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_languages_change_nothing_in_the_content(kind: Kind) -> None:
    report = make_report(kind)
    before = report.to_json()
    render_html(report, "fr"), render_text(report, "fr"), render_pdf(report, "fr")
    assert report.to_json() == before == make_report(kind).to_json()


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_is_what_its_code_and_values_say(kind: Kind) -> None:
    content = make_report(kind).content
    english, lang = names(canonical(content["model"]), "en"), words("en")
    found = statements(content)
    assert found
    for statement in found:
        assert statement["text"] == say({"code": statement["code"], "values": statement["values"]}, lang, english)
        assert "{" not in statement["text"]


def test_reading_gives_the_report_back() -> None:
    report = make_report("query")
    assert read_report(report.to_json()) == report
    assert read_report(json.dumps(report.content, indent=3)) == report


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a report"),
        ("{}", "not a report"),
        ('{"schema_version": "9.0", "report_id": ""}', "later version"),
    ],
)
def test_what_is_no_report_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        read_report(text)


def test_an_altered_report_is_refused() -> None:
    content = make_report("query").content
    content["conclusion"] = "consistent"
    with pytest.raises(ReportError, match="altered"):
        read_report(json.dumps(content))


def test_nothing_in_a_report_can_be_changed() -> None:
    report = make_report()
    report.content["parcel"]["parcel_id"] = "forged"
    assert report.content["parcel"]["parcel_id"] == "P-consistent"
    with pytest.raises(FrozenInstanceError):
        report.members = {}  # type: ignore[misc]


def test_a_statement_of_a_later_version_is_said_by_its_own_text() -> None:
    content = make_report().content
    content["cautions"].append({"code": "of_a_later_day", "values": {"n": 1}, "text": "Said later."})
    report = seal(content)
    assert "Said later." in render_text(report, "fr")
    assert "Said later." in render_html(report, "en")


@pytest.mark.slow
def test_a_report_of_schema_1_0_is_read_and_rendered() -> None:
    """It was written before 1.1 existed; what it lacks is null or follows from what it has."""
    path = Path(__file__).parents[1] / "golden" / "report_of_schema_1.0.json"
    report = read_report(path.read_text(encoding="utf-8"))
    assert report.content["schema_version"] == "1.0"
    jsonschema.Draft202012Validator(report_schema("1.0")).validate(report.content)
    for lang in ("en", "fr"):
        assert "Berb\u00e9rati" in render_text(report, lang)
        assert "Berb\u00e9rati" in render_html(report, lang)
        assert render_pdf(report, lang).startswith(b"%PDF")
    full = in_full(report.content)
    assert full["status"] == {"day": "2026-04-17", "declared": "mixed"}
    assert full["verification"]["by_variance"] is None


def test_what_1_1_adds_stands_in_the_report() -> None:
    examination = make_examination("query")
    assert examination.verification is not None
    assert examination.error_rates is not None
    more = replace(
        examination,
        verification=replace(
            examination.verification,
            by_variance=tuple(VarianceLR(factor=f, log10_lr=-1.70361 / f) for f in (1.0, 3.0, 10.0)),
        ),
        error_rates=replace(
            examination.error_rates,
            declarants_who_try=ErrorRate(rate=0.05, low=0.02, high=0.1, errors=5, trials=100),
        ),
    )
    parcel = replace(make_parcel("query"), read_as={"rows": 612, "passed_over": ["remark"]})
    content = build_report(parcel, more, make_model(), created_at=CREATED_AT).content
    jsonschema.Draft202012Validator(report_schema()).validate(content)
    assert content["status"] == {"day": "2026-04-17", "declared": "mixed"}
    assert content["parcel"]["n_stones_graded"] == make_parcel("query").n_stones_graded("size")
    assert content["parcel"]["read_as"] == {"rows": 612, "passed_over": ["remark"]}
    assert content["verification"]["by_variance"][1] == {"factor": 3.0, "log10_lr": -0.568}
    assert content["error_rates"]["declarants_who_try"]["errors"] == 5


@pytest.mark.parametrize(
    ("statuses", "declared"),
    [
        ([], None),
        (["compliant", "compliant"], "compliant"),
        (["suspended"], "not_compliant"),
        (["compliant", "suspended"], "mixed"),
        (["suspended", None], "mixed"),
        (["compliant", "not_covered"], "unknown"),
        ([None], "unknown"),
    ],
)
def test_the_status_of_a_declaration(statuses: list[str | None], declared: str | None) -> None:
    assert declared_status(statuses) == declared
