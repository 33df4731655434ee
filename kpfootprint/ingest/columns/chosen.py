"""Words of one's own, which the caller or a table of words gives their classes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from kpfootprint.errors import Problem
from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.names.headers import Headers, Meaning
from kpfootprint.ingest.names.size_labels import size_span
from kpfootprint.ingest.names.statements import amounts_in
from kpfootprint.ingest.problems import Broken, listed, problem
from kpfootprint.ingest.raw.cells import Cell, is_blank, text_of, texts_in
from kpfootprint.ingest.raw.tables import RawTable, missing_column
from kpfootprint.ingest.words import (
    attribute_words,
    class_code,
    condition_values,
    declared_words,
    fold,
    holds,
    plain,
    tokens_of,
    word_tables,
)
from kpfootprint.visible import FORMULA

_MEANS = re.compile(r"\s*[=:]\s*|\s+[-–—]\s+")
_PARTS = re.compile(r"\s*[,;]\s+|\s+[/|]\s+")
_HEADED = re.compile(r"[^:=]*:\s*(?=[^:=]+=)")
"""What heads a line of codes: ``Colour: W = White, C = Cape``."""
_CODE = 2
"""Letters of a code at most that may be the word of another class, as those of the colour scale are."""
_MOST = 200
"""Distinct cells of a column of codes, at most."""
_LINES = 20
"""Lines below a table that may explain its headers, at most."""
_WEIGHT = re.compile(r"\d*[.,]\d+\s*[^\W\d]+\.?")
"""What goods weigh, ``12.40 ct``, which is no class."""


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
    for at, item in enumerate(sheet.meanings) if chosen else ():
        role, column = item.role, sheet.column(at)
        if not item.sure and role not in chosen:  # ``Class`` above codes, all of which are of one attribute
            cells = {*map(text_of, sheet.cells(at))} if not column.mostly_distinct else set[str]()
            free = [of for of in chosen if len(cells) > 1 and of not in sheet.taken]
            role = next((of for of in free if cells <= {*chosen[of]}), role)
            sheet = sheet if role == item.role else sheet.with_meaning([at], Meaning(role=role))
        words = chosen.get(role, {})
        if item.wide or not words:
            continue
        sheet = sheet.with_column(at, replace(column, cells=[_chosen(cell, words) for cell in column.cells]))
        held = {*texts_in(column.cells)}
        if told := [f"{word} = {answer}" for word, answer in words.items() if word in held]:
            sheet.trace.note("words_chosen", column=column.header, words=listed(told, 20))
    return sheet


def _chosen(cell: Cell, words: Mapping[str, str]) -> Cell:
    answer = None if is_blank(cell) else words.get(text_of(cell))
    if answer is None:
        return cell
    return None if fold(answer) in condition_values("") else answer


def is_of_words(raw: RawTable) -> bool:
    """Say whether a table has the columns and the name of one of words: the attribute, the word, and the class."""
    known: Mapping[str, list[str]] = declared_words()["words"]
    heads = {fold(column.header) for column in raw.columns}
    named = (not heads.isdisjoint(known[name]) for name in ("attribute", "word", "class"))
    return fold(raw.name) in word_tables() and all(named)


def is_legend(raw: RawTable, headers: Headers) -> bool:
    """Say whether a sheet explains codes by its name, or by its columns, and counts no stones."""
    known: Mapping[str, list[str]] = declared_words()["words"]
    heads = {fold(column.header) for column in raw.columns}
    roles = {headers.of(column.header).role for column in raw.columns}
    listed_so = {"row", *(item.column for item in headers.words.scheme.categorical)} & roles
    if is_of_words(raw) or "n_stones" in roles or ("carats" in roles and listed_so):
        return False  # goods
    explains = not heads.isdisjoint(known["word"]) and heads.isdisjoint(known["attribute"])
    headed = len(raw.columns) > 2 or any(not heads.isdisjoint(known[name]) for name in ("attribute", "word", "class"))
    explains = explains or fold(raw.name) in known["legends"] or not headed
    return explains and fold(raw.name) in word_tables()


def legend_in(raw: RawTable, headers: Headers) -> tuple[dict[str, str], list[str]]:
    """Return what the codes of a legend stand for, as choices, where one attribute alone has the class; other lines."""
    rows: list[Sequence[Cell]] = [[column.header for column in raw.columns], *map(raw.row, range(raw.n_rows))]
    return _said_in(rows, headers)


def legend_around(raw: RawTable, headers: Headers) -> dict[str, str]:
    """Return what lines above and below a table say that codes stand for, as choices: ``W = White``.

    Of two headers at least, and all of them classes of one attribute, or of codes in the column of their attribute.
    """
    below = [raw.row(row) for row in range(max(raw.n_rows - _LINES, 0), raw.n_rows)]
    said, _ = _said_in([*(cells for _, cells in raw.titles), *below], headers)
    if not said:
        return {}
    codes = {column.header.strip() for column in raw.columns}
    of_headers = {key: of for key, of in said.items() if key.partition(":")[2] in codes}
    one = len({key.partition(":")[0] for key in of_headers}) == 1
    in_cells = {key: of for key, of in said.items() if _stands_in(raw, key, headers)}
    return (of_headers if len(of_headers) > 1 and one else {}) | in_cells


def _stands_in(raw: RawTable, key: str, headers: Headers) -> bool:
    """Say whether the code of a choice, ``colour:G``, is a cell of its attribute's column."""
    name, _, code = key.partition(":")
    role = headers.attribute(name)
    item = next((item for item in headers.words.scheme.categorical if item.column == role), None)
    if role is None or (item and len(code) > _CODE and class_code(code, attribute_words(item)) is not None):
        return False
    meanings = {column.header: headers.of(column.header) for column in raw.columns}
    columns = [item for item in raw.columns if role == (said := meanings[item.header]).role or not said.sure]
    return any(code == text_of(cell) for column in columns for cell in column.cells[:_MOST])


