"""What of a table could be read in two ways: it is asked about, or settled as was chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, Odd, is_blank, is_number, read_yes_or_no, text_of
from kpfootprint.ingest.labels import split_descriptions
from kpfootprint.ingest.meanings import Layout, listed
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.tables import Column, Note, RawTable
from kpfootprint.ingest.words import (
    condition_values,
    declared_words,
    fold,
    holds,
    is_total,
    plain,
    says,
    tokens_of,
    unit_pattern,
    unit_words,
    without_measure,
)
from kpfootprint.visible import FORMULA

_HEAVY_CT = 5.0
"""Weight above which all rows must lie, of which no two are of one class, to be taken for lots rather than stones."""

_OF_STONES = ("weightct", "poidsct")
"""Headers that the documentation gives to the weight of a stone, folded."""

_HEAVY_MIDDLE = 20.0
"""Weight in the middle of a list, from which on it is asked whether it is in carats where no hundredths are given."""

_DECIMALS = (re.compile(r"\d*[.,]\d\d"), re.compile(r"\d*[.,]\d+"))
"""Weights written to the hundredth, and numbers of a workbook or of JSON, which keep no zeros behind their digits."""

_HUNDREDTHS = re.compile(r"[.,]\d\d")

_FEW = 3
"""Whole weights from which on they are taken for points rather than carats."""

_SOME = 5
"""Rows from which on one without a number is told from a list of which few are numbered."""

_HEADING = re.compile(r"7102[. ]?\d\d([. ]?\d\d){0,2}")
"""A heading of the customs tariff for diamonds."""

_SEVERAL_SAID = re.compile(
    rf"\b([2-9]|[1-9]\d+)\s*({'|'.join(map(re.escape, unit_words('pieces')))}|pieces?|pièces?)\b"
    r"|\b(lots?|paquets?|packs?)\s+(de|of)\s+\d|^[x×]\s?\d+$",
    re.IGNORECASE,
)
"""A remark by which a row is of several stones: ``3 pcs``, ``lot de 3``."""

_NUMBERS = re.compile(r"\W*([^\W\d]*)(\d{1,6})\s*(?:[-–/&+,;]|to|à|a|bis|et|and)\s*\1(\d{1,6})\W*", re.IGNORECASE)

_NUMBERED = re.compile(r"['#№]*\s*\d+\s*[.):°'/-]?")
_MARKED = re.compile(r"[^\w\s]*\s*[x×]?\s*\d{1,6}\s*[x×]{0,3}\s*[^\w\s]*", re.IGNORECASE)

_WITH_UNIT = {
    role: re.compile(rf".*\d\s*{unit_pattern(kind)}\.?", re.IGNORECASE)
    for role, kind in (("n_stones", "carats"), ("carats", "pieces"))
}


# Words that stand for others.


def without_dittos(sheet: Layout) -> Layout:
    """Put the word above in the place of ``idem``, ``do.`` and ditto marks; below a number or a total they stay."""
    known = declared_words()["headers"]["ditto"]
    columns = list(sheet.raw.columns)
    for at, column in enumerate(columns):
        short = [(code, cell) for code, cell in column.texts() if len(cell) <= 8 and not cell[:1].isdigit()]
        hits = [code for code, cell in short if plain(cell).strip() in known]
        if not hits:
            continue
        rows = np.flatnonzero(column.rows_with(hits))
        codes = column.codes.copy()
        for row in rows[rows > 0].tolist():
            above = column.cells[codes[row - 1]]
            if isinstance(above, str) and not is_blank(above) and not is_number(above) and not is_total(above):
                codes[row] = codes[row - 1]
        if (codes != column.codes).any():
            columns[at] = replace(column, codes=codes).used()
            told = {"word": text_of(column.cells[hits[0]]), "column": column.header}
            sheet.trace.notes.append(Note(code="ditto", values=told))
    return replace(sheet, raw=replace(sheet.raw, columns=columns))


def with_classes_chosen(sheet: Layout) -> Layout:
    """Put classes that the caller chose in the place of words of a sheet: ``colour:BRN2`` is ``brown``."""
    chosen: dict[str, dict[str, str]] = {}
    for question, answer in sheet.choices.items():
        name, colon, word = question.partition(":")
        if not colon or name == "column":
            continue
        role = sheet.headers.attribute(name)
        if role is None:
            sheet.tell("unknown_attribute", None, attribute=name, known=listed(sheet.headers.attributes(), 12))
        else:
            chosen.setdefault(role, {})[" ".join(word.split())] = answer
    columns = list(sheet.raw.columns)
    for at, item in enumerate(sheet.meanings) if chosen else ():
        words = chosen.get(item.role, {})
        if item.wide or not words:
            continue
        column = columns[at]
        columns[at] = replace(column, cells=[_chosen(cell, words) for cell in column.cells])
        held = {text_of(cell) for cell in column.cells if not is_blank(cell)}
        if told := [f"{word} = {answer}" for word, answer in words.items() if word in held]:
            values = {"column": column.header, "words": listed(told, 20)}
            sheet.trace.notes.append(Note(code="words_chosen", values=values))
    return replace(sheet, raw=replace(sheet.raw, columns=columns))


def _chosen(cell: Cell, words: Mapping[str, str]) -> Cell:
    answer = None if is_blank(cell) else words.get(text_of(cell))
    if answer is None:
        return cell
    return None if fold(answer) in condition_values("") else answer


def words_in(raw: RawTable, problems: list[Problem]) -> dict[str, str]:
    """Return what a table of words says, as choices; what is wrong with it is added to `problems`."""
    known: dict[str, list[str]] = declared_words()["words"]
    places = {}
    for name in ("attribute", "word", "class"):
        at = next((at for at, item in enumerate(raw.columns) if fold(item.header) in known[name]), None)
        if at is None:
            headers = ", ".join(column.header for column in raw.columns) or "none"
            broken = Broken("missing_column", {"column": name, "headers": headers})
            problems.append(problem(broken, table=raw.name, column=name))
        else:
            places[name] = raw.columns[at]
    chosen: dict[str, str] = {}
    for row in range(raw.n_rows if len(places) == 3 else 0):
        cells = {name: column.at(row) for name, column in places.items()}
        for name, cell in cells.items():
            if is_blank(cell):
                problems.append(problem(Broken("missing_value"), table=raw.name, row=raw.line(row), column=name))
        if any(map(is_blank, cells.values())):
            continue
        word, answer = (_without_mark(text_of(cells[name])) for name in ("word", "class"))
        if chosen.setdefault(f"{text_of(cells['attribute'])}:{word}", answer) != answer:
            broken = Broken("word_twice", {"word": word})
            problems.append(problem(broken, table=raw.name, row=raw.line(row), column="word", value=word))
    return chosen


def _without_mark(text: str) -> str:
    """Return a text without the apostrophe by which spreadsheets are told that it is one."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


