"""What the cells of a column say of its meaning, where its header does not, or not for sure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.ingest.columns.meanings import NEARLY, Layout
from kpfootprint.ingest.names.headers import UNKNOWN, Meaning
from kpfootprint.ingest.names.labels import describe
from kpfootprint.ingest.names.numbering import come_alike, is_running, names_each, names_few, names_one, restarts
from kpfootprint.ingest.problems import Broken, listed
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_number, read_yes_or_no, text_of
from kpfootprint.ingest.raw.tables import Column
from kpfootprint.ingest.words import (
    attribute_words,
    class_code,
    classes_joined,
    declared_words,
    fold,
    holds,
    misspelt,
    says,
    stem_key,
    tokens_of,
)
from kpfootprint.scheme import Attribute

_SHOWN = 50
"""Cells that are asked whether they name zones."""

_LIKE_A_NAME = re.compile(r"[^\W\d_]+[-_/]?\d\w*")

_LIKE_A_SIZE = re.compile(
    r"[<>+-]?\s*\d+([.,]\d+)?\s*([-–/+]\s*[+-]?|to|à|a|bis)\s*\d+([.,]\d+)?(\s*mm)?|[<>+-]\s*\d+([.,]\d+)?"
)


def with_cells_asked(sheet: Layout) -> Layout:
    """Return a sheet whose meanings were held against the cells of the columns; what stays open is told."""
    for step in (
        _without_numbers_of_classes,
        _without_words_below_classes,
        _with_ranges_as_sizes,
        _with_net_weights,
        _with_marked_samples,
        _with_known_zones,
        _with_described_lots,
        _with_both_limits,
    ):
        sheet = step(sheet)
    meanings = [*sheet.meanings]
    for at, meaning in enumerate(meanings):
        if not meaning.sure or meaning.role in ("row", "size_class", "carats", "n_stones", *sheet.attributes):
            meanings[at] = _asked(sheet, at, meaning, [item for place, item in enumerate(meanings) if place != at])
    return _with_weights_of_each(replace(sheet, meanings=meanings))


def _without_numbers_of_classes(sheet: Layout) -> Layout:
    """Take none of several columns of one attribute that hold numbers for it: ``Col 1`` beside ``Col 2``."""
    twice = {name for name in sheet.attributes if len(sheet.places(name)) > 1}
    numbers = [at for at, item in enumerate(sheet.meanings) if item.role in twice and sheet.numbers(at) is not None]
    return sheet.with_meaning(numbers, UNKNOWN)


def _without_words_below_classes(sheet: Layout) -> Layout:
    """Take no column for that of a class below which words stand alone: ``Collection`` above ``Museum``."""
    named = [at for at, item in enumerate(sheet.meanings) if {name for name, _ in item.classes} & {*sheet.attributes}]
    wide = [at for at in named if sheet.header(at).replace(" ", "").isalpha()]
    worded = [at for at in wide if (cells := sheet.cells(at)) and not any(map(_may_count, map(text_of, cells)))]
    return sheet.with_meaning(worded if len(named) == 1 else (), UNKNOWN)


def _with_ranges_as_sizes(sheet: Layout) -> Layout:
    """Take weights that are ranges, beside others, for sizes: ``Weight range`` above ``0.10-0.19 ct``."""
    places = sheet.places("carats")
    if len(places) < 2 or "size_class" in sheet.taken:
        return sheet
    ranges = [at for at in places if (cells := sheet.cells(at)) and _are_sizes(sheet, cells)]
    return sheet.with_meaning(ranges, Meaning(role="size_class"))


def _with_net_weights(sheet: Layout) -> Layout:
    """Leave the gross weight beside the net one: with what the goods are packed in, or before they were cut, asked."""
    tokens = {at: tokens_of(sheet.header(at)) for at in sheet.places("carats")}
    net = {at for at in tokens if says("net", *tokens[at])}
    gross = [at for at in tokens if net and at not in net and says("gross", *tokens[at])]
    packed = sheet.places("n_stones") or any("tare" in tokens_of(item.header) for item in sheet.raw.columns)
    for at in gross if not packed else ():
        sheet.ask("measure_or_other", at, "ignore")
    return sheet.with_meaning(gross, Meaning(role="other"))


def _with_marked_samples(sheet: Layout) -> Layout:
    """Take a sample that is no yes or no, ``S1`` and ``S2``, for a lot."""
    read = {at: [*map(read_yes_or_no, sheet.cells(at))] for at in sheet.places("sample")}
    marked = [at for at, said in read.items() if any(isinstance(one, Broken) for one in said)]
    return sheet.with_meaning(marked, Meaning(role="lot"))


def _with_known_zones(sheet: Layout) -> Layout:
    """Leave places that are no zones: ``Préfecture`` beside ``Sous-préfecture``, ``Chantier`` beside goods."""
    zones = sheet.places("zone_id", wide=None)
    known = [at for at in zones if all(sheet.headers.words.zone(text_of(cell)) is not None for cell in sheet.cells(at))]
    others = {*zones} - {*known} if len(zones) > 1 == len(known) else set[int]()
    if {item.role for item in sheet.meanings} & {"row", "n_stones", "size_class", "description", *sheet.attributes}:
        pits = [at for at in zones if says("pit", *tokens_of(sheet.header(at)))]
        others |= {at for at in pits if not _name_zones(sheet, at)}
    return sheet.with_meaning(others, Meaning(role="other"))


def _with_described_lots(sheet: Layout) -> Layout:
    """Take what lots and qualities are called, ``Brun octa``, for descriptions."""
    qualities = [at for at in sheet.places("other") if says("quality", *tokens_of(sheet.header(at)))]
    named = [at for at in (*sheet.places("lot"), *qualities) if not sheet.column(at).blank().all()]
    described = [at for at in named if describe([*map(text_of, sheet.cells(at))], sheet.scheme)]
    return sheet.with_meaning(described, Meaning(role="description"))


def _with_both_limits(sheet: Layout) -> Layout:
    """Leave a limit of sizes without the other one, ``To`` without ``From``, and both where they are places."""
    limits = sheet.places("lower_ct", "upper_ct", wide=None)
    roles = {sheet.meanings[at].role for at in limits}
    lone = limits if len(roles) < 2 or any(sheet.numbers(at) is None for at in limits) else []
    sized = any(item.role == "size_class" for item in sheet.meanings)
    return sheet.with_meaning(lone, Meaning(role="other") if sized else UNKNOWN)


def _name_zones(sheet: Layout, at: int) -> bool:
    """Say whether one of the first cells of a column names a zone or a country, it may be misspelt."""
    words, texts = sheet.headers.words, [text_of(cell) for cell in sheet.cells(at)[:_SHOWN]]
    return any(words.zone(text) or words.country(text) or misspelt(text, words.zones) for text in texts)


def _with_weights_of_each(sheet: Layout) -> Layout:
    """Take the weight of each, where nothing else is weighed, for that of the row's stone, times how many it has."""
    means, counts = sheet.places("mean"), sheet.places("n_stones")
    others = sheet.places("carats", "stones_or_carats") or sheet.places("carats", "n_stones", wide=True)
    column = sheet.column(means[0]) if len(means) == 1 and len(counts) <= 1 and not others else None
    averaged = bool(counts) and bool(sheet.places("size_class"))
    if column is None or averaged or not says("each", *tokens_of(column.header)):
        return sheet
    sheet = sheet.with_meaning(means[:1], Meaning(role="carats"))
    if not counts:
        return sheet
    weights = (sheet.values(means[0]) * sheet.values(counts[0])).round(6).tolist()
    cells = [None if weight != weight else weight for weight in weights]
    return sheet.with_column(means[0], Column.of(column.header, cells))


