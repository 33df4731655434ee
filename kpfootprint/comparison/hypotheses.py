"""H1 and H2 of every parcel: what was declared, as shares of stones, and which zones stand against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from kpfootprint.comparison.results import DeclaredZone, Statement
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from kpfootprint.stats.selection import elsewhere

Floats = NDArray[np.float64]

COMPLIANT = "compliant"


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
        Whether every declared zone has a reference, and there is a declaration.
    allowed : ndarray of shape (n, Z), bool
        Zones that were compliant.
    alternatives : ndarray of shape (n, Z), from 0 to 1
        Weights of listed zones in H2: of those not compliant, what was not declared of them.
    """

    days: tuple[date, ...]
    declared: tuple[tuple[DeclaredZone, ...], ...]
    weights: Floats
    testable: NDArray[np.bool_]
    allowed: NDArray[np.bool_]
    alternatives: Floats

    def take(self, rows: NDArray[np.intp]) -> Hypotheses:
        """Return those of these parcels."""
        return Hypotheses(
            days=tuple(self.days[row] for row in rows),
            declared=tuple(self.declared[row] for row in rows),
            weights=self.weights[rows],
            testable=self.testable[rows],
            allowed=self.allowed[rows],
            alternatives=self.alternatives[rows],
        )


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
    days, declared = [], []
    for row, parcel in enumerate(parcels):
        day = parcel.exported_on or status_on
        days.append(day)
        declared.append(
            tuple(
                DeclaredZone(
                    zone_id=item.zone_id,
                    carats=item.carats,
                    status_on_export_date=table.status_on(item.zone_id, day),
                )
                for item in parcel.declarations
            )
        )
        allowed[row] = [table.status_on(zone, day) == COMPLIANT for zone in zone_ids]
        columns = [position.get(item.zone_id, -1) for item in parcel.declarations]
        testable[row] = bool(columns) and min(columns) >= 0
        if testable[row]:
            carats = np.array([item.carats or item.percent or 1.0 for item in parcel.declarations])
            weights[row, columns] = stone_shares(carats, mean_ct[row, columns])
    return Hypotheses(
        days=tuple(days),
        declared=tuple(declared),
        weights=weights,
        testable=testable,
        allowed=allowed,
        alternatives=elsewhere(weights, allowed),
    )


def h1_statement(weights: Floats, zone_ids: tuple[str, ...]) -> Statement:
    """Spell out H1."""
    present = np.flatnonzero(weights)
    if present.size == 1:
        return Statement(code="h1_zone", values={"zone": zone_ids[present[0]]})
    return Statement(
        code="h1_blend",
        values={
            "zones": tuple(zone_ids[k] for k in present),
            "stone_shares": tuple(float(weights[k]) for k in present),
        },
    )


def h2_statement(alternatives: Floats, zone_ids: tuple[str, ...], unlisted_weight: float) -> Statement:
    """Spell out H2."""
    present = np.flatnonzero(alternatives)
    if present.size == 0:
        return Statement(code="h2_unlisted_only", values={"unlisted_weight": 1.0})
    return Statement(
        code="h2_elsewhere",
        values={"zones": tuple(zone_ids[k] for k in present), "unlisted_weight": unlisted_weight},
    )