def _said_in(rows: Sequence[Sequence[Cell]], headers: Headers) -> tuple[dict[str, str], list[str]]:
    """Return what codes in some lines stand for, where one attribute alone has the class; and the other lines."""
    scheme = headers.words.scheme
    found: dict[str, set[str]] = {}
    lines: dict[str, str] = {}
    for texts in (texts for cells in rows for texts in _explained(cells)):
        said = texts[1] if len(texts) == 2 else ""
        of = [item.name for item in scheme.categorical if class_code(said, attribute_words(item)) is not None]
        of += [scheme.size.name] if size_span(said, scheme) is not None and not _WEIGHT.fullmatch(said) else []
        lines[" ".join(texts)] = key = f"{of[0]}:{texts[0]}" if len(of) == 1 else ""
        found.setdefault(key, set()).add(said)
    chosen = {key: next(iter(said)) for key, said in found.items() if key and len(said) == 1}
    return chosen, [line for line, key in lines.items() if key not in chosen]


def _explained(cells: Sequence[Cell]) -> list[list[str]]:
    """Return the codes and meanings of a line of a legend: side by side, several times, or in one cell."""
    runs = [[*map(text_of, run)] for blank, run in groupby(cells, is_blank) if not blank]
    if len(runs) > 1 and all(len(run) == 2 for run in runs):
        return runs
    texts = [text for run in runs for text in run]
    texts = [_HEADED.sub("", texts[0], count=1)] if len(texts) == 1 else texts
    parts = _PARTS.split(texts[0]) if len(texts) == 1 else []
    listed_so = len(parts) > 1 and all(map(_MEANS.search, parts))  # ``W = White, C = Cape``
    return [_MEANS.split(part, 1) for part in (parts if listed_so else texts)] if len(texts) == 1 else [texts]


def counts_goods(line: str) -> bool:
    """Say whether a line of a legend tells of goods, and how many there are or what they weigh."""
    kinds = {amount.kind for amount in amounts_in(plain(line))}
    return "n_stones" in kinds or ("carats" in kinds and holds("of_goods", tokens_of(line)))


def words_in(raw: RawTable, problems: list[Problem]) -> dict[str, str]:
    """Return what a table of words says, as choices; what is wrong with it is added to `problems`."""
    known: dict[str, list[str]] = declared_words()["words"]
    places = {}
    for name in ("attribute", "word", "class"):
        at = next((at for at, item in enumerate(raw.columns) if fold(item.header) in known[name]), None)
        if at is None:
            problems.append(missing_column(raw.name, name, raw.columns))
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
