"""What is wrong with an input: the rules that it can break, a stable name each, and where it breaks them.

``Problem.code`` is a key of `RULES`, and never changes its meaning. Texts in other languages hang on these names.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Final

from kpfootprint.errors import Problem
from kpfootprint.retold import Said

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    resources.files("kpfootprint.ingest").joinpath("texts.toml").read_text(encoding="utf-8")
)
RULES, ANSWERS, NOTES = _TEXTS["rules"], _TEXTS["answers"], _TEXTS["notes"]
"""English texts of rules, of the answers that questions have, and of what a receipt tells."""


def text_of_answer(question: str, answer: str) -> str:
    """Return the English text of an answer, to be translated and filled with the name asked about and the answer."""
    kind = question.partition(":")[0] if ":" in question else question
    open_ended = "word=" if ":" in question and kind != "column" else f"{kind}="
    return ANSWERS.get(f"{kind}={answer}") or ANSWERS.get(open_ended) or f"{question}={answer}"


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a value breaks, before it is known where the value stands."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        """What is wrong, in English."""
        return text_of_rule(self.code, self.values).format(**self.values)


def text_of_rule(code: str, values: Mapping[str, object]) -> str:
    """Return the English text of a rule, to be translated and filled with values."""
    return RULES[str(values.get("rule", code))]


def problem(
    broken: Broken, *, table: str, row: int | None = None, column: str | None = None, value: object = None
) -> Problem:
    """Place a broken rule; long values are cut, and what cannot be written as UTF-8 is replaced."""
    return Problem(
        table=_told(table, 80),
        row=row,
        column=None if column is None else _told(column, 80),
        value=None if value is None else _told(_written(value), 80),
        code=broken.code,
        reason=_told(broken.reason, 600),
        values={name: _kept(found) for name, found in broken.values.items()},
    )


def _written(value: object) -> str:
    """Return a value as it was written: lists, objects and flags as JSON writes them."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else str(value)


def _kept(value: object) -> object:
    if isinstance(value, Said):
        return value.each(lambda text: _told(text, 200))
    return _told(value, 200) if isinstance(value, str) else value


def _told(text: str, length: int) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= length else text[: length - 1] + "…"


def listed(texts: Iterable[str], most: int = 4) -> str:
    """Return the first few of some texts, in one."""
    items = list(dict.fromkeys(texts))
    return ", ".join(items[:most]) + (", …" if len(items) > most else "")


def cut(text: str, length: int = 200) -> str:
    """Return a text in one line of so many letters at most, without a `length` of as many as a row is told by."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
