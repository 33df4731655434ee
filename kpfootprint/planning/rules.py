"""What a question of planning can get wrong: how each rule is told; texts in other languages hang on the names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kpfootprint.errors import Problem

RULES: Final[Mapping[str, str]] = {
    "no_such_member": "there is no such member",
    "share_of_stones": "a share of stones above 0 and up to 1 is needed",
    "declared_itself": "this zone is declared itself",
    "no_such_zone": "there is no such zone; there are: {zones}",
    "no_reference": "the reference has no parcel of this zone; it has of: {zones}",
    "nothing_declared": "one declared zone or more is needed",
    "mixed_amounts": "all zones by percent, or all by carats, are needed",
    "no_zone": "a zone, or its zone_id with carats, is needed",
    "several_without_carats": "each of several zones needs carats",
    "amount_above_nothing": "an amount above 0 is needed",
    "no_day": "a day as 2025-03-31 is needed",
    "cannot_be_pooled": "a parcel of a pool needs a declaration, and a reference of each zone that it declares",
    "sorter_twice": "this sorter has two sheets; name each sheet's own sorter",
    "one_sorter": "two sheets or more of one parcel are needed, or one sheet with several valuations",
}


def problem(rule: str, code: str, *, table: str, column: str, value: object, **values: str) -> Problem:
    """Place a broken rule; long values are cut."""
    return Problem(
        table=table,
        column=column,
        value=str(value)[:80],
        code=code,
        reason=RULES[rule].format(**values),
        values={"rule": rule, **values},
    )
