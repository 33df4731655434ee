"""The OpenAPI description of the routes for programs, made from the table of endpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from kpfootprint import __version__
from kpfootprint.report.schema import report_schema
from service.errors import KINDS, MEDIA_TYPE
from service.register.keys import ROLES
from service.routes.endpoint import Endpoint

SCHEMAS = Path(__file__).parent / "schemas.json"
JSON = "application/json"

Shape = Mapping[str, Any]

REQUESTS: Mapping[tuple[str, str], str] = {("POST", "/v1/comparisons"): "Parcel", ("POST", "/v1/keys"): "NewKey"}

ANSWERS: Mapping[tuple[str, str], tuple[int, str, Shape | None]] = {
    ("POST", "/v1/comparisons"): (201, JSON, {"$ref": "#/components/schemas/Report"}),
    ("GET", "/v1/comparisons"): (200, JSON, {"$ref": "#/components/schemas/Comparisons"}),
    ("GET", "/v1/comparisons/{id}"): (200, JSON, {"$ref": "#/components/schemas/Report"}),
    ("GET", "/v1/comparisons/{id}.html"): (200, "text/html", {"type": "string"}),
    ("GET", "/v1/comparisons/{id}.pdf"): (200, "application/pdf", {"type": "string", "format": "binary"}),
    ("GET", "/v1/zones"): (200, JSON, {"$ref": "#/components/schemas/Zones"}),
    ("GET", "/v1/models"): (200, JSON, {"$ref": "#/components/schemas/Models"}),
    ("GET", "/v1/keys"): (200, JSON, {"$ref": "#/components/schemas/Keys"}),
    ("POST", "/v1/keys"): (201, JSON, {"$ref": "#/components/schemas/MadeKey"}),
    ("DELETE", "/v1/keys/{id}"): (204, JSON, None),
    ("GET", "/openapi.json"): (200, JSON, {"type": "object"}),
    ("GET", "/livez"): (200, "text/plain", {"type": "string"}),
    ("GET", "/readyz"): (200, "text/plain", {"type": "string"}),
    ("GET", "/metrics"): (200, "text/plain", {"type": "string"}),
}


def _parameter(name: str, place: str, description: str, schema: Shape) -> Shape:
    return {"name": name, "in": place, "required": place == "path", "description": description, "schema": schema}


LANG = _parameter("lang", "query", "Language; Accept-Language counts where it is absent.", {"enum": ["en", "fr"]})
COUNT = {"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999}
PARAMETERS: Mapping[tuple[str, str], Sequence[Shape]] = {
    ("POST", "/v1/comparisons"): (
        _parameter(
            "Idempotency-Key",
            "header",
            "Sent again with the same body, the first answer comes again; with another body, 422.",
            {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        ),
    ),
    ("GET", "/v1/comparisons"): (
        _parameter("limit", "query", "How many items; at most 500.", COUNT),
        _parameter("before", "query", "Where the page starts; `next` of the page before holds it.", COUNT),
    ),
    ("GET", "/v1/comparisons/{id}.html"): (LANG,),
    ("GET", "/v1/comparisons/{id}.pdf"): (LANG,),
    ("GET", "/v1/zones"): (
        _parameter("on", "query", "Day whose status is told; today without it.", {"type": "string", "format": "date"}),
    ),
}


def description(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every endpoint that is no page."""
    paths: dict[str, dict[str, Any]] = {}
    for item in endpoints:
        if not item.page:
            paths.setdefault(item.path, {})[item.method.lower()] = _operation(item)
    schemas = _schemas()
    schemas["Problem"]["properties"]["code"]["enum"] = list(KINDS)
    schemas["Report"] = _within("Report", report_schema())
    schemas["NewKey"]["properties"]["role"]["enum"] = list(ROLES)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kpfootprint",
            "version": __version__,
            "description": "Footprint comparison of rough-diamond parcels.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}, "schemas": schemas},
    }


def _operation(item: Endpoint) -> dict[str, Any]:
    place = (item.method, item.path)
    status, media_type, shape = ANSWERS[place]
    answer: dict[str, Any] = {"description": item.summary}
    if shape is not None:
        answer["content"] = {media_type: {"schema": shape}}
    if status == 201:
        answer["headers"] = {"Location": {"description": "Where it is kept.", "schema": {"type": "string"}}}
    operation: dict[str, Any] = {
        "summary": item.summary,
        "operationId": _operation_id(item),
        "responses": {
            str(status): answer,
            "default": {
                "description": "What went wrong.",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    parameters = [*PARAMETERS.get(place, ())]
    if "{id}" in item.path:
        parameters.append(_parameter("id", "path", "Id in the register.", {"type": "string"}))
    if parameters:
        operation["parameters"] = parameters
    if place in REQUESTS:
        schema = {"$ref": f"#/components/schemas/{REQUESTS[place]}"}
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    operation["description"] = "Open to all." if item.role is None else f"Least role: {item.role}."
    if item.role is None:
        operation["security"] = []
    return operation


def _operation_id(item: Endpoint) -> str:
    words = item.path.replace("/v1", "").replace("{", "").replace("}", "").replace(".", "/").split("/")
    return "_".join([item.method.lower(), *filter(None, words)])


def _within(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that stands on its own as a part of this document: its references start from the whole."""
    text = json.dumps({key: value for key, value in schema.items() if key not in {"$schema", "$id"}})
    placed: dict[str, Any] = json.loads(text.replace('"#/', f'"#/components/schemas/{name}/'))
    return placed


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = json.loads(_text())
    return schemas


@cache
def _text() -> str:
    return SCHEMAS.read_text(encoding="utf-8")
