"""The questions of planning as they are asked and answered: plain JSON in, plain JSON out, for every door alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from kpfootprint.comparison.hypotheses import stone_shares
from kpfootprint.comparison.results import standing
from kpfootprint.errors import IngestError
from kpfootprint.flow import examinations_of
from kpfootprint.footprint import mean_stones
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.plain import decimals, plain, two_digits
from kpfootprint.planning.adequacy import Adequacy, adequacy
from kpfootprint.planning.detection import MOST_STONES, Plan, plan
from kpfootprint.planning.drift import PER_SHIPMENTS, Chart, Followed, follow, followed_in, independent
from kpfootprint.planning.pooling import Claim, claim_of, pool
from kpfootprint.planning.question import NON_COMPLIANT, NOWHERE, problem, read_question, read_zone
from kpfootprint.planning.sorters import labels_of, statement, synthetic_reference
from kpfootprint.reference import NOT_COVERED
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, rows_of
from kpfootprint.stats.shares import NONE_P

Json = dict[str, Any]

LEAST_DEVIATION = {"log10_lr": 0.3, "undeclared": 0.1, "value_per_carat": 0.1}
"""Shipments are never taken to agree better than that: a factor of two, a tenth of the stones, a tenth of the price."""
UNSURE = 1.5
"""A deviation seen in n differences is widened by this over n: short series have false alarms no more often for it."""
PLAIN = ("log10_lr", "undeclared")
"""Charts of numbers as they are; the others are of logarithms."""
WORTH = 0.02
"""A gain of this much, in true declarations called consistent or in Cllr, makes further parcels worth their while."""
FEW = 10
"""Fewer reference parcels of a zone than this tell little of it."""
SAYS = 0.3
"""A log10 LR nearer to 0 than this, a factor of two, says nothing."""
SORTERS_DIFFER = 0.02
"""Two sorters' counts of one parcel differ by no more than this part."""


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
    undeclared_open : float or None
        Standard deviation of the undeclared share that its report leaves open.
    conditions : mapping
        Sorter, screen and the like, for explaining a change.
    """

    at: str
    comparison: str
    log10_lr: float | None
    undeclared: float | None
    value_per_carat: float | None
    conditions: Mapping[str, Any]
    undeclared_open: float | None = None


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
    asked = read_question(question, release, on)
    ids = list(release.zone_ids)
    compliant = release.compliant_on(asked.day)
    allowed = compliant.copy()
    rows = [ids.index(zone) for zone in asked.declared]
    allowed[rows] = True
    against, cautions = asked.against, _not_compliant(asked.declared, compliant, release, asked.day)
    if against == NON_COMPLIANT and allowed.all():
        against = NOWHERE
        cautions.append(statement("none_non_compliant", on=asked.day.isoformat()))
    alternative = np.zeros(len(ids) + 1)
    if against == NOWHERE:
        alternative[-1] = 1.0
    elif against == NON_COMPLIANT:
        alternative[:-1] = (1.0 - release.unlisted_weight) * ~allowed / (~allowed).sum()
        alternative[-1] = release.unlisted_weight
    else:
        alternative[ids.index(against)] = 1.0
        allowed[ids.index(against)] = False
    usual = np.array([release.model.structure.edge_mean])  # screen of the reference
    mean_ct = mean_stones(release.model, usual, np.array([np.inf]))[0]
    weights = np.zeros(len(ids))
    weights[rows] = stone_shares(np.array([*asked.declared.values()]), mean_ct[rows])
    found = plan(release, weights, alternative, allowed=allowed, mean_ct=mean_ct, against=against, share=asked.share)
    return plan_json(found, release, asked.day, [*cautions, *synthetic_reference(release)])


def adequacy_answer(zone: str, release: Release, on: date) -> Json:
    """Answer whether the references of a zone are enough.

    Raises
    ------
    IngestError
        If there is no such zone, or no reference of it.
    """
    zone_id = read_zone(zone, release)
    compliant = release.compliant_on(on)
    cautions = _not_compliant([zone_id], compliant, release, on)
    n_parcels = int(release.model.n_reference[release.zone_ids.index(zone_id)])
    if n_parcels < FEW:
        cautions.append(statement("few_parcels", zone=zone_id, n_parcels=n_parcels))
    return adequacy_json(adequacy(release, zone_id, on), release, on, [*cautions, *synthetic_reference(release)])


def pool_answer(batch: Batch, release: Release, status_on: date) -> Json:
    """Answer what several parcels of one claim say together; a parcel that is there twice counts once.

    Parcels whose own reports could compare them with nothing are left out.

    Raises
    ------
    IngestError
        If parcels have no declaration that can be tested, or none of them can be compared with anything.
    """
    kept, pairs = counted_once(batch)
    repeated = [(batch.parcels[again], batch.parcels[first]) for again, first in pairs]
    batch = batch.take(kept)
    claim, batch, too_little = comparable(claim_of(batch, release, status_on), batch, release, status_on)
    found = pool(release, claim)
    cautions = [
        statement(
            "counted_once" if _paper_of(again) == _paper_of(first) else "declared_otherwise",
            parcel=again.parcel_id,
            first=first.parcel_id,
        )
        for again, first in repeated
    ]
    cautions += [statement("left_out_of_pool", parcel=parcel.parcel_id) for parcel in too_little]
    if len(batch) == 1:
        cautions.append(statement("one_parcel"))
    if len({tuple(row.tolist()) for row in claim.declared > 0}) > 1:
        cautions.append(statement("different_declarations"))
    papers = [_on_paper(parcel, release, status_on) for parcel in batch]
    if any(parcel.exported_on is None for parcel in batch):
        cautions.append(statement("no_export_date", status_on=status_on.isoformat()))
    stated = [(*pair, one["status_on"]) for one in papers for pair in zip(one["declared"], one["status"], strict=True)]
    for zone, status, day in dict.fromkeys(stated):
        if standing(status) == "not_compliant":
            cautions.append(statement("zone_not_compliant", zone=zone, status=status, day=day))
    lr = found.verification
    if lr.bound_hit is not None:
        cautions.append(statement("bound_hit", bound=lr.bound_hit, log10_lr=decimals(lr.log10_lr)))
    if not claim.outcomes.shares.determined.all():
        cautions.append(statement("share_undetermined"))
    share, found_p = found.mixture.undeclared_stone_fraction, found.mixture.p_value
    mixed = {"share": decimals(share.estimate), "low": decimals(share.low), "high": decimals(share.high)}
    says = "pool_for" if lr.log10_lr > SAYS else "pool_against" if lr.log10_lr < -SAYS else "pool_neither"
    return {
        "release": release.name,
        "left_out": [parcel.parcel_id for parcel in (*(again for again, _ in repeated), *too_little)],
        "parcels": papers,
        **plain(found),
        "statements": [
            *([statement("pool_mixed", **mixed, p_value=two_digits(found_p))] if found_p <= NONE_P else []),
            statement(says, times=two_digits(10 ** abs(lr.log10_lr))),
        ],
        "cautions": [*cautions, *synthetic_reference(release)],
    }


def comparable(
    claim: Claim, batch: Batch, release: Release, status_on: date
) -> tuple[Claim, Batch, tuple[Parcel, ...]]:
    """Return a claim and its parcels without those that can be compared with nothing, and these."""
    found = examinations_of(batch, release, status_on=status_on)
    rows = np.flatnonzero([one.attribution is not None for one in found])
    too_little = tuple(parcel for parcel, one in zip(batch, found, strict=True) if one.attribution is None)
    if rows.size == 0:
        told = {"table": "parcels", "column": "parcel_id"}
        raise IngestError([problem("cannot_be_compared", "invalid", **told, value=one.parcel_id) for one in too_little])
    return rows_of(claim, rows), batch.take(rows), too_little


def counted_once(batch: Batch) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Return the positions of parcels without those that a batch holds before, and pairs of (repeated, first).

    The same stones under another name are the same parcel, and so are several sorters' sheets of one: ``P/exporter``
    and ``P/ministry``, of as many stones and carats but for what sorters differ by.
    """
    kept: list[int] = []
    repeated: list[tuple[int, int]] = []
    by_goods: dict[object, int] = {}
    for position, parcel in enumerate(batch):
        goods = _goods_in(parcel)
        first = by_goods.get(goods)
        if first is None:
            first = next((at for at in kept if _sorted_again(batch.parcels[at], parcel)), None)
        if first is None:
            kept.append(position)
            by_goods[goods] = position
        else:
            repeated.append((position, first))
    return tuple(kept), tuple(repeated)