# Rows and units.


def ask_about_numbers(sheet: Layout) -> None:
    """Tell the rows of a list whose number is a word, or names several stones: such a row may be none, or several."""
    for at in sheet.places("row"):
        column, n_rows = sheet.raw.columns[at], sheet.raw.n_rows
        cells = {code: cell for code, cell in column.texts() if not is_blank(cell)}
        words = np.flatnonzero(column.rows_with(code for code, cell in cells.items() if _is_more_word(cell)))
        spans = {code: (int(hit[2]), int(hit[3])) for code, c in cells.items() if (hit := _NUMBERS.fullmatch(c))}
        spans = {code: (low, high) for code, (low, high) in spans.items() if 0 < high - low < 1000}
        distinct = enumerate(() if column.mostly_distinct else column.cells)
        days = [code for code, cell in distinct if isinstance(cell, date)]  # what is made of ``2-5``
        several = np.flatnonzero(column.rows_with([*spans, *days]))
        others = [c.blank() for place, c in enumerate(sheet.raw.columns) if place not in (*sheet.places("carats"), at)]
        if n_rows > _SOME and others and not column.mostly_distinct:  # weights below a list, and nothing else
            words = np.union1d(words, np.flatnonzero(np.logical_and.reduce([column.blank(), *others])))
        ends = [spans.get(int(column.codes[row]), (0, 0)) for row in several.tolist()]
        chained = all(low == end + 1 for (_, end), (low, _) in pairwise(ends)) and len(ends) == n_rows
        for code, rows, sure in (("word_for_number", words, False), ("number_of_several", several, chained)):
            if sure or 2 * len(rows) <= n_rows:
                sheet.tell_rows(code, at, rows)


