"""Compiles the catalogues of the pages: ``python -m service.catalogue``; tests hold them to their sources."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

import kpfootprint
import service
from kpfootprint.ingest import ANSWERS, NOTES, RULES
from kpfootprint.planning.question import RULES as PLANNING_RULES
from service.door.admission import JUDGES_FIRST
from service.door.inspection import BODY_PACKED, FILE_PACKED
from service.endpoints import ENDPOINTS
from service.errors import BARE, FOUND, KINDS
from service.jobs.training import ENDED
from service.pages import calendar, judging, outcomes
from service.pages.access import ROLE_TEXTS
from service.pages.comparisons import STATUSES
from service.pages.examples import EXAMPLES
from service.pages.models import JOB_STATES, NO_PACKAGE, NO_REASON, NOT_JUDGED
from service.pages.planning import TICK
from service.pages.render import CONCLUSIONS, DOMAIN, LOCALES
from service.pages.start import STATUS_NOTES
from service.pages.submissions import CHOOSE, DECIDED, DECISIONS, EVENTS, STATES
from service.work.flags import TEXTS
from service.work.kept import OWN_FIRST
from service.work.outcomes import NO_ZONE
from service.work.planning import TWICE, UNKNOWN, UNNAMED

TEMPLATES = LOCALES.parent / "templates"
CARRIERS = {"Refused": None, "existing": None}
"""What is called with a text, in its second place, that a request is refused with."""
COMMANDS = Path(kpfootprint.__file__).parent / "cli" / "locale"
"""Where the command line keeps what click says of its own."""


def messages() -> Iterator[str]:
    """Yield every English message that a page may show."""
    for path in sorted(TEMPLATES.glob("*.html")):
        with path.open("rb") as stream:
            for _, _, found, _ in babel_extract(stream, ("_", "gettext", "ngettext"), (), {}):
                first = found[0] if isinstance(found, tuple) else found
                if first is not None:
                    yield first
    yield from (title for _, title in KINDS.values())
    yield from (text for text in refusals() if text.strip(".") != "{told}")
    yield from (item.summary for item in ENDPOINTS if not item.page)
    yield from CONCLUSIONS.values()
    for said in (
        STATUSES,
        STATES,
        DECISIONS,
        DECIDED,
        EVENTS,
        TEXTS,
        ROLE_TEXTS,
        judging.WORDS,
        judging.RATES,
        outcomes.RATES,
    ):
        yield from said.values()
    yield from JOB_STATES.values()
    yield from (
        CHOOSE,
        UNKNOWN,
        TWICE,
        NO_ZONE,
        NO_REASON,
        NOT_JUDGED,
        NO_PACKAGE,
        judging.CHOOSE,
        judging.INCOMPLETE,
        outcomes.INCOMPLETE,
    )
    yield from (calendar.NAME, calendar.DUE[0], calendar.OVERDUE[0])
    yield from filter(None, STATUS_NOTES.values())
    yield from (*RULES.values(), *PLANNING_RULES.values())
    yield from (*NOTES.values(), *ANSWERS.values())
    for example in EXAMPLES:
        yield from (example.title, example.about)


def refusals() -> Iterator[str]:
    """Yield every text that a request is refused with."""
    yield from (
        BODY_PACKED,
        FILE_PACKED,
        ENDED,
        JUDGES_FIRST,
        OWN_FIRST,
        UNNAMED,
        *TICK.values(),
        *BARE.values(),
        *FOUND,
    )
    for path in sorted(Path(service.__file__).parent.rglob("*.py")):
        with path.open("rb") as stream:
            for _, called, found, _ in extract_python(stream, CARRIERS, (), {}):
                if called in CARRIERS and isinstance(found, tuple):
                    yield from filter(None, found[1:2])


def compiled(source: Path) -> bytes:
    """Return the compiled form of a catalogue."""
    with source.open("rb") as stream:
        catalogue = read_po(stream)
    made = io.BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


def sources() -> list[Path]:
    """Return every catalogue."""
    return sorted(LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


if __name__ == "__main__":
    for path in (*sources(), *COMMANDS.glob("*/LC_MESSAGES/*.po")):
        path.with_suffix(".mo").write_bytes(compiled(path))
