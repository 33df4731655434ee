"""Rows that stand in a table and are no rows of it: its header again, page lines, lines of a form left empty."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, is_blank, text_of
from kpfootprint.ingest.headers import Meaning, tokens_of
from kpfootprint.ingest.regular import PlainCells
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.tables import Column, LeftOut, RawTable
from kpfootprint.ingest.words import declared_words, fold

_PAGE = re.compile(
    r"[-–— ]*(page|pages|seite|pagina|página|стр|страница|blad|feuille|sheet)\W*\d+\W*"
    r"((of|de|sur|von|van|из|/)\W*)?\d*\W*",
    re.IGNORECASE,
)
_RULE = re.compile(r"[-=_*.~–— ]{3,}")
_LONGEST = 60


def without_asides(raw: RawTable) -> tuple[RawTable, list[LeftOut]]:
    """Leave out rows that repeat the header, and lines between pages; each is told."""
    left: dict[int, LeftOut] = {}
    for code, rows in (("header_again", _headers_again(raw)), ("page_line", _page_lines(raw))):
        for row in rows:
            left.setdefault(row, LeftOut(table=raw.name, row=raw.line(row), code=code))
    if not left:
        return raw, []
    kept = np.ones(raw.n_rows, dtype=bool)
    kept[list(left)] = False
    return raw.keep(np.flatnonzero(kept)), [left[row] for row in sorted(left)]


def _rows_of(column: Column, hits: Sequence[int]) -> NDArray[np.bool_]:
    mask = np.zeros(len(column.cells), dtype=bool)
    mask[list(hits)] = True
    return mask[column.codes]


def _headers_again(raw: RawTable) -> list[int]:
    headed = sorted((c for c in raw.columns if c.header.strip()), key=lambda column: len(column.cells))
    if any(isinstance(column.cells, PlainCells) for column in headed) or len(headed) < 2:
        return []
    found = np.ones(raw.n_rows, dtype=bool)
    for column in headed:
        hits = [
            code
            for code, cell in enumerate(column.cells)
            if isinstance(cell, str) and len(cell) <= _LONGEST and fold(cell) == fold(column.header)
        ]
        if not hits or not (found := found & _rows_of(column, hits)).any():
            return []
    return np.flatnonzero(found).tolist()


def _page_lines(raw: RawTable) -> list[int]:
    """Return rows of which one cell says a page, or all cells are rulings, and nothing else is filled."""
    if any(isinstance(column.cells, PlainCells) for column in raw.columns):
        return []
    said = np.zeros(raw.n_rows, dtype=bool)
    nothing = np.ones(raw.n_rows, dtype=bool)
    for column in raw.columns:
        texts = {code: cell.strip() for code, cell in enumerate(column.cells) if isinstance(cell, str)}
        hits = [
            code for code, text in texts.items() if len(text) <= _LONGEST and not text[:1].isdigit() and _aside(text)
        ]
        said |= _rows_of(column, hits)
        nothing &= _rows_of(column, hits) | column.blank()
    return np.flatnonzero(said & nothing).tolist()


def _aside(text: str) -> bool:
    return not text[:1].isdigit() and (_PAGE.fullmatch(text) is not None or _RULE.fullmatch(text) is not None)


def without_empty_classes(
    raw: RawTable, measures: Sequence[int], classes: Sequence[int], *, checked: bool
) -> tuple[RawTable, list[LeftOut]]:
    """Leave out the classes of a form that hold nothing: dashes, or blanks where a total was `checked`."""
    if not measures or not classes or any(isinstance(raw.columns[at].cells, PlainCells) for at in measures):
        return raw, []
    empty = np.logical_and.reduce([raw.columns[at].blank() for at in measures])
    named = ~np.logical_and.reduce([raw.columns[at].blank() for at in classes])
    if not checked:
        empty &= np.logical_and.reduce([_rows_of(raw.columns[at], _dashes(raw.columns[at].cells)) for at in measures])
    rows = np.flatnonzero(empty & named)
    if not len(rows) or len(rows) == raw.n_rows:
        return raw, []
    told = [
        LeftOut(table=raw.name, row=raw.line(row), code="empty_class", values={"label": _first(raw, classes, row)})
        for row in rows.tolist()
    ]
    return raw.keep(np.flatnonzero(~(empty & named))), told


def _dashes(cells: Sequence[Cell]) -> list[int]:
    return [code for code, cell in enumerate(cells) if isinstance(cell, str) and cell.strip() and is_blank(cell)]


def _first(raw: RawTable, classes: Sequence[int], row: int) -> str:
    return next((text_of(cell) for at in classes if not is_blank(cell := raw.columns[at].at(row))), "")


def words_for_numbers(raw: RawTable, meanings: Sequence[Meaning]) -> list[Problem]:
    """Tell the rows of a list that have a word where the others are numbered: such a row may be no stone."""
    told: list[Problem] = []
    for column, meaning in zip(raw.columns, meanings, strict=True):
        if meaning.role != "row" or isinstance(column.cells, PlainCells):
            continue
        words = [
            code
            for code, cell in enumerate(column.cells)
            if isinstance(cell, str) and not is_blank(cell) and not any(char.isdigit() for char in cell)
        ]
        rows = np.flatnonzero(_rows_of(column, words))
        if not len(rows) or 3 * len(rows) > raw.n_rows:
            continue
        told += [
            problem(
                Broken("word_for_number"),
                table=raw.name,
                row=raw.line(row),
                column=column.header,
                value=column.at(row),
            )
            for row in rows.tolist()[:20]
        ]
    return told


def unit_in_titles(raw: RawTable, meanings: Sequence[Meaning]) -> Problem | None:
    """Tell a title that gives weights in a unit that is not carats, where no header says carats."""
    words: Mapping[str, Sequence[str]] = declared_words()["headers"]
    weighed = [column for column, item in zip(raw.columns, meanings, strict=True) if item.role == "carats"]
    if not weighed or any(set(tokens_of(column.header)) & set(words["in_carats"]) for column in weighed):
        return None
    units = "|".join(sorted(words["other_unit"], key=len, reverse=True))
    said = re.compile(rf"(\b(in|en|em|im|unite|unit|units|unites|в)\b\W*|\()({units})\b\W*\)?", re.IGNORECASE)
    for line, cells in raw.titles:
        for cell in cells:
            if not isinstance(cell, str) or len(cell) > 200:
                continue
            tokens = tokens_of(cell)
            weighed_so = set(tokens) & set(words["carats"]) and set(tokens) & set(words["other_unit"])
            if weighed_so or said.search(" ".join(tokens)):
                return problem(Broken("unit_in_title"), table=raw.name, row=line, value=cell)
    return None
