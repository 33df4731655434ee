"""Whether the rows of a table are stones, or lots and classes that gather several: it is asked where in doubt."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import MEASURES, SIZES, Layout
from kpfootprint.ingest.columns.units import ask_whether_carats
from kpfootprint.ingest.names.headers import Headers, Meaning
from kpfootprint.ingest.names.inquiry import CARATS
from kpfootprint.ingest.names.labels import split_descriptions
from kpfootprint.ingest.names.parcel_names import is_parcel_name
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.cells import has_digit, text_of
from kpfootprint.ingest.sheets.counted_twice import same_stones
from kpfootprint.ingest.words import fold, says, tokens_of, unit_words

_HEAVY_CT = 5.0
"""Weight above which all rows must lie, of which no two are of one class, to be taken for lots rather than stones."""

_BAND = re.compile(r"[<>≤≥]=?\s*\d[\d ,.]*|\d[\d ,.]*\s*[-–]\s*\d[\d ,.]*|\d[\d ,.]*\s*\+")
"""From what to what: ``<50``, ``50-100``, ``200+``."""

_SHORT = 2
"""Letters of the name of a shipment without a number, at most."""

_MOST = 5_000
"""Rows of a table whose words may tell blocks of the same classes apart."""

_FIRST = 1
"""The number of a first row, or what comes before it."""

_OF_STONES = ("weight_ct", "poids_ct")
"""Headers that the documentation gives to the weight of a stone."""

_HEADING = re.compile(r"7102[. ]?\d\d([. ]?\d\d){0,2}")
"""A heading of the customs tariff for diamonds."""

_SEVERAL_SAID = re.compile(
    rf"\b([2-9]|[1-9]\d+)\s*([^\W\d]+\s+){{0,2}}({'|'.join(map(re.escape, unit_words('pieces')))}|pieces?|pièces?)\b"
    r"|\b(remaining|other|smaller|divers|autres)\s+(goods|stones|pierres|small|petits|petites)\b"
    r"|\b(lots?|paquets?|packs?)\s+(de|of)\s+\d|^[x×]\s?\d+$|^((a|une?)\s)?(pairs?|paires?)$",
    re.IGNORECASE,
)
"""A remark by which a row is of several stones: ``3 pcs``, ``lot de 3``."""


_SEVERAL = 6
"""Rows from which on it is no chance that their classes come again."""


def ask_about_cells(sheet: Layout, classed: list[int]) -> None:
    """Ask whether rows with a size class and carats are classes, or stones, where two of them are alike."""
    named = sheet.places("n_stones", "lot", "description", "described", "parcel_id")
    if named or not are_repeated(sheet, classed):
        return
    sheet.ask("stones_or_cells", sheet.places("size_class")[0], "ignore")


def are_repeated(sheet: Layout, classed: Sequence[int]) -> bool:
    """Say whether two rows have the same classes."""
    rows = np.column_stack([sheet.column(at).codes for at in classed]) if classed else np.zeros((0, 1))
    return len(np.unique(rows, axis=0)) < len(rows)


def ask_about_stones(sheet: Layout, classed: list[int]) -> None:
    """Ask whether the rows of a list of weights are stones, or lots of several; and whether weights are carats."""
    weights = sheet.places("carats")
    if not weights or sheet.column(weights[0]).mostly_distinct:
        return
    at, weight = weights[0], sheet.values(weights[0])
    means = sheet.places("mean")
    if means and bool(np.any(sheet.values(means[0]) < 0.9 * weight)):
        sheet.tell("lots_without_numbers", at, header=sheet.header(means[0]))
        return
    if sheet.choices.get("rows") != "stones" and (by := _lots_by(sheet, classed, weight)) is not None:
        named = sheet.header(by)
        sheet.tell("lots_without_numbers", by, header=named, choices=[("rows", "stones")])
        return
    ask_whether_carats(sheet, at, weight)


def _lots_by(sheet: Layout, classed: list[int], weight: NDArray[np.float64]) -> int | None:
    """Return the column by which rows are lots rather than stones, or None."""
    raw = sheet.raw
    for at in sheet.places("description"):
        made, _ = split_descriptions(raw.columns[at], sheet.scheme.categorical, sheet.scheme)
        if "size_class" in made:
            return at
    for at, column in enumerate(raw.columns):
        if not column.mostly_distinct and at not in sheet.places("carats", "row") and _of_goods(sheet, at):
            return at
    if raw.n_rows < 2 or not np.isfinite(weight).any() or sheet.places("parcel_id"):
        return None
    if (first := _label_of_goods(sheet, classed, weight)) is not None:
        return first
    if sheet.places("row"):
        return None
    goods = [at for at, column in enumerate(raw.columns) if sheet.headers.of(column.header).role == "description"]
    header = raw.columns[sheet.places("carats")[0]].header.strip().casefold()
    sure = header in _OF_STONES or (len(classed) > 1 and fold(header) in map(fold, _OF_STONES))
    known = [*sheet.places("lot", "description"), *classed]
    sellers = [at for at, column in enumerate(raw.columns) if says("seller", *tokens_of(column.header))]
    named = sellers or known
    named = named or [at for at in range(len(raw.columns)) if at not in sheet.places("carats", "money", "value_usd")]
    bought = bool(sellers) and not classed and not sheet.places("description")
    light = float(np.nanmedian(weight) if sellers else np.nanmin(weight)) <= _HEAVY_CT
    if not named or (sure and not goods) or (light and not bought):
        return None
    distinct = len(np.unique(np.column_stack([raw.columns[at].codes for at in named]), axis=0)) == raw.n_rows
    return named[0] if distinct else None


def _label_of_goods(sheet: Layout, classed: list[int], weight: NDArray[np.float64]) -> int | None:
    """Return the first column where it names what a row gathers, each once: classes, months, sellers, lots, goods."""
    raw, column = sheet.raw, sheet.column(0)
    numbers = [at for at in sheet.places("row") if at]
    distinct = not column.mostly_distinct and len(np.unique(column.codes)) == raw.n_rows and not column.blank().any()
    if 0 in sheet.places("carats") or numbers or not distinct or len(classed) > 1:
        return None
    tokens, texts = tokens_of(column.header), [text_of(cell) for cell in column.cells]
    heavy, middle = float(np.nanmax(weight)) > _HEAVY_CT, float(np.nanmedian(weight))
    headed = classed == [0] or says("gathers", *tokens)
    weighed = (heavy and 0 in sheet.places("lot")) or (middle > _HEAVY_CT and says("ticket", *tokens))
    banded = heavy and all(map(_BAND.fullmatch, texts))
    plural = 0 in sheet.places("description") and any(_is_plural(text, sheet.headers) for text in texts)
    return 0 if headed or weighed or banded or plural else None


def _is_plural(text: str, headers: Headers) -> bool:
    """Say whether a description names goods rather than a stone: ``Sawables cape``."""
    words = [token for token in tokens_of(text) if token.endswith("s") and len(token) > 3]
    return any({*headers.classes(word)} & {*headers.classes(word[:-1])} for word in words)


def _of_goods(sheet: Layout, at: int) -> bool:
    """Say whether the cells of a column name goods, of which a row holds several: customs headings, ``5 pierres``."""
    if sheet.meanings[at].role not in ("description", "unknown", "other", "lot"):
        return False
    cells = [text_of(cell) for cell in sheet.cells(at)]
    if cells and all(map(_HEADING.fullmatch, cells)):
        return True
    if sheet.meanings[at].role == "other":
        return any(len(cell) <= 30 and _SEVERAL_SAID.search(cell) for cell in cells)
    many = any(says("goods", *tokens_of(cell)) for cell in cells)
    return many and sheet.meanings[at].role in ("description", "unknown")


def with_lots_settled(sheet: Layout, kind: str) -> Layout:
    """Say whether a column of lots names parcels, or lots within one; ask where it could be both."""
    if kind == "declarations":
        return sheet.with_meaning(sheet.places("lot")[:1], Meaning(role="parcel_id"))
    lots, places = sheet.places("lot"), sheet.places("lot") or _of_shipments(sheet) or _of_unknown_names(sheet)
    places = places or _of_unknown_words(sheet)
    if not places or sheet.places("parcel_id"):
        return sheet
    at = places[0]
    column = sheet.column(at)
    names = column.names()
    used = [code for code in np.unique(column.codes).tolist() if names[code]]
    chosen = sheet.choices.get("lots")
    if chosen == "parcels" or (len(used) == 1 and sheet.n_rows > 1):
        return sheet.with_meaning([at], Meaning(role="parcel_id"))
    distinct = bool(lots) and len(used) == sheet.n_rows
    return sheet if chosen == "one" or distinct or not used else with_lots_asked(sheet, places)


def _of_shipments(sheet: Layout) -> list[int]:
    """Return the columns that say several things of which a parcel has one: certificates, exporters, days of export."""
    found = []
    for at, column in enumerate(sheet.raw.columns):
        name = sheet.headers.field(column.header)
        of_shipments = name in ("certificate_no", "exporter") or (name == "exported_on" and sheet.numbers(at) is None)
        if column.mostly_distinct or not (of_shipments or says("shipment", *tokens_of(column.header))):
            continue
        names = [*filter(None, column.used().names())]
        numbered = of_shipments or all(len(name) <= _SHORT or has_digit(name) for name in names)
        found += [at] if len(names) > 1 and numbered else []
    return found


def _of_unknown_names(sheet: Layout) -> list[int]:
    """Return the columns under words that nobody knows whose cells are called as parcels are, one after the other."""
    found = []
    for at in sheet.places("unknown"):
        column = sheet.column(at)
        names = [] if column.mostly_distinct else [*filter(None, column.used().names())]
        named = 1 < len(names) < sheet.n_rows and all(is_parcel_name(name, sheet.headers) for name in names)
        found += [at] if named and _in_blocks(column.codes[~column.blank()]) else []
    return found


def _in_blocks(codes: NDArray[np.integer]) -> bool:
    """Say whether rows of one cell stand together, each cell once."""
    return bool(np.count_nonzero(np.diff(codes)) + 1 == len(np.unique(codes)))


def _of_unknown_words(sheet: Layout) -> list[int]:
    """Return the columns of words that nobody knows by which alone rows of the same classes differ, block by block.

    ``Declared`` and ``Found``, ``2018`` and ``2019``, ``CAR-1`` and ``CAR-2``: classes across or down come with each.
    """
    raw = sheet.raw
    if raw.n_rows > _MOST:
        return []
    rows = np.setdiff1d(np.flatnonzero(~raw.alone), raw.totals)
    classed = sheet.places(*SIZES, "zone_id", "breakdown", "description", *sheet.attributes)
    wide = any(item.wide for item in sheet.meanings)
    known = np.column_stack([raw.columns[at].codes[rows] for at in classed] or [np.zeros(len(rows), dtype=np.int32)])
    n_classes = len(np.unique(known, axis=0))
    if n_classes == len(rows) or (not classed and not wide):
        return []
    found = []
    for at in sheet.places("unknown", "row"):
        column = raw.columns[at]
        if sheet.meanings[at].role == "row" and not (raw.values(at)[rows] > _FIRST).all():
            continue  # numbers of rows, and no years
        named = sheet.headers.field(column.header) or says("gathers", *tokens_of(column.header))
        blank = column.blank()[rows] if len(rows) and not column.mostly_distinct else np.ones(1, dtype=bool)
        if named or blank[0]:
            continue
        codes = column.codes[rows][np.maximum.accumulate(np.where(blank, 0, np.arange(len(rows))))]  # said once a block
        groups = [np.flatnonzero(codes == code) for code in np.unique(codes)]
        blocks = (wide and not classed) or (min(map(len, groups)) > 1 and _in_blocks(codes))
        apart = all(len(np.unique(known[group], axis=0)) == len(group) for group in groups)
        if len(groups) == 1 or not blocks or not apart:
            continue
        again = classed and same_stones(sheet, classed, sheet.places(*MEASURES, wide=None), [rows[g] for g in groups])
        found += [] if again else [at]  # those are asked about as stones that are counted twice
    return found


def with_lots_asked(sheet: Layout, places: Sequence[int]) -> Layout:
    """Ask whether lots are parcels, where that was not said."""
    for at in places[:1] if "lots" not in sheet.choices else ():
        column = sheet.column(at)
        names = [*filter(None, column.used().names())]
        told = {"header": column.header.strip() or listed(names), "found": len(names)}
        sheet.tell("lots_or_parcels", at, **told, choices=[("lots", "parcels"), ("lots", "one")])
    return sheet


ANSWERS = (("rows", "stones"), CARATS)
"""The answers that rows are stones, or classes that were weighed."""

_NEAR = 1.6
"""How many times the limits of its class a flat or a long stone may weigh, or the limits its weight."""

_MOST_NEAR = 0.8
"""The part of the rows that weigh what a stone of their class does, from which on the others are mistaken ones."""

_HEAVY = 10.0
"""Carats above which numbered rows of classes are hardly stones."""


def are_sized_stones(sheet: Layout, classed: Sequence[int]) -> bool:
    """Say whether rows with a size class and carats are stones; it is asked where that, or a stone's class, is unsure.

    They are where each has a number or a name of its own, or some of many have the classes of others, and where each
    weighs what a stone of its class does, and the stones of one class differ in weight.
    """
    sizes, weights = sheet.places("size_class"), sheet.places("carats")
    others = sheet.places("n_stones", "description", "described", "lower_ct", "upper_ct", "breakdown", "mean")
    if len(sizes) != 1 or len(weights) != 1 or others or sheet.column(weights[0]).mostly_distinct:
        return False
    if (said := sheet.choices.get("rows")) == "stones" or sheet.inquiry.chose(CARATS):
        return said == "stones"
    carats, column = sheet.values(weights[0]), sheet.column(sizes[0])
    lower, upper = _limits(sheet, sizes[0])
    known = np.isfinite(carats) & np.isfinite(lower)
    if sheet.n_rows < 3 or not known.any():
        return False
    if 2 * (carats < lower / _NEAR).sum() > known.sum():  # no class weighs less than its least stone
        sheet.tell("stones_or_classes", sizes[0], header=column.header, choices=ANSWERS)
        return False
    repeated = sheet.n_rows >= _SEVERAL and are_repeated(sheet, classed)
    if column.mostly_distinct or not (repeated or _are_named(sheet, weights[0])):
        return False
    if not np.all(known | column.blank()) or not np.all(carats > 0) or not _differ(column.codes, carats):
        return False
    far = known & ~((carats >= lower / _NEAR) & (carats <= upper * _NEAR))
    inside = known & (carats >= 0.9 * lower) & (carats <= 1.1 * upper)
    if _is_grid(sheet, classed):
        return False
    if far.sum() > (1 - _MOST_NEAR) * known.sum() or 2 * inside.sum() < known.sum():
        if float(np.nanmax(carats)) <= _HEAVY:
            sheet.tell("stones_or_classes", sizes[0], header=column.header, choices=ANSWERS)
        return False
    for row in np.flatnonzero(far)[:20].tolist():
        label = text_of(column.at(row))
        sheet.tell("stone_of_size", sizes[0], row, found=f"{carats[row]:g}", label=label, choices=ANSWERS[:1])
    return True


def _are_named(sheet: Layout, weight: int) -> bool:
    """Say whether each row has a number of its own, or a name with one: ``CAR7-001``."""
    for at in sheet.places("row", "unknown", "other", "lot", "ticket"):
        column = sheet.column(at)
        if at == weight or column.mostly_distinct or column.blank().any():
            continue
        distinct = len(np.unique(column.codes)) == sheet.n_rows
        if distinct and all(has_digit(text) for text in column.names() if text):
            return True
    return False


def _limits(sheet: Layout, at: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the limits of each row's class in carats; an open one ends where the next of the sheet begins."""
    column = sheet.column(at)
    spans = [sheet.headers.size(text_of(cell)) for cell in column.cells]
    starts = sorted({span.lower_ct for span in spans if span is not None and span.lower_ct is not None})
    lower, upper = [], []
    for span in spans:
        low = np.nan if span is None else span.lower_ct or 0.0
        high = np.nan if span is None else span.upper_ct
        lower.append(low)
        upper.append(next((start for start in starts if start > low), np.inf) if high is None else high)
    return np.array(lower)[column.codes], np.array(upper)[column.codes]


def _differ(codes: NDArray[np.int32], carats: NDArray[np.float64]) -> bool:
    """Say whether some class has several rows, and they differ in weight."""
    return any(len(np.unique(carats[codes == code])) > 1 for code in np.unique(codes).tolist())


def _is_grid(sheet: Layout, classed: Sequence[int]) -> bool:
    """Say whether each size comes once with each class of the other attributes, as in a sorting sheet."""
    coded = np.column_stack([sheet.column(at).codes for at in classed])
    whole = np.prod([len(np.unique(column)) for column in coded.T])
    return coded.shape[1] > 1 and len(coded) == len(np.unique(coded, axis=0)) == whole
