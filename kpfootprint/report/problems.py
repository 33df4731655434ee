"""What is wrong with an input, and what a valid reference package leaves in doubt: a line each, in any language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.report.locale import Words, mark, mark_plural
from kpfootprint.report.messages import REMARKS, TEXTS


def remark_text(remark: Mapping[str, Any], words: Words) -> str:
    """Return a remark, a code with its values, in words; one that an older version kept may name no parcels."""
    values = {"names": "…"} | {name: _shown(name, value, words) for name, value in remark["values"].items()}
    return words.text(REMARKS[remark["code"]], **values)


def remark_line(remark: Mapping[str, Any], words: Words) -> str:
    """Return a remark as a line among others."""
    return words.text(mark("remark: {said}"), said=remark_text(remark, words))


def checked_line(package: str, n_parcels: int, n_zones: int, words: Words) -> str:
    """Say that a package has no problem."""
    counted = {"n_parcels": words.number(n_parcels), "n_zones": words.number(n_zones)}
    found = mark("{package}: no problem found in {n_parcels} parcels of {n_zones} zones")
    return words.text(found, package=package, **counted)


def _shown(name: str, value: Any, words: Words) -> str:
    if name == "factor":
        return words.text(TEXTS["conditions"][value])
    if name == "day":
        return words.day(value)
    if name in ("weight", "edge"):
        return str(value).replace(".", words.decimal)
    if name == "percent":
        return words.share(value)
    return words.listing(value) if isinstance(value, list) else str(value)


_COUNT = mark_plural("{n} problem; nothing was written.", "{n} problems; nothing was written.")


def problem_line(problem: Problem, reason: str, words: Words) -> str:
    """Return a problem in one line.

    Parameters
    ----------
    reason : str
        What is wrong, in the language of `words`.
    """
    place = problem.table
    if problem.row is not None:
        place += words.text(mark(", row {row}"), row=str(problem.row))
    if problem.column is not None:
        place += words.text(mark(", column {column}"), column=problem.column)
    value = "" if problem.value is None else words.text(mark(" (value “{value}”)"), value=problem.value)
    return f"{place}{words.colon}{reason}{value}"


def count_line(n: int, words: Words) -> str:
    """Say how many problems there are, and that nothing came of the input."""
    return words.plural(*_COUNT, n, n=words.number(n))
