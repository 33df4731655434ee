"""Problems of an input in a line each, in any language: where, what is wrong, and the value at fault."""

from __future__ import annotations

from kpfootprint.errors import Problem
from kpfootprint.report.locale import Words, mark, mark_plural

_COUNT = mark_plural("{n} problem; nothing was written.", "{n} problems; nothing was written.", "n")


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
    return words.plural(_COUNT[0], _COUNT[1], n, n=words.number(n))


def choose_line(words: Words) -> str:
    """Return what stands before the option that answers a question."""
    return words.text(mark("choose with: "))
