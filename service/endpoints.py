"""The table of endpoints: every address of the service, each declared beside what answers it."""

from __future__ import annotations

from service.door.endpoint import declared_in
from service.pages import access as access_page
from service.pages import calendar, errors, judging, outcomes, sign_in, start
from service.pages import comparisons as comparison_pages
from service.pages import models as model_pages
from service.pages import planning as planning_pages
from service.pages import submissions as submission_pages
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
