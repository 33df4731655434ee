"""The door before apps that misbehave: whatever they do, the answer has the one shape and comes in time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from service.door import stack as answers
from service.door.endpoint import FORM, Endpoint
from service.door.stack import door
from service.pages.problems import problem_response, refusal_response
from service.register.keys import create_key
from service.settings import Settings
from service.work.place import Workplace
from tests.service.reading import problem_in

HERE = (
    Endpoint("GET", "/here", None, summary="Open."),
    Endpoint("POST", "/here", "viewer", body=FORM, summary="A form."),
)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    made = Workplace(Settings(home=tmp_path_factory.mktemp("door"), max_upload_mb=0.001))
    made.release()
    yield made
    made.close()


def before(app: ASGIApp, work: Workplace) -> TestClient:
    return TestClient(
        door(app, work=work, endpoints=HERE, tell=refusal_response, tell_plainly=problem_response),
        raise_server_exceptions=False,
    )


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(30)


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("the password is 1234")


async def silent_about_why(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("my own shape", status_code=503, headers={"Server": "mine"})(scope, receive, send)


async def gone(scope: Scope, receive: Receive, send: Send) -> None:
    raise ConnectionAbortedError


async def greedy(scope: Scope, receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
        pass
    await PlainTextResponse("all read")(scope, receive, send)


def test_who_takes_too_long_is_cut_off(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "ANSWER_WITHIN", 0.1)
    problem_in(before(slow, work).get("/here"), 504, "timeout")


def test_what_nobody_foresaw_is_told_to_the_log_alone(work: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("kpfootprint.service").propagate = True
    document = problem_in(before(broken, work).get("/here"), 500, "internal_error")
    assert "1234" not in str(document)
    assert document["request_id"] in caplog.text
    assert "1234" in caplog.text


def test_errors_of_others_get_our_shape(work: Workplace) -> None:
    answer = before(silent_about_why, work).get("/here")
    problem_in(answer, 503, "not_ready")
    assert "my own shape" not in answer.text
    assert "server" not in answer.headers


def test_a_connection_that_ended_ends(work: Workplace) -> None:
    problem_in(before(gone, work).get("/here"), 400, "bad_request")


@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413)])
def test_a_form_is_counted_as_it_streams(work: Workplace, size: int, status: int) -> None:
    headers = {
        "Authorization": f"Bearer {create_key(work.settings, 'viewer')}",
        "Content-Type": "multipart/form-data; boundary=x",
    }
    answer = before(greedy, work).post("/here", content=(b"x" for _ in range(size)), headers=headers)
    assert answer.status_code == status
    if status == 413:
        problem_in(answer, 413, "too_large")


def test_a_register_that_cannot_be_reached_is_503_and_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("kpfootprint.service").propagate = True
    work = Workplace(Settings(home=tmp_path))
    work.release()
    key = create_key(Settings(home=tmp_path), "viewer")
    work.engine.dispose()
    for path in tmp_path.glob("register.db*"):
        path.unlink()
    (tmp_path / "register.db").mkdir()
    answer = before(greedy, work).post("/here", headers={"Authorization": f"Bearer {key}"})
    problem_in(answer, 503, "register_unavailable")
    (said,) = [record for record in caplog.records if "failed" in record.message]
    assert "register.db cannot be used: it cannot be opened; look at its folder" in said.message
    assert said.exc_info is None
    assert not work.ready()
    work.close()
