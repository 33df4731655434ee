"""What a reader must know before using a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kpfootprint.comparison.hypotheses import COMPLIANT, Hypotheses
from kpfootprint.comparison.results import Statement, Value
from kpfootprint.footprint import FACTORS
from kpfootprint.parcel import Parcel
from kpfootprint.reference import NOT_COVERED
from kpfootprint.release import Release
from kpfootprint.scheme import CT_PER_MM3
from kpfootprint.stats.structure import ParcelArrays

FEW_REFERENCES = 15
FEW_SIZE_CLASSES = 6
CARATS_APART = 0.02
DOUBTFUL_SIZES = 0.3


@dataclass(slots=True)
class Cautions:
    """Statements collected in the order in which they are added."""

    statements: list[Statement]

    def add(self, code: str, **values: Value) -> None:
        """Add a caution."""
        self.statements.append(Statement(code=code, values=values))


def declaration_cautions(said: Cautions, parcel: Parcel, hypotheses: Hypotheses, row: int, release: Release) -> None:
    """Say what the declaration and its date leave open."""
    day = hypotheses.days[row].isoformat()
    if not parcel.declarations:
        said.add("no_declaration")
    if parcel.exported_on is None:
        said.add("no_export_date", status_on=day)
    known = dict(zip(release.zone_ids, release.model.n_reference.tolist(), strict=True))
    for zone in hypotheses.declared[row]:
        status = zone.status_on_export_date
        if status == NOT_COVERED:
            said.add("zone_not_covered", zone=zone.zone_id, day=day)
        elif status != COMPLIANT:
            said.add("zone_not_compliant", zone=zone.zone_id, status=status, day=day)
        if zone.zone_id not in known:
            said.add("zone_without_reference", zone=zone.zone_id)
        elif known[zone.zone_id] < FEW_REFERENCES:
            said.add("few_references", zone=zone.zone_id, n_parcels=known[zone.zone_id])
    if hypotheses.testable[row] and not hypotheses.alternatives[row].any():
        said.add("no_alternative")
    carats = [item.carats for item in parcel.declarations if item.carats is not None]
    if carats and parcel.carats is not None and abs(sum(carats) - parcel.carats) > CARATS_APART * parcel.carats:
        said.add("declared_carats_differ", declared=float(sum(carats)), parcel=float(parcel.carats))


def record_cautions(said: Cautions, parcel: Parcel, arrays: ParcelArrays, row: int, release: Release) -> None:
    """Say what of the stones and of their conditions was not recorded."""
    names = release.scheme.attribute_names
    for a, name in enumerate(names):
        if not arrays.recorded[row, a]:
            said.add("attribute_not_recorded", attribute=name)
        elif a > 0:
            share = float(arrays.tables[a - 1][row].sum() / arrays.n_stones[row])
            if share < 1.0 - 1e-9:
                said.add("partly_recorded", attribute=name, share=share)
    if parcel.carats is None:
        said.add("carats_not_recorded")
    if parcel.sieve_set is not None and len(parcel.sieve_set.classes) < FEW_SIZE_CLASSES:
        said.add("coarse_sieve_set", sieve_set=parcel.sieve_set.name, n_classes=len(parcel.sieve_set.classes))
    conditions = parcel.conditions
    blank = [factor for factor in (*FACTORS, "bottom_screen_mm") if getattr(conditions, factor) is None]
    if blank:
        said.add("conditions_blank", fields=tuple(blank))
    for f, factor in enumerate(FACTORS):
        value = getattr(conditions, factor)
        if value is not None and arrays.levels[row, f] < 0:
            if factor == FACTORS[-1]:
                said.add("sorter_unknown", sorter=value)
            else:
                said.add("condition_unknown", field=factor, value=value)
    _below_screen(said, parcel)


def _below_screen(said: Cautions, parcel: Parcel) -> None:
    screen = parcel.conditions.bottom_screen_mm
    if screen is None or parcel.stones is None:
        return
    below = int(np.count_nonzero(parcel.stones.weight_ct < CT_PER_MM3 * screen**3))
    if below:
        said.add("below_screen", n_stones=below, share=below / len(parcel.stones.weight_ct), bottom_screen_mm=screen)


def release_cautions(said: Cautions, release: Release) -> None:
    """Say what the release itself leaves open."""
    if not release.released:
        said.add("unreleased", release=release.name)
    reference = release.manifest["reference"]
    if reference["synthetic"]:
        said.add("synthetic_reference", reference=reference["name"])


def size_cautions(said: Cautions, n_stones: int, gate: NDArray[np.float64], release: Release) -> None:
    """Say what the number of stones and their sizes leave open."""
    if n_stones < release.rules.minimum_stones:
        said.add("small_parcel", n_stones=n_stones, minimum=int(release.rules.minimum_stones))
    if n_stones > release.model.largest:
        said.add("beyond_calibrated_size", n_stones=n_stones, largest=int(release.model.largest))
    if gate[0] < DOUBTFUL_SIZES:
        said.add("size_range_missing", p_value=float(gate[0]))
