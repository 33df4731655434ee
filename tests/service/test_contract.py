"""The contract of the routes, walked in its own order over HTTP on the real server, its worker and either database."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.register.keys import create_key
from service.register.opening import open_register
from service.settings import ROLES, Settings
from tests.service.office import Office, shipment
from tests.service.reading import let_in, problem_in
from tests.service.server import Server
from tests.service.there import There
from tests.training.packages import PLAIN, write_zip

pytestmark = pytest.mark.slow

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
HASH = re.compile(r"[0-9a-f]{64}")
ROUTES = """
POST /v1/comparisons monitor
GET /v1/comparisons viewer
GET /v1/comparisons/x viewer
GET /v1/comparisons/x.html viewer
GET /v1/comparisons/x.pdf viewer
POST /v1/comparisons/x/opinions monitor
POST /v1/comparisons/x/outcome monitor
GET /v1/outcomes viewer
POST /v1/submissions monitor
GET /v1/submissions viewer
GET /v1/submissions/x viewer
POST /v1/submissions/x/decision monitor
GET /v1/jobs/x viewer
DELETE /v1/jobs/x monitor
GET /v1/zones viewer
GET /v1/zones/x/adequacy viewer
POST /v1/certificates monitor
GET /v1/certificates viewer
GET /v1/keys admin
POST /v1/keys admin
DELETE /v1/keys/x admin
GET /v1/models viewer
GET /v1/models/x viewer
POST /v1/models/x/activate researcher
POST /v1/models/rollback researcher
POST /v1/trainings researcher
POST /v1/plan viewer
POST /v1/pools viewer
GET /v1/drift viewer
GET /v1/register/head viewer
GET /v1/register/export viewer
POST /v1/register/import monitor
GET /openapi.json viewer
GET /docs viewer
GET /metrics viewer
GET / viewer
"""
"""Every route of sections 4 and 6, and the least role that may ask."""


def has(document: Any, *members: str) -> None:
    assert set(members) <= set(document), document


# Section 4: routes


@pytest.mark.parametrize("route", ROUTES.split("\n")[1:-1])
def test_every_route_asks_for_a_key_of_its_role(there: There, route: str) -> None:
    method, path, least = route.split()
    refused = there.ask(None, method, path)
    assert problem_in(refused, 401, "unauthenticated")["instance"] == path
    assert refused.headers["www-authenticate"].startswith("Bearer")
    problem_in(there.ask(None, method, path, headers={"Authorization": "Bearer kpf_x_y"}), 401, "unauthenticated")
    for role in ROLES[: ROLES.index(least)]:
        problem_in(there.ask(role, method, path), 403, "forbidden")
    answer = there.ask(least, method, path)
    assert answer.status_code in {200, 400, 409, 415, 422} or (answer.status_code == 404 and "/x" in path), answer.text
    problem_in(there.ask("admin", "PATCH", path), 405, "method_not_allowed")
    assert method in there.ask("admin", "PATCH", path).headers["allow"]
    if path != "/":
        answer = there.ask("admin", method, f"{path}?colour=blue")
        if not path.startswith("/docs"):  # a page takes what is for others
            problem_in(answer, 422, "invalid_input")


def test_what_is_open(there: There) -> None:
    for path in ("/livez", "/readyz", "/sign-in"):
        assert there.ask(None, "GET", path).status_code == 200
    problem_in(there.ask("viewer", "GET", "/v1/nothing"), 404, "not_found")


def test_a_parcel_in_every_form_of_json(there: There) -> None:
    columns = there.example["stones"]
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    _, of_columns = there.compare()
    _, of_rows = there.compare(stones=rows)
    assert of_columns["report_id"] == of_rows["report_id"]
    counted: dict[tuple[str, str], int] = {}
    for row in rows:
        key = ("small" if row["weight_ct"] < 0.3 else "large", row["colour"])
        counted[key] = counted.get(key, 0) + 1
    counts = [{"size_class": size, "colour": colour, "n_stones": n} for (size, colour), n in counted.items()]
    limits = (("small", 0.05, 0.3), ("large", 0.3, 20))
    classes = [
        {"sieve_set": "ours", "size_class": name, "lower_ct": lower, "upper_ct": upper} for name, lower, upper in limits
    ]
    rest = {name: value for name, value in there.example.items() if name != "stones"}
    rest |= {"counts": counts, "size_classes": classes, "conditions": {"sieve_set": "ours"}}
    answer = there.ask("monitor", "POST", "/v1/comparisons", json=rest)
    assert answer.status_code == 201, answer.text
    assert answer.json()["parcel"]["n_stones"] == len(rows)
    paper = {"certificate_no": "CF 1", "exporter": "Badica", "value_usd": 9000, "hs_code": "7102.10"}
    place, report = there.compare(**paper)
    assert (report["parcel"]["exporter"], report["parcel"]["certificate_no"]) == ("Badica", "CF 1")
    assert there.get(f"{place}/parcel")["hs_code"] == "7102.10"


def test_a_report_is_kept_and_read_in_every_form(there: There) -> None:
    answer = there.ask("monitor", "POST", "/v1/comparisons", json=there.example)
    place = answer.headers["location"]
    assert re.fullmatch(r"/v1/comparisons/[0-9a-z]+", place)
    report = answer.json()
    parts = ("parcel", "verification", "attribution", "mixture", "novelty", "explanation", "conclusion", "cautions")
    has(report, "schema_version", "report_id", "created_at", "software", "model", "error_rates", *parts)
    assert there.ask("viewer", "GET", place).content == answer.content
    for lang in ("en", "fr"):
        page = there.ask("viewer", "GET", f"{place}.html?lang={lang}")
        assert page.headers["content-type"].startswith("text/html")
        assert f'<html lang="{lang}"' in page.text
        wished = there.ask("viewer", "GET", f"{place}.html", headers={"Accept-Language": lang})
        assert wished.text == page.text
        document = there.ask("viewer", "GET", f"{place}.pdf?lang={lang}")
        assert document.headers["content-type"] == "application/pdf"
        assert document.content.startswith(b"%PDF-")
        assert there.ask("viewer", "GET", f"{place}?lang={lang}").content == answer.content
    again = there.ask("monitor", "POST", "/v1/comparisons", json=there.example)
    assert again.json()["report_id"] == report["report_id"]
    assert again.headers["location"] != place, "one id for each acknowledged request"


def test_an_idempotency_key_is_honoured(there: There) -> None:
    once = {"Idempotency-Key": "crate 12"}
    first, again = (there.ask("monitor", "POST", "/v1/comparisons", json=there.example, headers=once) for _ in range(2))
    assert first.status_code == 201, first.text
    assert (first.status_code, first.content, first.headers["location"]) == (
        again.status_code,
        again.content,
        again.headers["location"],
    )
    other = there.example | {"parcel_id": "other"}
    problem_in(there.ask("monitor", "POST", "/v1/comparisons", json=other, headers=once), 422, "idempotency_key_reused")
    sent, back = (there.submit(shipment(1, bad=False), headers=once) for _ in range(2))
    assert sent.status_code == 202, sent.text
    assert (sent.status_code, sent.content, sent.headers["location"]) == (
        back.status_code,
        back.content,
        back.headers["location"],
    )
    problem_in(there.submit(shipment(2), headers=once), 422, "idempotency_key_reused")
    somebody = there.ask("admin", "POST", "/v1/comparisons", json=other, headers=once)
    assert somebody.status_code == 201, "a key of one is not that of another"


def test_flags_belong_to_the_register_and_never_to_the_report(there: There) -> None:
    _, first = there.compare(certificate_no="CF SEEN 2")
    _, second = there.compare(certificate_no="CF SEEN 2")
    assert first["report_id"] == second["report_id"]
    newest = there.get("/v1/comparisons?q=seen&limit=1")["items"][0]
    assert "certificate_seen_before" in [flag["code"] for flag in newest["flags"]]
    assert "seen_before" not in json.dumps(second)


def test_every_error_has_one_shape(there: There) -> None:
    as_json = {"Content-Type": "application/json"}
    post = "/v1/comparisons"
    problem_in(there.ask("monitor", "POST", post, content=b"{", headers=as_json), 400, "not_json")
    problem_in(
        there.ask("monitor", "POST", post, content=b"x", headers={"Content-Type": "a/b"}), 415, "unsupported_media_type"
    )
    found = problem_in(there.ask("monitor", "POST", post, json=there.example | {"stones": []}), 422, "invalid_input")
    assert found["problems"]
    bad = there.example | {"stones": [{"weight_ct": 1, "colour": "brown"}, {"weight_ct": -1, "colour": "brown"}]}
    (told,) = problem_in(there.ask("monitor", "POST", post, json=bad), 422, "invalid_input")["problems"]
    assert (told["table"], told["row"], told["column"], told["value"]) == ("stones", 2, "weight_ct", "-1")
    problem_in(there.ask("monitor", "POST", post, content=b" " * 33_000_000, headers=as_json), 413, "too_large")


def test_a_key_may_ask_so_often_and_no_more(tmp_path: Path) -> None:
    keys = [create_key(Settings(home=tmp_path), "viewer") for _ in range(2)]
    with Server(tmp_path, "--no-worker", KPF_RATE_PER_MINUTE="12") as server:
        one, other = (server.client(key) for key in keys)
        with one, other:
            wait = int(let_in(one, "/v1/zones", 12).headers["retry-after"])
            assert 1 <= wait <= 5
            assert other.get("/v1/zones").status_code == 200
            time.sleep(wait)
            assert one.get("/v1/zones").status_code == 200


def test_zones_on_a_day(there: There) -> None:
    then = {item["zone_id"]: item["status"] for item in there.get("/v1/zones?on=2016-01-01")["items"]}
    now = {item["zone_id"]: item["status"] for item in there.get("/v1/zones")["items"]}
    assert set(then) == set(now)
    assert then != now


def test_keys_are_made_shown_once_and_revoked(there: There) -> None:
    wanted = {"role": "viewer", "name": "Customs", "expires_at": "2199-01-01T00:00:00Z"}
    made = there.ask("admin", "POST", "/v1/keys", json=wanted)
    assert made.status_code == 201
    there.keys["made"] = made.json()["key"]
    assert there.ask("made", "GET", "/metrics").status_code == 200, "any key"
    (item,) = [
        item for item in there.ask("admin", "GET", "/v1/keys").json()["items"] if item["id"] == made.json()["id"]
    ]
    assert (item["name"], item["role"], item["expires_at"]) == ("Customs", "viewer", "2199-01-01T00:00:00Z")
    assert "key" not in item
    assert there.ask("admin", "DELETE", f"/v1/keys/{item['id']}").status_code == 204
    problem_in(there.ask("made", "GET", "/metrics"), 401, "unauthenticated")
    problem_in(there.ask("admin", "DELETE", "/v1/keys/none"), 404, "not_found")


def test_everything_here_is_also_in_openapi(there: There) -> None:
    paths = there.get("/openapi.json")["paths"]
    described = {(method.upper(), re.sub(r"\{\w+\}", "x", path)) for path, item in paths.items() for method in item}
    for route in ROUTES.split("\n")[1:-1]:
        method, path, _ = route.split()
        if path not in {"/", "/docs"}:
            assert (method, path) in described


# Section 6: shapes


def test_a_submission_from_arrival_to_a_second_decision(there: There) -> None:
    sent = there.submit(shipment(prefix="W"), data={"note": "by courier"})
    assert sent.status_code == 202
    assert set(sent.json()) == {"id", "job"}
    place = sent.headers["location"]
    assert place == f"/v1/submissions/{sent.json()['id']}"
    job = there.over(sent.json()["job"])
    assert set(job) == {
        *("id", "kind", "state", "progress", "created_at", "started_at", "ended_at", "problem", "result")
    }
    assert (job["kind"], job["state"], job["result"]) == ("submission", "done", place)
    assert job["progress"] == {"done": 2, "total": 2}
    assert all(MOMENT.fullmatch(job[name]) for name in ("created_at", "started_at", "ended_at"))
    problem_in(there.ask("monitor", "DELETE", sent.json()["job"]), 409, "conflict")
    found = there.get(place)
    has(found, "id", "received_at", "due_at", "state", "overdue", "exporter", "note", "n_parcels", "n_bad", "job")
    has(found, "parcels", "flags", "decision", "history")
    received, due = (datetime.fromisoformat(found[name]) for name in ("received_at", "due_at"))
    assert due - received == timedelta(days=7)
    assert (found["state"], found["overdue"], found["n_parcels"], found["n_bad"]) == ("compared", False, 3, 1)
    assert (found["note"], found["exporter"], found["decision"]) == ("by courier", "Badica", None)
    assert found["job"] == sent.json()["job"]
    for parcel in found["parcels"]:
        assert set(parcel) == {"parcel_id", "comparison", "conclusion", "log10_lr", "flags", "problems"}
    good, bad = found["parcels"][0], found["parcels"][2]
    assert there.get(good["comparison"])["conclusion"] == good["conclusion"]
    assert (bad["comparison"], bad["conclusion"], bad["problems"][0]["column"]) == (None, None, "weight_ct")
    for decision in ("returned", "approved", "refused"):
        given = {"decision": decision, "note": f"so: {decision}"}
        decided = there.ask("monitor", "POST", f"{place}/decision", json=given)
        assert decided.status_code == 201
        assert set(decided.json()["decision"]) == {"decision", "note", "actor", "at"}
    told = decided.json()
    assert told == there.get(place)
    assert told["state"] == "decided"
    assert all(set(event) == {"at", "actor", "event", "values"} for event in told["history"])
    kept = [event["values"]["decision"] for event in told["history"] if event["event"] == "decision"]
    assert kept == ["returned", "approved", "refused"]
    problem_in(there.ask("monitor", "POST", f"{place}/decision", json={"decision": "lost"}), 422, "invalid_input")
    problem_in(
        there.ask("monitor", "POST", "/v1/submissions/x/decision", json={"decision": "refused"}), 404, "not_found"
    )


def test_a_submission_that_still_waits_cannot_be_decided_and_its_job_can_be_cancelled(there: There) -> None:
    many = there.submit(shipment(200, bad=False, prefix="Q"))
    place = many.headers["location"]
    refused = there.ask("monitor", "POST", f"{place}/decision", json={"decision": "approved"})
    problem_in(refused, 409, "conflict")
    assert there.ask("monitor", "DELETE", many.json()["job"]).status_code == 200
    assert there.over(many.json()["job"])["state"] == "cancelled"


def test_what_cannot_be_read_is_refused_and_not_kept(there: There) -> None:
    before = there.get("/v1/submissions?limit=500")["items"]
    problem_in(there.submit(b"no zip"), 422, "invalid_input")
    problem_in(there.ask("monitor", "POST", "/v1/submissions", files={"other": b"x"}), 422, "invalid_input")
    assert there.get("/v1/submissions?limit=500")["items"] == before


def test_lists_of_submissions_are_filtered_sorted_and_paged(there: There) -> None:
    for exporter, zone in (("Sodiam", "berberati"), ("Sodiam", "carnot"), ("Other", "carnot")):
        sent = there.submit(shipment(1, bad=False, prefix="S", exporter=exporter, zone=zone))
        there.over(sent.json()["job"])
    there.ask("monitor", "POST", f"{sent.headers['location']}/decision", json={"decision": "approved"})

    def ids(query: str) -> list[str]:
        return [item["id"] for item in there.get(f"/v1/submissions?{query}")["items"]]

    both = ids("exporter=Sodiam")
    assert len(both) == 2
    assert ids("exporter=Sodiam&zone=carnot") == [both[1]]
    assert ids("exporter=Other&state=decided") == [sent.json()["id"]]
    assert ids("exporter=Sodiam&overdue=true") == []
    assert ids("exporter=Sodiam&overdue=false&state=compared") == both
    assert ids("exporter=Sodiam&sort=-received_at") == both[::-1]
    assert ids("exporter=Sodiam&sort=due_at") == both
    first, last = (there.get(f"/v1/submissions/{one}")["received_at"][:10] for one in both)
    assert ids(f"exporter=Sodiam&from={first}&to={last}") == both
    assert ids("exporter=Sodiam&to=2001-01-01") == ids("exporter=Sodiam&from=2199-01-01") == []
    for path in ("/v1/submissions", "/v1/comparisons", "/v1/certificates", "/v1/zones", "/v1/models", "/v1/outcomes"):
        whole, walked, following = there.get(f"{path}?limit=500")["items"], [], f"{path}?limit=3"
        while following:
            page = there.get(following)
            walked += page["items"]
            following = page["next"]
        assert walked == whole
        for wrong in ("limit=0", "limit=501", "before=x", "sort=weight", "colour=blue"):
            problem_in(there.ask("viewer", "GET", f"{path}?{wrong}"), 422, "invalid_input")


def test_due_dates_as_a_calendar_by_a_key_that_does_nothing_else(there: There) -> None:
    there.over(there.submit(shipment(1, bad=False, prefix="K", exporter="Calendar")).json()["job"])
    feed = there.ask("viewer", "POST", "/v1/feeds").json()["href"]
    answer = there.ask(None, "GET", feed)
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "Calendar" in answer.text
    problem_in(there.ask(None, "GET", "/v1/submissions.ics"), 401, "unauthenticated")
    key = {"Authorization": f"Bearer {feed.partition('key=')[2]}"}
    problem_in(there.ask(None, "GET", "/v1/submissions", headers=key), 401, "unauthenticated")


def test_opinions_and_outcomes(there: There) -> None:
    place, _ = there.compare()
    opinion = {"conclusion": "query", "reasons": "too brown"}
    kept = there.ask("monitor", "POST", f"{place}/opinions", json=opinion)
    assert kept.status_code == 201
    assert {name: kept.json()[name] for name in opinion} == opinion
    outcome = {
        "origin": [{"zone_id": "bria", "share": 0.4}, {"zone_id": "berberati", "share": 0.6}],
        "source": "a court",
    }
    kept = there.ask("monitor", "POST", f"{place}/outcome", json=outcome)
    assert kept.status_code == 201
    assert {name: kept.json()[name] for name in outcome} == outcome
    found = there.get("/v1/outcomes")
    has(found, "n", "agreement", "cllr", "error_rates", "items", "next")
    (item,) = [item for item in found["items"] if item["comparison"] == place]
    assert item["origin"] == outcome["origin"]
    for name, path in (("opinion", "opinions"), ("outcome", "outcome")):
        given = opinion if name == "opinion" else outcome
        problem_in(there.ask("monitor", "POST", f"/v1/comparisons/x/{path}", json=given), 404, "not_found")
        problem_in(there.ask("monitor", "POST", f"{place}/{path}", json={}), 422, "invalid_input")


def test_comparisons_are_searched(there: There) -> None:
    for name, zone in (("FIND-1", "berberati"), ("FIND-2", "bria"), ("FIND-3", "bria")):
        there.compare(parcel_id=name, exporter="Finder", declarations=[{"zone_id": zone}])

    def found(query: str) -> list[str]:
        return [item["parcel_id"] for item in there.get(f"/v1/comparisons?exporter=Finder&{query}")["items"]]

    assert found("") == found("sort=-created_at") == ["FIND-3", "FIND-2", "FIND-1"]
    assert found("sort=created_at") == ["FIND-1", "FIND-2", "FIND-3"]
    assert found("zone=bria") == ["FIND-3", "FIND-2"]
    assert found("parcel_id=FIND-2") == ["FIND-2"]
    assert found("q=find+3") == ["FIND-3"]
    lrs = {item["parcel_id"]: item["log10_lr"] for item in there.get("/v1/comparisons?exporter=Finder")["items"]}
    assert [lrs[name] for name in found("sort=log10_lr")] == sorted(lrs.values())
    assert [lrs[name] for name in found("sort=-log10_lr")] == sorted(lrs.values(), reverse=True)
    by_word = [
        name
        for word in ("consistent", "inconclusive", "query", "not_comparable")
        for name in found(f"conclusion={word}")
    ]
    assert sorted(by_word) == ["FIND-1", "FIND-2", "FIND-3"]
    assert found("from=2001-01-01&to=2199-01-01") == found("")
    assert found("to=2001-01-01") == []
    for wrong in ("conclusion=good", "from=noon", "sort=weight"):
        problem_in(there.ask("viewer", "GET", f"/v1/comparisons?{wrong}"), 422, "invalid_input")


def test_certificates_that_were_reported(there: There) -> None:
    one = {"certificate_no": "CF 900", "reported_by": "KP chair", "reported_on": "2026-01-31", "note": "stolen paper"}
    made = there.ask("monitor", "POST", "/v1/certificates", json={"items": [one]})
    assert (made.status_code, made.json()) == (201, {"added": 1, "known": 0})
    table = "certificate_no,reported_by,reported_on,note\nCF-900,KP chair,2026-01-31,again\nCF 901,Antwerp,,\n"
    more = there.ask("monitor", "POST", "/v1/certificates", content=table, headers={"Content-Type": "text/csv"})
    assert (more.status_code, more.json()) == (201, {"added": 1, "known": 1})
    (item,) = there.get("/v1/certificates?certificate_no=cf900")["items"]
    assert {name: item[name] for name in one} == one


def test_the_register_is_told_taken_away_and_taken_in(there: There, tmp_path: Path) -> None:
    there.compare()
    head = there.get("/v1/register/head")
    assert set(head) == {"position", "hash", "at"}
    assert HASH.fullmatch(head["hash"])
    for form, kind in (("csv", "text/csv"), ("jsonl", "application/x-ndjson")):
        answer = there.ask("viewer", "GET", f"/v1/register/export?format={form}")
        assert answer.headers["content-type"].startswith(kind)
        assert len(answer.content.splitlines()) >= head["position"]
    assert there.ask("viewer", "GET", "/v1/register/export?format=jsonl&to=2001-01-01").content == b""
    laptop = Settings(home=tmp_path)
    open_register(laptop).dispose()
    other = Office(laptop)
    with other.client:
        made = other.ask("monitor", "POST", "/v1/comparisons", json=there.example | {"parcel_id": "on-the-road"})
        place, report = made.headers["location"], made.json()
        lines = other.ask("viewer", "GET", "/v1/register/export?format=jsonl").content
    other.work.close()
    for _ in range(2):
        taken = there.ask("monitor", "POST", "/v1/register/import", files={"file": ("laptop.jsonl", lines)})
        assert taken.status_code == 202
        job = there.over(taken.json()["job"])
        assert job["state"] == "done", job
    assert there.get(place) == report, "an entry keeps its id, its time and its report"
    (item,) = there.get("/v1/comparisons?parcel_id=on-the-road")["items"]
    assert item["url"] == place
    exported = there.ask("viewer", "GET", "/v1/register/export?format=jsonl").text.splitlines()
    (entry,) = [
        line for line in map(json.loads, exported) if line["kind"] == "comparison" and line["subject"] == item["id"]
    ]
    assert entry["actor"] == f"key:{there.keys['monitor'].split('_')[1]}"
    assert entry["values"]["origin"]["actor"] == f"key:{other.keys['monitor'].split('_')[1]}"


def test_releases_are_put_in_force_and_gone_back_from(there: There) -> None:
    items = there.get("/v1/models")["items"]
    for item in items:
        assert set(item) == {"release", "active", "released", "reference", "headline", "activations"}
        assert set(item["headline"]) == {"auc", "cllr"}
    (active,) = [item["release"] for item in items if item["active"]]
    other = next(item["release"] for item in items if not item["active"])
    card = there.get(f"/v1/models/{other}")
    has(card, "card", "evaluation")
    for path, reason, now, before in (
        (f"/v1/models/{other}/activate", "looked at", other, active),
        ("/v1/models/rollback", "a complaint", active, other),
    ):
        done = there.ask("researcher", "POST", path, json={"reason": reason})
        assert done.status_code == 201, done.text
        assert set(done.json()) == {"active", "previous", "at", "actor"}
        assert (done.json()["active"], done.json()["previous"]) == (now, before)
    told = {item["release"]: item["activations"] for item in there.get("/v1/models")["items"]}
    assert [set(past) for past in told[other]] == [{"at", "actor", "reason"}]
    problem_in(there.ask("researcher", "POST", f"/v1/models/{other}/activate", json={}), 422, "invalid_input")
    problem_in(there.ask("researcher", "POST", "/v1/models/x/activate", json={"reason": "x"}), 404, "not_found")


def test_a_training_is_asked_for_and_cancelled(there: There, tmp_path: Path) -> None:
    package = write_zip(tmp_path / "mine.zip", PLAIN).read_bytes()
    asked = {"files": {"file": ("mine.zip", package)}, "data": {"config": "[fit]\nn_folds = 3\n"}}
    made = there.ask("researcher", "POST", "/v1/trainings", **asked)
    assert made.status_code == 202, made.text
    assert there.get(made.json()["job"])["kind"] == "training"
    assert there.ask("monitor", "DELETE", made.json()["job"]).status_code == 200
    assert there.over(made.json()["job"])["state"] == "cancelled"


def test_planning_takes_and_gives_what_the_commands_do(there: There) -> None:
    plan = there.ask("viewer", "POST", "/v1/plan", json={"declared": ["berberati"], "against": "bria", "share": 0.2})
    assert plan.status_code == 200, plan.text
    has(plan.json(), "declared", "against", "share", "detection", "floor", "distinguishable", "sentence")
    assert len(plan.json()["detection"]) >= 5
    assert all(set(row) >= {"n_stones", "carats", "chance"} for row in plan.json()["detection"])
    enough = there.get("/v1/zones/berberati/adequacy")
    has(enough, "zone_id", "n_parcels", "effective_parcels", "hardest", "gain", "sentence")
    assert set(enough["hardest"][0]) >= {"zone_id", "chance_false_consistent"}
    assert set(enough["gain"][0]) >= {"extra_parcels", "expected_cllr", "expected_chance"}
    ids = []
    for number in range(3):  # the same stones would count once
        stones = {name: values[number:] for name, values in there.example["stones"].items()}
        href, _ = there.compare(parcel_id=f"POOL-{number}", exporter="Pooler", stones=stones)
        ids.append(href.rpartition("/")[2])
    pool = there.ask("viewer", "POST", "/v1/pools", json={"comparisons": ids})
    assert pool.status_code == 200, pool.text
    has(pool.json(), "n_parcels", "verification", "mixture", "cautions")
    has(pool.json()["verification"], "log10_lr", "low", "high", "log10_lr_if_independent", "dependence")
    has(pool.json()["mixture"], "undeclared_stone_fraction", "p_value")
    drift = there.get("/v1/drift?exporter=Pooler")
    has(drift, "series", "false_alarm")
    has(drift["false_alarm"], "per_points")
    for series in drift["series"]:
        has(series, "name", "points", "centre", "lower", "upper", "signals")
        assert all(set(point) >= {"at", "comparison", "value"} for point in series["points"])
    assert there.get("/v1/drift?zone=berberati")["series"]
