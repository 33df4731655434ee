"""The pages of submissions: looked at before anything is kept, received, decided, found again."""

from __future__ import annotations

import base64
import gzip
import io
import re
import threading
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from kpfootprint.errors import Problem
from kpfootprint.ingest.files.workbook import sheets_in
from kpfootprint.ingest.names.headers import headers_of
from kpfootprint.ingest.words import vocabulary_of
from service.jobs.worker import work_once
from service.settings import Settings
from service.work.marked import marked_workbook
from service.work.place import Workplace
from tests.ingest.making import ods_of
from tests.service.office import shipment
from tests.worlds import shipped


def carried(page: str) -> dict[str, str]:
    return {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0] for name in ("name", "content")}


def run_jobs(home: Path) -> None:
    work = Workplace(Settings(home=home))
    work.release()
    while work_once(work, threading.Event()):
        pass
    work.close()


@pytest.fixture
def looked_at(browser: TestClient) -> str:
    """Return the page of a file with three parcels, one of them bad."""
    page = browser.post("/submissions/check?lang=fr", files={"file": ("lots.zip", shipment(prefix="W"))})
    assert page.status_code == 200
    return page.text


def test_a_file_is_looked_at_before_anything_is_kept(browser: TestClient, looked_at: str) -> None:
    before = browser.get("/v1/submissions").json()
    assert "3 lots." in looked_at
    assert "le nombre est négatif" in looked_at
    assert '<td class="n" data-label="Ligne">182</td>' in looked_at
    assert browser.get("/v1/submissions").json() == before


def test_the_bad_cells_are_marked(browser: TestClient, looked_at: str) -> None:
    made = browser.post("/submissions/marked", data=carried(looked_at))
    assert made.headers["content-disposition"].endswith('"problems.xlsx"')
    book = openpyxl.load_workbook(io.BytesIO(made.content))
    assert book.sheetnames[0] == "problems"
    cell = book["stones"]["B182"]
    assert cell.value == -1
    assert cell.fill.start_color.rgb == "00FFC7B0"
    assert "negative" in cell.comment.text
    assert book["stones"]["B181"].fill.fill_type is None


@pytest.mark.parametrize("odd", ["x" * 200_000, "a\x0bb\x01c", "y" * 40_000, "tail\rhead"])
def test_a_file_of_odd_cells_is_marked_too(browser: TestClient, odd: str) -> None:
    table = f"parcel_id,weight_ct,remarks\nL-1,-0.5,ok\nL-1,0.5,{odd}\n{odd},1,\nL-1,{odd},\n"
    content = base64.b64encode(gzip.compress(table.encode())).decode()
    made = browser.post("/submissions/marked", data={"name": "odd.csv", "content": content})
    assert made.status_code == 200, made.text
    book = openpyxl.load_workbook(io.BytesIO(made.content))
    assert book.sheetnames[0] == "problems"


@pytest.mark.slow
def test_a_shipment_whose_comparing_stopped_says_so_and_goes_on(
    browser: TestClient, looked_at: str, home: Path, keys: dict[str, str]
) -> None:
    place = browser.post("/submissions", data=carried(looked_at)).headers["location"]
    by_key = {"Authorization": f"Bearer {keys['monitor']}"}
    job = browser.get(f"/v1{place}", headers=by_key).json()["job"]
    assert browser.delete(job, headers=by_key).json()["state"] == "cancelled"
    inbox = browser.get("/submissions").text
    assert "comparing has stopped" in inbox[inbox.index(place) :].partition("</tr>")[0]
    page = browser.get(f"{place}?lang=fr").text
    assert "Comparaison arrêtée" in page
    assert 'name="decision"' in page, "it can be given back as it is"
    goes_on = browser.post(f"{place}/compare")
    assert (goes_on.status_code, goes_on.headers["location"]) == (303, place)
    run_jobs(home)
    assert "comparaison reprise" in browser.get(f"{place}?lang=fr").text
    assert browser.post(f"{place}/compare").status_code == 409


