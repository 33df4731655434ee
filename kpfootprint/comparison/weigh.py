"""Declarations weighed and judged, all numbers of a batch at once: likelihood ratios, shares, novelty, and the word.

A declaration can be chosen to please. So nothing is called consistent where goods that were not compliant show under
the declaration of compliant zones that suits the parcel best, whatever was declared. And a blend has to explain the
parcel: where one of its main zones alone explains it about as well, the word is never kinder than the kindest that a
main zone alone would get.

What else is told can be chosen too. Which stones an attribute is recorded of can be, so that foreign ones are left
blank: where that are fewer than nine in ten, the word is no kinder than it would be without the attribute; and sizes
alone, which mixed goods share with others, are never consistent with anything. What is stated of the conditions can be;
but it is mostly those who sort that state it, and to know it is worth something. So where *consistent* rests on it, the
report says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from kpfootprint.comparison.hypotheses import Hypotheses, Together, formed
from kpfootprint.comparison.results import DeclaredZone
from kpfootprint.conclusions import CONCLUSIONS, CONSISTENT, INCONCLUSIVE, QUERY, Rules, Signs, conclude
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.release import Release
from kpfootprint.scheme import Attribute, Scheme
from kpfootprint.stats.arrays import Bools, Floats, Ints, ParcelArrays
from kpfootprint.stats.declarations import not_named
from kpfootprint.stats.evidence import AS_RECORDED, CLASSES
from kpfootprint.stats.intervals import ENDS
from kpfootprint.stats.metrics import LN10
from kpfootprint.stats.model import FootprintModel, Look, elsewhere, goods_p, look, slot_evidence, undeclared_shares
from kpfootprint.stats.parcel_model import DEGREES_OF_FREEDOM
from kpfootprint.stats.ranks import highest_log10_lr
from kpfootprint.stats.shares import ShareEstimates
from kpfootprint.stats.verification import LikelihoodRatio, shapley, unlisted_odds

OTHER_WEIGHTS = (0.1, 0.5, 0.9)
"""Weights of the unlisted source for which the LR is shown beside the stated one."""
VARIANCES = (1.0, 3.0, 10.0)
"""Multiples of the variance between parcels of a zone for which the LR is shown; the first is as it was learnt."""
MAIN = 0.05
"""Least declared share of stones of a main zone; the largest is always one."""
EXPLAINS_LOG10 = 0.5
"""A blend explains a parcel that is this many times (log10) as probable from it as from its best main zone alone."""
LEAST_RECORDED = 0.9
"""Least share of the stones of which an attribute is recorded that counts as recorded of the parcel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Declarations (n) judged.

    Parameters
    ----------
    unbounded : ndarray of shape (n,)
        Calibrated LR before bounds.
    highest : ndarray of shape (n,)
        Largest log10 LR that each parcel carries.
    shares : ShareEstimates
        Undeclared shares of stones.
    signs : Signs
        What the word is drawn from; `best_p` is 1 where the word does not hang on it.
    by_itself : ndarray of shape (n,)
        Position in `CONCLUSIONS` of the word that the declaration gets as it stands.
    conclusion : ndarray of shape (n,)
        The same, but no kinder than the kindest word that a main zone would get alone, where a blend explains the
        parcel no better than its best main zone.
    """

    unbounded: Floats
    highest: Floats
    shares: ShareEstimates
    signs: Signs
    by_itself: Ints
    conclusion: Ints


def main_zones(declared: Floats) -> Bools:
    """Return the main zones (n, Z) of each declaration."""
    out: Bools = (declared >= MAIN) | (declared == declared.max(axis=1, keepdims=True))
    return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What declarations are judged by, where there is no release yet: a model, rules, an unlisted source's weight."""

    model: FootprintModel
    rules: Rules
    unlisted_weight: float


def ratio(by: Release | Terms, looked: Look, allowed: Bools) -> LikelihoodRatio:
    """Return what weighs declarations against goods from elsewhere."""
    alternatives = elsewhere(looked.weighed.shares, allowed)
    return LikelihoodRatio(model=by.model, looked=looked, alternatives=alternatives, unlisted_weight=by.unlisted_weight)


def judge(by: Release | Terms, looked: Look, allowed: Bools) -> Judged:
    """Judge declarations.

    Parameters
    ----------
    looked : Look
        Parcels seen with their declarations.
    allowed : ndarray of shape (n, Z), bool
        Zones that were compliant.
    """
    own, declared = _by_itself(by, looked, allowed), looked.weighed.shares
    main = main_zones(declared)
    best = np.where(main, looked.evidence.listed, -np.inf).max(axis=1)
    several = (declared > 0).sum(axis=1) > 1
    unexplained = several & (looked.evidence.declared - best < EXPLAINS_LOG10 * LN10)
    conclusion = own.conclusion
    row, zone = np.nonzero(main & unexplained[:, None])
    if row.size:
        alone = looked.under(row, np.eye(declared.shape[1])[zone])
        said = _by_itself(by, alone, allowed[row]).conclusion
        kindest = np.full(len(declared), len(CONCLUSIONS), dtype=np.intp)
        np.minimum.at(kindest, row, said)
        conclusion = np.where(unexplained, np.maximum(conclusion, kindest), conclusion)
    return replace(own, conclusion=conclusion)