def _is_more_word(text: str) -> bool:
    """Say whether a text is rather words than a number with letters to it: ``Balance from page 1``, not ``12 bis``."""
    letters, digits = (sum(map(kind, text)) for kind in (str.isalpha, str.isdigit))
    example = holds("example", tokens_of(text)[:2])
    return digits == 0 or (letters > 4 and letters > 2 * digits) or (example and text[:1].isalpha())


def ask_about_units(sheet: Layout) -> None:
    """Tell a title that gives weights in a unit that is not carats, where no header says carats."""
    words: Mapping[str, Sequence[str]] = declared_words()["headers"]
    _ask_about_unit_cells(sheet)
    weighed = [sheet.raw.columns[at].header for at in sheet.places("carats", wide=None)]
    in_carats = any(set(tokens_of(header)) & set(unit_words("carats")) for header in weighed)
    others = (
        words["thousands"]
        if in_carats or not weighed
        else [*unit_words("grains", "points", "others"), *words["thousands"]]
    )
    said = re.compile(
        rf"(\b(in|en|em|im|в|изм|{'|'.join(words['unit'])})\b\W*|\()({'|'.join(others)})\b\W*\)?", re.IGNORECASE
    )
    for line, cells in (*sheet.raw.titles, *sheet.trace.stated):
        for cell in cells:
            if not isinstance(cell, str) or len(cell) > 200:
                continue
            tokens = tokens_of(cell)
            weighed_so = set(tokens) & set(words["carats"]) and set(tokens) & {*others}
            if weighed_so or said.search(" ".join(tokens)):
                broken = Broken("unit_in_title")
                sheet.problems.append(problem(broken, table=sheet.raw.name, row=line, value=cell))
                return


def _ask_about_unit_cells(sheet: Layout) -> None:
    """Tell the units that are not carats, in a column that holds nothing but the unit of each row."""
    carats, others = set(unit_words("carats", "pieces")), set(unit_words("grains", "points", "others"))

    def unit(cell: str) -> str:
        return plain(cell).strip("()[]. ")

    for at in range(len(sheet.meanings)) if sheet.places("carats") else ():
        column = sheet.raw.columns[at]
        texts = [(code, cell) for code, cell in column.texts() if not is_blank(cell)]
        if sheet.meanings[at].role in sheet.attributes or not all(unit(cell) in carats | others for _, cell in texts):
            continue
        named = {*tokens_of(column.header)} & {*declared_words()["headers"]["unit"]}
        if len(texts) == len(sheet.cells(at)) and (named or any(len(unit(cell)) > 1 for _, cell in texts)):
            hits = [code for code, cell in texts if unit(cell) in others]
            sheet.tell_rows("unknown_unit", at, column.rows_with(hits))


