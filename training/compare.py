"""Two releases on one package, or one release on two packages, parcel by parcel: what changed, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from kpfootprint.comparison.results import Examination
from kpfootprint.errors import ReleaseError
from kpfootprint.flow import examinations_of
from kpfootprint.parcel import NOT_RECORDED, Batch, Declaration, Parcel
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import Release, load_release
from kpfootprint.scheme import Scheme
from training.acceptance import compare_evaluations
from training.package import load_package
from training.record import read_evaluation

NO_DAY = date(2000, 1, 1)
"""The day of an examination where the status of zones never changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side says of a parcel declared as its own zone. `shares` are the parts of the LR before its bounds."""

    zone_id: str
    n_stones: int
    log10_lr: float | None
    conclusion: str | None
    novelty_p: float | None
    best_zone: str | None
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A parcel on both sides (None where a side does not have it), and why the LR changed."""

    parcel_id: str
    before: Side | None
    after: Side | None
    why: tuple[str, ...]

    @property
    def moved(self) -> float:
        """The change of log10 LR; infinite where one side has none."""
        if self.before is None or self.after is None:
            return float("inf")
        one, two = self.before.log10_lr, self.after.log10_lr
        if one is None or two is None:
            return 0.0 if one is two else float("inf")
        return two - one

    @property
    def turned(self) -> bool:
        """Whether both sides have it, with another conclusion."""
        return self.before is not None and self.after is not None and self.before.conclusion != self.after.conclusion


def compare_releases(first: Path, second: Path, reference: Path) -> str:
    """Say how two releases differ on the parcels of a package.

    The evaluations of both are compared on the trials they share, where they have any. Every parcel is examined by
    both as declared from its own zone. Both may have learnt from it: this says what changed, not which is better.
    """
    before, after, package = load_release(first), load_release(second), load_package(reference)
    differences = list(_release_differences(before, after))
    changes = _changes(_sides(before, package), _sides(after, package))
    try:
        held_out = compare_evaluations(read_evaluation(first), read_evaluation(second)).as_text()
    except ReleaseError as error:
        held_out = f"Held-out parcels: {error}\n"
    heading = f"{cited_release(before)}\n-> {cited_release(after)}"
    return _text(heading, held_out, differences, changes)


def compare_packages(first: Path, second: Path, model: Path) -> str:
    """Say how two packages differ under one release."""
    release, one, two = load_release(model), load_package(first), load_package(second)
    differences = list(_package_differences(one, two))
    changes = _changes(_sides(release, one), _sides(release, two), _same_stones(one, two))
    heading = f"{cited_package(one)}\n-> {cited_package(two)}\nunder {cited_release(release)}"
    return _text(heading, "", differences, changes)


def cited_package(package: ReferencePackage) -> str:
    """Name a package so that no other is meant."""
    return f"{package.name} {package.version} ({package.sha256[:12]})"


def cited_release(release: Release) -> str:
    """Name a release and the package that it was made from."""
    made = release.manifest["reference"]
    return f"{release.name} of {made['name']} {made['version']} ({made['sha256'][:12]})"


def recoded(batch: Batch, own: Scheme, other: Scheme) -> Batch:
    """Return parcels with classes coded as another scheme has them; classes that it does not know are not recorded."""
    if own.categorical == other.categorical:
        return batch
    tables = {}
    for item in other.categorical:
        mine = next((a for a in own.categorical if a.name == item.name), None)
        if mine is not None:
            place = {name: code for code, name in enumerate(item.class_names)}
            tables[item.name] = np.array([*(place.get(name, NOT_RECORDED) for name in mine.class_names), NOT_RECORDED])

    def one(parcel: Parcel) -> Parcel:
        known = {name: codes for name, codes in parcel.stone_list.codes.items() if name in tables}
        codes = {name: tables[name][values].astype(np.int16) for name, values in known.items()}
        return replace(parcel, stones=replace(parcel.stone_list, codes=codes))

    return Batch(tuple(one(parcel) for parcel in batch))


