"""Why: the parcel class by class against what was declared, what each class says, the sentences and the map."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from kpfootprint.comparison.cautions import Doubt
from kpfootprint.comparison.hypotheses import Hypotheses
from kpfootprint.comparison.results import (
    Attribution,
    ClassFinding,
    Explanation,
    FootprintMap,
    Mixture,
    Statement,
    Verification,
)
from kpfootprint.comparison.sentences import (
    attribute_sentences,
    change_sentences,
    class_sentences,
    headline_sentences,
    mixture_sentence,
    next_question,
    reason_sentences,
    reasons_of,
    resemblance_sentences,
    shows_mixing,
    split_sentence,
)
from kpfootprint.comparison.weigh import OfDeclaration, Weighed
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release
from kpfootprint.rules import Conclusion, Reason
from kpfootprint.scheme import Scheme
from kpfootprint.stats.arrays import Bools, Floats
from kpfootprint.stats.association import expected_shift
from kpfootprint.stats.blends import contract, expand
from kpfootprint.stats.categories import class_probabilities
from kpfootprint.stats.evidence import DEGREES_OF_FREEDOM
from kpfootprint.stats.model import FootprintModel
from kpfootprint.stats.sizes import cell_probabilities
from kpfootprint.stats.structure import ParcelArrays

N_DRAWS = 120
SEED = 20160526
RANGE = (0.05, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Shares of stones by class of one attribute: observed, expected, their range, and expected elsewhere."""

    observed: Floats
    expected: Floats
    low: Floats
    high: Floats
    elsewhere: Floats


