"""The questions of planning as they are asked and answered: plain JSON in, plain JSON out, for every door alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import IngestError, Problem
from kpfootprint.footprint import mean_stones
from kpfootprint.parcel import Batch
from kpfootprint.planning.adequacy import Adequacy, adequacy
from kpfootprint.planning.detection import Plan, plan, stones_of
from kpfootprint.planning.drift import PER_SHIPMENTS, Chart, Followed, follow
from kpfootprint.planning.parcels import claim_of, followed_in
from kpfootprint.planning.pooling import Pooled, pool
from kpfootprint.planning.trials import Goods, draw_goods
from kpfootprint.release import Release

Floats = NDArray[np.float64]
Json = dict[str, Any]

NON_COMPLIANT, NOWHERE = "non_compliant", "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """What the register knows of one comparison, for its charts.

    Parameters
    ----------
    at : str
        Moment, ISO 8601.
    comparison : str
        Where it is kept.
    log10_lr, undeclared, value_per_carat : float or None
        Of its report and of its paper.
    conditions : mapping
        Sorter, screen and the like, for explaining a change.
    """

    at: str
    comparison: str
    log10_lr: float | None
    undeclared: float | None
    value_per_carat: float | None
    conditions: Mapping[str, Any]


def plan_answer(question: Mapping[str, Any], release: Release, on: date) -> Json:
    """Answer ``{declared, against, share}``: the chance to find the share, by stones and by reference parcels.

    Parameters
    ----------
    question : mapping
        `declared`: zones, as ids, as ``{"zone_id", "carats"}`` or as a mapping of ids to carats; `against`: a zone,
        ``non_compliant`` (the default) or ``nowhere``; `share`: of stones, 0.2 where left out; `on`: an ISO date.
    on : date
        Day whose status of zones counts where the question names none.

    Raises
    ------
    IngestError
        If the question cannot be understood; every problem at once.
    """
    problems: list[Problem] = []
    unknown = sorted(set(question) - {"declared", "declarations", "against", "share", "on"})
    problems += [_problem(name, question[name], "unknown_member", "there is no such member") for name in unknown]
    day = _day(question.get("on"), on, problems)
    declared = _declared(question, release, problems)
    against = str(question.get("against") or NON_COMPLIANT)
    share = question.get("share", 0.2)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        problems.append(_problem("share", share, "out_of_range", "a share of stones above 0 and up to 1 is needed"))
    zone = None if against in {NON_COMPLIANT, NOWHERE} else _zone(against, release, "against", problems)
    if problems:
        raise IngestError(problems)
    ids = list(release.zone_ids)
    allowed = np.array([release.zone_table.status_on(z, day) == "compliant" for z in ids])
    allowed[[ids.index(z) for z in declared]] = True
    alternative = np.zeros(len(ids) + 1)
    if zone is not None:
        alternative[ids.index(zone)] = 1.0
        allowed[ids.index(zone)] = False
        if zone in declared:
            raise IngestError([_problem("against", against, "declared_too", "this zone is declared itself")])
    elif against == NOWHERE or allowed.all():
        alternative[-1] = 1.0
    else:
        alternative[:-1] = (1.0 - release.unlisted_weight) * ~allowed / (~allowed).sum()
        alternative[-1] = release.unlisted_weight
    mean_ct = _mean_ct(release)
    weights = np.zeros(len(ids))
    rows = [ids.index(z) for z in declared]
    weights[rows] = stones_of(list(declared.values()), mean_ct[rows])
    found = plan(
        release,
        weights,
        alternative,
        allowed=allowed,
        mean_ct=mean_ct,
        against=zone or against,
        share=float(share),
    )
    return _plan_json(found, release, day)


def adequacy_answer(zone: str, release: Release, on: date) -> Json:
    """Answer whether the references of a zone are enough.

    Raises
    ------
    IngestError
        If there is no such zone, or no reference of it.
    """
    problems: list[Problem] = []
    zone_id = _zone(zone, release, "zone_id", problems)
    if problems:
        raise IngestError(problems)
    compliant = np.array([release.zone_table.status_on(z, on) == "compliant" for z in release.zone_ids])
    return _adequacy_json(adequacy(release, zone_id, compliant), release, on)


def pool_answer(batch: Batch, release: Release, status_on: date) -> Json:
    """Answer what several parcels of one claim say together.

    Raises
    ------
    InvalidParcel
        If a parcel has no declaration that can be tested.
    """
    claim = claim_of(batch, release, status_on)
    found = pool(release, claim)
    cautions = []
    if len(batch) == 1:
        cautions.append(_statement("one_parcel", {}))
    if len({tuple(row.tolist()) for row in claim.declared > 0}) > 1:
        cautions.append(_statement("different_declarations", {}))
    if found.bound_hit is not None:
        cautions.append(_statement("bound_hit", {"bound": found.bound_hit, "log10_lr": round(found.log10_lr, 3)}))
    return _pool_json(found, batch, [*cautions, *_synthetic(release)])


def drift_answer(
    batch: Batch, shipments: Sequence[Shipment], release: Release, *, per_shipments: int = PER_SHIPMENTS
) -> Json:
    """Answer what changes over the shipments of an exporter or a zone, in the order of time.

    Parameters
    ----------
    batch : Batch of T parcels
        What was compared.
    shipments : sequence of Shipment, length T
        What the register knows of each.
    """
    charts = [*followed_in(batch, release), *_told(shipments)]
    filled = [chart for chart in charts if np.isfinite(chart.values).sum() >= 2]
    drawn = follow(filled, per_shipments=per_shipments)
    return {
        "series": [_series_json(chart, shipments) for chart in drawn],
        "false_alarm": {"per_points": per_shipments, "charts": len(drawn)},
    }


def _told(shipments: Sequence[Shipment]) -> list[Followed]:
    """Return charts of what the reports and the papers say; their deviation is that of the shipments themselves."""
    out = []
    for name in ("log10_lr", "undeclared", "value_per_carat"):
        values = np.array([np.nan if (v := getattr(s, name)) is None else float(v) for s in shipments])
        if name == "value_per_carat":
            values = np.log(np.where(values > 0, values, np.nan))
        known = values[np.isfinite(values)]
        if known.size >= 4:
            # successive differences: a lasting shift hardly widens them
            sd = float(np.median(np.abs(np.diff(known))) / (np.sqrt(2.0) * 0.6745))
            out.append(Followed(name=name, values=values, sd=np.full(values.size, max(sd, 0.02))))
    return out


def _mean_ct(release: Release) -> Floats:
    """Return the mean stone (Z,) of each zone, in carats, through the reference's usual screen."""
    z = len(release.zone_ids)
    goods = Goods(shares=np.eye(z, z + 1)[:1], n_stones=np.array([1]), sorter=np.array([-1]))
    arrays = draw_goods(release.model, goods, np.random.default_rng(0))
    out: Floats = mean_stones(arrays, release.model)[0]
    return out


