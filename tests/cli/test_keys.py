"""Keys are made, listed and revoked by the command line, and the service knows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.register.keys import recognised
from service.register.opening import open_register
from service.settings import Settings
from tests.cli.running import kpfootprint


def role_of(home: Path, key: str) -> str | None:
    engine = open_register(Settings(home=home))
    try:
        found = recognised(engine, key)
        return found.role if found else None
    finally:
        engine.dispose()


def test_a_key_lives_from_its_making_to_its_revocation(tmp_path: Path) -> None:
    made = kpfootprint("keys", "create", "--role", "monitor", "--name", "Bangui office", home=tmp_path)
    assert (made.status, made.err) == (0, "")
    (key,) = made.text.split()
    assert role_of(tmp_path, key) == "monitor"

    listed = kpfootprint("keys", "list", home=tmp_path)
    assert key not in listed.text
    assert listed.text.rstrip().endswith("Bangui office")
    key_id = listed.text.split()[0]

    assert kpfootprint("keys", "revoke", key_id, home=tmp_path).status == 0
    assert role_of(tmp_path, key) is None
    assert "revoked" in kpfootprint("keys", "list", home=tmp_path).text


@pytest.mark.slow
def test_a_name_is_forgotten_and_its_key_goes_on(tmp_path: Path) -> None:
    ids = []
    for name in ("Ana", "Ana", "Bo"):
        key = kpfootprint("keys", "create", "--role", "monitor", "--name", name, home=tmp_path).text.strip()
        ids.append(key.split("_")[1])
    two = kpfootprint("register", "forget", "Ana", home=tmp_path)
    assert (two.status, f"key:{ids[0]}" in two.err, f"key:{ids[1]}" in two.err) == (2, True, True)
    assert kpfootprint("register", "forget", f"key:{ids[0]}", home=tmp_path).status == 0
    assert kpfootprint("register", "forget", "Ana", home=tmp_path).status == 0
    assert kpfootprint("register", "forget", "Ana", home=tmp_path).status == 2
    listed = kpfootprint("keys", "list", home=tmp_path).text
    assert "Ana" not in listed
    assert "Bo" in listed
    assert role_of(tmp_path, key) == "monitor"
    assert b"Ana" not in (tmp_path / "register.db").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("keys", "create"), "--role"),
        (("keys", "create", "--role", "owner"), "viewer, monitor, researcher, admin"),
        (("keys", "create", "--role", "viewer", "--name", "x" * 101), "100"),
        (("keys", "revoke", "nobody"), "there is no key 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_bad_input(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = kpfootprint(*arguments, home=tmp_path)
    assert done.status == 2
    assert done.text == ""
    assert said in done.err
