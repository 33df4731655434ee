"""One meaning a word, one word a meaning, over the names of modules and classes; terms mean what the glossary says.

Handlers, routes, pages, tables of the register and commands are named by what they are about: a module of the service
or of the command line may bear the name of any other that has the same meaning.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

from kpfootprint.report.glossary import TERMS
from tests.source import ROOT, classes, files

GLOSSARY = {form for text in TERMS.values() for form in text.split(" | ")[1].split(", ")}

ONE_MEANING = {
    "arrays": "numbers in rows and columns, as they are computed with",
    "errors": "what is raised, and how a refusal is told",
    "problems": "what is wrong with an input",
    "reading": "from files to parcels",
    "sentences": "statements, and how they are said",
    "tables": "rows and columns",
    "simulate": "to draw parcels from what was learnt",
    "trials": "declarations put to parcels whose source is known",
    "Document": "a page or body as it goes out",
    "Fitted": "what a method learnt",
    "Shipment": "parcels of one exporter that came together",
}
"""Names in more than one room that mean the same in each (terms of the glossary need no line)."""

DOORS = ("service", "kpfootprint.cli")
SHAPES = ("service/routes/shapes",)
"""Shapes of JSON bear the name of what they show."""


def room(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).parent.parts)


def rooms_of_modules() -> dict[str, set[str]]:
    """Return the rooms in which a module has each name; all that serves people counts as one."""
    found = defaultdict(set)
    for folder in ("kpfootprint", "training", "service"):
        for path in files(folder):
            here = room(path)
            if not path.stem.startswith("_") and path.stem != folder and not path.stem[0].isdigit():
                found[path.stem].add("doors" if here.startswith(DOORS) else here)
    return found


def rooms_of_classes() -> dict[str, set[str]]:
    """Return the rooms in which a class has each name."""
    found = defaultdict(set)
    for folder in ("kpfootprint", "training", "service"):
        for path in files(folder):
            if str(path.relative_to(ROOT)).startswith(SHAPES):
                continue
            for name in classes(path):
                found[name].add(room(path))
    return found


@cache
def shared() -> set[str]:
    everywhere = rooms_of_modules() | rooms_of_classes()
    return {name for name, rooms in everywhere.items() if len(rooms) > 1}


def test_a_name_in_two_rooms_has_one_meaning() -> None:
    terms = {name for name in shared() if name.lower() in GLOSSARY}
    assert sorted(shared() - terms - ONE_MEANING.keys()) == []


def test_what_was_mended_is_no_longer_listed() -> None:
    assert sorted(ONE_MEANING.keys() - shared()) == []


def test_no_meaning_has_two_names() -> None:
    names = defaultdict(set)
    for name, meaning in ONE_MEANING.items():
        names[meaning].add(name.lower())
    assert {meaning: words for meaning, words in names.items() if len(words) > 1} == {}
