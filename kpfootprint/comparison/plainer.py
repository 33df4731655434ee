"""The same goods told more plainly: what a word must not rest on, since whoever tells it can choose.

Which stones an attribute is recorded of can be chosen, so that foreign ones are left blank. Where that are fewer than
nine in ten, the word is no kinder than it would be without the attribute; and sizes alone, which mixed goods share with
others, are never consistent with anything. What is stated of the conditions can be chosen too; but it is mostly those
who sort that state it, and to know it is worth something. So where *consistent* rests on it, the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.conclusions import CONSISTENT, INCONCLUSIVE, QUERY
from kpfootprint.parcel import Parcel
from kpfootprint.scheme import Attribute, Scheme
from kpfootprint.stats.arrays import Bools, Floats

LEAST_RECORDED = 0.9
"""Least share of the stones of which an attribute is recorded that counts as recorded of the parcel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plainer:
    """What the words of the same goods are, told more plainly, as positions in `kpfootprint.conclusions.CONCLUSIONS`.

    Parameters
    ----------
    attributes : tuple of str
        What is recorded of some stones, and of too few.
    without : int
        The word without these, at least inconclusive where nothing but sizes remains; else the kindest, `CONSISTENT`.
    unstated : int
        The word as if no condition were known; `CONSISTENT` where that was not asked.
    """

    attributes: tuple[str, ...] = ()
    without: int = CONSISTENT
    unstated: int = CONSISTENT


def plainer_of(parcel: Parcel, scheme: Scheme, word: int) -> tuple[Plainer, Parcel | None, Parcel | None]:
    """Return what is known of the plainer words, and the parcels whose words are to be had for them.

    Returns
    -------
    tuple
        The words, the parcel without what is recorded of few, and the parcel of unknown conditions; None where its word
        is not asked, as it could make none less kind.
    """
    if word >= QUERY:
        return Plainer(), None, None
    shares = {item.name: recorded_share(parcel, item) for item in scheme.categorical}
    few = tuple(name for name, share in shares.items() if 0.0 < share < LEAST_RECORDED)
    without = parcel.without(few) if few and max(shares.values()) >= LEAST_RECORDED else None
    nothing = without is None and bool(few or (shares and not any(shares.values())))
    known = Plainer(attributes=few, without=INCONCLUSIVE if nothing else CONSISTENT)
    if word != CONSISTENT or not parcel.conditions.stated:
        return known, without, None
    return known, without, replace(parcel, conditions=parcel.conditions.unstated)


def recorded_share(parcel: Parcel, attribute: Attribute) -> float:
    """Return the share of the stones (or carats) of which an attribute is plainly recorded, from 0 to 1.

    A stone in a set of classes is not where another word of the same sheet overlaps with that set. A sample of the
    stones that is said to be one counts as all of them.
    """
    name = attribute.name
    if parcel.stones is not None:
        codes = parcel.stones.codes.get(name)
        return 0.0 if codes is None else _share(codes, np.ones(codes.size), attribute)
    found = [item for item in parcel.breakdowns if name in item.attributes]
    whole = [item for item in found if not item.sample]
    if not whole:
        return float(bool(found))
    shares = []
    for item in whole:
        counted = item.n_stones if item.counted is not None or item.carats is None else np.nan_to_num(item.carats)
        shares.append(_share(item.codes_of(name), np.maximum(counted, 0).astype(float), attribute))
    return min(shares)


def _share(codes: NDArray[np.integer], number: Floats, attribute: Attribute) -> float:
    """Return the part of stones (m,) in plain words, 0 where there are none."""
    members: Bools = attribute.members_of_codes()
    used = np.unique(codes[codes >= 0])
    touching = (members[used].astype(int) @ members[used].T.astype(int) > 0).sum(axis=1) > 1
    loose = used[touching & (used >= len(attribute.classes))]
    plain = (codes >= 0) & ~np.isin(codes, loose)
    return float(number[plain].sum() / max(float(number.sum()), 1e-12))
