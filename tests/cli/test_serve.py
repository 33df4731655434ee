"""``kpfootprint serve`` says what it cannot do; that it serves is tested where the service is."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import pytest

from kpfootprint.retold import retold
from service import launch
from tests.cli.running import kpfootprint


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = kpfootprint("serve", "--port", taken.getsockname()[1], home=tmp_path)
    assert done.status == 1
    assert "--port" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "192.0.2.1"), "another --host"),
        (("--host", "localhost"), "IP address"),
        (("--port", "0"), "--port"),
        (("--workers", "0"), "--workers"),
    ],
)
def test_addresses_that_cannot_be_are_told(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = kpfootprint("serve", *arguments, home=tmp_path)
    assert done.status in {1, 2}
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_setting_that_makes_no_sense_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = kpfootprint("serve", "--port", port, home=tmp_path, KPF_MAX_BODY_MB="plenty")
    assert done.status == 2
    assert "KPF_MAX_BODY_MB" in done.err
    assert "Traceback" not in done.err


def test_where_to_go_is_told_in_french(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_answers", lambda *_: True)
    for link in ("abc", None):
        launch._announce("127.0.0.1", 3000, "http://127.0.0.1:3000", link, partial(retold, lang="fr"))
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "Le service est à l’adresse http://127.0.0.1:3000"
    assert told[1].endswith("\u00a0: http://127.0.0.1:3000/sign-in?token=abc")
    assert told[4].startswith("Connectez-vous avec une clé")
