"""What a table is, and what its columns are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np

from kpfootprint.ingest.columns.meanings import Layout, meanings_of
from kpfootprint.ingest.columns.origins import DECLARED, declared_beside, once_each, parted_places
from kpfootprint.ingest.names.documented import recognise
from kpfootprint.ingest.names.headers import Headers, Meaning
from kpfootprint.ingest.names.inquiry import Inquiry
from kpfootprint.ingest.names.parcel_names import is_parcel_name, own_name
from kpfootprint.ingest.raw.cells import Cell, is_blank, is_number, text_of, texts_in
from kpfootprint.ingest.raw.tables import Column, KnownTable, RawTable
from kpfootprint.ingest.sheets.layout import understand
from kpfootprint.ingest.sheets.left_out import without_totals
from kpfootprint.ingest.sheets.repeats import with_places_below
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import attribute_words, class_code, fold, table_names
from kpfootprint.scheme import Scheme

_OF_GOODS = ("n_stones", "carats", "value_usd")
"""What sheets of goods and tables of parcels have in common, under the same words."""

_WIDE = 4
"""Columns of a cover, at most: two labels with what they say."""

_LINES = 20
"""Lines that a form of one parcel has at most."""


def tables_of(raw: RawTable, inquiry: Inquiry, *, several: bool, sheets: set[str]) -> list[KnownTable]:
    """Return the tables that a sheet holds, none where it is a cover, a form or notes; its faults are told.

    Parameters
    ----------
    several
        Whether the input has more tables than this one.
    sheets
        The names of the others.
    """
    headers = inquiry.headers
    hint = table_names().get(fold(raw.name)) if several else None
    if several and hint is None and raw.columns:
        raw = _with_sheets_as_parcels(raw, headers, sheets)
    if _is_of_sizes(raw, headers):
        return [recognise(raw, "size_classes", inquiry)]
    if several and (_is_form(raw, headers) if hint == "parcels" else hint is None and is_prose(raw)):
        return []
    if several and hint in (None, "declarations") and _is_cover(raw, headers):
        return []
    if several and (made := _of_parcels(raw, hint, inquiry, sheets)):
        return made
    if _on_its_side(raw, headers):
        if not several:
            inquiry.tell("table_on_its_side", raw.name, raw.header_rows[0])
        return []
    if not several and is_headless(raw, headers):
        if (headed := _headed(raw, inquiry.scheme)) is None:
            tell_headless(raw, inquiry)
            return []
        raw = headed
    if _is_in_one_column(raw, headers):
        inquiry.tell("one_column", raw.name, raw.header_rows[0], header=raw.columns[0].header)
        return []
    if hint == "declarations":
        return [_declared(raw, inquiry)]
    before = len(inquiry.problems)
    found = understand(raw, hint, inquiry, several=several and hint is None)
    if not found and hint is not None and len(inquiry.problems) == before:
        return [recognise(raw, hint, inquiry)]
    return found


def _is_of_sizes(raw: RawTable, headers: Headers) -> bool:
    """Say whether a table has the limits of size classes and no goods."""
    known = headers.words.columns("size_classes")
    named = {known.get(fold(column.header)) for column in raw.columns}
    of_sizes = table_names().get(fold(raw.name)) == "size_classes" or {"size_class", "lower_ct"} <= named
    return of_sizes and not {"n_stones", "carats"} & {headers.of(column.header).role for column in raw.columns}


def _of_parcels(raw: RawTable, hint: str | None, inquiry: Inquiry, sheets: set[str]) -> list[KnownTable]:
    """Return a table of parcels, with the zones beside them; none where it is no such table.

    Without its name it is one by columns of ours besides the ids, or by ids that are names of other `sheets`.
    """
    headers = inquiry.headers
    said = {fold(column.header): headers.of(column.header) for column in raw.columns}
    if (sure := _lists_parcels(said, hint, headers)) is None:
        return []
    if (summed := _without_sums(raw, inquiry, None if sure else sheets)) is None:
        return []
    inquiry.problems.extend(summed.problems)
    more = {key: item.role for key, item in said.items() if item.role in _OF_GOODS and not (item.wide or item.party)}
    raw = _with_parcels_below(summed.raw, headers)
    made = recognise(raw, "parcels", inquiry, more)
    summed.trace.passed_over += made.trace.passed_over
    made = replace(made, trace=summed.trace)
    zones = declared_beside(made, raw, headers)
    if not zones and (laid := with_places_below(raw, hint, headers)) is not raw:
        zones = [recognise(laid, "declarations", inquiry)]
        kept = {column.header for column in laid.columns}
        made.trace.passed_over[:] = [header for header in made.trace.passed_over if header in kept]
    if hint == "declarations" and zones:  # which seldom weigh what their parcels do
        made = replace(made, columns={name: item for name, item in made.columns.items() if name != "carats"})
    return [once_each(made, zones[0], slips=hint == "declarations") if zones else made, *zones]


def _lists_parcels(said: Mapping[str, Meaning], hint: str | None, headers: Headers) -> bool | None:
    """Say whether headers are those of a table of parcels for sure, or may be; None where they are of none."""
    known = headers.words.columns("parcels")
    attributes = {"size_class", *(item.column for item in headers.words.scheme.categorical)}
    named = {known[name] for name in said if name in known}
    goods = any(item.role in attributes or item.wide for name, item in said.items() if name not in known)
    if goods or (hint != "parcels" and "parcel_id" not in named):
        return None
    roles = {item.role for item in said.values()}
    weights = {"carats", "percent", "other_unit", "n_stones"}
    listed = hint is None and "zone_id" in roles and roles.isdisjoint(weights)  # ``Parcel | Origin``
    counted = hint == "declarations" and "n_stones" in roles
    sure = hint == "parcels" or bool(named - {"parcel_id", *_OF_GOODS}) or listed or counted
    weighed = not roles.isdisjoint({"carats", "percent"})
    of_goods = hint not in (None, "parcels", "declarations") or (hint == "declarations" and weighed and not sure)
    return None if of_goods else sure


def _with_sheets_as_parcels(raw: RawTable, headers: Headers, sheets: set[str]) -> RawTable:
    """Take a first column that lists other sheets, each called as a parcel is, for the ids of their parcels.

    A parcel ``1`` that is listed is that of the sheet ``Parcel 1``.
    """
    listed_as = {own: sheet for sheet in sheets if (own := own_name(sheet))}
    for at, column in enumerate(raw.columns) if listed_as else ():
        names = [] if column.mostly_distinct else column.used().names()
        of_parcels = headers.field(column.header) == "parcel_id"
        if of_parcels and {*names} & {*listed_as} and not {*names} & sheets:
            cells = [listed_as.get(text_of(cell), cell) for cell in column.cells]
            columns = [*raw.columns[:at], replace(column, cells=cells), *raw.columns[at + 1 :]]
            return replace(raw, columns=columns)
    for column in raw.columns[:1] if headers.of(raw.columns[0].header).role in ("unknown", "other", "row") else ():
        names = [] if column.mostly_distinct else [name for name in column.used().names() if not is_total(name)]
        if len(names) > 1 and {*names} <= sheets and all(is_parcel_name(name, headers) for name in names):
            return replace(raw, columns=[replace(column, header="parcel_id"), *raw.columns[1:]])
    return raw


def _on_its_side(raw: RawTable, headers: Headers) -> bool:
    """Say whether a few rows hold a header each and what it says, as covers and forms of one parcel do."""
    if len(raw.columns) != 2 or not 0 < raw.n_rows <= _LINES:
        return False
    labels = [raw.columns[0].header, *(text_of(raw.columns[0].at(row)) for row in range(raw.n_rows))]
    said = [headers.of(label.rstrip(": ")) for label in labels]
    known = [item.role for item in said if item.role not in ("unknown", "other")]
    beside = raw.columns[1].header
    enough = len(known) == len(said) or (is_number(beside) and len(known) > 1)
    wide = any(item.wide for item in said)
    return enough and len(known) == len({*known}) and headers.of(beside).role == "unknown" and not wide


def _is_cover(raw: RawTable, headers: Headers) -> bool:
    """Say whether lines of a sheet are labels and what they say of a parcel: ``Date | 2021-05-04 | Zone | Nola``."""
    names = [column.header for column in raw.columns]
    if not 1 < len(names) <= _WIDE or raw.n_rows > _LINES:
        return False
    rows: list[Sequence[Cell]] = [names, *map(raw.row, range(raw.n_rows)), *(cells for _, cells in raw.titles)]
    filled = [*map(texts_in, rows)]
    head, below, above = filled[0], filled[1 : raw.n_rows + 1], filled[raw.n_rows + 1 :]
    if any(headers.names_fact(value) for _, value in _labelled(head, headers)):
        return False
    lines = [*(texts for texts in above if len(texts) > 1), head, *below]
    pairs = [pair for texts in lines for pair in _labelled(texts, headers)]
    said = [(label, value) if value else (label.partition(":")[0], label.partition(":")[2]) for label, value in pairs]
    facts = [headers.names_fact(label) or headers.of(label).role == "other" for label, _ in said]
    weighed = len(names) > 2 or headers.of(names[0]).role in ("n_stones", "carats")
    numbers = [value for fact, (_, value) in zip(facts, said, strict=True) if not fact]  # ``Currency | USD``
    numbers += [label for label, _ in said if weighed]
    return len(facts) > 1 and sum(facts) >= len(facts) / 2 and not any(map(is_number, numbers))


def _labelled(texts: list[str], headers: Headers) -> list[tuple[str, str]]:
    """Return the labels of a line with what each says, an origin all that is behind it: ``Zone | Nola | 12 ct``."""
    said = texts[1:]
    if said and headers.names_origin(texts[0].rstrip(": ")) and not any(headers.names_fact(text) for text in said):
        return [(texts[0], " ".join(said))]
    return [*zip_longest(texts[::2], texts[1::2], fillvalue="")]


def _is_in_one_column(raw: RawTable, headers: Headers) -> bool:
    """Say whether the only column is headed by several: ``weight|colour``."""
    parts = re.split(r"[;,|\s]+", raw.columns[0].header) if len(raw.columns) == 1 else []
    roles = {headers.of(word).role for word in parts}
    return bool({"n_stones", "carats"} & roles) and not {"unknown", "other"} & roles and len(roles) > 1


def tell_headless(raw: RawTable, inquiry: Inquiry) -> None:
    """Tell a table that names no column."""
    headers = ", ".join(column.header or "–" for column in raw.columns)
    inquiry.tell("no_header", raw.name, raw.header_rows[0], headers=headers)


def _is_form(raw: RawTable, headers: Headers) -> bool:
    """Say whether a table of parcels has a row for each of its fields, and what it says beside it."""
    if len(raw.columns) != 2 or raw.n_rows > _LINES:
        return False
    labels = [raw.columns[0].header, *raw.columns[0].names()]
    return all(map(headers.field, labels)) and headers.field(raw.columns[1].header) is None


def is_prose(raw: RawTable) -> bool:
    """Say whether a table is one column of words without a number, such as how a form is to be filled in."""
    filled = [column for column in raw.columns if not column.empty]
    return len(filled) == 1 and not filled[0].mostly_distinct and not any(map(is_number, filled[0].names()))


def _without_sums(raw: RawTable, inquiry: Inquiry, sheets: set[str] | None) -> Layout | None:
    """Return a table of parcels without its totals, each checked; None where it does not list some of the `sheets`."""
    sheet = replace(Layout.apart(raw, inquiry), meanings=meanings_of(raw, inquiry))
    at = next((at for at, item in enumerate(raw.columns) if inquiry.headers.field(item.header) == "parcel_id"), None)
    if at is None:
        return sheet
    sheet = without_totals(sheet, sheet.places("n_stones", "carats"), [at])
    names, codes = sheet.column(at).names(), sheet.column(at).codes
    named = [names[code] for code in codes.tolist() if names[code]]
    lists = sheets is None or (bool(named) and len({*named}) == len(named) and {*named} <= sheets)
    return sheet if lists else None


def _declared(raw: RawTable, inquiry: Inquiry) -> KnownTable:
    """Read a table called declarations: as a purchase slip, or a sorting sheet, else under our own headers."""
    headers, read = inquiry.headers, inquiry.apart()
    raw = _with_parcels_below(raw, headers)
    found = understand(raw, "declarations", read, several=True)
    if found and (found[0].kind == "declarations" or "size_class" in found[0].columns):
        inquiry.problems.extend(read.problems)
        return parted_places(found[0], headers)
    said = {column.header: headers.measure(column.header) or headers.of(column.header).role for column in raw.columns}
    more = {fold(header): role for header, role in said.items() if role in DECLARED}
    return parted_places(recognise(raw, "declarations", inquiry, more), headers)


def _with_parcels_below(raw: RawTable, headers: Headers) -> RawTable:
    """Let the parcel of a declaration go on where it is written once, and zones stand below it."""
    known = headers.words.columns("declarations")
    at = next((at for at, item in enumerate(raw.columns) if known.get(fold(item.header)) == "parcel_id"), None)
    if at is None or not raw.n_rows or is_blank(raw.columns[at].at(0)) or not raw.columns[at].blank().any():
        return raw
    column = raw.columns[at]
    columns = [*raw.columns[:at], column.filled_down(), *raw.columns[at + 1 :]]
    return replace(raw, columns=columns).noting("blanks_go_on", columns=column.header)


def is_headless(raw: RawTable, headers: Headers) -> bool:
    """Say whether the first row holds numbers and classes as rows of a table do, and names no column."""
    texts = [column.header for column in raw.columns]
    said = [*map(headers.of, texts)]
    known = any(item.role in ("n_stones", "carats") if item.wide else item.role != "unknown" for item in said)
    sizes = not texts[0] and all(headers.of(text).wide for text in texts if text)  # ``4 ct``, right of a blank corner
    return not known and not sizes and any(map(is_number, texts))


_HUNDREDTHS = re.compile(r"\d?\d?[.,]\d\d")


def _may_weigh(numbers: list[float]) -> bool:
    """Say whether numbers without a header may be the weights of stones, and hardly prices."""
    return max(numbers) < 20.0 and float(np.median(numbers)) < 3.0


def _headed(raw: RawTable, scheme: Scheme) -> RawTable | None:
    """Return a list of stones without headers under those that its cells leave no doubt about; None where they do.

    One column holds weights to the hundredth, the others known classes, one attribute each, or the numbers 1, 2, 3 …
    """
    columns = [Column.of("", [column.header, *column.each()]) for column in raw.columns]
    known = {item.column: attribute_words(item) for item in scheme.categorical}
    names: list[str] = []
    for column in columns:
        texts = column.names()
        named = [name for name, words in known.items() if all(class_code(text, words) is not None for text in texts)]
        if all(map(_HUNDREDTHS.fullmatch, texts)) and _may_weigh([float(text.replace(",", ".")) for text in texts]):
            names.append(scheme.size.column)
        elif texts == [str(at) for at in range(1, raw.n_rows + 2)]:
            names.append("No")
        else:
            names += named if len(named) == 1 else [""]
    sure = "" not in names and len({*names}) == len(names) and {scheme.size.column} < {*names} - {"No"}
    if raw.n_rows < 2 or not sure:
        return None
    made = [replace(column, header=name) for name, column in zip(names, columns, strict=True)]
    rows = np.array([raw.header_rows[0], *raw.rows.tolist()], dtype=np.int32)
    laid = replace(raw, columns=made, rows=rows, ragged={}, header_rows=())
    return laid.noting("without_header", columns=", ".join(names))
