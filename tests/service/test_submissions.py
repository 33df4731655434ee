"""Submissions, from their arrival to a decision and what became known later, on both databases."""

from __future__ import annotations

import csv
import encodings
import gzip
import io
import json
import secrets
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kpfootprint.release import shipped_release
from service import clock
from service.register.opening import open_register
from service.register.tables import metadata
from service.register.verify import verify
from service.settings import Settings
from service.work.place import Workplace
from tests.service.office import Office, shipment
from tests.service.reading import problem_in


def test_from_arrival_to_decision(office: Office) -> None:
    sent = office.send(shipment(), data={"note": "by courier"})
    assert sent.status_code == 202, sent.text
    assert set(sent.json()) == {"id", "job"}
    place = sent.headers["location"]
    assert place == f"/v1/submissions/{sent.json()['id']}"
    before = office.get(place)
    assert (before["state"], before["n_parcels"], before["n_bad"], before["note"]) == ("received", 3, 1, "by courier")
    assert before["exporter"] == "Badica"
    assert not before["overdue"]
    problem_in(office.ask("monitor", "POST", f"{place}/decision", json={"decision": "approved"}), 409, "conflict")
    job = office.get(sent.json()["job"])
    assert (job["kind"], job["state"], job["progress"]) == ("submission", "queued", {"done": 0, "total": 2})

    assert office.run_jobs() == 1
    job = office.get(sent.json()["job"])
    assert (job["state"], job["progress"], job["result"]) == ("done", {"done": 2, "total": 2}, place)
    after = office.get(place)
    assert after["state"] == "compared"
    assert [parcel["parcel_id"] for parcel in after["parcels"]] == ["L0", "L1", "L2"]
    for parcel in after["parcels"][:2]:
        report = office.get(parcel["comparison"])
        assert report["parcel"]["parcel_id"] == parcel["parcel_id"]
        assert report["conclusion"] == parcel["conclusion"]
        assert parcel["problems"] == []
    bad = after["parcels"][2]
    assert bad["comparison"] is None
    assert bad["problems"][0]["column"] == "weight_ct"

    decided = office.ask("monitor", "POST", f"{place}/decision", json={"decision": "returned", "note": "weigh again"})
    assert decided.status_code == 201
    assert decided.json()["decision"]["note"] == "weigh again"
    again = office.ask("monitor", "POST", f"{place}/decision", json={"decision": "approved"}).json()
    assert again["decision"]["decision"] == "approved"
    assert [event["event"] for event in again["history"]] == ["submission", "compared", "decision", "decision"]
    assert [e["values"]["decision"] for e in again["history"][2:]] == ["returned", "approved"]
    assert again["state"] == "decided"
    assert verify(office.work.engine).wrong is None


@pytest.fixture(scope="module")
def worked_on(office: Office) -> str:
    """Return the id of a shipment that was decided on, with a certificate that was reported."""
    sent = office.send(shipment(1, bad=False, prefix="V"))
    office.run_jobs()
    office.ask("monitor", "POST", f"{sent.headers['location']}/decision", json={"decision": "approved"})
    reported = {"certificate_no": "CF 1", "reported_by": "Antwerp", "reported_on": "2024-01-02", "note": "forged"}
    assert office.ask("monitor", "POST", "/v1/certificates", json={"items": [reported]}).status_code == 201
    made: str = sent.json()["id"]
    return made


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("submissions.due_at", "2099-01-01T00:00:00.000000Z"),
        ("submissions.received_at", "2020-01-01T00:00:00.000000Z"),
        ("submissions.state", "compared"),
        ("submissions.exporter", "Another"),
        ("submissions.note", "never came"),
        ("submissions.actor", "somebody else"),
        ("submissions.n_parcels", 7),
        ("submissions.n_bad", 1),
        ("submissions.declared", " bria "),
        ("files.name", "another.zip"),
        ("files.content", b"another file"),
        ("submission_parcels.comparison_id", "0" * 20),
        ("submission_parcels.comparison_id", None),
        ("submission_parcels.parcel_id", "X"),
        ("submission_parcels.exporter", "X"),
        ("submission_parcels.declared", "bria"),
        ("submission_parcels.parcel", b"another"),
        ("submission_parcels.problems", '[{"code":"negative"}]'),
        ("certificates.note", "cleared"),
        ("certificates.certificate_no", "CF 2"),
        ("certificates.certificate_key", "cf2"),
    ],
)
def test_tables_that_are_worked_on_show_what_the_chain_tells(
    office: Office, worked_on: str, place: str, value: Any
) -> None:
    assert verify(office.work.engine).wrong is None
    name, column = place.split(".")
    table = metadata.tables[name]
    own = {"submissions": "id", "files": "subject", "submission_parcels": "submission_id"}.get(name)
    here = sa.true() if own is None else table.c[own] == worked_on
    raw: sa.ColumnElement[Any] = sa.literal_column(column)
    with office.work.engine.connect().execution_options(writes=True) as connection, connection.begin():
        before = connection.execute(sa.select(raw).select_from(table).where(here)).scalar_one()
        connection.execute(sa.update(table).where(here).values({column: sa.bindparam("new", value, type_=None)}))
    verdict = verify(office.work.engine)
    with office.work.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(sa.update(table).where(here).values({column: sa.bindparam("new", before, type_=None)}))
    assert verdict.wrong is not None
    assert verify(office.work.engine).wrong is None