def _asked(sheet: Layout, at: int, meaning: Meaning, others: list[Meaning]) -> Meaning:
    """Return what a column means, its cells asked; `others` are the meanings of the other columns."""
    column = sheet.column(at)
    cells = sheet.cells(at)
    roles = {item.role for item in others if not item.wide}
    beside = {name for item in others for name, _ in item.classes}
    corner = at == 0 and meaning.role in {*beside, *(("carats", "n_stones") if beside else ())}
    if corner and (sheet.numbers(at) is None or _are_sizes(sheet, cells)):
        meaning = UNKNOWN  # it names what stands in the columns beside it, or measures them
    if not cells:
        return meaning if meaning.role not in ("unknown", "stones_or_carats") else Meaning(role="other")
    if sheet.all_percent(at):
        if meaning.role == "n_stones" and meaning.sure and "n_stones" not in roles and not meaning.wide:
            sheet.ask("percent_of_stones", at, "ignore")
        return Meaning(role="percent")
    if sheet.numbers(at) is None:
        return _worded(sheet, at, meaning, roles)
    unnamed = meaning.role in ("unknown", "stones_or_carats") and not meaning.wide
    tokens = {*tokens_of(column.header)}
    of_sizes = tokens <= {*declared_words()["sizes"]["name"]} and "size_class" not in roles
    if unnamed and meaning.part and of_sizes and {"n_stones", "carats"} <= roles:
        meaning = Meaning(role="size_class", sure=False)  # ``Classe`` above sieves whose signs a spreadsheet dropped
    if meaning == UNKNOWN and says("apart", *tokens):
        sheet.ask("measure_or_other", at, "ignore")  # ``Sold`` beside the stones
        return Meaning(role="other")
    if meaning.party:
        return _qualified(sheet, at, meaning, others)
    if meaning == UNKNOWN and beside and at:
        return meaning  # among columns of classes
    return _numbered(sheet, at, meaning, roles)


