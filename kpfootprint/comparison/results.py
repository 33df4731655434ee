"""What a comparison found, as data: the one thing that reports are made from. No texts, no rounding, no layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from kpfootprint.conclusions import Conclusion
from kpfootprint.plain import Amount, Coordinate, Fraction, Log10, PValue, stated
from kpfootprint.reference import COMPLIANT, NOT_COVERED

Value = str | int | float | bool | None | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something said, as a code and the values in it; every language is rendered from these two."""

    code: str
    values: Mapping[str, Value]

    @classmethod
    def of(cls, code: str, /, **values: Value) -> Statement:
        """Say something with these values."""
        return cls(code=code, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate between its limits, ``low <= estimate <= high``, at a stated level (0.9 = 90 %)."""

    estimate: Fraction
    low: Fraction
    high: Fraction
    level: Fraction


ODD_WEIGHTS = ("weights_too_large", "weights_too_small")
"""Codes of the cautions that put the unit of weight in doubt."""


def standing(status: str | None) -> str:
    """Return what a status says of a zone's goods: ``compliant``, ``not_compliant``, or ``unknown`` without a row."""
    return COMPLIANT if status == COMPLIANT else "unknown" if status in (NOT_COVERED, None) else "not_compliant"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredZone:
    """A declared zone with its status (compliant, suspended, not_covered) on the day used."""

    zone_id: str
    carats: Annotated[float, stated] | None
    status_on_export_date: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeLR:
    """`log10_lr` against another H2.

    `kind` is ``any_other_zone``, ``zone`` (with `zone_id`) or ``unlisted_weight`` (with `unlisted_weight`).
    """

    kind: str
    log10_lr: Log10
    zone_id: str | None = None
    unlisted_weight: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceLR:
    """`log10_lr` if parcels of a zone varied `factor` times as much (in variance) as the reference parcels do."""

    factor: Amount
    log10_lr: Log10


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionLR:
    """`log10_lr` under three readings of the sizes (before bounds).

    ``as_recorded``: sizes are as the zone and the declared screen give them; ``marginalised``: sizes outside the
    parcel's own range may have been taken out; ``size_conditional``: other attributes given size alone.
    """

    as_recorded: Log10
    marginalised: Log10
    size_conditional: Log10 | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """H1 (what was declared) against H2 (from elsewhere); log10 LRs are calibrated.

    `low` and `high` enclose `log10_lr` at `level`, `bounds` are the lowest and highest log10 LR the references carry.
    `typicality_p` is the chance that a parcel of what was declared lies as far from it as this one.
    """

    h1: Statement
    h2: Statement
    log10_lr: Log10
    low: Log10
    high: Log10
    level: Fraction
    bounds: tuple[Log10, Log10]
    bound_hit: Literal["lower", "upper"] | None
    log10_lr_unbounded: Log10
    verbal: Statement
    typicality_p: PValue
    by_alternative: tuple[AlternativeLR, ...]
    by_selection: SelectionLR
    by_variance: tuple[VarianceLR, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What the parcel resembles: posterior of each zone under equal priors, and the conformal set at `level`.

    `prediction_set` holds zone ids, and ``unlisted`` where no zone is excluded as a source nobody has sampled.
    """

    zones: tuple[tuple[str, Fraction], ...]
    unlisted_posterior: Fraction
    prediction_set: tuple[str, ...]
    level: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceShare:
    """Share of stones that would come from `zone_id` if it were the only undeclared source, and its weight."""

    zone_id: str
    share: Interval
    posterior: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareReading:
    """One of two readings of the undeclared share: its part of the interval of both, and how probable it is."""

    low: Fraction
    high: Fraction
    chance: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Undeclared goods: shares, test of none at all, what this size can show, and where they could come from.

    `readings` are two where the share has two modes, such as none or about a third; otherwise it is empty.
    `profile` is the distribution of the share as (share, probability that the share is at most this) pairs.
    `indistinguishable` lists zones that could not be told from what was declared at this size.
    """

    undeclared_stone_fraction: Interval
    undeclared_carat_fraction: Interval | None
    p_value: PValue
    detection_limit: Fraction
    sources: tuple[SourceShare, ...]
    indistinguishable: tuple[str, ...]
    association_p: PValue | None
    profile: tuple[tuple[Fraction, Fraction], ...]
    readings: tuple[ShareReading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """Conformal p-value of "like nothing in the reference" and the smallest p that could be had."""

    p_value: PValue
    floor: PValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFinding:
    """A class of an attribute: shares of stones observed and expected (with a range), contribution in log10 LR."""

    attribute: str
    class_name: str
    observed: Fraction
    expected: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    contribution: Log10 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FootprintMap:
    """The parcel among reference parcels: two coordinates each, with the centre of every zone."""

    parcel: tuple[Coordinate, Coordinate]
    centres: Mapping[str, tuple[Coordinate, Coordinate]]
    references: Mapping[str, tuple[tuple[Coordinate, Coordinate], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Shapley shares of `log10_lr_unbounded` by attribute, findings by class, sentences, and the map."""

    attributes: tuple[tuple[str, Log10], ...]
    classes: tuple[ClassFinding, ...]
    sentences: tuple[Statement, ...]
    footprint_map: FootprintMap | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRate:
    """An error counted in an evaluation: `errors` of `trials`, with the limits of a 90 % interval."""

    rate: Fraction
    low: Fraction
    high: Fraction
    errors: int
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """Measured errors of the conclusion at this size of parcel. Named in words, since the usual names mislead.

    `declarants_who_try` counts false declarations called consistent where the declarant tries several and keeps the
    kindest; None where the release has not measured it.
    """

    measured_on: Statement
    n_stones_low: int
    n_stones_high: int
    true_declarations_queried: ErrorRate
    false_declarations_accepted: ErrorRate
    declarants_who_try: ErrorRate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoneRange:
    """The mean stone in carats that parcels of what was declared have: expected, and where nine in ten lie."""

    expected: Amount
    low: Amount
    high: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeValue:
    """The stones of a size class and what a carat of them is worth."""

    size_class: str
    n_stones: int
    carats: Amount
    usd_per_ct: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneCarats:
    """Carats of a declared zone beside those of its reference parcels: all but one in a hundred lie below `high`."""

    zone_id: str
    carats: Amount
    n_parcels: int
    high: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAndVolume:
    """Value and volume beside the footprint; they decide nothing.

    `mean_ct_usual` is None where nothing that can be compared was declared, `by_size` is empty where not every stone
    (or row of a sheet) has a value, `carats` where the release does not know what reference parcels weighed.
    """

    mean_ct: Amount | None
    mean_ct_usual: StoneRange | None
    usd_per_ct: Amount | None
    by_size: tuple[SizeValue, ...]
    carats: tuple[ZoneCarats, ...]
    flags: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Everything found about one parcel. What cannot be had is None, and `cautions` says why."""

    status_on: date
    declared: tuple[DeclaredZone, ...]
    verification: Verification | None
    attribution: Attribution | None
    mixture: Mixture | None
    novelty: Novelty | None
    explanation: Explanation | None
    conclusion: Conclusion | None
    error_rates: ErrorRates | None
    cautions: tuple[Statement, ...]
    goods: ValueAndVolume | None = None