@pytest.mark.slow
def test_the_register_is_taken_away_and_taken_in(office: Office, tmp_path: Path) -> None:
    office.send(shipment(1, bad=False, prefix="T", exporter="=cmd|' /C calc'!A0"))
    office.run_jobs()
    head = office.get("/v1/register/head")
    lines = office.ask("viewer", "GET", "/v1/register/export?format=jsonl")
    assert lines.headers["content-type"] == "application/x-ndjson"
    entries = [json.loads(line) for line in lines.text.splitlines()]
    assert (entries[-1]["position"], entries[-1]["hash"]) == (head["position"], head["hash"])
    assert verify(office.work.engine, head["hash"]).entries == head["position"]
    table = list(csv.DictReader(io.StringIO(office.ask("viewer", "GET", "/v1/register/export?format=csv").text)))
    assert len(table) == len(entries)
    assert not any(cell.startswith(("=", "+", "@")) for row in table for cell in row.values())
    assert office.ask("viewer", "GET", "/v1/register/export?from=2199-01-01").text == ""

    other = Settings(home=tmp_path / "other")
    open_register(other).dispose()
    laptop = Workplace(other)
    laptop.release()
    from service.work.take_in import take_in

    taken, _ = take_in(laptop, lines.content, actor="key:laptop")
    assert taken == sum(entry["kind"] in {"comparison", "opinion", "outcome"} for entry in entries)
    assert take_in(laptop, lines.content, actor="key:laptop")[0] == 0
    assert verify(laptop.engine).wrong is None
    laptop.close()

    again = office.ask(
        "monitor",
        "POST",
        "/v1/register/import",
        content=lines.content,
        headers={"Content-Type": "application/x-ndjson"},
    )
    assert again.status_code == 202, again.text
    office.run_jobs()
    assert office.get(again.json()["job"])["state"] == "done"
    assert office.get("/v1/register/head") == head
    changed = lines.content.replace(b"berberati", b"bria", 1)
    problem_in(
        office.ask(
            "monitor", "POST", "/v1/register/import", content=changed, headers={"Content-Type": "application/x-ndjson"}
        ),
        422,
        "invalid_input",
    )


@pytest.mark.slow
def test_the_register_is_examined_again(office: Office) -> None:
    office.send(shipment(1, bad=False, prefix="again"))
    office.run_jobs()
    asked = office.ask("researcher", "POST", "/v1/reexaminations", json={"release": shipped_release().name})
    assert asked.status_code == 202
    office.run_jobs()
    found = office.get(asked.headers["location"])
    assert (found["state"], found["changes"]) == ("done", [])
    assert found["looked_at"] == found["of"] > 0


def test_what_cannot_be_read_is_refused_and_nothing_is_kept(office: Office) -> None:
    before = office.get("/v1/submissions?limit=500")
    for name, content in (("a.zip", b"no zip"), ("a.exe", b"MZ"), ("a.csv", b"")):
        problem_in(office.send(content, name), 422, "invalid_input")
    problem_in(office.ask("monitor", "POST", "/v1/submissions", data={"note": "x"}), 415, "unsupported_media_type")
    problem_in(office.ask("monitor", "POST", "/v1/submissions", files={"other": ("a.zip", b"")}), 422, "invalid_input")
    assert office.get("/v1/submissions?limit=500") == before