def _numbered(sheet: Layout, at: int, meaning: Meaning, roles: set[str]) -> Meaning:
    """Return what a column of numbers means: stones, the numbers of rows, sizes, means."""
    numbers = sheet.numbers(at)
    whole = numbers is not None and bool(np.all(numbers == np.floor(numbers)))
    return _whole(sheet, at, meaning, roles) if whole else _measured(sheet, at, meaning, roles)


def _measured(sheet: Layout, at: int, meaning: Meaning, roles: set[str]) -> Meaning:
    """Return what a column of numbers means that are not whole."""
    if meaning.role == "size_class":
        if any(isinstance(cell, str) and cell.strip()[0] in "+-<>" for cell in sheet.cells(at)):
            return meaning  # ``+10.8 ct``, ``+6.5``
        if "carats" in roles:
            return Meaning(role="mean") if "n_stones" not in roles or _is_mean(sheet, at) else meaning
        sheet.ask("size_or_weight", at, "carats", "ignore")
        return Meaning(role="other")
    if meaning.role == "unknown" and not sheet.headers.of(sheet.header(at)).sure and _is_mean(sheet, at):
        return Meaning(role="mean")
    return Meaning(role="other") if meaning.role in ("row", "description") else meaning


def _worded(sheet: Layout, at: int, meaning: Meaning, roles: set[str]) -> Meaning:
    """Return what a column means whose cells are not all numbers."""
    texts = [text_of(cell) for cell in sheet.cells(at)]
    if meaning.role == "n_stones" and (names_one(sheet.header(at)) or _are_names(texts)):
        return Meaning(role="row")
    if meaning.role == "n_stones" and meaning.party and not has_digit("".join(texts)):
        meaning = UNKNOWN  # a word of each stone: ``Type de pierre``
    if meaning.role in ("carats", "n_stones", "value_usd", "size_class") or meaning.wide:
        return meaning
    if meaning.part == "whole" and 2 * sum(map(is_number, texts)) > len(texts):
        return meaning  # ``1O0`` in a column of totals
    meaning = UNKNOWN if meaning.role == "stones_or_carats" else meaning  # ``Classe``, of which words count nothing
    return _named(sheet, at, meaning, roles, texts)


def _are_names(texts: Sequence[str]) -> bool:
    """Say whether each cell is a name of its own that bears a number, ``S2763751``, so that none counts anything."""
    return len({*texts}) == len(texts) > 1 and all(map(_LIKE_A_NAME.fullmatch, texts))


def _may_count(text: str) -> bool:
    """Say whether a cell below a class may say how many stones are of it, or that its row is."""
    said = not isinstance(read_yes_or_no(text), Broken) or says("nil", fold(text))
    return said or has_digit(text) or len(text) < 3


