"""Several sorters, one parcel: how far their sheets agree, what that does to the conclusion, and their usual scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from kpfootprint.errors import IngestError
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.planning.question import problem
from kpfootprint.release import Release
from kpfootprint.scheme import Scheme, SieveSet
from kpfootprint.stats.arrays import Floats, Ints
from kpfootprint.stats.sorters import Scale, as_second, as_usual, in_common, learn_scale

Json = dict[str, Any]
Counts = dict[str, float]

TOTALS_APART = 0.02
"""Sheets whose stones or carats differ by a larger part may not be of one parcel."""
UNUSUAL_P = 0.05
LR_APART = 0.3
"""log10 LRs that lie nearer together than this, a factor of two, differ in nothing that matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorting:
    """A parcel as one sorter saw it."""

    goods: str
    sorter: str
    parcel: Parcel


def sortings_of(batch: Batch) -> tuple[Sorting, ...]:
    """Return who sorted what: ``GOODS/SORTER`` is the sorting of some goods; otherwise the stated sorter's."""
    out = []
    for parcel in batch:
        goods, _, sorter = parcel.parcel_id.rpartition("/")
        if not goods:
            goods, sorter = parcel.parcel_id, parcel.conditions.sorter or parcel.parcel_id
        out.append(Sorting(goods=goods, sorter=sorter, parcel=parcel))
    return tuple(out)


def class_counts(parcel: Parcel, scheme: Scheme, sieve_set: SieveSet) -> dict[str, Counts]:
    """Return stones by class of each attribute that a parcel records and whose stones were counted.

    Sizes are left out where a sheet has them in other classes than those of `sieve_set`.
    """
    names = {scheme.size.name: sieve_set.classes} if sieve_set_of(parcel, scheme) == sieve_set else {}
    names |= {attribute.name: attribute.code_names for attribute in scheme.categorical}
    out: dict[str, Counts] = {}
    for name, classes in names.items():
        counted = _counted(parcel, name, scheme)
        if counted is None:
            continue
        codes, stones = counted
        known = codes >= 0
        totals = np.bincount(codes[known], weights=stones[known], minlength=len(classes))
        if totals.sum() > 0:
            out[name] = {label: float(n) for label, n in zip(classes, totals, strict=True)}
    return out


def sieve_set_of(parcel: Parcel, scheme: Scheme) -> SieveSet:
    """Return the classes of a parcel's sizes: its sheet's own, or those of the reference package for a stone list."""
    return parcel.sieve_set or scheme.size.sieve_set


def _counted(parcel: Parcel, name: str, scheme: Scheme) -> tuple[Ints, Floats] | None:
    if parcel.stones is not None:
        stones = parcel.stones
        if name == scheme.size.name:
            return scheme.size.sieve_set.class_of(stones.weight_ct), np.ones(parcel.n_stones)
        codes = stones.codes.get(name)
        return None if codes is None else (codes.astype(np.intp), np.ones(parcel.n_stones))
    for item in sorted(parcel.breakdowns, key=lambda one: len(one.attributes)):
        if name in item.attributes and item.counted is not None:
            return item.codes_of(name).astype(np.intp), item.n_stones.astype(float)
    return None


def sorters_answer(
    sortings: Sequence[Sorting], reports: Sequence[Mapping[str, Any]], history: Sequence[Sorting], release: Release
) -> Json:
    """Answer how far several sorters of one parcel agree, and what their differences do to the conclusion.

    Parameters
    ----------
    sortings : sequence of Sorting
        Of one parcel, two or more, by different sorters.
    reports : sequence of mapping
        What a report says of each.
    history : sequence of Sorting
        Of earlier parcels; those that two of these sorters sorted tell the scale between them.

    Raises
    ------
    IngestError
        If there is but one sorter, or one sorter twice.
    """
    _check(sortings)
    sieve_set = sieve_set_of(sortings[0].parcel, release.scheme)
    counted = [class_counts(one.parcel, release.scheme, sieve_set) for one in sortings]
    agreement = _agreement(sortings, counted)
    goods = list(dict.fromkeys(one.goods for one in sortings))
    scales = _scales(sortings, counted, _earlier(goods, history, release.scheme, sieve_set))
    lrs = [None if r["verification"] is None else r["verification"]["log10_lr"] for r in reports]
    known = [value for value in lrs if value is not None]
    return {
        "goods": ", ".join(goods),
        "release": release.name,
        "sorters": [_sorter_json(one, report, lr) for one, report, lr in zip(sortings, reports, lrs, strict=True)],
        "agreement": agreement,
        "difference": {
            "log10_lr": round(max(known) - min(known), 3) if len(known) == len(lrs) else None,
            "by_attribute": _by_attribute(reports),
            "conclusion_changes": len({report["conclusion"] for report in reports}) > 1,
        },
        "scales": scales,
        "labels": labels_of(release.scheme),
        "statements": _statements(sortings, reports, known, agreement, scales),
        "cautions": [*_cautions(sortings, counted, release), *synthetic_reference(release)],
    }


