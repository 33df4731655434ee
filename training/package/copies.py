"""Parcels that are in a package twice under other names: what is learnt from one would be tested on the other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.parcel import Batch, Parcel

FEWEST, MANY = 8, 40
"""Fewer stones than `FEWEST` may be alike by chance; `MANY` weights alike are a copy, whatever the classes say."""


def copies(batch: Batch, zone_of: Sequence[str]) -> list[Problem]:
    """Return a problem for every parcel that holds the stones of an earlier one, in whatever order.

    Parameters
    ----------
    zone_of : sequence of str, length n
        Zone of each parcel.
    """
    first: dict[bytes, int] = {}
    problems = []
    for position, parcel in enumerate(batch):
        if parcel.stones is None or parcel.n_stones < FEWEST:
            continue
        at = first.setdefault(_content(parcel), position)
        if at != position:
            other = batch.parcels[at].parcel_id
            reason = f"its {parcel.n_stones} stones weigh the same as those of parcel {other} of {zone_of[at]}: a copy"
            reason += "" if zone_of[at] == zone_of[position] else f", laid to {zone_of[position]}"
            reason += "; keep one of the two"
            named = parcel.parcel_id
            problems.append(
                Problem(table="parcels", column="parcel_id", value=named, code="copied_parcel", reason=reason)
            )
    return problems


def _content(parcel: Parcel) -> bytes:
    """Return a hash of the stones that does not depend on their order."""
    assert parcel.stones is not None
    weight = np.round(parcel.stones.weight_ct * 1e6).astype(np.int64)
    codes = [parcel.stones.codes[name].astype(np.int64) for name in sorted(parcel.stones.codes)]
    table = np.stack([weight, *(codes if parcel.n_stones < MANY else [])])
    return hashlib.sha256(table[:, np.lexsort(table[::-1])].tobytes()).digest()
