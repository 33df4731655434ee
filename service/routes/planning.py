"""Zones and what is asked of them over HTTP: plans, the adequacy of references, pools, drift and several sorters."""

from __future__ import annotations

from kpfootprint.planning.drift import PER_SHIPMENTS
from service.clock import today
from service.door.endpoint import Answer, Endpoint, Visit
from service.door.query import day, text, whole_number
from service.routes import shapes_of_planning as shapes
from service.routes.paging import PAGING, listed, told
from service.work.planning import drifted, judged, planned, pooled, sorted_again

ON = day("on", "Day whose status of zones counts; today without it.")
SERIES = (
    text("exporter", "Shipments of this exporter."),
    text("zone", "Shipments that declare this zone."),
    whole_number(
        "per_points",
        "Shipments to one false alarm over all charts together.",
        minimum=2,
        maximum=100_000,
        default=PER_SHIPMENTS,
    ),
)


@Endpoint("GET", "/v1/zones", "viewer", query=(*PAGING, ON), answer=shapes.Zones)
def zones(visit: Visit) -> Answer:
    """List the zones and their status on a day."""
    on = visit.asked["on"] or today()
    table = visit.work.release().zone_table
    items = [told(shapes.ZoneItem, zone, status=table.status_on(zone.zone_id, on)) for zone in table.zones]
    return told(shapes.Zones, on=on.isoformat(), **listed(visit, items))


@Endpoint("POST", "/v1/plan", "viewer", answer=shapes.Plan, heavy=True)
def plan(visit: Visit, given: shapes.Question) -> Answer:
    """Say how many stones, and how many reference parcels, it takes to find a share of undeclared goods."""
    return told(shapes.Plan, **planned(visit.work, given))


@Endpoint("GET", "/v1/zones/{id}/adequacy", "viewer", query=(ON,), answer=shapes.Adequacy, heavy=True)
def adequacy(visit: Visit) -> Answer:
    """Say whether the references of a zone are enough."""
    return told(shapes.Adequacy, **judged(visit.work, visit.path["id"], **visit.asked))


@Endpoint("POST", "/v1/pools", "viewer", answer=shapes.Pool, reveals=True, heavy=True)
def pool(visit: Visit, given: shapes.PoolQuestion) -> Answer:
    """Weigh kept parcels as one claim."""
    return told(shapes.Pool, **pooled(visit.work, **given))


@Endpoint("POST", "/v1/sorters", "viewer", reveals=True, heavy=True)
def sorters(visit: Visit, given: shapes.SortersQuestion) -> shapes.Sorters:
    """Set several sorters' kept sheets of one parcel side by side."""
    return told(shapes.Sorters, **sorted_again(visit.work, **given))


@Endpoint("GET", "/v1/drift", "viewer", query=SERIES, reveals=True, heavy=True)
def drift(visit: Visit) -> shapes.Drift:
    """Say what changes over the shipments of an exporter or a zone."""
    return told(shapes.Drift, **drifted(visit.work, **visit.asked))