def test_a_shipment_is_received_compared_and_decided(browser: TestClient, looked_at: str, home: Path) -> None:
    made = browser.post("/submissions?lang=fr", data=carried(looked_at) | {"note": "par courrier"})
    assert made.status_code == 303, made.text
    place = made.headers["location"].partition("?")[0]
    waiting = browser.get(place).text
    assert 'name="decision"' not in waiting
    run_jobs(home)
    inbox = browser.get("/submissions").text
    row = inbox[inbox.index(place) :].partition("</tr>")[0]
    assert len(re.findall(r'class="mark \w+">2 × ', row)) == 1, "two parcels alike were concluded alike"
    assert "1 problem</span>" in row
    assert ">nothing<" not in row, "what it declared was not read"
    page = browser.get(f"{place}?lang=fr").text
    assert page.count('class="mark ') >= 3
    head = page[: page.index("<table")]
    assert len(re.findall(r'class="mark \w+">2 × ', head)) == 1, "how many concluded what stands above the list"
    assert "le nombre est négatif" in page, "what is wrong with a kept parcel, too, is told in one's own language"
    wrong = browser.post(f"{place}/decision")
    assert wrong.status_code == 422
    long = "trop long " * 600
    for given in ({"decision": "lost", "note": long[:900]}, {"decision": "refused", "note": long}):
        wrong = browser.post(f"{place}/decision", data=given)
        assert wrong.status_code == 422
        assert given["note"].strip() in wrong.text, "what was written is shown again, whole"
    done = browser.post(f"{place}/decision", data={"decision": "refused", "note": "<b>trop brun</b>"})
    assert done.status_code == 303
    page = browser.get(f"{place}?lang=fr").text
    assert "&lt;b&gt;trop brun&lt;/b&gt;" in page
    assert "refusé" in page
    assert "the monitor" in page
    decided = browser.get("/submissions?show=decided").text
    assert "refused" in decided[decided.index(place) :].partition("</tr>")[0]
    assert place not in browser.get("/submissions").text


