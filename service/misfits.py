"""What pydantic finds wrong with a value, in words of ours: of bodies, settings and lines of an export alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from kpfootprint.retold import Said, said_of

KINDS = {
    **dict.fromkeys(("dict_type", "dataclass_type", "model_type", "mapping_type"), "an object"),
    **{"list_type": "a list", "string_type": "a text", "bool_type": "true or false", "date_type": "a date"},
    **dict.fromkeys(("int_type", "int_from_float", "int_parsing"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
}
"""What may stand in a place, by the kind of fault of what stands there instead."""
REASONS = {
    "missing": "it is missing",
    "extra_forbidden": "unknown here",
    "literal_error": "it must be {expected}",
    "string_pattern_mismatch": "it must match '{pattern}'",
    "string_too_short": "it needs {min_length} or more characters",
    "string_too_long": "it may have {max_length} characters at most",
    "too_short": "it needs {min_length} or more",
    "too_long": "it may have {max_length} at most",
    "greater_than": "it must be above {gt}",
    "greater_than_equal": "it must be {ge} or more",
    "less_than": "it must be below {lt}",
    "less_than_equal": "it must be {le} or less",
    "finite_number": "it must be finite",
}
"""What is wrong, by the kind of fault; of others pydantic's own words stand."""


def first_of(faults: Sequence[Any]) -> Any:
    """Return the fault of a place that says most: what is wrong with a value, before what kind of thing it is not."""
    return next((fault for fault in faults if fault["type"] not in KINDS), faults[0])


def reason_of(*faults: Any) -> Said:
    """Return what is wrong with one place, from pydantic's faults of it: several say what could stand there."""
    fault = first_of(faults)
    values = {name: f"{value:g}" if isinstance(value, float) else value for name, value in fault.get("ctx", {}).items()}
    if fault["type"] in KINDS:
        one, *others = dict.fromkeys(Said(KINDS[item["type"]]) for item in faults)
        return Said(
            "{kinds} is needed", kinds=reduce(lambda a, b: Said("{one} or {other}", one=a, other=b), others, one)
        )
    if fault["type"].endswith("too_short") and not fault["input"]:
        return Said("it is empty")
    if "expected" in values:
        values["expected"] = Said(values["expected"])
    if fault["type"] in REASONS:
        return Said(REASONS[fault["type"]], **values)
    return Said(said_of(values.get("error", fault["msg"][:1].lower() + fault["msg"][1:])))
