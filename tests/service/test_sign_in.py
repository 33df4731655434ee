"""Signing in without a key, at a provider of OpenID Connect or by the word of a proxy; and who may come in."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from service.register import people
from service.register.opening import open_register
from service.register.people import Vouched, feed_key_of
from service.register.verify import verify
from service.settings import SettingError, Settings, read_settings
from tests.service.office import Office
from tests.service.provider import CLIENT, SECRET, Provider
from tests.service.reading import problem_in
from tests.service.server import PATIENCE

ROLES = "kp-monitors=monitor, kp-admins=admin"
PROXY = "what only the proxy knows"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture
def usual(provider: Provider) -> Provider:
    provider.person = {"sub": "u-1", "name": "A. Expert", "groups": ["kp-monitors", "others"]}
    provider.wrong, provider.sign_with = {}, provider.key
    return provider


@pytest.fixture(scope="module")
def settings(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        home=tmp_path_factory.mktemp("signed-in"),
        oidc_issuer=provider.url,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        proxy_secret=PROXY,
        sign_in_roles=ROLES,
    )


@pytest.fixture(scope="module")
def shared(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    os.environ |= {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
    from service.app import create_app

    open_register(settings).dispose()
    with TestClient(create_app(settings).to_asgi(), follow_redirects=False, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def client(shared: TestClient) -> TestClient:
    shared.cookies.clear()
    return shared


def at_provider(client: TestClient, target: str = "/comparisons") -> Any:
    """Go to the provider and come back as a browser does; return the answer to the way back."""
    begun = client.get("/sign-in/provider", params={"next": target})
    assert begun.status_code == 302, begun.text
    agreed = httpx2.get(begun.headers["location"], timeout=PATIENCE)
    back = urlsplit(agreed.headers["location"])
    return client.get(f"{back.path}?{back.query}")


@pytest.mark.usefixtures("usual")
def test_a_person_signs_in_at_the_provider(client: TestClient, settings: Settings) -> None:
    page = client.get("/sign-in?next=/comparisons", headers={"Accept": "text/html"})
    assert 'href="/sign-in/provider?next=%2Fcomparisons"' in page.text
    answer = at_provider(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/comparisons")
    assert client.get("/comparisons").status_code == 200
    problem_in(client.get("/v1/keys"), 403, "forbidden")
    engine = open_register(settings)
    (actor,) = [actor for actor, name in people.names_of_actors(engine).items() if name == "A. Expert"]
    assert re.fullmatch(r"person:[0-9a-f]{16}", actor)
    engine.dispose()
    client.cookies.clear()
    assert at_provider(client).status_code == 303
    engine = open_register(settings)
    assert actor in people.names_of_actors(engine), "the same person keeps the same pseudonym"
    assert list(people.names_of_actors(engine).values()).count("A. Expert") == 1
    engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["kp-admins", "kp-monitors"]}, "admin"),
        ({"groups": "kp-monitors"}, "monitor"),
        ({"groups": ["others"]}, None),
        ({"groups": []}, None),
        ({}, None),
    ],
)
def test_the_role_is_the_highest_of_the_groups(
    client: TestClient, usual: Provider, claims: dict[str, Any], role: str | None
) -> None:
    usual.person = {"sub": "u-2", "preferred_username": "b", **claims}
    answer = at_provider(client)
    if role is None:
        assert answer.status_code == 403
        assert "kpf_session" not in client.cookies
        return
    assert answer.status_code == 303
    assert client.get("/v1/keys").status_code == (200 if role == "admin" else 403)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "another"},
        {"nonce": "of another visit"},
        {"exp": 1},
        {"sub": None},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_answer_that_is_not_meant_for_us_signs_nobody_in(
    client: TestClient, usual: Provider, wrong: dict[str, Any]
) -> None:
    usual.wrong = wrong
    assert at_provider(client).status_code == 401
    assert "kpf_session" not in client.cookies


def test_a_token_that_somebody_else_signed_signs_nobody_in(client: TestClient, usual: Provider) -> None:
    usual.sign_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert at_provider(client).status_code == 401
    assert "kpf_session" not in client.cookies


@pytest.mark.usefixtures("usual")
def test_a_way_back_that_this_browser_did_not_begin_leads_nowhere(client: TestClient) -> None:
    begun = client.get("/sign-in/provider")
    back = urlsplit(httpx2.get(begun.headers["location"], timeout=PATIENCE).headers["location"])
    assert {"state", "code"} == set(parse_qs(back.query))
    client.cookies.clear()
    for query in (back.query, "", "code=x&state=y", "error=access_denied"):
        assert client.get(f"{back.path}?{query}").status_code == 401
    assert at_provider(client, "https://elsewhere.example/").headers["location"] == "/"


def test_a_provider_that_is_away_is_said(settings: Settings, tmp_path: Path) -> None:
    from service.app import create_app

    away = settings.model_copy(update={"home": tmp_path, "oidc_issuer": "http://127.0.0.1:9"})
    open_register(away).dispose()
    with TestClient(create_app(away).to_asgi(), follow_redirects=False, raise_server_exceptions=False) as client:
        answer = client.get("/sign-in/provider")
        assert answer.status_code == 503
        assert "127.0.0.1:9" in answer.text
        assert client.get("/sign-in").status_code == 200, "keys still open the service"


def test_the_proxys_word_counts_with_its_secret_alone(client: TestClient) -> None:
    word = {"X-Forwarded-User": "c@office", "X-Forwarded-Groups": "x, kp-monitors"}
    assert client.get("/sign-in?next=/dashboard", headers=word).status_code == 200
    assert client.get("/sign-in", headers=word | {"X-Proxy-Secret": PROXY[:-1]}).status_code == 200
    assert "kpf_session" not in client.cookies
    proxy = word | {"X-Proxy-Secret": PROXY}
    problem_in(client.get("/v1/comparisons", headers=proxy), 401, "unauthenticated")
    signed = client.get("/sign-in?next=/dashboard", headers=proxy)
    assert (signed.status_code, signed.headers["location"]) == (303, "/dashboard")
    page = client.get("/submissions", headers=proxy)
    assert page.status_code == 200
    elsewhere = proxy | {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/sign-out", headers=elsewhere).status_code == 403, "its word is no word of where a form was"
    other = proxy | {"X-Forwarded-User": "d@office"}
    problem_in(client.get("/v1/comparisons", headers=other), 401, "unauthenticated")
    assert client.get("/v1/comparisons", headers=proxy).status_code == 200
    nobody = proxy | {"X-Forwarded-User": "e@office", "X-Forwarded-Groups": "x"}
    client.cookies.clear()
    assert client.get("/sign-in", headers=nobody).status_code == 403


def test_settings_of_signing_in_come_together_and_secrets_are_not_told() -> None:
    wrong = {
        "KPF_OIDC_ISSUER": "http://elsewhere.example",
        "KPF_PROXY_SECRET": "short",
        "KPF_SIGN_IN_ROLES": "a=king",
        "KPF_BLIND_ROLES": "monitor, nobody",
    }
    with pytest.raises(SettingError) as refused:
        read_settings(wrong)
    for name in (*wrong, "KPF_OIDC_CLIENT_ID"):
        assert name in str(refused.value)
    assert "short" not in str(refused.value).replace("shorter", "")
    good = read_settings({"KPF_SIGN_IN_ROLES": "a b=viewer,*=monitor", "KPF_BLIND_ROLES": "monitor,viewer"})
    assert good.roles_of_groups == {"a b": "viewer", "*": "monitor"}
    assert good.blind == {"monitor", "viewer"}
    assert Vouched(issuer="x", subject="y", name="z", groups=[]).role(good.roles_of_groups) == "monitor"


def test_names_are_forgotten_and_the_chain_still_verifies(office: Office) -> None:
    engine = office.work.engine
    actor = people.known(engine, Vouched(issuer="proxy", subject="x", name="An Expert", groups=()))
    assert {"actor": actor, "name": "An Expert"} in office.ask("admin", "GET", "/v1/names").json()["items"]
    problem_in(office.ask("researcher", "DELETE", f"/v1/names/{actor}"), 403, "forbidden")
    assert office.ask("admin", "DELETE", f"/v1/names/{actor}").status_code == 204
    problem_in(office.ask("admin", "DELETE", f"/v1/names/{actor}"), 404, "not_found")
    assert actor not in people.names_of_actors(engine)
    held = b"".join(path.read_bytes() for path in office.settings.home.glob("register.db*"))
    assert b"An Expert" not in held, "not in what a file keeps of rows that are gone either"
    again = people.known(engine, Vouched(issuer="proxy", subject="x", name="An Expert", groups=()))
    assert again != actor, "nothing leads back from the new pseudonym to the old one"
    assert verify(engine).wrong is None


def test_a_person_has_a_calendar_until_the_name_is_forgotten(office: Office) -> None:
    engine = office.work.engine
    actor = people.known(engine, Vouched(issuer="proxy", subject="c", name="A Calendar", groups=()))
    feed = feed_key_of(engine, actor)
    assert feed is not None
    people.known(engine, Vouched(issuer="proxy", subject="c", name="A Calendar", groups=()))
    assert feed_key_of(engine, actor) == feed, "signing in again leaves the address as it is"
    office.client.cookies.clear()
    assert office.client.get(f"/v1/submissions.ics?key={feed}").status_code == 200
    assert feed_key_of(engine, "browser") is None
    people.forget(engine, actor)
    problem_in(office.client.get(f"/v1/submissions.ics?key={feed}"), 401, "unauthenticated")


def test_keys_are_made_and_revoked_on_a_page(office: Office) -> None:
    client = office.client
    client.cookies.clear()
    client.post("/sign-in", data={"key": office.keys["admin"]})
    form = {"role": "viewer", "name": "<the desk>", "expires_at": "2199-01-01"}
    made = client.post("/access", data=form)
    assert made.status_code == 201
    (secret,) = re.findall(r"kpf_\w{8}_[\w-]{43}", made.text)
    assert "&lt;the desk&gt;" in made.text
    assert secret not in client.get("/access").text, "it is shown this once"
    desk = {"Authorization": f"Bearer {secret}"}
    assert status_with(client, "/v1/zones", desk) == 200
    key_id = secret.split("_")[1]
    assert "2199" in client.get("/access").text
    for wrong in ({"role": "king"}, {"expires_at": "2001-01-01"}, {"expires_at": "soon"}):
        assert client.post("/access", data=form | wrong).status_code == 422
    assert client.post(f"/access/revoke/{key_id}", follow_redirects=False).status_code == 303
    assert status_with(client, "/v1/zones", desk) == 401
    assert client.post("/access/revoke/none").status_code == 404
    assert client.post("/access/polish/none").status_code == 404
    sessions = office.ask("admin", "GET", "/v1/sessions").json()["items"]
    client.cookies.clear()
    client.post("/sign-in", data={"key": office.keys["admin"]})
    mine = [item["id"] for item in sessions if item["role"] == "admin"]
    assert client.post(f"/access/end/{mine[0]}", follow_redirects=False).status_code == 303


def status_with(client: TestClient, path: str, headers: dict[str, str]) -> int:
    """Return the status of a request that carries a key and no cookie."""
    kept = dict(client.cookies)
    client.cookies.clear()
    status: int = client.get(path, headers=headers).status_code
    client.cookies.update(kept)
    return status


def test_a_monitor_does_not_see_who_may_come_in(browser: TestClient) -> None:
    assert browser.get("/access", headers={"Accept": "text/html"}).status_code == 403
    assert "/access" not in browser.get("/comparisons").text


@pytest.mark.parametrize(
    "carried",
    [
        "5",
        "null",
        "[1, 2, 3]",
        "[" * 30_000,
        '["/", {"_state_provider_x": 5}]',
        '["/", {"_state_provider_x": "a"}]',
        "é",
    ],
)
def test_whatever_a_browser_says_was_begun_signs_nobody_in(client: TestClient, carried: str) -> None:
    cookie = base64.urlsafe_b64encode(carried.encode()).decode()
    answer = client.get("/sign-in/provider/back?code=a&state=x", headers={"Cookie": f"kpf_sign_in={cookie}"})
    assert answer.status_code == 401
