"""Re-examination over HTTP: what a release would say of the parcels in the register."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.door.endpoint import JSON, Body, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.register import entries, jobs
from service.register.database import reading
from service.routes import shapes_of_cases as shapes
from service.routes.jobs import accepted
from service.routes.shapes_of_submissions import Accepted
from service.work.releases import queue_reexamination


@Endpoint(
    "POST", "/v1/reexaminations", "researcher", body=Body({JSON: shapes.NewReexamination}), answer=Accepted, status=202
)
def create(request: Request) -> Response:
    """Have the register's parcels examined with another release."""
    visit = visit_of(request)
    job_id = queue_reexamination(visit.work, **visit.given, actor=visit.who.actor)
    return accepted(visit.work, job_id, f"/v1/reexaminations/{job_id}")


@Endpoint("GET", "/v1/reexaminations/{id}", "viewer", answer=shapes.Reexamination, reveals=True)
def show(request: Request) -> Response:
    """Read which conclusions another release would change, and why."""
    visit = visit_of(request)
    job = jobs.job_of(visit.work.engine, request.path_params["id"])
    if job is None or job.kind != "reexamination":
        raise Refused("not_found", "There is no re-examination with this id.")
    with reading(visit.work.engine) as connection:
        found = entries.about(connection, job.id)
    changes = [change for entry in found for change in entry.values.get("changes", ())]
    told = {"id": job.id, "job": f"/v1/jobs/{job.id}", "release": job.parameters["release"], "state": job.state}
    return JSONResponse(told | {"looked_at": job.done, "of": job.total, "changes": changes})
