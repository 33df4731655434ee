"""Who may ask what: every endpoint against every role, sessions, forged requests, the one-time link."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from service.door.endpoint import Endpoint
from service.door.identity import COOKIE
from service.endpoints import ENDPOINTS
from service.pages.sign_in import local_target
from service.register import sessions
from service.register.database import open_register, opened
from service.register.keys import ROLES, all_keys, create_key, revoke
from service.register.tables import sign_in_links
from service.settings import Settings
from tests.service.reading import problem_in, token_in

Ask = Callable[..., Any]
PLACES = [(item, f"{item.method} {item.path}") for item in ENDPOINTS]


def address(item: Endpoint) -> str:
    return re.sub(r"\{\w+\}", "none", item.path)


def test_without_key_only_what_is_open_answers(app: TestClient, subtests: pytest.Subtests) -> None:
    app.cookies.clear()
    for item, name in PLACES:
        with subtests.test(name):
            answer = app.request(item.method, address(item))
            if name == "GET /v1/submissions.ics":  # asks for a key in its address
                problem_in(answer, 401, "unauthenticated")
            elif item.role is None:
                assert answer.status_code != 403
                provider = {"GET /sign-in/provider", "GET /sign-in/provider/back"}
                assert name in {"GET /livez", "GET /readyz", "GET /sign-in", "POST /sign-in"} | provider
            else:
                problem_in(answer, 401, "unauthenticated")


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_what_it_may_and_nothing_else(ask: Ask, role: str, subtests: pytest.Subtests) -> None:
    for item, name in PLACES:
        with subtests.test(name):
            answer = ask(role, item.method, address(item))
            if item.role is not None and ROLES.index(role) < ROLES.index(item.role):
                problem_in(answer, 403, "forbidden")
            elif name != "POST /sign-in":  # asks for another key, whoever is asking
                assert answer.status_code not in {401, 403}


def test_unknown_addresses_do_not_tell_that_they_are_unknown(app: TestClient) -> None:
    app.cookies.clear()
    problem_in(app.get("/v1/secrets"), 401, "unauthenticated")
    problem_in(app.put("/v1/comparisons"), 401, "unauthenticated")


def test_a_revoked_key_opens_nothing_and_ends_its_sessions(app: TestClient, home: Path) -> None:
    app.cookies.clear()
    key = create_key(Settings(home=home), "viewer", "leaves soon")
    headers = {"Authorization": f"Bearer {key}"}
    assert app.get("/v1/zones", headers=headers).status_code == 200
    assert app.post("/sign-in", data={"key": key}).status_code == 303
    assert app.get("/v1/zones").status_code == 200
    with opened(Settings(home=home)) as engine:
        assert revoke(engine, key.split("_")[1])
        assert not revoke(engine, "none")
    problem_in(app.get("/v1/zones", headers=headers), 401, "unauthenticated")
    problem_in(app.get("/v1/zones"), 401, "unauthenticated")


def test_the_register_holds_no_secret(app: TestClient, keys: dict[str, str], home: Path) -> None:
    app.cookies.clear()
    app.post("/sign-in", data={"key": keys["admin"]})
    held = b"".join(path.read_bytes() for path in home.glob("register.db*"))
    for secret in (keys["admin"].split("_", 2)[2], app.cookies[COOKIE]):
        assert secret.encode() not in held


def test_keys_over_http(ask: Ask, app: TestClient) -> None:
    made = ask("admin", "POST", "/v1/keys", json={"role": "monitor", "name": "Customs"})
    assert made.status_code == 201
    key, key_id = made.json()["key"], made.json()["id"]
    assert made.headers["location"] == f"/v1/keys/{key_id}"
    app.cookies.clear()
    assert app.get("/v1/zones", headers={"Authorization": f"bearer {key}"}).status_code == 200
    listed = {item["id"]: item for item in ask("admin", "GET", "/v1/keys").json()["items"]}
    assert listed[key_id]["name"] == "Customs"
    assert "key" not in listed[key_id]
    assert ask("admin", "DELETE", f"/v1/keys/{key_id}").status_code == 204
    assert app.get("/v1/zones", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app: TestClient, keys: dict[str, str]) -> None:
    app.cookies.clear()
    cookie = app.post("/sign-in", data={"key": keys["viewer"]}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    app.cookies.clear()
    answer = app.post("https://testserver/sign-in", data={"key": keys["viewer"]})
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("foreign", ['{"a": 1, "b": [2]}', "a b/c", "x=y; z", "é", '"', ""])
def test_the_cookies_of_others_sign_nobody_out(app: TestClient, keys: dict[str, str], foreign: str) -> None:
    app.cookies.clear()
    app.post("/sign-in", data={"key": keys["viewer"]})
    secret = app.cookies[COOKIE]
    app.cookies.clear()
    for header in (f"other={foreign}; {COOKIE}={secret}", f"{COOKIE}={secret}; other={foreign}"):
        assert app.get("/v1/zones", headers={b"cookie": header.encode()}).status_code == 200


def test_a_wrong_key_signs_nobody_in(app: TestClient) -> None:
    app.cookies.clear()
    answer = app.post("/sign-in", data={"key": "kpf_00000000_wrong"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_forms_need_the_token_of_the_session(browser: TestClient) -> None:
    token = token_in(browser.get("/").text)
    for given in ({}, {"csrf": ""}, {"csrf": token + "x"}, {"csrf": "é"}):
        for path in ("/", "/examples/true", "/sign-out"):
            problem_in(browser.post(path, data=given), 403, "forged_request")
    assert browser.post("/sign-out", data={"csrf": token}).status_code == 303
    assert browser.get("/v1/zones").status_code == 401


def test_json_from_a_browser_needs_the_token_too(browser: TestClient, parcel: dict[str, Any]) -> None:
    token = token_in(browser.get("/").text)
    problem_in(browser.post("/v1/comparisons", json=parcel), 403, "forged_request")
    answer = browser.post("/v1/comparisons", json=parcel, headers={"X-CSRF-Token": token})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_other_sites_cannot_send_forms(browser: TestClient, keys: dict[str, str], headers: dict[str, str]) -> None:
    token = token_in(browser.get("/").text)
    problem_in(browser.post("/examples/true", data={"csrf": token}, headers=headers), 403, "forged_request")
    browser.cookies.clear()
    problem_in(browser.post("/sign-in", data={"key": keys["viewer"]}, headers=headers), 403, "forged_request")


def test_own_pages_can(browser: TestClient) -> None:
    token = token_in(browser.get("/").text)
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/sign-out", data={"csrf": token}, headers=headers).status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "evil",
        "",
        None,
        "/a\r\nb",
        "/\t/e",
    ],
)
def test_nobody_is_sent_elsewhere(target: str | None) -> None:
    assert local_target(target) == "/"


def test_after_signing_in_one_goes_on_where_one_wanted(app: TestClient, keys: dict[str, str]) -> None:
    app.cookies.clear()
    asked = app.get("/comparisons?lang=fr", headers={"Accept": "text/html"})
    assert asked.status_code == 303
    page = app.get(asked.headers["location"])
    assert 'value="/comparisons?lang=fr"' in page.text
    assert '<html lang="fr">' in page.text
    answer = app.post("/sign-in", data={"key": keys["viewer"], "next": "/comparisons?lang=fr"})
    assert answer.headers["location"] == "/comparisons?lang=fr"
    elsewhere = app.post("/sign-in", data={"key": keys["viewer"], "next": "//evil.example"})
    assert elsewhere.headers["location"] == "/"


def test_the_link_signs_in_once(app: TestClient, home: Path) -> None:
    engine = open_register(Settings(home=home))
    with engine.begin() as connection:
        connection.execute(sign_in_links.delete())
    link = sessions.new_link(engine)
    assert link is not None
    app.cookies.clear()
    app.head(f"/sign-in?token={link}")
    answer = app.get(f"/sign-in?token={link}")
    assert answer.status_code == 303
    assert link not in answer.headers["location"]
    assert app.get("/v1/keys").status_code == 200
    app.cookies.clear()
    assert app.get(f"/sign-in?token={link}").status_code == 401
    assert app.get("/v1/zones").status_code == 401
    engine.dispose()


def test_an_old_link_is_void(tmp_path: Path) -> None:
    engine = open_register(Settings(home=tmp_path))
    first = sessions.new_link(engine)
    second = sessions.new_link(engine)  # nobody came, and there is no key: the next start offers another
    assert first is not None
    assert second is not None
    assert sessions.open_by_link(engine, first) is None
    with engine.begin() as connection:
        moment = connection.scalar(sa.select(sign_in_links.c.expires_at))
        assert moment is not None
        connection.execute(
            sign_in_links.update().values(expires_at=moment - sessions.LINK_LASTS - timedelta(seconds=1))
        )
    assert sessions.open_by_link(engine, second) is None
    engine.dispose()


def test_a_link_is_offered_only_as_long_as_nobody_can_come_in_otherwise(tmp_path: Path) -> None:
    engine = open_register(Settings(home=tmp_path))
    create_key(Settings(home=tmp_path), "viewer")
    link = sessions.new_link(engine)
    assert link is not None, "the first start offers one, whatever keys there are"
    assert sessions.new_link(engine) is None
    assert sessions.open_by_link(engine, link) is not None
    assert sessions.new_link(engine) is None
    assert len(all_keys(engine)) == 1
    engine.dispose()


def test_the_page_says_nothing_of_the_token_in_its_links(app: TestClient) -> None:
    app.cookies.clear()
    assert "sesame" not in app.get("/sign-in?token=sesame").text
