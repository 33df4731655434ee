"""The pages of trainings: a package is handed in, and one looks how far its model is."""

from __future__ import annotations

from starlette.responses import Response

from kpfootprint.report.locale import words
from kpfootprint.report.problems import remark_text
from kpfootprint.retold import retold
from service.door.bodies import file_of, text_of
from service.door.endpoint import FORM, Endpoint
from service.door.visit import Visit
from service.errors import existing
from service.pages.models import JOB_STATES, shown
from service.pages.render import moved_to, page
from service.register import jobs
from service.register.people import names_of_actors
from service.work.releases import queue_training

NO_PACKAGE = "Choose a reference package (a .zip)."
EVERY_SECONDS = 10
"""How often the page of a training that is not over looks again."""


@Endpoint("POST", "/trainings", "researcher", body=FORM, heavy=True, page=True)
def receive(visit: Visit) -> Response:
    """Take a package in and show its training."""
    upload = file_of(visit.form)
    content = b"" if upload is None else upload.file.read()
    if not content:
        return shown(visit, status=422, alert=NO_PACKAGE)
    config = text_of(visit.form, "config")
    job_id = queue_training(visit.work, package=content, config=config, actor=visit.who.actor)
    return moved_to(visit, f"/trainings/{job_id}")


@Endpoint("GET", "/trainings/{id}", "viewer", page=True)
def show(visit: Visit) -> Response:
    """Show how far a training is."""
    job = _training(visit)
    over = job.state in jobs.OVER
    return page(
        visit,
        "training.html",
        job=job,
        states=JOB_STATES,
        remarks=[remark_text(item, words(visit.lang)) for item in job.parameters.get("remarks", ())],
        said=retold(job.problem or "", visit.lang),
        problems=job.parameters.get("problems", ()),
        told=lambda problem: problem["reasons"][visit.lang],
        again=None if over else EVERY_SECONDS,
        people=names_of_actors(visit.work.engine),
        made=(job.result or "").removeprefix("/v1"),
        may_cancel=not over and visit.who.may_send("researcher"),
    )


@Endpoint("POST", "/trainings/{id}/cancel", "researcher", body=FORM, page=True)
def cancel(visit: Visit) -> Response:
    """Cancel a training and show it again."""
    job = _training(visit)
    jobs.cancel(visit.work.engine, job.id)
    return moved_to(visit, f"/trainings/{job.id}")


def _training(visit: Visit) -> jobs.Job:
    return existing(jobs.job_of(visit.work.engine, visit.path["id"], "training"), "training with this id")
