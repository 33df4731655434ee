"""A reference package as arrays, who was compliant when, and the structure and the parcel model learnt from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from kpfootprint.errors import Problem, ReferenceDataError
from kpfootprint.footprint import footprints_of
from kpfootprint.parcel import FACTORS, Batch
from kpfootprint.reference import COMPLIANT, ReferencePackage, StatusPeriod, ZoneTable
from kpfootprint.release import Release
from kpfootprint.retold import Said
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, n_alike
from kpfootprint.stats.declarations import size_bands
from kpfootprint.stats.evidence import KNOWN_LEVEL_SHARE, Predictor, SourceModel
from kpfootprint.stats.learning import blank_structure, learn_parcel_model, learn_structure
from kpfootprint.stats.parcel_model import N_ITERATIONS, ParcelModel
from kpfootprint.stats.structure import Structure
from kpfootprint.stats.tables import TableModel, fit_tables

FIRST_DAY = date(2000, 1, 1)
STRETCH = timedelta(days=1000)
STRETCHES = 4
ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Reference parcels (n) of zones that have enough of them (Z).

    Parameters
    ----------
    arrays : ParcelArrays
        The parcels' counts.
    groups : ndarray of shape (n,)
        Zone of each parcel, as a position in `zone_ids`.
    rows : ndarray of shape (n,)
        Position of each parcel in the package.
    level_names : tuple of tuple of str
        Known levels of each condition.
    allowed_sets : ndarray of shape (n_sets, Z), 0 or 1
        Compliant zones on the days on which the status table changes.
    """

    reference: ReferencePackage
    arrays: ParcelArrays
    groups: Ints
    rows: Ints
    zone_ids: tuple[str, ...]
    level_names: tuple[tuple[str, ...], ...]
    allowed_sets: Floats
    structure: Structure
    blank: Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted(SourceModel):
    """A parcel model learnt from some of the prepared parcels, and what follows from it; the gate is learnt later.

    Distances by the tables count as much as their evidence does.
    """

    model: ParcelModel
    tables: TableModel
    edges: Floats


def compliant_sets(table: ZoneTable, zones: Sequence[str]) -> list[tuple[float, ...]]:
    """Return which of the zones were compliant, 0 or 1 each, wherever some were and others not; each set once."""
    days = {period.valid_from for period in table.periods}
    sets = {tuple(float(zone in compliant) for zone in zones) for compliant in map(table.compliant_on, days)}
    return sorted(item for item in sets if 0 < sum(item) < len(zones))


def turned_round(sets: Bools) -> Bools:
    """Return, of sets (n, Z) of compliant zones, the sets of all others that are none of them."""
    known = {tuple(row) for row in sets.tolist()}
    turned = [row for row in dict.fromkeys(tuple(row) for row in (~sets).tolist()) if row not in known]
    return np.array(turned, dtype=bool).reshape(-1, sets.shape[1])


def assumed_days(table: ZoneTable, zones: Sequence[str]) -> list[str]:
    """Return the days from which assumed periods begin; none where the package's own table tells zones apart."""
    usable = usable_status(table, zones)
    return [] if usable is table else sorted({period.valid_from.isoformat() for period in usable.periods})


