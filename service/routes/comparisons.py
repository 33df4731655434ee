"""Comparisons over HTTP: the one parcel that a request carries, its report, and the lists of those that were kept.

A parcel comes as JSON, or as a table whose declaration stands in the address or the form. The answer to a POST is
BentoML's to send, reading reports again is the mounted app's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from starlette.responses import Response

from kpfootprint.conclusions import CONCLUSIONS
from kpfootprint.errors import Problem
from kpfootprint.ingest import Upload, condition_given, declaration_given
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from kpfootprint.report import render_html
from kpfootprint.report.schema import report_schema
from kpfootprint.retold import LANGUAGES
from service.door.bodies import FILE, form_in, form_schema, texts_of, upload_in
from service.door.endpoint import JSON, MULTIPART, Answer, Body, Endpoint, Named, Visit
from service.door.query import Query, choice, text
from service.errors import Refused
from service.register import comparisons
from service.register.comparisons import SORTS, Kept, Listed, Search
from service.register.database import reading
from service.routes import shapes
from service.routes.paging import FROM, PAGING, TO, following, span_in, told
from service.work.flags import flags_now
from service.work.kept import as_seen, is_blind, parcel_text, printed, report_text
from service.work.reading import json_in, parcel_of_file, parcel_of_json, upload_of
from service.work.receive import compare, once_of

CSV = "text/csv"
TABLES: Final[Mapping[str, str]] = {
    CSV: "parcel.csv",
    "text/tab-separated-values": "parcel.tsv",
    "application/gzip": "parcel.csv.gz",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "parcel.xlsx",
    "application/zip": "parcel.zip",
}
"""Types of tables, and the name that such a body is read under."""

TEXTS: Final[Mapping[str, str]] = {
    "parcel_id": "Name of the parcel.",
    "exported_on": "Day of export.",
    "certificate_no": "Number of the certificate.",
    "exporter": "Who exports.",
}
CONDITIONS: Final[Mapping[str, str]] = {
    "cleaning_state": "unwashed, acid_rinsed or deep_boiled.",
    "selection": "run_of_mine or buyer_sorted.",
    "sorter": "Who judged colour and morphology.",
    "bottom_screen_mm": "Aperture of the bottom screen.",
    "specials_removed": "true or false.",
    "sieve_set": "Sieve set of a sorting sheet.",
}
DECLARE = "For a table: a declared zone, ZONE, ZONE=CARATS or ZONE=60%; repeat it for a blend; country:CF."
CHOOSE = "For what can be read in two ways: QUESTION=ANSWER, as its problem names them; may be repeated."
CHOOSING = text("choose", CHOOSE, repeats=True)
GIVEN: tuple[Query, ...] = (
    CHOOSING,
    text("declare", DECLARE, repeats=True),
    *(text(name, f"For a table: {about}") for name, about in {**TEXTS, **CONDITIONS}.items()),
)
FORM_OF_PARCEL = form_schema("parcel", *(query.name for query in GIVEN), lists=("declare", "choose"))
KINDS: Mapping[str, Any] = {
    JSON: shapes.Parcel,
    **dict.fromkeys(TABLES, FILE),
    MULTIPART: FORM_OF_PARCEL,
}

Reader = Callable[[Release], Parcel]


def reader_of(visit: Visit) -> Reader:
    """Return how the parcel of a request is read; what its address or its form says goes before what its file says."""
    given = given_parcel(visit.asked, visit.asked["declare"])
    choices = choices_of(visit.asked["choose"])
    if visit.media_type == JSON:
        return partial(parcel_of_json, body=visit.body, given=given, choices=choices)
    if visit.media_type in TABLES:
        upload = upload_of(TABLES[visit.media_type], visit.body)
        return partial(parcel_of_file, upload=upload, parcel=given, choices=choices)
    name, content = upload_in(visit.form)
    fields = {key: value for key, value in visit.form.multi_items() if isinstance(value, str) and value.strip()}
    own = given_parcel(fields, [value for value in texts_of(visit.form, "declare") if value.strip()])
    choices |= choices_of(texts_of(visit.form, "choose"))
    said = fields.get("parcel", "{}")
    return partial(_parcel_of_form, upload=upload_of(name, content), said=said, own=(own, given), choices=choices)


def _parcel_of_form(
    release: Release, *, upload: Upload, said: str, own: Iterable[dict[str, Any]], choices: dict[str, str]
) -> Parcel:
    """Read a file; the field `parcel` goes before what it says, the other fields before that, and the address first."""
    whole = json_in(said.encode())
    if not isinstance(whole, dict):
        problem = Problem(table="form", column="parcel", code="wrong_type", reason="a parcel is an object")
        raise Refused("invalid_input", "The field 'parcel' holds no object.", problems=(problem,))
    for given in own:
        whole = _overlaid(whole, given)
    return parcel_of_file(release, upload=upload, parcel=whole, choices=choices)


def _overlaid(document: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    whole = document | given
    own = document.get("conditions")
    if isinstance(own, dict) and "conditions" in given:
        whole["conditions"] = own | given["conditions"]
    return whole


def given_parcel(values: Mapping[str, Any], declared: Iterable[str]) -> dict[str, Any]:
    """Return what parameters or the fields of a form say, in the shape of the JSON parcel; blank ones say nothing."""
    given: dict[str, Any] = {name: values[name] for name in TEXTS if values.get(name)}
    conditions = {name: condition_given(name, values[name]) for name in CONDITIONS if values.get(name)}
    if conditions:
        given["conditions"] = conditions
    if declarations := [declaration_given(item) for item in declared]:
        given["declarations"] = declarations
    return given


def choices_of(said: Iterable[str]) -> dict[str, str]:
    """Return the answers to questions that are given as ``question=answer``."""
    parts = [text.rpartition("=") for text in said]
    return {question.strip(): answer.strip() for question, equals, answer in parts if equals and question.strip()}


LANG = choice("lang", "Language of texts; Accept-Language counts where it is absent. JSON never changes.", LANGUAGES)
REPORT = Named(name="Report", schema=report_schema())
SEARCHED = ("exporter", "conclusion", "parcel_id", "q", "code", "sort")
COMPARE = Endpoint(
    "POST",
    "/v1/comparisons",
    "monitor",
    query=(LANG, *GIVEN),
    body=Body(KINDS),
    answer=(REPORT, shapes.Sealed),
    status=201,
    once=True,
    summary="Compare a parcel with what was declared, and keep the report.",
)


async def submitted(visit: Visit) -> Response:
    """Compare the parcel that a request carries: 201 with the report, and where it can be read again."""
    if visit.media_type == MULTIPART:
        visit.form = await form_in(visit.request, COMPARE)
    try:
        read = reader_of(visit)
    finally:
        await visit.form.close()
    key, query = visit.request.headers.get("idempotency-key"), visit.request.url.query.encode()

    def kept_once() -> Kept:
        once = once_of(key, visit.who.actor, visit.body, query)
        return compare(visit.work, read, actor=visit.who.actor, once=once, large=visit.large)

    kept = await visit.work.heavy(kept_once, large=visit.large)
    place = f"/v1/comparisons/{kept.id}"
    sealed = shapes.Sealed(sealed=True, parcel=f"{place}/parcel", opinions=f"{place}/opinions")
    answer = json.dumps(sealed) if is_blind(visit.work, visit.who) else kept.report
    return Response(answer, status_code=201, media_type=JSON, headers={"Location": place})


@Endpoint("GET", "/v1/comparisons/{id}/parcel", "viewer", answer=shapes.Parcel)
def show_parcel(visit: Visit) -> Response:
    """Read the parcel that was compared."""
    return Response(parcel_text(visit.work, visit.path["id"]), media_type=JSON)


@Endpoint(
    "GET", "/v1/comparisons/{id}.html", "viewer", query=(LANG,), answer={"type": "string"}, media_type="text/html"
)
def show_html(visit: Visit) -> Response:
    """Read a report as a page."""
    report, stationery = printed(visit.work, visit.path["id"], visit.who)
    page = render_html(report, visit.lang, stationery=stationery)
    return Response(page, media_type="text/html", headers=visit.in_its_language)


@Endpoint(
    "GET",
    "/v1/comparisons/{id}.pdf",
    "viewer",
    query=(LANG,),
    answer={"type": "string", "format": "binary"},
    media_type="application/pdf",
)
def show_pdf(visit: Visit) -> Response:
    """Read a report as a PDF."""
    from kpfootprint.report import render_pdf  # loads a typesetter, which most workers never need

    lang = visit.lang
    report, stationery = printed(visit.work, visit.path["id"], visit.who)
    document = render_pdf(report, lang, stationery=stationery)
    name = f"comparison-{visit.path['id']}-{lang}.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'} | visit.in_its_language
    return Response(document, media_type="application/pdf", headers=headers)


@Endpoint(
    "GET",
    "/v1/comparisons",
    "viewer",
    query=(
        *PAGING,
        text("zone", "That declare this zone or country."),
        text("exporter", "Of this exporter."),
        choice("conclusion", "With this conclusion.", CONCLUSIONS),
        FROM,
        TO,
        text("parcel_id", "Of this parcel."),
        text("q", "With words that begin so, in parcel, exporter, certificate or declared zones."),
        text("code", "Whose report has this short code, or this id."),
        choice("sort", "In which order.", (*SORTS,), default="-created_at"),
    ),
    answer=shapes.Comparisons,
)
def index(visit: Visit) -> Answer:
    """List comparisons, the newest first or as asked."""
    asked = visit.asked
    start, end = span_in(asked)
    zone = visit.work.origin(asked["zone"])
    search = Search(**{name: asked[name] for name in SEARCHED}, zone=zone, start=start, end=end)
    if is_blind(visit.work, visit.who) and (search.conclusion or "log10_lr" in search.sort):
        raise Refused("forbidden", "What is computed is sealed from this role: it neither narrows nor sorts a list.")
    found, further = comparisons.page_of(visit.work.engine, before=asked["before"], limit=asked["limit"], search=search)
    found = as_seen(visit.work, visit.who, found)
    with reading(visit.work.engine) as connection:
        flags = flags_now(connection, found)
    return {"items": [item_of(item, flags[item.id]) for item in found], "next": following(visit, further)}


@Endpoint("GET", "/v1/comparisons/{id}", "viewer", query=(LANG,), answer=REPORT)
def show(visit: Visit) -> Response:
    """Read a report as it was answered."""
    return Response(report_text(visit.work, visit.path["id"], visit.who), media_type=JSON)


def item_of(item: Listed, flags: Sequence[Mapping[str, Any]]) -> Answer:
    """Return what a list says of a comparison."""
    submission = None if item.submission_id is None else f"/v1/submissions/{item.submission_id}"
    url = f"/v1/comparisons/{item.id}"
    return told(shapes.ComparisonItem, item, url=url, flags=flags, submission=submission)