def _sides(release: Release, package: ReferencePackage) -> dict[str, Side]:
    """Examine every parcel as declared from its own zone, on the last day on which the table of status changes."""
    batch = recoded(package.batch, package.scheme, release.scheme)
    known = {zone.zone_id for zone in release.zone_table.zones}
    days = [period.valid_from for period in release.zone_table.periods]
    day = max(days) if days else NO_DAY
    declared = tuple(
        replace(parcel, exported_on=day, declarations=(Declaration(zone_id=zone),) if zone in known else ())
        for parcel, zone in zip(batch, package.zone_of, strict=True)
    )
    found = examinations_of(Batch(declared), release, status_on=day)
    return {
        parcel.parcel_id: _side(zone, parcel, said)
        for parcel, zone, said in zip(package.batch, package.zone_of, found, strict=True)
    }


def _side(zone: str, parcel: Parcel, said: Examination) -> Side:
    ranked = sorted(said.attribution.zones, key=lambda pair: -pair[1]) if said.attribution else []
    return Side(
        zone_id=zone,
        n_stones=parcel.n_stones,
        log10_lr=None if said.verification is None else said.verification.log10_lr,
        conclusion=said.conclusion,
        novelty_p=None if said.novelty is None else said.novelty.p_value,
        best_zone=ranked[0][0] if ranked else None,
        shares=dict(said.explanation.attributes) if said.explanation and said.verification else {},
    )


def _changes(one: Mapping[str, Side], two: Mapping[str, Side], same: Mapping[str, bool] | None = None) -> list[Change]:
    """Lay the parcels of both sides side by side: other conclusions first, then the largest change, then new ones."""
    out = []
    for name in dict.fromkeys((*one, *two)):
        before, after = one.get(name), two.get(name)
        why = _why(before, after, None if same is None else same.get(name))
        out.append(Change(parcel_id=name, before=before, after=after, why=tuple(why)))
    return sorted(out, key=lambda change: (not change.turned, np.isinf(change.moved), -abs(change.moved)))


def _why(before: Side | None, after: Side | None, same: bool | None) -> Iterator[str]:
    if before is None or after is None:
        yield "new" if before is None else "no longer there"
        return
    if before.zone_id != after.zone_id:
        yield f"laid to {after.zone_id} instead of {before.zone_id}"
    if before.n_stones != after.n_stones:
        yield f"{after.n_stones} stones instead of {before.n_stones}"
    elif same is False:
        yield "other weights or classes"
    if before.log10_lr is None or after.log10_lr is None:
        return
    names = dict.fromkeys((*before.shares, *after.shares))
    parts = {name: after.shares.get(name, 0.0) - before.shares.get(name, 0.0) for name in names}
    named = sorted((name for name in parts if abs(parts[name]) >= 0.05), key=lambda name: -abs(parts[name]))
    yield from (f"{name} {parts[name]:+.2f}" for name in named)
    left = (after.log10_lr - before.log10_lr) - sum(parts.values())
    if abs(left) >= 0.05:
        yield f"bounds {left:+.2f}"
    if before.best_zone != after.best_zone:
        yield f"most like {after.best_zone} instead of {before.best_zone}"


def _same_stones(one: ReferencePackage, two: ReferencePackage) -> dict[str, bool]:
    """Say of each parcel that both packages have whether its stones are the same."""
    other = {parcel.parcel_id: parcel for parcel in recoded(two.batch, two.scheme, one.scheme)}
    return {
        parcel.parcel_id: _alike(parcel, other[parcel.parcel_id]) for parcel in one.batch if parcel.parcel_id in other
    }


def _alike(one: Parcel, two: Parcel) -> bool:
    mine, others = one.stone_list, two.stone_list
    return (
        one.conditions == two.conditions
        and np.array_equal(mine.weight_ct, others.weight_ct)
        and mine.codes.keys() == others.codes.keys()
        and all(np.array_equal(codes, others.codes[name]) for name, codes in mine.codes.items())
    )