def _class_shares(model: FootprintModel, arrays: ParcelArrays, row: int, numbers: Floats) -> list[Floats]:
    """Return chances (m, C) of size classes and of each attribute's classes for parcels' numbers (m, D)."""
    structure = model.structure
    kept = structure.kept(arrays.edge[row : row + 1], arrays.top[row : row + 1])
    kept = np.broadcast_to(kept, (len(numbers), *kept.shape[1:]))
    out = [cell_probabilities(structure.grid, numbers[:, :2], kept) @ structure.membership_of_classes()]
    for a, block in enumerate(structure.blocks[1:]):
        by_size = arrays.tables[a][row].sum(axis=1)
        filled = np.flatnonzero(by_size > 0) if by_size.any() else np.array([structure.n_size_classes // 2])
        chances = class_probabilities(
            numbers[:, block], structure.bases[a], structure.slopes[a], structure.class_x[filled]
        )
        weight = by_size[filled] if by_size.any() else np.ones(1)
        out.append(np.einsum("mbc,b->mc", chances, weight / weight.sum()))
    return out


def expectations(
    model: FootprintModel, arrays: ParcelArrays, row: int, weights: Floats, elsewhere: Floats
) -> list[Expected]:
    """Return what a parcel of this size from what was declared shows, class by class, for size and each attribute.

    The range holds 90 % of such parcels: it has the parcel's own deviation and the chance of counting stones in it.
    The draws are the same for every parcel, so the same parcel gives the same range.

    Parameters
    ----------
    weights : ndarray of shape (Z,)
        Declared shares of stones.
    elsewhere : ndarray of shape (Z,)
        Weights of the zones of H2 (their posteriors).
    """
    rng = np.random.default_rng(SEED)
    shares = _class_shares(model, arrays, row, numbers_of(model, arrays, row, weights, elsewhere, rng))
    stones = [arrays.cells[row].sum(), *(table[row].sum() for table in arrays.tables)]
    out = []
    for observed, n_counted, share in zip(observed_shares(model, arrays, row), stones, shares, strict=True):
        n = max(float(n_counted), 1.0)
        noise = rng.standard_normal((N_DRAWS, observed.size)) * np.sqrt(share[2:] * (1.0 - share[2:]) / n)
        low, high = np.quantile(np.clip(share[2:] + noise, 0.0, 1.0), RANGE, axis=0)
        out.append(
            Expected(
                observed=observed,
                expected=share[0],
                low=np.minimum(low, share[0]),
                high=np.maximum(high, share[0]),
                elsewhere=share[1],
            )
        )
    return out


def numbers_of(
    model: FootprintModel,
    arrays: ParcelArrays,
    row: int,
    weights: Floats,
    elsewhere: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Return parcels' numbers (2 + N_DRAWS, D): expected of what was declared, of elsewhere, and drawn of the first."""
    predictor = model.predictor
    expanded = expand(predictor.sources, model.structure)
    shift = expected_shift(predictor, arrays.levels[row : row + 1])
    both: Floats = contract(np.stack([weights, elsewhere]) @ expanded, model.structure) + shift
    root = np.linalg.cholesky(predictor.within * float((weights**2) @ predictor.scales))
    scale = np.sqrt(DEGREES_OF_FREEDOM / rng.chisquare(DEGREES_OF_FREEDOM, N_DRAWS))
    draws = both[0] + scale[:, None] * (rng.standard_normal((N_DRAWS, both.shape[1])) @ root.T)
    return np.concatenate([both, draws])


def contributions(expected: Expected, attribute_share: float) -> Floats:
    """Split an attribute's share of the log10 LR over its classes; the parts add up to it.

    Each class speaks by ``(observed - midpoint) * ln(declared / elsewhere)``: for H1 where the observed share lies on
    the declared side of the midpoint of both expectations. The sum is brought to the attribute's share.
    """
    declared, elsewhere = np.maximum(expected.expected, 1e-6), np.maximum(expected.elsewhere, 1e-6)
    raw = (expected.observed - 0.5 * (declared + elsewhere)) * np.log(declared / elsewhere)
    size = np.abs(raw).sum()
    scaled = raw * (abs(attribute_share) / size) if size > 0 else raw
    rest = attribute_share - scaled.sum()
    weight = np.abs(raw) / size if size > 0 else np.full(raw.size, 1.0 / raw.size)
    out: Floats = scaled + rest * weight
    return out


def observed_shares(model: FootprintModel, arrays: ParcelArrays, row: int) -> list[Floats]:
    """Return the parcel's own shares of stones by size class and by class of each attribute."""
    counts = [arrays.cells[row] @ model.structure.membership_of_classes()]
    counts += [table[row].sum(axis=0) for table in arrays.tables]
    return [count / max(count.sum(), 1.0) for count in counts]


def class_findings(
    scheme: Scheme, observed: list[Floats], recorded: Bools, expected: list[Expected] | None, shares: Floats
) -> tuple[ClassFinding, ...]:
    """Return a finding for every class of every recorded attribute; without a declaration only what was observed."""
    names = [(scheme.size.name, scheme.size.sieve_set.classes)]
    names += [(attribute.name, attribute.class_names) for attribute in scheme.categorical]
    out = []
    for a, (attribute, classes) in enumerate(names):
        if not recorded[a]:
            continue
        found = None if expected is None else expected[a]
        parts = None if found is None else contributions(found, float(shares[a]))
        for k, name in enumerate(classes):
            out.append(
                ClassFinding(
                    attribute=attribute,
                    class_name=name,
                    observed=float(observed[a][k]),
                    expected=None if found is None else float(found.expected[k]),
                    low=None if found is None else float(found.low[k]),
                    high=None if found is None else float(found.high[k]),
                    contribution=None if parts is None else float(parts[k]),
                )
            )
    return tuple(out)


def map_of(weighed: Weighed, row: int, release: Release) -> FootprintMap:
    """Return the parcel among the reference parcels, on the two axes that show zones apart."""
    ordination, predictor = release.model.ordination, release.model.predictor
    centres = (predictor.sources - predictor.mean) @ ordination.axes
    numbers = weighed.looked.view.summaries.estimates[0, row]
    x, y = (numbers - predictor.mean) @ ordination.axes
    return FootprintMap(
        parcel=(float(x), float(y)),
        centres={zone: (float(a), float(b)) for zone, (a, b) in zip(release.zone_ids, centres, strict=True)},
        references={
            zone: tuple((float(a), float(b)) for a, b in ordination.points[ordination.source == k])
            for k, zone in enumerate(release.zone_ids)
        },
    )


def explanation_of(
    weighed: Weighed,
    against: OfDeclaration | None,
    hypotheses: Hypotheses,
    row: int,
    parcel: Parcel,
    release: Release,
    verification: Verification | None,
    attribution: Attribution | None,
    mixture: Mixture | None,
    conclusion: Conclusion | None,
    doubt: Doubt,
    picked: bool,
    compared_on: date,
) -> Explanation:
    """Return why: shares by attribute, findings by class, sentences, the map.

    What weighs comes first among the sentences; where no declaration is weighed, classes are only observed.
    """
    model, scheme = release.model, release.scheme
    arrays = weighed.looked.view.arrays
    expected = None
    if against is not None:
        pool = weighed.posterior[row] * hypotheses.alternatives[row]
        elsewhere = pool if pool.sum() > 0 else weighed.posterior[row] + 1e-9
        expected = expectations(model, arrays, row, hypotheses.weights[row], elsewhere / elsewhere.sum())
    shares = np.zeros(arrays.recorded.shape[1]) if against is None else against.attribute_shares[row]
    observed = observed_shares(model, arrays, row)
    classes = class_findings(scheme, observed, arrays.recorded[row], expected, shares)
    named = zip(scheme.attribute_names, (float(share) for share in shares), strict=True)
    attributes = () if against is None else tuple(named)
    sentences: list[Statement] = []
    reasons: tuple[Reason, ...] = ()
    mixing = False
    if against and verification and attribution and mixture and conclusion:
        reasons = reasons_of(release.rules, against.judged, row)
        source = hypotheses.declared_as(row, release.zone_ids)
        sentences += class_sentences(classes, source, conclusion)
        possible = attribution.prediction_set
        sentences += headline_sentences(reasons, conclusion, verification, mixture, source, possible, doubt)
        mixing = conclusion == "inconclusive" and shows_mixing(reasons, verification, mixture)
        sentences += reason_sentences(release.rules, against.judged, row)
        sentences += attribute_sentences(attributes)
        sentences.append(mixture_sentence(mixture))
        if np.isfinite(against.split[row]):
            sentences.append(split_sentence(float(against.split[row])))
        sentences += change_sentences(parcel, hypotheses, against, row, conclusion, release, attributes)
    if attribution is not None:
        sentences += resemblance_sentences(weighed, row, release.zone_ids)
    declared, day = hypotheses.declared[row], hypotheses.days[row].isoformat()
    question = next_question(
        *(parcel, declared, day, conclusion, reasons, classes, release),
        compared_on=compared_on,
        doubt=doubt,
        mixing=mixing,
        picked=picked,
    )
    sentences.append(question)
    complete = bool(arrays.recorded[row].all())
    return Explanation(
        attributes=attributes,
        classes=classes,
        sentences=tuple(sentences),
        footprint_map=map_of(weighed, row, release) if complete else None,
    )