def usable_status(table: ZoneTable, zones: Sequence[str]) -> ZoneTable:
    """Return the table itself, or one with assumed periods for training and measuring alone.

    Declarations are learnt from and measured where some zones may be declared and others may not. A package without
    a status, or in which all zones always had the same, gives no such day: then half of the zones are taken to be
    compliant, another half on each of four stretches of time. What a release says of zones stays the package's own.
    """
    if compliant_sets(table, zones):
        return table
    half = max(len(zones) // 2, 1)
    periods = []
    for k in range(min(STRETCHES, len(zones))):
        first = k * len(zones) // min(STRETCHES, len(zones))
        chosen = {zones[(first + step) % len(zones)] for step in range(half)}
        start = FIRST_DAY + k * STRETCH
        periods += [
            StatusPeriod(zone_id=zone, status=COMPLIANT, valid_from=start, valid_to=start + STRETCH, source=ASSUMED)
            for zone in zones
            if zone in chosen
        ]
    return ZoneTable(zones=table.zones, periods=tuple(periods))


def usable_zones(reference: ReferencePackage, minimum_parcels: int) -> tuple[str, ...]:
    """Return the zones that have `minimum_parcels` reference parcels; `ReferenceDataError` where they are not two."""
    counts = Counter(reference.zone_of)
    found = tuple(z.zone_id for z in reference.zone_table.zones if counts[z.zone_id] >= minimum_parcels)
    if len(found) < 2:
        had = ", ".join(f"{zone} {count}" for zone, count in counts.items())
        reason = Said(
            "two zones or more need {minimum_parcels} parcels each to be told apart; there are: {had}",
            minimum_parcels=minimum_parcels,
            had=had,
        )
        raise ReferenceDataError([Problem(table="parcels", column="zone_id", code="too_few_parcels", reason=reason)])
    return found


def stones_counted(
    batch: Batch, scheme: Scheme, level_names: Sequence[Sequence[str]]
) -> tuple[Structure, ParcelArrays]:
    """Return stone lists as arrays, and before it the structure, of which nothing is learnt yet, that they are in."""
    own, classes = scheme.size.sieve_set, tuple(len(item.classes) for item in scheme.categorical)
    structure = blank_structure(np.array([*own.lower_ct, own.upper_ct[-1]]), classes)
    footprints = footprints_of(batch, scheme, structure, level_names)
    if len(footprints) != 1 or footprints[0].arrays.membership is not None:
        raise ValueError("reference parcels must be stone lists")
    return structure, footprints[0].arrays


def prepare(reference: ReferencePackage, *, minimum_parcels: int) -> Prepared:
    """Count the reference parcels and learn the structure they share.

    Raises
    ------
    ReferenceDataError
        If fewer than two zones have `minimum_parcels` reference parcels.
    """
    zone_of = np.array(reference.zone_of)
    zone_ids = usable_zones(reference, minimum_parcels)
    rows = np.flatnonzero(np.isin(zone_of, zone_ids))
    batch = reference.batch.take(rows)
    names = tuple(
        tuple(sorted({value for parcel in batch if (value := getattr(parcel.conditions, factor))})) or ("",)
        for factor in FACTORS
    )
    structure, arrays = stones_counted(batch, reference.scheme, names)
    sets = compliant_sets(usable_status(reference.zone_table, zone_ids), zone_ids)
    return Prepared(
        reference=reference,
        arrays=arrays,
        groups=np.array([zone_ids.index(zone) for zone in zone_of[rows]], dtype=np.intp),
        rows=rows,
        zone_ids=zone_ids,
        level_names=names,
        allowed_sets=np.array(sets or [(1.0,) * len(zone_ids)]),
        structure=learn_structure(structure, arrays),
        blank=structure,
    )


def fit_model(
    prepared: Prepared,
    train: Ints | None = None,
    *,
    table_weight: float = 0.0,
    table_vote: float | None = None,
    prior: Floats | None = None,
    n_iterations: int = N_ITERATIONS,
    structure: Structure | None = None,
) -> Fitted:
    """Fit the parcel model and the tables to the parcels at positions `train` (all of them without it).

    The structure that zones share is learnt from these parcels alone too, unless it is given.

    Parameters
    ----------
    table_weight : float
        Weight of the tables beside the explicit model, 0 to 1.
    table_vote : float, optional
        What their probability of an unlisted source counts, see `kpfootprint.stats.tables.TableModel`.
    prior : ndarray of shape (D, D), optional
        Covariance of parcels of one zone in an older release.
    """
    rows = np.arange(len(prepared.arrays)) if train is None else train
    arrays, groups = prepared.arrays.take(rows), prepared.groups[rows]
    if structure is None:
        structure = prepared.structure if train is None else learn_structure(prepared.blank, arrays)
    n_levels = tuple(len(names) for names in prepared.level_names)
    structure, model = learn_parcel_model(
        structure, arrays, groups, len(prepared.zone_ids), n_levels, prior=prior, n_iterations=n_iterations
    )
    known = arrays.edge[~np.isnan(arrays.edge)]
    return Fitted(
        structure=structure,
        model=model,
        predictor=Predictor.from_model(model, _near_covariance(prepared, model)),
        tables=fit_tables(arrays, structure, groups, len(prepared.zone_ids), weight=table_weight, vote=table_vote),
        novelty_weight=table_weight,
        bands=size_bands(_size_chances(structure, arrays, groups)),
        edges=known if known.size else np.array([structure.edge_mean]),
    )


def with_weight(fitted: Fitted, table_weight: float) -> Fitted:
    """Return a fit with another weight of the tables beside the explicit model."""
    return replace(fitted, tables=replace(fitted.tables, weight=table_weight), novelty_weight=table_weight)


def _size_chances(structure: Structure, arrays: ParcelArrays, groups: Ints) -> Floats:
    """Return the mean chances of size classes, zones weighing equally."""
    weight = 1.0 / n_alike(groups)
    by_class = arrays.cells @ structure.membership_of_classes()
    out: Floats = weight @ (by_class / by_class.sum(axis=1, keepdims=True)) / weight.sum()
    return out


def _near_covariance(prepared: Prepared, model: ParcelModel) -> Floats:
    """Return the covariance of zones of one geology: the region with most zones, shrunk half to its diagonal."""
    regions = [zone.region for zone in map(prepared.reference.zone_table.zone, prepared.zone_ids) if zone is not None]
    largest = max(dict.fromkeys(regions), key=regions.count)
    members = [position for position, region in enumerate(regions) if region == largest]
    if len(members) < 3:
        return 0.3 * model.between
    covariance = np.cov(model.groups[members].T)
    return 0.5 * covariance + 0.5 * np.diag(np.diag(covariance)) + 1e-4 * np.eye(len(covariance))


def prior_covariance(release: Release, prepared: Prepared) -> Floats:
    """Return the covariance (D, D) of parcels of one zone that a release learnt.

    Raises
    ------
    ValueError
        Where the release describes parcels by other attributes or classes.
    """
    own = [(a.name, tuple(c.name for c in a.classes)) for a in prepared.reference.scheme.categorical]
    older = [(a.name, tuple(c.name for c in a.classes)) for a in release.scheme.categorical]
    if own != older:
        names = ", ".join(sorted({name for name, _ in {*own} ^ {*older}}))
        raise ValueError(
            f"release {release.name} has other attributes or classes than the package: {names or 'in order'}"
        )
    predictor = release.model.predictor
    spread = (predictor.within_unknown - predictor.within) / (1.0 - KNOWN_LEVEL_SHARE)
    return predictor.within_unknown - spread