def _check(sortings: Sequence[Sorting]) -> None:
    names = [one.sorter for one in sortings]
    if len(set(names)) == len(names) > 1:
        return
    twice = sorted({name for name in names if names.count(name) > 1})
    rule = "sorter_twice" if twice else "one_sorter"
    value = ", ".join(twice or names)
    raise IngestError([problem(rule, "invalid", table="sorters", column="sorter", value=value)])


def _sorter_json(one: Sorting, report: Mapping[str, Any], log10_lr: float | None) -> Json:
    found, mixture = report["verification"], report["mixture"]
    return {
        "sorter": one.sorter,
        "parcel_id": one.parcel.parcel_id,
        "n_stones": one.parcel.n_stones or None,
        "carats": one.parcel.carats,
        "conclusion": report["conclusion"],
        "log10_lr": log10_lr,
        "low": None if found is None else found["low"],
        "high": None if found is None else found["high"],
        "undeclared_stone_fraction": None if mixture is None else mixture["undeclared_stone_fraction"],
        "report_id": report["report_id"],
    }


def _aligned(counts: Sequence[Counts]) -> tuple[list[str], Floats]:
    """Return the classes that any sheet has stones in, in the package's order, and stones by sheet and class."""
    classes = [label for label in counts[0] if any(one[label] > 0 for one in counts)]
    return classes, np.array([[one[label] for label in classes] for one in counts])


def _agreement(sortings: Sequence[Sorting], counted: Sequence[Mapping[str, Counts]]) -> list[Json]:
    out = []
    for name in _common(counted):
        classes, stones = _aligned([one[name] for one in counted])
        shares = stones / stones.sum(axis=1, keepdims=True)
        out.append(
            {
                "attribute": name,
                "in_common": [
                    {
                        "first": sortings[a].sorter,
                        "second": sortings[b].sorter,
                        "share": round(in_common(stones[a], stones[b]), 3),
                    }
                    for a, b in combinations(range(len(sortings)), 2)
                ],
                "classes": [
                    {
                        "class": label,
                        "n_stones": [int(n) for n in stones[:, k]],
                        "shares": [round(float(share), 4) for share in shares[:, k]],
                    }
                    for k, label in enumerate(classes)
                ],
            }
        )
    return out


def _common(counted: Sequence[Mapping[str, Counts]]) -> list[str]:
    return [name for name in counted[0] if all(name in one for one in counted)]


