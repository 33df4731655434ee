"""The whole flow on one page: parcels → footprints → comparison → explanation → reports."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import kpfootprint
from kpfootprint.comparison.findings import examination_of
from kpfootprint.comparison.hypotheses import formed
from kpfootprint.comparison.results import Examination
from kpfootprint.comparison.weigh import OneParcel, plainer_words, weigh
from kpfootprint.errors import KPFootprintError, NotExamined
from kpfootprint.parcel import Batch
from kpfootprint.release import Release
from kpfootprint.report.content import build_report, described
from kpfootprint.report.report import Report
from kpfootprint.wanted import go_on

SLICE = 64
"""Parcels computed together; memory does not grow beyond that."""


def examine(batch: Batch, release: Release, *, status_on: date, created_at: datetime) -> tuple[Report, ...]:
    """Examine a batch of parcels; one parcel is a batch of one.

    Parameters
    ----------
    batch : Batch of n parcels
        The parcels, as `kpfootprint.ingest` gives them.
    release : Release
        The release to compare with.
    status_on : date
        Day whose status of zones counts for parcels without an export date.
    created_at : datetime
        Stands in the reports and changes nothing else in them.

    Returns
    -------
    tuple of Report, length n
        In the order of the batch. The same parcel, release and `status_on` give the same content, whatever else is in
        the batch.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> import kpfootprint
    >>> release = kpfootprint.load_release(kpfootprint.shipped_release())
    >>> document = {
    ...     "parcel_id": "A-1",
    ...     "declarations": [{"zone_id": "berberati"}],
    ...     "stones": {"weight_ct": [0.2, 0.4] * 30, "colour": ["brown", "cape"] * 30, "morphology": ["cube"] * 60},
    ... }
    >>> parcel = kpfootprint.ingest_json(document, release.scheme, release.zone_table)
    >>> now = datetime(2026, 1, 2, tzinfo=UTC)
    >>> batch = kpfootprint.Batch((parcel,))
    >>> (report,) = kpfootprint.examine(batch, release, status_on=now.date(), created_at=now)
    >>> report.content["parcel"]["n_stones"], report.content["parcel"]["declared"][0]["zone_id"]
    (60, 'berberati')
    """
    made, reports = made_with(release), []
    for parcel, examination in zip(batch, examinations_of(batch, release, status_on=status_on), strict=True):
        go_on()
        reports.append(build_report(parcel, examination, made, created_at=created_at))
    return tuple(reports)


def examine_each(
    batch: Batch, release: Release, *, status_on: date, created_at: datetime
) -> tuple[Report | NotExamined, ...]:
    """Examine a batch as `examine` does; a parcel whose examination fails gives that error in its place."""
    try:
        return examine(batch, release, status_on=status_on, created_at=created_at)
    except (ArithmeticError, ValueError, IndexError, KPFootprintError) as error:
        if len(batch) == 1:
            return (NotExamined.because(batch.parcels[0].parcel_id, error),)
    alone = (examine_each(Batch((one,)), release, status_on=status_on, created_at=created_at) for one in batch)
    return tuple(found for one in alone for found in one)


def examinations_of(batch: Batch, release: Release, *, status_on: date) -> tuple[Examination, ...]:
    """Return what a batch's reports are made from, before rounding and words."""
    if len(batch) > SLICE:
        slices = (Batch(batch.parcels[start : start + SLICE]) for start in range(0, len(batch), SLICE))
        return tuple(one for part in slices for one in examinations_of(part, release, status_on=status_on))
    out: dict[int, Examination] = {}
    for together in formed(batch, release, status_on):
        weighed = weigh(together, release)
        go_on()
        plainer = plainer_words(together.parcels, weighed, release, status_on)
        for position, row in enumerate(together.rows.tolist()):
            go_on()
            out[row] = examination_of(
                OneParcel(
                    parcel=together.parcels[position],
                    row=position,
                    weighed=weighed,
                    hypotheses=together.hypotheses,
                    release=release,
                    mean_ct=together.mean_ct[position],
                    compared_on=status_on,
                    plainer=plainer[position],
                )
            )
    return tuple(out[row] for row in range(len(batch)))


def made_with(release: Release) -> dict[str, Any]:
    """Return what reports say of their making: the members ``software`` and ``model``."""
    reference = release.manifest["reference"]
    counts = reference["n_parcels"]
    zones = [{**asdict(zone), "n_parcels": int(counts.get(zone.zone_id, 0))} for zone in release.zone_table.zones]
    model = {
        "release": release.name,
        "released": release.released,
        "manifest_sha256": release.manifest_sha256,
        "reference": {name: reference[name] for name in ("name", "version", "sha256", "synthetic")},
        "zones": zones,
        "attributes": described(release.scheme),
    }
    return {"software": {"name": kpfootprint.__name__, "version": kpfootprint.__version__}, "model": model}
