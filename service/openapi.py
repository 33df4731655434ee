"""The OpenAPI description of the routes for programs, read from the table of endpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from kpfootprint import __version__
from service.door.endpoint import Endpoint, Named
from service.errors import KINDS, MEDIA_TYPE

COMPONENTS = "#/components/schemas/"
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same body, the first answer comes again; with another body, 422.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}


def description(endpoints: Sequence[Endpoint], problem: Any) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every endpoint that is no page.

    Parameters
    ----------
    problem : type
        Shape of every error.
    """
    schemas: dict[str, Any] = {}
    failure = {"description": "What went wrong.", "content": {MEDIA_TYPE: {"schema": _placed(problem, schemas)}}}
    paths: dict[str, dict[str, Any]] = {}
    for item in endpoints:
        if not item.page:
            paths.setdefault(item.path, {})[item.method.lower()] = _operation(item, failure, schemas)
    schemas["ProblemDetails"]["properties"]["code"]["enum"] = [*KINDS]
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


def _operation(item: Endpoint, failure: Mapping[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": item.summary}
    if item.answer is not None:
        schema = _placed(item.answer, schemas)
        answer["content"] = {kind: {"schema": schema} for kind in (item.media_type, *item.or_types)}
    if item.status in {201, 202} and item.once:
        answer["headers"] = {"Location": {"description": "Where it is kept.", "schema": {"type": "string"}}}
    parameters = [
        {"name": query.name, "in": "query", "required": False, "description": query.about}
        | (
            {"schema": {"type": "array", "items": query.schema}, "explode": True}
            if query.repeats
            else {"schema": query.schema | ({} if query.default is None else {"default": query.default})}
        )
        for query in item.query
    ]
    parameters += [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": "As it is named here.",
            "schema": {"type": "string"},
        }
        for name in item.pattern.groupindex
    ]
    if item.once:
        parameters.append(IDEMPOTENCY_KEY)
    operation: dict[str, Any] = {
        "summary": item.summary,
        "operationId": _operation_id(item),
        "description": "Open to all." if item.role is None else f"Least role: {item.role}.",
        "responses": {str(item.status): answer, "default": failure},
    }
    if parameters:
        operation["parameters"] = parameters
    if item.body is not None:
        content = {
            kind: {"schema": {} if shape is None else _placed(shape, schemas)}
            for kind, shape in item.body.kinds.items()
        }
        operation["requestBody"] = {"required": True, "content": content}
    if item.role is None:
        operation["security"] = []
    return operation


def _operation_id(item: Endpoint) -> str:
    words = item.path.replace("/v1", "").replace("{", "").replace("}", "").replace(".", "/").split("/")
    return "_".join([item.method.lower(), *filter(None, words)])


def _placed(shape: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return a reference to a shape's schema, which is put among the components; small ones stand where they are."""
    if isinstance(shape, Named):
        return _whole(shape, schemas)
    if isinstance(shape, tuple):
        return {"anyOf": [_placed(one, schemas) for one in shape]}
    if isinstance(shape, Mapping):
        return dict(shape)
    schema: dict[str, Any] = TypeAdapter(shape).json_schema(ref_template=COMPONENTS + "{model}")
    for name, inner in schema.pop("$defs", {}).items():
        schemas[name] = _without_titles(inner)
    name = getattr(shape, "__name__", None)
    schema = _without_titles(schema)
    if name is None or "properties" not in schema:
        return schema
    schemas[name] = schema
    return {"$ref": COMPONENTS + name}


def _whole(shape: Named, schemas: dict[str, Any]) -> dict[str, Any]:
    """Place a schema that stands on its own: its references start from the whole."""
    text = json.dumps({key: value for key, value in shape.schema.items() if key not in {"$schema", "$id"}})
    schemas[shape.name] = json.loads(text.replace('"#/', f'"{COMPONENTS}{shape.name}/'))
    return {"$ref": COMPONENTS + shape.name}


def _without_titles(schema: Any) -> Any:
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
        return {key: _without_titles(value) for key, value in kept.items()}
    return [_without_titles(item) for item in schema] if isinstance(schema, list) else schema