def _sorted_again(one: Parcel, other: Parcel) -> bool:
    names = [parcel.parcel_id.rpartition("/")[0] for parcel in (one, other)]
    if not names[0] or names[0] != names[1]:
        return False
    pairs = ((one.n_stones, other.n_stones), (one.carats, other.carats))
    return all(a is None or b is None or abs(a - b) <= SORTERS_DIFFER * max(a, b) for a, b in pairs)


def _goods_in(parcel: Parcel) -> object:
    """Return what a parcel holds, in an order of its own."""
    if parcel.stones is not None:
        stones, names = parcel.stones, sorted(parcel.stones.codes)
        columns = [np.rint(stones.weight_ct * 100), *(stones.codes[name] for name in names)]
        return (*names, np.sort(np.rec.fromarrays(columns)).tobytes())
    rows = [
        (item.attributes, tuple(codes), n)
        for item in parcel.breakdowns
        for codes, n in zip(item.codes.tolist(), item.n_stones.tolist(), strict=True)
    ]
    return (parcel.carats, parcel.sieve_set, tuple(sorted(rows)))


def _on_paper(parcel: Parcel, release: Release, status_on: date) -> Json:
    """Return what a parcel of a claim says of itself: zones or countries with their status on its day, and its size."""
    day = parcel.exported_on or status_on
    status = {item.zone_id: release.zone_table.status_on(item.zone_id, day) for item in parcel.declarations}
    declared = status | dict.fromkeys(item.country for item in parcel.countries)
    return {
        "parcel_id": parcel.parcel_id,
        "n_stones": parcel.n_stones or None,
        "carats": parcel.carats,
        "declared": list(declared),
        "status": list(declared.values()),
        "status_on": day.isoformat(),
    }


