"""What a request carries: of a type that can be read, not too much, and JSON and forms read strictly.

Every problem is told at once, and of programs nothing is taken that is undeclared.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_type_hints

from anyio import to_thread
from pydantic import TypeAdapter, ValidationError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kpfootprint.errors import Problem
from kpfootprint.retold import Said
from service import Wording
from service.door.endpoint import LARGE, MULTIPART, Body, Endpoint, Visit, visit_of
from service.errors import Refused, refusal_for
from service.misfits import first_of, reason_of
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
        raise Refused("too_large", "A body may have at most {most} bytes here.", most=LARGE)
    return checked(json_in(body), shape)


def checked(document: Any, shape: Any, *, table: str = "body") -> Any:
    """Return a document once it is seen to have a shape; raise `Refused` with every member that does not fit."""
    try:
        found = _adapter(shape).validate_python(document, strict=True)
    except ValidationError as error:
        raise refusal_for(_problems(error, document, table)) from None
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


Place = tuple[str | int, ...]


def _problems(error: ValidationError, document: Any, table: str) -> list[Problem]:
    """Return what is wrong in each place, once; of a place that could be several things, what these are."""
    found: dict[Place, list[Any]] = {}
    for fault in error.errors(include_url=False):
        found.setdefault(_place(fault, document), []).append(fault)
    inner = {place[:depth] for place in found for depth in range(len(place))}
    return [_problem(place, faults, table) for place, faults in found.items() if place not in inner]


def _place(fault: Any, document: Any) -> Place:
    """Return where a fault lies, without the names of the shapes that were tried there."""
    place: list[str | int] = []
    way: Place = fault["loc"]
    absent = way[-1:] if fault["type"] == "missing" else ()
    for part in way[: len(way) - len(absent)]:
        here = isinstance(document, dict) and part in document
        if here or (isinstance(document, list) and isinstance(part, int)):
            place.append(part)
            document = document[part]
    return (*place, *absent)


def _problem(place: Place, faults: Sequence[Any], table: str) -> Problem:
    first = first_of(faults)
    rows = [part for part in place if isinstance(part, int)]
    names = [part for part in place if isinstance(part, str)]
    return Problem(
        table=table,
        row=rows[0] + 1 if rows else None,
        column=".".join(names[-1:] if rows else names)[:SHOWN] or None,
        value=None if first["type"] == "missing" else _written(first["input"])[:SHOWN],
        code=first["type"],
        reason=reason_of(*faults),
    )


def _written(value: object) -> str:
    """Return a value as it was given: a text, or JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


MAX_FIELDS = 400
MAX_FILES = 2
ENCODINGS = (b"utf-8", b"us-ascii")
"""What a form may say that it is in: Python keeps every name of an encoding that it is asked for, known or not."""
PIECE = 1 << 18
"""Bytes of a body that are looked at before others are answered."""
LONGEST_END = 100
"""Last bytes of a form, among which its last boundary ends."""
FILE = {"type": "string", "format": "binary"}


def form_schema(*texts: str, lists: Sequence[str] = ()) -> dict[str, Any]:
    """Return the JSON Schema of a form with a file, texts, and texts that may be repeated."""
    properties: dict[str, Any] = {"file": FILE} | {name: {"type": "string"} for name in texts}
    properties |= {name: {"type": "array", "items": {"type": "string"}} for name in lists}
    return {"type": "object", "required": ["file"], "properties": properties}


