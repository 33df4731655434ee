"""What the register holds at a glance: shipments by zone and month, conclusions, clocks, certificates, experts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from kpfootprint.conclusions import CONCLUSIONS
from kpfootprint.planning.answers import Shipment, told_by
from kpfootprint.planning.drift import follow
from service.register import submissions
from service.register.database import reading
from service.register.tables import certificates, comparisons, declared_zones
from service.work.outcomes import cases, summary
from service.work.place import Workplace
from service.work.planning import MOST_SHIPMENTS

MOST_EXPORTERS = 20
NONE = "none"
"""Stands for a comparison that concluded nothing, since nothing was declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOfZone:
    """Parcels of one declared zone by the month of their last comparison; a blend counts under each of its zones."""

    month: str
    zone_id: str
    n_parcels: int
    n_stones: int
    carats: float
    conclusions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """An exporter with the number of parcels, and the day from which their LRs are higher or lower, if they are."""

    name: str
    n_parcels: int
    since: date | None
    rose: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """The register at a glance; `outcomes` of cases whose origin became known."""

    months: tuple[MonthOfZone, ...]
    exporters: tuple[Exporter, ...]
    conclusions: Mapping[str, int]
    undecided: int
    overdue: int
    reported_certificates: int
    flagged: int
    outcomes: Mapping[str, Any]


def dashboard(work: Workplace) -> Dashboard:
    """Count the parcels of the register, the newest month first: one that was compared again as it was last."""
    table, zones = comparisons.c, declared_zones.c
    last = sa.select(sa.func.max(table.position).label("position"))
    newest = last.group_by(table.parcel_id, table.n_stones, table.carats).cte("newest")
    counted = table.position.in_(sa.select(newest.c.position))
    month = sa.func.substr(sa.cast(table.created_at, sa.String), 1, 7)
    conclusion = sa.func.coalesce(table.conclusion, NONE)
    by_zone = (
        sa.select(
            month.label("month"),
            zones.zone_id,
            sa.null().label("exporter"),
            conclusion.label("conclusion"),
            sa.func.count().label("n_parcels"),
            sa.func.coalesce(sa.func.sum(table.n_stones), 0).label("n_stones"),
            sa.func.coalesce(sa.func.sum(sa.func.coalesce(zones.carats, table.carats)), 0.0).label("carats"),
        )
        .select_from(comparisons.join(declared_zones, zones.position == table.position))
        .where(counted)
        .group_by("month", zones.zone_id, "conclusion")
    )
    by_exporter = (
        sa.select(
            sa.null(),
            sa.null(),
            table.exporter,
            conclusion.label("conclusion"),
            sa.func.count(),
            sa.literal(0),
            sa.literal(0.0),
        )
        .where(counted)
        .group_by(table.exporter, "conclusion")
    )
    months: dict[tuple[str, str], list[Any]] = {}
    shipped: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    with reading(work.engine) as connection:
        for row in connection.execute(by_zone.union_all(by_exporter)):  # in one pass over the newest of each parcel
            if row.month is not None:
                months.setdefault((row.month, row.zone_id), []).append(row)
                continue
            counts[row.conclusion] += int(row.n_parcels)
            if row.exporter is not None:
                shipped[row.exporter] += int(row.n_parcels)
        exporters = dict(sorted(shipped.items(), key=lambda item: (-item[1], item[0]))[:MOST_EXPORTERS])
        lrs = {name: _newest_lrs(connection, name) for name in exporters}
        reported = connection.scalar(sa.select(sa.func.count()).select_from(certificates)) or 0
        with_flags = sa.select(sa.func.count()).select_from(comparisons).where(table.flags.not_in(("", "[]")))
        flagged = connection.scalar(with_flags) or 0
    undecided, overdue = submissions.clocks(work.engine)
    return Dashboard(
        months=tuple(
            MonthOfZone(
                month=key[0],
                zone_id=key[1],
                n_parcels=sum(int(row.n_parcels) for row in found),
                n_stones=sum(int(row.n_stones) for row in found),
                carats=round(sum(float(row.carats) for row in found), 2),
                conclusions={row.conclusion: int(row.n_parcels) for row in found},
            )
            for key, found in sorted(months.items(), key=lambda item: (-_number(item[0][0]), item[0][1]))
        ),
        exporters=followed(exporters, lrs),
        conclusions={name: counts[name] for name in (*CONCLUSIONS, NONE)},
        undecided=undecided,
        overdue=overdue,
        reported_certificates=int(reported),
        flagged=int(flagged),
        outcomes=summary(cases(work)),
    )


def _newest_lrs(connection: sa.Connection, exporter: str) -> list[tuple[date, float]]:
    """Return days of export of an exporter's newest parcels, of comparison where none is given, and their LRs."""
    table = comparisons.c
    of = sa.select(table.created_at, table.exported_on, table.log10_lr)
    of = of.where(table.exporter == exporter, table.log10_lr.is_not(None))
    rows = connection.execute(of.order_by(table.created_at.desc(), table.position.desc()).limit(MOST_SHIPMENTS)).all()
    found = [
        (date.fromisoformat(row.exported_on) if row.exported_on else row.created_at.date(), float(row.log10_lr))
        for row in reversed(rows)
    ]
    return sorted(found, key=lambda one: one[0])


def followed(exporters: Mapping[str, int], lrs: Mapping[str, list[tuple[date, float]]]) -> tuple[Exporter, ...]:
    """Draw a control chart of the LRs of each exporter, with one rate of false alarms over all of them together."""
    charts = {name: chart for name, series in lrs.items() for chart in told_by([_of_lr(value) for _, value in series])}
    last = {
        name: chart.signals[-1]
        for name, chart in zip(charts, follow(list(charts.values())), strict=True)
        if chart.signals
    }
    return tuple(
        Exporter(
            name=name,
            n_parcels=n_parcels,
            since=lrs[name][last[name].since][0] if name in last else None,
            rose=name in last and last[name].shift > 0,
        )
        for name, n_parcels in exporters.items()
    )


def _of_lr(value: float) -> Shipment:
    return Shipment(at="", comparison="", log10_lr=value, undeclared=None, value_per_carat=None, conditions={})


def _number(month: str) -> int:
    return int(month.replace("-", ""))
