"""The register and its jobs over HTTP: how far these are, certificates, all of the register to take away and in."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse

from kpfootprint.errors import Problem
from kpfootprint.report.locale import words
from kpfootprint.report.problems import remark_text
from service.door.bodies import checked, form_schema, text_of, upload_in
from service.door.endpoint import JSON, MULTIPART, Answer, Body, Endpoint, Visit
from service.door.query import choice, text
from service.errors import Refused, existing, refusal_for
from service.register import earlier, entries, jobs
from service.register.backup import exported
from service.register.database import reading, registering
from service.routes import shapes, shapes_of_cases
from service.routes.comparisons import CSV
from service.routes.paging import FROM, PAGING, TO, following, span_in, told
from service.routes.shapes_of_cases import Accepted
from service.work.reading import rows_of_csv
from service.work.releases import queue_reexamination, queue_training
from service.work.take_in import queue_import


@Endpoint("GET", "/v1/jobs/{id}", "viewer")
def show_job(visit: Visit) -> shapes_of_cases.Job:
    """Ask how far a job is."""
    return job_shown(_job(visit, visit.path["id"]))


@Endpoint("DELETE", "/v1/jobs/{id}", "monitor")
def cancel_job(visit: Visit) -> shapes_of_cases.Job:
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
def create_training(visit: Visit) -> shapes_of_cases.Accepted:
    """Have a model fitted and evaluated on a reference package."""
    (name, package), config = upload_in(visit.form), text_of(visit.form, "config")
    return accepted(visit, queue_training(visit.work, name=name, package=package, config=config, actor=visit.who.actor))


@Endpoint("POST", "/v1/reexaminations", "researcher", status=202)
def create_reexamination(visit: Visit, given: shapes_of_cases.NewReexamination) -> shapes_of_cases.Accepted:
    """Have the register's parcels examined with another release."""
    job_id = queue_reexamination(visit.work, **given, actor=visit.who.actor)
    return accepted(visit, job_id, f"/v1/reexaminations/{job_id}")


@Endpoint("GET", "/v1/reexaminations/{id}", "viewer", reveals=True)
def show_reexamination(visit: Visit) -> shapes_of_cases.Reexamination:
    """Read which conclusions another release would change, and why."""
    job = existing(
        jobs.job_of(visit.work.engine, visit.path["id"], "reexamination"), "There is no re-examination with this id."
    )
    with reading(visit.work.engine) as connection:
        told_of = entries.about(connection, job.id)
    changes = [change for entry in told_of for change in entry.values.get("changes", ())]
    of = {"job": f"/v1/jobs/{job.id}", "release": job.parameters["release"], "looked_at": job.done, "of": job.total}
    return told(shapes_of_cases.Reexamination, job, **of, changes=changes)


def _job(visit: Visit, job_id: str) -> jobs.Job:
    return existing(jobs.job_of(visit.work.engine, job_id), "There is no job with this id.")


def accepted(visit: Visit, job_id: str, place: str = "") -> shapes_of_cases.Accepted:
    """Return the job that was put into the queue; its result will be told at `place`, or where the job itself is."""
    href = f"/v1/jobs/{job_id}"
    visit.place = place or href
    return {**job_shown(_job(visit, job_id)), "job": href}


def job_shown(job: jobs.Job) -> shapes_of_cases.Job:
    """Return a job as it is answered."""
    said = words("en")
    remarks = [{**item, "text": remark_text(item, said)} for item in job.parameters.get("remarks", ())]
    found = job.parameters.get("problems", ())
    problems = [{name: value for name, value in item.items() if name != "reasons"} for item in found]
    progress = {"done": job.done, "total": job.total}
    shown = told(shapes_of_cases.Job, job, progress=progress, remarks=remarks, problems=problems)
    if job.kind != "training":
        del shown["remarks"], shown["problems"]
    return shown


COLUMNS = ("certificate_no", "reported_by", "reported_on", "note")


@Endpoint(
    "POST",
    "/v1/certificates",
    "monitor",
    body=Body({JSON: shapes_of_cases.NewCertificates, CSV: {"type": "string"}}),
    status=201,
)
def create_certificates(visit: Visit) -> shapes_of_cases.CertificatesAdded:
    """Add certificates that were reported as fraudulent."""
    document = visit.given or _in_table(visit.body)
    with registering(visit.work.engine) as connection:
        added, known = earlier.add_certificates(connection, document["items"], actor=visit.who.actor)
    return {"added": added, "known": known}


