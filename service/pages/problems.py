"""Problems of an input in the language of whoever sent it."""

from __future__ import annotations

import gettext

from kpfootprint.errors import Problem
from kpfootprint.ingest import RULES, text_of_rule
from kpfootprint.planning.rules import RULES as PLANNING_RULES


def told(problem: Problem, catalogue: gettext.NullTranslations) -> str:
    """Return what is wrong: the text of the rule in the language of the catalogue, filled with the problem's values.

    What is no rule of ingestion or of planning, or was told without its values, stays in English.
    """
    planning = PLANNING_RULES.get(str(problem.values.get("rule")))
    if planning is None and problem.code not in RULES:
        return problem.reason
    try:
        return catalogue.gettext(planning or text_of_rule(problem.code, problem.values)).format(**problem.values)
    except (KeyError, IndexError):
        return problem.reason
