"""The same goods under the same declaration get the same words at every door of the service."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.service.office import Office

DAY = "2024-03-11"
DECLARED: dict[str, list[tuple[str, str, str]]] = {
    "countries": [("CF", "", ""), ("CD", "", ""), ("AO", "", "")],
    "split": [("berberati", "", "60"), ("CF", "", "40")],
    "carats": [("berberati", "100", ""), ("bria", "0.0001", "")],
}


@pytest.fixture(scope="module", params=["whole", "blank"])
def rows(request: pytest.FixtureRequest, examples: Path) -> list[dict[str, str]]:
    """Return the stones of the mixed example, or these with the colours of every third one left blank."""
    with (examples / "mixed_berberati_bria.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    if request.param == "blank":
        for row in found[::3]:
            row["colour"] = ""
    return found


def text(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def words(report: dict[str, Any]) -> dict[str, Any]:
    kept = {name: report[name] for name in ("conclusion", "verification", "mixture", "attribution", "explanation")}

    return kept | {"cautions": [item["code"] for item in report["cautions"]]}


def option(name: str, carats: str, percent: str) -> str:
    amount = f"={carats}" if carats else f"={percent}%" if percent else ""
    return f"{'country:' if name.isupper() else ''}{name}{amount}"


def table(named: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    rows = [
        {
            "parcel_id": "D-1",
            "zone_id": "" if name.isupper() else name,
            "country": name if name.isupper() else "",
            "carats": carats,
            "percent": percent,
        }
        for name, carats, percent in named
    ]
    amount = "percent" if any(row["percent"] for row in rows) else "carats"
    used = [key for key in rows[0] if key == amount or any(row[key] for row in rows)]
    return [{key: row[key] for key in used} for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("paper", list(DECLARED))
def test_the_same_declaration_gets_the_same_words(office: Office, rows: list[dict[str, str]], paper: str) -> None:
    named = DECLARED[paper]
    declarations = [
        {("country" if name.isupper() else "zone_id"): name}
        | ({"carats": float(carats)} if carats else {})
        | ({"percent": float(percent)} if percent else {})
        for name, carats, percent in named
    ]
    stones = [row | {"weight_ct": float(row["weight_ct"])} for row in rows]
    given = {"parcel_id": "D-1", "exported_on": DAY}
    document = given | {"declarations": declarations, "stones": stones}
    first = words(office.ask("monitor", "POST", "/v1/comparisons", json=document).json())

    options = [("declare", option(*part)) for part in named]
    sheet = text(rows)
    query = urlencode([*given.items(), *options])
    body = office.ask(
        "monitor", "POST", f"/v1/comparisons?{query}", content=sheet, headers={"Content-Type": "text/csv"}
    )
    assert body.status_code == 201, body.text
    assert words(body.json()) == first
    form = office.ask("monitor", "POST", f"/v1/comparisons?{query}", files={"file": ("D-1.csv", sheet)})
    assert form.status_code == 201, form.text
    assert words(form.json()) == first

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("parcels.csv", text([given]))
        archive.writestr("declarations.csv", text(table(named)))
        archive.writestr("stones.csv", text([{"parcel_id": "D-1"} | row for row in rows]))
    sent = office.ask("monitor", "POST", "/v1/submissions", files={"file": ("D.zip", packed.getvalue())})
    assert sent.status_code == 202, sent.text
    assert office.run_jobs() == 1
    (parcel,) = office.get(sent.headers["location"])["parcels"]
    if not any(carats or percent for _, carats, percent in named):  # a table of declarations wants amounts
        assert {item["code"] for item in parcel["problems"]} == {"missing_value"}
        return
    assert parcel["problems"] == []
    assert parcel["conclusion"] == first["conclusion"]
    assert words(office.get(parcel["comparison"])) == first
