"""Opinions and outcomes over HTTP: what an expert concludes, what became known later, how both stood up."""

from __future__ import annotations

from service.door.endpoint import Endpoint
from service.door.visit import Visit
from service.register.entries import Entry
from service.routes import shapes_of_cases as shapes
from service.routes.paging import PAGING, Shape, listed, told
from service.work.decide import give_opinion, tell_outcome
from service.work.outcomes import Case, cases, summary


@Endpoint("POST", "/v1/comparisons/{id}/opinions", "monitor", status=201)
def create_opinion(visit: Visit, given: shapes.NewOpinion) -> shapes.Opinion:
    """Keep an expert's own conclusion beside the computed one."""
    return _kept(shapes.Opinion, give_opinion(visit.work, visit.path["id"], **given, who=visit.who))


@Endpoint("POST", "/v1/comparisons/{id}/outcome", "monitor", status=201)
def create_outcome(visit: Visit, given: shapes.NewOutcome) -> shapes.Outcome:
    """Keep what became known later of where a parcel came from."""
    return _kept(shapes.Outcome, tell_outcome(visit.work, visit.path["id"], **given, actor=visit.who.actor))


@Endpoint("GET", "/v1/outcomes", "viewer", query=PAGING, reveals=True)
def index(visit: Visit) -> shapes.Outcomes:
    """Read how conclusions stood up where the origin became known."""
    found = cases(visit.work)
    return told(shapes.Outcomes, **summary(found), **listed(visit, [_shown(case) for case in found]))


def _kept(shape: type[Shape], entry: Entry) -> Shape:
    return told(shape, entry, comparison=f"/v1/comparisons/{entry.subject}", **entry.values)


def _shown(case: Case) -> shapes.OutcomeItem:
    return told(
        shapes.OutcomeItem,
        case.comparison,
        **case.outcome.values,
        comparison=f"/v1/comparisons/{case.comparison.id}",
        at=case.outcome.at,
        actor=case.outcome.actor,
        declaration_held=case.held,
        opinion=None if case.opinion is None else case.opinion.values["conclusion"],
    )
