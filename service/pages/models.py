"""The pages of releases and trainings: what is in force since when, one release with its card, one training."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response

from kpfootprint.report.locale import words
from kpfootprint.report.problems import remark_text
from kpfootprint.retold import again as said_again
from kpfootprint.retold import retold
from service import Wording, Wordings
from service.door.bodies import file_of, text_of, written_in
from service.door.endpoint import FORM, Endpoint, Visit
from service.errors import Refused, existing
from service.pages.render import again, moved_to, page, translations
from service.register import jobs
from service.register.activations import activations, first_in_force
from service.routes.shapes import NewActivation, Reason
from service.work.releases import activate, known_release, known_releases, queue_training, roll_back

JOB_STATES: Wordings = {
    "queued": "waits",
    "running": "runs",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""States of jobs as pages say them."""
NO_REASON: Wording = "Say why: the reason stands in the history."
TRAININGS = 20
EVERY_SECONDS = 10
"""How often the page of a training that is not over looks again."""


@Endpoint("GET", "/models", "viewer", page=True)
def index(visit: Visit) -> Response:
    """List the releases, what was in force when, and the trainings."""
    known = known_releases(visit.work)
    past = activations(visit.work.engine)
    return page(
        visit,
        "models.html",
        known=known,
        in_force=next((item.name for item in known if item.active), ""),
        past=past[::-1],
        first=first_in_force(past),
        trainings=jobs.latest(visit.work.engine, "training", TRAININGS),
        states=JOB_STATES,
    )


@Endpoint("GET", "/models/{release}", "viewer", page=True)
def show(visit: Visit) -> Response:
    """Show a release with its card and its evaluation."""
    found = known_release(visit.work, visit.path["release"])
    return page(
        visit,
        "model.html",
        item=found,
        card=_set(found.card),
        results=[row for row in found.evaluation.get("results", ()) if row.get("value") is not None],
        report=(found.folder / REPORT).is_file(),
    )


TABLE = '<div class="scroll" tabindex="0" role="group" aria-labelledby="card-h"><table class="full">'


def _set(card: str) -> Markup:
    """Return a card in Markdown as a part of a page: its HTML is shown as it is written, its headings below ours."""
    markdown = MarkdownIt("js-default")
    markdown.add_render_rule("table_open", lambda *_: TABLE)
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    tokens = markdown.parse(card)
    for token in tokens:
        if token.type.startswith("heading"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))


REPORT = "validation.html"


@Endpoint("GET", "/models/{release}/evaluation", "viewer", answer={"type": "string"}, media_type="text/html", page=True)
def report(visit: Visit) -> Response:
    """Return the evaluation report of a release, as it was written when the release was measured."""
    path = known_release(visit.work, visit.path["release"]).folder / REPORT
    if not path.is_file():
        raise Refused("not_found", "This release has no evaluation report.")
    return Response(path.read_bytes(), media_type="text/html; charset=utf-8", headers={"Content-Language": "en"})


@Endpoint("POST", "/models/{release}/activate", "researcher", body=FORM, heavy=True, page=True)
def make_activation(visit: Visit) -> Response:
    """Put a release in force and show all of them."""
    name = visit.path["release"]
    given = written_in(visit.form, NewActivation)
    if given is None:
        return again(visit, NO_REASON, show)
    if not known_release(visit.work, name).manifest.get("released") and not given["force"]:
        return again(visit, "This release was not judged; to put it in force all the same, say why.", show)
    activate(visit.work, name, reason=given["reason"], force=given["force"] or None, actor=visit.who.actor)
    return moved_to(visit, "/models")


@Endpoint("POST", "/models/rollback", "researcher", body=FORM, heavy=True, page=True)
def make_rollback(visit: Visit) -> Response:
    """Go back to the release before and show all of them."""
    given = written_in(visit.form, Reason)
    if given is None:
        return again(visit, NO_REASON, index)
    roll_back(visit.work, **given, actor=visit.who.actor)
    return moved_to(visit, "/models")


@Endpoint("POST", "/trainings", "researcher", body=FORM, heavy=True, page=True)
def take_package(visit: Visit) -> Response:
    """Take a package in and show its training."""
    upload = file_of(visit.form)
    content = b"" if upload is None else upload.file.read()
    if upload is None or not content:
        return again(visit, "Choose a reference package (a .zip or an .xlsx).", index)
    name, config = upload.filename or "", text_of(visit.form, "config")
    job_id = queue_training(visit.work, name=name, package=content, config=config, actor=visit.who.actor)
    return moved_to(visit, f"/trainings/{job_id}")


@Endpoint("GET", "/trainings/{id}", "viewer", page=True)
def show_training(visit: Visit) -> Response:
    """Show how far a training is."""
    job = _training(visit)
    over = job.state in jobs.OVER
    return page(
        visit,
        "training.html",
        job=job,
        states=JOB_STATES,
        remarks=[remark_text(item, words(visit.lang)) for item in job.parameters.get("remarks", ())],
        said=retold(said_again(job.parameters.get("said", job.problem or "")), visit.lang, translations(visit.lang)),
        problems=job.parameters.get("problems", ()),
        told=lambda problem: problem["reasons"][visit.lang],
        again=None if over else EVERY_SECONDS,
        made=(job.result or "").removeprefix("/v1"),
    )


@Endpoint("POST", "/trainings/{id}/cancel", "researcher", body=FORM, page=True)
def cancel_training(visit: Visit) -> Response:
    """Cancel a training and show it again."""
    job = _training(visit)
    jobs.cancel(visit.work.engine, job.id, visit.who.actor)
    return moved_to(visit, f"/trainings/{job.id}")


def _training(visit: Visit) -> jobs.Job:
    return existing(jobs.job_of(visit.work.engine, visit.path["id"], "training"), "There is no training with this id.")
