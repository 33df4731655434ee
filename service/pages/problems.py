"""Problems of an input, and how it was read, in the language of whoever sent it."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest import NOTES, RULES, text_of_answer, text_of_rule
from kpfootprint.planning.question import RULES as PLANNING_RULES
from kpfootprint.scheme import AttributeClass, ClassSet, Scheme

Classes = Mapping[str, tuple[str, list[tuple[str, str]]]]
"""Each attribute's name in a language, with its classes and sets and the names of those."""


def told(problem: Problem, catalogue: gettext.NullTranslations, classes: Classes) -> str:
    """Return what is wrong: the text of the rule in the language of the catalogue, filled with the problem's values.

    Attributes and their classes stand under the names that they have there. What is no rule of ingestion or of
    planning, or was told without its values, stays in English.
    """
    planning = PLANNING_RULES.get(str(problem.values.get("rule")))
    if planning is None and problem.code not in RULES:
        return problem.reason
    try:
        return catalogue.gettext(planning or text_of_rule(problem.code, problem.values)).format(
            **_named(problem.values, classes)
        )
    except (KeyError, IndexError):
        return problem.reason


def _named(values: Mapping[str, Any], classes: Classes) -> Mapping[str, Any]:
    """Return the values of a problem with an attribute, and lists of its classes, under the names of a language."""
    title, named = classes.get(str(values.get("attribute")), ("", []))
    if not title:
        return values
    names = dict(named)
    lists = {key: str(values[key]).split(", ") for key in ("nearest", "classes", "sets") if key in values}
    shown = {key: ", ".join(names.get(name, name) for name in parts) for key, parts in lists.items()}
    return {**values, **shown, "attribute": title}


def worded(choice: str, catalogue: gettext.NullTranslations, classes: Classes) -> str:
    """Return an answer to a question, ``column:Grade=ignore``, in words."""
    question, _, answer = choice.rpartition("=")
    kind, _, name = question.partition(":")
    text = catalogue.gettext(text_of_answer(question, answer))
    title, named = classes.get("size" if answer == "size_class" else answer if kind == "column" else kind, (answer, []))
    return text.format(name=name, answer=title if kind == "column" else dict(named).get(answer, answer))


def noted(note: Mapping[str, Any], catalogue: gettext.NullTranslations) -> str:
    """Return what a receipt tells of a row or a sheet, in the language of the catalogue."""
    return catalogue.gettext(NOTES[note["code"]]).format(**note["values"])


def classes_named(read_as: Mapping[str, Any], scheme: Scheme, lang: str) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return the classes of a receipt with the stones of each, under the names of a language."""
    named: list[tuple[str, list[tuple[str, int]]]] = []
    attributes = {item.name: item for item in scheme.categorical}
    for name, counts in read_as["classes"].items():
        item = attributes.get(name)
        parts: list[AttributeClass | ClassSet] = [] if item is None else [*item.classes, *item.sets]
        labels = {part.name: part.labels.get(lang, part.name) for part in parts}
        title = scheme.size.labels.get(lang, name) if item is None else item.labels.get(lang, name)
        if counts:
            named.append((title, [(labels.get(label, label), count) for label, count in counts.items()]))
    return named