def ask_about_measures(sheet: Layout) -> None:
    """Tell carats among numbers of stones, stones among carats, and a stone that was not counted among such as were."""
    for role, pattern in _WITH_UNIT.items():
        for at in sheet.places(role, wide=None):
            column = sheet.raw.columns[at]
            hits = [
                code for code, cell in column.texts() if cell[-2:].strip(". ").isalpha() and pattern.fullmatch(cell)
            ]
            sheet.tell_rows("unit_elsewhere", at, column.rows_with(hits))
    counts = sheet.places("n_stones")
    if len(counts) != 1 or sheet.places("size_class", "description", "lot") or not sheet.places("carats"):
        return
    values = sheet.raw.values(counts[0])
    if np.isfinite(values).any() and np.nanmedian(values) < 2:
        sheet.tell_rows("missing_value", counts[0], sheet.raw.columns[counts[0]].blank())


def ask_about_cancelled(sheet: Layout) -> None:
    """Ask whether a row is no longer of the parcel: a remark says so, ``cancelled``, or its number is crossed out."""
    if sheet.choices.get("cancelled") == "keep":
        return
    for at in sheet.places("other", "unknown", "description", "stones_or_carats", "row"):
        column, numbered = sheet.raw.columns[at], sheet.meanings[at].role == "row"
        if len(column.cells) > 10_000:
            continue
        struck = [c for c, cell in enumerate(column.cells) if isinstance(cell, Odd) and cell.code == "struck_cell"]
        sheet.tell_rows("struck_cell", at, column.rows_with(struck if numbered else ()))
        is_out = _is_crossed if numbered else _is_cancelled
        hits = [code for code, cell in column.texts() if not cell[60:] and is_out(cell)]
        rows = np.flatnonzero(column.rows_with(hits)) if hits else _said_out(column)
        for row in rows[:20].tolist() if not numbered or 2 * len(rows) <= sheet.raw.n_rows else ():
            label = text_of(column.at(row)) if hits else f"{column.header}: {text_of(column.at(row))}"
            sheet.tell("row_cancelled", at, row, label=label, choices=[("cancelled", "keep")])


def _is_cancelled(text: str) -> bool:
    tokens = tokens_of(text)
    said = holds("cancelled", tokens) or says("cancelled_alone", " ".join(tokens)) or text.strip() in ("✗", "✘", "❌")
    return len(tokens) <= 5 and said


def _is_crossed(text: str) -> bool:
    """Say whether the number of a row bears a mark that is none of numbers: ``13 x``, ``-13-``, ``13*``."""
    return _MARKED.fullmatch(text.strip()) is not None and _NUMBERED.fullmatch(text.strip()) is None


def _said_out(column: Column) -> NDArray[np.intp]:
    """Return rows that a column of yes and no says are not of the parcel: ``Kept: no``, ``Rejected: x``."""
    tokens = tokens_of(column.header)
    inside = holds("included", tokens)
    asked = inside or holds("apart", tokens) or _is_cancelled(column.header)
    used: list[int] = np.unique(column.codes).tolist() if asked else []
    cells = {code: column.cells[code] for code in used if len(used) <= 4}
    said = {code: plain(text_of(cell)) in ("x", "✓") or read_yes_or_no(cell) for code, cell in cells.items()}
    if any(isinstance(answer, Broken) for answer in said.values()) or len({*map(bool, said.values())}) < 2:
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(column.rows_with(code for code, answer in said.items() if bool(answer) != inside))


# Stones, lots and classes.


def ask_about_unnamed(sheet: Layout) -> None:
    """Ask what whole numbers beside carats are, where nothing else counts the stones."""
    if (
        sheet.places("n_stones")
        or sheet.places("n_stones", "stones_or_carats", wide=True)
        or not sheet.places("carats")
    ):
        return
    if sheet.places("zone_id") and not sheet.places(*sheet.attributes):
        return
    for at in sheet.places("unknown", "stones_or_carats", "percent"):
        numbers = sheet.numbers(at)
        if sheet.meanings[at].role == "percent" and ("%" in sheet.raw.columns[at].header or sheet.all_percent(at)):
            continue
        if numbers is None or not bool(np.all((numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < 1e6))):
            continue
        if bool(np.any(numbers > 1)) and not says("codes", *tokens_of(sheet.raw.columns[at].header)):
            sheet.ask("count_or_other", at, "n_stones", "ignore")


