"""Sheets on the first page: how they are read comes before anything is kept, and a question can be answered there."""

from __future__ import annotations

import html
import io
import re
import tracemalloc
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from tests.ingest.making import ods_of

TOTALS = b"No,Weight (ct),Colour\n1,0.42,white\n2,0.31,brown\nTotal,0.73,\n"
PARTIES = (
    b"Sieve,Exporter pcs,Exporter cts,Ministry pcs,Ministry cts\n+11,162,77.70,160,77.76\n-11+9,212,52.60,210,52.50\n"
)


def signed_in(app: TestClient, keys: dict[str, str]) -> None:
    app.post("/sign-in", data={"key": keys["monitor"]})


def hidden_in(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="(?:hidden|checkbox)" name="(\w+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(html.unescape(value))
    return found


def test_a_sheet_with_totals_is_shown_before_it_is_kept(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    before = app.get("/v1/comparisons").json()["items"]
    shown = app.post("/", files={"file": ("sheet.csv", TOTALS)})
    assert shown.status_code == 200
    assert "the row Total is a total" in shown.text
    assert app.get("/v1/comparisons").json()["items"] == before
    kept = app.post("/", data=hidden_in(shown.text) | {"step": "compare"})
    assert kept.status_code == 303
    report = app.get("/v1" + kept.headers["location"]).json()
    assert report["parcel"]["n_stones"] == 2
    assert report["parcel"]["read_as"]["left_out"][0]["row"] == 4


def test_the_receipt_shows_what_was_declared_and_the_day_that_was_read(app: TestClient, keys: dict[str, str]) -> None:
    title = "Exporté le;11 mars 2024\nProvenance;Nola 0,73 ct\nTrieur;S7\n"
    sheet = (title + "\nPoids;Couleur\n0,42;brun\n0,31;cape\n").encode()
    signed_in(app, keys)
    shown = app.post("/?lang=fr", data={"step": "read"}, files={"file": ("sheet.csv", sheet)})
    assert shown.status_code == 200
    receipt = shown.text.split('id="receipt-h"')[1].split("</table>")[0]
    assert "<td>Nola 0,73 ct</td>" in receipt
    assert "<td>11 mars 2024</td>" in receipt
    assert '<th scope="row">trieur</th><td>S7</td>' in receipt


def test_a_question_is_answered_on_the_page(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    asked = app.post("/", files={"file": ("sheet.csv", PARTIES)})
    assert asked.status_code == 422
    assert 'value="valuation=ministry"' in asked.text
    assert asked.text.count("the same parcel as several parties see it") == 1
    shown = app.post("/", data=hidden_in(asked.text) | {"choice": "valuation=ministry"})
    assert shown.status_code == 200
    kept = app.post("/", data=hidden_in(shown.text) | {"step": "compare"})
    assert app.get("/v1" + kept.headers["location"]).json()["parcel"]["n_stones"] == 370


QUALITIES = b"Sieve,D-H pcs,D-H cts,I-M pcs,I-M cts\n+11,62,29.70,60,29.00\n-11+9,112,28.60,110,28.50\n"
MONTHS = b"Size,Pcs January,Cts January,Pcs May,Cts May\n+11,62,29.70,60,29.00\n-11+9,112,28.60,110,28.50\n"


@pytest.mark.parametrize(
    ("sheet", "answers", "colours"),
    [
        (QUALITIES, {"choice": ["colour:D-H=colourless", "colour:I-M=cape"]}, {"colourless": 174, "cape": 170}),
        (QUALITIES, {"choice1": "valuation=parts"}, None),
        (MONTHS, {"choice1": "valuation=parts"}, None),
    ],
)
def test_columns_of_qualities_and_months_are_classes_or_parts_as_their_reader_says(
    app: TestClient, keys: dict[str, str], sheet: bytes, answers: dict[str, Any], colours: dict[str, int] | None
) -> None:
    signed_in(app, keys)
    asked = app.post("/", files={"file": ("sheet.csv", sheet)})
    assert asked.status_code == 422
    assert asked.text.count("Which reading is meant?") == 1, "one question is asked once"
    assert 'type="radio" name="choice1" value="valuation=parts"' in asked.text
    for word in re.findall(r"Class of ([^\"]+)", asked.text):
        assert f'value="colour:{word}=colourless"' in asked.text
        assert f'value="morphology:{word}=cube"' in asked.text
    shown = app.post("/", data=hidden_in(asked.text) | answers)
    assert shown.status_code == 200
    assert "Passed over" not in shown.text
    kept = app.post("/", data=hidden_in(shown.text) | {"step": "compare"})
    parcel = app.get("/v1" + kept.headers["location"]).json()["parcel"]
    assert parcel["n_stones"] == 344
    assert parcel["read_as"]["classes"].get("colour") == colours


def test_lines_at_fault_are_marked_in_the_sheet(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    sent = app.post("/", files={"file": ("sheet.csv", b"weight_ct,colour\n0.42,white\n0.31,brwn\n")})
    assert sent.status_code == 422
    assert "<mark><code>0.31,brwn</code></mark>" in sent.text
    both = app.post("/", data={"pasted": "weight_ct\n0.4\n"}, files={"file": ("sheet.csv", TOTALS)})
    assert both.status_code == 422
    assert "both given" in both.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_lines_at_fault_have_the_letters_of_the_file(app: TestClient, keys: dict[str, str], encoding: str) -> None:
    signed_in(app, keys)
    sheet = "weight_ct,colour\n0.42,white\n0.31,épinglé\n".encode(encoding)
    sent = app.post("/", files={"file": ("sheet.csv", sheet)})
    assert sent.status_code == 422
    assert "<mark><code>0.31,épinglé</code></mark>" in sent.text


def test_lines_at_fault_of_a_workbook_are_marked_too(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["weight_ct", "colour"], [0.42, "white"], [0.31, "brwn"], [2, "cape"]):
        sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    sent = app.post("/", files={"file": ("sheet.xlsx", made.getvalue())})
    assert sent.status_code == 422
    assert "<mark><code>0.31 | brwn</code></mark>" in sent.text
    assert "<code>0.42 | white</code>" in sent.text
    assert "cape</code>" not in sent.text


def test_a_receipt_is_told_in_french(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    shown = app.post("/?lang=fr", files={"file": ("sheet.csv", TOTALS)})
    assert shown.status_code == 200
    assert "la ligne Total est un total, qui concorde avec ses lignes" in html.unescape(shown.text)
    assert "incolore (1), brun (1)" in shown.text
    assert "the row Total" not in shown.text


LADDER = b"Size,Pcs,Cts\n-11+9,162,40.70\n+11,60,29.00\n0.90-1.19 ct,10,10.40\n"


def test_limits_of_sizes_are_told_as_the_language_writes_numbers(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    for lang, said in (
        ("en", "-11+9: 0.175–0.315 ct; +11: 0.315–0.895 ct; 0.90-1.19 ct: 0.895–1.195 ct"),
        ("fr", "-11+9: 0,175–0,315 ct; +11: 0,315–0,895 ct; 0.90-1.19 ct: 0,895–1,195 ct"),
    ):
        shown = app.post(f"/?lang={lang}", data={"step": "read"}, files={"file": ("sheet.csv", LADDER)})
        assert shown.status_code == 200
        assert said in html.unescape(shown.text), "labels stay as the sheet has them"


def test_the_page_takes_percent_and_countries(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    stones = {"file": ("sheet.csv", b"weight_ct,colour\n0.42,white\n0.31,brown\n")}
    sent = app.post("/", data={"zone": ["berberati", "carnot"], "carats": ["60%", "40 %"]}, files=stones)
    assert sent.status_code == 303
    declared = app.get("/v1" + sent.headers["location"]).json()["parcel"]["declared"]
    assert [item["zone_id"] for item in declared] == ["berberati", "carnot"]
    assert declared[0]["carats"] == pytest.approx(0.6 * 0.73, abs=0.01)
    wrong = app.post("/", data={"zone": ["berberati", "carnot"], "carats": ["60%", "30%"]}, files=stones)
    assert wrong.status_code == 422
    assert 'value="60%"' in wrong.text
    country = app.post("/", data={"zone": ["country:CF"], "carats": [""]}, files=stones)
    assert country.status_code == 303


CODES = "N°;Poids (ct);Couleur\n1;0,42;BRN2\n2;0,31;BRN2\n3;0,27;W+\n4;0,30;brun\n".encode()


def test_words_of_ones_own_are_given_their_classes_on_the_page_and_kept(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    asked = app.post("/", files={"file": ("pierres.csv", CODES)})
    assert asked.status_code == 422
    assert re.search(r"<code>BRN2</code></td><td class=\"n\"[^>]*>2</td>", asked.text)
    answers = {"choice": ["colour:BRN2=brown", "colour:W+=colourless"]}
    table = app.post("/words", data=answers)
    assert table.headers["content-disposition"] == 'attachment; filename="words.csv"'
    assert table.text.splitlines() == ["attribute,word,class", "colour,BRN2,brown", "colour,W+,colourless"]
    shown = app.post("/", data=hidden_in(asked.text) | answers)
    assert shown.status_code == 200
    assert "BRN2 = brown, W+ = colourless" in shown.text
    kept = app.post("/", data=hidden_in(shown.text) | {"step": "compare"})
    first = app.get("/v1" + kept.headers["location"]).json()["parcel"]["read_as"]["classes"]
    assert first == {"colour": {"brown": 3, "colourless": 1}}
    files = {"file": ("pierres.csv", CODES), "words": ("words.csv", table.content)}
    again = app.post("/", data={"step": "read"}, files=files)
    assert "BRN2 = brown, W+ = colourless" in again.text
    wrong = app.post("/", files={"file": ("pierres.csv", CODES), "words": ("words.csv", b"a,b\n1,2\n")})
    assert wrong.status_code == 422
    assert "the column attribute is missing" in wrong.text


def test_a_submission_is_asked_before_it_is_received(app: TestClient, keys: dict[str, str]) -> None:
    signed_in(app, keys)
    text = b"parcel_id,weight_ct,colour,Grade\nP1,0.4,white,3\nP1,0.5,BRN2,1\nP2,0.6,BRN2,2\n"
    asked = app.post("/submissions/check", data={"note": "n"}, files={"file": ("lot.csv", text)})
    question = re.search(r'value="column:Grade=ignore"> ([^<]*)<', asked.text)
    assert question is not None
    assert question[1] == "Grade is not to be read"
    assert "the whole numbers of Grade could be numbers of stones" in asked.text.split("Which reading is meant?")[1]
    french = app.post("/submissions/check?lang=fr", data={"note": "n"}, files={"file": ("lot.csv", text)})
    assert "> Grade n’est pas à lire<" in french.text
    carried = {name: value for name, value in hidden_in(asked.text).items() if name in ("name", "content", "note")}
    carried = {name: value[:1] for name, value in carried.items()}
    answers = {"choice": ["column:Grade=ignore", "colour:BRN2=brown"]}
    shown = app.post("/submissions/check", data=carried | answers)
    assert shown.status_code == 200
    assert "How it is read" in shown.text
    received = app.post("/submissions", data=carried | answers)
    assert received.status_code == 303
    item = app.get("/v1" + received.headers["location"].split("?")[0]).json()
    assert (item["n_parcels"], item["n_bad"]) == (2, 0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_the_lines_at_fault_are_shown_and_no_others_are_built(kind: str, app: TestClient, keys: dict[str, str]) -> None:
    """A cell far away, or one that says it comes 9,999 times, would make a rectangle of millions."""
    if kind == "xlsx":
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        for row in (["weight_ct", "colour"], [0.5, "brown"], [7, "none such"]):
            sheet.append(row)
        sheet.cell(9000, 702, "far")
        made = io.BytesIO()
        book.save(made)
        content = made.getvalue()
    else:
        content = ods_of([["weight_ct", "colour"], [0.5, "brown"], [7, "none such"], *[[0.5, "cape"]] * 2000])
    signed_in(app, keys)
    tracemalloc.start()
    try:
        answer = app.post("/", files={"file": (f"sheet.{kind}", content)})
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()
    assert answer.status_code == 422
    assert "7 | none such" in answer.text
    assert "cape" not in answer.text.partition("7 | none such")[2].partition("</")[0]