def _by_itself(by: Release | Terms, looked: Look, allowed: Bools) -> Judged:
    """Judge declarations as they stand."""
    model, rules = by.model, by.rules
    unbounded = ratio(by, looked, allowed).value
    novelty_p = novelty_of(model, looked)
    highest = np.minimum(model.calibration.bounds[1], highest_log10_lr(novelty_p, rules.strong_novelty_p))
    shares, n_stones = undeclared_shares(model, looked, allowed), looked.view.arrays.n_stones
    signs = Signs(
        log10_lr=model.calibration.bounded(unbounded, highest),
        share_p=shares.p_value,
        share_low=shares.low,
        as_declared_p=shares.as_declared_p,
        best_p=np.ones(len(n_stones)),
        novelty_p=novelty_p,
    )
    word = conclude(rules, signs, n_stones)
    asked = np.flatnonzero(word == CONSISTENT)
    if asked.size and rules.consistent_best_p > 0:
        signs.best_p[asked] = goods_p(model, looked, asked, allowed[asked])
        word = conclude(rules, signs, n_stones)
    return Judged(unbounded=unbounded, highest=highest, shares=shares, signs=signs, by_itself=word, conclusion=word)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfDeclaration:
    """What was declared of n parcels, weighed; log10 LRs are calibrated, and within bounds unless they say otherwise.

    `judged` has the LR itself, undeclared shares and the conclusion; `each` (n, Z) is the LR against each zone alone,
    `any_other` against all zones as far as not declared, `by_weight` (n, 3) under `OTHER_WEIGHTS`, `by_variance`
    (n, 3) under `VARIANCES`, `by_selection` (n, 3) unbounded: sizes as recorded, marginalised, left out;
    `sorter_blank` (n,) unbounded, as if the sorter were not known; `attribute_shares` (n, A + 1) of the unbounded LR;
    `split` (n,) unbounded, of the stated split against any split of the same origins, NaN where that is not asked.
    """

    judged: Judged
    low: Floats
    high: Floats
    any_other: Floats
    each: Floats
    by_weight: Floats
    by_variance: Floats
    by_selection: Floats
    sorter_blank: Floats
    attribute_shares: Floats
    typicality_p: Floats
    split: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Numbers of n parcels over Z zones; `declaration` is None where H1 cannot be had."""

    looked: Look
    posterior: Floats
    unlisted_posterior: Floats
    novelty_p: Floats
    declaration: OfDeclaration | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OneParcel:
    """A parcel in its `row` of a batch that was weighed, and the day of the comparison.

    `mean_ct` (Z,) is the mean stone of each zone as it would be seen through the parcel's screen, in carats; `plainer`
    are the words of the same goods told more plainly.
    """

    parcel: Parcel
    row: int
    weighed: Weighed
    hypotheses: Hypotheses
    release: Release
    mean_ct: Floats
    compared_on: date
    plainer: Plainer

    @property
    def arrays(self) -> ParcelArrays:
        """The batch as arrays."""
        return self.weighed.looked.view.arrays

    @property
    def n_stones(self) -> int:
        """Stones as they were counted, or about as many as there are."""
        return self.parcel.n_stones or max(round(float(self.arrays.n_stones[self.row])), 1)

    @property
    def word(self) -> int:
        """The position in `CONCLUSIONS` of what is concluded, where H1 can be had: no kinder than told more plainly."""
        assert self.weighed.declaration is not None
        return max(int(self.weighed.declaration.judged.conclusion[self.row]), self.plainer.without)

    @property
    def day(self) -> date:
        """The day whose status of zones counts."""
        return self.hypotheses.days[self.row]

    @property
    def declared(self) -> tuple[DeclaredZone, ...]:
        """The zones that are declared."""
        return self.hypotheses.declared[self.row]

    @property
    def weights(self) -> Floats:
        """Declared shares of stones (Z,)."""
        out: Floats = self.hypotheses.weights[self.row]
        return out

    @property
    def source(self) -> dict[str, tuple[str, ...]]:
        """What a statement says was declared: the zones, and what the paper names where that is a country."""
        zones = tuple(self.release.zone_ids[k] for k in np.flatnonzero(self.weights))
        origins = self.hypotheses.origins[self.row]
        return {"zones": zones} | ({"origins": origins.names} if origins is not None and origins.free else {})


def weigh(together: Together, release: Release) -> Weighed:
    """Compute the numbers of parcels, all at once."""
    model, hypotheses = release.model, together.hypotheses
    declared = hypotheses.weights if hypotheses.testable.all() else None
    looked = integrated(look(model, together.arrays, declared), hypotheses.log_evidence)
    of_declaration = None if declared is None else _of_declaration(looked, hypotheses, release)
    posterior, unlisted = unlisted_odds(looked.evidence, release.unlisted_weight)
    return Weighed(
        looked=looked,
        posterior=posterior,
        unlisted_posterior=unlisted,
        novelty_p=novelty_of(model, looked) if of_declaration is None else of_declaration.judged.signs.novelty_p,
        declaration=of_declaration,
    )


def novelty_of(model: FootprintModel, looked: Look) -> Floats:
    """Return the p-values (n,) of novelty."""
    return model.novelty.p_values(looked.strangeness, looked.ln_n)


def _of_declaration(looked: Look, hypotheses: Hypotheses, release: Release) -> OfDeclaration:
    judged = judge(release, looked, hypotheses.allowed)
    highest, lr = judged.highest, ratio(release, looked, hypotheses.allowed)
    flags, values, sorter_blank = lr.by_subset()

    def bounded(log10_lr: Floats) -> Floats:
        return release.model.calibration.bounded(log10_lr, highest)

    low, high = np.quantile(bounded(resampled(lr, hypotheses.log_evidence)), ENDS, axis=0)
    selection = [lr.of(slot_evidence(looked.readings, slot)) for slot in (AS_RECORDED, CLASSES)]
    wider = [lr.under_variance(factor) for factor in VARIANCES[1:]]
    return OfDeclaration(
        judged=judged,
        low=np.minimum(low, judged.signs.log10_lr),
        high=np.maximum(high, judged.signs.log10_lr),
        any_other=bounded(replace(lr, alternatives=not_named(hypotheses.weights)).value),
        each=bounded(lr.against_each().T).T,
        by_weight=np.stack([bounded(replace(lr, unlisted_weight=weight).value) for weight in OTHER_WEIGHTS], axis=1),
        by_variance=np.stack([judged.signs.log10_lr, *map(bounded, wider)], axis=1),
        by_selection=np.stack([selection[0], judged.unbounded, selection[1]], axis=1),
        sorter_blank=np.where(looked.view.arrays.levels[:, -1] >= 0, sorter_blank, np.nan),
        attribute_shares=shapley(flags, values),
        typicality_p=_typicality(looked),
        split=hypotheses.split_log10_lr,
    )


def resampled(lr: LikelihoodRatio, log_evidence: Floats) -> Floats:
    """Return the LRs (B, n) with reference parcels drawn anew; what is integrated over moves all versions alike."""
    drawn = lr.resampled()
    if not log_evidence.any():
        return drawn
    return drawn + lr.value - lr.of(integrated(lr.looked, -log_evidence).evidence)


def integrated(looked: Look, log_evidence: Floats) -> Look:
    """Return what was declared with the evidence of all its shares in place of that of its mean blend."""
    if not log_evidence.any():
        return looked
    return replace(
        looked,
        evidence=replace(looked.evidence, declared=looked.evidence.declared + log_evidence),
        readings=replace(looked.readings, declared=looked.readings.declared + log_evidence),
    )


def _typicality(looked: Look) -> Floats:
    """Return the tail of the F distribution that a t-distributed parcel's distance from its own source follows."""
    window = looked.gate.argmax(axis=1)
    rows = np.arange(len(window))
    dims = np.maximum(looked.view.n_dims[0], 1.0)
    out: Floats = fdtrc(dims, DEGREES_OF_FREEDOM, looked.weighed.distance[window, rows] / dims)
    return out


def plainer_words(parcels: Sequence[Parcel], weighed: Weighed, release: Release, status_on: date) -> list[Plainer]:
    """Return the words of the same goods told more plainly, where these can matter."""
    if weighed.declaration is None:
        return [Plainer()] * len(parcels)
    words = weighed.declaration.judged.conclusion.tolist()
    out, asked = list[Plainer](), list[tuple[int, str, Parcel]]()
    for position, (parcel, word) in enumerate(zip(parcels, words, strict=True)):
        known, without, unstated = plainer_of(parcel, release.scheme, word)
        out.append(known)
        asked += [(position, name, p) for name, p in (("without", without), ("unstated", unstated)) if p is not None]
    for together in formed(Batch(tuple(p for _, _, p in asked)), release, status_on):
        hypotheses = together.hypotheses
        looked = integrated(look(release.model, together.arrays, hypotheses.weights), hypotheses.log_evidence)
        for row, word in zip(
            together.rows, judge(release, looked, hypotheses.allowed).conclusion.tolist(), strict=True
        ):
            position, name, _ = asked[row]
            out[position] = replace(out[position], **{name: word})
    return out


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
