"""Every text that a page may show, as its sources have it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_python
from jinja2.ext import babel_extract

import service
from kpfootprint.ingest import ANSWERS, NOTES, RULES
from kpfootprint.planning.question import RULES as PLANNING_RULES
from service.endpoints import ENDPOINTS
from service.errors import FOUND, KINDS
from service.pages import calendar
from service.pages.render import PAGES
from service.pages.start import EXAMPLES
from tests.source import tree_of

TEMPLATES = PAGES.parents[3] / "templates"
CARRIERS = {"Refused": None, "existing": None, "again": None}
"""What is called with a text, in its second place, that a request is refused with, or a form is shown again with."""


def messages() -> Iterator[str]:
    """Yield every English message that a page may show."""
    for path in sorted(TEMPLATES.glob("*.html")):
        with path.open("rb") as stream:
            for _, _, found, _ in babel_extract(stream, ("_", "gettext", "ngettext"), (), {}):
                first = found[0] if isinstance(found, tuple) else found
                if first is not None:
                    yield first
    yield from (title for _, title in KINDS.values())
    yield from (item.summary for item in ENDPOINTS if not item.page)
    for path in sorted(Path(service.__file__).parent.rglob("*.py")):
        yield from declared(path)
        with path.open("rb") as stream:
            for _, called, given, _ in extract_python(stream, CARRIERS, (), {}):
                if called in CARRIERS and isinstance(given, tuple):
                    yield from (text for text in given[1:2] if text and text.strip(".") != "{told}")
    yield from (*FOUND, calendar.DUE[0], calendar.OVERDUE[0])
    yield from (*RULES.values(), *PLANNING_RULES.values(), *NOTES.values(), *ANSWERS.values())
    for example in EXAMPLES:
        yield from (example.title, example.about)


def declared(path: Path) -> Iterator[str]:
    """Yield the texts of a module whose type is said to be `service.Wording` or `service.Wordings`."""
    for node in tree_of(path).body:
        match node:
            case ast.AnnAssign(annotation=ast.Name(id="Wording" | "Wordings"), value=ast.AST() as value):
                texts = value.values if isinstance(value, ast.Dict) else [value]
                yield from filter(None, map(ast.literal_eval, texts))
