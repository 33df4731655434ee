"""What an input is read with: what its words mean, the answers given about it, and what has been told or asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kpfootprint.errors import Problem
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.tables import KnownTable, RawTable
from kpfootprint.scheme import Scheme

Choices = Mapping[str, str]
"""Answers to questions, by what was asked: ``{"valuation": "ministry", "lots": "one", "column:Grade": "ignore"}``."""

ONE = ("tables", "one")
"""The answer that several tables on a sheet are parts of one parcel."""

WHOLE = ("part", "whole")
"""The answer that the rows are the whole parcel, whatever a line says."""

CARATS = ("weights", "carats")
"""The answer that weights are carats, and those of all stones of a row."""

Place = int | None
"""Where a row stands, where that is known."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The words of headers, the answers given, and the problems so far; one with ``choices`` is a question."""

    headers: Headers
    choices: Choices = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def scheme(self) -> Scheme:
        """The scheme whose classes are looked for."""
        return self.headers.words.scheme

    def apart(self) -> Inquiry:
        """Return it with nothing told so far, to try what may come to nothing."""
        return replace(self, problems=[])

    def chose(self, answer: tuple[str, str]) -> bool:
        """Say whether a question was answered so."""
        return self.choices.get(answer[0]) == answer[1]

    def tell(
        self, code: str, table: str, row: Place = None, column: str | None = None, value: object = None, /, **of: object
    ) -> None:
        """Note a problem by the name of its table, and the line and column where it stands."""
        self.problems.append(problem(Broken(code, of), table=table, row=row, column=column, value=value))

    def tell_of(
        self, code: str, table: RawTable | KnownTable, row: Place = None, column: str | None = None, /, **of: object
    ) -> None:
        """Note a problem of a table, by position of the row and by column."""
        self.problems.append(table.problem(Broken(code, of), row, column))
