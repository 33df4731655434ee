"""Small parcels and files for the tests of ingestion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kpfootprint.errors import IngestError, Problem
from kpfootprint.parcel import Parcel

Row = tuple[str, str | None, str | None]


def stones_csv(rows: list[Row], *, separator: str = ",", comma: bool = False, end: str = "\n") -> str:
    """Write stones as CSV; `comma` writes decimal commas, quoted where the separator is a comma."""
    quote = comma and separator == ","
    lines = [separator.join(("weight_ct", "colour", "morphology"))]
    for weight, colour, morphology in rows:
        number = weight.replace(".", ",") if comma else weight
        lines.append(separator.join((f'"{number}"' if quote else number, colour or "", morphology or "")))
    return end.join(lines) + end


def problems_of(call: Callable[[], object]) -> tuple[Problem, ...]:
    """Return the problems that a call raises."""
    with pytest.raises(IngestError) as caught:
        call()
    assert caught.value.problems
    return caught.value.problems


def outcome(call: Callable[[], Parcel]) -> Parcel | tuple[Problem, ...]:
    """Return the parcel that a call gives, or the problems that it raises."""
    try:
        return call()
    except IngestError as error:
        return error.problems


def told(problems: tuple[Problem, ...]) -> list[tuple[str, str, int | None, str | None, str | None]]:
    """Return problems as (code, table, row, column, value)."""
    return [(p.code, p.table, p.row, p.column, p.value) for p in problems]


def parcel(**changes: Any) -> dict[str, Any]:
    """Return a small sound JSON parcel with some members changed."""
    document: dict[str, Any] = {
        "parcel_id": "P1",
        "exported_on": "2023-05-10",
        "declarations": [{"zone_id": "berberati", "carats": 0.96}],
        "conditions": {"cleaning_state": "acid_rinsed", "bottom_screen_mm": 1.83, "specials_removed": False},
        "stones": {
            "weight_ct": [0.21, 0.35, 0.4],
            "colour": ["brown", "cape", None],
            "morphology": ["macle", None, "cube"],
        },
    }
    return document | changes
