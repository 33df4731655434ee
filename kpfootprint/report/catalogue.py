"""Keeps the translations: ``python -m kpfootprint.report.catalogue`` after a message was added or changed.

It reads every marked message out of this folder and brings each language's ``.po`` file up to date: new messages come
in untranslated, unused ones go. A test holds messages and translations together.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from kpfootprint.report.locale import CATALOGUES
from kpfootprint.retold import LANGUAGES

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

_KEYWORDS = {"mark": None, "mark_plural": (1, 2)}


def extracted() -> Catalog:
    """Return a catalogue of every marked message in this folder, without translations."""
    from babel.messages.catalog import Catalog
    from babel.messages.extract import extract

    found = Catalog(header_comment="")
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        with path.open("rb") as source:
            for line, message, _, _ in extract("python", source, keywords=_KEYWORDS):
                found.add(message, locations=[(path.relative_to(here).as_posix(), line)])
    return found


def read_catalogue(lang: str) -> Catalog:
    """Return the translations of a language as they stand in its ``.po`` file."""
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{lang}.po").open("rb") as file:
        return read_po(file, locale=lang)


def update(lang: str) -> None:
    """Bring a language's ``.po`` file up to date with the messages."""
    from babel.messages.pofile import write_po

    catalogue = read_catalogue(lang)
    catalogue.update(extracted(), no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=110, sort_output=True, no_location=True, omit_header=True)
    (CATALOGUES / f"{lang}.po").write_bytes(_header(catalogue).encode() + buffer.getvalue())


def _header(catalogue: Catalog) -> str:
    """Return a header without dates and addresses, so that the file changes with its messages alone."""
    lines = (
        f"Language: {catalogue.locale_identifier}",
        f"Plural-Forms: {catalogue.plural_forms}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    )
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{line}\\n"\n' for line in lines) + "\n"


if __name__ == "__main__":
    for language in LANGUAGES:
        if language != "en":
            update(language)
