"""Jobs over HTTP: how far they are, and to cancel them; trainings and re-examinations, which are asked for here."""

from __future__ import annotations

from kpfootprint.report.locale import words
from kpfootprint.report.problems import remark_text
from service.door.bodies import form_schema, text_of, upload_in
from service.door.endpoint import MULTIPART, Body, Endpoint, Visit
from service.errors import Refused, existing
from service.register import entries, jobs
from service.register.database import reading
from service.routes import shapes_of_cases as shapes
from service.routes.paging import told
from service.work.releases import queue_reexamination, queue_training


@Endpoint("GET", "/v1/jobs/{id}", "viewer")
def show(visit: Visit) -> shapes.Job:
    """Ask how far a job is."""
    return job_shown(_job(visit, visit.path["id"]))


@Endpoint("DELETE", "/v1/jobs/{id}", "monitor")
def cancel(visit: Visit) -> shapes.Job:
    """Cancel a job that is not over."""
    job_id = visit.path["id"]
    before = _job(visit, job_id)
    if before.state in {"done", "failed"}:
        raise Refused("conflict", "This job is over: {state}.", state=before.state)
    return job_shown(existing(jobs.cancel(visit.work.engine, job_id, visit.who.actor), "There is no job with this id."))


@Endpoint(
    "POST",
    "/v1/trainings",
    "researcher",
    body=Body({MULTIPART: form_schema("config")}, streamed=True),
    status=202,
    heavy=True,
)
def create_training(visit: Visit) -> shapes.Accepted:
    """Have a model fitted and evaluated on a reference package."""
    (name, package), config = upload_in(visit.form), text_of(visit.form, "config")
    return accepted(visit, queue_training(visit.work, name=name, package=package, config=config, actor=visit.who.actor))


@Endpoint("POST", "/v1/reexaminations", "researcher", status=202)
def create_reexamination(visit: Visit, given: shapes.NewReexamination) -> shapes.Accepted:
    """Have the register's parcels examined with another release."""
    job_id = queue_reexamination(visit.work, **given, actor=visit.who.actor)
    return accepted(visit, job_id, f"/v1/reexaminations/{job_id}")


@Endpoint("GET", "/v1/reexaminations/{id}", "viewer", reveals=True)
def show_reexamination(visit: Visit) -> shapes.Reexamination:
    """Read which conclusions another release would change, and why."""
    job = existing(
        jobs.job_of(visit.work.engine, visit.path["id"], "reexamination"), "There is no re-examination with this id."
    )
    with reading(visit.work.engine) as connection:
        told_of = entries.about(connection, job.id)
    changes = [change for entry in told_of for change in entry.values.get("changes", ())]
    of = {"job": f"/v1/jobs/{job.id}", "release": job.parameters["release"], "looked_at": job.done, "of": job.total}
    return told(shapes.Reexamination, job, **of, changes=changes)


def _job(visit: Visit, job_id: str) -> jobs.Job:
    return existing(jobs.job_of(visit.work.engine, job_id), "There is no job with this id.")


def accepted(visit: Visit, job_id: str, place: str = "") -> shapes.Accepted:
    """Return the job that was put into the queue; its result will be told at `place`, or where the job itself is."""
    href = f"/v1/jobs/{job_id}"
    visit.place = place or href
    return {**job_shown(_job(visit, job_id)), "job": href}


def job_shown(job: jobs.Job) -> shapes.Job:
    """Return a job as it is answered."""
    said = words("en")
    remarks = [{**item, "text": remark_text(item, said)} for item in job.parameters.get("remarks", ())]
    found = job.parameters.get("problems", ())
    problems = [{name: value for name, value in item.items() if name != "reasons"} for item in found]
    progress = {"done": job.done, "total": job.total}
    shown = told(shapes.Job, job, progress=progress, remarks=remarks, problems=problems)
    if job.kind != "training":
        del shown["remarks"], shown["problems"]
    return shown
