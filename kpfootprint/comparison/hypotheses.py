"""H1 and H2 of every parcel: what was declared, as shares of stones, and which zones stand against it.

A paper that names countries, with or without a breakdown, is a blend of their compliant zones in shares that nobody
stated. Its evidence is the mean over such blends; shares that suit the parcel best would flatter the paper. Whether a
stated split fits is asked in the same way. Goods that could not be exported are declared where their share is stated: a
country without a compliant zone, named without one beside others, covers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from kpfootprint.comparison.results import DeclaredZone
from kpfootprint.footprint import footprints_of, mean_stones
from kpfootprint.parcel import Batch, Declaration, DeclaredCountry, Parcel
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays, rows_of
from kpfootprint.stats.evidence import log_sum
from kpfootprint.stats.metrics import LN10
from kpfootprint.stats.model import Look, drawn_shares, elsewhere, look
from kpfootprint.wanted import go_on

N_BLENDS = 1024
"""Blends that an integral over shares takes; the same for every parcel of the same declaration."""
CONCENTRATION = 0.5
"""Of the Dirichlet distribution of free shares: most parcels come from few zones."""
SEED = 20030101
TOO_LITTLE = 0.05
"""Declared share of carats below which zones without reference are left out of H1: less of a blend than of any main
zone of it. A speck of them on the paper would else take a query off the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """What a paper names where shares are free, or where its split is asked about.

    Parameters
    ----------
    names : tuple of str
        Zones by id and countries by code.
    columns : tuple of tuple of int
        Listed zones of each: of a country those that were compliant (all of them where none was).
    amounts : tuple of float, or None
        Carats, or percent of the carats, of each; None where nobody stated them.
    uncovered : tuple of str
        Names that count for nothing: countries without a compliant zone, named without an amount beside others.
    """

    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]
    amounts: tuple[float, ...] | None
    uncovered: tuple[str, ...] = ()

    @property
    def counted(self) -> tuple[tuple[int, ...], ...]:
        """The columns of those that count."""
        return tuple(c for name, c in zip(self.names, self.columns, strict=True) if name not in self.uncovered)

    @property
    def free(self) -> bool:
        """Whether shares are integrated over."""
        several = any(len(columns) > 1 for columns in self.counted)
        return several or (self.amounts is None and len(self.counted) > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypotheses:
    """The two hypotheses of a batch of n parcels over the Z zones of a release.

    Parameters
    ----------
    days : tuple of date
        Day whose status of zones counts for each parcel.
    declared : tuple of tuple of DeclaredZone
        What each paper names, with the status on that day.
    weights : ndarray of shape (n, Z)
        Declared shares of stones; rows sum to 1, or to 0 where H1 cannot be had.
    testable : ndarray of shape (n,), bool
        Whether every declared zone has a reference or is left out, and there is a declaration.
    allowed : ndarray of shape (n, Z), bool
        Zones that were compliant.
    origins : tuple of Origins or None
        Where shares are free, or the split is asked about.
    left_out : tuple of tuple of str
        Declared zones without reference of which too little is declared to tell.
    log_evidence : ndarray of shape (n,)
        Log of the mean evidence over the blends that free shares leave, less that of their mean blend; 0 where shares
        are stated.
    split_log10_lr : ndarray of shape (n,)
        Calibrated log10 LR of the stated split against any split of the same origins; NaN where that is not asked.
    """

    days: tuple[date, ...]
    declared: tuple[tuple[DeclaredZone, ...], ...]
    weights: Floats
    testable: Bools
    allowed: Bools
    origins: tuple[Origins | None, ...]
    left_out: tuple[tuple[str, ...], ...]
    log_evidence: Floats
    split_log10_lr: Floats

    @property
    def alternatives(self) -> Floats:
        """Weights (n, Z), from 0 to 1, of listed zones in H2: of those not compliant, what was not declared of them."""
        return elsewhere(self.weights, self.allowed)

    def take(self, rows: Ints) -> Hypotheses:
        """Return those of these parcels."""
        told = ("days", "declared", "origins", "left_out")
        taken: dict[str, Any] = {name: tuple(getattr(self, name)[row] for row in rows) for name in told}
        return replace(rows_of(self, rows, but=told), **taken)


def stone_shares(carats: Floats, mean_ct: Floats) -> Floats:
    """Turn carats of each zone into shares of stones by each zone's mean stone."""
    stones = carats / mean_ct
    out: Floats = stones / stones.sum()
    return out


def form_hypotheses(parcels: tuple[Parcel, ...], release: Release, status_on: date, mean_ct: Floats) -> Hypotheses:
    """Form H1 and H2 of every parcel.

    Parameters
    ----------
    status_on : date
        Day that counts for parcels without an export date.
    mean_ct : ndarray of shape (n, Z)
        Mean stone of each zone as it would be seen through each parcel's screen, in carats.
    """
    zone_ids, table = release.zone_ids, release.zone_table
    position = {zone: k for k, zone in enumerate(zone_ids)}
    n, z = len(parcels), len(zone_ids)
    weights, testable = np.zeros((n, z)), np.zeros(n, dtype=bool)
    allowed = np.zeros((n, z), dtype=bool)
    days, declared, left_out = [], [], []
    origins: list[Origins | None] = []
    for row, parcel in enumerate(parcels):
        day = parcel.exported_on or status_on
        days.append(day)
        allowed[row] = release.compliant_on(day)
        unknown = _too_little(parcel, position)
        left_out.append(unknown)
        counted = tuple(item for item in parcel.declarations if item.zone_id not in unknown)
        named = _origins(counted, parcel.countries, release, allowed[row])
        origins.append(named)
        total = parcel.declared_carats or parcel.carats
        zones = {
            item.zone_id: item.carats if item.percent is None or total is None else total * item.percent / 100.0
            for item in parcel.declarations
        }
        if named is not None:
            zones |= {zone_ids[k]: None for columns in named.columns for k in columns if zone_ids[k] not in zones}
        declared.append(
            tuple(
                DeclaredZone(zone_id=zone, carats=carats, status_on_export_date=table.status_on(zone, day))
                for zone, carats in zones.items()
            )
        )
        columns = [position.get(item.zone_id, -1) for item in counted]
        testable[row] = bool(columns) and min(columns) >= 0
        if named is not None:
            testable[row] = all(named.columns)
            weights[row, [k for columns in named.counted for k in columns] or [0]] = 1.0
            weights[row] /= weights[row].sum()
        elif testable[row]:
            carats = np.array([1.0 if item.carats is None else item.carats for item in counted])
            weights[row, columns] = stone_shares(carats, mean_ct[row, columns])
    return Hypotheses(
        days=tuple(days),
        declared=tuple(declared),
        weights=weights,
        testable=testable,
        allowed=allowed,
        origins=tuple(origins),
        left_out=tuple(left_out),
        log_evidence=np.zeros(n),
        split_log10_lr=np.full(n, np.nan),
    )


def _too_little(parcel: Parcel, known: Mapping[str, int]) -> tuple[str, ...]:
    """Return the declared zones without reference, where all of them together are too little of what is declared."""
    parts = parcel.origins
    amounts = [part.percent if part.carats is None else part.carats for part in parts]
    unknown = [item.zone_id for item in parcel.declarations if item.zone_id not in known]
    if not unknown or len(unknown) == len(parts) or None in amounts:
        return ()
    total = sum(amount for amount in amounts if amount is not None)
    little = sum(a for a, item in zip(amounts, parcel.declarations, strict=False) if a and item.zone_id in unknown)
    return tuple(unknown) if little < TOO_LITTLE * total else ()


def _origins(
    declarations: Sequence[Declaration], countries: Sequence[DeclaredCountry], release: Release, allowed: Bools
) -> Origins | None:
    """Return what the paper names, where it names countries or a split by percent; None otherwise."""
    by_percent = len(declarations) > 1 and declarations[0].percent is not None
    if not countries and not by_percent:
        return None
    position = {zone: k for k, zone in enumerate(release.zone_ids)}
    parts: list[Declaration | DeclaredCountry] = [*declarations, *countries]
    columns: list[tuple[int, ...]] = [(position[z.zone_id],) if z.zone_id in position else () for z in declarations]
    for item in countries:
        zones = [zone.zone_id for zone in release.zone_table.zones if zone.country == item.country]
        known = [position[zone] for zone in zones if zone in position]
        columns.append(tuple([k for k in known if allowed[k]] or known))
    amounts = [part.percent if part.carats is None else part.carats for part in parts]
    stated = tuple(amount for amount in amounts if amount is not None)
    names = (*(item.zone_id for item in declarations), *(item.country for item in countries))
    free = len(stated) < len(parts) or sum(stated) <= 0
    none = [not allowed[list(one)].any() for one in columns]
    return Origins(
        names=names,
        columns=tuple(columns),
        amounts=None if free else stated,
        uncovered=tuple(name for name, bare in zip(names, none, strict=True) if bare and free and not all(none)),
    )


def blends_of(origins: Origins, mean_ct: Floats, *, stated: bool) -> tuple[Floats, Floats]:
    """Return blends (K, Z) in shares of stones and the log of what each counts (K,).

    The split between the origins is as stated, or any. The same for the same origins, in whatever order the paper
    names them.

    Parameters
    ----------
    mean_ct : ndarray of shape (Z,)
        Mean stone of each zone, in carats.
    """
    rng = np.random.default_rng(SEED)
    order = sorted(range(len(origins.counted)), key=origins.counted.__getitem__)
    counted = [origins.counted[place] for place in order]
    amounts = None if origins.amounts is None or not stated else [origins.amounts[place] for place in order]
    fixed = amounts is not None or len(counted) == 1
    n = 1 if fixed and all(len(columns) == 1 for columns in counted) else N_BLENDS
    parts, log_weights = np.zeros((len(counted), n, mean_ct.size)), np.zeros(n)
    for part, columns in zip(parts, counted, strict=True):
        part[:, columns], log_weight = drawn_shares(n, len(columns), CONCENTRATION, rng)
        log_weights += log_weight
    if amounts is None:
        between, log_weight = drawn_shares(n, len(parts), CONCENTRATION, rng)
        log_weights += log_weight
    else:
        between = (np.array(amounts)[:, None] / (parts @ mean_ct)).T
    out: Floats = np.einsum("kp,pkz->kz", between / between.sum(axis=1, keepdims=True), parts)
    return out, log_weights


def settle_shares(arrays: ParcelArrays, hypotheses: Hypotheses, release: Release, mean_ct: Floats) -> Hypotheses:
    """Give declarations of free shares the mean blend that the parcel leaves of them; say what is integrated over."""
    n, model = len(arrays), release.model
    weights, log_evidence, split = hypotheses.weights.copy(), np.zeros(n), np.full(n, np.nan)
    for row, origins in enumerate(hypotheses.origins):
        if origins is None or not hypotheses.testable[row]:
            continue
        seen = look(model, arrays.take(np.array([row])))
        whole, weights[row] = _integral(seen, *blends_of(origins, mean_ct[row], stated=True))
        log_evidence[row] = whole - seen.of_blends(weights[row : row + 1])[0, 0]
        if origins.amounts is not None and len(origins.columns) > 1:
            others, _ = _integral(seen, *blends_of(origins, mean_ct[row], stated=False))
            told = model.calibration.told(seen.evidence.listed)
            score = np.array([(whole - others) / LN10])
            split[row] = model.calibration.apply(score, seen.ln_n, told)[0]
    return replace(hypotheses, weights=weights, log_evidence=log_evidence, split_log10_lr=split)


def _integral(seen: Look, blends: Floats, log_weights: Floats) -> tuple[float, Floats]:
    """Return the log of the mean evidence of one parcel over blends (K, Z), and the mean blend (Z,) it leaves."""
    found = seen.of_blends(blends)[0] + log_weights
    total = log_sum(found)
    return float(total - log_sum(log_weights)), np.exp(found - total) @ blends


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Parcels (n) of a batch that are computed together: H1 can be had of all of them or of none.

    `rows` are their positions in the batch; `mean_ct` (n, Z) is the mean stone of each zone as it would be seen through
    each parcel's screen, in carats.
    """

    rows: Ints
    parcels: tuple[Parcel, ...]
    arrays: ParcelArrays
    hypotheses: Hypotheses
    mean_ct: Floats


def formed(batch: Batch, release: Release, status_on: date) -> Iterator[Together]:
    """Give the parcels of a batch as arrays and with their hypotheses, those that are computed together at a time."""
    for footprints in footprints_of(batch, release.scheme, release.model.structure, release.level_names):
        parcels = batch.take(footprints.rows).parcels
        mean_ct = mean_stones(release.model, footprints.arrays.edge, footprints.arrays.top)
        hypotheses = form_hypotheses(parcels, release, status_on, mean_ct)
        for rows in (np.flatnonzero(hypotheses.testable), np.flatnonzero(~hypotheses.testable)):
            if rows.size == 0:
                continue
            go_on()
            arrays = footprints.arrays.take(rows)
            settled = settle_shares(arrays, hypotheses.take(rows), release, mean_ct[rows])
            go_on()
            yield Together(
                rows=footprints.rows[rows],
                parcels=tuple(parcels[row] for row in rows),
                arrays=arrays,
                hypotheses=settled,
                mean_ct=mean_ct[rows],
            )