def _are_sizes(sheet: Layout, cells: Sequence[Cell]) -> bool:
    """Say whether all of some cells name size classes."""
    return all(isinstance(cell, str) and sheet.headers.size(cell) is not None for cell in cells)


def _qualified(sheet: Layout, at: int, meaning: Meaning, others: list[Meaning]) -> Meaning:
    """Return what a measure is that some unknown word qualifies: ``Polished cts`` beside ``Cts`` is none of ours."""
    if any(item.role == meaning.role and not item.party and not item.part and not item.wide for item in others):
        if says("apart", *tokens_of(meaning.party)) or _is_seen_otherwise(sheet, at, meaning):
            sheet.ask("measure_or_other", at, "ignore")
        return Meaning(role="other")
    parties = {stem_key(item.party) for item in others if item.party}
    if parties - {stem_key(meaning.party)} or any(item.wide for item in others):
        return meaning
    tokens = tokens_of(meaning.party)
    of_zones = says("declared", *tokens) and any(item.role == "zone_id" for item in others)
    if of_zones or set(tokens) & set(declared_words()["parties"]["words"]):
        return replace(meaning, party="")
    known = dict(sheet.headers.words.columns("stones"))
    if misspelt(sheet.header(at), known) is not None:
        return UNKNOWN
    sheet.ask("measure_or_other", at, meaning.role, "ignore")
    return replace(meaning, party="")


def _is_seen_otherwise(sheet: Layout, at: int, meaning: Meaning) -> bool:
    """Say whether somebody has stones and carats about as those of the table, and not the same: ``GGDO pcs``."""
    both = {item.role for item in sheet.meanings if item.party == meaning.party} >= {"n_stones", "carats"}
    plain = [p for p in sheet.places(meaning.role) if not sheet.meanings[p].party and not sheet.meanings[p].part]
    if not both or not plain:
        return False
    own, other = sheet.values(at), sheet.values(plain[0])
    apart = abs(float(np.nansum(own)) - float(np.nansum(other)))
    return apart <= NEARLY * float(np.nansum(other)) and not np.array_equal(own, other, equal_nan=True)


def _whole(sheet: Layout, at: int, meaning: Meaning, roles: set[str]) -> Meaning:
    """Return what a column of whole numbers means: stones, the numbers of rows, or either, which is asked."""
    column, running, sized = sheet.column(at), is_running(sheet.raw, sheet.column(at)), "size_class" in roles
    of_stones = meaning.role == "n_stones"
    if of_stones and sized and text_of(column.at(0)) != "1":
        return meaning  # ``23`` and ``24`` stones of two sizes
    may_number = names_one(column.header) or fold(column.header) in ("stones", "pierres", "nombre", "count")
    if meaning.role == "row" or (of_stones and meaning.sure and may_number):
        return _numbering(sheet, at, meaning, roles, running=running)
    if meaning.role == "unknown" and running:
        return Meaning(role="row")
    unasked = f"column:{column.header}" not in sheet.choices and "carats" in roles and not sized
    one_first = (~column.blank()).sum() > 2 and column.at(0) in ("1", 1)
    return UNKNOWN if of_stones and running and unasked and one_first else meaning


def _numbering(sheet: Layout, at: int, meaning: Meaning, roles: set[str], *, running: bool) -> Meaning:
    """Return what whole numbers mean that may number rows, or stones, as well as count these; either is asked."""
    column, sized, weighed = sheet.column(at), "size_class" in roles, "carats" in roles
    of_rows, of_one = meaning.role == "row", names_one(column.header)
    if running and not of_rows and weighed and names_few(sheet.raw, column):
        return UNKNOWN
    each_one = not sized and (names_each(column) or restarts(sheet.raw, column, sheet.groups()))
    if running or ((of_rows or of_one) and each_one):
        return Meaning(role="row")
    if fold(column.header) == "n" and "n_stones" not in roles and _are_named_once(sheet, at):
        return Meaning(role="n_stones")
    if of_rows and weighed and "n_stones" not in roles:
        bare = fold(column.header) in ("", "no", "nr", "n", "num", "numero", "s", "sr")
        if bare and sized:
            return Meaning(role="n_stones")
        if bare or sized:
            return UNKNOWN  # ``Stone number`` beside the carats of sizes
    if of_one and weighed and not sized:
        return Meaning(role="row") if come_alike(sheet.raw, column) else UNKNOWN
    return meaning


