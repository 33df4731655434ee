"""Keeps the French of reports: ``python -m tests.report.catalogue`` after a message was added or changed.

It reads every marked message out of `kpfootprint.report`, and the texts of its ``en.toml``, and brings the ``.po`` file
up to date: new messages come in untranslated, unused ones go. A test holds messages and translations together.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kpfootprint.report.locale import CATALOGUE
from kpfootprint.report.messages import TEXTS
from tests.source import tree_of

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

_KEYWORDS = {"mark": 1, "mark_plural": 2, "t": 1}
"""Functions that are given messages, each with the number of its arguments that are one."""
_PLACE = re.compile(r"\{\w+\}")


def extracted() -> Catalog:
    """Return a catalogue of every marked message of reports, without translations."""
    from babel.messages.catalog import Catalog

    found = Catalog(header_comment="")
    here = CATALOGUE.parents[1]
    for path in sorted(here.rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in _KEYWORDS:
                    texts = [str(arg.value) for arg in args[: _KEYWORDS[name]] if isinstance(arg, ast.Constant)]
                    if texts:
                        found.add(texts[0] if len(texts) == 1 else tuple(texts))
    for message in _texts(TEXTS):
        found.add(message)
    return found


def _texts(found: Any) -> Iterator[str | tuple[str, str]]:
    """Yield the texts of a catalogue that hold a word, those that depend on a count in singular and plural."""
    match found:
        case str() if _PLACE.sub("", found):
            yield found
        case [str(one), str(many), str()]:
            yield one, many
        case dict() | list():
            for inner in found.values() if isinstance(found, dict) else found:
                yield from _texts(inner)


def read_catalogue() -> Catalog:
    """Return the translations as they stand in the ``.po`` file."""
    from babel.messages.pofile import read_po

    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="fr")


def update() -> None:
    """Bring the ``.po`` file up to date with the messages."""
    from babel.messages.pofile import write_po

    catalogue = read_catalogue()
    catalogue.update(extracted(), no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=110, sort_output=True, no_location=True, omit_header=True)
    CATALOGUE.write_bytes(_header(catalogue).encode() + buffer.getvalue())


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
    update()
