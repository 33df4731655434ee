"""Jobs over HTTP: how far they are, and to cancel them."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.clock import written
from service.door.endpoint import Answer, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.register import jobs
from service.routes import shapes_of_submissions as shapes
from service.work.place import Workplace


def show(request: Request) -> Response:
    """Return a job."""
    return JSONResponse(job_shown(_found(jobs.job_of(visit_of(request).work.engine, request.path_params["id"]))))


def cancel(request: Request) -> Response:
    """Cancel a job; one that is over cannot be."""
    engine, job_id = visit_of(request).work.engine, request.path_params["id"]
    before = _found(jobs.job_of(engine, job_id))
    if before.state in {"done", "failed"}:
        raise Refused("conflict", f"This job is over: {before.state}.")
    return JSONResponse(job_shown(_found(jobs.cancel(engine, job_id))))


def _found(job: jobs.Job | None) -> jobs.Job:
    if job is None:
        raise Refused("not_found", "There is no job with this id.")
    return job


def accepted(work: Workplace, job_id: str, place: str = "") -> Response:
    """Return the answer to what a job will do: 202, the job, and where its result will be told (itself without one)."""
    href = f"/v1/jobs/{job_id}"
    answer: shapes.Accepted = {**job_shown(_found(jobs.job_of(work.engine, job_id))), "job": href}
    return JSONResponse(answer, status_code=202, headers={"Location": place or href})


def job_shown(job: jobs.Job) -> shapes.Job:
    """Return a job as it is answered."""
    shown = {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "progress": {"done": job.done, "total": job.total},
        "created_at": written(job.created_at),
        "started_at": None if job.started_at is None else written(job.started_at),
        "ended_at": None if job.ended_at is None else written(job.ended_at),
        "problem": job.problem,
        "result": job.result,
    }
    return cast(shapes.Job, shown)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/v1/jobs/{id}",
        role="viewer",
        handler=show,
        answer=Answer(shape=shapes.Job),
        summary="Ask how far a job is.",
    ),
    Endpoint(
        method="DELETE",
        path="/v1/jobs/{id}",
        role="monitor",
        handler=cancel,
        answer=Answer(shape=shapes.Job),
        summary="Cancel a job that is not over.",
    ),
)
