"""The description of the routes is valid, complete, and true."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from service.endpoints import ENDPOINTS
from service.errors import KINDS

Ask = Callable[..., Any]


@pytest.fixture
def document(ask: Ask) -> dict[str, Any]:
    found: dict[str, Any] = ask("viewer", "GET", "/openapi.json").json()
    return found


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def validated(document: dict[str, Any], schema: dict[str, Any], instance: Any) -> None:
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document["components"], **schema}
    jsonschema.Draft202012Validator(whole).validate(instance)


def test_every_route_for_programs_stands_in_it(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(item.method, item.path) for item in ENDPOINTS if not item.page}
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        assert reference.startswith("#/")
        place: Any = document
        for name in reference[2:].split("/"):
            place = place[name]


def test_every_schema_is_one(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    "path", ["/v1/comparisons", "/v1/zones", "/v1/models", "/v1/keys", "/v1/zones?on=x", "/v1/comparisons/none"]
)
def test_answers_are_as_described(ask: Ask, document: dict[str, Any], kept: str, path: str) -> None:
    answer = ask("admin", "GET", path)
    route = "/v1/comparisons/{id}" if path.endswith("none") else path.partition("?")[0]
    responses = document["paths"][route]["get"]["responses"]
    described = responses.get(str(answer.status_code), responses["default"])
    schema = described["content"][answer.headers["content-type"]]["schema"]
    validated(document, schema, answer.json())


def test_parcel_and_report_are_as_described(
    ask: Ask, document: dict[str, Any], parcel: dict[str, Any], kept: str
) -> None:
    validated(document, {"$ref": "#/components/schemas/Parcel"}, parcel)
    validated(document, {"$ref": "#/components/schemas/Report"}, ask("viewer", "GET", kept).json())


def test_problems_name_every_code(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["ProblemDetails"]["properties"]["code"]["enum"] == list(KINDS)
