"""What every list and every job has in common, whatever it is of."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from service.endpoints import ENDPOINTS
from service.routes.paging import PAGING
from tests.service.office import Office, shipment
from tests.service.reading import problem_in

LISTS = [
    item.path for item in ENDPOINTS if item.method == "GET" and "items" in getattr(item.answer, "__annotations__", ())
]


def test_every_list_is_known_here() -> None:
    assert {"/v1/comparisons", "/v1/keys", "/v1/models", "/v1/outcomes", "/v1/submissions", "/v1/zones"} <= {*LISTS}


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_walked_page_by_page(office: Office, path: str) -> None:
    assert {item.name for item in PAGING} <= {
        query.name for item in ENDPOINTS if item.path == path and item.method == "GET" for query in item.query
    }
    whole = office.ask("admin", "GET", f"{path}?limit=500").json()["items"]
    walked = []
    following = f"{path}?limit=1"
    while following:
        page = office.ask("admin", "GET", following).json()
        assert set(page) >= {"items", "next"}
        assert len(page["items"]) <= 1
        walked += page["items"]
        following = page["next"]
    same = [{**item, "last_used_at": None} for item in walked]  # asking is a use of the key that asks
    assert same == [{**item, "last_used_at": None} for item in whole]
    for wrong in ("limit=0", "limit=501", "before=x", "colour=blue"):
        problem_in(office.ask("admin", "GET", f"{path}?{wrong}"), 422, "invalid_input")


def test_a_span_is_told_in_days_or_moments(office: Office) -> None:
    sent = office.send(shipment(1, bad=False, prefix="M", exporter="Moments"))
    office.run_jobs()
    at = office.get(sent.headers["location"])["received_at"]
    for path in ("/v1/submissions", "/v1/comparisons"):
        (item,) = office.get(f"{path}?exporter=Moments")["items"]
        at = item.get("received_at") or item["created_at"]

        def found(query: str, path: str = path) -> int:
            return len(office.get(f"{path}?exporter=Moments&{query}")["items"])

        assert found(f"from={at}&to={at}") == 1
        assert found(f"from={at[:10]}&to={at[:10]}") == 1
        assert found(f"from={at.removesuffix('Z')}%2B00:00") == 1
        assert found(f"to={at.removesuffix('Z')}+01:00") == 0, "an hour before"
        assert found("to=2001-01-01T00:00:00Z") == 0
        for wrong in ("noon", "2026-W09-4", "20260228T100000Z", "2026-W09-4T10:00Z", "2026-02-29"):
            problem_in(office.ask("viewer", "GET", f"{path}?from={wrong}"), 422, "invalid_input")
    problem_in(office.ask("viewer", "GET", "/v1/zones?on=2026-W09-4"), 422, "invalid_input")
    for signs in ("'%22;--", "%ff", "-"):
        assert office.get(f"/v1/comparisons?exporter=Moments&q={signs}")["items"] == []


def test_a_name_is_found_again_as_it_was_written(office: Office) -> None:
    office.send(shipment(1, bad=False, prefix="N", exporter="Noe\u0308l  \u2126"))
    office.run_jobs()
    for path in ("/v1/submissions", "/v1/comparisons"):
        for written in ("Noe\u0308l  \u2126", "No\u00ebl \u03a9", " No\u00ebl\t\u03a9"):
            assert len(office.get(f"{path}?exporter={quote(written)}")["items"]) == 1, written


def test_what_is_accepted_is_a_job(office: Office) -> None:
    sent = office.send(shipment(1, bad=False, prefix="J"))
    office.run_jobs()
    lines = office.ask("viewer", "GET", "/v1/register/export").content
    taken = office.ask("monitor", "POST", "/v1/register/import", files={"file": ("laptop.jsonl", lines)})
    again = office.ask("researcher", "POST", "/v1/reexaminations", json={"release": "2026.3"})
    assert sent.status_code == taken.status_code == again.status_code == 202
    for answer in (taken, again):
        job = office.get(answer.json()["job"])
        assert answer.json() == {**job, "job": f"/v1/jobs/{job['id']}"}
    office.run_jobs()
    assert office.get(taken.json()["job"])["state"] == "done"


def test_problems_are_counted_as_people_count(office: Office) -> None:
    one = problem_in(office.ask("admin", "POST", "/v1/keys", json={"role": "king"}), 422, "invalid_input")
    two = problem_in(office.ask("admin", "POST", "/v1/keys", json={"role": "king", "x": 1}), 422, "invalid_input")
    assert (one["detail"], two["detail"]) == ("1 problem found.", "2 problems found.")
