"""JSON as it is meant: one value a name, finite numbers, real characters, and no depth that breaks the reader."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any, TypeGuard

from kpfootprint.errors import KPFootprintError
from kpfootprint.retold import said_of

_HUGE = re.compile(r"[eE]\+?\d{3}|(?<!\d)\d{300}")
"""A number that may be too large for a float."""

LONG = 1_000_000
"""Characters from which on numbers are read by hooks of ours, between which other threads have their turn."""

MOST = 2_500_000
"""Lists and objects of a document: each takes far more memory than its two characters."""

DIGITS = 309
"""Digits of a whole number that a float may still be."""

NAMES = 100_000
"""Names of one object."""


class NotJson(KPFootprintError, ValueError):
    """A text is no JSON, or says one thing twice; the message names what and where."""


class AmbiguousJson(NotJson):
    """A text is JSON that readers understand in different ways."""


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether a value of JSON or TOML is a number that a float can be: finite, and neither true nor false."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def read_json(data: bytes | str) -> Any:
    """Read a JSON document in UTF-8, with or without a byte order mark.

    Raises
    ------
    NotJson
        Where it is no JSON, or nested too deep to read.
    AmbiguousJson
        Where a name comes twice in an object (readers differ in which one they take), where a number is not finite, or
        where half a character stands for a whole one. It is a `NotJson` too.

    Examples
    --------
    >>> read_json(b'{"carats": 1.5}')
    {'carats': 1.5}
    >>> read_json('{"carats": 1, "carats": 2}')
    Traceback (most recent call last):
    ...
    kpfootprint.strict_json.AmbiguousJson: the name 'carats' comes twice in one object
    """
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
        if text.count("[") + text.count("{") > MOST:
            raise NotJson("it holds more than {most} lists and objects", most=MOST)
        number, whole = None, None  # hooks make every number ten times as slow
        if len(text) > LONG or _HUGE.search(text):
            number, whole = _finite, _whole
        document = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=number, parse_int=whole
        )
    except NotJson:
        raise
    except (ValueError, RecursionError) as error:
        raise NotJson(said_of(error)) from None
    if "\\ud" in text or "\\uD" in text:
        _whole_characters(document)
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > NAMES:
        raise NotJson("an object holds more than {most} names", most=NAMES)
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise AmbiguousJson("the name {name} comes twice in one object", name=repr(name[:80]))
            seen.add(name)
    return made


def _refuse(constant: str) -> Any:
    raise AmbiguousJson("{constant} is no number of JSON", constant=constant)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise AmbiguousJson("the number {text} is too large", text=_short(text))
    return value


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise AmbiguousJson("the number {text} is too large", text=_short(text))
    return int(text)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _whole_characters(document: Any) -> None:
    waiting = [document]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            try:
                item.encode()
            except UnicodeEncodeError as error:
                half = f"\\u{ord(item[error.start]):04x}"
                raise AmbiguousJson("{half} is half a character: the other half is missing", half=half) from None
        elif isinstance(item, dict):
            waiting += item
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
