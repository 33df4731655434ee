"""Sentences of ours, which keep their text and its values so that they can be told again in another language."""

from __future__ import annotations

import gettext
import io
import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "fr")
ERRORS = Path(__file__).parent / "locale" / "errors.fr.po"


SAID_AS = "KPFOOTPRINT_SAYS"
"""Variable that is ``json`` where a process shall say what went wrong so that another can tell it: as `kept`."""


class Said(str):
    """A sentence in English, and what it is made of: a text with places, and what is filled in there.

    Values are other such sentences, whole numbers that count, or what somebody else wrote.

    Examples
    --------
    >>> said = Said("parcel {parcel} has {n} stones", parcel="A", n=1200)
    >>> said, said.text
    ('parcel A has 1,200 stones', 'parcel {parcel} has {n} stones')
    """

    text: str
    values: Mapping[str, Any]

    def __new__(cls, text: str, /, **values: object) -> Said:
        """Make a sentence of a text and its values; one that is a sentence already stays so."""
        if isinstance(text, Said):
            return text
        filled = {name: value if type(value) is int else said_of(value) for name, value in values.items()}
        made = super().__new__(cls, _filled(text, filled, ","))
        made.text, made.values = text, filled
        return made

    def each(self, change: Callable[[str], str]) -> Said:
        """Return the sentence with what others wrote in it changed."""

        def changed(value: Any) -> Any:
            return value if isinstance(value, int) else value.each(change) if isinstance(value, Said) else change(value)

        return Said(self.text, **{name: changed(value) for name, value in self.values.items()})

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Said, **self.values), (self.text,)


def said_of(found: object) -> str:
    """Return what an error says, the system's and those of JSON by their kind; what others wrote, as text."""
    match found:
        case Said():
            return found
        case BaseException(args=[Said() as said]):
            return said
        case OSError(errno=int(number), strerror=str(reason), filename=None):
            return Said("[Errno {number}] {reason}", number=str(number), reason=Said(reason))
        case OSError(errno=int(number), strerror=str(reason), filename=file, filename2=None):
            return Said("[Errno {number}] {reason}: {file}", number=str(number), reason=Said(reason), file=repr(file))
        case json.JSONDecodeError(msg=reason, lineno=line, colno=column, pos=char):
            place = {"line": str(line), "column": str(column), "char": str(char)}
            return Said("{reason}: line {line} column {column} (char {char})", reason=Said(reason), **place)
        case KeyError(args=[name]):
            return Said("there is no {name}", name=repr(name))
        case RecursionError():
            return Said("it is nested too deep")
        case UnicodeDecodeError(object=data, start=place):
            byte = f"{data[place]:#04x}"
            return Said("the text is not UTF-8: byte {place} is {byte}", place=str(place), byte=byte)
        case BaseException():
            return Said(str(found))
    return str(found)


def kept(value: Any) -> Any:
    """Return a sentence as members of JSON, which `again` reads; anything else as it is."""
    if not isinstance(value, Said):
        return value
    return {"text": value.text, "values": {name: kept(item) for name, item in value.values.items()}}


def again(value: Any) -> Any:
    """Return the sentence that was `kept`, or whatever else was."""
    if not isinstance(value, Mapping):
        return value
    return Said(value["text"], **{name: again(item) for name, item in value["values"].items()})


def retold(found: object, lang: str, using: gettext.NullTranslations | None = None) -> str:
    """Return a sentence, or what an error says, in a language, with `using` in place of the texts of the library.

    >>> retold(Said("the register {name}", name="kept here"), "fr"), retold("kept here", "fr")
    ('le registre kept here', 'kept here')
    """
    texts, said = using or catalogue(ERRORS, lang), said_of(found)
    if not isinstance(said, Said):
        return said and texts.gettext(said)
    values = {name: retold(item, lang, using) if isinstance(item, Said) else item for name, item in said.values.items()}
    return _filled(texts.gettext(said.text), values, "\u00a0" if lang == "fr" else ",")


def _filled(text: str, values: Mapping[str, Any], group: str) -> str:
    shown = {name: f"{v:,}".replace(",", group) if type(v) is int else v for name, v in values.items()}
    return text.format(**shown) if values else text


@cache
def catalogue(file: Path, lang: str) -> gettext.NullTranslations:
    """Return the French of a ``.po`` file; English is the language of the texts themselves."""
    if lang != "fr":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with file.open("rb") as stream:
        write_mo(compiled, read_po(stream))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