def _paper_of(parcel: Parcel) -> object:
    return {item.zone_id for item in parcel.declarations}, {item.country for item in parcel.countries}


def drift_answer(
    batch: Batch, shipments: Sequence[Shipment], release: Release, *, per_shipments: int = PER_SHIPMENTS
) -> Json:
    """Answer what changes over the shipments of an exporter or a zone, in the order of time.

    A parcel that was compared several times counts once.

    Parameters
    ----------
    batch : Batch of T parcels
        What was compared.
    shipments : sequence of Shipment, length T
        What the register knows of each.
    """
    kept, _ = counted_once(batch)
    batch = batch.take(kept)
    shipments = [shipments[position] for position in kept]
    of_goods, together = followed_in(batch, release) if kept else ((), np.zeros((0, 0)))
    charts = [*of_goods, *told_by(shipments)]
    correlation = np.eye(len(charts))
    correlation[: len(of_goods), : len(of_goods)] = together
    filled = [k for k, chart in enumerate(charts) if np.isfinite(chart.values).sum() >= 2]
    drawn = follow(
        [charts[k] for k in filled],
        per_shipments=per_shipments,
        n_independent=independent(correlation[np.ix_(filled, filled)], per_shipments),
    )
    return {
        "series": [_series_json(chart, shipments) for chart in drawn],
        "n_shipments": len(shipments),
        "false_alarm": {"per_points": per_shipments, "charts": len(drawn)},
        "labels": labels_of(release.scheme),
    }


def told_by(shipments: Sequence[Shipment]) -> list[Followed]:
    """Return charts of what the reports and the papers say.

    The deviation of a share is what its report leaves open; that of an LR or a value is that of the shipments
    themselves, of successive ones, which a lasting shift hardly widens.
    """
    out = []
    for name, least in LEAST_DEVIATION.items():
        values = np.array([np.nan if (v := getattr(s, name)) is None else float(v) for s in shipments])
        if name == "value_per_carat":
            values = np.log(np.where(values > 0, values, np.nan))
        known = np.isfinite(values)
        if known.sum() < 4:
            continue
        apart = float(np.abs(np.diff(values[known])).mean()) * np.sqrt(np.pi) / 2.0
        sd = np.full(values.size, max(apart * (1.0 + UNSURE / (known.sum() - 1)), least))
        if name == "undeclared":
            opened = np.array([np.nan if s.undeclared_open is None else s.undeclared_open for s in shipments])
            sd = np.where(np.isfinite(opened), np.maximum(opened, least), sd)
        out.append(Followed(name=name, values=values, sd=sd))
    return out


