"""The pages of trainings: a package is handed in, and one looks how far its model is."""

from __future__ import annotations

from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.door.endpoint import FORM, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.pages.forms import file_of, read_form, text_of
from service.pages.models import JOB_STATES, shown
from service.pages.render import link_to, page
from service.register import jobs
from service.register.people import names_of_actors
from service.work.train import queue_training

NO_PACKAGE = "Choose a reference package (a .zip)."
EVERY_SECONDS = 10
"""How often the page of a training that is not over looks again."""


async def receive(request: Request) -> Response:
    """Take a package in and show its training."""
    visit = visit_of(request)
    form = await read_form(request)
    try:
        upload, config = file_of(form, "file"), text_of(form, "config")
        content = b"" if upload is None else await upload.read()
    finally:
        await form.close()
    if not content:
        return await to_thread.run_sync(partial(shown, request, status=422, alert=NO_PACKAGE))
    ask = partial(queue_training, visit.work, package=content, config=config, actor=visit.who.actor)
    job_id = await visit.work.heavy(ask)
    return RedirectResponse(link_to(request, f"/trainings/{job_id}"), status_code=303)


def show(request: Request) -> Response:
    """Show how far a training is."""
    visit = visit_of(request)
    job = _training(request)
    over = job.state in jobs.OVER
    return page(
        request,
        "training.html",
        job=job,
        states=JOB_STATES,
        again=None if over else EVERY_SECONDS,
        people=names_of_actors(visit.work.engine),
        made=(job.result or "").removeprefix("/v1"),
        may_cancel=not over and visit.who.may("researcher") and visit.who.csrf is not None,
    )


async def cancel(request: Request) -> Response:
    """Cancel a training and show it again."""
    form = await read_form(request)
    await form.close()
    job = await to_thread.run_sync(partial(_training, request))
    await to_thread.run_sync(partial(jobs.cancel, visit_of(request).work.engine, job.id))
    return RedirectResponse(link_to(request, f"/trainings/{job.id}"), status_code=303)


def _training(request: Request) -> jobs.Job:
    job = jobs.job_of(visit_of(request).work.engine, request.path_params["id"])
    if job is None or job.kind != "training":
        raise Refused("not_found", "There is no training with this id.")
    return job


ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/trainings",
        role="researcher",
        handler=receive,
        body=FORM,
        page=True,
        summary="Page: have a model fitted on a package.",
    ),
    Endpoint(
        method="GET",
        path="/trainings/{id}",
        role="viewer",
        handler=show,
        page=True,
        summary="Page: how far a training is.",
    ),
    Endpoint(
        method="POST",
        path="/trainings/{id}/cancel",
        role="researcher",
        handler=cancel,
        body=FORM,
        page=True,
        summary="Page: cancel a training.",
    ),
)