def test_a_question_of_a_sheet_is_answered_with_the_upload(office: Office) -> None:
    lots = b"Lot,Size,Pcs,Cts\nA,+9-11,40,10.40\nA,+11-12,20,8.10\nB,+9-11,30,7.80\nB,+11-12,10,4.10\n"
    asked = problem_in(office.send(lots, "sheet.csv"), 422, "invalid_input")
    assert asked["problems"][0]["code"] == "lots_or_parcels"
    for answer, parcels in (("lots=parcels", ["A", "B"]), ("lots=one", ["sheet"])):
        sent = office.send(lots, "sheet.csv", data={"choose": answer})
        assert sent.status_code == 202, sent.text
        found = office.get(sent.headers["location"])
        assert [parcel["parcel_id"] for parcel in found["parcels"]] == parcels


def test_a_repeated_upload_is_received_once(office: Office) -> None:
    headers = {"Idempotency-Key": "crate 7"}
    crate = shipment(prefix="R")
    first, again = (office.send(crate, headers=headers) for _ in range(2))
    assert (first.status_code, first.json(), first.headers["location"]) == (
        again.status_code,
        again.json(),
        again.headers["location"],
    )
    problem_in(office.send(shipment(prefix="S"), headers=headers), 422, "idempotency_key_reused")
    office.run_jobs()


def test_lists_are_filtered_and_sorted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = office.send(shipment(1, bad=False, prefix="F", exporter="Sodiam")).json()["id"]

    def ids(query: str) -> list[str]:
        return [item["id"] for item in office.get(f"/v1/submissions?{query}")["items"]]

    assert ids("exporter=Sodiam") == [mine]
    assert ids("state=received&exporter=Sodiam&zone=berberati") == [mine]
    assert ids("zone=bria") == []
    assert ids("exporter=Sodiam&overdue=true") == []
    assert ids("exporter=Sodiam&overdue=false") == [mine]
    assert ids("from=2199-01-01") == []
    assert mine in ids("to=2199-01-01&limit=500")
    assert ids("sort=-received_at")[0] == mine
    office.run_jobs()
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=8))
    late = office.get("/v1/submissions?exporter=Sodiam&overdue=true")["items"]
    assert [item["id"] for item in late] == [mine]
    assert late[0]["overdue"]
    walked: list[str] = []
    following = "/v1/submissions?limit=1&sort=-received_at"
    while following:
        page = office.get(following)
        walked += [item["id"] for item in page["items"]]
        following = page["next"]
    assert walked == ids("limit=500&sort=-received_at")
    for wrong in ("sort=name", "overdue=maybe", "state=lost", "from=yesterday", "colour=blue"):
        problem_in(office.ask("viewer", "GET", f"/v1/submissions?{wrong}"), 422, "invalid_input")


def test_due_dates_as_a_calendar(office: Office) -> None:
    office.send(shipment(1, bad=False, prefix="C", exporter='"Übersee; Söhne, ' + "é" * 60 + '"'))
    feed = office.ask("viewer", "POST", "/v1/feeds").json()["href"]
    office.client.cookies.clear()
    answer = office.client.get(feed)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.text.startswith("BEGIN:VCALENDAR\r\n")
    assert "Übersee\\; Söhne\\, é" in answer.text.replace("\r\n ", "")
    assert max(len(line.encode()) for line in answer.text.split("\r\n")) <= 75
    english = answer.text
    for french in (office.client.get(f"{feed}&lang=fr"), office.client.get(feed, headers={"Accept-Language": "fr"})):
        assert french.headers["content-language"] == "fr"
        lines = french.text.replace("\r\n ", "")
        assert "X-WR-CALNAME:kpfootprint\u00a0: échéances des envois" in lines
        assert "SUMMARY:Échéance\u00a0: " in lines
        assert ", 1 lot\r\n" in lines.replace("\\,", ",")
        assert "arcel" not in lines
        assert lines.count("BEGIN:VEVENT") == english.count("BEGIN:VEVENT")
    problem_in(office.client.get(f"{feed}&lang=de"), 422, "invalid_input")
    problem_in(office.client.get(feed[:-1]), 401, "unauthenticated")
    key = feed.partition("key=")[2]
    problem_in(office.client.get("/v1/submissions", headers={"Authorization": f"Bearer {key}"}), 401, "unauthenticated")
    office.run_jobs()