def _problem(column: str, value: object, code: str, reason: str) -> Problem:
    return Problem(table="question", column=column, value=str(value)[:80], code=code, reason=reason)


def _statement(code: str, values: Json) -> Json:
    return {"code": code, "values": values}


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return "".join(c for c in plain if c.isalnum())


def _zone(text: str, release: Release, column: str, problems: list[Problem]) -> str:
    """Return the id of a zone with reference parcels, by id or name."""
    known = {_folded(name): zone.zone_id for zone in release.zone_table.zones for name in (zone.name, zone.zone_id)}
    zone_id = known.get(_folded(text))
    if zone_id is None:
        reason = f"there is no such zone; there are: {', '.join(z.zone_id for z in release.zone_table.zones)}"
        problems.append(_problem(column, text, "unknown_zone", reason))
        return ""
    if zone_id not in release.zone_ids:
        reason = f"the reference has no parcel of this zone; it has of: {', '.join(release.zone_ids)}"
        problems.append(_problem(column, text, "zone_without_reference", reason))
        return ""
    return zone_id


def _declared(question: Mapping[str, Any], release: Release, problems: list[Problem]) -> dict[str, float]:
    given = question.get("declared", question.get("declarations"))
    if isinstance(given, Mapping):
        given = [{"zone_id": zone, "carats": carats} for zone, carats in given.items()]
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list | tuple) or not given:
        problems.append(_problem("declared", given, "missing_value", "one declared zone or more is needed"))
        return {}
    out: dict[str, float] = {}
    for item in given:
        zone, carats = (
            (item, None)
            if isinstance(item, str)
            else (item.get("zone_id"), item.get("carats"))
            if isinstance(item, Mapping)
            else (None, None)
        )
        if not isinstance(zone, str):
            problems.append(_problem("declared", item, "wrong_type", "a zone, or its zone_id with carats, is needed"))
            continue
        if carats is None and len(given) > 1:
            problems.append(_problem("declared", zone, "declared_without_carats", "each of several zones needs carats"))
            continue
        if carats is not None and (isinstance(carats, bool) or not isinstance(carats, int | float) or carats <= 0):
            problems.append(_problem("declared", carats, "out_of_range", "carats above 0 are needed"))
            continue
        zone_id = _zone(zone, release, "declared", problems)
        out[zone_id] = out.get(zone_id, 0.0) + float(carats or 1.0)
    return out


def _day(given: object, on: date, problems: list[Problem]) -> date:
    if given is None:
        return on
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        problems.append(_problem("on", given, "not_a_date", "a day as 2025-03-31 is needed"))
        return on


def _synthetic(release: Release) -> list[Json]:
    """Return the caution that the reference is invented, where it is."""
    reference = release.manifest["reference"]
    return [_statement("synthetic_reference", {"reference": reference["name"]})] if reference["synthetic"] else []


def _fraction(value: float) -> float:
    return round(value, 3)


