"""Forms with files that programs send."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from kpfootprint.errors import Problem
from service.door.visit import visit_of
from service.errors import Refused, refusal_for

MAX_FIELDS = 100
FILE = {"type": "string", "format": "binary"}


def form_schema(
    *texts: str,
    required: tuple[str, ...] = ("file",),
    files: tuple[str, ...] = ("file",),
    lists: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the JSON Schema of a form with files, texts, and texts that may be repeated."""
    properties: dict[str, Any] = dict.fromkeys(files, FILE) | {name: {"type": "string"} for name in texts}
    properties |= {name: {"type": "array", "items": {"type": "string"}} for name in lists}
    return {"type": "object", "required": [*required], "properties": properties}


async def form_in(request: Request, *texts: str, files: tuple[str, ...] = ("file",)) -> FormData:
    """Return the form of a request; raise `Refused` for fields that are not known, or come twice."""
    settings = visit_of(request).work.settings
    try:
        form = await request.form(max_files=len(files), max_fields=MAX_FIELDS, max_part_size=settings.max_body)
    except HTTPException as error:
        raise Refused("bad_request", f"The form cannot be read: {error.detail}") from None
    problems = []
    for name, value in form.multi_items():
        is_file = isinstance(value, UploadFile)
        if name not in (files if is_file else texts):
            known = ", ".join((*files, *texts))
            reason = f"unknown as a {'file' if is_file else 'text'} here; known are {known}"
            problems.append(Problem(table="form", column=name[:80], code="unknown_column", reason=reason))
    if problems:
        await form.close()
        raise refusal_for(problems)
    return form


def file_in(form: FormData, name: str = "file") -> UploadFile:
    """Return a file that must be there."""
    value = form.get(name)
    if not isinstance(value, UploadFile):
        problem = Problem(table="form", column=name, code="missing", reason="a file is needed, in a field of this name")
        raise Refused("invalid_input", f"The field {name!r} holds no file.", problems=(problem,))
    return value


def text_in(form: FormData, name: str) -> str:
    """Return the text of a field; nothing where it is absent."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
