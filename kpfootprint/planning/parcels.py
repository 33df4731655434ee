"""From parcels to what planning looks at: claims to pool, and the numbers that control charts follow."""

from __future__ import annotations

from datetime import date

import numpy as np

from kpfootprint.comparison.hypotheses import form_hypotheses, settle_shares
from kpfootprint.comparison.weigh import Judged
from kpfootprint.errors import IngestError, Problem
from kpfootprint.footprint import footprints_of, mean_stones
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.planning.drift import Followed
from kpfootprint.planning.pooling import Claim
from kpfootprint.planning.question import problem
from kpfootprint.planning.trials import outcomes_of, resampled_of
from kpfootprint.release import Release
from kpfootprint.stats.arrays import Floats, Ints, joined, rows_of
from kpfootprint.stats.summaries import summarise

SORTERS_DIFFER = 0.02
"""Two sorters' counts of one parcel differ by no more than this part."""


def claim_of(batch: Batch, release: Release, status_on: date) -> Claim:
    """Return the claim that parcels make together.

    Raises
    ------
    IngestError
        If parcels have no declaration, or declare a zone without reference; all of them at once.
    """
    n, z = len(batch), len(release.zone_ids)
    declared, allowed = np.zeros((n, z)), np.zeros((n, z), dtype=bool)
    sorter, n_stones = np.full(n, -1), np.zeros(n, dtype=np.intp)
    parts: list[tuple[Ints, Judged, Floats]] = []
    problems: list[Problem] = []
    for footprints in footprints_of(batch, release.scheme, release.model.structure, release.level_names):
        rows = footprints.rows
        parcels = tuple(batch.parcels[row] for row in rows)
        arrays, mean_ct = footprints.arrays, mean_stones(footprints.arrays, release.model)
        hypotheses = form_hypotheses(parcels, release, status_on, mean_ct)
        problems += [
            problem("cannot_be_pooled", "invalid", table="parcels", column="declarations", value=parcel.parcel_id)
            for parcel, fine in zip(parcels, hypotheses.testable, strict=True)
            if not fine
        ]
        if problems:
            continue
        settled, free = settle_shares(arrays, hypotheses, release, mean_ct)
        declared[rows], allowed[rows], sorter[rows] = settled.weights, settled.allowed, arrays.levels[:, -1]
        n_stones[rows] = [
            p.n_stones or max(round(n), 1) for p, n in zip(parcels, arrays.n_stones.tolist(), strict=True)
        ]
        again = resampled_of(release, arrays, settled.weights, settled.alternatives, free.log_evidence)
        outcomes = outcomes_of(release, arrays, settled.weights, settled.allowed, free.log_evidence)
        parts.append((rows, outcomes, again))
    if problems:
        raise IngestError(sorted(problems, key=lambda item: str(item.value)))
    order = np.argsort(np.concatenate([rows for rows, _, _ in parts]), kind="stable")
    return Claim(
        declared=declared,
        allowed=allowed,
        n_stones=n_stones,
        sorter=sorter,
        outcomes=rows_of(joined([one for _, one, _ in parts]), order),
        resampled=np.concatenate([again for _, _, again in parts], axis=1)[:, order],
    )


def counted_once(batch: Batch) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Return the positions of parcels without those that a batch holds before, and pairs of (repeated, first).

    The same stones under another name are the same parcel, and so are several sorters' sheets of one: ``P/exporter``
    and ``P/ministry``, of as many stones and carats but for what sorters differ by.
    """
    kept: list[int] = []
    repeated: list[tuple[int, int]] = []
    by_goods: dict[object, int] = {}
    for position, parcel in enumerate(batch):
        goods = _goods_in(parcel)
        first = by_goods.get(goods)
        if first is None:
            first = next((at for at in kept if _sorted_again(batch.parcels[at], parcel)), None)
        if first is None:
            kept.append(position)
            by_goods[goods] = position
        else:
            repeated.append((position, first))
    return tuple(kept), tuple(repeated)


def _sorted_again(one: Parcel, other: Parcel) -> bool:
    names = [parcel.parcel_id.rpartition("/")[0] for parcel in (one, other)]
    if not names[0] or names[0] != names[1]:
        return False
    pairs = ((one.n_stones, other.n_stones), (one.carats, other.carats))
    return all(a is None or b is None or abs(a - b) <= SORTERS_DIFFER * max(a, b) for a, b in pairs)


def _goods_in(parcel: Parcel) -> object:
    """Return what a parcel holds, in an order of its own."""
    if parcel.stones is not None:
        stones, names = parcel.stones, sorted(parcel.stones.codes)
        columns = [np.rint(stones.weight_ct * 100), *(stones.codes[name] for name in names)]
        return (*names, np.sort(np.rec.fromarrays(columns)).tobytes())
    rows = [
        (item.attributes, tuple(codes), n)
        for item in parcel.breakdowns
        for codes, n in zip(item.codes.tolist(), item.n_stones.tolist(), strict=True)
    ]
    return (parcel.carats, parcel.sieve_set, tuple(sorted(rows)))


def followed_in(batch: Batch, release: Release) -> tuple[tuple[Followed, ...], Floats]:
    """Return what charts of a series of parcels follow, mean log size and the log ratio of every class.

    The standard deviation of each is that of parcels of one source and of counting its stones together; their
    correlation (K, K) is that of a typical parcel of these.
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
    total = np.zeros((len(turn), len(turn)))
    values, sd = np.full((len(batch), len(turn)), np.nan), np.ones((len(batch), len(turn)))
    for footprints in footprints_of(batch, release.scheme, structure, release.level_names):
        summaries = summarise(footprints.arrays, structure)
        spread = summaries.errors[0] + predictor.within
        values[footprints.rows] = summaries.estimates[0] @ turn.T
        turned_spread = turn @ spread @ turn.T
        sd[footprints.rows] = np.sqrt(np.einsum("pkk->pk", turned_spread))
        total += (turned_spread / np.einsum("pk,pl->pkl", sd[footprints.rows], sd[footprints.rows])).sum(axis=0)
        recorded = np.repeat(footprints.arrays.recorded, [1, *(basis.shape[0] for basis in structure.bases)], axis=1)
        values[footprints.rows] = np.where(recorded, values[footprints.rows], np.nan)
    charts = tuple(Followed(name=name, values=values[:, k], sd=sd[:, k]) for k, name in enumerate(names))
    return charts, total / len(batch)
