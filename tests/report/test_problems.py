"""Problems of an input in a line each, in English and in French."""

from __future__ import annotations

import pytest

from kpfootprint.errors import Problem
from kpfootprint.report.locale import words
from kpfootprint.report.problems import count_line, problem_line

PROBLEM = Problem(table="stones", row=4, column="weight_ct", value="x", code="not_a_number", reason="not a number")


def test_the_english_line_is_that_of_the_problem_itself() -> None:
    assert problem_line(PROBLEM, PROBLEM.reason, words("en")).replace("\u201cx\u201d", "'x'") == str(PROBLEM)


def test_the_french_line_is_french() -> None:
    line = problem_line(PROBLEM, "ce n\u2019est pas un nombre", words("fr")).replace("\u00a0", " ")
    assert line == "stones, ligne 4, colonne weight_ct : ce n\u2019est pas un nombre (valeur « x »)"


@pytest.mark.parametrize(("n", "said"), [(1, "1 problème ; rien"), (2, "2 problèmes ; rien")])
def test_they_are_counted(n: int, said: str) -> None:
    assert count_line(n, words("fr")).replace("\u00a0", " ").startswith(said)
