"""Headers: what that of a column means (pieces, carats, a class, nothing of ours), and where that of a table stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, repeat

from kpfootprint.ingest.archive import Limits, refuse
from kpfootprint.ingest.cells import Cell, is_blank, is_number, text_of
from kpfootprint.ingest.labels import size_span
from kpfootprint.ingest.tables import Column, ColumnMaker, RawTable
from kpfootprint.ingest.words import (
    JOINED,
    Vocabulary,
    attribute_words,
    declared_words,
    fold,
    holds,
    is_lot_number,
    is_row_number,
    is_total,
    is_unit,
    one_code,
    phrases,
    plain,
    says,
    stem_key,
    tokens_of,
    without_measure,
)

_PER = re.compile(
    r"(cts?|carats?|kt|poids|weight)\s*(/|per|par|pro)\s*(st|sts|pcs?|pces?|p|stones?|pierres?|pieces?)\b"
)
_PER_CARAT = re.compile(r"(st|sts|pcs?|p|stones?|pierres?|pieces?)\s*(/|per|par|pro)\s*(cts?|carats?)\b")
_LETTERS = re.compile(r"\b[A-Za-z]\s?[-–]\s?[A-Za-z]\b")
_LONGEST = 200
_MANY = 4096
_NUMBER_OF = ("no", "nr", "n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a header means.

    Parameters
    ----------
    role : str
        A column of the documentation (``parcel_id``, ``zone_id``, ``n_stones``, ``carats``, ``size_class``,
        ``value_usd``, the column of an attribute), or ``lot``, ``row``, ``mean``, ``money``, ``percent``,
        ``description``, ``other`` (known, and not ours), ``unknown``.
    classes : tuple of (str, str)
        Column and class that the header itself names, where the column holds stones or carats of that class.
    part : str
        ``whole`` (a total), ``sample``, or blank.
    party : str
        Words that remain beside a measure, and name nothing that is known: whose pieces or carats these are.
    sure : bool
        Whether the header alone decides; otherwise the cells below it are asked.
    """

    role: str
    classes: tuple[tuple[str, str], ...] = ()
    part: str = ""
    party: str = ""
    sure: bool = True

    @property
    def wide(self) -> bool:
        """Whether the header names a class, so that the cells below are numbers of it."""
        return bool(self.classes)


UNKNOWN = Meaning(role="unknown", sure=False)


