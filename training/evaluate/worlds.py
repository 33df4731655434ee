"""Worlds that differ from the model: reference packages drawn with more variance, other associations, sizes or tails.

Each is drawn around what was learnt of a package and has its parcels, zones and numbers of stones. The method learns
from folds of the drawn package and is tried on the rest, so it may adapt; where it does not, it has to widen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.parcel import Batch, Parcel, Stones
from kpfootprint.reference import ReferencePackage
from kpfootprint.stats.arrays import Floats
from training.evaluate.methods import fit_splits
from training.evaluate.own import OwnEvidence
from training.evaluate.setting import SEED, Setting
from training.evaluate.trials import Draws
from training.folds import folds
from training.prepare import Fitted, Prepared
from training.record import Result

APART = 0.6
"""Log size by which two deposits of one zone lie on either side of its middle."""
STONES = (30, 1500)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How a world differs from the fitted model.

    Parameters
    ----------
    variance : float
        Multiple of the variance between parcels of one zone.
    association : float
        Standard deviation of each zone's own association of two attributes, added to the shared one.
    deposits : bool
        Whether the sizes of a zone come from two deposits, in shares that differ from parcel to parcel.
    degrees_of_freedom : float
        Of the parcels' deviations; infinite: normal.
    """

    name: str
    variance: float = 1.0
    association: float = 0.0
    deposits: bool = False
    degrees_of_freedom: float = np.inf


WORLDS: tuple[World, ...] = (
    World(name="as fitted"),
    World(name="3 times the variance between parcels", variance=3.0),
    World(name="10 times the variance between parcels", variance=10.0),
    World(name="an association of its own in every zone", association=0.5),
    World(name="sizes of two deposits", deposits=True),
    World(name="heavy tails", degrees_of_freedom=3.0),
)


def drawn_parcel(name: str, weight: Floats, codes: Mapping[str, NDArray[np.int16]]) -> Parcel:
    """Return a parcel of stones of these weights in carats and these classes, of which nothing else is stated."""
    stones = Stones(weight_ct=weight, codes=codes)
    return Parcel(parcel_id=name, n_stones=weight.size, carats=float(weight.sum()), stones=stones)


def drawn_package(
    like: ReferencePackage, name: str, parcels: Sequence[Parcel], zone_of: Sequence[str]
) -> ReferencePackage:
    """Return a package with these parcels in place of its own, and with a name that says so."""
    days = (None,) * len(parcels)
    return replace(like, name=name, batch=Batch(tuple(parcels)), zone_of=tuple(zone_of), collected_on=days)


def draw_world(world: World, prepared: Prepared, fitted: Fitted, *, seed: int) -> ReferencePackage:
    """Draw a package like the prepared one from a world."""
    rng = np.random.default_rng(seed)
    structure, model, reference = fitted.structure, fitted.model, prepared.reference
    root = np.linalg.cholesky(world.variance * model.within)
    n_zones, pairs = len(prepared.zone_ids), structure.associations
    own = [rng.normal(0.0, world.association, (n_zones, *pair.shape)) for pair in pairs[:1]]
    names = [attribute.name for attribute in reference.scheme.categorical]
    centre = float(structure.size_prior_mean[0])
    smallest = max(float(np.exp(structure.edge_mean)), 0.01)
    parcels = []
    for row, zone in enumerate(prepared.groups):
        deviation = root @ rng.standard_normal(len(root))
        if np.isfinite(world.degrees_of_freedom):
            deviation *= np.sqrt(world.degrees_of_freedom / rng.chisquare(world.degrees_of_freedom))
        numbers = model.groups[zone] + deviation
        n = int(np.clip(prepared.arrays.n_stones[row], *STONES))
        shift = np.where(rng.random(n) < rng.beta(2.0, 2.0), APART, -APART) if world.deposits else np.zeros(n)
        log_size = rng.normal(numbers[0] + shift, np.exp(np.clip(numbers[1], -3.0, 1.5)))
        weight = np.maximum(np.exp(np.clip(log_size, -6.0, 5.0)).round(3), smallest)
        codes: dict[str, NDArray[np.int16]] = {}
        first: NDArray[np.int16] | None = None
        for a, name in enumerate(names):
            logits = structure.bases[a] @ numbers[structure.blocks[1 + a]]
            logits = logits + (np.log(weight) - centre)[:, None] * structure.slopes[a]
            if a == 1 and first is not None:
                logits = logits + (pairs[0] + own[0][zone])[first]
            # the largest of logits with Gumbel noise is a draw from their softmax
            codes[name] = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1).astype(np.int16)
            first = codes[name] if first is None else first
        parcels.append(drawn_parcel(f"W{row:04}", weight, codes))
    zone_of = [prepared.zone_ids[zone] for zone in prepared.groups]
    return drawn_package(reference, f"{reference.name}, {world.name}", parcels, zone_of)


def world_results(
    method: OwnEvidence,
    prepared: Prepared,
    fitted: Fitted,
    *,
    draws: Draws,
    worlds: Sequence[World] = WORLDS,
) -> list[Result]:
    """Measure in each world whether what a method says stays calibrated."""
    results: list[Result] = []
    for k, world in enumerate(worlds):
        package, asked = draw_world(world, prepared, fitted, seed=SEED + k), method.settings
        setting = Setting.of(method, package, unlisted_weight=asked.unlisted_weight, turned=asked.turned)
        results += setting.results(
            fit_splits(method, package, folds(setting.fold)),
            conditions=f"world: {world.name}",
            characteristic="other worlds",
            draws=draws,
        )
    return results
