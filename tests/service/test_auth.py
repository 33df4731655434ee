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

from service.door.admission import COOKIE
from service.door.endpoint import Endpoint
from service.endpoints import ENDPOINTS
from service.pages.sign_in import local_target
from service.register.keys import LINK_LASTS, all_keys, create_key, new_link, open_by_link, revoke
from service.register.opening import open_register, opened
from service.register.tables import sign_in_links
from service.settings import ROLES, Settings
from tests.every import every
from tests.service.reading import problem_in

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


SITES = {"same-origin": True, "none": True, "same-site": False, "cross-site": False, "": False, "Same-Origin": False}
HOSTS = {
    "http://testserver": True,
    "https://testserver": True,
    "https://evil.example": False,
    "http://testserver.evil.example": False,
    "http://evil@testserver": False,
    "http://testserver:81": False,
    "http://[x": False,
    "null": False,
    "": False,
}
"""What a browser says of the page that sent a request, and whether that is one of this service."""


@pytest.mark.parametrize("origin", [None, *HOSTS])
@pytest.mark.parametrize("site", [None, *SITES])
def test_what_changes_something_comes_from_a_page_of_this_service(
    browser: TestClient, keys: dict[str, str], site: str | None, origin: str | None
) -> None:
    given = {name: value for name, value in (("Sec-Fetch-Site", site), ("Origin", origin)) if value is not None}
    own = SITES[site] if site is not None else HOSTS[origin] if origin is not None else True
    for path, status in (("/examples/none", 404), ("/v1/comparisons", 422), ("/sign-in", 401)):
        body: dict[str, Any] = {"json": {}} if path.startswith("/v1") else {"data": {"key": "x"}}
        answer = browser.post(path, headers=given, **body)
        if own:
            assert answer.status_code == status
        else:
            problem_in(answer, 403, "forged_request")
    browser.cookies.clear()
    alone = browser.post("/sign-in", headers=given, data={"key": keys["viewer"]})
    assert alone.status_code == (303 if own else 403)
    for path in ("/v1/zones", "/sign-in"):
        assert browser.get(path, headers=given).status_code != 403, "to look at something changes nothing"
    browser.cookies.clear()
    by_key = given | {"Authorization": f"Bearer {keys['monitor']}"}
    assert browser.post("/v1/comparisons", headers=by_key, json={}).status_code == 422, "no page sends a key"


def test_forms_come_from_the_public_address_too(tmp_path: Path) -> None:
    from service.app import create_app

    settings = Settings(home=tmp_path, public_address="https://footprint.example:8443/kp")
    open_register(settings).dispose()
    key = {"key": create_key(settings, "viewer")}
    behind = {"Host": "10.0.0.7:3000"}  # a proxy put this in the place of the public address
    with TestClient(create_app(settings).to_asgi(), follow_redirects=False, headers=behind) as client:
        for origin, status in (
            ("https://footprint.example:8443", 303),
            ("http://10.0.0.7:3000", 303),
            ("https://footprint.example", 403),
            ("https://evil.example", 403),
        ):
            assert client.post("/sign-in", data=key, headers={"Origin": origin}).status_code == status, origin


def test_a_form_of_a_page_that_was_open_before_its_token_went_is_taken(browser: TestClient) -> None:
    form = {"csrf": "x" * 43, "pasted": "weight_ct\n0.5\n", "parcel_id": "OPEN", "zone": "berberati", "carats": "0.5"}
    assert browser.post("/", data=form).headers["location"].startswith("/comparisons/")
    assert browser.post("/sign-out", data={"csrf": "x" * 43}).status_code == 303
    assert browser.get("/v1/zones").status_code == 401


@every(
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
    link = new_link(engine)
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
    first = new_link(engine)
    second = new_link(engine)  # nobody came, and there is no key: the next start offers another
    assert first is not None
    assert second is not None
    assert open_by_link(engine, first) is None
    with engine.begin() as connection:
        moment = connection.scalar(sa.select(sign_in_links.c.expires_at))
        assert moment is not None
        connection.execute(sign_in_links.update().values(expires_at=moment - LINK_LASTS - timedelta(seconds=1)))
    assert open_by_link(engine, second) is None
    engine.dispose()


def test_a_link_is_offered_only_as_long_as_nobody_can_come_in_otherwise(tmp_path: Path) -> None:
    engine = open_register(Settings(home=tmp_path))
    create_key(Settings(home=tmp_path), "viewer")
    link = new_link(engine)
    assert link is not None, "the first start offers one, whatever keys there are"
    assert new_link(engine) is None
    assert open_by_link(engine, link) is not None
    assert new_link(engine) is None
    assert len(all_keys(engine)) == 1
    engine.dispose()


def test_the_page_says_nothing_of_the_token_in_its_links(app: TestClient) -> None:
    app.cookies.clear()
    assert "sesame" not in app.get("/sign-in?token=sesame").text
