"""Where the header of a table stands: below titles, and on one line, two or three; and what stands below it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat

from kpfootprint.ingest.files.archive import Limits, refuse
from kpfootprint.ingest.names.headers import Headers, Meaning
from kpfootprint.ingest.raw.cells import Cell, has_digit, is_blank, is_number, text_of
from kpfootprint.ingest.raw.tables import Column, ColumnMaker, RawTable
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import all_say, fold, is_unit, says, tokens_of, unit_pattern

LOOKED_AT = 40
"""Rows from the top of a table among which the header is looked for."""

_CELLS = 60
"""Cells of a row that are looked at; a header that names nothing in so many names nothing at all."""

_LONGEST_NAMED = 120
_AMOUNT = re.compile(rf"\d[\d.,]*\s*(?:%|{unit_pattern('carats')}\b)?", re.IGNORECASE)
_WEIGHED = re.compile(rf"\d[.,]\d+\s*(?:%|{unit_pattern('carats')})\.?\s*$", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_BARE = 3
"""Rows of one number each below a header of one cell, by which it heads a list of weights."""


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
        titles = tuple((lines[at], tuple(rows[at])) for at in self.titles)
        raw = replace(raw, header_rows=tuple(lines[at] for at in self.rows), titles=titles)
        return _without_margin(raw.filled()) if raw.columns else raw


def _without_margin(raw: RawTable) -> RawTable:
    """Return a table without the empty columns left of it; what stands above them moves to the right."""
    start = next((at for at, column in enumerate(raw.columns) if not column.empty), 0)
    if not start:
        return raw
    titles = []
    for line, cells in raw.titles:
        left = [cell for cell in cells[:start] if not is_blank(cell)]
        taken = len(left) if all(map(is_blank, cells[start : start + len(left)])) else 0
        titles.append((line, (*left, *cells[start + taken :])))
    return replace(raw, columns=raw.columns[start:], titles=tuple(titles))


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


def head_of(
    rows: Sequence[Sequence[Cell]], headers: Headers | None, name: str, limits: Limits, *, parted: bool = False
) -> Head:
    """Return the header of a table, from its first rows; of tables in our own layout alone, their first row.

    Where cells are `parted` for sure, as in workbooks, those right of the header are remarks beside their rows.
    """
    if headers is not None:
        head = _found(rows, headers, parted=parted)
    else:
        at = next(at for at, row in enumerate(rows) if any(not is_blank(cell) for cell in row))
        head = Head(_joined([_texts(rows[at])]), (at,), ())
    body, width = rows[head.rows[-1] + 1 :], len(head.texts)
    filled = {at for row in body for at, cell in enumerate(row[: limits.max_columns]) if not is_blank(cell)}
    parted = parted or (headers is not None and _is_a_title(head.texts, headers))
    gap = parted or any(at not in filled for at in range(1, width + 1) if not "".join(head.texts[at : at + 1]))
    beside = max(max(filled, default=0) + 1 - width, 0) if gap else 0
    if width + beside > limits.max_columns:
        raise refuse(name, "too_many_columns", limit=limits.max_columns)
    return replace(head, texts=(*head.texts, *[""] * beside), beside=beside)


def _is_a_title(texts: Sequence[str], headers: Headers) -> bool:
    """Say whether a row is one cell that heads nothing, as a title is, or labels and what they say."""
    if sum(map(bool, texts)) == 1:
        return headers.of(texts[0]).role in ("unknown", "other")
    return _is_label(texts, (), headers) and not any(headers.field(text) for text in texts[1:] if text)


def _found(rows: Sequence[Sequence[Cell]], headers: Headers, *, parted: bool) -> Head:
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
    lines = [_texts(row) for row in rows]
    filled = [at for at, row in enumerate(rows) if any(not is_blank(cell) for cell in row)]
    best, alone = _naming_most(rows, lines, filled, headers, parted=parted)
    members, texts = [best], _joined([lines[best]])
    if alone:
        return Head(texts, (best,), tuple(at for at in filled if at < best))
    for below in [at for at in filled if at > best][:2]:
        if below != members[-1] + 1 or not _continues(rows[below], texts, headers):
            break
        members.append(below)
        texts = _joined([lines[at] for at in members])
    for above in reversed([at for at in filled if at < best][len(members) - 3 :]):
        if len(members) > 2 or above != members[0] - 1 or not _is_group_row(lines[above], texts, headers):
            break
        members.insert(0, above)
        texts = _joined([lines[at] for at in members])
    return Head(texts, tuple(members), tuple(at for at in filled if at < members[0]))


def _naming_most(
    rows: Sequence[Sequence[Cell]],
    lines: Sequence[Sequence[str]],
    filled: Sequence[int],
    headers: Headers,
    *,
    parted: bool,
) -> tuple[int, bool]:
    """Return the row, one of those `filled`, that names most that is known; and whether it heads one bare column."""
    cells = {at: sum(not is_blank(cell) for cell in rows[at]) for at in filled}
    first = filled[0]
    wide = max(cells[at] for at in filled[:5]) > 1
    wider = any(cells[at] > cells[first] for at in filled[1:])
    if not wider and _names_every_column(lines[first], headers) and not (wide and cells[first] == 1):
        return first, False
    scores = {at: _score(rows[at], headers) for at in filled}
    if wide or wider:  # what stands alone is a title, or a line below
        scores |= {at: min(scores[at], 0.5) for at in filled if cells[at] == 1}
    later = [at for at in filled[1:] if not _holds_numbers(rows[at], headers)]
    best = max([first, *later], key=lambda at: (scores[at], -at))
    below = next((at for at in filled[filled.index(best) + 2 :][:1] if at in later), None)
    if below is not None and _heads_what_follows(below, best, lines, scores, headers):
        best = below
    if scores[best] <= 0.5:  # nothing is known: what stands alone above several cells is a title
        mostly = 2 * sum(count > 1 for count in cells.values()) > len(filled)
        titled = wide and (parted or (mostly and scores[first] < 0.5))  # ``Poids`` above ``0,42`` is none
        best = next((at for at in filled if cells[at] > 1), first) if titled else first
    bare = next((at for at in filled if cells[at] == 1 and _heads_one_column(rows, at, headers)), None)
    return (best, False) if bare is None else (bare, True)


def _heads_what_follows(
    below: int, best: int, lines: Sequence[Sequence[str]], scores: Mapping[int, float], headers: Headers
) -> bool:
    """Say whether a row, two below the one that names most, heads the table, and that one what stands between them.

    So it is where that labels what is said of a whole parcel, ``Certificate | Exporter | Carats``, or names no more and
    measures nothing.
    """
    labels = {headers.field(text) for text in lines[best]} & {"certificate_no", "exported_on", "exporter"}
    idle = not _measures(lines[best], headers) and scores[below] >= scores[best]
    again = fold("".join(lines[below])) == fold("".join(lines[best]))
    return scores[below] > 1 and not again and _measures(lines[below], headers) and (len(labels) > 1 or idle)


def _measures(texts: Sequence[str], headers: Headers) -> bool:
    """Say whether a row heads stones or carats."""
    return any(headers.of(text).role in ("n_stones", "carats") for text in texts[:_CELLS] if text)


def _heads_one_column(rows: Sequence[Sequence[Cell]], at: int, headers: Headers) -> bool:
    """Say whether what stands alone in a row heads the weights below it, which stand alone as well: a bare list."""
    place = next(place for place, cell in enumerate(rows[at]) if not is_blank(cell))
    said = headers.of(text_of(rows[at][place]))
    below = [[k for k, cell in enumerate(row) if not is_blank(cell)] for row in rows[at + 1 : at + 1 + _BARE]]
    numbers = [row[place] for row in rows[at + 1 : at + 1 + _BARE] if place < len(row)]
    bare = len(below) == len(numbers) == _BARE and all(filled == [place] for filled in below)
    return said.role == "carats" and said.sure and not said.wide and bare and all(map(is_number, map(text_of, numbers)))


def _texts(row: Sequence[Cell]) -> list[str]:
    return ["" if is_blank(cell) else text_of(cell) for cell in row]


def _holds_numbers(row: Sequence[Cell], headers: Headers) -> bool:
    filled = [cell for cell in row[:_CELLS] if not is_blank(cell)]
    heads = _are_sizes(filled, headers)
    return any(not isinstance(c, str) or (is_number(c) and not (heads or _heads_size(c, headers))) for c in filled)


def _are_sizes(row: Sequence[Cell], headers: Headers) -> bool:
    """Say whether a row names sizes, three or more, some by a sieve or a range, and holds no number: ``4 ct | +11``."""
    texts = [cell if isinstance(cell, str) else "0" for cell in row[:_CELLS] if not is_blank(cell)]
    if len(texts) < 3 or not all(_names_size(text, headers) for text in texts if is_number(text)):
        return False
    sizes = [text for text in texts if _names_size(text, headers)]
    return len(sizes) > 2 and any(text[0] in "+-<>" or not is_number(text) for text in sizes)


def _names_size(text: str, headers: Headers) -> bool:
    return "size_class" in dict(headers.of(text).classes)


def _heads_size(text: str, headers: Headers) -> bool:
    """Say whether what may be read as a number heads the stones or carats of a size: ``+11 pcs``, ``4 gr cts``."""
    said = headers.of(text) if not text.strip()[-1:].isdigit() else None
    return said is not None and said.wide and said.role in ("n_stones", "carats")


def _score(row: Sequence[Cell], headers: Headers) -> float:
    """Return how much a row looks like a header: a point for what is known, half of one for the word of a class."""
    score, sizes = 0.0, _are_sizes(row, headers)
    seen: set[str] = set()
    for cell in row[:_CELLS]:
        if is_blank(cell):
            continue
        text = text_of(cell)
        if not isinstance(cell, str) or (is_number(text) and not (sizes or _heads_size(text, headers))):
            score -= 1.0
            continue
        if len(text) > _LONGEST_NAMED or _is_declared(text, headers):
            continue
        meaning = headers.of(text)
        if meaning.role == "unknown" or (is_total(text) and meaning.role not in ("n_stones", "carats")):
            score += 0.1 if is_total(text) else float(all_say(("parameter", "result"), tokens_of(text) or [""]))
        elif meaning.wide:
            score += 0.5
        else:
            known = 1.0 if fold(text) not in seen else 0.25
            score += 0.5 * known if text.rstrip().endswith(":") else known  # a label of a title
        seen.add(fold(text))
    return score


def _is_declared(text: str, headers: Headers) -> bool:
    """Say whether a cell gives a zone with its amount, ``Nola 12.5 ct``, as a title does; it heads nothing."""
    said = headers.of(text)
    if not any(map(str.isdigit, text)) or said.wide:
        return False
    if said.party and text[:1].isalpha() and _WEIGHED.search(text):
        return True  # ``Kouango 7.44 ct``, of a zone that is not known
    words = _WORD.findall(_AMOUNT.sub(";", text))
    runs = (words[at : at + many] for at in range(len(words)) for many in (1, 2, 3))
    return any(fold(" ".join(run)) in headers.words.zones for run in runs)


def _names_every_column(texts: Sequence[str], headers: Headers) -> bool:
    """Say whether every cell of a row heads a column that is known, so that no other row can be the header."""
    said = [headers.of(text) for text in texts[:_CELLS]]
    return all(item.sure and not item.wide for item in said) and any(i.role in ("carats", "n_stones") for i in said)


def _is_group_row(upper: Sequence[str], lower: Sequence[str], headers: Headers) -> bool:
    """Say whether a row names groups of the columns below it: the header beneath repeats itself, or has gaps."""
    if any(is_number(text) for text in upper if text) or sum(bool(text) for text in upper) < 2:
        return False
    if _is_label(upper, lower, headers):
        return False
    below = [fold(text) for text in lower if text]
    repeated = len(set(below)) < len({*map(fold, filter(None, _joined([upper, lower])))})
    merged = any(text and fold(text) == fold(under) for text, under in zip(upper, lower, strict=False))
    fills = any(text and (at >= len(lower) or not lower[at]) for at, text in enumerate(upper))
    known = any(text and headers.of(text).role != "unknown" for text in upper)
    gaps = any(not text for text in lower[: len(upper)])
    again = len({*map(fold, filter(None, upper))}) < sum(map(bool, upper))  # as programs write them
    return (repeated and len(set(below)) < len(below)) or (known and (merged or again or (fills and gaps)))


def _is_label(upper: Sequence[str], lower: Sequence[str], headers: Headers) -> bool:
    """Say whether a row is labels and what they say; one alone, ``Zone | Nola``, above classes with a blank corner."""
    texts = [text for text in upper if text]
    pairs = [*zip(texts[::2], texts[1::2], strict=False)]
    if len(texts) % 2 == 0 and all(_labels(label, said, headers) for label, said in pairs):
        return True  # ``Origin: | Nola | Sorter: | AB``
    said = [*map(headers.of, texts)]
    if len(said) != 2 or not all(upper[:2]) or not lower or lower[0] or said[1].role != "unknown":
        return False
    below = [headers.of(text) for text in lower if text]
    attributes = (item.column for item in headers.words.scheme.categorical)
    of_table = {"row", "size_class", "description", "n_stones", "carats", "lot", *attributes}
    known = all(item.wide or item.role in ("n_stones", "carats") for item in below)
    return known and sum(item.wide for item in below) > 1 and said[0].role not in of_table and not said[0].wide


_OF_GOODS = {"n_stones", "carats", "value_usd", "sieve_set"}
"""What is said of a parcel and heads columns as well."""


def _labels(label: str, said: str, headers: Headers) -> bool:
    """Say whether a cell is the label of what the next one says, and neither heads a column: ``Parcel | CAR-7``."""
    if label.endswith(":"):
        return not said.endswith(":")
    field = headers.field(label) or headers.measure(label)
    numbered = headers.of(label).role == "other" and any(map(str.isdigit, said))  # ``Invoice no. | F-2214``
    value = headers.of(said)
    unsure = not value.wide and (value.role == "unknown" or not value.sure)
    return unsure and (numbered or field not in {None, *_OF_GOODS})


def _continues(below: Sequence[Cell], top: Sequence[str], headers: Headers) -> bool:
    """Say whether a row below the header is a second line of it: measures or units, and no number."""
    texts = _texts(below)
    pairs = [(text, top[at] if at < len(top) else "") for at, text in enumerate(texts) if text]
    filled = [cell for cell in below if not is_blank(cell)]
    numbered = any(not isinstance(cell, str) or is_number(text_of(cell)) for cell in filled)
    if numbered or _states(texts, top, headers):
        return False
    if pairs and all(is_unit(text) or _says_no_more(text) or _goes_on(of, text, headers) for text, of in pairs):
        return True
    said = [headers.of(text) for text, _ in pairs if len(text) <= _LONGEST_NAMED]
    known = [headers.of(text) for text in top if text]
    under_blank = any(not of for _, of in pairs)
    lacking = not any(item.role in ("n_stones", "carats", "stones_or_carats") for item in known)
    measured = [item for item in said if item.role in _MEASURES and not item.wide]
    named = all(item.party for item in measured)  # ``Golden Stone DMCC``, or none
    if not named and (len(measured) > 1 or under_blank or lacking):
        return True
    classes = sum(item.wide for item in said)
    below_corner = under_blank or not texts[0]  # shapes below colours, with a blank corner
    alone = lacking or classes == len(pairs)
    return classes > 1 and below_corner and alone and not _classes_of(known) & _classes_of(said)


_MEASURES = ("n_stones", "carats", "percent", "mean", "money")


def _states(texts: Sequence[str], top: Sequence[str], headers: Headers) -> bool:
    """Say whether a line says something of a parcel, below labels or beside its own: ``Zones: Nola 1.19 ct``."""
    labelled = any(":" in text.rstrip(": ") and has_digit(text) for text in texts)
    of_zones = [text for text, of in zip(texts, (*top, *texts), strict=False) if headers.measure(of) == "zone_id"]
    of_zones += texts[1:] if headers.measure(texts[0]) == "zone_id" else []
    return labelled or has_digit("".join(of_zones)) or any(_is_declared(text, headers) for text in top)


def _says_no_more(text: str) -> bool:
    """Say whether a word below a header goes on with it and names nothing by itself: ``class`` below ``Size``."""
    return all_say(("filler", "size"), tokens_of(text), ("mm", "dtc"))


def _goes_on(top: str, below: str, headers: Headers) -> bool:
    """Say whether words go on with a header and change nothing: ``form`` below ``Crystal``, ``(dry)``."""
    said, whole = headers.of(top), headers.of(f"{top} {below}")
    bracketed = below[:1] == "(" and below[-1:] == ")" and len(below) > 3 and below[1:-1].replace(" ", "").isalpha()
    same = whole.sure and not whole.wide and whole.role == said.role not in ("unknown", "other")
    return bool(top) and (bracketed or (same and ":" not in top + below))


def _classes_of(said: Sequence[Meaning]) -> set[str]:
    """Return the attributes whose classes some headers name."""
    return {name for item in said for name, _ in item.classes}


def _total_beside(lower: Sequence[Sequence[str]], own: int, at: int) -> bool:
    """Say whether a column says total below a group that does not, so that it is none of the group.

    It is of the group where it alone measures what it does there, and comes again below others: ``pcs``, ``Total cts``.
    """
    texts = [" ".join(parts) for parts in zip(*lower, strict=True)]
    measure = {token for token in tokens_of(texts[at]) if not says("whole", token)}
    alone = measure and all(measure.isdisjoint(tokens_of(text)) for text in texts[own:at])
    whole, group = (says("whole", *tokens_of(texts[place])) for place in (at, own))
    return whole and not group and not (alone and texts.count(texts[at]) > 1)


def _joined(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Join the lines of a header; a group's name holds for the blank cells to its right that have something below."""
    width = max(map(len, rows))
    lines = [[*row, *[""] * (width - len(row))] for row in rows]
    for position, line in reversed([*enumerate(lines[:-1])]):
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
