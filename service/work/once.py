"""What was acknowledged under an Idempotency-Key is done once: sent again, the first answer comes again."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

import sqlalchemy as sa

from service.errors import Refused, bad_parameter
from service.register.comparisons import KeyReused, Once
from service.register.database import reading
from service.work.place import Workplace

Result = TypeVar("Result")


def once_of(key: str | None, actor: str, *came: bytes) -> Once | None:
    """Return an Idempotency-Key with what came under it, or None where there is none."""
    if key is None:
        return None
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise bad_parameter("Idempotency-Key", key, "1 to 255 printable ASCII characters are needed", place="header")
    return Once(actor=actor, key=key, request_sha256=sha256(b"\0".join(came)).hexdigest())


def done_once(
    work: Workplace,
    once: Once | None,
    replayed: Callable[[sa.Connection, Once], Result | None],
    do: Callable[[], Result],
) -> Result:
    """Return what `replayed` finds of the first request, or what `do` returns where there was none."""

    def first() -> Result | None:
        if once is None:
            return None
        with reading(work.engine) as connection:
            return replayed(connection, once)

    try:
        try:
            return first() or do()
        except sa.exc.IntegrityError:  # another request with the same key was faster
            found = first()
            if found is None:
                raise
            return found
    except KeyReused:
        raise Refused("idempotency_key_reused", "This Idempotency-Key came before, with another body.") from None
