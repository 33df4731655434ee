"""Tables of one header below each other, and headings above rows: what the lines above each name for its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.columns.origins import PARTS, origins_in, zones_declared
from kpfootprint.ingest.names.headers import Headers, Meaning
from kpfootprint.ingest.names.inquiry import ONE
from kpfootprint.ingest.names.labels import split_descriptions
from kpfootprint.ingest.names.parcel_names import is_parcel_name
from kpfootprint.ingest.parcels.records import CONDITIONS
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, is_number, text_of
from kpfootprint.ingest.raw.tables import Column
from kpfootprint.ingest.sheets.labelled import TITLED
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import fold, is_plain

_LINES, _CELLS = 8, 4
"""Lines above a section that name it, at most, and cells of each."""

_SAID = ("parcel_id", *TITLED, "n_stones", "carats")
"""Fields that lines above a section may say of its parcel."""

_PARTING = re.compile(rf"{PARTS.pattern}|\s*\(|\)$")

Named = tuple[str, list[Cell]]
"""What some labels name, as a column, and its cell for each label."""


_CODE = re.compile(r"(?=(?:\D*\d){3})([A-Z]{2,6})(?:[-_/]\d+){1,3}")
"""How parcels are called in codes of one kind, of three digits at least."""


def with_sections(sheet: Layout, again: Sequence[int]) -> tuple[Layout, Sequence[int]]:
    """Give rows the parcel, zone and class that the lines above them name, where a header stands again below each.

    What is not understood stays, with the rows before which a header stood `again`.
    """
    raw = sheet.raw
    if sheet.inquiry.chose(ONE) or not again or any(column.mostly_distinct for column in raw.columns):
        return sheet, again
    lines = [_lines_above(sheet, row) for row in again]
    sections = [[fact for row in rows for fact in _facts(raw.row(row), sheet.headers)] for rows in lines]
    first = [(line, fact) for line, cells in raw.titles for fact in _facts(cells, sheet.headers)][-len(sections[0]) :]
    sections = [[fact for _, fact in first], *sections]
    if not sections[0] or len({*map(len, sections)}) > 1:
        return sheet, again
    codes, made = np.searchsorted([*again], np.arange(raw.n_rows), side="right").astype(np.int32), sheet
    said: dict[str, Column] = {}
    for labels in map(list, zip(*sections, strict=True)):
        named = parcels_named(made, labels) or named_by(made, labels) or zones_named(made, labels)
        if named is None:
            if (field := _fields_named(labels, sheet.headers)) is None or field[0] in said:
                return sheet, again
            said |= dict([field])
            continue
        said |= {"parcel_id": Column.of(named[0], named[1])} if named[0] == "parcel_id" else {}
        columns = [*made.raw.columns, Column(named[0], named[1], codes)]
        made = made.with_columns(columns, [*made.meanings, Meaning(role=named[0])])
    if len({*map(tuple, sections)}) < len(sections):
        return sheet, again  # pages
    if said and "parcel_id" not in said:
        return sheet, again
    sheet.trace.lines.update(line for line, _ in first)
    sheet.trace.said = said
    return made.leave([row for rows in lines for row in rows], "heading"), ()


def _lines_above(sheet: Layout, end: int) -> list[int]:
    """Return the rows right above another one that hold a few words and no goods."""
    start = end
    while start and end - start < _LINES:
        cells = [cell for cell in sheet.raw.row(start - 1) if not is_blank(cell)]
        words = cells[:1] if _are_pair(cells, sheet.headers) else cells
        if not 0 < len(cells) <= _CELLS or any(not isinstance(cell, str) or _counts(sheet, cell) for cell in words):
            break
        first = text_of(cells[0])
        if is_total(first) or (first[:1].isdigit() and sheet.headers.size(first) is None):
            break
        start -= 1
    return [*range(start, end)]


def _counts(sheet: Layout, text: str) -> bool:
    """Say whether a cell is a number and no size, as ``3 ct`` is."""
    return is_number(text) and sheet.headers.size(text) is None


def _are_pair(cells: Sequence[Cell], headers: Headers) -> bool:
    """Say whether two cells are a label of a parcel or its origin, and what it says."""
    label = text_of(cells[0]).rstrip(": ") if len(cells) == 2 else ""
    return headers.field(label) in _SAID or headers.names_origin(label)


def _facts(cells: Sequence[Cell], headers: Headers) -> list[str]:
    """Return what a line says, one by one: ``Colis : CAR-1``, ``Zone : Nola``; ``Colis CAR-1 (Nola)`` says both."""
    filled = [cell for cell in cells if not is_blank(cell)]
    texts = [text_of(cell) for cell in filled]
    if _are_pair(filled, headers):
        return [f"{texts[0].rstrip(': ')}: {texts[1].removesuffix(' 00:00:00')}"]
    parts = [[text] if _is_whole(text, headers) else _PARTING.split(text) for text in texts]
    return [fact for part in parts for fact in part if fact]


def _is_whole(text: str, headers: Headers) -> bool:
    """Say whether a text says one thing, whatever signs stand in it: a size, a zone, a condition."""
    sized, of_zone = headers.size(text.rpartition(":")[2]) is not None, headers.words.zone(text) is not None
    return sized or of_zone or _declares(text, headers) or headers.field(text.partition(":")[0]) in CONDITIONS


def _declares(label: str, headers: Headers) -> bool:
    """Say whether a line declares zones: ``Zone: Nola 12,5 ct; Boda 7,5 ct``."""
    key, _, said = label.partition(":")
    return headers.names_origin(key) and bool(origins_in(said.strip(), "", headers))


def _fields_named(labels: Sequence[str], headers: Headers) -> tuple[str, Column] | None:
    """Return the field that all of some labels say of parcels, with its column: ``Exporter: A``."""
    parts = [label.partition(":") for label in labels]
    names = {headers.field(key) for key, _, _ in parts}
    if all(_declares(label, headers) for label in labels):
        names = {"zone_id"}
    name = names.pop() if len(names) == 1 else None
    if name not in (*_SAID, "zone_id"):
        return None
    return str(name), Column.of(parts[0][0], [said.strip() for _, _, said in parts])


def parcels_named(sheet: Layout, labels: Sequence[str]) -> Named | None:
    """Return the ids of parcels, or of lots, that all of some labels name, each another: ``Parcel A``, ``Colis n° 12``.

    With them stands which of the two they are; None where a label names none.
    """
    known = sheet.headers.words.columns("parcels")
    found: list[tuple[str, str]] = []
    for label in labels:
        words = label.replace(":", ": ").split()
        keys = ((fold(" ".join(words[:cut])), " ".join(words[cut:])) for cut in (1, 2, 3))
        named = [(key, own.lstrip(":# ")) for key, own in keys if known.get(key) == "parcel_id" and own.lstrip(":# ")]
        found += named[-1:]
    coded = [hit for label in labels if (hit := _CODE.fullmatch(label.strip())) is not None]
    codes = all(is_parcel_name(hit[0], sheet.headers) for hit in coded)
    if not found and codes and len({hit[1] for hit in coded}) == 1:  # ``CAR-2019-07``, ``CAR-2019-08``
        found = [("parcel", hit[0]) for hit in coded]
    short = all(len(own.split()) == 1 and (len(own) < 3 or has_digit(own)) for _, own in found)
    if sheet.places("parcel_id", "lot") or len({own for _, own in found}) != len(labels) or not short:
        return None  # ``Parcel before`` and ``Parcel after``, ``Parcel A (cont.)``
    lots = any(key.startswith("lot") for key, _ in found)
    return "lot" if lots else "parcel_id", [own for _, own in found]


_NUMBER = re.compile(r"\s*\d{1,2}\s*[.)]\s+(?=[^\d\s])")


def without_number(label: str) -> str:
    """Return a heading without its number: ``1. White``."""
    return _NUMBER.sub("", label, count=1)


def named_by(sheet: Layout, texts: list[str]) -> Named | None:
    """Return the attribute of which each text names one class, with those classes; None where one does not.

    Behind a number or the name of the attribute it may stand, ``1. White``, ``Colour: White``.
    """
    bare = [_without_attribute(sheet, without_number(text)) for text in texts]
    if all(sheet.headers.size(text) is not None and not text.isdigit() for text in bare):
        return None if sheet.places("size_class") else ("size_class", [*bare])
    taken = sheet.taken
    free = [item for item in sheet.scheme.categorical if item.column not in taken]
    made, unread = split_descriptions(Column("", [*bare], np.arange(len(texts), dtype=np.int32)), free, sheet.scheme)
    if len(made) != 1 or not all(map(is_plain, unread)):
        return None
    ((name, found),) = made.items()
    cells = [found.at(row) for row in range(len(texts))]
    return None if any(cell is None for cell in cells) else (name, cells)


def heads_classes(sheet: Layout, word: str) -> bool:
    """Say whether a word heads a column of classes: ``Sieve``, ``Colour``."""
    said = sheet.headers.of(word)
    return not said.wide and said.role in ("size_class", *sheet.attributes)


def _without_attribute(sheet: Layout, text: str) -> str:
    """Return a heading without what it is of: ``Colour: White``, ``Size: +11``."""
    key, _, said = text.partition(":")
    return (said if said.strip() and heads_classes(sheet, key.strip()) else text).strip()


def zones_named(sheet: Layout, labels: Sequence[str]) -> Named | None:
    """Return the zones that all of some labels name: ``NOLA``, ``Zone : Boda``; None where one names none."""
    zones = [_zone(label, sheet.headers) for label in labels]
    return None if None in zones or sheet.places("zone_id", "country") else ("zone_id", [*zones])


def _zone(label: str, headers: Headers) -> str | None:
    key, colon, said = label.partition(":")
    text = said.strip() if colon and headers.names_origin(key) else label
    return headers.words.zone(text) or next(iter(zones_declared(text, headers)), None)
