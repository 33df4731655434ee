"""The one parcel that a request carries: JSON, or a table whose declaration stands in the address or the form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from kpfootprint.errors import Problem
from kpfootprint.ingest import Upload, condition_given, declaration_given
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from service.door.bodies import FILE, form_schema, texts_of, upload_in
from service.door.endpoint import JSON, MULTIPART, Visit
from service.door.query import Query, text
from service.errors import Refused
from service.routes import shapes
from service.work.reading import json_in, parcel_of_file, parcel_of_json, upload_of

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
FORM = form_schema("parcel", *(query.name for query in GIVEN), lists=("declare", "choose"))
KINDS: Mapping[str, Any] = {
    JSON: shapes.Parcel,
    **dict.fromkeys(TABLES, FILE),
    MULTIPART: FORM,
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
