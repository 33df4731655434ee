"""Value and volume in the report: a table in both languages, the flag in words, nothing where nothing is known."""

from __future__ import annotations

import jsonschema
import pytest

from kpfootprint.comparison.results import SizeValue, StoneRange, ValueAndVolume, ZoneCarats
from kpfootprint.report import render_html, render_text
from kpfootprint.report.schema import report_schema
from tests.report.factory import make_report, statement

GOODS = ValueAndVolume(
    mean_ct=0.2534,
    mean_ct_usual=StoneRange(expected=0.31, low=0.2712, high=0.36),
    usd_per_ct=187.456,
    by_size=(SizeValue(size_class="+3", n_stones=300, carats=21.5, usd_per_ct=62.0),),
    carats=(ZoneCarats(zone_id="berberati", carats=112.8, n_parcels=26, high=410.2),),
    flags=(statement("mean_stone_unusual", mean_ct=0.2534, lowest_ct=0.2712, highest_ct=0.36, zones=("berberati",)),),
)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            ("Mean stone (ct)", "0.25", "0.27 to 0.36", "187.46", "Carats of Berbérati", "up to 410.20 (26 parcels)"),
        ),
        (
            "fr",
            ("Pierre moyenne (ct)", "0,25", "0,27 à 0,36", "187,46", "Carats de Berbérati", "jusqu’à 410,20 (26 lots)"),
        ),
    ],
)
def test_it_stands_in_page_and_text_with_its_flag(lang: str, said: tuple[str, ...]) -> None:
    report = make_report("query", goods=GOODS)
    jsonschema.Draft202012Validator(report_schema()).validate(report.content)
    for shown in (render_html(report, lang), " ".join(render_text(report, lang).split())):
        for text in said:
            assert text in shown
    assert report.content["goods"]["mean_ct_usual"] == {"expected": 0.31, "low": 0.271, "high": 0.36}
    assert (
        "lies outside what parcels of Berbérati with as many stones show" in report.content["goods"]["flags"][0]["text"]
    )


def test_where_nothing_is_known_there_is_no_section() -> None:
    empty = ValueAndVolume(mean_ct=None, mean_ct_usual=None, usd_per_ct=None, by_size=(), carats=(), flags=())
    for report in (make_report("query"), make_report("query", goods=empty)):
        assert 'id="goods"' not in render_html(report)
