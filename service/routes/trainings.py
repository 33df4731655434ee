"""Trainings over HTTP: a reference package in, and a release that nobody has judged yet at the end of a job."""

from __future__ import annotations

from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from service.door.endpoint import MULTIPART, Answer, Body, Endpoint
from service.door.visit import visit_of
from service.routes.jobs import accepted
from service.routes.shapes_of_submissions import Accepted
from service.routes.uploads import file_in, form_in, form_schema, text_in
from service.work.train import queue_training


async def create(request: Request) -> Response:
    """Have a model fitted and evaluated on a package: 202, and the job that does it."""
    visit = visit_of(request)
    form = await form_in(request, "config", files=("file", "config"))
    try:
        package = await file_in(form).read()
        given = form.get("config")
        config = (
            text_in(form, "config")
            if given is None or isinstance(given, str)
            else (await given.read()).decode(errors="replace")
        )
    finally:
        await form.close()
    queue = partial(queue_training, visit.work, package=package, config=config, actor=visit.who.actor)
    return await to_thread.run_sync(accepted, visit.work, await visit.work.heavy(queue))


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/v1/trainings",
        role="researcher",
        handler=create,
        body=Body(kinds={MULTIPART: form_schema("config")}, streamed=True),
        answer=Answer(shape=Accepted, status=202),
        summary="Have a model fitted and evaluated on a reference package.",
    ),
)
