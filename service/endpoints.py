"""The table of endpoints: every address of the service, each declared beside what answers it."""

from __future__ import annotations

from service.door.endpoint import Endpoint
from service.pages import access, codes, dashboard, docs, judging, outcomes, sign_in, start
from service.pages import comparisons as comparison_pages
from service.pages import models as model_pages
from service.pages import planning as planning_pages
from service.pages import submissions as submission_pages
from service.pages import trainings as training_pages
from service.routes import (
    cases,
    certificates,
    comparisons,
    jobs,
    keys,
    models,
    names,
    operations,
    planning,
    practice,
    reexaminations,
    register,
    sessions,
    submissions,
    trainings,
    zones,
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *comparisons.ENDPOINTS,
    *cases.ENDPOINTS,
    *practice.ENDPOINTS,
    *submissions.ENDPOINTS,
    *jobs.ENDPOINTS,
    *certificates.ENDPOINTS,
    *register.ENDPOINTS,
    *zones.ENDPOINTS,
    *planning.ENDPOINTS,
    *models.ENDPOINTS,
    *trainings.ENDPOINTS,
    *reexaminations.ENDPOINTS,
    *keys.ENDPOINTS,
    *sessions.ENDPOINTS,
    *names.ENDPOINTS,
    *operations.ENDPOINTS,
    *start.ENDPOINTS,
    *codes.ENDPOINTS,
    *comparison_pages.ENDPOINTS,
    *judging.ENDPOINTS,
    *outcomes.ENDPOINTS,
    *submission_pages.ENDPOINTS,
    *planning_pages.ENDPOINTS,
    *dashboard.ENDPOINTS,
    *model_pages.ENDPOINTS,
    *training_pages.ENDPOINTS,
    *access.ENDPOINTS,
    *docs.ENDPOINTS,
    *sign_in.ENDPOINTS,
)