def _package_differences(one: ReferencePackage, two: ReferencePackage) -> Iterator[str]:
    if one.sha256 == two.sha256:
        yield "the packages are the same"
    elif (one.name, one.version) == (two.name, two.version):
        yield "the packages have one name and version, and differ"
    zones, others = ([zone.zone_id for zone in package.zone_table.zones] for package in (one, two))
    yield from _set_differences("zone", zones, others)
    yield from _scheme_differences(one.scheme, two.scheme)
    if one.zone_table.periods != two.zone_table.periods:
        yield "the status of zones differs"
    yield from _count_differences(Counter(one.zone_of), Counter(two.zone_of))


def _release_differences(one: Release, two: Release) -> Iterator[str]:
    before, after = one.manifest, two.manifest
    if before["reference"]["sha256"] == after["reference"]["sha256"]:
        yield "both were made from the same package"
    yield from _set_differences("zone", one.zone_ids, two.zone_ids)
    yield from _scheme_differences(one.scheme, two.scheme)
    yield from _count_differences(before["reference"]["n_parcels"], after["reference"]["n_parcels"])
    for part, name in (("config", "setting"), ("rules", "threshold")):
        olds, news = (dict(_leaves(manifest[part])) for manifest in (before, after))
        for key in dict.fromkeys((*olds, *news)):
            old, new = olds.get(key, "not there"), news.get(key, "not there")
            if old != new and key.partition(".")[0] not in ("n_jobs", "changed"):
                yield f"{name} {key}: {old} -> {new}"
    if before["software"] != after["software"]:
        yield f"software {before['software']['version']} -> {after['software']['version']}"


def _leaves(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting by its dotted name."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _set_differences(what: str, one: Sequence[str], two: Sequence[str]) -> Iterator[str]:
    if new := [item for item in two if item not in one]:
        yield f"new {what}s: {', '.join(new)}"
    if gone := [item for item in one if item not in two]:
        yield f"{what}s no longer there: {', '.join(gone)}"


def _scheme_differences(one: Scheme, two: Scheme) -> Iterator[str]:
    yield from _set_differences("attribute", one.attribute_names, two.attribute_names)
    for item in one.categorical:
        other = next((a for a in two.categorical if a.name == item.name), None)
        if other is not None:
            yield from _set_differences(f"{item.name} classe", item.class_names, other.class_names)
    if one.size.sieve_set != two.size.sieve_set:
        yield "the size classes differ"


def _count_differences(one: Mapping[str, int], two: Mapping[str, int]) -> Iterator[str]:
    for zone in one:
        if zone in two and one[zone] != two[zone]:
            yield f"reference parcels of {zone}: {one[zone]} -> {two[zone]}"


def _text(heading: str, held_out: str, differences: Sequence[str], changes: Sequence[Change]) -> str:
    lines = [heading, ""]
    lines += ["What differs:", *(f"  {line}" for line in differences or ["nothing that the manifests tell"]), ""]
    if held_out:
        lines += [held_out]
    both = [c for c in changes if np.isfinite(c.moved)]
    lines.append(f"Parcels, each declared from its own zone: {len(changes)}, of which {len(both)} can be compared.")
    if both:
        moved = np.abs([c.moved for c in both])
        turned = sum(c.turned for c in both)
        lines.append(f"Median change of log10 LR {np.median(moved):.2f}; {turned} conclusions changed.")
    lines += [f"  {_line(change)}" for change in changes if change.why or change.turned]
    return "\n".join(lines) + "\n"


def _line(change: Change) -> str:
    def said(side: Side | None) -> str:
        if side is None or side.log10_lr is None:
            return "–"
        return f"{side.log10_lr:+.2f} {side.conclusion}"

    zone = (change.after or change.before).zone_id  # type: ignore[union-attr]
    return "; ".join((f"{change.parcel_id} ({zone}): {said(change.before)} -> {said(change.after)}", *change.why))
