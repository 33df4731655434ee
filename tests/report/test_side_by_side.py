"""Reports side by side."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kpfootprint.parcel import Conditions
from kpfootprint.report import Report, build_report, compare_side_by_side
from tests.report.factory import (
    CREATED_AT,
    KINDS,
    make_examination,
    make_model,
    make_parcel,
    make_report,
    make_verification,
)


def by_sorter(sorter: str, kind: str) -> Report:
    parcel = replace(make_parcel("query"), parcel_id="P-1", conditions=Conditions(sorter=sorter))
    return build_report(parcel, make_examination(kind), make_model(), created_at=CREATED_AT)  # type: ignore[arg-type]


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)).split())


def test_one_parcel_under_two_sorters() -> None:
    page = plain(compare_side_by_side([by_sorter("S1", "consistent"), by_sorter("S2", "inconclusive")]))
    assert "The reports differ in: Declared and Sorter." in page
    assert "The conclusion changes: A: Consistent with what was declared; B: Inconclusive." in page
    assert "lie at most 2.01 apart" in page
    assert "car-rough 1.0.0, synthetic" in page
    assert "wrongly queried4.0%4.0%" in page.replace(" ", "").replace("wronglyqueried", "wrongly queried")


def test_an_interval_that_is_held_at_a_bound_is_not_shown_as_one_without_width() -> None:
    found = make_verification("consistent")
    held = replace(found, log10_lr=found.bounds[1], low=found.bounds[1], high=found.bounds[1], bound_hit="upper")
    page = plain(compare_side_by_side([make_report(verification=held), make_report()]))
    assert "Intervalall held at the bound" in page.replace(" ", " ")


def test_what_misleads_most_stands_with_the_other_rates() -> None:
    page = plain(compare_side_by_side([make_report(), make_report("query")]))
    assert "declared as suits them best, called consistent" in page


def test_the_same_conclusion_is_said_to_be_the_same() -> None:
    page = plain(compare_side_by_side([make_report("query"), make_report("query")], "fr"))
    assert "ne diff\u00e8rent en rien" in page
    assert "La conclusion est la m\u00eame dans tous" in page


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_kind_stands_beside_every_other(lang: str) -> None:
    reports = [make_report(kind) for kind in KINDS]
    page = compare_side_by_side(reports, lang)
    assert f'<html lang="{lang}">' in page
    assert page == compare_side_by_side(reports, lang)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for report in reports:
        assert report.report_id in page
    for caution in reports[1].content["cautions"]:
        assert lang == "fr" or caution["text"] in plain(page)
    assert '<th scope="col">F</th>' in page


def test_many_reports_have_letters_enough() -> None:
    assert '<th scope="col">AB</th>' in compare_side_by_side([make_report()] * 28)
    captions = plain(compare_side_by_side([make_report()] * 6))
    assert "(A\u2013E)" in captions
    assert "(F)" in captions


def test_one_report_stands_beside_nothing() -> None:
    with pytest.raises(ValueError, match="two reports or more"):
        compare_side_by_side([make_report()])
