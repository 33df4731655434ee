"""One JSON error shape, for every failure, whoever raised it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.endpoints import ENDPOINTS
from service.errors import BY_STATUS, KINDS, Refused, refusal_with
from tests.laws import tried
from tests.service.reading import problem_in

Ask = Callable[..., Any]
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/v1/comparisons/", 404, "not_found"),
        ("GET", "/v1/comparisons/none", 404, "not_found"),
        ("GET", "/v1/comparisons/none.html", 404, "not_found"),
        ("GET", "/v1/comparisons/none.pdf", 404, "not_found"),
        ("GET", "/comparisons/none", 404, "not_found"),
        ("DELETE", "/v1/keys/none", 404, "not_found"),
        ("GET", "/docs.json", 404, "not_found"),
        ("GET", "/schema.json", 404, "not_found"),
        ("GET", "/healthz", 404, "not_found"),
        ("GET", "/v1/comparisons/%00", 404, "not_found"),
        ("GET", "/v1/comparisons/..%2f..", 404, "not_found"),
        ("GET", "/v1/zones/Berb%C3%A9rati%20Ouest/adequacy", 404, "not_found"),
        ("GET", "/v1/drift", 422, "invalid_input"),
        ("GET", "/static_content/index.css", 404, "not_found"),
        ("POST", "/livez", 405, "method_not_allowed"),
        ("PUT", "/v1/comparisons", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/comparisons", 405, "method_not_allowed"),
        ("GET", "/v1/zones?on=yesterday", 422, "invalid_input"),
        ("GET", "/v1/comparisons?limit=-1", 422, "invalid_input"),
        ("GET", "/v1/comparisons?before=x", 422, "invalid_input"),
        ("GET", "/v1/comparisons?limit=501", 422, "invalid_input"),
        ("GET", "/v1/comparisons?limit=2&limit=3", 422, "invalid_input"),
        ("GET", "/v1/comparisons?limits=2", 422, "invalid_input"),
        ("GET", "/v1/models?q=", 422, "invalid_input"),
    ],
)
def test_addresses(ask: Ask, method: str, path: str, status: int, code: str) -> None:
    document = problem_in(ask("admin", method, path), status, code)
    assert document["instance"] == path.partition("?")[0]


def test_405_names_what_is_allowed(ask: Ask) -> None:
    assert ask("viewer", "PUT", "/v1/comparisons").headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", ["/v1/comparisons", "/v1/keys"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": 1} x'])
def test_no_json_is_400(ask: Ask, path: str, body: bytes) -> None:
    problem_in(ask("admin", "POST", path, content=body, headers=JSON), 400, "not_json")


@pytest.mark.parametrize("path", ["/v1/comparisons", "/v1/keys"])
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/vnd.bentoml+pickle", "application/octet-stream", "application/xml"]
)
def test_another_media_type_is_415(ask: Ask, path: str, media_type: str) -> None:
    answer = ask("admin", "POST", path, content=b"{}", headers={"Content-Type": media_type})
    problem_in(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/v1/comparisons", "/v1/keys"])
@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"', b"{}", b'{"role": 1, "stones": 2}'])
def test_other_json_is_422_with_its_problems(ask: Ask, path: str, body: bytes) -> None:
    document = problem_in(ask("admin", "POST", path, content=body, headers=JSON), 422, "invalid_input")
    assert document["problems"]


def test_every_problem_of_a_parcel_is_told_at_once(ask: Ask) -> None:
    parcel = {
        "parcel_id": "P",
        "declarations": [{"zone_id": "atlantis"}],
        "stones": {"weight_ct": [0.5, -1, "x"], "colour": ["brown", "ultraviolet", "brown"]},
    }
    document = problem_in(ask("monitor", "POST", "/v1/comparisons", json=parcel), 422, "invalid_input")
    told = {(problem["column"], problem["value"]) for problem in document["problems"]}
    assert {("zone_id", "atlantis"), ("weight_ct", "-1"), ("weight_ct", "x"), ("colour", "ultraviolet")} <= told


def test_nan_is_refused(ask: Ask) -> None:
    body = b'{"parcel_id": "P", "stones": {"weight_ct": [0.5, NaN]}}'
    problem_in(ask("monitor", "POST", "/v1/comparisons", content=body, headers=JSON), 422, "invalid_input")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "size"), [("/v1/comparisons", 600_000), ("/v1/keys", 600_000), ("/sign-in", 1_100_000)]
)
def test_a_large_body_is_413(ask: Ask, path: str, size: int, chunked: bool) -> None:
    media_type = "application/x-www-form-urlencoded" if path == "/sign-in" else "application/json"
    piece = b" " * 10_000
    content: Any = (piece for _ in range(size // len(piece))) if chunked else piece * (size // len(piece))
    answer = ask("admin", "POST", path, content=content, headers={"Content-Type": media_type})
    problem_in(answer, 413, "too_large")


def test_who_asks_with_a_wrong_key_is_told_how(app: TestClient) -> None:
    app.cookies.clear()
    for headers in ({}, {"Authorization": "Bearer kpf_12345678_x"}, {"Authorization": "Basic eDp5"}):
        answer = app.get("/v1/zones", headers=headers)
        problem_in(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_browsers_get_pages(ask: Ask) -> None:
    answer = ask("viewer", "GET", "/nothing", headers={"Accept": "text/html", "Accept-Language": "fr"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert '<html lang="fr">' in answer.text
    problem_in(ask("viewer", "GET", "/v1/comparisons/none", headers={"Accept": "text/html"}), 404, "not_found")


def test_every_status_that_is_raised_bare_has_a_code() -> None:
    for status in range(400, 600):
        refused = refusal_with(status)
        assert refused.code in KINDS
        assert status not in BY_STATUS or refused.status == status


def test_a_refusal_has_a_known_code() -> None:
    with pytest.raises(KeyError):
        Refused("no such code", "")


def test_security_headers_are_on_every_answer(ask: Ask) -> None:
    for path in ("/livez", "/nothing", "/v1/zones", "/", "/docs"):
        headers = ask("viewer", "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script-src" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers


def test_no_endpoint_hides_another() -> None:
    seen = [(item.method, item.path) for item in ENDPOINTS]
    assert len(set(seen)) == len(seen)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = ("parcel_id", "exported_on", "declarations", "conditions", "stones", "counts", "size_classes", "n_stones")
NEARLY = st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES, max_size=6)


@tried(150, HealthCheck.function_scoped_fixture)
@given(document=JSON_VALUES | NEARLY)
def test_no_body_makes_the_service_stumble(ask: Ask, document: Any) -> None:
    body = json.dumps(document).encode()  # NaN and infinities too
    answer = ask("monitor", "POST", "/v1/comparisons", content=body, headers=JSON)
    problem_in(answer, 422, "invalid_input")


@tried(100, HealthCheck.function_scoped_fixture)
@given(st.text(min_size=1, max_size=40), st.sampled_from(["/v1/comparisons/", "/comparisons/", "/v1/zones?on=", "/"]))
def test_no_address_makes_the_service_stumble(ask: Ask, text: str, start: str) -> None:
    answer = ask("viewer", "GET", start + quote(text, safe=""))
    assert answer.status_code < 500


MISSHAPEN: list[tuple[str, object, list[tuple[int | None, str | None, str]]]] = [
    ("/v1/plan", {}, [(None, "declared", "it is missing")]),
    ("/v1/plan", {"declared": "berberati"}, [(None, "declared", "a list or an object is needed")]),
    ("/v1/plan", {"declared": [5]}, [(1, "declared", "a text or an object is needed")]),
    ("/v1/plan", {"declared": {"berberati": "x"}}, [(None, "declared.berberati", "a number is needed")]),
    ("/v1/plan", {"declared": ["nola"], "share": 7}, [(None, "share", "it must be 1 or less")]),
    ("/v1/plan", {"declared": ["nola"], "on": "x"}, [(None, "on", "not a date; write dates as YYYY-MM-DD")]),
    ("/v1/plan", [], [(None, None, "an object is needed")]),
    ("/v1/pools", {"comparisons": []}, [(None, "comparisons", "it is empty")]),
    ("/v1/pools", {"comparisons": ["a"], "b": 1}, [(None, "b", "unknown here")]),
    (
        "/v1/certificates",
        {"items": [{"certificate_no": "", "reported_on": "2024-01-02"}]},
        [(1, "certificate_no", "it is empty"), (1, "reported_by", "it is missing")],
    ),
]


@pytest.mark.parametrize(
    "bad", ["certificate_no\rreported_by\n1,KP\n", f"certificate_no,reported_by\n{'x' * 200_000},KP\n"]
)
def test_a_table_of_certificates_that_is_none_is_told(ask: Ask, bad: str) -> None:
    problem_in(
        ask("monitor", "POST", "/v1/certificates", content=bad, headers={"Content-Type": "text/csv"}),
        422,
        "invalid_input",
    )


@pytest.mark.parametrize(("path", "document", "found"), MISSHAPEN, ids=lambda item: str(item)[:40])
def test_a_body_of_another_shape_is_told_once_by_row_and_member(
    ask: Ask, path: str, document: object, found: list[tuple[int | None, str | None, str]]
) -> None:
    told = problem_in(ask("monitor", "POST", path, json=document), 422, "invalid_input")["problems"]
    assert [(item["row"], item["column"], item["reason"]) for item in told] == found


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/planning/stones?declare=berberati&share=7", "share\u00a0: ce n’est pas un nombre positif d’au plus 1."),
        (
            "/planning/stones?declare=nola&on=hier",
            "on\u00a0: ce n’est pas une date\u00a0; écrivez les dates AAAA-MM-JJ.",
        ),
        ("/comparisons?conclusion=oui", "conclusion\u00a0: ce n’est pas l’une des valeurs consistent, "),
        ("/planning/stones?share=7&on=hier", "2 problèmes trouvés."),
    ],
)
def test_a_parameter_that_cannot_be_read_is_told_in_french(ask: Ask, path: str, said: str) -> None:
    answer = ask("viewer", "GET", path, headers={"Accept": "text/html", "Accept-Language": "fr"})
    assert answer.status_code == 422
    assert said in html.unescape(answer.text)
    assert not re.search(r"\bnot (a|one)\b|unknown here", answer.text)