def _plan_json(found: Plan, release: Release, on: date) -> Json:
    values: Json = {"share": _fraction(found.share), "against": found.against, "floor": _fraction(found.floor)}
    if not found.distinguishable:
        code = "plan_not_distinguishable"
    elif found.stones_needed is None:
        code, values["most"] = "plan_never", _fraction(found.detection[-1].chance)
    else:
        code, values["n_stones"] = "plan_stones", _rounded_up(found.stones_needed)
    return {
        "declared": [{"zone_id": zone, "stone_share": _fraction(share)} for zone, share in found.declared],
        "against": found.against,
        "share": found.share,
        "on": on.isoformat(),
        "release": release.name,
        "detection": [
            {
                "n_stones": one.n_stones,
                "carats": round(one.carats, 1),
                "chance": _fraction(one.chance),
                "low": _fraction(one.low),
                "high": _fraction(one.high),
            }
            for one in found.detection
        ],
        "stones_needed": None if found.stones_needed is None else _rounded_up(found.stones_needed),
        "floor": _fraction(found.floor),
        "distinguishable": found.distinguishable,
        "references": [
            {"extra_parcels": one.extra_parcels, "n_stones": one.n_stones, "chance": _fraction(one.chance)}
            for one in found.references
        ],
        "statement": _statement(code, values),
        "cautions": _synthetic(release),
    }


def _rounded_up(n: int) -> int:
    """Return a number of stones with two digits that count: more would promise too much."""
    unit = int(10 ** max(len(str(n)) - 2, 0))
    return -(-n // unit) * unit


def _adequacy_json(found: Adequacy, release: Release, on: date) -> Json:
    hardest = found.hardest[0] if found.hardest else None
    last = found.gain[-1]
    return {
        "zone_id": found.zone_id,
        "on": on.isoformat(),
        "release": release.name,
        "n_stones": found.n_stones,
        "n_parcels": found.n_parcels,
        "effective_parcels": round(found.effective_parcels, 1),
        "true_consistent": _fraction(found.true_consistent),
        "true_queried": _fraction(found.true_queried),
        "nowhere_consistent": _fraction(found.nowhere_consistent),
        "hardest": [
            {
                "zone_id": item.zone_id,
                "chance_false_consistent": _fraction(item.chance_false_consistent),
                "distance": round(item.distance, 2),
                "n_drawn": item.n_drawn,
                "compliant": item.compliant,
            }
            for item in found.hardest
        ],
        "gain": [
            {
                "extra_parcels": item.extra_parcels,
                "expected_cllr": _fraction(item.expected_cllr),
                "expected_chance": _fraction(item.expected_chance),
            }
            for item in found.gain
        ],
        "collect": found.collect,
        "statement": _statement(
            "adequacy" if hardest is not None else "adequacy_alone",
            {
                "zone": found.zone_id,
                "n_parcels": found.n_parcels,
                "share": _fraction(found.true_consistent),
                "hardest": None if hardest is None else hardest.zone_id,
                "passing": None if hardest is None else _fraction(hardest.chance_false_consistent),
                "extra_parcels": last.extra_parcels,
                "then": _fraction(last.expected_chance),
                "collect": found.collect,
            },
        ),
        "cautions": _synthetic(release),
    }


def _pool_json(found: Pooled, batch: Batch, cautions: list[Json]) -> Json:
    share, low, high = found.undeclared
    return {
        "n_parcels": found.n_parcels,
        "parcels": [{"parcel_id": parcel.parcel_id, "n_stones": parcel.n_stones} for parcel in batch],
        "verification": {
            "log10_lr": round(found.log10_lr, 3),
            "low": round(found.low, 3),
            "high": round(found.high, 3),
            "level": 0.9,
            "log10_lr_if_independent": round(found.log10_lr_if_independent, 3),
            "dependence": _fraction(found.dependence),
            "bound_hit": found.bound_hit,
        },
        "mixture": {
            "undeclared_stone_fraction": {
                "estimate": _fraction(share),
                "low": _fraction(low),
                "high": _fraction(high),
                "level": 0.9,
            },
            "p_value": float(f"{found.p_value:.2g}"),
        },
        "cautions": cautions,
    }


def _series_json(chart: Chart, shipments: Sequence[Shipment]) -> Json:
    name = chart.followed.name
    known = np.flatnonzero(np.isfinite(chart.followed.values)).tolist()
    return {
        "name": name,
        "points": [
            {
                "at": shipments[t].at,
                "comparison": shipments[t].comparison,
                "value": round(float(chart.followed.values[t]), 4),
                "lower": round(float(chart.lower[t]), 4),
                "upper": round(float(chart.upper[t]), 4),
            }
            for t in known
        ],
        "centre": round(chart.centre, 4),
        "lower": round(float(np.median(chart.lower[known])), 4),
        "upper": round(float(np.median(chart.upper[known])), 4),
        "signals": [
            {
                "at": shipments[signal.position].at,
                **_statement(
                    "level_rose" if signal.shift > 0 else "level_fell",
                    {
                        "series": name,
                        "since": shipments[signal.since].at,
                        "shift": round(signal.shift, 3),
                        "changed": _changed(shipments, signal.since),
                    },
                ),
            }
            for signal in chart.signals
        ],
    }


def _changed(shipments: Sequence[Shipment], since: int) -> list[str]:
    """Return the conditions that changed with the shipment from which a level moved."""
    if since == 0:
        return []
    before, after = shipments[since - 1].conditions, shipments[since].conditions
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
