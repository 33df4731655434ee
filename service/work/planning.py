"""What comes before a comparison and after many: plans, adequacy, parcels as one claim, drift, all at a glance."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from kpfootprint.comparison.results import ODD_WEIGHTS
from kpfootprint.conclusions import CONCLUSIONS
from kpfootprint.errors import Problem
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.planning.answers import Shipment, adequacy_answer, drift_answer, plan_answer, pool_answer, told_by
from kpfootprint.planning.drift import follow
from kpfootprint.planning.sorters import sorters_answer, sortings_of
from kpfootprint.release import Release
from kpfootprint.report.planned_sentences import worded
from service import Wording
from service.clock import today, written
from service.errors import Refused, existing, refusal_for
from service.register import submissions
from service.register.comparisons import Search, page_of, parcels_of, reports_of, sorted_by
from service.register.database import reading
from service.register.tables import FLAGGED, certificates, comparisons, declared_zones
from service.work.kept import cases, summary
from service.work.place import Workplace

MOST_EARLIER = 200
"""Earlier sheets from which the scale between sorters is learnt."""


def planned(work: Workplace, question: Mapping[str, Any], on: date | None = None, lang: str = "en") -> dict[str, Any]:
    """Say how many stones and references it takes to find a share."""
    release = work.release()
    return worded(plan_answer(question, release, on or today()), release.zone_table.names, lang)


def judged(work: Workplace, zone: str, on: date | None = None, lang: str = "en") -> dict[str, Any]:
    """Say whether the references of a zone are enough."""
    release = work.release()
    known = release.zone_table.names
    existing(zone in known, "There is no zone with this id.")
    return worded(work.said_once(adequacy_answer, zone, on or today()), known, lang)


def pooled(work: Workplace, comparisons: Sequence[str], lang: str = "en") -> dict[str, Any]:
    """Weigh kept parcels as one claim."""
    release = work.release()
    parcels = [parcel for parcel, _ in _kept(work, comparisons, release)]
    return worded(pool_answer(Batch(tuple(parcels)), release, today()), release.zone_table.names, lang)


def sorted_again(
    work: Workplace, comparisons: Sequence[str], history: Sequence[str] | None = None, lang: str = "en"
) -> dict[str, Any]:
    """Set several sorters' kept sheets of one parcel side by side.

    Parameters
    ----------
    history : sequence of str or None
        Comparisons that tell how these sorters usually differ; None for the newest that the register has of them.
    """
    release = work.release()
    kept = _kept(work, comparisons, release)
    sortings = sortings_of(Batch(tuple(parcel for parcel, _ in kept)))
    if history is None:
        history = sorted_by(work.engine, [one.sorter for one in sortings], limit=MOST_EARLIER)
    earlier = sortings_of(Batch(tuple(parcel for parcel, _ in _kept(work, history, release))))
    answer = sorters_answer(sortings, [report for _, report in kept], earlier, release)
    return worded(answer, release.zone_table.names, lang)


def _kept(work: Workplace, ids: Sequence[str], release: Release) -> list[tuple[Parcel, dict[str, Any]]]:
    """Return kept parcels with their reports; every id that is not there, or there twice, is a problem."""
    found: list[tuple[Parcel, dict[str, Any]]] = []
    problems: list[Problem] = []
    with reading(work.engine) as connection:
        documents, reports = parcels_of(connection, ids), reports_of(connection, ids)
    for row, comparison_id in enumerate(ids, 1):
        twice, value = comparison_id in ids[: row - 1], comparison_id[:80]
        if twice or comparison_id not in documents:
            told: dict[str, Any] = {
                "table": "pool",
                "row": row,
                "column": "comparisons",
                "value": value,
                "code": "invalid",
            }
            problems.append(Problem(**told, reason=TWICE if twice else UNKNOWN))
            continue
        document = json.loads(documents[comparison_id])
        read_back = ingest_json(document, release.scheme, release.zone_table, sealed=True)
        found.append((read_back, json.loads(reports[comparison_id])))
    if problems:
        raise refusal_for(problems)
    return found


MOST_SHIPMENTS = 300
"""Of a series: the newest ones."""
UNKNOWN: Wording = "there is no comparison with this id"
TWICE: Wording = "this comparison was given before"
UNNAMED: Wording = "Name an exporter, a zone or both."
UNFIT = {"small_parcel", *ODD_WEIGHTS}
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
        problem = Problem(table="query", column="exporter", code="missing", reason=UNNAMED)
        raise Refused("invalid_input", UNNAMED, problems=(problem,))
    release, zone = work.release(), work.origin(zone)
    found, _ = page_of(
        work.engine, before=None, limit=MOST_SHIPMENTS, search=Search(exporter=exporter, zone=zone, sort="-created_at")
    )
    with reading(work.engine) as connection:
        ids = [entry.id for entry in found]
        documents, reports = parcels_of(connection, ids), reports_of(connection, ids)
    followed: list[tuple[Parcel, Shipment]] = []
    for entry in reversed(found):
        document, content = json.loads(documents[entry.id]), json.loads(reports[entry.id])
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
    months: dict[tuple[str, str], list[Any]] = {}
    shipped: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    flagged = 0
    with reading(work.engine) as connection:
        for row in connection.execute(_counted()):
            if row.month is not None:
                months.setdefault((row.month, row.zone_id), []).append(row)
            elif row.conclusion is None:
                flagged = int(row.n_parcels)
            else:
                counts[row.conclusion] += int(row.n_parcels)
                if row.exporter is not None:
                    shipped[row.exporter] += int(row.n_parcels)
        exporters = dict(sorted(shipped.items(), key=lambda item: (-item[1], item[0]))[:MOST_EXPORTERS])
        lrs = {name: _newest_lrs(connection, name) for name in exporters}
        reported = connection.scalar(sa.select(sa.func.count()).select_from(certificates)) or 0
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
        flagged=flagged,
        outcomes=summary(cases(work)),
    )


def _counted() -> sa.CompoundSelect[Any]:
    """Return the question that counts the newest of each parcel: by month and zone, by exporter, and those with flags.

    It reads the indexes alone, and what is newest once: most of a comparison is its report.
    """
    table, again, zone = comparisons.c, comparisons.alias("again"), declared_zones.c
    same = [again.c[name].is_not_distinct_from(table[name]) for name in ("n_stones", "carats")]
    later = sa.select(again.c.position).where(
        again.c.parcel_id == table.parcel_id, *same, again.c.position > table.position
    )
    shown = (table.position, table.created_at, table.conclusion, table.exporter, table.n_stones, table.carats)
    newest = sa.select(*shown).where(~later.exists()).cte("newest")
    new = newest.c
    month = sa.func.substr(sa.cast(new.created_at, sa.String), 1, 7)
    conclusion = sa.func.coalesce(new.conclusion, NONE)
    of_zone = sa.func.coalesce(zone.carats, new.carats)
    sums = [sa.func.coalesce(sa.func.sum(one), 0.0) for one in (new.n_stones, of_zone)]
    nothing = (sa.null(), sa.null())
    by_zone = sa.select(
        *(month.label("month"), zone.zone_id, sa.null().label("exporter"), conclusion.label("conclusion")),
        *(sa.func.count().label("n_parcels"), sums[0].label("n_stones"), sums[1].label("carats")),
    ).join_from(newest, declared_zones, zone.position == new.position)
    by_exporter = sa.select(*nothing, new.exporter, conclusion.label("conclusion"), sa.func.count(), *nothing)
    known, key = certificates.c, table.certificate_key
    reported = sa.select(table.position).join(certificates, (known.certificate_key == key) & (key != ""))
    flagged = sa.select(table.position).where(FLAGGED).union(reported)
    with_flags = sa.select(*nothing, *nothing, sa.func.count(), *nothing).where(new.position.in_(flagged))
    return sa.union_all(
        by_zone.group_by("month", zone.zone_id, "conclusion"),
        by_exporter.group_by(new.exporter, "conclusion"),
        with_flags.select_from(newest),
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
