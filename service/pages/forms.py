"""Reads the forms of pages: only what carries the session's token, and nothing larger than foreseen."""

from __future__ import annotations

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from service.door.forgery import check_token
from service.door.visit import visit_of

MAX_FIELDS = 400


async def read_form(request: Request, *, signs_in: bool = False) -> FormData:
    """Return the form that a page sent, once its token is seen to be the session's; signing in needs none."""
    visit = visit_of(request)
    form = await request.form(max_files=2, max_fields=MAX_FIELDS, max_part_size=visit.work.settings.max_body)
    if not signs_in:
        check_token(visit, text_of(form, "csrf"))
    return form


def text_of(form: FormData, name: str) -> str:
    """Return the text of a field without blanks around it; nothing where it is absent or a file."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def file_of(form: FormData, name: str) -> UploadFile | None:
    """Return the file of a field, or None where none was chosen."""
    value = form.get(name)
    return value if isinstance(value, UploadFile) and value.filename else None