def test_a_job_that_waits_is_cancelled(office: Office) -> None:
    sent = office.send(shipment(prefix="X"))
    job = sent.json()["job"]
    assert office.ask("monitor", "DELETE", job).json()["state"] == "cancelled"
    assert office.ask("monitor", "DELETE", job).json()["state"] == "cancelled"
    office.run_jobs()
    assert office.get(job)["state"] == "cancelled"
    place = sent.headers["location"]
    assert [event["event"] for event in office.get(place)["history"]] == ["submission", "cancelled"]
    decided = office.ask("monitor", "POST", f"{place}/decision", json={"decision": "returned", "note": "wrong file"})
    assert (decided.status_code, decided.json()["state"]) == (201, "decided"), "it need not stay overdue for ever"
    problem_in(office.ask("monitor", "POST", f"{place}/compare"), 409, "conflict")
    assert verify(office.work.engine).wrong is None
    problem_in(office.ask("viewer", "GET", "/v1/jobs/none"), 404, "not_found")
    problem_in(office.ask("viewer", "DELETE", job), 403, "forbidden")


def test_certificates_and_stones_that_came_before_are_flagged(office: Office) -> None:
    for prefix in ("D", "E"):
        sent = office.send(shipment(1, bad=False, prefix=prefix, shift=0.011, certificate_no="CF 77/a"))
        office.run_jobs()
    (parcel,) = office.get(sent.headers["location"])["parcels"]
    codes = [flag["code"] for flag in parcel["flags"]]
    assert "certificate_seen_before" in codes
    assert "stones_seen_before" in codes
    reported = {"items": [{"certificate_no": "cf-77-A", "reported_by": "KP chair", "reported_on": "2026-01-31"}]}
    assert office.ask("monitor", "POST", "/v1/certificates", json=reported).json() == {"added": 1, "known": 0}
    assert office.ask("monitor", "POST", "/v1/certificates", json=reported).json() == {"added": 0, "known": 1}
    table = "sep=;\ncertificate_no;reported_by;note\nCF 77a;KP chair;again\nZZ 1;Antwerp;\n"
    more = office.ask("monitor", "POST", "/v1/certificates", content=table, headers={"Content-Type": "text/csv"})
    assert more.json() == {"added": 1, "known": 1}
    found = office.get("/v1/certificates?certificate_no=cf77a")["items"]
    assert [item["reported_by"] for item in found] == ["KP chair"]
    whole = office.get(sent.headers["location"])
    assert whole["parcels"][0]["flags"][0]["code"] == "certificate_reported"
    assert "certificate_reported" in {flag["code"] for flag in whole["flags"]}
    for wrong in ("nonsense\n1\n", "certificate_no,reported_by\n,x\n"):
        refused = office.ask("monitor", "POST", "/v1/certificates", content=wrong, headers={"Content-Type": "text/csv"})
        problem_in(refused, 422, "invalid_input")
    head = "certificate_no,reported_by,reported_on,note\n"
    for rows, told in (
        ("CF 1,KP,2026-01-31,\n\nCF 2,KP,31/01/2026,\n", (4, "reported_on", "31/01/2026")),
        ("CF 1,KP,2026-01-31,stolen, then found\n", (2, None, "then found")),
    ):
        refused = office.ask(
            "monitor", "POST", "/v1/certificates", content=head + rows, headers={"Content-Type": "text/csv"}
        )
        (one,) = problem_in(refused, 422, "invalid_input")["problems"]
        assert (one["row"], one["column"], one["value"]) == told


@pytest.mark.parametrize("number", ["--", "° —", "\u0661\u0662\u0663", "  "])
def test_a_certificate_that_nothing_could_be_compared_with_is_refused(office: Office, number: str) -> None:
    item = {"certificate_no": number, "reported_by": "KP"}
    answer = office.ask("monitor", "POST", "/v1/certificates", json={"items": [item]})
    assert {one["column"] for one in problem_in(answer, 422, "invalid_input")["problems"]} == {"certificate_no"}


