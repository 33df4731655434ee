"""The pages as a browser without scripts sees them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from kpfootprint import shipped_release
from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.release import load_release
from kpfootprint.report.report import short_code
from service.pages.start import EXAMPLES, available

Ask = Callable[..., Any]
OUTSIDE = re.compile(r"""(?:src|href|action|url\()\s*=?\s*["'(]?\s*(?:https?:)?//""", re.IGNORECASE)


@pytest.mark.parametrize("path", ["/", "/comparisons", "/code", "/docs", "/sign-in"])
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_page_is_whole_without_scripts_and_without_the_outside(browser: TestClient, path: str, lang: str) -> None:
    page = browser.get(f"{path}?lang={lang}")
    assert page.status_code == 200
    assert f'<html lang="{lang}">' in page.text
    assert page.headers["content-language"] == lang
    assert "<script" not in page.text
    assert not re.search(r"\son\w+=", page.text)
    assert [found for found in OUTSIDE.findall(page.text) if "w3.org" not in found] == []
    assert f'href="{path}?lang={"fr" if lang == "en" else "en"}"' in page.text


def test_a_page_comes_in_the_language_of_the_browser(browser: TestClient) -> None:
    french = browser.get("/", headers={"Accept-Language": "fr-CF, en;q=0.8"})
    assert '<html lang="fr">' in french.text
    assert '<html lang="en">' in browser.get("/?lang=en", headers={"Accept-Language": "fr"}).text
    assert '<html lang="en">' in browser.get("/?lang=xx", headers={"Accept-Language": "sw"}).text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_is_one_click_from_its_report(browser: TestClient, example: Any) -> None:
    answer = browser.post(f"/examples/{example.name}?lang=fr")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("?lang=fr")
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert example.parcel["parcel_id"] in page.text
    listed = browser.get("/comparisons").text
    assert answer.headers["location"].removesuffix("?lang=fr") in listed


def test_examples_are_offered_where_the_release_knows_their_zones_and_attributes() -> None:
    release = load_release(shipped_release())
    assert available(release) == EXAMPLES
    zones, attributes = release.manifest["zone_table"], release.manifest["scheme"]
    without = {name: [row for row in rows if row["zone_id"] != "berberati"] for name, rows in zones.items()}
    manifest = {**release.manifest, "zone_table": without}
    assert [item.name for item in available(replace(release, manifest=manifest))] == ["undeclared"]
    manifest = {**release.manifest, "scheme": {**attributes, "attributes": attributes["attributes"][:2]}}
    assert available(replace(release, manifest=manifest)) == ()


def test_the_report_page_leads_back_and_to_its_other_forms(browser: TestClient, kept: str, ask: Ask) -> None:
    page = ask("viewer", "GET", kept.replace("/v1", "")).text
    assert f'href="{kept}.pdf"' in page
    assert f'href="{kept}"' in page
    assert 'href="/comparisons"' in page
    assert page.index("<body") < page.index('class="site-bar"') < page.index("<main")
    assert page.index('class="skip"') < page.index('class="site-bar"')


def test_a_declared_country_is_listed_by_its_name(browser: TestClient) -> None:
    rows = "poids;couleur;forme\n" + "0,25;brun;cube\n0,40;incolore;octaèdre\n" * 40
    answer = browser.post("/", data={"pasted": rows, "parcel_id": "COUNTRY", "zone": ["CF"], "carats": [""]})
    assert answer.status_code == 303, answer.text
    assert "<span>République centrafricaine</span>" in browser.get("/comparisons?lang=fr").text


def test_pasted_rows_make_a_report(browser: TestClient) -> None:
    rows = "poids;couleur;forme\n" + "0,25;brun;cube\n0,40;incolore;octaèdre\n" * 40
    data = {"pasted": rows, "parcel_id": "PASTED", "zone": ["berberati", "carnot"], "carats": ["13", "13,0"]}
    answer = browser.post("/", data=data)
    assert answer.status_code == 303, answer.text
    report = browser.get("/v1" + answer.headers["location"]).json()
    assert report["parcel"]["parcel_id"] == "PASTED"
    assert [item["carats"] for item in report["parcel"]["declared"]] == [13, 13]


def test_an_uploaded_file_makes_a_report(browser: TestClient, examples: Path) -> None:
    content = (examples / "true_berberati.csv").read_bytes()
    data = {"zone": "berberati", "exported_on": "2024-03-11", "sorter": "S7", "bottom_screen_mm": "1,98"}
    answer = browser.post("/", data=data, files={"file": ("../../etc/lot 7.CSV", content)})
    assert answer.status_code == 303, answer.text
    report = browser.get("/v1" + answer.headers["location"]).json()
    assert report["parcel"]["parcel_id"] == "lot 7"
    assert report["parcel"]["conditions"]["bottom_screen_mm"] == 1.98
    assert report["parcel"]["exported_on"] == "2024-03-11"


def test_a_workbook_brings_its_own_declaration(browser: TestClient, examples: Path) -> None:
    content = (examples / "classeur.xlsx").read_bytes()
    answer = browser.post("/", files={"file": ("classeur.xlsx", content)})
    assert answer.status_code == 303, answer.text
    report = browser.get("/v1" + answer.headers["location"]).json()
    assert [item["zone_id"] for item in report["parcel"]["declared"]] == ["gadzi"]


def test_problems_are_told_by_row_and_the_form_stays_filled(browser: TestClient) -> None:
    rows = "weight_ct,colour\n0.5,brown\n-1,brown\n0.2,ultraviolet\n"
    data = {"pasted": rows, "zone": ["", "berberati"], "carats": ["", "1.2"], "sorter": "<S3>", "parcel_id": "P"}
    page = browser.post("/?lang=fr", data=data)
    assert page.status_code == 422
    assert '<td class="n">3</td>' in page.text
    assert '<td class="n">4</td>' in page.text
    assert "<code>ultraviolet</code>" in page.text
    assert "le nombre est négatif" in page.text
    assert "0.2,ultraviolet" in page.text
    assert 'value="&lt;S3&gt;"' in page.text
    assert '<option value="berberati" selected>' in page.text
    assert 'value="1.2"' in page.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("parcel.exe", b"MZ"),
        ("parcel.csv", b""),
        ("parcel.xlsx", b"not a workbook"),
        ("parcel.zip", b"not an archive"),
        ("parcel.json", b"{"),
        ("parcel.json", b"[]"),
        ("parcel.csv.gz", b"not gzip"),
    ],
)
def test_files_that_are_none_are_problems_and_no_failures(browser: TestClient, name: str, content: bytes) -> None:
    page = browser.post("/", files={"file": (name, content)})
    assert page.status_code == 422
    assert page.headers["content-type"].startswith("text/html")


