"""The start page: stones and a declaration in, a report or a list of problems out."""

from __future__ import annotations

from datetime import date
from functools import partial

from anyio import to_thread
from babel import Locale
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.reading import two_inputs
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.reference import ZoneTable
from service.clock import today
from service.door.endpoint import FORM, Endpoint
from service.door.visit import visit_of
from service.errors import Refused
from service.languages import language_of
from service.pages.examples import EXAMPLES, available
from service.pages.forms import file_of, read_form, text_of
from service.pages.given import ROWS, Given, given_in
from service.pages.problems import classes_named, noted, told, worded
from service.pages.render import link_to, page, translations
from service.pages.sheet import Held, Sheet, choices_in, classes_by_attribute, held_in, words_table
from service.pages.submissions import checked
from service.register.comparisons import page_of
from service.work.compare import compare
from service.work.kept import as_seen
from service.work.reading import parcel_at, parcel_in, pasted, read_plainly, read_upload, upload_of

RECENT = 5
SEVERAL = "several_parcels"
"""Code of the problem of a file that holds a submission: it is offered to be received as one."""

STATUS_NOTES = {"compliant": "", "suspended": "suspended", "not_covered": ""}


def show(request: Request) -> Response:
    """Show the empty form."""
    return _form(request, Given(), ())


async def submit(request: Request) -> Response:
    """Compare what the form holds and go to the report; problems are shown above the form as it was filled."""
    form = await read_form(request)
    try:
        return await _submitted(request, form)
    finally:
        await form.close()


async def _submitted(request: Request, form: FormData) -> Response:
    visit = visit_of(request)
    given = given_in(form)
    file = file_of(form, "file")
    held = held_in(form)
    step = text_of(form, "step")
    if file is not None and given.pasted:
        return await to_thread.run_sync(_form, request, given, (two_inputs(),))
    if file is not None:
        upload = upload_of(file.filename or "", await file.read())
        held = Held.of(upload)
    elif given.pasted:
        upload, held = pasted(given.pasted), None
    elif held is not None:
        upload = held.upload()
    else:
        if step != "status":
            return await to_thread.run_sync(_form, request, given, (problem(Broken("no_stones"), table="stones"),))
        upload = pasted("")
    try:
        choices = await choices_in(form)
    except IngestError as error:
        return await to_thread.run_sync(_form, request, given, error.problems, Sheet.unread(held, {}))
    if step == "status":
        return await to_thread.run_sync(_form, request, given, (), Sheet.unread(held, choices))
    read = partial(read_upload, upload=upload, parcel=given.parcel(), choices=choices)
    reading = await visit.work.heavy(lambda: read(visit.work.release()))
    if file is not None and any(problem.code == SEVERAL for problem in reading.problems):
        return await checked(request, name=upload.name, content=upload.data, note="", choices=choices)
    sheet = Sheet.of(upload, reading, held, choices)
    if reading.problems or step == "read" or (step != "compare" and not read_plainly(reading)):
        return await to_thread.run_sync(partial(_form, request, given, reading.problems, sheet))
    try:
        kept = await visit.work.heavy(
            partial(compare, visit.work, lambda release: parcel_in(read(release)), actor=visit.who.actor)
        )
    except IngestError as error:
        return await to_thread.run_sync(_form, request, given, error.problems, sheet)
    return RedirectResponse(link_to(request, f"/comparisons/{kept.id}"), status_code=303)


async def words(request: Request) -> Response:
    """Give the classes that were chosen for words as a table, to be given beside the next sheet."""
    form = await read_form(request)
    choices = await choices_in(form)
    await form.close()
    headers = {"Content-Disposition": 'attachment; filename="words.csv"'}
    table = words_table(choices, visit_of(request).work.release().scheme)
    return Response(table, media_type="text/csv; charset=utf-8", headers=headers)


async def example(request: Request) -> Response:
    """Compare an example parcel and go to its report."""
    form = await read_form(request)
    await form.close()
    visit = visit_of(request)
    chosen = next((item for item in available() if item.name == request.path_params["name"]), None)
    if chosen is None:
        raise Refused("not_found", "There is no example with this name.")
    read = partial(parcel_at, path=chosen.path(), parcel=chosen.parcel)
    kept = await visit.work.heavy(partial(compare, visit.work, read, actor=visit.who.actor))
    return RedirectResponse(link_to(request, f"/comparisons/{kept.id}"), status_code=303)


def _form(request: Request, given: Given, problems: tuple[Problem, ...], sheet: Sheet | None = None) -> Response:
    visit = visit_of(request)
    release = visit.work.release()
    recent, _ = page_of(visit.work.engine, before=None, limit=RECENT)
    table, day = release.zone_table, _day_of(given)
    catalogue, classes = translations(language_of(request)), classes_by_attribute(release.scheme, language_of(request))
    return page(
        request,
        "start.html",
        status=422 if problems else 200,
        given=given,
        rows=ROWS,
        problems=sorted(problems, key=lambda item: (item.table, item.row or 0)),
        sheet=sheet,
        classes=classes,
        told=lambda problem: told(problem, catalogue),
        worded=lambda choice: worded(choice, catalogue, classes),
        noted=lambda note: noted(note, catalogue),
        classes_named=lambda read: classes_named(read, release.scheme, language_of(request)),
        zones_by_country=_by_country(table, language_of(request), day),
        names={zone.zone_id: zone.name for zone in table.zones},
        sieve_sets=[(item.name, item.name) for item in release.scheme.sieve_sets],
        day=day.isoformat(),
        may_submit=visit.who.may("monitor") and visit.who.csrf is not None,
        examples=available() if EXAMPLES else (),
        recent=as_seen(visit.work, visit.who, recent),
        release=release.name,
        released=release.released,
    )


def _day_of(given: Given) -> date:
    """Return the day of export that the form holds; today where it holds none that can be read."""
    try:
        return date.fromisoformat(given.exported_on)
    except ValueError:
        return today()


def _by_country(table: ZoneTable, lang: str, day: date) -> list[tuple[str, str, list[dict[str, str]]]]:
    """Return the zones by country (code and name) as options, with a note where one is not compliant on the day."""
    groups: dict[str, list[dict[str, str]]] = {}
    for zone in table.zones:
        note = STATUS_NOTES.get(table.status_on(zone.zone_id, day), "")
        groups.setdefault(zone.country, []).append({"zone_id": zone.zone_id, "name": zone.name, "note": note})
    names = Locale.parse(lang).territories
    return [(country, names.get(country, country), zones) for country, zones in groups.items()]


ENDPOINTS = (
    Endpoint(method="GET", path="/", role="viewer", handler=show, page=True, summary="Page: a new comparison."),
    Endpoint(
        method="POST",
        path="/",
        role="monitor",
        handler=submit,
        body=FORM,
        page=True,
        summary="Page: compare what the form holds.",
    ),
    Endpoint(
        method="POST",
        path="/words",
        role="monitor",
        handler=words,
        body=FORM,
        page=True,
        summary="Page: the classes chosen for words, as a table to keep.",
    ),
    Endpoint(
        method="POST",
        path="/examples/{name}",
        role="monitor",
        handler=example,
        body=FORM,
        page=True,
        summary="Page: compare an example parcel.",
    ),
)
