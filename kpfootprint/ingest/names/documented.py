"""Tables as the documentation has them: what each column is by its header, and which of those that are needed lack."""

from __future__ import annotations

from collections.abc import Mapping

from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable, Trace, missing_column
from kpfootprint.ingest.words import TABLES, fold, misspelt, nearest

MAX_STRANGERS = 20
"""Unknown members of a JSON object that are told one by one."""

_BESIDE_PARCELS = (*TABLES[1:], "conditions")
"""Members of a JSON parcel that are none of its fields."""


def recognise(raw: RawTable, kind: str, inquiry: Inquiry, more: Mapping[str, str] | None = None) -> KnownTable:
    """Find out what the columns of a table are; what is missing, given twice or misspelt is told.

    `more` has folded headers that mean what those of the documentation do.
    """
    columns = inquiry.headers.words.columns(kind)
    known = {**(more or {}), **columns}
    found: dict[str, Column] = {}
    strangers: list[str] = []
    for column in raw.columns:
        header = column.header
        name = columns.get(fold(header)) or known.get(fold(header))
        looked_at = name is None and len(strangers) < MAX_STRANGERS
        if looked_at and (close := misspelt(header[:80], known)) is not None:
            inquiry.tell("unknown_column", raw.name, None, header, nearest=close)
        elif name is None:
            strangers.append(header)
        elif name in found:
            inquiry.tell("column_twice", raw.name, None, header, column=name)
        else:
            found[name] = column
    trace = raw.trace()
    if raw.typed:
        inner = _BESIDE_PARCELS if kind == TABLES[0] else ()
        _tell_strangers(raw.name, strangers, [*inner, *known.values()], inquiry)
    else:  # further columns of a sheet are its own affair
        trace.passed_over = [header for header in strangers if header.strip()]
    return known_as(raw, kind, found, trace, inquiry)


def _tell_strangers(table: str, strangers: list[str], known: list[str], inquiry: Inquiry) -> None:
    """Tell members of a JSON object that are not known."""
    members = {fold(name): name for name in known if name not in ("other_unit", "n_parcels")}
    for header in strangers[:MAX_STRANGERS]:
        inquiry.tell("unknown_member", table, None, header, nearest=nearest(header[:80], members))
    if len(strangers) > MAX_STRANGERS:
        inquiry.tell("more_problems", table, count=len(strangers) - MAX_STRANGERS)


def known_as(raw: RawTable, kind: str, columns: Mapping[str, Column], trace: Trace, inquiry: Inquiry) -> KnownTable:
    """Return a table with its columns found out; those that are missing, without which it cannot be read, are told."""
    weighed = raw.typed or "percent" in columns
    required: Mapping[str, tuple[str, ...]] = {
        "parcels": ("parcel_id",),
        "declarations": (*(() if "country" in columns else ("zone_id",)), *(() if weighed else ("carats",))),
        "stones": (inquiry.scheme.size.column,),
        "counts": () if "carats" in columns else ("n_stones",),
        "size_classes": ("sieve_set", "size_class", "lower_ct"),
    }
    missing = [missing_column(raw.name, name, raw.columns) for name in required[kind] if name not in columns]
    inquiry.problems.extend(missing)
    return raw.known(kind, columns, trace, complete=not missing)