def test_a_declaration_of_many_rows_that_was_cut_off_is_read_as_far_as_it_goes(browser: TestClient) -> None:
    rows = {"zone": ["berberati", *[""] * 11], "carats": ["12", *[""] * 9], "pasted": "weight_ct\nmuch"}
    answer = browser.post("/", data=rows)
    assert answer.status_code == 422
    assert 'value="12"' in answer.text


def test_nothing_given_is_a_problem_of_no_row_and_no_file(browser: TestClient) -> None:
    page = browser.post("/")
    assert page.status_code == 422
    assert "Rows are counted" not in page.text
    assert "A file has to be chosen again" not in page.text


def test_a_file_of_no_kind_that_is_read_has_to_be_chosen_again(browser: TestClient) -> None:
    page = browser.post("/", files={"file": ("picture.png", b"\x89PNG")})
    assert "A file has to be chosen again" in page.text
    assert "is held here" not in page.text


def test_a_sheet_that_is_read_plainly_is_read_once(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []

    def counted(upload: Upload, *args: Any, **given: Any) -> Reading:
        reads.append(upload.name)
        return read(upload, *args, **given)

    monkeypatch.setattr("service.pages.start.read", counted)
    page = browser.post("/", data={"pasted": "weight_ct\n0.31\n0.22\n", "zone": "berberati"}, follow_redirects=False)
    assert (page.status_code, reads) == (303, ["pasted.csv"])


def test_words_that_are_no_numbers_are_problems(browser: TestClient) -> None:
    data = {"pasted": "weight_ct\n0.5\n", "zone": "berberati", "carats": "many", "bottom_screen_mm": "wide"}
    page = browser.post("/", data=data)
    assert page.status_code == 422
    assert "<code>many</code>" in page.text
    assert "<code>wide</code>" in page.text


def test_a_viewer_sees_no_form(ask: Ask, app: TestClient, keys: dict[str, str]) -> None:
    app.cookies.clear()
    app.post("/sign-in", data={"key": keys["viewer"]})
    page = app.get("/").text
    assert "<textarea" not in page
    assert "/examples/" not in page
    app.cookies.clear()


def test_an_unknown_example_is_404(browser: TestClient) -> None:
    page = browser.post("/examples/none", headers={"Accept": "text/html"})
    assert page.status_code == 404


def test_a_short_code_leads_to_its_report(kept: str, ask: Ask) -> None:
    report_id = ask("viewer", "GET", kept).json()["report_id"]
    code = short_code(report_id)
    for typed in (code, code.lower().replace("-", " "), report_id):
        answer = ask("viewer", "GET", f"/code?code={quote(typed)}&lang=fr", follow_redirects=False)
        assert answer.status_code == 303, typed
        found = ask("viewer", "GET", "/v1" + answer.headers["location"].partition("?")[0])
        assert found.json()["report_id"] == report_id
    assert ask("viewer", "GET", f"/v1/comparisons?code={code}").json()["items"][0]["report_id"] == report_id
    assert code in ask("viewer", "GET", kept.replace("/v1", "")).text


@pytest.mark.parametrize("code", ["0000-0000-0000-0000", "12E6", "no code", "%", "sha256:"])
def test_a_code_that_no_report_has_is_asked_for_again(browser: TestClient, code: str) -> None:
    answer = browser.get("/code", params={"code": code})
    assert answer.status_code == 404
    assert escape(code) in answer.text
    assert browser.get("/v1/comparisons", params={"code": code}).json()["items"] == []


def test_the_form_shows_the_status_of_zones_on_the_day_it_holds(browser: TestClient, examples: Path) -> None:
    """Bria was suspended in March 2024 and is compliant since November 2024; a file stays held, nothing is kept."""
    before = browser.get("/v1/comparisons").json()["items"]
    file = {"file": ("lot.csv", (examples / "true_berberati.csv").read_bytes())}
    for day, noted in (("2024-03-11", True), ("2025-06-01", False)):
        form = {"exported_on": day, "zone": "bria", "sorter": "S3", "step": "status"}
        page = browser.post("/", data=form, files=file)
        assert page.status_code == 200
        assert ('value="bria" selected>Bria (suspended)' in page.text) is noted
        assert f'value="{day}"' in page.text
        assert 'name="name" value="lot.csv"' in page.text
        assert 'role="alert"' not in page.text
        assert "Bria (suspended)" not in browser.get("/").text
    without = browser.post("/", data={"exported_on": "2024-03-11", "step": "status"})
    assert "Bria (suspended)" in without.text
    assert 'value="status" formaction="/#declaration"' in without.text
    assert 'id="declaration"' in without.text
    assert browser.get("/v1/comparisons").json()["items"] == before


def test_problems_are_told_with_the_status_of_the_day_that_was_chosen(browser: TestClient) -> None:
    page = browser.post("/", data={"exported_on": "2024-03-11", "pasted": "weight_ct\n-1\n"})
    assert page.status_code == 422
    assert "Bria (suspended)" in page.text


@pytest.mark.slow
def test_the_list_shows_the_status_of_what_was_declared(browser: TestClient) -> None:
    rows = "weight_ct,colour,morphology\n" + "0.25,brown,cube\n" * 45
    for zone, day, said in (
        ("bria", "2024-03-11", "not compliant"),
        ("bria", "2025-06-01", "compliant"),
        ("boda", "2024-03-11", "compliant"),
    ):
        name = f"ST-{zone}-{day}"
        assert browser.post("/", data={"pasted": rows, "parcel_id": name, "zone": zone, "exported_on": day}).is_redirect
        row = next(row for row in browser.get("/comparisons").text.split("<tr>") if name in row)
        assert re.search(rf">\s*{said}\s*<", row), row


def test_the_list_shows_a_doubt_of_the_unit_before_the_conclusion(browser: TestClient, examples: Path) -> None:
    head, *rows = (examples / "true_berberati.csv").read_text(encoding="utf-8").splitlines()
    grams = [f"{float(weight) / 5:.3f},{rest}" for weight, rest in (row.split(",", 1) for row in rows)]
    for name, lines, zone in (
        *(("in-grams", grams, "berberati"), ("in-carats", rows, "berberati")),
        *(("of-nowhere-in-grams", grams, ""), ("of-nowhere-in-carats", rows, "")),
    ):
        pasted = "\n".join([head, *lines])
        given = {"pasted": pasted, "parcel_id": name, "zone": zone, "exported_on": "2024-03-11"}
        assert browser.post("/", data=given | {"step": "compare"}).is_redirect
        row = next(row for row in browser.get("/comparisons").text.split("<tr>") if name in row)
        assert ("unit of weight?</strong>" in row) == name.endswith("grams")
        assert not zone or row.find("unit of weight?") < row.index('<span class="mark')
