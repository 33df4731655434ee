"""Jobs over HTTP: how far they are, and to cancel them."""

from __future__ import annotations

from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kpfootprint.report.locale import words
from kpfootprint.report.package_remarks import remark_text
from service.door.endpoint import Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.register import jobs
from service.routes import shapes_of_submissions as shapes
from service.routes.paging import told
from service.work.place import Workplace


@Endpoint("GET", "/v1/jobs/{id}", "viewer", answer=shapes.Job)
def show(request: Request) -> Response:
    """Ask how far a job is."""
    return JSONResponse(job_shown(_found(jobs.job_of(visit_of(request).work.engine, request.path_params["id"]))))


@Endpoint("DELETE", "/v1/jobs/{id}", "monitor", answer=shapes.Job)
def cancel(request: Request) -> Response:
    """Cancel a job that is not over."""
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
    said = words("en")
    remarks = [{**item, "text": remark_text(item, said)} for item in job.parameters.get("remarks", ())]
    progress = {"done": job.done, "total": job.total}
    shown = told(shapes.Job, job, progress=progress, remarks=remarks)
    if job.kind != "training":
        del shown["remarks"]
    return cast(shapes.Job, shown)
