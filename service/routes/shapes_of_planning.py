"""The shapes of zones and of planning: status, plans, adequacy of references, pools and drift."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Gt, Le
from pydantic import Field, with_config
from typing_extensions import TypedDict

from service.routes.shapes import STRICT, Day, Href, Moment, Positive


class ZoneItem(TypedDict):
    """A zone and its status on the day."""

    zone_id: str
    name: str
    country: str
    region: str
    status: Literal["compliant", "suspended", "not_covered"]


class Zones(TypedDict):
    """Every zone."""

    on: Day
    items: list[ZoneItem]
    next: Href | None


@with_config(STRICT)
class PlanZone(TypedDict):
    """A declared zone of a plan."""

    zone_id: str
    carats: NotRequired[Positive | None]
    percent: NotRequired[Positive | None]


@with_config(STRICT)
class Question(TypedDict):
    """What a plan is asked: declared zones, an alternative and a share of stones."""

    declared: (
        Annotated[list[str | PlanZone], Field(min_length=1, max_length=50)]
        | Annotated[dict[str, Positive], Field(max_length=50)]
    )
    against: NotRequired[Annotated[str, Field(max_length=100)]]
    share: NotRequired[Annotated[float, Gt(0), Le(1)]]
    on: NotRequired[Day]


class PlanShare(TypedDict):
    """A declared zone with its share of stones."""

    zone_id: str
    stone_share: float


class DetectionItem(TypedDict):
    """The chance of finding the share at a size, with its limits."""

    n_stones: int
    carats: float
    chance: float
    low: float
    high: float


class ReferencesItem(TypedDict):
    """The chance if every zone concerned had so many more reference parcels."""

    extra_parcels: int
    n_stones: int
    chance: float


class Said(TypedDict):
    """Something said, as a code, its values and an English text."""

    code: str
    values: dict[str, Any]
    text: str


class Plan(TypedDict):
    """How many stones, and how many reference parcels, it takes."""

    declared: list[PlanShare]
    against: str
    share: float
    on: Day
    release: str
    detection: list[DetectionItem]
    stones_needed: int | None
    floor: float
    distinguishable: bool
    references: list[ReferencesItem]
    sentence: str
    sentences: list[Said]
    cautions: list[Said]


class HardestItem(TypedDict):
    """A zone whose parcels pass as this one's, and how often."""

    zone_id: str
    chance_false_consistent: float
    low: float
    high: float
    distance: float
    n_drawn: int
    compliant: bool


class GainItem(TypedDict):
    """What further reference parcels would buy."""

    extra_parcels: int
    expected_cllr: float
    expected_chance: float


class Adequacy(TypedDict):
    """Whether the references of a zone are enough."""

    zone_id: str
    on: Day
    release: str
    n_stones: int
    n_parcels: int
    effective_parcels: float
    true_consistent: float
    true_queried: float
    nowhere_consistent: float
    hardest: list[HardestItem]
    others: list[HardestItem]
    gain: list[GainItem]
    collect: str
    sentence: str
    sentences: list[Said]
    cautions: list[Said]


@with_config(STRICT)
class PoolQuestion(TypedDict):
    """Kept comparisons that are weighed as one claim."""

    comparisons: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=200)]


class PoolParcel(TypedDict):
    """A parcel of a pool: the zones (or countries) that it declares, with their status on the day that counts."""

    parcel_id: str
    n_stones: int
    carats: float | None
    declared: list[str]
    status: list[str | None]
    status_on: str


class PoolVerification(TypedDict):
    """The joint likelihood ratio, and what the parcels' own would give if they shared nothing."""

    log10_lr: float
    low: float
    high: float
    level: float
    log10_lr_unbounded: float
    log10_lr_if_independent: float
    dependence: float
    bound_hit: Literal["lower", "upper"] | None


class Fraction(TypedDict):
    """A share with its limits."""

    estimate: float
    low: float
    high: float
    level: float


class PoolMixture(TypedDict):
    """Undeclared goods in all parcels together."""

    undeclared_stone_fraction: Fraction
    p_value: float


class Pool(TypedDict):
    """What several parcels say as one claim."""

    release: str
    left_out: list[str]
    n_parcels: int
    parcels: list[PoolParcel]
    verification: PoolVerification
    mixture: PoolMixture
    sentence: str
    sentences: list[Said]
    cautions: list[Said]


Labels = dict[str, dict[str, str]]
"""Names of attributes, and of classes as ``attribute:class``, by language."""


class DriftPoint(TypedDict):
    """A shipment on a chart, with the limits at its own number of stones."""

    at: Moment
    comparison: Href
    value: float
    lower: float
    upper: float


class DriftSignal(Said):
    """A change, seen with this shipment."""

    at: Moment
    comparison: Href


class DriftSeries(TypedDict):
    """One number followed from shipment to shipment."""

    name: str
    points: list[DriftPoint]
    centre: float
    lower: float
    upper: float
    signals: list[DriftSignal]


class FalseAlarm(TypedDict):
    """How many shipments bring one false alarm over all charts together."""

    per_points: int
    charts: int


class Drift(TypedDict):
    """What changes from shipment to shipment."""

    exporter: str | None
    zone_id: str | None
    series: list[DriftSeries]
    n_shipments: int
    false_alarm: FalseAlarm
    labels: Labels


@with_config(STRICT)
class SortersQuestion(TypedDict):
    """Kept comparisons of one parcel by several sorters, and earlier ones that tell how they usually differ."""

    comparisons: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=2, max_length=12)]
    history: NotRequired[Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=400)]]


class SortersSheet(TypedDict):
    """What one sorter's sheet leads to."""

    sorter: str
    parcel_id: str
    n_stones: int
    carats: float | None
    conclusion: str | None
    log10_lr: float | None
    low: float | None
    high: float | None
    undeclared_stone_fraction: dict[str, Any] | None
    report_id: str


class InCommon(TypedDict):
    """The largest share of stones that two sorters can have put into the same class."""

    first: str
    second: str
    share: float


class SortersAttribute(TypedDict):
    """Agreement of the sorters on one attribute; each of `classes` has a ``class`` besides."""

    attribute: str
    in_common: list[InCommon]
    classes: list[dict[str, Any]]


class SortersPart(TypedDict):
    """How far apart an attribute's part of the log10 LR lies."""

    name: str
    log10_lr: float


class SortersDifference(TypedDict):
    """What the differences do to the LR and to the conclusion."""

    log10_lr: float | None
    by_attribute: list[SortersPart]
    conclusion_changes: bool


class SortersScale(TypedDict):
    """How a second sorter usually sees the classes of a first; `usual_p` says whether here as well."""

    attribute: str
    first: str
    second: str
    n_parcels: int
    usual_p: float
    classes: list[dict[str, Any]]


class Sorters(TypedDict):
    """How far several sorters of one parcel agree."""

    goods: str
    release: str
    sorters: list[SortersSheet]
    agreement: list[SortersAttribute]
    difference: SortersDifference
    scales: list[SortersScale]
    labels: Labels
    sentence: str
    sentences: list[Said]
    cautions: list[Said]
