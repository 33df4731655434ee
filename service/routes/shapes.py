"""The shapes of what is sent and answered: bodies are checked against them, and OpenAPI is read from them.

What is kept as a dataclass is told as one: its shape has the members of the dataclass, and says what differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NotRequired, Required, get_type_hints

from annotated_types import Gt, Le
from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from kpfootprint.conclusions import Conclusion
from kpfootprint.plain import day_in
from kpfootprint.retold import Said
from kpfootprint.visible import is_visible, visible
from service.register.activations import Activation
from service.register.comparisons import Listed, certificate_key
from service.register.entries import ChainEnd
from service.register.keys import Key, OpenSession
from service.settings import Role
from service.work.flags import TEXTS

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Href = str
Weight = Annotated[float, Gt(0), Le(5000)]
Positive = Annotated[float, Gt(0)]

STRICT, OPEN = ConfigDict(extra="forbid"), ConfigDict(extra="allow")


def _a_day(text: str) -> str:
    try:
        return day_in(text).isoformat()
    except ValueError:
        raise ValueError(Said("not a date; write dates as YYYY-MM-DD")) from None


def _all_seen(text: str) -> str:
    if not is_visible(text):
        raise ValueError(Said("a name may hold no characters that cannot be seen: {text}", text=visible(text)))
    return text


def _more_than_blanks(text: str) -> str:
    if not text.strip():
        raise ValueError(Said("it is empty"))
    return text


Filled = Annotated[str, AfterValidator(_more_than_blanks), Field(min_length=1, json_schema_extra={"pattern": r"\S"})]
"""What somebody has to say: blanks alone say nothing."""


def _can_be_found(number: str) -> str:
    if not certificate_key(number):
        raise ValueError(Said("it needs a Latin letter or a digit from 0 to 9: nothing else of a number is compared"))
    return number


Day = Annotated[str, AfterValidator(_a_day), Field(json_schema_extra={"format": "date"})]
Name = Annotated[Filled, AfterValidator(_all_seen), Field(max_length=200)]
CertificateNo = Annotated[Name, AfterValidator(_can_be_found), Field(max_length=100)]


def _shape(name: str, about: str, members: dict[str, Any]) -> Any:
    """Return a shape whose members are computed."""
    made = TypedDict(name, members)  # type: ignore[misc]
    made.__doc__ = about
    return made


def page_of(name: str, item: Any, about: str, **besides: Any) -> Any:
    """Return the shape of a page of a list."""
    return _shape(name, about, besides | {"items": list[item], "next": Href | None})


def told_of(name: str, kept: type, about: str, *, but: Sequence[str] = (), **differs: Any) -> Any:
    """Return the shape of what is told of a dataclass: its members but for some, and what differs or comes besides."""
    own = {member: kind for member, kind in get_type_hints(kept).items() if member not in but}
    return _shape(name, about, own | differs)


class ProblemShape(TypedDict):
    """One thing wrong with an input."""

    table: str
    row: int | None
    column: str | None
    value: str | None
    code: str
    reason: str
    values: NotRequired[dict[str, Any]]


class Declaration(TypedDict):
    """A declared zone, or a country: a blend of its compliant zones in shares that nobody stated."""

    zone_id: NotRequired[str]
    country: NotRequired[str]
    carats: NotRequired[Positive | None]
    percent: NotRequired[Positive | None]


class Conditions(TypedDict, total=False):
    """How the parcel was prepared and recorded."""

    cleaning_state: str | None
    selection: str | None
    sorter: str | None
    bottom_screen_mm: Positive | None
    specials_removed: bool | None
    sieve_set: str | None


@with_config(OPEN)
class Columns(TypedDict):
    """Stones in columns of equal length; an attribute that is not recorded is left out."""

    weight_ct: Annotated[list[Weight], Field(min_length=1)]


@with_config(OPEN)
class StoneRow(TypedDict):
    """A stone."""

    weight_ct: Weight


@with_config(OPEN)
class CountRow(TypedDict):
    """A cell of a sorting sheet."""

    size_class: NotRequired[str | None]
    n_stones: NotRequired[Annotated[int, Field(ge=0)] | None]
    carats: NotRequired[float | None]
    lower_ct: NotRequired[Annotated[float, Field(ge=0)] | None]
    upper_ct: NotRequired[float | None]
    breakdown: NotRequired[str | None]
    sample: NotRequired[bool | None]


class SizeClass(TypedDict):
    """A class of a sieve set that is not one of the package's."""

    sieve_set: str
    size_class: str
    lower_ct: Annotated[float, Field(ge=0)]
    upper_ct: NotRequired[float | None]


