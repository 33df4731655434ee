"""Comparisons over HTTP: made, kept, read again, listed, repeated."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.register.opening import open_register
from service.register.tables import comparisons
from service.settings import Settings
from tests.service.reading import problem_in

Ask = Callable[..., Any]


def test_a_parcel_comes_back_as_its_report(ask: Ask, parcel: dict[str, Any]) -> None:
    made = ask("monitor", "POST", "/v1/comparisons", json=parcel)
    assert made.status_code == 201
    assert made.headers["content-type"] == "application/json"
    report = made.json()
    assert report["parcel"]["parcel_id"] == parcel["parcel_id"]
    assert report["parcel"]["n_stones"] == len(parcel["stones"]["weight_ct"])
    assert report["conclusion"] in {"consistent", "inconclusive", "query", "not_comparable"}
    again = ask("viewer", "GET", made.headers["location"])
    assert again.status_code == 200
    assert again.content == made.content


def test_rows_and_columns_are_the_same_parcel(ask: Ask, parcel: dict[str, Any]) -> None:
    names = list(parcel["stones"])
    rows = [dict(zip(names, values, strict=True)) for values in zip(*parcel["stones"].values(), strict=True)]
    one = ask("monitor", "POST", "/v1/comparisons", json=parcel)
    other = ask("monitor", "POST", "/v1/comparisons", json=parcel | {"stones": rows})
    assert one.headers["location"] != other.headers["location"]
    assert one.json()["report_id"] == other.json()["report_id"]


def test_the_report_as_a_page_and_as_a_document(ask: Ask, kept: str) -> None:
    english = ask("viewer", "GET", f"{kept}.html")
    assert english.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="en">' in english.text
    for how in ({"path": f"{kept}.html?lang=fr"}, {"path": f"{kept}.html", "headers": {"Accept-Language": "fr, en"}}):
        french = ask("viewer", "GET", **how)
        assert '<html lang="fr">' in french.text
        assert french.headers["content-language"] == "fr"
    document = ask("viewer", "GET", f"{kept}.pdf?lang=fr")
    assert document.headers["content-type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-")


def test_the_language_changes_no_json(ask: Ask, kept: str) -> None:
    assert ask("viewer", "GET", f"{kept}?lang=fr").content == ask("viewer", "GET", kept).content


@pytest.mark.slow
def test_the_list_is_walked_by_its_links(ask: Ask, parcel: dict[str, Any]) -> None:
    made = [ask("monitor", "POST", "/v1/comparisons", json=parcel).headers["location"] for _ in range(5)]
    seen: list[str] = []
    following: str | None = "/v1/comparisons?limit=2"
    while following is not None and len(seen) < 6:
        page = ask("viewer", "GET", following).json()
        assert set(page) == {"items", "next"}
        seen += [item["url"] for item in page["items"]]
        following = page["next"]
    assert seen[:5] == made[::-1]
    item = ask("viewer", "GET", "/v1/comparisons?limit=1").json()["items"][0]
    report = ask("viewer", "GET", item["url"]).json()
    assert item["conclusion"] == report["conclusion"]
    assert item["log10_lr"] == report["verification"]["log10_lr"]
    assert item["declared"] == ["berberati"]


def test_a_repeated_request_gets_its_first_answer(ask: Ask, parcel: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": "shipment 7"}
    first = ask("monitor", "POST", "/v1/comparisons", json=parcel, headers=headers)
    again = ask("monitor", "POST", "/v1/comparisons", json=parcel, headers=headers)
    assert (first.status_code, first.content, first.headers["location"]) == (
        again.status_code,
        again.content,
        again.headers["location"],
    )
    other = parcel | {"parcel_id": "another"}
    answer = ask("monitor", "POST", "/v1/comparisons", json=other, headers=headers)
    problem_in(answer, 422, "idempotency_key_reused")
    stranger = ask("researcher", "POST", "/v1/comparisons", json=other, headers=headers)
    assert stranger.status_code == 201, "the key belongs to who sent it"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(ask: Ask, parcel: dict[str, Any], key: str) -> None:
    answer = ask("monitor", "POST", "/v1/comparisons", json=parcel, headers={"Idempotency-Key": key})
    problem_in(answer, 422, "invalid_input")


def test_the_same_request_many_times_at_once_is_kept_once(ask: Ask, parcel: dict[str, Any], home: Path) -> None:
    headers = {"Idempotency-Key": "at once"}

    def send(_: int) -> Any:
        return ask("monitor", "POST", "/v1/comparisons", json=parcel, headers=headers)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len({answer.content for answer in answers}) == 1
    engine = open_register(Settings(home=home))
    with engine.connect() as connection:
        rows = connection.execute(comparisons.select().where(comparisons.c.idempotency_key == "at once")).all()
    engine.dispose()
    assert len(rows) == 1


def test_what_was_refused_is_not_kept(ask: Ask) -> None:
    before = ask("viewer", "GET", "/v1/comparisons?limit=1").json()
    ask("monitor", "POST", "/v1/comparisons", content=b"{", headers={"Content-Type": "application/json"})
    ask("monitor", "POST", "/v1/comparisons", json={"parcel_id": "P"})
    assert ask("viewer", "GET", "/v1/comparisons?limit=1").json() == before


def test_a_form_that_was_cut_off_is_refused(ask: Ask) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    rows = "".join(f"{number},0.{number},brown\r\n" for number in range(10, 99))
    whole = (
        '--b\r\nContent-Disposition: form-data; name="file"; filename="cut.csv"\r\n\r\n'
        f"no,weight_ct,colour\r\n{rows}\r\n--b--\r\n"
    )
    kept = ask("monitor", "POST", "/v1/comparisons?declare=nola", content=whole.encode(), headers=headers)
    assert kept.status_code == 201
    cut = ask("monitor", "POST", "/v1/comparisons?declare=nola", content=whole[:-100].encode(), headers=headers)
    assert "before its last boundary" in problem_in(cut, 400, "bad_request")["detail"]


def test_a_parcel_without_declaration(ask: Ask, parcel: dict[str, Any]) -> None:
    report = ask("monitor", "POST", "/v1/comparisons", json=parcel | {"declarations": []}).json()
    assert report["verification"] is None
    assert report["conclusion"] is None
    assert "no_declaration" in {caution["code"] for caution in report["cautions"]}


def test_zones_stand_as_they_stood_on_the_day(ask: Ask) -> None:
    page = ask("viewer", "GET", "/v1/zones?on=2014-01-01").json()
    status = {item["zone_id"]: item["status"] for item in page["items"]}
    assert (page["on"], page["next"]) == ("2014-01-01", None)
    assert status["berberati"] == "suspended"
    later = {i["zone_id"]: i["status"] for i in ask("viewer", "GET", "/v1/zones?on=2025-06-01").json()["items"]}
    assert later["berberati"] == "compliant"


def test_one_release_is_active(ask: Ask) -> None:
    items = ask("viewer", "GET", "/v1/models").json()["items"]
    assert sum(item["active"] for item in items) == 1
    assert {"release", "active", "released", "reference", "headline", "activations"} == set(items[0])


def test_figures_carry_templates_and_no_addresses(ask: Ask, kept: str) -> None:
    ask("viewer", "GET", kept)
    for n in range(5):
        ask("viewer", "GET", f"/random/{n}")
    text = ask("viewer", "GET", "/metrics").text
    assert 'kpf_requests_total{method="GET",route="/v1/comparisons/{id}",status="200"}' in text
    assert "random" not in text
    assert kept.rpartition("/")[2] not in text
    assert "kpf_comparisons_total{" in text


def test_the_service_is_alive_and_ready(ask: Ask) -> None:
    assert ask("viewer", "GET", "/livez").status_code == 200
    assert ask("viewer", "GET", "/readyz").status_code == 200


def test_what_a_form_may_hold_once_is_refused_twice(ask: Ask) -> None:
    sheet = ("a.csv", b"weight_ct,colour\n0.20,brown\n0.31,cape\n")
    twice: list[tuple[str, Any]] = [("file", sheet), ("file", ("b.csv", sheet[1]))]
    days = {"exported_on": ["2019-01-01", "2020-01-01"], "declare": ["nola=1", "boda=2"]}
    for path, said in (("/v1/comparisons", {}), ("/v1/comparisons", days), ("/v1/submissions", {"note": ["a", "b"]})):
        one = path == "/v1/comparisons" and said
        answer = ask("monitor", "POST", path, files=twice[:1] if one else twice, data=said)
        found = {item["column"]: item["reason"] for item in problem_in(answer, 422, "invalid_input")["problems"]}
        assert found == dict.fromkeys(["exported_on"] if one else ["file", *said], "it may be given once")