@Endpoint(
    "GET",
    "/v1/certificates",
    "viewer",
    query=(*PAGING, text("certificate_no", "Number; blanks, marks and capitals do not count.")),
    answer=shapes_of_cases.Certificates,
)
def index_of_certificates(visit: Visit) -> Answer:
    """List certificates that were reported as fraudulent."""
    with reading(visit.work.engine) as connection:
        found, further = earlier.page_of_certificates(connection, **visit.asked)
    items = [told(shapes_of_cases.CertificateItem, item) for item in found]
    return {"items": items, "next": following(visit, further)}


def _in_table(body: bytes) -> shapes_of_cases.NewCertificates:
    """Return the certificates of a table; problems name its own rows and columns."""
    rows = _rows(body)
    try:
        document = checked(
            {"items": [values for _, values in rows]}, shapes_of_cases.NewCertificates, table="certificates"
        )
    except Refused as error:
        found = [replace(one, row=rows[one.row - 1][0]) if one.row else one for one in error.problems]
        raise refusal_for(found) from None
    return cast(shapes_of_cases.NewCertificates, document)


def _rows(body: bytes) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a table with the lines that they end on."""
    lines = rows_of_csv(body, "certificates")
    _, first = next((line for line in lines if any(line[1])), (1, []))
    header = [name.strip().lower() for name in first]
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or len({*header}) < len(header) or not {*COLUMNS[:2]} <= {*header}:
        reason = f"the columns are {', '.join(COLUMNS)}, each once; the first two are needed"
        told = Problem(table="certificates", row=1, value=", ".join(first)[:80], code="unknown_column", reason=reason)
        raise Refused("invalid_input", "The columns are not those of certificates.", problems=(told,))
    rows, problems = [], []
    for line, cells in lines:
        given = [cell.strip() for cell in cells]
        if any(given[len(header) :]):
            reason = (
                f"there are {len(header)} columns, and more cells; put texts that hold the separator between quotes"
            )
            problems.append(
                Problem(table="certificates", row=line, value=given[-1][:80], code="invalid", reason=reason)
            )
        elif any(given):
            rows.append((line, {name: text for name, text in zip(header, given, strict=False) if text}))
    if problems:
        raise refusal_for(problems)
    return rows


JSON_LINES = "application/x-ndjson"
IMPORTED = (
    *(JSON_LINES, "application/jsonl", "application/jsonlines", "application/x-jsonlines"),
    *("application/json", "text/plain", "application/octet-stream"),
)
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": JSON_LINES}


@Endpoint("GET", "/v1/register/head", "viewer", answer=shapes.Head)
def head(visit: Visit) -> Answer:
    """Read where the chain of the register ends."""
    with reading(visit.work.engine) as connection:
        return told(shapes.Head, entries.head(connection))


@Endpoint(
    "GET",
    "/v1/register/export",
    "viewer",
    query=(choice("format", "Form of the lines.", (*TYPES,), default="jsonl"), FROM, TO),
    answer={"type": "string"},
    media_type=JSON_LINES,
    or_types=("text/csv",),
    reveals=True,
)
def export(visit: Visit) -> Response:
    """Take the register away, as CSV or JSON Lines."""
    form = visit.asked["format"]
    lines = exported(visit.work.engine, form, *span_in(visit.asked))
    headers = {"Content-Type": TYPES[form], "Content-Disposition": f'attachment; filename="register.{form}"'}
    return StreamingResponse(iterate_in_threadpool(lines), headers=headers)


@Endpoint(
    "POST",
    "/v1/register/import",
    "monitor",
    body=Body({kind: {"type": "string"} for kind in IMPORTED} | {MULTIPART: form_schema()}, streamed=True),
    status=202,
    heavy=True,
)
def take_in(visit: Visit) -> Accepted:
    """Take in what another register exported."""
    content = upload_in(visit.form)[1] if visit.media_type == MULTIPART else visit.body
    return accepted(visit, queue_import(visit.work, content, actor=visit.who.actor))