class Parcel(TypedDict, total=False):
    """One parcel: stones (in columns or rows) or counts, with what was declared."""

    parcel_id: Required[Annotated[str, Field(min_length=1, max_length=200)]]
    exported_on: Day | None
    certificate_no: str | None
    exporter: str | None
    value_usd: Annotated[float, Field(ge=0)] | None
    hs_code: str | None
    n_stones: Annotated[int, Field(ge=1)] | None
    carats: Positive | None
    declarations: list[Declaration]
    conditions: Conditions
    stones: Columns | Annotated[list[StoneRow], Field(min_length=1)]
    counts: list[CountRow]
    size_classes: list[SizeClass]


class Sealed(TypedDict):
    """What is answered in place of a report to whoever judges first: where the parcel and opinions are."""

    sealed: Literal[True]
    parcel: str
    opinions: str


class Flag(TypedDict):
    """What the register knows and the parcel does not say; it informs and decides nothing."""

    code: Annotated[str, Field(json_schema_extra={"enum": [*TEXTS]})]
    values: dict[str, Any]
    text: str


ComparisonItem = told_of(
    "ComparisonItem",
    Listed,
    "A comparison in a list.",
    but=("position", "value_usd", "submission_id", "actor", "sealed"),
    url=Href,
    conclusion=Conclusion | None,
    exported_on=Day | None,
    flags=list[Flag],
    submission=Href | None,
)
Comparisons = page_of("Comparisons", ComparisonItem, "A page of comparisons.")


class Headline(TypedDict):
    """How well a release separates true from false declarations; null where it was not evaluated."""

    auc: float | None
    cllr: float | None


ActivationItem = told_of(
    "ActivationItem",
    Activation,
    "When a release was put in force, by whom and why.",
    but=("release", "previous", "back", "force"),
)


class ModelItem(TypedDict):
    """A release."""

    release: str
    active: bool
    released: bool | None
    reference: dict[str, Any] | None
    headline: Headline
    activations: list[ActivationItem]  # type: ignore[valid-type]


class Model(ModelItem):
    """A release with its card and its evaluation."""

    card: str
    evaluation: dict[str, Any] | None


Models = page_of("Models", ModelItem, "Every release that is here.")


@with_config(STRICT)
class NewKey(TypedDict):
    """A key that is asked for."""

    role: Role
    name: NotRequired[Annotated[str, Field(max_length=100)]]
    expires_at: NotRequired[Moment | None]


KeyItem = told_of("KeyItem", Key, "A key, without its secret.", role=Role)
MadeKey = told_of("MadeKey", Key, "A new key; this is the only time it can be read.", role=Role, key=str)
Keys = page_of("Keys", KeyItem, "Every key.")


class ProblemDetails(TypedDict):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    problems: list[ProblemShape]


Head = told_of("Head", ChainEnd, "Where the chain ends.")


@with_config(STRICT)
class NewActivation(TypedDict):
    """Why a release is put in force; `force` where it was not judged."""

    reason: Annotated[Filled, Field(max_length=2000)]
    force: NotRequired[Annotated[Filled, Field(max_length=2000)]]


Activated = told_of(
    "Activated", Activation, "A release that was put in force.", but=("release", "reason", "back", "force"), active=str
)
SessionItem = told_of("SessionItem", OpenSession, "A browser that is signed in.", role=Role)
Sessions = page_of("Sessions", SessionItem, "Every session that has not ended.")


class NameItem(TypedDict):
    """A name and the pseudonym that entries have instead."""

    actor: str
    name: str


Names = page_of("Names", NameItem, "Every name that is known.")


@with_config(STRICT)
class Reason(TypedDict):
    """Why something is done."""

    reason: Annotated[Filled, Field(max_length=2000)]
