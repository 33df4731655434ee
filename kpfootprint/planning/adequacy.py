"""Are a zone's references enough: how distinct it is, where a false declaration would hide, what more would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import numpy as np

from kpfootprint.comparison.weigh import Judged
from kpfootprint.conclusions import CONSISTENT, QUERY
from kpfootprint.plain import Share
from kpfootprint.planning.trials import SEED, known_exactly, outcomes_of
from kpfootprint.reference import COMPLIANT
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats
from kpfootprint.stats.intervals import clopper_pearson
from kpfootprint.stats.metrics import cllr, costs
from kpfootprint.stats.shares import source_distances
from kpfootprint.stats.simulate import DrawnGoods, draw_goods

N_STONES = 500
"""Stones of the parcels that are drawn: about the median parcel."""
N_TRUE, N_FIRST, N_MORE = 160, 24, 96
N_HARDEST = 5
EXTRA_PARCELS = (0, 5, 10, 20, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """Another zone: its distance in standard deviations of parcels, and how often its parcels pass as the zone's.

    `low` and `high` are the limits of that chance at 90 %: it was counted on `n_drawn` parcels.
    """

    zone_id: str
    distance: Annotated[float, 2]
    chance_false_consistent: Share
    low: Share
    high: Share
    n_drawn: int
    status: str
    compliant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """With so many more reference parcels: Cllr of declarations, and how often a true one is called consistent."""

    extra_parcels: int
    expected_cllr: Share
    expected_chance: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Adequacy:
    """What a zone's references carry.

    Parameters
    ----------
    n_parcels, effective_parcels : int and float
        Reference parcels, and how many without any error, of known conditions, would tell as much of the zone.
    true_consistent, true_queried : float
        Chances that a true declaration of `n_stones` stones is called so.
    hardest : tuple of Neighbour
        Zones whose parcels pass most often when declared as this one, the most dangerous first.
    others : tuple of Neighbour
        Every other zone, the nearest first.
    nowhere_consistent : float
        The same for goods of a source that nobody has sampled.
    gain : tuple of Gain
        What more reference parcels of this zone would buy, where it exceeds what drawing others would change; the
        first has none.
    collect : str
        Zone of which parcels should be collected first: the one known least of this one and the most dangerous other.
    """

    zone_id: str
    n_stones: int
    n_parcels: int
    effective_parcels: Annotated[float, 1]
    true_consistent: Share
    true_queried: Share
    hardest: tuple[Neighbour, ...]
    others: tuple[Neighbour, ...]
    nowhere_consistent: Share
    gain: tuple[Gain, ...]
    collect: str


def adequacy(release: Release, zone_id: str, on: date) -> Adequacy:
    """Judge the references of one zone by declaring parcels of it, and of all others, as that zone.

    Parameters
    ----------
    zone_id : str
        A zone with reference parcels.
    on : date
        Day whose status of zones counts; the zone itself is taken for a compliant one.
    """
    z = release.zone_ids.index(zone_id)
    n_zones = len(release.zone_ids)
    declared = np.eye(n_zones)[z]
    status = [release.zone_table.status_on(zone, on) for zone in release.zone_ids]
    allowed = release.compliant_on(on)
    allowed[z] = True

    def tried(subject: Release, source: int, n: int, draw_seed: int) -> Judged:
        shares = np.zeros((n, n_zones + 1))
        shares[:, source] = 1.0
        goods = DrawnGoods(shares=shares, n_stones=np.full(n, N_STONES))
        arrays = draw_goods(subject.model, goods, np.random.default_rng([draw_seed, source]))
        outlawed = allowed.copy()
        if source < n_zones and source != z:
            outlawed[source] = False  # a false declaration is one of goods that may not be exported
        return outcomes_of(subject, arrays, np.broadcast_to(declared, (n, n_zones)), outlawed)

    true = tried(release, z, N_TRUE, SEED)
    nowhere = tried(release, n_zones, N_MORE, SEED)
    trials = {other: [tried(release, other, N_FIRST, SEED)] for other in range(n_zones) if other != z}
    distance = source_distances(release.model.predictor, release.model.structure, declared[None])[0].tolist()
    ranked = sorted(trials, key=lambda other: (-_passed(trials[other]).sum(), distance[other]))[:N_HARDEST]
    for other in ranked:
        trials[other].append(tried(release, other, N_MORE, SEED + 1))

    def neighbour(other: int) -> Neighbour:
        passed = _passed(trials[other])
        limits = clopper_pearson(int(passed.sum()), passed.size)
        return Neighbour(
            zone_id=release.zone_ids[other],
            distance=distance[other],
            chance_false_consistent=float(passed.mean()),
            low=limits.low,
            high=limits.high,
            n_drawn=passed.size,
            status=status[other],
            compliant=status[other] == COMPLIANT,
        )

    hardest = sorted(map(neighbour, ranked), key=lambda item: (-item.chance_false_consistent, item.distance))
    known = known_exactly(release, z)
    best = [tried(known, z, N_TRUE, SEED), tried(known, n_zones, N_MORE, SEED)]
    best += [tried(known, other, N_MORE, SEED + 1) for other in ranked]
    n_parcels = int(release.model.n_reference[z])
    effective = min(1.0 / max(float(release.model.predictor.scales[z]) - 1.0, 1e-9), float(n_parcels))
    return Adequacy(
        zone_id=zone_id,
        n_stones=N_STONES,
        n_parcels=n_parcels,
        effective_parcels=effective,
        true_consistent=float(_passed([true]).mean()),
        true_queried=float((true.conclusion == QUERY).mean()),
        hardest=tuple(hardest),
        others=tuple(sorted(map(neighbour, trials), key=lambda item: item.distance)),
        nowhere_consistent=float(_passed([nowhere]).mean()),
        gain=_gain(n_parcels, (true, nowhere, *(trials[other][-1] for other in ranked)), best),
        collect=_collect(release, z, hardest),
    )


def _passed(trials: Sequence[Judged]) -> Bools:
    """Return which drawn parcels were called consistent."""
    return np.concatenate([one.conclusion == CONSISTENT for one in trials])


def _gain(n_parcels: int, now: Sequence[Judged], known: Sequence[Judged]) -> tuple[Gain, ...]:
    """Return what further parcels of a zone would buy, from trials now and where the zone is known exactly.

    The first of either are true declarations, the others false ones.
    """
    h1, best_h1 = (trials[0].signs.log10_lr for trials in (now, known))
    h2, best_h2 = (np.concatenate([one.signs.log10_lr for one in trials[1:]]) for trials in (now, known))
    called, best_called = (_passed(trials[:1]) for trials in (now, known))
    saved = _surely(0.5 * (costs(-h1) - costs(-best_h1)), 0.5 * (costs(h2) - costs(best_h2)))
    won = _surely(best_called.astype(float) - called)
    error, chance = cllr(h1, h2), float(called.mean())
    learnt = {extra: extra / (n_parcels + extra) for extra in EXTRA_PARCELS}  # of further parcels as those here are
    return tuple(
        Gain(extra_parcels=extra, expected_cllr=error - part * saved, expected_chance=chance + part * won)
        for extra, part in learnt.items()
    )


def _surely(*gains: Floats) -> float:
    """Return the sum of mean gains over drawn parcels; 0 where other parcels, drawn as well, could have turned it."""
    total, error = sum(float(one.mean()) for one in gains), np.sqrt(sum(float(one.var()) / one.size for one in gains))
    return total if total > 2.0 * error else 0.0


def _collect(release: Release, z: int, hardest: list[Neighbour]) -> str:
    """Return the zone known least among this one and its most dangerous neighbour."""
    rival = release.zone_ids.index(hardest[0].zone_id) if hardest else z
    parcels = release.model.n_reference
    return release.zone_ids[rival if parcels[rival] < parcels[z] else z]
