"""The table of endpoints, each declared beside what answers it, and the app that answers at those that are ours."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from kpfootprint.errors import KPFootprintError
from service.door.answer import say_foreseen
from service.door.endpoint import declared_in, visit_of
from service.door.reception import routed
from service.errors import Refused, refusal_of
from service.pages import access as access_page
from service.pages import calendar, errors, judging, outcomes, sign_in, start
from service.pages import comparisons as comparison_pages
from service.pages import models as model_pages
from service.pages import planning as planning_pages
from service.pages import submissions as submission_pages
from service.pages.errors import refusal_response
from service.routes import (
    access,
    cases,
    certificates,
    comparisons,
    jobs,
    models,
    operations,
    planning,
    register,
    submissions,
)

MODULES = (
    *(comparisons, cases, submissions, calendar, jobs, certificates, register, planning, models),
    *(access, operations, start, comparison_pages, judging, outcomes, submission_pages),
    *(planning_pages, model_pages, access_page, errors, sign_in),
)
ENDPOINTS = tuple(endpoint for module in MODULES for endpoint in declared_in(module))


def mounted() -> Starlette:
    """Return the app of every endpoint that BentoML does not answer itself."""
    return Starlette(
        routes=[routed(item, item.handler) for item in ENDPOINTS if item.handler is not None],
        exception_handlers={Refused: refused_answer, KPFootprintError: refused_answer},
    )


def refused_answer(request: Request, error: Exception) -> Response:
    """Return the answer to an error that was foreseen."""
    refused = refusal_of(error)
    if refused is None:
        raise error
    say_foreseen(visit_of(request).request_id, refused, error)
    return refusal_response(request, refused)