def ask_about_percents(sheet: Layout) -> None:
    """Ask about classes that are given in percent alone, so that stones would be read without them."""
    given = {item.role for item in sheet.meanings} | {name for item in sheet.meanings for name, _ in item.classes}
    found: dict[str, list[str]] = {}
    for at in sheet.places("percent"):
        header = sheet.raw.columns[at].header
        for name, _ in sheet.headers.of(without_measure(header)).classes:
            if name in sheet.attributes and name not in given:
                found.setdefault(name, []).append(header)
    for name, texts in found.items() if sheet.choices.get("percent") != "ignore" else ():
        told = {"attribute": name, "headers": listed(texts, 8)}
        sheet.tell("percent_of_classes", None, **told, choices=[("percent", "ignore")])


def ask_about_cells(sheet: Layout, classed: list[int]) -> None:
    """Ask whether rows with a size class and carats are classes, or stones, where two of them are alike."""
    named = sheet.places("n_stones", "lot", "description", "described", "parcel_id")
    if named or not are_repeated(sheet, classed):
        return
    sheet.ask("stones_or_cells", sheet.places("size_class")[0], "ignore")


def are_repeated(sheet: Layout, classed: list[int]) -> bool:
    """Say whether two rows have the same classes."""
    rows = np.column_stack([sheet.raw.columns[at].codes for at in classed]) if classed else np.zeros((0, 1))
    return len(np.unique(rows, axis=0)) < len(rows)


def ask_about_stones(sheet: Layout, classed: list[int]) -> None:
    """Ask whether the rows of a list of weights are stones, or lots of several; and whether weights are carats."""
    weights = sheet.places("carats")
    if not weights or sheet.raw.columns[weights[0]].mostly_distinct:
        return
    at, weight = weights[0], sheet.raw.values(weights[0])
    means = sheet.places("mean")
    if means and bool(np.any(sheet.raw.values(means[0]) < 0.9 * weight)):
        sheet.tell("lots_without_numbers", at, header=sheet.raw.columns[means[0]].header)
        return
    if sheet.choices.get("rows") != "stones" and (by := _lots_by(sheet, classed, weight)) is not None:
        named = sheet.raw.columns[by].header
        sheet.tell("lots_without_numbers", by, header=named, choices=[("rows", "stones")])
        return
    _ask_about_commas(sheet, at, weight[np.isfinite(weight)])
    _ask_about_points(sheet, at)
    ask_about_heavy(sheet, at, weight)


def ask_about_heavy(sheet: Layout, at: int, weight: NDArray[np.float64]) -> None:
    """Ask whether the weights of a list are points, where all are whole numbers or half of them heavy."""
    header, known = sheet.raw.columns[at].header, weight[np.isfinite(weight)]
    said = sheet.choices.get("weights") == "carats" or set(tokens_of(header)) & set(unit_words("carats"))
    if said or len(known) < _FEW:
        return
    if bool(np.all(known == np.floor(known))) and float(known.max()) >= 2.0:
        sheet.tell("points_or_carats", at, header=header, choices=[("weights", "carats")])
    elif (middle := float(np.median(known))) >= _HEAVY_MIDDLE and not any(
        _HUNDREDTHS.search(text_of(cell)) for cell in sheet.cells(at)
    ):
        sheet.tell("heavy_or_carats", at, header=header, middle=f"{middle:g}", choices=[("weights", "carats")])


def _ask_about_commas(sheet: Layout, at: int, weights: NDArray[np.float64]) -> None:
    """Ask whether decimal commas part the cells of a list: whole weights, and two digits each in the column behind."""
    if len(weights) < _FEW or sheet.choices.get("weights") == "carats" or np.any(weights != np.floor(weights)):
        return
    behind = sheet.raw.columns[at + 1 : at + 2]
    if any(all(re.fullmatch(r"\d\d", text_of(cell)) for cell in column.cells) for column in behind):
        header = sheet.raw.columns[at].header
        sheet.tell("split_decimals", at, header=header, choices=[("weights", "carats")])


