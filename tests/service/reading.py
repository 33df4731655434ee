"""What tests read in answers."""

from __future__ import annotations

import re
from typing import Any

from service.errors import KINDS

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
    for problem in document["problems"]:
        assert set(problem) >= PROBLEM_MEMBERS
    return document


def token_in(page: str) -> str:
    """Return the token that the forms of a page carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found.group(1)