def replaying(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that gives a body once more, in pieces, and then what the connection says."""
    starts = iter(range(0, max(len(body), 1), PIECE))

    async def again() -> Message:
        start = next(starts, None)
        if start is None:
            return await receive()
        await asyncio.sleep(0)  # others are answered meanwhile
        end = start + PIECE
        return {"type": "http.request", "body": body[start:end], "more_body": end < len(body)}

    return again


async def form_in(request: Request, endpoint: Endpoint) -> FormData:
    """Return the form of a request.

    Raises
    ------
    Refused
        For a form that cannot be read, and for fields of a program's that are not declared, or come twice.
    """
    visit = visit_of(request)
    refuse_other_encodings(request)
    multipart = request.headers.get("content-type", "").startswith(MULTIPART)
    streamed = endpoint.body is not None and endpoint.body.streamed
    source, end = request.receive, bytearray()
    if not streamed:
        source = replaying(visit.body, request.receive)
        if multipart:  # before a file of it is opened, which nobody would close
            _refuse_cut_off(visit.body[-LONGEST_END:])

    async def receive() -> Message:
        message = await source()
        end[:] = (end + message.get("body", b""))[-LONGEST_END:]
        return message

    try:
        form = await Request(request.scope, receive).form(
            max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=visit.work.settings.max_body
        )
    except HTTPException as error:
        raise Refused("bad_request", "The form cannot be read: {error}", error=error.detail) from None
    try:
        if multipart:
            _refuse_cut_off(end)
        if not endpoint.page:
            refuse_others(form, endpoint.body.kinds[MULTIPART]["properties"] if endpoint.body else {})
    except Refused:
        await form.close()
        raise
    return form


def _refuse_cut_off(end: bytes | bytearray) -> None:
    if not end.rstrip().endswith(b"--"):
        raise Refused("bad_request", "The form cannot be read: it ends before its last boundary.")


def refuse_other_encodings(request: Request) -> None:
    """Refuse a form that says that it is in anything but UTF-8, before the name of that is looked up."""
    _, said = parse_options_header(request.headers.get("content-type"))
    if said.get(b"charset", b"utf-8").lower() not in ENCODINGS:
        raise Refused("bad_request", "The form cannot be read: it has to be in UTF-8.")


def refuse_others(form: FormData, declared: Mapping[str, Any]) -> None:
    """Refuse a form with fields that are not declared, or with several of what may be given once."""
    unknown = f"unknown here; known are {', '.join(declared)}"
    problems = []
    for name in form:
        if name not in declared:
            problems.append(Problem(table="form", column=name[:80], code="unknown_column", reason=unknown))
        elif declared[name]["type"] != "array" and len(form.getlist(name)) > 1:
            problems.append(Problem(table="form", column=name, code="invalid", reason=Said("it may be given once")))
    if problems:
        raise refusal_for(problems)


def file_of(form: FormData, name: str = "file") -> UploadFile | None:
    """Return the file of a field, or None where none was chosen; raise `Refused` where several were."""
    chosen = [value for value in form.getlist(name) if isinstance(value, UploadFile) and value.filename]
    if len(chosen) > 1:
        raise refusal_for([Problem(table="form", column=name, code="invalid", reason=Said("it may be given once"))])
    return chosen[0] if chosen else None


def upload_in(form: FormData) -> tuple[str, bytes]:
    """Return name and content of the file that a program's form must hold."""
    value = form.get("file")
    if not isinstance(value, UploadFile):
        problem = Problem(
            table="form", column="file", code="missing", reason="a file is needed, in a field of this name"
        )
        raise Refused("invalid_input", "The field 'file' holds no file.", problems=(problem,))
    return value.filename or "", value.file.read()


def text_of(form: FormData, name: str) -> str:
    """Return the text of a field without blanks around it, also where it came as a file; nothing where it is absent."""
    value = form.get(name)
    if isinstance(value, UploadFile):
        value = value.file.read().decode(errors="replace")
    return (value or "").replace("\r\n", "\n").strip()


def written_in(form: FormData, shape: Any) -> dict[str, str] | None:
    """Return the texts of a form for the members of a shape, or None where they do not fit it."""
    given = {name: text_of(form, name) for name in get_type_hints(shape)}
    try:
        checked({name: value for name, value in given.items() if value}, shape, table="form")
    except Refused:
        return None
    return given


def texts_of(form: FormData, name: str) -> list[str]:
    """Return the texts of a field that may come several times."""
    return [value for value in form.getlist(name) if isinstance(value, str)]


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
