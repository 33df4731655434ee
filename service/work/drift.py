"""What changes from shipment to shipment of an exporter or a zone, read from the register."""

from __future__ import annotations

import json
from typing import Any

from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.planning.answers import Shipment, drift_answer
from kpfootprint.report.planned import worded
from service.clock import written
from service.errors import Refused
from service.register.comparisons import Search, page_of, parcels_of, reports_of
from service.register.database import reading
from service.work.place import Workplace

MOST_SHIPMENTS = 300
"""Of a series: the newest ones."""
UNFIT = {"small_parcel", "weights_too_large", "weights_too_small"}
"""Cautions of parcels that no chart follows: too few stones, or a doubtful unit of weight, change everything."""
SPANNED = 3.29
"""Standard deviations that an interval at 90 % spans."""


def drifted(
    work: Workplace, *, exporter: str | None, zone: str | None, per_points: int, lang: str = "en"
) -> dict[str, Any]:
    """Follow the shipments of an exporter, of a declared zone, or of both at once, in the order of their export.

    A shipment without a day of export stands at the moment when it was compared.

    Raises
    ------
    Refused
        ``invalid_input`` where neither is named.
    """
    if exporter is None and zone is None:
        raise Refused("invalid_input", "Name an exporter, a zone or both.")
    release = work.release()
    found, _ = page_of(
        work.engine, before=None, limit=MOST_SHIPMENTS, search=Search(exporter=exporter, zone=zone, sort="-created_at")
    )
    with reading(work.engine) as connection:
        ids = [entry.id for entry in found]
        documents, reports = parcels_of(connection, ids), reports_of(connection, ids)
    followed: list[tuple[Parcel, Shipment]] = []
    for entry in reversed(found):
        document, content = documents[entry.id], json.loads(reports[entry.id])
        if not UNFIT.isdisjoint(caution["code"] for caution in content.get("cautions", ())):
            continue
        day = document.get("exported_on")
        mixture, carats = content["mixture"], content["parcel"]["carats"]
        share = None if mixture is None else mixture["undeclared_stone_fraction"]
        value = document.get("value_usd")
        followed.append(
            (
                ingest_json(document, release.scheme, release.zone_table, sealed=True),
                Shipment(
                    at=written(entry.created_at) if day is None else f"{day}T00:00:00Z",
                    comparison=f"/v1/comparisons/{entry.id}",
                    log10_lr=entry.log10_lr,
                    undeclared=None if share is None else share["estimate"],
                    undeclared_open=None if share is None else (share["high"] - share["low"]) / SPANNED,
                    value_per_carat=None if not value or not carats else value / carats,
                    conditions=document.get("conditions") or {},
                ),
            )
        )
    followed.sort(key=lambda pair: pair[1].at)
    batch, shipments = Batch(tuple(parcel for parcel, _ in followed)), [shipment for _, shipment in followed]
    answer = drift_answer(batch, shipments, release, per_shipments=per_points)
    return worded({"exporter": exporter, "zone_id": zone, **answer}, release.zone_table.names, lang)
