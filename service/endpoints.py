"""The table of endpoints: every address of the service, each declared beside what answers it."""

from __future__ import annotations

from service.door.endpoint import Endpoint
from service.pages import access as access_page
from service.pages import comparisons as comparison_pages
from service.pages import dashboard, docs, judging, outcomes, sign_in, start
from service.pages import models as model_pages
from service.pages import planning as planning_pages
from service.pages import submissions as submission_pages
from service.pages import trainings as training_pages
from service.routes import (
    access,
    cases,
    certificates,
    comparisons,
    jobs,
    models,
    operations,
    planning,
    practice,
    reexaminations,
    register,
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
    *access.ENDPOINTS,
    *operations.ENDPOINTS,
    *start.ENDPOINTS,
    *comparison_pages.ENDPOINTS,
    *judging.ENDPOINTS,
    *outcomes.ENDPOINTS,
    *submission_pages.ENDPOINTS,
    *planning_pages.ENDPOINTS,
    *dashboard.ENDPOINTS,
    *model_pages.ENDPOINTS,
    *training_pages.ENDPOINTS,
    *access_page.ENDPOINTS,
    *docs.ENDPOINTS,
    *sign_in.ENDPOINTS,
)
