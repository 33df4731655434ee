"""What tests read in answers."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.errors import KINDS
from service.register.database import reading
from service.register.tables import metadata

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id", "problems"}
PROBLEM_MEMBERS = {"table", "row", "column", "value", "reason"}


def problem_in(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem details of an answer, once they are seen to have the one shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert set(document) == MEMBERS
    assert document["status"] == status
    assert document["code"] == code
    assert (document["status"], document["title"]) == KINDS[code]
    assert document["type"] == f"/docs#{code}"
    assert document["request_id"] == answer.headers["x-request-id"]
    assert document["problems"] or code != "invalid_input"
    assert not re.search(r"[^!-~]", document["instance"]), "an address is written without signs of other kinds"
    for problem in document["problems"]:
        assert set(problem) >= PROBLEM_MEMBERS
    return document


def all_kept(engine: sa.Engine, home: Path) -> tuple[dict[str, int], list[tuple[str, int]]]:
    """Return how many rows every table of the register has, and which files stand beside it."""
    with reading(engine) as connection:
        count = sa.select(sa.func.count())
        rows = {name: connection.scalar(count.select_from(table)) or 0 for name, table in metadata.tables.items()}
    files = [file for file in sorted(home.rglob("*")) if not file.name.startswith("register.") and file.is_file()]
    return rows, [(str(file.relative_to(home)), file.stat().st_size) for file in files]


def let_in(client: Any, path: str, per_minute: float) -> Any:
    """Ask until one is refused; return the refusal, once no more were let in than the time that this took allows."""
    begun = time.monotonic()
    for number in range(100):
        answer = client.get(path)
        if answer.status_code != 200:
            allowed = per_minute * (1 + (time.monotonic() - begun) / 60)
            assert per_minute <= number <= allowed, f"{number} were let in"
            problem_in(answer, 429, "too_many_requests")
            return answer
    raise AssertionError("nobody is ever refused")
