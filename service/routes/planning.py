"""Zones and what is asked of them over HTTP: plans, the adequacy of references, pools, drift and several sorters."""

from __future__ import annotations

from kpfootprint.planning.drift import PER_SHIPMENTS
from service.clock import today
from service.door.endpoint import JSON, Answer, Body, Endpoint
from service.door.query import day, text, whole_number
from service.door.visit import Visit
from service.routes import shapes_of_planning as shapes
from service.routes.paging import PAGING, listed, told
from service.work.drift import drifted
from service.work.planning import judged, planned, pooled, sorted_again

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


@Endpoint(
    "GET",
    "/v1/zones",
    "viewer",
    query=(*PAGING, day("on", "Day whose status is told; today without it.")),
    answer=shapes.Zones,
)
def zones(visit: Visit) -> Answer:
    """List the zones and their status on a day."""
    on = visit.asked["on"] or today()
    table = visit.work.release().zone_table
    items = [told(shapes.ZoneItem, zone, status=table.status_on(zone.zone_id, on)) for zone in table.zones]
    return {"on": on.isoformat(), **listed(visit, items)}


@Endpoint("POST", "/v1/plan", "viewer", body=Body({JSON: shapes.Question}), answer=shapes.Plan, heavy=True)
def plan(visit: Visit) -> Answer:
    """Say how many stones, and how many reference parcels, it takes to find a share of undeclared goods."""
    return planned(visit.work, visit.given)


@Endpoint("GET", "/v1/zones/{id}/adequacy", "viewer", query=(ON,), answer=shapes.Adequacy, heavy=True)
def adequacy(visit: Visit) -> Answer:
    """Say whether the references of a zone are enough."""
    return judged(visit.work, visit.path["id"], **visit.asked)


@Endpoint(
    "POST", "/v1/pools", "viewer", body=Body({JSON: shapes.PoolQuestion}), answer=shapes.Pool, reveals=True, heavy=True
)
def pool(visit: Visit) -> Answer:
    """Weigh kept parcels as one claim."""
    return pooled(visit.work, **visit.given)


@Endpoint(
    "POST",
    "/v1/sorters",
    "viewer",
    body=Body({JSON: shapes.SortersQuestion}),
    answer=shapes.Sorters,
    reveals=True,
    heavy=True,
)
def sorters(visit: Visit) -> Answer:
    """Set several sorters' kept sheets of one parcel side by side."""
    return sorted_again(visit.work, **visit.given)


@Endpoint("GET", "/v1/drift", "viewer", query=SERIES, answer=shapes.Drift, reveals=True, heavy=True)
def drift(visit: Visit) -> Answer:
    """Say what changes over the shipments of an exporter or a zone."""
    return drifted(visit.work, **visit.asked)