@dataclass(frozen=True)
class Headers:
    """The words of headers, for one scheme."""

    words: Vocabulary

    @cached_property
    def _attributes(self) -> Mapping[str, str]:
        """Folded words for the attributes, with the column of each."""
        more: Mapping[str, Iterable[str]] = declared_words()["attributes"]
        known: dict[str, str] = {}
        for item in self.words.scheme.categorical:
            for word in (item.column, item.name, *item.labels.values(), *item.synonyms, *more.get(item.name, ())):
                known.setdefault(fold(word), item.column)
        return known

    @cached_property
    def _exact(self) -> Mapping[str, str]:
        """Folded headers that the documentation names, with the role of each."""
        known = dict(self._attributes)
        for table in ("counts", "stones", "declarations"):
            for word, column in self.words.columns(table).items():
                role = "carats" if column == self.words.scheme.size.column else column
                known.setdefault(word, "lot" if word in ("lot", "lotno", "lotid", "numerodelot") else role)
        return known

    @cached_property
    def _class_words(self) -> Mapping[str, tuple[tuple[str, int], ...]]:
        """Folded words of classes, with the column and code of each attribute that has the word."""
        known: dict[str, list[tuple[str, int]]] = {}
        for item in self.words.scheme.categorical:
            for word, code in attribute_words(item).items():
                known.setdefault(word, []).append((item.column, code))
        return {word: tuple(found) for word, found in known.items()}

    def _named(self, text: str) -> tuple[tuple[str, int], ...]:
        """Return column and code of each attribute that has a word."""
        return self._class_words.get(fold(text)) or self._class_words.get(stem_key(text), ())

    @cached_property
    def _met(self) -> dict[str, Meaning]:
        return {}

    def attribute(self, name: str) -> str | None:
        """Return the column of an attribute by any of its names; sizes are ``size_class``."""
        size = self.words.scheme.size
        if fold(name) in {fold(word) for word in (size.name, "size_class", *size.labels.values())}:
            return "size_class"
        return self._attributes.get(fold(name))

    def attributes(self) -> list[str]:
        """Return the names of the attributes whose words a caller may choose classes for."""
        return [self.words.scheme.size.name, *(item.name for item in self.words.scheme.categorical)]

    def of(self, header: str) -> Meaning:
        """Return what a header means by its words alone."""
        if len(header) > _LONGEST:
            return UNKNOWN
        met = self._met.get(header)
        if met is None:
            met = self._of(header)
            if len(self._met) < _MANY:
                self._met[header] = met
        return met

    def _of(self, header: str) -> Meaning:
        text = " ".join(header.split())
        if not text:
            return UNKNOWN
        exact, low, tokens = self._exact.get(fold(text)) if text != "#" else None, plain(text), tokens_of(text)
        if exact is not None and "%" not in text and "/" not in text:
            return Meaning(role=exact)
        if _PER.search(low) or _PER_CARAT.search(low):
            return Meaning(role="money" if says("money", *tokens) else "mean")
        joined = f" {' '.join(tokens)} "
        if any(f" {phrase} " in joined for phrase in phrases("other")):
            return Meaning(role="other")
        for phrase in phrases("n_stones"):
            joined = joined.replace(f" {phrase} ", " pcs ")
        tokens = joined.split()
        if "amount" in tokens and says("n_stones", *tokens):
            return UNKNOWN
        if says("money", *tokens):
            return Meaning(role="money", sure=says("money_elsewhere", *tokens) or not says("value", *tokens))
        weighed = says("carats", *tokens)
        for role, said in (
            ("other", holds("running", tokens)),
            ("mean", weighed and says("each", *tokens)),
            ("other_unit", weighed and says("other_unit", *tokens)),
            ("percent", says("percent", *tokens)),
            ("mean", says("mean", *tokens)),
            ("row", is_row_number(tokens)),
            ("lot", is_lot_number(tokens)),
        ):
            if said:
                return Meaning(role=role)
        return self._measured(header, tokens)

    def _measured(self, header: str, tokens: Sequence[str]) -> Meaning:
        """Return what a header means that names stones or carats, or what could be counted and weighed."""
        part = next((role for role in ("sample", "whole") if says(role, *tokens)), "")
        rest = [token for token in tokens if not any(says(role, token) for role in ("whole", "sample", "filler"))]
        measure = next((role for role in ("carats", "n_stones") if any(says(role, token) for token in rest)), "")
        pieces = any(says("n_stones", token) for token in rest)
        rest = [token for token in rest if not says("carats", token) and not says("n_stones", token)]
        if pieces:
            rest = [token for token in rest if token not in (*_NUMBER_OF, "num", "numero", "nombre")]
        elif not measure and {*_NUMBER_OF} & {*rest}:
            others = [token for token in rest if token not in _NUMBER_OF]
            if (others and self._classes(" ".join(others), others, "n_stones")) or (not others and part == "whole"):
                measure, rest = "n_stones", others
        role = self._exact.get("".join(rest)) if rest and not measure else None
        if role is not None and role not in ("n_stones", "carats", "percent"):
            return Meaning(role=role)
        classes = self._classes(header, rest, measure)
        if not classes and (named := [token for token in rest if token in self._attributes]):  # ``Couleur Blanc``
            own = self._classes(header, [token for token in rest if token not in named], measure)
            classes = own if {name for name, _ in own} == {self._attributes[token] for token in named} else ()
        if classes:
            return Meaning(role=measure or "stones_or_carats", classes=classes, part="" if part == "whole" else part)
        if not measure:
            return self._other(rest, part)
        alone = not rest or says("zone", *rest)
        letters = _LETTERS.search(header)  # ``D-H``, of which ``d`` is a filler
        party = plain(letters[0]) if letters else " ".join(rest)
        return Meaning(role=measure, part=part, party="" if alone else party, sure=alone)

    def as_class(self, text: str) -> Meaning | None:
        """Return what a header means that names an attribute and a class of it, as a class: ``Crystal``."""
        classes = self._classes(text, tokens_of(text), "n_stones")
        return Meaning(role="stones_or_carats", classes=classes) if classes else None

    def measure(self, text: str) -> str | None:
        """Return what a label names that is said of a whole parcel: ``n_stones``, ``carats`` or ``zone_id``."""
        said = self.of(text)
        whole = not said.wide and (not said.party or said.part == "whole") and said.part != "sample"
        return said.role if whole and said.role in ("n_stones", "carats", "zone_id") else None

    def _other(self, rest: list[str], part: str) -> Meaning:
        if {*rest} & {"lab", "laboratory", "labo"} and len(named := [t for t in rest if t in self._attributes]) == 1:
            return Meaning(role=self._attributes[named[0]], sure=False)
        for role in ("zone", "size", "lot", "description", "other"):
            if says(role, *rest):
                name = {"zone": "zone_id", "size": "size_class"}.get(role, role)
                return Meaning(role=name, sure=role in ("zone", "other"))
        columns = {self._attributes[token] for token in rest if token in self._attributes}
        if len(columns) == 1:
            return Meaning(role=columns.pop(), sure=len(rest) == 1)
        if not rest and part:
            return Meaning(role="stones_or_carats", part=part, sure=False)
        return UNKNOWN

    def _classes(self, header: str, rest: list[str], measure: str) -> tuple[tuple[str, str], ...]:
        """Return the classes that the words beside a measure name: ``White``, ``White octa``, ``-11+9``."""
        if not rest and not measure and not any(char.isdigit() for char in header):
            return ()
        if not measure or any(char.isdigit() for char in header):
            label = header if not measure else without_measure(header)
            if size_span(label, self.words.scheme) is not None and not label.strip().isdigit():
                return (("size_class", " ".join(label.split())),)
        found: dict[str, set[int]] = {}
        start, joined = 0, JOINED.search(header) is not None
        while start < len(rest):
            for end in range(len(rest), start, -1):
                hits = self._named(" ".join(rest[start:end]))
                if len(hits) == 1:
                    column, code = hits[0]
                    if column in found and not joined:
                        return ()
                    found.setdefault(column, set()).add(code)
                    start = end
                    break
            else:
                return ()
        classes = []
        for item in self.words.scheme.categorical:
            one = one_code(item, found.get(item.column, set()))
            classes += [] if one is None else [(item.column, item.code_names[one])]
        return tuple(classes) if len(classes) == len(found) else ()


