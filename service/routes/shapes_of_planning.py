"""The shapes of zones and of planning: status, plans, adequacy of references, pools and drift."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Gt, Le
from pydantic import Field, with_config
from typing_extensions import TypedDict

from kpfootprint.planning import adequacy, detection
from kpfootprint.planning.pooling import Pooled
from kpfootprint.reference import Zone
from service.routes.shapes import STRICT, Day, Href, Moment, Positive, page_of, told_of

ZoneItem = told_of(
    "ZoneItem", Zone, "A zone and its status on the day.", status=Literal["compliant", "suspended", "not_covered"]
)
Zones = page_of("Zones", ZoneItem, "Every zone.", on=Day)


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


class Said(TypedDict):
    """Something said, as a code, its values and an English text."""

    code: str
    values: dict[str, Any]
    text: str


SAID: dict[str, Any] = {"release": str, "sentence": str, "sentences": list[Said], "cautions": list[Said]}
"""What stands in most answers: the release that was asked, and what is to be said in words."""

Plan = told_of(
    "Plan",
    detection.Plan,
    "How many stones, and how many reference parcels, it takes.",
    but=("whole",),
    on=Day,
    distinguishable=bool,
    **SAID,
)


Adequacy = told_of("Adequacy", adequacy.Adequacy, "Whether the references of a zone are enough.", on=Day, **SAID)


@with_config(STRICT)
class PoolQuestion(TypedDict):
    """Kept comparisons that are weighed as one claim."""

    comparisons: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=200)]


class PoolParcel(TypedDict):
    """A parcel of a pool: the zones (or countries) that it declares, with their status on the day that counts."""

    parcel_id: str
    n_stones: int | None
    carats: float | None
    declared: list[str]
    status: list[str | None]
    status_on: str


Pool = told_of(
    "Pool", Pooled, "What several parcels say as one claim.", left_out=list[str], parcels=list[PoolParcel], **SAID
)


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
    n_stones: int | None
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