def _not_compliant(zones: Iterable[str], compliant: Bools, release: Release, day: date) -> list[Json]:
    """Return the cautions that zones were not compliant on a day, or not known to be, and are taken as if they were."""
    named = [zone for zone in zones if not compliant[release.zone_ids.index(zone)]]
    unknown = [zone for zone in named if release.zone_table.status_on(zone, day) == NOT_COVERED]
    told = {"taken_as_compliant": [zone for zone in named if zone not in unknown], "status_not_known": unknown}
    return [statement(code, zones=of, on=day.isoformat()) for code, of in told.items() if of]


def plan_json(found: Plan, release: Release, on: date, cautions: list[Json]) -> Json:
    """Return a plan as plain JSON, with what there is to say of it as codes and values."""
    values: Json = {"share": decimals(found.share), "against": found.against, "floor": decimals(found.floor)}
    values["most"] = decimals(found.detection[-1].chance)
    if not found.distinguishable:
        code, values["whole"] = "plan_not_distinguishable", decimals(found.whole)
    elif found.stones_needed is None and found.share < found.floor:
        code = "plan_never"
    elif found.stones_needed is None:
        code, values["n_stones"] = "plan_too_many", MOST_STONES
    else:
        code, values["n_stones"] = "plan_stones", _rounded_up(found.stones_needed)
    told = {name: value for name, value in plain(found).items() if name != "whole"}
    return {
        **told,
        "share": found.share,
        "on": on.isoformat(),
        "release": release.name,
        "stones_needed": None if found.stones_needed is None else _rounded_up(found.stones_needed),
        "distinguishable": found.distinguishable,
        "statements": [statement(code, **values)],
        "cautions": cautions,
    }


def _rounded_up(n: int) -> int:
    """Return a number of stones with two digits that count: more would promise too much."""
    unit = int(10 ** max(len(str(n)) - 2, 0))
    return -(-n // unit) * unit


def adequacy_json(found: Adequacy, release: Release, on: date, cautions: list[Json]) -> Json:
    """Return the adequacy of a zone as plain JSON, with what there is to say of it as codes and values."""
    said = {"statements": _adequacy_statements(found), "cautions": cautions}
    return {**plain(found), "on": on.isoformat(), "release": release.name, **said}


def _adequacy_statements(found: Adequacy) -> list[Json]:
    said = [statement("adequacy", n_parcels=found.n_parcels, zone=found.zone_id, share=decimals(found.true_consistent))]
    if found.hardest:
        worst = found.hardest[0]
        some, values = worst.chance_false_consistent > 0, {"hardest": worst.zone_id, "at_most": decimals(worst.high)}
        values |= {"passing": decimals(worst.chance_false_consistent)} if some else {"n_drawn": worst.n_drawn}
        said.append(statement("adequacy_hides" if some else "adequacy_none_passes", **values))
    first, *_, last = found.gain
    further = {"zone": found.zone_id, "extra_parcels": last.extra_parcels}
    if last.expected_chance - first.expected_chance >= WORTH:
        said.append(statement("adequacy_gain", **further, then=decimals(last.expected_chance)))
    elif first.expected_cllr - last.expected_cllr >= WORTH:
        cost = {"cllr": round(last.expected_cllr, 2), "cllr_now": round(first.expected_cllr, 2)}
        said.append(statement("adequacy_gain_lr", **further, **cost))
    else:
        said.append(statement("adequacy_no_gain", zone=found.zone_id, n_parcels=found.n_parcels))
    own = found.collect == found.zone_id
    said.append(statement("adequacy_collect_own" if own else "adequacy_collect", collect=found.collect))
    return said


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
                "comparison": shipments[signal.position].comparison,
                **statement(
                    "level_rose" if signal.shift > 0 else "level_fell",
                    series=name,
                    since=shipments[signal.since].at,
                    shift=round(signal.shift, 3),
                    **({} if name in PLAIN else {"times": float(f"{np.exp(signal.shift):.3g}")}),
                    changed=_changed(shipments, signal.since),
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