# Where the header of a table stands: below titles, and on one line, two or three.

LOOKED_AT = 40
"""Rows from the top of a table among which the header is looked for."""

_CELLS = 60
"""Cells of a row that are looked at; a header that names nothing in so many names nothing at all."""

_LONGEST_NAMED = 120


@dataclass(frozen=True, slots=True)
class Head:
    """A header: its texts, the positions of its rows among those looked at, and the rows of titles above it.

    `beside` counts blank texts at its end, above what stands right of the table behind an empty column.
    """

    texts: tuple[str, ...]
    rows: tuple[int, ...]
    titles: tuple[int, ...]
    beside: int = 0

    def over(self, raw: RawTable, rows: Sequence[Sequence[Cell]], lines: Sequence[int]) -> RawTable:
        """Return a table with what was looked at above it, row by row and on which lines, and without blank rows."""
        raw = replace(
            raw,
            header_rows=tuple(lines[at] for at in self.rows),
            titles=tuple((lines[at], tuple(rows[at])) for at in self.titles),
        )
        return raw.filled() if raw.columns else raw


class TableMaker:
    """Gathers the columns below a header, row by row; rows too long, or of less than `least` cells, are `ragged`."""

    def __init__(self, head: Head, limits: Limits, *, least: int = 0) -> None:
        self._texts, self._most, self._least = head.texts, limits.max_columns, least
        self._makers = [ColumnMaker() for _ in head.texts]
        self.n_rows = 0
        self.ragged: dict[int, int] = {}

    def add(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Append rows; what they hold right of the table, behind an empty column, gets columns of its own."""
        if set(map(len, rows)) != {len(self._makers)}:
            rows = self._as_wide(rows)
        for maker, cells in zip(self._makers, zip(*rows, strict=True), strict=True):
            maker.add(cells)
        self.n_rows += len(rows)

    def _as_wide(self, rows: Sequence[Sequence[Cell]]) -> list[Sequence[Cell]]:
        width = len(self._makers)
        wide = [row for row in rows if not all(map(is_blank, row[width:]))]
        if wide and all(is_blank(row[width]) for row in wide):
            for _ in range(width, min(max(map(len, wide)), self._most)):
                self._makers.append(ColumnMaker())
                self._makers[-1].add([""] * self.n_rows)
        width = len(self._makers)
        for at, row in enumerate(rows, start=self.n_rows):
            if any(map(_is_filled, row[width:])) or (len(row) < self._least and any(map(_is_filled, row))):
                self.ragged[at] = len(row)
        return [row if len(row) == width else [*row[:width], *[None] * (width - len(row))] for row in rows]

    def columns(self, *, whole: bool = False) -> list[Column]:
        """Return the columns; cells are cut to what could be meant unless they are wanted whole."""
        texts = chain(self._texts, repeat(""))
        return [maker.column(text, whole=whole) for maker, text in zip(self._makers, texts, strict=False)]


def _is_filled(cell: Cell) -> bool:
    return cell is not None and not (isinstance(cell, str) and not cell.strip())


def head_of(rows: Sequence[Sequence[Cell]], headers: Headers | None, name: str, limits: Limits) -> Head:
    """Return the header of a table, from its first rows; of tables in our own layout alone, their first row."""
    if headers is not None:
        head = _found(rows, headers)
    else:
        at = next(at for at, row in enumerate(rows) if any(not is_blank(cell) for cell in row))
        head = Head(_joined([rows[at]]), (at,), ())
    body, width = rows[head.rows[-1] + 1 :], len(head.texts)
    filled = {at for row in body for at, cell in enumerate(row[: limits.max_columns]) if not is_blank(cell)}
    gap = any(at not in filled for at in range(1, width + 1) if not "".join(head.texts[at : at + 1]))
    beside = max(max(filled, default=0) + 1 - width, 0) if gap else 0
    if width + beside > limits.max_columns:
        raise refuse(name, "too_many_columns", limit=limits.max_columns)
    return replace(head, texts=(*head.texts, *[""] * beside), beside=beside)


def _found(rows: Sequence[Sequence[Cell]], headers: Headers) -> Head:
    """Find the header among the first rows of a table.

    Parameters
    ----------
    rows : sequence of rows of cells
        The first rows, blank ones too; one of them at least is not blank.

    Returns
    -------
    Head
        The row that names most that is known, with the rows above and below it that belong to it. Where nothing is
        known, the first row that is not blank.
    """
    filled = [at for at, row in enumerate(rows) if any(not is_blank(cell) for cell in row)]
    best = filled[0]
    wide = max(sum(not is_blank(cell) for cell in rows[at]) for at in filled[:5]) > 1
    own = sum(not is_blank(cell) for cell in rows[best])
    wider = any(sum(not is_blank(cell) for cell in rows[at]) > own for at in filled[1:])
    if (
        wider
        or not _names_every_column(rows[best], headers)
        or (wide and sum(not is_blank(cell) for cell in rows[best]) == 1)
    ):
        scores = {at: _score(rows[at], headers) for at in filled}
        later = [at for at in filled[1:] if not _holds_numbers(rows[at])]
        best = max([filled[0], *later], key=lambda at: (scores[at], -at))
        if scores[best] <= 0.5:
            best = filled[0]
    members = [best]
    for above in reversed([at for at in filled if at < best][-2:]):
        if not _is_group_row(rows[above], [rows[at] for at in members], headers):
            break
        members.insert(0, above)
    for below in [at for at in filled if at > members[-1]][: 3 - len(members)]:
        if below != members[-1] + 1 or not _continues(rows[below], [rows[at] for at in members], headers):
            break
        members.append(below)
    texts = _joined([rows[at] for at in members])
    return Head(texts, tuple(members), tuple(at for at in filled if at < members[0]))


def _texts(row: Sequence[Cell]) -> list[str]:
    return ["" if is_blank(cell) else text_of(cell) for cell in row]


def _holds_numbers(row: Sequence[Cell]) -> bool:
    return any(not isinstance(cell, str) or is_number(cell) for cell in row[:_CELLS] if not is_blank(cell))


def _score(row: Sequence[Cell], headers: Headers) -> float:
    """Return how much a row looks like a header: a point for what is known, half of one for the word of a class."""
    score = 0.0
    seen: set[str] = set()
    for cell in row[:_CELLS]:
        if is_blank(cell):
            continue
        text = text_of(cell)
        if not isinstance(cell, str) or is_number(text):
            score -= 1.0
            continue
        if len(text) > _LONGEST_NAMED:
            continue
        meaning = headers.of(text)
        if meaning.role == "unknown" or is_total(text):
            score += 0.1 if is_total(text) else 0.0
        elif meaning.wide:
            score += 0.5
        else:
            score += 1.0 if fold(text) not in seen else 0.25
        seen.add(fold(text))
    return score


def _names_every_column(row: Sequence[Cell], headers: Headers) -> bool:
    """Say whether every cell of a row heads a column that is known, so that no other row can be the header."""
    texts = _texts(row)[:_CELLS]
    said = [headers.of(text) for text in texts if text]
    known = [item for item in said if item.sure and not item.wide]
    return (
        bool(texts) and all(texts) and len(known) == len(texts) and any(i.role in ("carats", "n_stones") for i in said)
    )


def _is_group_row(above: Sequence[Cell], head: Sequence[Sequence[Cell]], headers: Headers) -> bool:
    """Say whether a row names groups of the columns below it: the header beneath repeats itself, or has gaps."""
    upper = _texts(above)
    lower = _joined(head)
    if any(is_number(text) for text in upper if text) or sum(bool(text) for text in upper) < 2:
        return False
    below = [fold(text) for text in _joined(head) if text]
    repeated = len(set(below)) < len(below)
    fills = any(text and (at >= len(lower) or not lower[at]) for at, text in enumerate(upper))
    known = any(text and headers.of(text).role != "unknown" for text in upper)
    gaps = any(not text for text in lower[: len(upper)])
    return repeated or (fills and known and gaps)


def _continues(below: Sequence[Cell], head: Sequence[Sequence[Cell]], headers: Headers) -> bool:
    """Say whether a row below the header is a second line of it: measures or units, and no number."""
    texts = _texts(below)
    if any(not isinstance(cell, str) and not is_blank(cell) for cell in below) or any(
        map(is_number, filter(None, texts))
    ):
        return False
    if any(texts) and all(is_unit(text) for text in texts if text):
        return True
    said = [headers.of(text) for text in texts if text and len(text) <= _LONGEST_NAMED]
    measures = sum(item.role in ("n_stones", "carats", "percent", "mean", "money") and not item.wide for item in said)
    classes = sum(item.wide for item in said)
    top = _joined(head)
    under_blank = any(text and (at >= len(top) or not top[at]) for at, text in enumerate(texts))
    known = [headers.of(text) for text in top if text]
    lacking = not any(item.role in ("n_stones", "carats", "stones_or_carats") for item in known)
    return (measures >= 1 and (measures >= 2 or under_blank or lacking)) or (
        classes >= 2
        and under_blank
        and (lacking or classes == sum(map(bool, texts)))
        and not any(item.wide for item in known)
    )


def _total_beside(lower: Sequence[Sequence[str]], own: int, at: int) -> bool:
    """Say whether a column says total below a group that does not, so that it is none of the group."""
    whole, group = (says("whole", *tokens_of(" ".join(line[place] for line in lower))) for place in (at, own))
    return whole and not group


def _joined(rows: Sequence[Sequence[Cell]]) -> tuple[str, ...]:
    """Join the lines of a header; a group's name holds for the blank cells to its right that have something below."""
    lines = [_texts(row) for row in rows]
    width = max(map(len, lines))
    lines = [line + [""] * (width - len(line)) for line in lines]
    for position, line in enumerate(lines[:-1]):
        last, own = "", 0
        for at in range(width):
            under = any(lower[at] for lower in lines[position + 1 :])
            if line[at]:
                last, own = line[at], at
            elif under and last and at and not _total_beside(lines[position + 1 :], own, at):
                line[at] = last
            elif not under:
                last = ""
    while width and not any(line[width - 1] for line in lines):
        width -= 1
    texts = []
    for at in range(width):
        parts = list(dict.fromkeys(line[at] for line in lines if line[at]))
        texts.append(" ".join(" ".join(parts).split()))
    return tuple(texts)
