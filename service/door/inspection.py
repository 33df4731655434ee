"""What a request carries: a body of a type that can be read, and not too much of it."""

from __future__ import annotations

import zlib

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import Wording
from service.door.bodies import replaying
from service.door.endpoint import Body, Visit, visit_of
from service.errors import Refused

SMALL_BODY = 8192
"""Bytes of a body at an address that is open to all: a key and where to go on to; or where none is expected."""
BODY_PACKED: Wording = "A body with Content-Encoding {packing} is not read. Send it as it is, or packed by gzip."
FILE_PACKED: Wording = (
    "A body with Content-Encoding {packing} is not read. Send the file itself packed, as .csv.gz or .zip."
)


def inspected(app: ASGIApp) -> ASGIApp:
    """Refuse a body of another type or above its limit; one that is not streamed is read whole."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        visit, headers = visit_of(scope), Headers(scope=scope)
        body = visit.endpoint.body if visit.endpoint is not None else None
        streamed = body is not None and body.streamed
        settings = visit.work.settings
        limit = settings.max_upload if streamed else settings.max_body
        if body is None or visit.endpoint is None or visit.endpoint.role is None:
            limit = min(limit, SMALL_BODY)
        check_length(headers.get("content-length"), limit)
        if body is not None:
            visit.media_type = _media_type(body, headers)
        packed = _packed(headers, streamed=streamed)
        counted = _counted(receive, limit, visit)
        if streamed:
            await app(scope, counted, send)
            return
        visit.body = await Request(scope, counted).body()
        if packed:
            visit.body = await to_thread.run_sync(unpacked, visit.body, limit)
            visit.size = len(visit.body)
        await app(scope, replaying(visit.body, receive), send)

    return answer


def _media_type(body: Body, headers: Headers) -> str:
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    if given and given not in body.kinds:
        raise Refused(
            "unsupported_media_type", "Send {kinds}, not {given}.", kinds=", ".join(body.kinds), given=given[:80]
        )
    return given or next(iter(body.kinds))


def _packed(headers: Headers, *, streamed: bool) -> bool:
    """Say whether a body is packed by gzip; another packing, or that of an upload, is refused."""
    packing = headers.get("content-encoding", "identity").strip().lower()
    if packing == "identity":
        return False
    if packing not in ("gzip", "x-gzip") or streamed:
        raise Refused("unsupported_media_type", FILE_PACKED if streamed else BODY_PACKED, packing=packing[:40])
    return True


def unpacked(body: bytes, limit: int) -> bytes:
    """Unpack gzip; what unpacks to more than `limit` bytes is refused before it is."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        raise Refused("bad_request", "What was sent as gzip is none: {error}.", error=error) from None
    if len(plain) > limit:
        raise _too_large(limit)
    if not unpacking.eof or unpacking.unused_data:
        raise Refused("bad_request", "What was sent as gzip is not one whole piece of it.")
    return plain


def check_length(value: str | None, limit: int) -> None:
    """Refuse a Content-Length that is no number or above `limit` bytes."""
    if value is None:
        return
    if not (value.isascii() and value.isdigit()):
        raise Refused("bad_request", "Content-Length must be a number of bytes, got {given!r}.", given=value[:40])
    if int(value) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> Refused:
    """Return the refusal of a body above `limit` bytes; the connection is closed, as the rest is not read."""
    return Refused("too_large", "A body may have at most {most} bytes.", most=limit, headers={"Connection": "close"})


def _counted(receive: Receive, limit: int, visit: Visit) -> Receive:
    """Return a receiver that counts a body, chunked or not, and refuses it above `limit` bytes."""

    async def counted() -> Message:
        message = await receive()
        visit.size += len(message.get("body", b""))
        if visit.size > limit:
            raise _too_large(limit)
        return message

    return counted
