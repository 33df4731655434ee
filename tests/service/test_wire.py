"""What a connection may say, and how long it may take to hear the answer; a real server, and bytes written by hand."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator

import psutil
import pytest

from service.register.keys import create_key
from service.settings import Settings
from service.wire import HEARD_WITHIN, LARGEST_HEAD
from tests.service.server import PATIENCE, Server

pytestmark = pytest.mark.slow

N_STONES = 900_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    home = tmp_path_factory.mktemp("wire")
    key = create_key(Settings(home=home), "admin")
    with Server(home, "--no-worker", KPF_RATE_PER_MINUTE="0") as server:
        yield server, key
        assert "Traceback" not in server.logged
        assert " 500 " not in server.logged


def said(server: Server, data: bytes) -> list[int]:
    """Send bytes and return the statuses that come back until the connection ends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        heard = b""
        while more := connection.recv(65536):
            heard += more
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", heard)]


LIVEZ = b"GET /livez HTTP/1.1\r\n"
HOST, END = b"Host: x\r\n", b"Connection: close\r\n\r\n"
POST = b"POST /v1/comparisons HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (LIVEZ + HOST + END, [200]),
        (LIVEZ + END, [400]),
        (LIVEZ + HOST + HOST + END, [400]),
        (b"GET /livez HTTP/1.0\r\n\r\n", [200]),
        (LIVEZ + HOST + b"X: " + b"a" * (LARGEST_HEAD - 200) + b"\r\n" + END, [200]),
        (LIVEZ + HOST + b"X: " + b"a" * LARGEST_HEAD + b"\r\n" + END, [431]),
        (b"GET /" + b"a" * LARGEST_HEAD + b" HTTP/1.1\r\n" + HOST + END, [431]),
        ((LIVEZ + HOST + b"\r\n") * 50 + LIVEZ + HOST + END, [200] * 51),
        (b"get /livez HTTP/1.1\r\n" + HOST + END, [400]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + LIVEZ + HOST + END, [400]),
        (POST + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\n{}x", [400]),
        *(
            (POST + b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk, [400])
            for chunk in (
                b"5\r\nabcdefghij\r\n0\r\n\r\n",
                b"zz\r\nabc\r\n",
                b"f" * 18 + b"\r\nabc\r\n",
                b"-1\r\nabc\r\n",
            )
        ),
    ],
)
def test_what_is_no_request_is_refused_and_its_connection_ends(
    served: tuple[Server, str], data: bytes, statuses: list[int]
) -> None:
    server, key = served
    assert said(server, data.replace(b"%s", key.encode())) == statuses


@pytest.mark.parametrize(
    "address",
    ["/v1/zones/", "//v1/zones", "/v1/./zones", "/v1/%2e%2e/livez", "/%2e%2e/etc/passwd", "/V1/zones", "/v1/zones%00"],
)
def test_an_address_has_one_way_of_being_written(served: tuple[Server, str], address: str) -> None:
    server, key = served
    head = f"GET {address} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n".encode()
    assert said(server, head + END) == [404]


def test_a_crowd_that_asks_for_much_keeps_nobody_else_waiting_for_long(served: tuple[Server, str]) -> None:
    server, key = served
    asked = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    crowd = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    try:
        for one in crowd:
            one.sendall(asked)
        began = time.monotonic()
        with server.client() as stranger:
            assert stranger.get("/livez").status_code == 200
        waited = time.monotonic() - began
    finally:
        for one in crowd:
            one.close()
    assert waited < 10


def test_a_reader_that_takes_nothing_is_given_up_and_a_slow_one_is_not(served: tuple[Server, str]) -> None:
    server, key = served
    stones = {"weight_ct": [0.3 + k % 700 / 100 for k in range(N_STONES)], "colour": ["brown"] * N_STONES}
    document = {"parcel_id": "P", "declarations": [{"zone_id": "berberati"}], "stones": stones}
    with server.client(key) as client:
        sent = client.post(
            "/v1/comparisons", content=json.dumps(document), headers={"Content-Type": "application/json"}
        )
        assert sent.status_code == 201, sent.text
        path = f"{sent.headers['location']}/parcel"
        whole = len(client.get(path).content)
    asked = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n".encode()
    children = psutil.Process(server.process.pid).children(recursive=True)
    (worker, *_) = (child for child in children if "_bentoml_impl.worker.service" in child.cmdline())
    deaf, slow = socket.socket(), socket.socket()
    with deaf, slow:
        for one in (deaf, slow):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            one.connect(("127.0.0.1", server.port))
            one.sendall(asked)
        heard, until = 0, time.monotonic() + 2 * HEARD_WITHIN + 10
        while time.monotonic() < until:
            heard += len(slow.recv(8192))
            time.sleep(0.1)
        ours = {one.getsockname()[1]: one for one in (deaf, slow)}
        open_ = {found.raddr.port for found in worker.net_connections() if found.raddr and found.raddr.port in ours}
        assert open_ == {slow.getsockname()[1]}
        while more := slow.recv(1 << 20):
            heard += len(more)
        assert heard > whole