def test_a_column_of_certificates_that_comes_twice_is_refused(office: Office) -> None:
    table = "certificate_no,certificate_no,reported_by\nCF 1,CF 2,KP\n"
    answer = office.ask("monitor", "POST", "/v1/certificates", content=table, headers={"Content-Type": "text/csv"})
    problem_in(answer, 422, "invalid_input")


@pytest.mark.parametrize("unseen", ["CF\u200b77", "CF\u202e77", "\x1b]0;CF", "\u3164"])
def test_what_cannot_be_seen_is_no_name(office: Office, unseen: str) -> None:
    for item in ({"certificate_no": unseen, "reported_by": "KP"}, {"certificate_no": "CF", "reported_by": unseen}):
        problem_in(office.ask("monitor", "POST", "/v1/certificates", json={"items": [item]}), 422, "invalid_input")
    problem_in(office.ask("admin", "POST", "/v1/keys", json={"role": "viewer", "name": unseen}), 422, "invalid_input")


FORM_OF_A_FILE = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nweight_ct\n0.5\r\n--x--\r\n'
)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file whose part never ended
@pytest.mark.parametrize("ends", [b"", b"\r\n--x", b"\r\n--x\r\nContent-Disposition: form-d"])
def test_a_form_without_its_end_is_told_as_that(office: Office, ends: bytes) -> None:
    begun = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nweight_ct\n0.5' + ends
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    told = problem_in(
        office.ask("monitor", "POST", "/v1/submissions", content=begun, headers=headers), 400, "bad_request"
    )
    assert "ends before" in told["detail"]


@pytest.mark.parametrize("path", ["/v1/submissions", "/v1/comparisons", "/sign-in", "/"])
def test_names_of_encodings_that_forms_say_are_not_kept(office: Office, path: str) -> None:
    known = {*encodings._cache}
    headers = {"Content-Type": "multipart/form-data; boundary=x; charset=" + secrets.token_hex(20_000)}
    answer = office.ask("monitor", "POST", path, content=FORM_OF_A_FILE, headers=headers)
    assert answer.status_code == 400, answer.text
    assert "UTF-8" in answer.text
    assert {*encodings._cache} == known


