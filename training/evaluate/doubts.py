"""Reference parcels that somebody should look at: mislabelled ones, odd ones, and those that move their zone."""

from __future__ import annotations

import numpy as np

from kpfootprint.stats.evidence import view_of
from kpfootprint.stats.summaries import summarise
from training.prepare import Fitted, Prepared
from training.record import Influence, Suspect

LISTED = 12
"""Influential parcels that are listed."""


def suspects_of(prepared: Prepared, fitted: Fitted) -> tuple[Suspect, ...]:
    """Return the parcels with a chance above one half of carrying the wrong zone, or of being odd."""
    model = fitted.model
    listed = view_of(prepared.arrays, fitted).listed[0].copy()
    listed[np.arange(len(listed)), prepared.groups] = -np.inf
    nearest = listed.argmax(axis=1)
    parcels = prepared.reference.batch.parcels
    return tuple(
        Suspect(
            parcel_id=parcels[row].parcel_id,
            zone_id=prepared.zone_ids[zone],
            reason=reason,
            chance=float(chance),
            resembles=prepared.zone_ids[like] if reason == "mislabelled" else None,
        )
        for reason, chances in (("mislabelled", model.other), ("odd", 1.0 - model.own - model.other))
        for row, zone, like, chance in zip(prepared.rows, prepared.groups, nearest, chances, strict=True)
        if chance > 0.5
    )


def influential_of(prepared: Prepared, fitted: Fitted) -> tuple[Influence, ...]:
    """Return the parcels without which the mean of their zone would lie elsewhere, the most influential first.

    The mean of a zone weighs its parcels by their precision. Without one of them it moves; the move is told in
    standard deviations of the parcels of a zone, root mean square over the numbers that a parcel is summed up by.
    """
    model = fitted.model
    summaries = summarise(prepared.arrays, fitted.structure)
    y = summaries.estimates[0] - model.mean
    precision = np.linalg.inv(summaries.errors[0] + model.within / model.weights[:, None, None])
    weighted = (precision @ y[:, :, None])[:, :, 0]
    between = np.linalg.inv(model.between)
    whitening = np.linalg.inv(np.linalg.cholesky(model.within))
    found = []
    for zone, name in enumerate(prepared.zone_ids):
        rows = np.flatnonzero(prepared.groups == zone)
        total, pull = precision[rows].sum(axis=0) + between, weighted[rows].sum(axis=0)
        centre = np.linalg.solve(total, pull)
        without = np.linalg.solve(total - precision[rows], (pull - weighted[rows])[:, :, None])[:, :, 0]
        moves = np.sqrt((((without - centre) @ whitening.T) ** 2).mean(axis=1))
        found += [
            Influence(
                parcel_id=prepared.reference.batch.parcels[prepared.rows[row]].parcel_id,
                zone_id=name,
                moves=round(float(move), 4),
                n_parcels=len(rows),
            )
            for row, move in zip(rows, moves, strict=True)
        ]
    return tuple(sorted(found, key=lambda item: (-item.moves, item.parcel_id))[:LISTED])
