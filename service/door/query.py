"""What may stand behind the question mark of an address; a parameter is declared once, then read and told by that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any
from urllib.parse import parse_qsl

from kpfootprint.errors import Problem
from kpfootprint.ingest.raw.cells import text_of
from kpfootprint.plain import day_in
from kpfootprint.retold import Said, said_of
from service.clock import moment_in
from service.errors import Refused, refusal_for, told_alone

SHOWN = 80
MAX_POSITION = 2**53
MAX_TEXT = 200
MAX_FIELDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One parameter of a query.

    Parameters
    ----------
    schema : mapping
        JSON Schema of the text, as OpenAPI shows it, beside the default.
    read : callable
        From the text to the value; raises `ValueError` that says what would do.
    repeats : bool
        May come several times; the value is then a tuple.
    """

    name: str
    about: str
    schema: dict[str, Any]
    read: Callable[[str], Any]
    default: Any = None
    repeats: bool = False


def whole_number(
    name: str, about: str, *, minimum: int = 1, maximum: int = MAX_POSITION, default: int | None = None
) -> Query:
    """Return a parameter that is a whole number from `minimum` up to `maximum`."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 16 and minimum <= int(text) <= maximum):
            raise ValueError(Said("not a whole number from {low} to {high}", low=str(minimum), high=str(maximum)))
        return int(text)

    schema = {"type": "integer", "minimum": minimum, "maximum": maximum}
    return Query(name=name, about=about, schema=schema, read=read, default=default)


def day(name: str, about: str) -> Query:
    """Return a parameter that is a day."""

    def read(text: str) -> date:
        try:
            return day_in(text)
        except ValueError:
            raise ValueError(Said("not a date; write dates as YYYY-MM-DD")) from None

    return Query(name=name, about=about, schema={"type": "string", "format": "date"}, read=read)


def day_or_moment(name: str, about: str) -> Query:
    """Return a parameter that is a day, or a moment; one without a zone is in UTC."""

    def read(text: str) -> date:
        given = text.replace(" ", "+")  # what a plus of an address was read as
        try:
            if len(given) == 10:
                return day_in(given)
            return moment_in(given).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError(Said("not a date; write dates as YYYY-MM-DD, moments as YYYY-MM-DDTHH:MM:SSZ")) from None

    schema = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
    return Query(name=name, about=about, schema=schema, read=read)


def choice(name: str, about: str, options: Sequence[str], *, default: str | None = None) -> Query:
    """Return a parameter that is one of a few words."""

    def read(text: str) -> str:
        if text not in options:
            raise ValueError(Said("not one of {names}", names=", ".join(options)))
        return text

    return Query(name=name, about=about, schema={"type": "string", "enum": [*options]}, read=read, default=default)


def text(name: str, about: str, *, repeats: bool = False) -> Query:
    """Return a parameter that is a text, written as the texts of parcels are kept."""

    def read(given: str) -> str:
        found = text_of(given)
        if not found or len(given) > MAX_TEXT or not found.isprintable():
            raise ValueError(Said("not 1 to {most} printable characters", most=MAX_TEXT))
        return found

    schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "pattern": "^[!-~][ -~]*$"}
    return Query(name=name, about=about, schema=schema, read=read, repeats=repeats, default=() if repeats else None)


def yes_no(name: str, about: str) -> Query:
    """Return a parameter that is true or false."""

    def read(given: str) -> bool:
        if given not in {"true", "false"}:
            raise ValueError(Said("not true or false"))
        return given == "true"

    return Query(name=name, about=about, schema={"type": "boolean"}, read=read)


def asked_in(query_string: bytes, queries: Sequence[Query], *, lenient: bool) -> dict[str, Any]:
    """Return the value of every declared parameter.

    Parameters
    ----------
    lenient : bool
        For pages: a form sends blanks for what was not filled in, and a link may carry what is for others.

    Raises
    ------
    Refused
        With every parameter that is unknown, cannot be read or comes twice.
    """
    known = {item.name: item for item in queries}
    values: dict[str, Any] = {item.name: item.default for item in queries}
    problems: list[Problem] = []
    seen: set[str] = set()
    try:
        pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refused("bad_request", "At most {most} parameters are read.", most=MAX_FIELDS) from None
    for name, given in pairs:
        item = known.get(name)
        if lenient and (item is None or not given.strip()):
            continue
        try:
            if item is None:
                raise ValueError(Said("unknown here; known are {names}", names=", ".join(known) or "–"))
            if name in seen and not item.repeats:
                raise ValueError(Said("it may be given once"))
            value = item.read(given)
            values[name] = (*values[name], value) if item.repeats else value
        except ValueError as error:
            problems.append(
                Problem(table="query", column=name[:SHOWN], value=given[:SHOWN], code="invalid", reason=said_of(error))
            )
        seen.add(name)
    if len(problems) > 1:
        raise refusal_for(problems)
    for problem in problems:
        raise told_alone(problem)
    return values
