"""How parcels, and the sheets and files that hold them, are called; and which of two are versions of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import declared_words, fold, is_plain, misspelt, plain, table_names, tokens_of

_SHEET = re.compile(
    r"(sheets?|tab|tables?|tableau|v|ver|version|rev|q|t|dtc|feuil|feuille|tabelle|blatt|лист|planilha|folha|hoja"
    r"|blad|foglio|p|pp|pages?|seite|pagina|part|partie|teil|lots?|lote|bag|sachet|pack|paquet|box|boite|series?|serie|kop|copy|copie)?[\W_]*\d*[\W_]*",
    re.IGNORECASE,
)

_NUMBERED = re.compile(r"(19|20)?\d\d[-_/ ]\d{3,}")
"""Numbers of parcels by year: ``2024-007``."""

_PARCEL = re.compile(r"(?:parcels?|parcelles?|colis)[\W_]*(?:n[o°]?[\W_]*)?(?P<own>\d\w*|[a-z])", re.IGNORECASE)


def own_name(sheet: str) -> str:
    """Return the number or letter of a parcel behind the word for one: ``Parcel 2`` is ``2``; else nothing."""
    hit = _PARCEL.fullmatch(sheet)
    return hit["own"] if hit is not None else ""


def is_parcel_name(name: str, headers: Headers) -> bool:
    """Say whether a sheet is called as parcels are, ``CAR-2019-07``, and not ``Sheet1``, ``Lot 2`` or ``+11``."""
    if _NUMBERED.fullmatch(name) or _PARCEL.fullmatch(name):
        return True
    known = headers.size(name) is not None or headers.of(name).role != "unknown" or is_total(name)
    coded = any(map(str.isdigit, name)) and any(map(str.isalpha, name)) and _SHEET.fullmatch(name) is None
    return coded and not known and misspelt(name, table_names()) is None


_VERSIONS = (
    re.compile(r"(?P<base>.*\w)(?:[\W_]+|(?<=\d))(?:(?P<word>[a-z]+)[\W_]*[\d.]*|\(\d+\))\W*"),
    re.compile(r"(?P<word>[a-z]+)[\W_]+(?P<base>.*)"),
)
"""What stands behind a name, or in front of it, in the names of its versions: ``CAR-1 final``, ``Copy of CAR-1``."""


_CODED = re.compile(r"(?<![^\W_])[a-z]+[-_/. ]?\d+(?:[-_/.]\d+)*(?![^\W_])")
"""What parcels are called by, in the name of a sheet or file: ``car-2019-07``."""


def ask_about_names(names: Sequence[str], table: str, inquiry: Inquiry) -> None:
    """Ask about names of sheets or files, the first of which is `table`, that would be names of parcels.

    Whether each is a parcel where not all are called as parcels are, and whether one is another version of the other,
    or a part of it: ``CAR-1``, ``CAR-1 final``.
    """
    first: dict[str, str] = {}
    headers, meant = inquiry.headers, inquiry.choices.get("sheets")
    for name in names if meant != "parcels" else ():
        base = _without_version(plain(name))
        coded = _CODED.search(base)
        base = base if coded is None else coded[0]
        other = first.setdefault(fold(base), name)
        if other != name and is_parcel_name(base, headers):
            inquiry.tell("versions", name, other=other, choices=[("sheets", "parcels")])
    if meant not in ("parcels", "one") and not all(is_parcel_name(name, headers) for name in names):
        answers = [("sheets", "parcels"), ("sheets", "one")]
        inquiry.tell("sheets_or_parcels", table, sheets=listed(names, 8), choices=answers)


def _without_version(name: str) -> str:
    known = (None, *declared_words()["files"]["copies"])
    hit = next((hit for of in _VERSIONS if (hit := of.fullmatch(name)) and hit["word"] in known), None)
    return name if hit is None else _without_version(hit["base"])


def _as_of_a_file(name: str) -> str:
    """Return a name as files and sheets can bear it: the sheet of ``2024/017`` is called ``2024-017``."""
    return re.sub(r"[\\/?*:<>|\"\[\]_-]", "-", plain(name))


def parcel_within(name: str, known: Iterable[str]) -> str:
    """Return the known parcel of which the name of a file speaks, with words of goods alone beside: ``Liste CF-07``."""
    lists = declared_words()["files"]["lists"]
    for parcel in known:
        before, found, behind = f" {_as_of_a_file(name)} ".partition(_as_of_a_file(parcel))
        rest = [token for token in tokens_of(f"{before} {behind}") if token not in lists]
        of_goods = is_plain(" ".join(rest)) or fold(" ".join(rest)) in table_names()
        if found and of_goods and not (before[-1:].isalnum() or behind[:1].isalnum()):
            return parcel
    return name
