"""Everything the library raises on purpose: one root, a handful of children, each with a stable code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kpfootprint.retold import Said
from kpfootprint.visible import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with an input, told so that its author can find and mend it.

    Parameters
    ----------
    table : str
        Table (or sheet, or JSON member) that holds the value.
    row : int or None
        Line of the file as an editor counts it (the header is line 1), or None for the whole table.
    column : str or None
        Column as it is headed in the input, or None for the whole row.
    value : str or None
        The offending value as it was given.
    code : str
        Stable name of the rule that was broken; translations hang on it.
    reason : str
        What is wrong and what would be right, in English.
    values : mapping
        What the rule's text is filled with, for other languages. A question has ``choices``: pairs of what is asked
        and an answer.

    Examples
    --------
    >>> print(Problem(table="stones", row=3, column="weight_ct", value="-1", reason="the number is negative"))
    stones, row 3, column weight_ct: the number is negative (value '-1')
    """

    table: str
    row: int | None = None
    column: str | None = None
    value: str | None = None
    code: str = "invalid"
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the members as a plain dictionary, without `values`; the answers to a question are among them."""
        told = {name: getattr(self, name) for name in ("table", "row", "column", "value", "code", "reason")}
        choices = self.values.get("choices")
        return told | ({"choices": [list(pair) for pair in choices]} if choices else {})

    def __str__(self) -> str:
        place = self.table
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        value = f" (value {self.value!r})" if self.value is not None else ""
        return visible(f"{place}: {self.reason}{value}")


class KPFootprintError(Exception):
    """Root of all errors raised on purpose by this library.

    Parameters
    ----------
    text : str
        What is wrong, in English, with places for `values`: a `Said`, so that it can be told in another language.

    Examples
    --------
    >>> issubclass(IngestError, KPFootprintError), IngestError.code
    (True, 'invalid_input')
    """

    code = "error"

    def __init__(self, text: str = "", /, **values: object) -> None:
        super().__init__(Said(text, **values))


class InputError(KPFootprintError):
    """Something given cannot be used; carries every problem found in it."""

    code = "invalid_input"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class IngestError(InputError):
    """An input cannot be read as a submission."""


class NotExamined(InputError):
    """A parcel was read and its examination failed: a fault of this software, told in that parcel's place."""

    code = "not_examined"

    @classmethod
    def because(cls, parcel_id: str, cause: Exception) -> NotExamined:
        """Return what stands in the place of a parcel, and what its examination failed by."""
        reason = Said(
            "the parcel was read and could not be examined; please report this with the parcel ({kind}: {error})",
            kind=type(cause).__name__,
            error=cause,
        )
        return cls([Problem(table="parcels", value=parcel_id, code=cls.code, reason=reason)])

    @property
    def parcel_id(self) -> str:
        """The name of the parcel."""
        return str(self.problems[0].value)


class SchemeMismatch(KPFootprintError):
    """A parcel and a release do not speak of the same attributes, classes or zones."""

    code = "scheme_mismatch"


class ReferenceDataError(InputError):
    """A reference package is not what its descriptor says."""

    code = "invalid_reference"


class ReleaseError(KPFootprintError):
    """A release folder is missing, incomplete, altered or made for another version."""

    code = "invalid_release"


class ReportError(KPFootprintError):
    """A text is not a report, was written by a later version, or was altered since it was made."""

    code = "invalid_report"