def test_stones_that_come_twice_in_one_shipment_are_flagged_the_second_time(office: Office) -> None:
    zips = [zipfile.ZipFile(io.BytesIO(shipment(1, bad=False, prefix=prefix, shift=0.4))) for prefix in "GK"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in zips[0].namelist():
            first, second = (one.read(name).decode() for one in zips)
            archive.writestr(name, first + "\n" + second.partition("\n")[2])
    sent = office.send(packed.getvalue())
    office.run_jobs()
    flags = [parcel["flags"] for parcel in office.get(sent.headers["location"])["parcels"]]
    seen = [[flag["values"]["parcel_id"] for flag in one if flag["code"] == "stones_seen_before"] for one in flags]
    assert seen == [[], ["G0"]]


@pytest.mark.slow
def test_a_zone_has_a_history(office: Office) -> None:
    office.send(shipment(12, bad=False, prefix="H"))
    office.run_jobs()
    sent = office.send(shipment(1, bad=False, prefix="HX", value_usd="90000000"))
    office.run_jobs()
    (parcel,) = office.get(sent.headers["location"])["parcels"]
    codes = {flag["code"]: flag for flag in parcel["flags"]}
    assert "value_outside_history" in codes
    assert "carats_above_history" not in codes
    assert codes["value_outside_history"]["values"]["n"] >= 12


@pytest.mark.slow
def test_more_carats_than_a_zone_ever_gave_are_flagged(office: Office) -> None:
    office.send(shipment(12, bad=False, prefix="V", zone="carnot"))
    office.run_jobs()
    found = {}
    for carats in (20, 40):
        sent = office.send(shipment(1, bad=False, prefix=f"VX{carats}", zone="carnot", declared=carats))
        office.run_jobs()
        (parcel,) = office.get(sent.headers["location"])["parcels"]
        found[carats] = {flag["code"]: flag for flag in parcel["flags"]}
    assert "carats_above_history" not in found[20]
    told = found[40]["carats_above_history"]
    assert told["values"]["zone_id"] == "carnot"
    assert told["values"]["carats"] == 40
    assert 20 < told["values"]["high"] < 40
    assert told["values"]["n"] >= 12


def test_opinions_and_outcomes(office: Office) -> None:
    office.send(shipment(2, bad=False, prefix="O"))
    office.run_jobs()
    one, other = (
        item["url"]
        for item in office.get("/v1/comparisons?q=O0")["items"] + office.get("/v1/comparisons?q=O1")["items"]
    )
    opinion = office.ask("monitor", "POST", f"{one}/opinions", json={"conclusion": "query", "reasons": "too brown"})
    assert opinion.status_code == 201
    told = {"origin": [{"zone_id": "berberati", "share": 1.0}], "source": "the mine's own books"}
    assert office.ask("monitor", "POST", f"{one}/outcome", json=told).status_code == 201
    told = {"origin": [{"zone_id": "bria", "share": 0.25}, {"zone_id": "unlisted", "share": 0.75}], "source": "a court"}
    assert office.ask("monitor", "POST", f"{other}/outcome", json=told).status_code == 201
    for wrong in (
        {"origin": [{"zone_id": "atlantis", "share": 1.0}], "source": "x"},
        {"origin": [{"zone_id": "bria", "share": 0.5}], "source": "x"},
        {"origin": [], "source": "x"},
    ):
        problem_in(office.ask("monitor", "POST", f"{one}/outcome", json=wrong), 422, "invalid_input")
    problem_in(office.ask("monitor", "POST", "/v1/comparisons/none/outcome", json=told), 404, "not_found")
    found = office.get("/v1/outcomes")
    assert found["n"] == 2
    assert {item["declaration_held"] for item in found["items"]} == {True, False}
    assert found["agreement"]["opinions"]["of"] == 1
    assert found["cllr"]["n_true"] == found["cllr"]["n_false"] == 1
    rate = found["error_rates"]["true_queried"]
    assert (rate["of"], rate["high"] > 0.9) == (1, True)


def test_blanks_are_no_reasons_and_a_zone_goes_by_its_name(office: Office, parcel: dict[str, Any]) -> None:
    one = office.ask("monitor", "POST", "/v1/comparisons", json=parcel).headers["location"]
    for path, given, column in (
        ("opinions", {"conclusion": "query", "reasons": " \n"}, "reasons"),
        ("outcome", {"origin": [{"zone_id": "bria", "share": 1}], "source": " "}, "source"),
    ):
        refused = problem_in(office.ask("monitor", "POST", f"{one}/{path}", json=given), 422, "invalid_input")
        assert [(item["column"], item["reason"]) for item in refused["problems"]] == [(column, "it is empty")]
    named = {"origin": [{"zone_id": "Bria", "share": 1}], "source": "a court"}
    kept = office.ask("monitor", "POST", f"{one}/outcome", json=named)
    assert kept.json()["origin"] == [{"zone_id": "bria", "share": 1}]


def test_releases_are_activated_and_taken_back(office: Office) -> None:
    name = shipped_release().name
    problem_in(office.ask("researcher", "POST", "/v1/models/rollback", json={"reason": "x"}), 409, "conflict")
    problem_in(office.ask("researcher", "POST", "/v1/models/none/activate", json={"reason": "x"}), 404, "not_found")
    problem_in(office.ask("researcher", "POST", f"/v1/models/{name}/activate", json={}), 422, "invalid_input")
    problem_in(office.ask("monitor", "POST", f"/v1/models/{name}/activate", json={"reason": "x"}), 403, "forbidden")
    made = office.ask("researcher", "POST", f"/v1/models/{name}/activate", json={"reason": "checked"})
    assert made.status_code == 201
    assert (made.json()["active"], made.json()["previous"]) == (name, name)
    (item,) = [item for item in office.get("/v1/models")["items"] if item["active"]]
    assert item["release"] == name
    assert item["activations"][-1]["reason"] == "checked"
    assert 0 < item["headline"]["cllr"] < 1
    whole = office.get(f"/v1/models/{name}")
    assert whole["card"].startswith("#")
    assert whole["evaluation"]["results"]


def test_keys_expire_and_sessions_end(office: Office) -> None:
    soon = {"role": "viewer", "expires_at": "2199-01-01"}
    made = office.ask("admin", "POST", "/v1/keys", json=soon).json()
    assert made["expires_at"] == "2199-01-01T00:00:00Z"
    for wrong in ("2001-01-01", "soon"):
        refused = office.ask("admin", "POST", "/v1/keys", json={"role": "viewer", "expires_at": wrong})
        problem_in(refused, 422, "invalid_input")
    office.client.cookies.clear()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert office.client.get("/v1/zones", headers=headers).status_code == 200
    listed = {item["id"]: item for item in office.ask("admin", "GET", "/v1/keys").json()["items"]}
    assert listed[made["id"]]["last_used_at"] is not None
    office.client.cookies.clear()
    office.client.post("/sign-in", data={"key": made["key"]})
    cookies = dict(office.client.cookies)
    sessions = office.ask("admin", "GET", "/v1/sessions").json()["items"]
    (mine,) = [item for item in sessions if item["actor"] == f"key:{made['id']}"]
    assert office.ask("admin", "DELETE", f"/v1/sessions/{mine['id']}").status_code == 204
    office.client.cookies.update(cookies)
    assert office.client.get("/v1/zones").status_code == 401


def test_a_table_is_compared_with_what_the_address_declares(office: Office, examples: Path) -> None:
    content = (examples / "true_berberati.csv").read_bytes()
    query = "declare=berberati&exported_on=2024-03-11&sorter=S7&bottom_screen_mm=1.98&parcel_id=T"
    made = office.ask(
        "monitor", "POST", f"/v1/comparisons?{query}", content=content, headers={"Content-Type": "text/csv"}
    )
    assert made.status_code == 201, made.text
    fields = {
        "declare": "berberati",
        "exported_on": "2024-03-11",
        "sorter": "S7",
        "bottom_screen_mm": "1,98",
        "parcel_id": "T",
    }
    form = office.ask("monitor", "POST", "/v1/comparisons", files={"file": ("x.csv", content)}, data=fields)
    assert form.status_code == 201, form.text
    assert form.json()["report_id"] == made.json()["report_id"]
    assert made.json()["parcel"]["conditions"]["bottom_screen_mm"] == 1.98
    book = (examples / "classeur.xlsx").read_bytes()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert (
        office.ask("monitor", "POST", "/v1/comparisons", content=book, headers={"Content-Type": kind}).status_code
        == 201
    )
    several = office.ask(
        "monitor", "POST", "/v1/comparisons", content=shipment(), headers={"Content-Type": "application/zip"}
    )
    problem_in(several, 422, "invalid_input")


def test_a_body_may_be_packed_by_gzip(office: Office) -> None:
    table = b"weight_ct,colour\n0.42,brown\n0.31,cape\n"

    def sent(body: bytes, packing: str = "gzip", media_type: str = "text/csv") -> Any:
        headers = {"Content-Type": media_type, "Content-Encoding": packing}
        return office.ask("monitor", "POST", "/v1/comparisons?declare=berberati", content=body, headers=headers)

    assert sent(gzip.compress(table)).json()["parcel"]["n_stones"] == 2
    document = json.dumps({"parcel_id": "P", "stones": [{"weight_ct": 0.4}]}).encode()
    assert sent(gzip.compress(document), media_type="application/json").status_code == 201
    assert sent(table, "identity").status_code == 201
    problem_in(sent(table), 400, "bad_request")
    problem_in(sent(gzip.compress(table)[:-4]), 400, "bad_request")
    problem_in(sent(gzip.compress(table) * 2), 400, "bad_request")
    problem_in(sent(table, "br"), 415, "unsupported_media_type")
    bomb = gzip.compress(b"0" * (office.settings.max_body + 1))
    assert len(bomb) < 100_000
    problem_in(sent(bomb), 413, "too_large")
    packed = office.send(b"weight_ct\n0.4\n", "a.csv", headers={"Content-Encoding": "gzip"})
    assert ".csv.gz" in problem_in(packed, 415, "unsupported_media_type")["detail"]


def test_comparisons_are_searched(office: Office) -> None:
    office.send(shipment(3, bad=False, prefix="S"))
    office.run_jobs()
    items = office.get("/v1/comparisons?exporter=Badica&zone=berberati&sort=log10_lr&limit=2")
    values = [item["log10_lr"] for item in items["items"]]
    assert values == sorted(values)
    assert "sort=log10_lr" in items["next"]
    assert office.get(items["next"])["items"]
    assert office.get("/v1/comparisons?conclusion=consistent&zone=bria")["items"] == []
    problem_in(office.ask("viewer", "GET", "/v1/comparisons?conclusion=true"), 422, "invalid_input")


@pytest.mark.slow
def test_a_parcel_may_declare_a_country(office: Office) -> None:
    place = office.send(shipment(2, bad=False, zone="CF")).headers["location"]
    office.run_jobs()
    for parcel in office.get(place)["parcels"]:
        assert "berberati" in {item["zone_id"] for item in office.get(parcel["comparison"])["parcel"]["declared"]}
    found = {item["url"] for item in office.get("/v1/submissions?zone=CF")["items"]}
    assert place in found
    comparisons = {parcel["comparison"] for parcel in office.get(place)["parcels"]}
    for name in ("CF", "Central African Republic"):
        assert {item["url"] for item in office.get(f"/v1/comparisons?zone={name}")["items"]} == comparisons
    assert office.get("/v1/comparisons?zone=CM")["items"] == []
    page = office.ask("viewer", "GET", place.removeprefix("/v1") + "?lang=fr", headers={"Accept": "text/html"}).text
    assert "<span>République centrafricaine</span>" in page
    assert verify(office.work.engine).wrong is None


@pytest.mark.slow
@pytest.mark.parametrize("number", ["\u0421F 7781", "\u0441f-7781", "c\uff46 7781"])
def test_a_certificate_in_letters_that_look_alike_is_the_same(office: Office, number: str) -> None:
    item = {"certificate_no": "CF 7781", "reported_by": "Customs", "reported_on": "2026-01-02"}
    office.ask("monitor", "POST", "/v1/certificates", json={"items": [item]})
    place = office.send(shipment(1, bad=False, prefix=secrets.token_hex(3), certificate_no=number)).headers["location"]
    office.run_jobs()
    (parcel,) = office.get(place)["parcels"]
    assert "certificate_reported" in {flag["code"] for flag in parcel["flags"]}
    assert office.get(f"/v1/certificates?certificate_no={number}")["items"][0]["certificate_no"] == "CF 7781"
    assert verify(office.work.engine).wrong is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["NOLA", "Nola", "nola"])
