"""Every route with what somebody sends who means harm: in its body, its address, its headers, its form.

The routes are read from the table of endpoints, so that one that is added tomorrow is tried, too.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from service.door.endpoint import JSON, MULTIPART, Endpoint
from service.endpoints import ENDPOINTS
from service.register.keys import create_key
from service.register.opening import opened
from service.settings import Settings
from tests.hostile import places
from tests.service.conftest import BOTH
from tests.service.office import shipment
from tests.service.reading import all_kept, problem_in

Ask = Callable[..., Any]
Kept = Callable[[], Any]

pytestmark = [
    pytest.mark.slow,
    # a part of a form that never ends leaves its file to the collector, which closes it
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

IN_TIME = 20.0
"""Seconds of the processor for one answer."""
LONGEST_ANSWER = 1_000_000
AS_LONG_AS_THE_REGISTER = "/v1/register/export"

TEXTS = ("", " ", "\x00", "a\u202eb", "a\u200bb", "\x1b]0;owned\x07", "x" * 300_000, "=1+1", "../../x", "١٢", "<b>&'\"")
VALUES: tuple[Any, ...] = (
    *TEXTS,
    *(None, True, 0, -1, 0.0, -0.5, 2**53 + 1, 10**400, 1e308, 5e-324),
    *([], {}, [None], [[]], [{}], ["x"] * 20_000, [0] * 20_000, [{"a": 1}] * 20_000),
    {f"unknown {number}": 0 for number in range(100_000)},
    {f"zone {number}": 1.0 for number in range(10_000)},
    {"": {"": {}}},
)
BODIES = (
    *(b"", b"null", b"[]", b"0", b'"x"', b"{", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{}{}", b"{" + b" " * 100_000 + b"}"),
    *(b"[" * 100_000, b'{"a":' * 100_000, b"1" * 100_000, b"NaN", b'{"a": Infinity}', b'{"a": 1, "a": 2}'),
    *(b'{"\\ud800": 0}', b'{"a": "\\udfff"}', b'{"a": 1e999}', b'["\xed\xa0\x80"]'),
)
NUMBERS = ("NaN", "-1", "0", "1", "999999999999999999999", "2024-02-30", "9999-12-31", "0001-01-01", "true")
QUERIES = (*TEXTS[:6], *TEXTS[7:], "x" * 5000, *NUMBERS)
NAMES = ("%00", "%2e%2e%2f", "%ff", "x" * 5000, quote("١٢"), quote("a\u202eb"), "%2e%2e", "%20", "a.html.pdf", "{id}")
KINDS = ("text/xml", "application/json; charset=utf-16", "*/*", "a" * 5000, "application/json/json", "\t", "multipart/")


@pytest.fixture(scope="module", params=BOTH)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, str, Kept]]:
    """Run the app with the limits that it has where nobody sets any."""
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else None
    os.environ |= {"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
    from service.app import create_app

    settings = Settings(home=tmp_path_factory.mktemp("home"), database_url=url, rate_per_minute=0)
    with (
        opened(settings) as engine,
        TestClient(create_app(settings).to_asgi(), follow_redirects=False, raise_server_exceptions=False) as client,
    ):
        yield client, create_key(settings, "admin"), partial(all_kept, engine, settings.home)


@pytest.fixture(scope="module")
def ask(place: tuple[TestClient, str, Kept]) -> Ask:
    """Return a way to ask that looks at every answer: told, in time, short, and nothing kept where it is refused."""
    client, key, kept = place

    def asked(method: str, path: str, **more: Any) -> Any:
        client.cookies.clear()
        headers = {"Authorization": f"Bearer {key}"} | more.pop("headers", {})
        before, started = kept(), time.process_time()
        answer = client.request(method, path, headers=headers, **more)
        took = time.process_time() - started
        shown = f"{method} {path[:80]} {str(more)[:200]}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500 or answer.status_code == 503, shown
        assert took < IN_TIME, f"{took:.1f} s: {shown}"
        short = len(answer.content) < LONGEST_ANSWER or path.startswith(AS_LONG_AS_THE_REGISTER)
        assert short, f"{len(answer.content)} bytes: {shown}"
        if answer.status_code >= 400 and answer.headers["content-type"] == "application/problem+json":
            problem_in(answer, answer.status_code, answer.json()["code"])
        if answer.status_code >= 400:
            assert kept() == before, f"something is kept of it: {shown}"
        return answer

    return asked


@pytest.fixture(scope="module")
def there(ask: Ask, examples: Path) -> dict[str, str]:
    """Put one of everything into the register, and return the values of parameters in paths."""
    parcel = json.loads((examples / "true_berberati.json").read_text(encoding="utf-8"))
    comparison = ask("POST", "/v1/comparisons", json=parcel).headers["location"].rpartition("/")[2]
    sent = ask("POST", "/v1/submissions", files={"file": ("s.zip", shipment(1, bad=False))}).json()
    return {"comparisons": comparison, "submissions": sent["id"], "jobs": sent["job"].rpartition("/")[2]}


def good_bodies(there: dict[str, str], parcel: dict[str, Any]) -> dict[str, Any]:
    """Return what each route takes."""
    stones = {name: column[:3] for name, column in parcel["stones"].items()}
    return {
        "/v1/comparisons": parcel | {"stones": stones, "declarations": [{"zone_id": "berberati", "carats": 1.0}]},
        "/v1/comparisons/{id}/opinions": {"conclusion": "query", "reasons": "coated"},
        "/v1/comparisons/{id}/outcome": {"origin": [{"zone_id": "bria", "share": 1.0}], "source": "a court"},
        "/v1/submissions/{id}/decision": {"decision": "approved", "note": "n"},
        "/v1/certificates": {"items": [{"certificate_no": "CF 1", "reported_by": "KP", "reported_on": "2024-01-02"}]},
        "/v1/plan": {"declared": [{"zone_id": "berberati", "carats": 2.0}], "against": "bria", "share": 0.9},
        "/v1/pools": {"comparisons": [there["comparisons"]]},
        "/v1/models/{release}/activate": {"reason": "r", "force": "f"},
        "/v1/models/rollback": {"reason": "r"},
        "/v1/reexaminations": {"release": "2026.3"},
        "/v1/keys": {"role": "viewer", "name": "n", "expires_at": "2099-01-01T00:00:00Z"},
    }


def path_of(endpoint: Endpoint, there: dict[str, str]) -> str:
    kind = endpoint.path.removeprefix("/v1").split("/")[1].partition(".")[0]
    return endpoint.path.replace("{id}", there.get(kind, "x")).replace("{release}", "2026.3")


def routes(wanted: Callable[[Endpoint], bool]) -> list[Any]:
    return [pytest.param(item, id=f"{item.method} {item.path}") for item in ENDPOINTS if wanted(item)]


@pytest.mark.parametrize("endpoint", routes(lambda item: item.body is not None and JSON in item.body.kinds))
def test_no_body_is_too_odd(ask: Ask, there: dict[str, str], parcel: dict[str, Any], endpoint: Endpoint) -> None:
    path, headers = path_of(endpoint, there), {"Content-Type": JSON}
    for body in BODIES:
        ask(endpoint.method, path, content=body, headers=headers)
    good = good_bodies(there, parcel).get(endpoint.path)
    if good is None:
        return
    for way in places(good):
        for value in VALUES:
            odd = {"root": deepcopy(good)}
            *steps, last = ("root", *way)
            holder: Any = odd
            for step in steps:
                holder = holder[step]
            holder[last] = value
            body = json.dumps(odd["root"]).encode()
            ask(endpoint.method, path, content=body, headers=headers)
        if way and isinstance(way[-1], str):
            ask(endpoint.method, path, content=body.replace(b"root", b"\\ud800"), headers=headers)


@pytest.mark.parametrize("endpoint", routes(lambda item: bool(item.query)))
def test_no_parameter_is_too_odd(ask: Ask, there: dict[str, str], endpoint: Endpoint) -> None:
    if endpoint.method != "GET":
        pytest.skip("its body is asked for first")
    path = path_of(endpoint, there)
    for query in endpoint.query:
        for value in QUERIES:
            ask("GET", f"{path}?{query.name}={quote(value)}")
        ask("GET", f"{path}?{query.name}=%ff%fe&{query.name}=%00&={query.name}&&;&%")
    ask("GET", f"{path}?" + "&".join(f"x{number}=1" for number in range(5000)))


@pytest.mark.parametrize("endpoint", routes(lambda item: "{" in item.path))
def test_no_address_is_too_odd(ask: Ask, endpoint: Endpoint) -> None:
    for name in NAMES:
        ask(endpoint.method, endpoint.path.replace("{id}", name).replace("{release}", name), json={})


def forms(boundary: str = "b") -> dict[str, bytes]:
    """Return bodies that are nearly forms."""
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="{{}}"{{}}\r\n\r\n{{}}\r\n'
    file = part.format("file", '; filename="s.csv"', "weight_ct\n0.5")
    end = f"--{boundary}--\r\n"
    texts = {
        "nothing": "",
        "no end": file,
        "10,000 parts": "".join(part.format(f"n{number}", "", "x") for number in range(10_000)) + end,
        "10,000 files": file * 10_000 + end,
        "long name": part.format("n" * 100_000, "", "x") + end,
        "long text": part.format("note", "", "x" * 2_000_000) + end,
        "long file name": part.format("file", f'; filename="{"../" * 30_000}"', "x") + end,
        "odd file name": part.format(
            "file", '; filename="a\x00\u202eb\ud83d.xlsx"'.encode("utf-8", "replace").decode(), "x"
        )
        + end,
        "no name": f"--{boundary}\r\nContent-Disposition: form-data\r\n\r\nx\r\n{end}",
        "no disposition": f"--{boundary}\r\nX: y\r\n\r\nx\r\n{end}",
        "10,000 headers": f"--{boundary}\r\n" + "X: y\r\n" * 10_000 + f"\r\nx\r\n{end}",
        "odd note": part.format("note", "", "\x00\u202e\u200b") + file + end,
        "text for a file": part.format("file", "", "x") + end,
        "file for a text": part.format("note", '; filename="n"', "x") + file + end,
        "charset": part.format("_charset_", "", "no-such") + file + end,
    }
    return {name: text.encode() for name, text in texts.items()} | {"not UTF-8": b"--b\r\n\xff\xfe\r\n\r\n--b--"}


@pytest.mark.parametrize("endpoint", routes(lambda item: item.body is not None and MULTIPART in item.body.kinds))
def test_no_form_is_too_odd(ask: Ask, there: dict[str, str], endpoint: Endpoint) -> None:
    path = path_of(endpoint, there)
    for body in forms().values():
        ask(endpoint.method, path, content=body, headers={"Content-Type": f"{MULTIPART}; boundary=b"})
    for kind in (
        MULTIPART,
        f"{MULTIPART}; boundary=",
        f"{MULTIPART}; boundary={'x' * 5000}",
        f"{MULTIPART}; charset=no",
    ):
        for body in islice(forms().values(), 3):
            ask(endpoint.method, path, content=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("endpoint", routes(lambda item: item.body is not None))
def test_no_type_of_body_and_no_header_is_too_odd(ask: Ask, there: dict[str, str], endpoint: Endpoint) -> None:
    path = path_of(endpoint, there)
    for kind in KINDS:
        ask(endpoint.method, path, content=b"{}", headers={"Content-Type": kind})
    for kind in endpoint.body.kinds if endpoint.body is not None else ():
        for body in (b"", b"\x00" * 1000, b"a;b\n" * 100, b"\xff" * 1000, b"PK\x03\x04" + b"\x00" * 100):
            ask(endpoint.method, path, content=body, headers={"Content-Type": kind})
    for name, value in (
        *(("Idempotency-Key", value) for value in ("x" * 5000, b"\xff", " ")),
        *(("Accept-Language", value) for value in ("*;q=nan", "fr;q=9e999", "x" * 5000, ",;,;q=,", b"\xff\xfe")),
        *(("Content-Length", value) for value in ("-1", "1e9")),
        *(("Cookie", value) for value in ("kpf_session=" + "x" * 5000, "=;=;", b"\xff=\xff")),
    ):
        ask(endpoint.method, path, content=b"{}", headers={"Content-Type": JSON, name: value})
