"""What a table is, and what its columns are."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from kpfootprint.errors import Problem
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, RawTable, Table
from kpfootprint.ingest.words import Words, fold, nearest, table_names

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "parcels": ("parcel_id",),
    "declarations": ("zone_id", "carats"),
    "stones": (),
    "counts": ("n_stones",),
    "size_classes": ("sieve_set", "size_class", "lower_ct"),
}
"""Columns without which a table cannot be read; the weight of stones comes from the scheme."""


MAX_STRANGERS = 20
"""Unknown members of a JSON object that are told one by one."""


def guess_kind(raw: RawTable, words: Words) -> str | None:
    """Say what a table is from its columns alone, or return None.

    Declarations have zones and carats, counts have numbers of stones, size classes have limits, stones have weights.
    """
    folded = {fold(column.header) for column in raw.columns}

    def has(table: str, *columns: str) -> bool:
        known = words.columns(table)
        return {known.get(name) for name in folded} >= set(columns)

    classes = ["size_class", *(item.column for item in words.scheme.categorical)]
    if has("declarations", "zone_id", "carats"):
        return "declarations"
    if has("size_classes", "size_class", "lower_ct"):
        return "size_classes"
    if has("counts", "n_stones") and any(has("counts", column) for column in classes):
        return "counts"
    return "stones" if has("stones", words.scheme.size.column) else None


def close_to_a_table(name: str) -> bool:
    """Say whether the name of a table looks like a known one, so that it is most likely misspelt."""
    return bool(difflib.get_close_matches(fold(name), list(table_names()), n=1, cutoff=0.8))


def recognise(raw: RawTable, kind: str, words: Words, problems: list[Problem]) -> Table:
    """Find out what the columns of a table are; what is missing, given twice or misspelt is added to `problems`."""
    known = words.columns(kind)
    found: dict[str, Column] = {}
    strangers: list[str] = []

    def tell(code: str, header: str, **values: object) -> None:
        problems.append(problem(Broken(code, values), table=raw.name, column=header))

    for column in raw.columns:
        name = known.get(fold(column.header))
        if name is None and len(strangers) < MAX_STRANGERS:
            close = nearest(column.header[:80], known, cutoff=0.8, count=1)
            if fold(column.header) and close in _close_names(column.header[:80], known):
                tell("unknown_column", column.header, nearest=close)
            elif raw.typed:
                strangers.append(column.header)
        elif name is None:
            strangers.append(column.header)
        elif name in found:
            tell("column_twice", column.header, column=name)
        else:
            found[name] = column
    strangers = strangers if raw.typed else []
    for header in strangers[:MAX_STRANGERS]:
        tell("unknown_member", header, nearest=nearest(header[:80], {fold(name): name for name in known.values()}))
    if len(strangers) > MAX_STRANGERS:
        problems.append(problem(Broken("more_problems", {"count": len(strangers) - MAX_STRANGERS}), table=raw.name))
    required = (words.scheme.size.column,) if kind == "stones" else REQUIRED[kind]
    if kind == "declarations":
        weighed = ("carats",) if not raw.typed and "percent" not in found else ()
        required = (*(() if "country" in found else ("zone_id",)), *weighed)
    if kind == "counts" and "carats" in found:
        required = ()
    headers = ", ".join(column.header for column in raw.columns) or "none"
    missing = [name for name in required if name not in found]
    for name in missing:
        tell("missing_column", name, column=name, headers=headers)
    n_rows = int(raw.columns[0].codes.shape[0]) if raw.columns else 0
    return Table(
        kind=kind,
        name=raw.name,
        columns=found,
        n_rows=n_rows,
        rows=raw.rows,
        ragged=raw.ragged,
        n_columns=len(raw.columns),
        typed=raw.typed,
        complete=not missing,
    )


def _close_names(header: str, known: Mapping[str, str]) -> set[str]:
    return {known[hit] for hit in difflib.get_close_matches(fold(header), list(known), n=1, cutoff=0.8)}
