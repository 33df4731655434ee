"""Small JSON bodies: read strictly, with every problem told at once."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kpfootprint.errors import Problem
from service.door.visit import LARGE
from service.errors import Refused, refusal_for
from service.work.reading import json_in

SHOWN = 80


def document_in(body: bytes, shape: Any) -> Any:
    """Return the JSON of a body, once it is seen to have a shape.

    Raises
    ------
    Refused
        ``too_large``, ``not_json``, or ``invalid_input`` with every member that does not fit.
    """
    if len(body) > LARGE:
        raise Refused("too_large", f"A body may have at most {LARGE:,} bytes here.")
    return checked(json_in(body), shape)


def checked(document: Any, shape: Any, *, table: str = "body") -> Any:
    """Return a document once it is seen to have a shape; raise `Refused` with every member that does not fit."""
    try:
        found = _adapter(shape).validate_python(document, strict=True)
    except ValidationError as error:
        problems = tuple(_problem(fault, table) for fault in error.errors(include_url=False, include_context=False))
        raise refusal_for(problems) from None
    _refuse_unwritable(found, table)
    return found


def _refuse_unwritable(value: Any, table: str, column: str = "") -> None:
    """Refuse texts that no database keeps: NUL characters and halves of surrogate pairs."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
            problem = Problem(table=table, column=column, code="invalid", reason="it holds characters that are none")
            raise Refused("invalid_input", "A text holds characters that are none.", problems=(problem,))
    elif isinstance(value, dict):
        for name, inner in value.items():
            _refuse_unwritable(inner, table, str(name))
    elif isinstance(value, list):
        for inner in value:
            _refuse_unwritable(inner, table, column)


def _problem(fault: Any, table: str) -> Problem:
    place = [str(part) for part in fault["loc"]]
    rows = [part for part in fault["loc"] if isinstance(part, int)]
    missing = fault["type"] == "missing"
    return Problem(
        table=table,
        row=rows[0] + 1 if rows else None,
        column=".".join(place)[:SHOWN] or None,
        value=None if missing else str(fault["input"])[:SHOWN],
        code=fault["type"],
        reason=fault["msg"][:1].lower() + fault["msg"][1:],
    )


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
