"""Trainings over HTTP: a reference package in, and a release that nobody has judged yet at the end of a job."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from service.door.endpoint import MULTIPART, Body, Endpoint
from service.door.forms import form_schema, text_of, upload_in
from service.door.visit import visit_of
from service.routes.jobs import accepted
from service.routes.shapes_of_submissions import Accepted
from service.work.train import queue_training


@Endpoint(
    "POST",
    "/v1/trainings",
    "researcher",
    body=Body({MULTIPART: form_schema("config")}, streamed=True),
    answer=Accepted,
    status=202,
    heavy=True,
)
def create(request: Request) -> Response:
    """Have a model fitted and evaluated on a reference package."""
    visit = visit_of(request)
    package, config = upload_in(visit.form)[1], text_of(visit.form, "config")
    return accepted(visit.work, queue_training(visit.work, package=package, config=config, actor=visit.who.actor))
