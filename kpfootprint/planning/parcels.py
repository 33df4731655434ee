"""From parcels to what planning looks at: claims to pool, and the numbers that control charts follow."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from kpfootprint.comparison.hypotheses import form_hypotheses
from kpfootprint.errors import InvalidParcel
from kpfootprint.footprint import footprints_of, mean_stones
from kpfootprint.parcel import Batch
from kpfootprint.planning.drift import Followed
from kpfootprint.planning.pooling import Claim
from kpfootprint.planning.trials import Outcomes, outcomes_of
from kpfootprint.release import Release
from kpfootprint.stats.summaries import summarise

Floats = NDArray[np.float64]


def claim_of(batch: Batch, release: Release, status_on: date) -> Claim:
    """Return the claim that parcels make together.

    Raises
    ------
    InvalidParcel
        If a parcel has no declaration, or declares a zone without reference.
    """
    n, z = len(batch), len(release.zone_ids)
    declared, allowed = np.zeros((n, z)), np.zeros((n, z), dtype=bool)
    sorter = np.full(n, -1)
    parts: list[tuple[NDArray[np.intp], Outcomes]] = []
    for footprints in footprints_of(batch, release.scheme, release.model.structure, release.level_names):
        rows = footprints.rows
        parcels = tuple(batch.parcels[row] for row in rows)
        hypotheses = form_hypotheses(parcels, release, status_on, mean_stones(footprints.arrays, release.model))
        for parcel, testable in zip(parcels, hypotheses.testable, strict=True):
            if not testable:
                raise InvalidParcel(
                    f"parcel {parcel.parcel_id!r} cannot be pooled: it needs a declaration of zones with a reference"
                )
        declared[rows], allowed[rows] = hypotheses.weights, hypotheses.allowed
        sorter[rows] = footprints.arrays.levels[:, -1]
        parts.append((rows, outcomes_of(release, footprints.arrays, hypotheses.weights, hypotheses.allowed)))
    order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
    outcomes = Outcomes(
        **{name: np.concatenate([getattr(one, name) for _, one in parts])[order] for name in Outcomes.__slots__}
    )
    return Claim(
        declared=declared,
        allowed=allowed,
        n_stones=np.array([parcel.n_stones for parcel in batch]),
        sorter=sorter,
        outcomes=outcomes,
    )


def followed_in(batch: Batch, release: Release) -> tuple[Followed, ...]:
    """Return the numbers that charts of a series of parcels follow: mean log size, and the log ratio of every class.

    The standard deviation of each is that of parcels of one source and of counting its stones together.
    """
    structure, predictor = release.model.structure, release.model.predictor
    names = ["size"]
    turned = [np.eye(structure.n_parameters)[:1]]
    for attribute, basis, block in zip(release.scheme.categorical, structure.bases, structure.blocks[1:], strict=True):
        wide = np.zeros((basis.shape[0], structure.n_parameters))
        wide[:, block] = basis
        turned.append(wide)
        names += [f"{attribute.name}:{item.name}" for item in attribute.classes]
    turn = np.concatenate(turned)
    values, sd = np.full((len(batch), len(turn)), np.nan), np.ones((len(batch), len(turn)))
    for footprints in footprints_of(batch, release.scheme, structure, release.level_names):
        summaries = summarise(footprints.arrays, structure)
        spread = summaries.errors[0] + predictor.within
        values[footprints.rows] = summaries.estimates[0] @ turn.T
        sd[footprints.rows] = np.sqrt(np.einsum("kd,pde,ke->pk", turn, spread, turn))
        recorded = np.repeat(footprints.arrays.recorded, [1, *(basis.shape[0] for basis in structure.bases)], axis=1)
        values[footprints.rows] = np.where(recorded, values[footprints.rows], np.nan)
    return tuple(Followed(name=name, values=values[:, k], sd=sd[:, k]) for k, name in enumerate(names))
