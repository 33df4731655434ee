"""In what units the numbers of a sheet are: sizes, weights, and stones that are counted by thousands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.names.headers import UNKNOWN, Meaning
from kpfootprint.ingest.names.inquiry import CARATS
from kpfootprint.ingest.raw.cells import (
    THOUSANDS,
    Cell,
    DecimalMarks,
    Odd,
    has_digit,
    is_blank,
    read_number,
    read_numbers,
    text_of,
)
from kpfootprint.ingest.raw.rounding import unit_written
from kpfootprint.ingest.raw.tables import Column
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import all_say, declared_words, plain, says, tokens_of, unit_pattern, unit_words

_UNITS_OF_SIZES = {"gr": "grains", "ct": "carats", "pts": "points"}

_RANGE = re.compile(r"\d+([.,]\d+)?\s*(-|–|/|to|à|a|bis)\s*\d+([.,]\d+)?")

_INTERVAL = re.compile(
    r"(?:from|between|de|entre|von)?\s*(?P<open>[\[(\]]\s*)?(?P<low>\d+(?:[.,]\d+)?)\s*"
    r"(?:-|–|to|and|à|a|et|bis|\.{2,}|(?(open)(?:;|,\s+|,(?=\d+\.\d))|(?!)))\s*"
    r"(?P<high>\d+(?:[.,]\d+)?)\s*(?(open)[\[)\]])",
    re.IGNORECASE,
)
"""A range with words or brackets around it: ``from 0.5 to 1.0``, ``[0.5-1.0)``, ``]0,5; 1,0]``."""

_SIEVES = re.compile(r"\s*(\d{1,2})\s*(?:(?:-|–|/|to|à|a|bis)\s*(\d{1,2})|\+)\s*")
"""Two sieves without signs, or one that is the last: ``9-11``, ``11+``."""

_FINE_RANGE = re.compile(r"\d*[.,]\d\d\s*(-|–|to|à|a)\s*\d*[.,]\d\d")
"""A range of weights, which says so by its hundredths."""

_BARE_SIZE = re.compile(
    r"(?P<sign>[<>]=?|[+≥≤-]|below|above|under|over|up to|less than|more than|moins de|plus de|jusqu'?[aà])?"
    r"\s*\d+([.,]\d+)?\s*((-|–|/|to|à|a|bis)\s*\d+([.,]\d+)?)?"
    r"\s*(?P<up>\+|(and |&|et )?(up|over|plus))?",
    re.IGNORECASE,
)


_HEAVY = 20.0
"""Carats above which no stones of a class weigh on average, where they are counted by thousands."""

_HEAVY_MIDDLE = 20.0
"""Weight in the middle of a list, from which on it is asked whether it is in carats where no hundredths are given."""

_DECIMALS = (re.compile(r"\d*[.,]\d\d"), re.compile(r"\d*[.,]\d+"))
"""Weights written to the hundredth, and numbers of a workbook or of JSON, which keep no zeros behind their digits."""

_HUNDREDTHS = re.compile(r"[.,]\d\d")

_IN_ANOTHER_UNIT = re.compile(r"(?P<number>\d[\d.,]*)\s*(?P<unit>[^\W\d_]+)\.?")

_FAR = 20
"""How many times the others a weight without decimals is that lost its decimal mark, however few the others are."""

_FEW = 3
"""Whole weights from which on they are taken for points rather than carats."""

_WITH_UNIT = {
    role: re.compile(rf".*\d\s*{unit_pattern(kind)}\.?", re.IGNORECASE)
    for role, kind in (("n_stones", "carats"), ("carats", "pieces"))
}


def with_units(sheet: Layout) -> Layout:
    """Return a sheet in carats, whose sizes bear the units of headers, and whose stones have no thousands marks."""
    sheet = _with_cells_in_carats(_in_carats(_without_extremes(sheet)))
    return _with_units_of_headers(_with_merged_sizes(_with_thousands(sheet)))


def _without_extremes(sheet: Layout) -> Layout:
    """Take ``Min`` and ``Max`` for limits of sizes where they are, and not the least and the most of what rows hold.

    Limits stand before what they measure, and each class begins where another ends.
    """
    limits = sheet.places("lower_ct", "upper_ct")
    headers = [tokens_of(sheet.header(at)) for at in limits]
    if len(limits) != 2 or not any(says("summary", *tokens) for tokens in headers):
        return sheet
    measured = [at for at, item in enumerate(sheet.meanings) if item.wide or item.role in ("n_stones", "carats")]
    pairs = np.column_stack([sheet.values(at) for at in limits])
    pairs = np.unique(pairs[np.isfinite(pairs).all(axis=1)], axis=0)
    in_carats = any(says("carats", *tokens) for tokens in headers) or bool(np.any(pairs != np.floor(pairs)))
    chained = bool(np.all(np.diff(pairs.ravel()) > -0.011) and np.all(pairs[:, 0] < pairs[:, 1]))
    if chained and in_carats and "size_class" not in sheet.taken and max(limits) < min(measured, default=0):
        return sheet
    other = Meaning(role="other") if sheet.taken & {"size_class", *sheet.attributes} else UNKNOWN
    return sheet.with_meaning(limits, other)


def _in_carats(sheet: Layout) -> Layout:
    """Give the one column of weights in carats whose header says milligrams, grams or points; that is noted.

    Where carats stand beside it, both have to be the same weights.
    """
    named = [at for at in sheet.places("other_unit") if not np.isfinite(sheet.values(at)).any()]  # ``Grain | G001``
    sheet = sheet.with_meaning(named, Meaning(role="row"))
    places, weights = sheet.places("other_unit"), sheet.places("carats", "stones_or_carats", wide=None)
    weights = [at for at in weights if sheet.meanings[at].sure]  # not ``Classe``, which may stand above sizes
    if len(places) != 1:
        return sheet
    at, column = places[0], sheet.column(places[0])
    tokens, known = {*tokens_of(column.header)}, declared_words()["in_carats"]
    units = {(unit, weight["ct"]) for unit, weight in known.items() if tokens & {*weight["words"]}}
    values = sheet.values(at)
    if len(units) != 1 or bool(np.any(np.isnan(values) & ~column.blank())):
        return sheet
    unit, weight_ct = units.pop()
    if weights:
        _hold_against_carats(sheet, at, weight_ct, weights)
        return sheet
    carats = [None if value != value else value for value in (values * weight_ct).round(6).tolist()]
    sheet.trace.note("in_carats", column=column.header, unit=unit, carats=weight_ct)
    return sheet.with_column(at, Column.of(column.header, carats)).with_meaning([at], Meaning(role="carats"))


def _with_cells_in_carats(sheet: Layout) -> Layout:
    """Give weights in carats that say milligrams, grams or points themselves, ``47 pts``; that is noted.

    None is below a header that names a unit.
    """
    units = declared_words()["in_carats"]
    for at in sheet.places("carats", wide=None):
        column = sheet.column(at)
        if says("in_carats", *(tokens := tokens_of(column.header))) or says("other_unit", *tokens):
            continue
        hits = {code: hit for code, cell in column.texts() if (hit := _IN_ANOTHER_UNIT.fullmatch(plain(cell.strip())))}
        cells, met = [*column.cells] if hits else [], set[str]()
        for code, hit in hits.items():
            unit = next((unit for unit in units if hit["unit"] in (*units[unit]["words"], *units[unit]["behind"])), "")
            number = read_number(hit["number"], sheet.raw.marks) if unit else None
            if isinstance(number, float):
                cells[code] = round(number * units[unit]["ct"], 6)
                met.add(unit)
        for unit in sorted(met):
            sheet.trace.note("in_carats", column=column.header, unit=unit, carats=units[unit]["ct"])
        sheet = sheet.with_column(at, replace(column, cells=cells)) if met else sheet
    return sheet


def _hold_against_carats(sheet: Layout, at: int, weight_ct: float, weights: Sequence[int]) -> None:
    """Tell rows whose weight in another unit, of so many carats, is not that of their carats, as both are rounded."""
    if len(weights) != 1 or sheet.meanings[weights[0]].role != "carats" or sheet.meanings[weights[0]].wide:
        return
    own, other = (sheet.column(place) for place in (weights[0], at))
    if says("gross", *tokens_of(other.header)):
        return  # with what they are packed in
    carats, values = sheet.values(weights[0]), sheet.values(at)
    both = np.flatnonzero(np.isfinite(carats) & np.isfinite(values))
    for row in both[np.abs(carats - weight_ct * values)[both] > 0.005 * carats[both]].tolist():
        slack = 0.5 * (unit_written(own.at(row), carats[row]) + weight_ct * unit_written(other.at(row), values[row]))
        if abs(carats[row] - weight_ct * values[row]) > slack + 1e-9:
            told = {"one": text_of(own.at(row)), "other": f"{text_of(other.at(row))} ({weight_ct * values[row]:g} ct)"}
            sheet.tell("said_otherwise", at, row, field=own.header, **told)
            return


def _with_thousands(sheet: Layout) -> Layout:
    """Read ``1.250`` stones as 1250 where the carats beside agree and 1.25 would be none; ``1.000`` may be told."""
    carats = sheet.places("carats", wide=None)
    for at in sheet.places("n_stones", wide=None):
        column = sheet.column(at)
        hits = {code: cell for code, cell in column.texts() if THOUSANDS.fullmatch(cell.strip())}
        others = (text_of(cell) for cell in sheet.cells(at) if cell not in hits.values())
        if not hits or not all(map(str.isdigit, others)):
            continue
        cells = [re.sub("[.,]", "", text_of(cell)) if code in hits else cell for code, cell in enumerate(column.cells)]
        made, rows = replace(column, cells=cells), column.rows_with(hits)
        beside = [place for place in carats if sheet.meanings[place].classes == sheet.meanings[at].classes]
        weights = sheet.values(beside[0]) if beside else np.full(sheet.n_rows, np.nan)
        means = weights[rows] / read_numbers(cells, DecimalMarks())[0][made.codes][rows]
        agree = bool(np.all((means > 0.004) & (means < _HEAVY)))
        whole = all(cell.strip().endswith("000") for cell in hits.values()) and not np.any(1000 * means > _HEAVY)
        if agree and not whole:
            sheet = sheet.with_column(at, made)
        elif whole and (agree or not beside):
            sheet.tell_rows("ambiguous_number", at, rows)
    return sheet


def _with_merged_sizes(sheet: Layout) -> Layout:
    """Let a size class that a spreadsheet holds as a number, 11 for ``+11``, reach over the rows it is merged over."""
    for at in sheet.places("size_class"):
        column = sheet.column(at)
        if not column.mostly_distinct and any(isinstance(cell, Odd) for cell in column.cells):
            cells = [c.text if isinstance(c, Odd) and c.code == "merged_number" else c for c in column.cells]
            sheet = sheet.with_column(at, replace(column, cells=cells))
    return sheet


def _with_units_of_headers(sheet: Layout) -> Layout:
    """Give sizes the unit that their header names: ``4`` below ``Grainer``, ``0.30-0.49`` below ``Size (ct)``."""
    for at, column in enumerate(sheet.raw.columns):
        labels = None if column.mostly_distinct else _of_sieves(sheet, at) or _of_unit(sheet, at)
        if labels is not None:
            sized = sheet.with_column(at, replace(column, cells=labels))
            sheet = sized.with_meaning([at], Meaning(role="size_class"))
    return sheet


def _of_sieves(sheet: Layout, at: int) -> list[Cell] | None:
    """Return sieves that are written without signs, ``9-11`` and ``11+`` below ``Sieve``, as labels of sizes."""
    column, texts = sheet.column(at), [text_of(cell) for cell in sheet.cells(at)]
    tokens = set(tokens_of(column.header))
    named = says("sieve", *tokens) and not _units_in(tokens)
    if not named or not texts or not all(map(_SIEVES.fullmatch, texts)):
        return None
    hits = [_SIEVES.fullmatch(cell) if isinstance(cell, str) else None for cell in column.cells]
    bounds = [sorted(int(number) for number in hit.groups() if number) if hit else None for hit in hits]
    labels = ["-".join([f"+{of[0]}", *map(str, of[1:])]) if of else None for of in bounds]
    cells = [label or cell for label, cell in zip(labels, column.cells, strict=True)]
    return cells if all(sheet.headers.size(text_of(cell)) for cell in cells if not is_blank(cell)) else None


def _of_unit(sheet: Layout, at: int) -> list[Cell] | None:
    """Return bare sizes with the unit behind each that the header names, or that they show by being ranges."""
    unit = _unit_of(sheet, at)
    if unit is None:
        return None
    cells: list[Cell] = []
    for cell in map(_bare, sheet.column(at).cells):  # ``0.70+`` is ``0.70 ct+``
        hit = _BARE_SIZE.fullmatch(text_of(cell))
        up = hit["up"] if hit else None
        cells.append(f"{hit[0].removesuffix(up or '').strip()} {unit}{'+' if up else ''}" if hit else cell)
    return cells


def _unit_of(sheet: Layout, at: int) -> str | None:
    """Return the unit of the bare sizes of a column; None where it holds none, or where they say their own."""
    meaning, tokens = sheet.meanings[at], set(tokens_of(sheet.header(at)))
    units = _units_in(tokens)
    counted = bool(sheet.places("n_stones", "stones_or_carats", wide=None))
    counted = counted and (at == 0 or meaning.party != "")  # ``Weight range``, or ``Weight`` before the stones
    weighed = meaning.role == "carats" and not meaning.wide and (len(sheet.places("carats")) > 1 or counted)
    named = meaning.role == "size_class" or says("size", *tokens)
    if meaning.wide or len(units) > 1 or not (units or named or weighed):
        return None
    texts = [text_of(_bare(cell)) for cell in sheet.cells(at)]
    ranges = {text for text in texts if _RANGE.fullmatch(text)}
    limits = {text for text in texts if (hit := _BARE_SIZE.fullmatch(text)) and hit["sign"]}
    if meaning.role == "mean" and "size_class" not in sheet.taken:  # ``Carats each`` above ``0.50 - 0.99``
        named = bool(ranges)
    if weighed and ranges and 2 * len(ranges | limits) >= len(texts):
        named, units = True, ["ct"]  # ``Carat range``
    if not units and texts and sheet.places("carats") and all(map(_FINE_RANGE.fullmatch, texts)):
        units = ["ct"]
    ranged = len(ranges) == len({*texts}) and (meaning.role != "carats" or counted)
    bare = bool(texts) and all(_BARE_SIZE.fullmatch(text) or sheet.headers.size(text) for text in texts)
    whole = units == ["ct"] and all(text.replace(".", "").replace(",", "").isdigit() for text in texts)
    sizes = bare and not whole and (named or ranged or "grainer" in " ".join(tokens))
    return units[0] if units and sizes else None


def _units_in(tokens: set[str]) -> list[str]:
    return [unit for unit, kind in _UNITS_OF_SIZES.items() if tokens & {*unit_words(kind)}]


def _bare(cell: Cell) -> Cell:
    """Return a range of weights without words and brackets around it."""
    hit = _INTERVAL.fullmatch(cell.strip()) if isinstance(cell, str) else None
    return cell if hit is None or _RANGE.fullmatch(text_of(cell)) else f"{hit['low']}-{hit['high']}"


def ask_whether_carats(sheet: Layout, at: int, weight: NDArray[np.float64]) -> None:
    """Ask whether the weights of a list are carats, and whole: not points, nor cells parted by decimal commas."""
    _ask_about_commas(sheet, at, weight[np.isfinite(weight)])
    _ask_about_points(sheet, at)
    ask_about_heavy(sheet, at, weight)


def ask_about_heavy(sheet: Layout, at: int, weight: NDArray[np.float64]) -> None:
    """Ask whether the weights of a list are points, where all are whole numbers or half of them heavy."""
    header, known = sheet.header(at), weight[np.isfinite(weight)]
    said = sheet.inquiry.chose(CARATS) or set(tokens_of(header)) & set(unit_words("carats"))
    if said or len(known) < _FEW:
        return
    if bool(np.all(known == np.floor(known))) and float(known.max()) >= 2.0:
        sheet.tell("points_or_carats", at, header=header, choices=[CARATS])
    elif (middle := float(np.median(known))) >= _HEAVY_MIDDLE and not any(
        _HUNDREDTHS.search(text_of(cell)) for cell in sheet.cells(at)
    ):
        sheet.tell("heavy_or_carats", at, header=header, middle=f"{middle:g}", choices=[CARATS])


def _ask_about_commas(sheet: Layout, at: int, weights: NDArray[np.float64]) -> None:
    """Ask whether decimal commas part the cells of a list: whole weights, and two digits each in the column behind."""
    if len(weights) < _FEW or sheet.inquiry.chose(CARATS) or np.any(weights != np.floor(weights)):
        return
    behind = sheet.raw.columns[at + 1 : at + 2]
    if any(all(re.fullmatch(r"\d\d", text_of(cell)) for cell in column.cells) for column in behind):
        header = sheet.header(at)
        sheet.tell("split_decimals", at, header=header, choices=[CARATS])


def _ask_about_points(sheet: Layout, at: int) -> None:
    """Ask about the weights without decimals in a list whose other weights have some: ``42`` among ``0.31``.

    As text, where all others have two and some end with a zero, each of them; else, and of cells that are numbers,
    those far above all others.
    """
    column = sheet.column(at)
    cells = {code: text_of(cell) for code, cell in enumerate(column.cells) if not is_blank(cell)}
    typed = any(isinstance(cell, float) for cell in column.cells)
    fine = [cell for cell in cells.values() if _DECIMALS[typed].fullmatch(cell)]
    bare = {code: int(cell) for code, cell in cells.items() if cell.isascii() and cell.isdigit()}
    unlike = len(fine) < 2 or len(fine) + len(bare) < len(cells)
    if not bare or unlike or sheet.inquiry.chose(CARATS) or sheet.places("parcel_id"):
        return
    most = max(float(cell.replace(",", ".")) for cell in fine)
    zeros = any(cell.endswith("0") for cell in fine)
    few = len(fine) <= _FEW
    least = (_FAR if few else 10 if typed else 3) * most
    odd = [code for code, weight in bare.items() if (zeros and not few) or weight > least]
    sheet.tell_rows("decimals_missing", at, column.rows_with(odd), choices=[CARATS])


def ask_about_units(sheet: Layout) -> None:
    """Tell a title that gives weights in a unit that is not carats, where no header says carats."""
    words: Mapping[str, Sequence[str]] = declared_words()["headers"]
    _ask_about_unit_cells(sheet)
    weighed = [sheet.header(at) for at in sheet.places("carats", wide=None)]
    in_carats = any(set(tokens_of(header)) & set(unit_words("carats")) for header in weighed)
    units = [] if in_carats or not weighed else unit_words("grains", "points", "others")
    others = [*units, *words["thousands"]]
    before = "|".join(("in", "en", "em", "im", "в", "изм", *words["unit"]))
    said = re.compile(rf"(\b({before})\b\W*|\()({'|'.join(others)})\b\W*\)?", re.IGNORECASE)
    zones = sheet.headers.words.zone_table.zones
    codes = re.compile("|".join(rf"\b{re.escape(name)}\b" for z in zones for name in (z.zone_id, z.country)) or "(?!)")
    left_out = [(note.row, (note.values.get("label", ""),)) for note in sheet.trace.left_out]
    for line, cells in (*sheet.raw.titles, *sheet.trace.stated, *left_out):
        texts = [cell for cell in cells if isinstance(cell, str) and 0 < len(cell) <= 200]
        if len(texts) > 1 and not has_digit("".join(texts)):
            texts.append(" ".join(texts))  # ``Unité`` beside ``g``
        for text in texts:
            tokens = tokens_of(codes.sub(" ", text))  # ``GN`` is Guinea where the package has it, and no grains
            weighed_so = says("carats", *tokens) and {*tokens} & {*others}
            in_brackets = is_total(text) and {*tokens_of(text.partition("(")[2])} & {*others}  # ``Total (g)``
            if weighed_so or in_brackets or said.search(" ".join(tokens)):
                sheet.inquiry.tell("unit_in_title", sheet.raw.name, line, None, text)
                return


def _ask_about_unit_cells(sheet: Layout) -> None:
    """Tell the units that are not carats, in a column that holds nothing but the unit of each row."""
    carats, others = set(unit_words("carats", "pieces")), set(unit_words("grains", "points", "others"))

    def unit(cell: str) -> str:
        return plain(cell).strip("()[]. ")

    for at in range(len(sheet.meanings)) if sheet.places("carats", "n_stones") else ():
        column = sheet.column(at)
        texts = [(code, cell) for code, cell in column.texts() if not is_blank(cell)]
        if len(texts) <= _FEW and column.header.strip() and all_say(("unit",), tokens_of(column.header)):
            others |= {unit(cell) for _, cell in texts} - carats  # ``box``, ``dozen``, ``%``
        named_otherwise = sheet.meanings[at].role in ("parcel_id", "zone_id", "country", *sheet.attributes)
        if named_otherwise or not all(unit(cell) in carats | others for _, cell in texts):
            continue
        named = says("unit", *tokens_of(column.header)) or any(len(unit(cell)) > 1 for _, cell in texts)
        if named and len(texts) == len(sheet.cells(at)):
            hits = [code for code, cell in texts if unit(cell) in others]
            sheet.tell_rows("unknown_unit", at, column.rows_with(hits))


def ask_about_measures(sheet: Layout) -> None:
    """Tell carats among numbers of stones, stones among carats, and a stone that was not counted among such as were."""
    for role, pattern in _WITH_UNIT.items():
        for at in sheet.places(role, wide=None):
            column = sheet.column(at)
            worded = ((code, cell) for code, cell in column.texts() if cell[-2:].strip(". ").isalpha())
            rows = column.rows_with(code for code, cell in worded if pattern.fullmatch(cell))
            sheet.tell_rows("unit_elsewhere", at, rows)
    counts = sheet.places("n_stones")
    if len(counts) != 1 or sheet.places("size_class", "description", "lot") or not sheet.places("carats"):
        return
    values = sheet.values(counts[0])
    if np.isfinite(values).any() and np.nanmedian(values) < 2:
        sheet.tell_rows("missing_value", counts[0], sheet.column(counts[0]).blank())