@pytest.fixture
def compared(browser: TestClient, home: Path) -> str:
    """Return the address of a shipment of fifteen parcels, one of them with thirty bad rows, that was compared."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(shipment(15, bad=False, prefix="C"))) as archive,
        zipfile.ZipFile(made, "w") as altered,
    ):
        for name in archive.namelist():
            more = b"\nC14,-1,brown,cube" * 30 if name == "stones.csv" else b""
            altered.writestr(name, archive.read(name) + more)
    checked = browser.post("/submissions/check", files={"file": ("lots.zip", made.getvalue())})
    place: str = browser.post("/submissions", data=carried(checked.text)).headers["location"]
    run_jobs(home)
    return place


def test_who_decides_on_what_somebody_decided_meanwhile_is_asked_again(browser: TestClient, compared: str) -> None:
    def seen() -> str:
        return str(re.findall(r'name="seen" value="(\d+)"', browser.get(compared).text)[0])

    opened = seen()
    for note in ("first", "second"):
        given = {"decision": "approved", "note": note, "seen": opened}
        answer = browser.post(f"{compared}/decision?lang=fr", data=given)
        assert answer.status_code == (303 if note == "first" else 422)
    assert "Quelqu’un a décidé entre-temps" in answer.text
    assert ">second</textarea>" in answer.text, "what was written is shown again"
    assert browser.post(f"{compared}/decision", data=given | {"seen": seen()}).status_code == 303
    notes = [entry["values"]["note"] for entry in browser.get(f"/v1{compared}").json()["history"][-2:]]
    assert notes == ["first", "second"]


def test_a_shipment_says_in_which_zone_its_hours_are_and_where_its_lists_end(
    browser: TestClient, compared: str
) -> None:
    page = browser.get(compared).text
    assert re.search(r"Due <time[^>]*>[^<]* UTC</time>", page), "an hour without its zone is read as that of the office"
    assert "The first 20 of 30 are shown." in page
    assert "The first 12 of 14 are shown." in page
    assert "Seuls les 20 premiers sur 30" in browser.get(f"{compared}?lang=fr").text


@pytest.mark.parametrize(("day", "barred"), [("2024-03-11", True), ("2025-06-01", False)])
def test_a_zone_that_was_not_compliant_stands_where_a_shipment_is_decided(
    browser: TestClient, home: Path, day: str, barred: bool
) -> None:
    file = {"file": ("bria.zip", shipment(1, bad=False, prefix=f"B{day}", zone="bria", exported_on=day))}
    checked = browser.post("/submissions/check", files=file)
    place = browser.post("/submissions", data=carried(checked.text)).headers["location"]
    run_jobs(home)
    assert ("non conforme : Bria" in browser.get(f"{place}?lang=fr").text.replace("\u00a0", " ")) == barred


def test_a_zip_of_several_parcels_is_offered_as_a_submission(browser: TestClient) -> None:
    page = browser.post("/", files={"file": ("lots.zip", shipment(bad=False, prefix="Z"))})
    assert page.status_code == 200
    assert 'action="/submissions"' in page.text
    assert "3 parcels." in page.text


def test_what_cannot_be_read_is_told(browser: TestClient) -> None:
    page = browser.post("/submissions/check", files={"file": ("lots.zip", b"no zip")})
    assert page.status_code == 422
    assert 'action="/submissions"' not in page.text


def test_comparisons_are_searched_and_set_side_by_side(browser: TestClient, parcel: dict[str, Any]) -> None:
    for example in ("true", "false"):
        browser.post(f"/examples/{example}")
    ids: list[str] = []
    for word in ("false", "true"):
        page = browser.get(f"/comparisons?q={word}+berberati&zone=berberati&conclusion=&sort=log10_lr")
        assert page.status_code == 200
        ids += re.findall(r'name="id" value="(\w+)"', page.text)[:1]
    assert len(ids) == 2
    beside = browser.get("/beside", params={"id": ids[:2]})
    assert beside.status_code == 200
    assert "false_berberati" in beside.text
    assert browser.get("/beside", params={"id": ids[:1]}).status_code == 422
    assert "Nothing was found" in browser.get("/comparisons?q=zzzz").text


def bomb(megabytes: int) -> str:
    packing = zlib.compressobj(wbits=31)
    return base64.b64encode(
        b"".join([packing.compress(bytes(1 << 20)) for _ in range(megabytes)]) + packing.flush()
    ).decode()


@pytest.mark.slow
def test_what_a_form_carries_is_unpacked_within_the_limit_of_uploads(browser: TestClient) -> None:
    form = {"name": "lots.csv", "content": bomb(100)}
    assert len(form["content"]) < 200_000
    for path in ("/submissions/check", "/submissions/marked", "/submissions"):
        tracemalloc.start()
        assert browser.post(path, data=form).status_code == 413
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 20e6, path


@pytest.mark.slow
def test_what_is_passed_over_in_an_archive_is_not_unpacked_to_be_marked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stones.csv", "weight_ct\n-1\n")
        archive.writestr("__MACOSX/.stones.csv", bytes(100 << 20))
    tracemalloc.start()
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lots.zip", packed.getvalue(), ())))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert book["stones"]["A2"].value == -1
    assert most < 20e6


def test_the_workbooks_of_an_archive_are_marked_too() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, title in (("one.xlsx", "Tri"), ("two.xlsx", "Comptage")):
            given, made = openpyxl.Workbook(), io.BytesIO()
            given.worksheets[0].title = title
            for row in (["weight_ct", "colour"], [0.5, "kape"]):
                given.worksheets[0].append(row)
            given.save(made)
            archive.writestr(name, made.getvalue())
        archive.writestr("remarks.csv", "weight_ct\n-1\n")
    wrong = Problem(table="Tri", row=2, column="colour", value="kape", code="unknown_class", reason="not a colour")
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lots.zip", packed.getvalue(), [wrong])))
    assert {*book.sheetnames} == {"problems", "Tri", "Comptage", "remarks"}
    assert book["Tri"]["B2"].fill.start_color.rgb == "00FFC7B0"
    assert book["Comptage"]["B2"].fill.start_color.rgb != "00FFC7B0"


@pytest.mark.parametrize(
    "lines",
    [
        ["sep=;", "colour;cts", "kape;1,2"],
        ["colour;cts", "kape;1,25", "brown, light;0,5"],
        ["colour:cts", "kape:1.2"],
        ["colour    cts", "kape    1.2", "brown    0.5"],
    ],
)
def test_a_marked_copy_is_parted_as_the_file_is_read(lines: list[str]) -> None:
    headers = headers_of(vocabulary_of(shipped().scheme, shipped().zone_table))
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lot.csv", "\n".join(lines).encode(), (), headers)))
    head = book["lot"][2 if lines[0] == "sep=;" else 1]
    assert [cell.value for cell in head[:2]] == ["colour", "cts"]


def test_names_that_look_like_numbers_are_marked_as_they_came() -> None:
    """Whoever mends the marked copy sends it again: a parcel, or a certificate, has to be called as before."""
    written = ["007", "1e5", "1_000", "nan", "12345678901234567", "+3", "0.30", "-1", "12"]
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lot.csv", ",".join(written).encode(), ())))
    shown = [cell.value for cell in book["lot"][1]]
    assert shown == [*written[:5], "'+3", 0.3, -1, 12]


def test_a_marked_copy_has_the_columns_of_the_file() -> None:
    data = b"Lot 7, Nola\ncolour;cts\nbrown;0,5\nkape;0,7\n"
    wrong = Problem(table="lot", row=4, column="colour", value="kape", code="unknown_class", reason="not a colour")
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lot.csv", data, [wrong])))
    assert [cell.value for cell in book["lot"][4]] == ["kape", "0,7"]
    assert book["lot"]["A4"].fill.start_color.rgb == "00FFC7B0"


def test_a_sheet_is_marked_whose_title_looks_like_the_name_of_a_file() -> None:
    given, made = openpyxl.Workbook(), io.BytesIO()
    given.worksheets[0].title = "A. Nola"
    for row in (["weight_ct", "colour"], [0.5, "kape"]):
        given.worksheets[0].append(row)
    given.save(made)
    wrong = Problem(table="A. Nola", row=2, column="colour", value="kape", code="unknown_class", reason="not a colour")
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lot.xlsx", made.getvalue(), [wrong])))
    assert book["A. Nola"]["B2"].fill.start_color.rgb == "00FFC7B0"


def test_a_workbook_of_another_office_is_marked_too() -> None:
    data = ods_of([["weight_ct", "colour"], [0.5, "kape"]])
    (title, _), *_ = sheets_in(data, "lot.ods")
    wrong = Problem(table=title, row=2, column="colour", value="kape", code="unknown_class", reason="not a colour")
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lot.ods", data, [wrong])))
    assert [cell.value for cell in book[title][2]] == [0.5, "kape"]
    assert book[title]["B2"].fill.start_color.rgb == "00FFC7B0"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251"])
def test_a_marked_copy_has_the_letters_of_the_file(encoding: str) -> None:
    data = "цвет,камни\nбелый,3\n".encode(encoding)
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lot.csv", data, ())))
    assert [[cell.value for cell in row] for row in book["lot"]] == [["цвет", "камни"], ["белый", 3]]


OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
EVERYWHERE = "A1:XFD1048576"
BROUGHT = {
    "a merge of everything": f'<mergeCells><mergeCell ref="{EVERYWHERE}"/></mergeCells>',
    "a link from everywhere": f'<hyperlinks><hyperlink ref="{EVERYWHERE}" location="stones!A1"/></hyperlinks>',
    "a drawing that is not there": f'<legacyDrawing r:id="rId9" xmlns:r="{OFFICE}"/>',
}


@pytest.mark.parametrize("kind", BROUGHT)
def test_a_workbook_that_is_marked_brings_nothing_but_its_values(kind: str) -> None:
    given = openpyxl.Workbook()
    sheet = given.create_sheet("stones", 0)
    for row in (["weight_ct", "colour"], [0.5, "kape"], ["=1+1", "=HYPERLINK(1)"]):
        sheet.append(row)
    made, plain = io.BytesIO(), io.BytesIO()
    given.save(plain)
    with zipfile.ZipFile(plain) as read, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        for name in read.namelist():
            data = read.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b"</sheetData>", b"</sheetData>" + BROUGHT[kind].encode())
            written.writestr(name, data)
    begun = time.process_time()
    wrong = Problem(table="stones", row=2, column="colour", value="kape", code="unknown_class", reason="not a colour")
    book = openpyxl.load_workbook(io.BytesIO(marked_workbook("lot.xlsx", made.getvalue(), [wrong])))
    assert time.process_time() - begun < 5
    assert book["stones"]["B2"].fill.start_color.rgb == "00FFC7B0"
    assert book["stones"]["A2"].value == 0.5
    assert not any(cell.data_type == "f" for row in book["stones"] for cell in row)
    assert not book["stones"].merged_cells.ranges