def test_lists_take_a_zone_by_its_name(office: Office, name: str) -> None:
    place = office.send(shipment(1, bad=False, prefix="Z", zone="nola")).headers["location"]
    office.run_jobs()
    assert place in {item["url"] for item in office.get(f"/v1/submissions?zone={name}")["items"]}
    comparison = office.get(place)["parcels"][0]["comparison"]
    assert comparison in {item["url"] for item in office.get(f"/v1/comparisons?zone={name}")["items"]}


def test_an_origin_is_told_once(office: Office) -> None:
    place = office.send(shipment(1, bad=False, prefix="O")).headers["location"]
    office.run_jobs()
    outcome = f"{office.get(place)['parcels'][0]['comparison']}/outcome"
    told = {"origin": [{"zone_id": "bria", "share": 0.5}, {"zone_id": "bria", "share": 0.5}], "source": "a court"}
    (found,) = problem_in(office.ask("monitor", "POST", outcome, json=told), 422, "invalid_input")["problems"]
    assert (found["row"], found["value"], found["reason"]) == (2, "bria", "it may be given once")


@pytest.mark.parametrize(("carats", "held"), [("0.0001", False), ("9", True)])
def test_a_speck_of_the_source_makes_no_declaration_true(office: Office, carats: str, held: bool) -> None:
    content = shipment(1, bad=False, prefix=f"S{carats}", declared=100)
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            more = f"\nS{carats}0,bria,{carats}" if name == "declarations.csv" else ""
            new.writestr(name, old.read(name).decode() + more)
    place = office.send(packed.getvalue()).headers["location"]
    office.run_jobs()
    comparison = office.get(place)["parcels"][0]["comparison"]
    told = {"origin": [{"zone_id": "bria", "share": 1}], "source": "a court"}
    assert office.ask("monitor", "POST", f"{comparison}/outcome", json=told).status_code == 201
    (case,) = (item for item in office.get("/v1/outcomes?limit=500")["items"] if item["comparison"] == comparison)
    assert case["declaration_held"] is held
