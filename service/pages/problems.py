"""Problems of an input in the language of whoever sent it."""

from __future__ import annotations

import gettext
import re
from functools import cache

from kpfootprint.errors import Problem
from kpfootprint.ingest import RULES


def told(problem: Problem, catalogue: gettext.NullTranslations) -> str:
    """Return what is wrong; a rule without a translation is told in English.

    A problem carries its English reason, which the rule's template has made; the values are taken out of it again and
    put into the translated template.
    """
    template = RULES.get(problem.code)
    translated = template and catalogue.gettext(template)
    if template is None or translated in {None, template}:
        return problem.reason
    found = _shape(template).fullmatch(problem.reason)
    return problem.reason if found is None else str(translated).format(**found.groupdict())


@cache
def _shape(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    shape = "".join(re.escape(part) if at % 2 == 0 else f"(?P<{part}>.*)" for at, part in enumerate(parts))
    return re.compile(shape, re.DOTALL)