def _by_attribute(reports: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Return how far apart the attributes' parts of the log10 LRs lie, the largest first; none without LRs."""
    if any(report["verification"] is None for report in reports):
        return []
    parts = [{item["name"]: item["log10_lr_share"] for item in r["explanation"]["attributes"]} for r in reports]
    names = dict.fromkeys(name for one in parts for name in one)
    spread = {name: max(v := [one.get(name, 0.0) for one in parts]) - min(v) for name in names}
    ordered = sorted(spread.items(), key=lambda item: -item[1])
    return [{"name": name, "log10_lr": round(value, 3)} for name, value in ordered]


Earlier = dict[str, dict[str, Mapping[str, Counts]]]


def _earlier(goods: Sequence[str], history: Sequence[Sorting], scheme: Scheme, sieve_set: SieveSet) -> Earlier:
    """Return what each sorter counted of every other parcel."""
    out: Earlier = {}
    for one in history:
        if one.goods not in goods:
            out.setdefault(one.goods, {})[one.sorter] = class_counts(one.parcel, scheme, sieve_set)
    return out


def _scales(sortings: Sequence[Sorting], counted: Sequence[Mapping[str, Counts]], earlier: Earlier) -> list[Json]:
    out = []
    for a, b in combinations(range(len(sortings)), 2):
        first, second = sortings[a].sorter, sortings[b].sorter
        both = [found for found in earlier.values() if first in found and second in found]
        for name in _common([counted[a], counted[b]]):
            pairs = [
                (one[first][name], one[second][name]) for one in both if name in _common([one[first], one[second]])
            ]
            if pairs:
                here = (counted[a][name], counted[b][name])
                out.append({"attribute": name, "first": first, "second": second, **_scale_json(pairs, here)})
    return out


def _scale_json(pairs: Sequence[tuple[Counts, Counts]], here: tuple[Counts, Counts]) -> Json:
    classes, stones = _aligned([*(count for pair in pairs for count in pair), *here])
    scale: Scale = learn_scale(stones[:-2:2], stones[1:-2:2])
    return {
        "n_parcels": scale.n_parcels,
        "usual_p": round(as_usual(scale, stones[-2], stones[-1]), 4),
        "classes": [
            {"class": label, "ratio": round(float(r), 3), "low": round(float(lo), 3), "high": round(float(hi), 3)}
            | {"first": int(seen), "as_second": round(float(expected), 1), "second": int(other)}
            for label, r, lo, hi, seen, expected, other in zip(
                *(classes, scale.ratio, scale.low, scale.high),
                *(stones[-2], as_second(scale, stones[-2]), stones[-1]),
                strict=True,
            )
        ],
    }


def _statements(
    sortings: Sequence[Sorting],
    reports: Sequence[Mapping[str, Any]],
    lrs: Sequence[float],
    agreement: Sequence[Json],
    scales: Sequence[Json],
) -> list[Json]:
    said = []
    conclusions = {one.sorter: report["conclusion"] for one, report in zip(sortings, reports, strict=True)}
    kinds = set(conclusions.values())
    if kinds == {None}:
        said.append(statement("sorters_undeclared"))
    elif len(kinds) == 1:
        said.append(statement("sorters_same", conclusion=next(iter(kinds))))
    else:
        said.append(statement("sorters_change", conclusions=conclusions))
    if len(lrs) == len(reports):
        apart = max(lrs) - min(lrs)
        parts = _by_attribute(reports)
        if apart >= LR_APART and parts:
            said.append(statement("sorters_apart", log10_lr=round(apart, 2), attribute=parts[0]["name"]))
        else:
            said.append(statement("sorters_near", log10_lr=round(apart, 2)))
    widest = max(
        (
            (max(item["shares"]) - min(item["shares"]), one["attribute"], item)
            for one in agreement
            for item in one["classes"]
        ),
        key=lambda found: found[0],
        default=None,
    )
    if widest is not None and widest[0] > 0:
        _, attribute, item = widest
        values = {"attribute": attribute, "class": f"{attribute}:{item['class']}"}
        said.append(statement("sorters_class", **values, low=min(item["shares"]), high=max(item["shares"])))
    for one in scales:
        values = {name: one[name] for name in ("attribute", "first", "second", "n_parcels", "usual_p")}
        said.append(statement("sorters_unusual" if one["usual_p"] <= UNUSUAL_P else "sorters_usual", **values))
    return said


def _cautions(sortings: Sequence[Sorting], counted: Sequence[Mapping[str, Counts]], release: Release) -> list[Json]:
    said: list[Json] = []
    for unit, totals in (
        ("stones", [one.parcel.n_stones or None for one in sortings]),
        ("carats", [one.parcel.carats for one in sortings]),
    ):
        known = [float(value) for value in totals if value is not None]
        if known and max(known) - min(known) > TOTALS_APART * max(known):
            said.append(statement(f"sheets_differ_in_{unit}", least=min(known), most=max(known)))
    common = set(_common(counted))
    one_sided = sorted({name for one in counted for name in one} - common - {release.scheme.size.name})
    if one_sided:
        said.append(statement("recorded_by_some", attributes=one_sided))
    if len({sieve_set_of(one.parcel, release.scheme) for one in sortings}) > 1:
        said.append(statement("sieved_differently"))
    return said


def statement(code: str, /, **values: Any) -> Json:
    """Return something said, as a code and the values in it."""
    return {"code": code, "values": values}


def labels_of(scheme: Scheme) -> dict[str, dict[str, str]]:
    """Return names of attributes, and of their classes as ``attribute:class``, by language."""
    out = {scheme.size.name: dict(scheme.size.labels)}
    for attribute in scheme.categorical:
        out[attribute.name] = dict(attribute.labels)
        out |= {f"{attribute.name}:{item.name}": dict(item.labels) for item in attribute.classes}
        out |= {f"{attribute.name}:{item.name}": dict(item.labels) for item in attribute.sets}
    return out


def synthetic_reference(release: Release) -> list[dict[str, Any]]:
    """Return the caution that the reference is invented, where it is."""
    reference = release.manifest["reference"]
    said = statement("synthetic_reference", reference=reference["name"])
    return [said] if reference["synthetic"] else []