def _are_named_once(sheet: Layout, at: int) -> bool:
    """Say whether the rows bear classes before a column, and each other ones."""
    places = sheet.places("size_class", *sheet.attributes)
    parted = len(sheet.places("row")) > 1 or any(column.empty for column in sheet.raw.columns)
    if parted or max(places, default=at) > at:
        return False
    codes = np.column_stack([sheet.column(at).codes for at in places]) if places else np.zeros((0, 1))
    return 1 < len(codes) == len(np.unique(codes, axis=0))


def _is_mean(sheet: Layout, at: int) -> bool:
    """Say whether a column of decimals is the carats of a row divided by its stones."""
    pieces = [p for p in sheet.places("n_stones") if p != at]
    carats = [p for p in sheet.places("carats") if p != at]
    if not pieces or not carats:
        return False
    n, ct, mean = (sheet.values(p) for p in (pieces[0], carats[0], at))
    with np.errstate(invalid="ignore", divide="ignore"):
        close = np.abs(ct / n - mean) <= 0.0051 + 0.01 * mean
    known = np.isfinite(ct / np.where(n > 0, n, np.nan)) & np.isfinite(mean)
    return bool(known.any() and close[known].all())


def _named(sheet: Layout, at: int, meaning: Meaning, roles: set[str], texts: list[str]) -> Meaning:
    """Return what a column of words means: size classes, classes of an attribute, descriptions."""
    if meaning.role in ("lot", "row", "other", "zone_id", "money"):
        return meaning
    if "size_class" not in roles and all(sheet.headers.size(text) for text in texts):
        return Meaning(role="size_class")
    attributes = [item for item in sheet.scheme.categorical if item.column not in roles]
    known = {item.column: [text for text in texts if _is_class(text, item)] for item in attributes}
    if (meaning.role == "unknown" or known.get(meaning.role) == []) and describe(texts, sheet.scheme):
        return Meaning(role="description")
    if meaning.role in known:
        return meaning
    if len(whole := [name for name, words in known.items() if len(words) == len(texts)]) == 1:
        return Meaning(role=whole[0])
    return _asked_of_words(sheet, at, roles, texts, known) if meaning.role == "unknown" else meaning


def _asked_of_words(
    sheet: Layout, at: int, roles: set[str], texts: list[str], known: Mapping[str, list[str]]
) -> Meaning:
    """Ask what a column is of whose words some name zones, sizes, or classes of attributes, the `known` of each."""
    header, words = sheet.header(at), sheet.headers.words
    if "zone_id" not in roles and all(fold(text) in words.zones for text in texts):
        if not holds("act", tokens_of(header)):  # ``Lieu d'achat``
            sheet.ask("zone_or_other", at, "zone_id", "ignore")
        return Meaning(role="other")
    sizes = [text for text in texts if sheet.headers.size(text) is not None]
    categorical = sheet.scheme.categorical
    mixed = [text for text in texts if text in sizes or any(_is_class(text, item) for item in categorical)]
    best = max(known, key=lambda name: len(known[name]), default="size_class")
    own = known.get(best, [])
    if 2 * len(own) < len(texts) and "size_class" not in roles:
        best, own = "size_class", [text for text in texts if text in sizes or _LIKE_A_SIZE.fullmatch(text)]
    if 2 * len(own) >= len(texts) and not len(mixed) == len(texts) > 1:
        others = listed(text for text in texts if text not in own) or "–"
        sheet.ask("attribute_or_other", at, best, "ignore", attribute=best, known=listed(own), unknown=others)
        return Meaning(role="other")
    if 2 * len(mixed) > len(texts) > 1:
        sheet.tell("attributes_mixed", at, header=header, known=listed(mixed, 8))
        return Meaning(role="other")
    return UNKNOWN


def _is_class(text: str, item: Attribute) -> bool:
    """Say whether a text names a class of an attribute, or several: ``white/cape``."""
    known = attribute_words(item)
    return class_code(text, known) is not None or bool(classes_joined(text, known))