def _ask_about_points(sheet: Layout, at: int) -> None:
    """Ask about the weights without decimals in a list whose other weights have some: ``42`` among ``0.31``.

    As text, where all others have two and some end with a zero, each of them; else, and of cells that are numbers,
    those far above all others.
    """
    column = sheet.raw.columns[at]
    cells = {code: text_of(cell) for code, cell in enumerate(column.cells) if not is_blank(cell)}
    typed = any(isinstance(cell, float) for cell in column.cells)
    fine = [cell for cell in cells.values() if _DECIMALS[typed].fullmatch(cell)]
    bare = {code: int(cell) for code, cell in cells.items() if cell.isascii() and cell.isdigit()}
    unlike = len(fine) <= _FEW or len(fine) + len(bare) < len(cells)
    if not bare or unlike or sheet.choices.get("weights") == "carats" or sheet.places("parcel_id"):
        return
    most = max(float(cell.replace(",", ".")) for cell in fine)
    zeros = any(cell.endswith("0") for cell in fine)
    odd = [code for code, weight in bare.items() if zeros or weight > (10 if typed else 3) * most]
    sheet.tell_rows("decimals_missing", at, column.rows_with(odd), choices=[("weights", "carats")])


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
    if sheet.places("row", "parcel_id") or raw.n_rows < 2 or not np.isfinite(weight).any():
        return None
    goods = [at for at, column in enumerate(raw.columns) if sheet.headers.of(column.header).role == "description"]
    sure = fold(raw.columns[sheet.places("carats")[0]].header) in _OF_STONES
    known = [*sheet.places("lot", "description"), *classed]
    words = {*declared_words()["headers"]["seller"]}
    sellers = [at for at, column in enumerate(raw.columns) if {*tokens_of(column.header)} & words]
    named = sellers or known
    named = named or [at for at in range(len(raw.columns)) if at not in sheet.places("carats", "money", "value_usd")]
    light = float(np.nanmedian(weight) if sellers else np.nanmin(weight)) <= _HEAVY_CT
    if not named or (sure and not goods) or light:
        return None
    distinct = len(np.unique(np.column_stack([raw.columns[at].codes for at in named]), axis=0)) == raw.n_rows
    return named[0] if distinct else None


def _of_goods(sheet: Layout, at: int) -> bool:
    """Say whether the cells of a column name goods, of which a row holds several: customs headings, ``5 pierres``."""
    if sheet.meanings[at].role not in ("description", "unknown", "other", "lot"):
        return False
    cells = [text_of(cell) for cell in sheet.cells(at)]
    if cells and all(map(_HEADING.fullmatch, cells)):
        return True
    if sheet.meanings[at].role == "other":
        return any(len(cell) <= 30 and _SEVERAL_SAID.search(cell) for cell in cells)
    many = set(declared_words()["headers"]["goods"])
    return sheet.meanings[at].role in ("description", "unknown") and any(many & {*tokens_of(c)} for c in cells)


def is_transposed(sheet: Layout, wide: list[int]) -> bool:
    """Say whether classes stand in columns and pieces and carats in rows, and tell it."""
    if len(wide) < 2 or sheet.raw.n_rows > 12:
        return False
    for at in range(len(sheet.raw.columns)):
        cells = sheet.cells(at)
        roles = {sheet.headers.of(cell).role for cell in cells if isinstance(cell, str)}
        if at not in wide and roles & {"n_stones", "carats"} and roles <= {"n_stones", "carats", "mean", "money"}:
            sheet.tell("transposed", at, header=listed(str(cell) for cell in cells))
            return True
    return False
