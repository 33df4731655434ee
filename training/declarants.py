"""Declarants who try: parcels with goods of a source that was not compliant, under many declarations, the kindest kept.

Somebody who knows the program can try declarations on it until one is kindly received. So each of these parcels is
judged under its own zone and under others (single zones, pairs, four, five, all of them, a speck of the true source).

How many of them nobody could tell is measured beside it: by the model's own likelihood of just these goods against the
home zone's alone, as somebody would weigh it who knew the home zone, the source and its share, and had only to find out
whether the goods are there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from joblib import delayed

from kpfootprint.comparison.weigh import Terms, judge
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Bools, Floats, Ints, joined
from kpfootprint.stats.model import Look, look
from kpfootprint.stats.ranks import RankTable
from training.progress import side_by_side
from training.scenarios import Scenario, Truth
from training.simulate import Urn, chunks, draw_scenario

SHARES = (0.3, 0.5)
"""Shares of the stones that come from a zone that was not compliant."""
SPECK = 1e-4
TRIES = (("single", 6), ("pair with the own zone", 3), ("pair", 3), ("four", 2), ("five", 1), ("all compliant", 1))
"""What is tried beside the own zone, and how often; then all zones, and a speck of the true source."""
N_TRIES = 3 + sum(count for _, count in TRIES)
CHUNK = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Parcels (n) of declarants who try.

    Parameters
    ----------
    n_stones : ndarray of shape (n,)
        Stones of each parcel.
    share : ndarray of shape (n,)
        Share of the stones that was meant to come from a zone that was not compliant, one of `SHARES`.
    conclusion : ndarray of shape (n, N_TRIES)
        Position in `kpfootprint.conclusions.CONCLUSIONS` under every declaration, the own zone first.
    known_p : ndarray of shape (n,)
        P-value of none of these goods where home zone, source and share are known, among parcels of the home zone.
    """

    n_stones: Floats
    share: Floats
    conclusion: Ints
    known_p: Floats


def declarations_tried(home: int, source: int, allowed: Bools, rng: np.random.Generator) -> Floats:
    """Return declared shares (N_TRIES, Z) that somebody with goods of `home` and of `source` could try."""
    z = allowed.size
    others = rng.permutation(np.flatnonzero(allowed & (np.arange(z) != home)))
    out = np.zeros((N_TRIES, z))
    out[0, home] = 1.0
    row = 1
    for name, count in TRIES:
        for k in range(count):
            if name == "single":
                chosen = others[[k % others.size]]
            elif name == "pair with the own zone":
                chosen = np.array([home, others[k % others.size]])
            elif name == "all compliant":
                chosen = np.flatnonzero(allowed)
            else:
                pool = others if name == "pair" else np.flatnonzero(allowed)
                wanted = {"pair": 2, "four": 4, "five": 5}[name]
                chosen = rng.choice(pool, min(wanted, pool.size), replace=False)
            out[row, chosen] = rng.dirichlet(np.full(chosen.size, 2.0))
            row += 1
    out[row] = rng.dirichlet(np.full(z, 2.0))
    out[row + 1, [home, source]] = 1.0 - SPECK, SPECK
    return out


def _tried(
    seed: np.random.SeedSequence,
    share: float,
    n: int,
    *,
    by: Release | Terms,
    urn: Urn,
    sets: Bools,
    scenario: Scenario,
) -> Tried:
    rng = np.random.default_rng(seed)
    z = sets.shape[1]
    allowed = sets[rng.integers(len(sets), size=n)]
    home = np.where(allowed, rng.random((n, z)), -1.0).argmax(axis=1)
    source = np.where(allowed, -1.0, rng.random((n, z))).argmax(axis=1)
    own = np.eye(z)[home]
    truth = Truth.of_home("mixed", own, source, share, allowed)
    arrays, _ = draw_scenario(scenario, urn.fitted, truth, rng)
    tries = np.stack(
        [declarations_tried(int(h), int(s), a, rng) for h, s, a in zip(home, source, allowed, strict=True)]
    )
    first = look(by.model, arrays, own)
    clean = Truth.of_home("listed", own, source, 0.0, allowed)
    without, _ = draw_scenario(scenario, urn.fitted, clean, rng)
    goods = (1.0 - share) * own + share * np.eye(z)[source]
    with_goods, none = (_for_goods(seen, goods) for seen in (first, look(by.model, without, own)))
    known_p = RankTable.from_calibration(none, np.log(without.n_stones)).p_values(with_goods, first.ln_n)
    under = [first.under(np.arange(n), declared) for declared in tries.transpose(1, 0, 2)]
    said = [judge(by, looked, allowed).conclusion for looked in under]
    return Tried(n_stones=arrays.n_stones, share=np.full(n, share), conclusion=np.stack(said, axis=1), known_p=known_p)


def _for_goods(looked: Look, goods: Floats) -> Floats:
    """Return the log likelihood ratio (n,) of a blend against what was declared."""
    return looked.under(np.arange(len(goods)), goods).evidence.declared - looked.evidence.declared


def try_declarations(
    by: Release | Terms, urn: Urn, scenario: Scenario, *, n: int, seed: np.random.SeedSequence
) -> Tried | None:
    """Draw parcels with 30 % and 50 % of their stones from a zone that was not compliant, and try declarations on them.

    Sizes are as they were in the ground; conditions and stones are as the scenario has them.

    Parameters
    ----------
    n : int
        Parcels of each of `SHARES`.

    Returns
    -------
    Tried or None
        None where no day has two compliant zones and one that was not.
    """
    allowed = urn.sets > 0
    sets = allowed[(allowed.sum(axis=1) >= 2) & ~allowed.all(axis=1)]
    if len(sets) == 0 or n == 0:
        return None
    one = partial(_tried, by=by, urn=urn, sets=sets, scenario=replace(scenario, sieved=0.0))
    tasks = [(share, size) for share in SHARES for size in chunks(n, CHUNK)]
    keys = seed.spawn(len(tasks))
    calls = [delayed(one)(key, share, size) for key, (share, size) in zip(keys, tasks, strict=True)]
    parts: list[Tried] = side_by_side(calls, n_jobs=urn.n_jobs)
    return joined(parts)
