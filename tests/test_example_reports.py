"""Reports of the examples as a person last approved them: JSON and text of each, the page of one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import kpfootprint
from kpfootprint.release import Release
from tests.report.golden import check_golden, normalised_html, readable_json

EXAMPLES = Path(__file__).parents[1] / "examples"
MADE = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = "2024-03-11"
DRAWN = "mixed"
"""The example whose page is kept; the other pages hold the same blocks as their texts."""
CONDITIONS = {"cleaning_state": "acid_rinsed", "selection": "run_of_mine"}


def berberati(**known: Any) -> dict[str, Any]:
    return {
        "exported_on": DAY,
        "declarations": [{"zone_id": "berberati"}],
        "conditions": {**CONDITIONS, **known},
    }


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "true": ("true_berberati.csv", berberati(sorter="S7", bottom_screen_mm=1.98)),
    "false": ("false_berberati.csv", berberati(sorter="S5", bottom_screen_mm=1.93)),
    "mixed": ("mixed_berberati_bria.csv", berberati(bottom_screen_mm=1.93)),
    "blend": (
        "blend_berberati_carnot.csv",
        {
            "exported_on": DAY,
            "declarations": [{"zone_id": "berberati", "carats": 108.6}, {"zone_id": "carnot", "carats": 105.2}],
            "conditions": {**CONDITIONS, "bottom_screen_mm": 1.81},
        },
    ),
    "no_declaration": ("no_declaration.csv", {"exported_on": DAY, "conditions": {"cleaning_state": "unwashed"}}),
    "workbook": ("classeur.xlsx", {}),
    "counts": ("counts", {}),
}


@pytest.fixture(scope="module")
def release() -> Release:
    return kpfootprint.load_release(kpfootprint.shipped_release())


@pytest.mark.parametrize("name", CASES)
def test_the_report_of_an_example_is_the_approved_one(name: str, release: Release, update_golden: bool) -> None:
    file, fields = CASES[name]
    parcel = kpfootprint.ingest_file(EXAMPLES / file, release.scheme, release.zone_table, parcel=fields)
    (report,) = kpfootprint.examine(
        kpfootprint.Batch((parcel,)), release, status_on=date(2026, 11, 24), created_at=MADE
    )
    check_golden(f"examples/{name}.json", readable_json(report.to_json()), update_golden)
    for lang in ("en", "fr"):
        check_golden(f"examples/{name}.{lang}.txt", kpfootprint.render_text(report, lang), update_golden)
        if name == DRAWN:
            page = normalised_html(kpfootprint.render_html(report, lang))
            check_golden(f"examples/{name}.{lang}.html", page, update_golden)
