"""A sheet as it was given, held by the page until it is compared: how it is read, its rows at fault, what is asked."""

from __future__ import annotations

import base64
import gzip
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from starlette.datastructures import FormData

from kpfootprint.errors import Problem
from kpfootprint.ingest import Reading, Upload, words_of
from kpfootprint.ingest.files.csvfile import decode
from kpfootprint.ingest.files.workbook import BOOKS, sheets_in
from kpfootprint.parcel import Parcel
from kpfootprint.scheme import Scheme
from kpfootprint.visible import csv_line
from service.door.bodies import file_of, text_of, texts_of, unpacked
from service.routes.comparisons import choices_of
from service.work.reading import upload_of

MAX_HELD = 1 << 20
"""Bytes of a file that the page holds while its reader decides; a larger one is chosen again."""

MAX_WORDS = 100
"""Words of which a page asks the class at once."""

_SHOWN = 12
_WIDTH = 160


def carried(upload: Upload) -> str:
    """Return a file as a field of the form carries it."""
    return base64.b64encode(gzip.compress(upload.data, 6, mtime=0)).decode("ascii")


def carried_in(form: FormData, limit: int) -> Upload | None:
    """Return the file that a form carries, of at most `limit` bytes, or None."""
    try:
        packed = base64.b64decode(text_of(form, "content"), validate=True)
    except ValueError:
        return None
    return Upload(text_of(form, "name"), unpacked(packed, limit)) if packed else None


def choices_in(form: FormData) -> Mapping[str, str]:
    """Return the answers that a form holds, as ``question=answer``, and in a table of words.

    Raises
    ------
    IngestError
        Where the table of words cannot be read.
    """
    kept = file_of(form, "words")
    found = {} if kept is None else words_of(upload_of(kept.filename or "", kept.file.read()))
    return found | choices_of(text for name in form if name.startswith("choice") for text in texts_of(form, name))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks of whoever brought a sheet.

    Parameters
    ----------
    questions : tuple of (Problem, tuple of str)
        Each question, and its possible answers as ``question=answer``.
    words : tuple of (attribute, word, rows)
        Words that no class bears, which may be given one; the attribute of one that heads columns is not known.
    chosen : tuple of str
        The answers that were given, in the same form.
    """

    questions: tuple[tuple[Problem, tuple[str, ...]], ...] = ()
    words: tuple[tuple[str | None, str, int], ...] = ()
    chosen: tuple[str, ...] = ()

    @classmethod
    def of(cls, problems: Sequence[Problem], choices: Mapping[str, str]) -> Asked:
        """Return what some problems ask, beside what was answered."""
        questions: dict[tuple[str, ...], Problem] = {}
        for p in problems:
            questions.setdefault(tuple(f"{key}={answer}" for key, answer in p.values.get("choices") or ()), p)
        counts: Counter[tuple[str, str]] = Counter()
        for problem in problems:
            if problem.code in ("unknown_class", "unknown_size") and problem.value is not None:
                named = str(problem.values.get("attribute", "size"))
                attribute = "size" if named.startswith("size") else named
                counts[attribute, problem.value] += int(str(problem.values.get("count", 1)))
        heads = [word for problem in problems for word in _words_above(problem.values.get("headers"))]
        words: list[tuple[str | None, str, int]] = [(None, word, 1) for word in dict.fromkeys(heads)]
        words += [(attribute, word, count) for (attribute, word), count in counts.most_common(MAX_WORDS)]
        chosen = tuple(f"{question}={answer}" for question, answer in choices.items())
        asked = {
            answers: p for answers, p in questions.items() if not any(set(answers) < set(more) for more in questions)
        }
        return cls(tuple((p, answers) for answers, p in asked.items() if answers), tuple(words), chosen)


def _words_above(headers: object) -> list[str]:
    """Return the word of each group of headers: what all of a group have, and not every group has.

    >>> _words_above([["D-H pcs", "D-H cts"], ["I-M pcs", "I-M cts"]])
    ['D-H', 'I-M']
    """
    if not isinstance(headers, list):
        return []
    groups = [[header.split() for header in group] for group in headers]
    everywhere = set.intersection(*({token for header in group for token in header} for group in groups))
    kept = ([token for token in group[0] if all(token in other for other in group)] for group in groups)
    return [word for tokens in kept if (word := " ".join(token for token in tokens if token not in everywhere))]


def words_table(choices: Mapping[str, str], scheme: Scheme) -> str:
    """Return the answers that give words their classes as a table: attribute, word, class."""
    attributes = {scheme.size.name, *(item.name for item in scheme.categorical)}
    rows = [(*question.partition(":")[::2], answer) for question, answer in choices.items()]
    kept = [row for row in rows if row[0] in attributes and row[1]]
    return "".join(f"{csv_line(row)}\r\n" for row in [("attribute", "word", "class"), *kept])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the page shows of a sheet.

    Parameters
    ----------
    held : Upload or None
        The file itself, where the page holds it: nothing is stored before it is compared.
    asked : Asked
        What is asked of it.
    parcel : Parcel or None
        What was read, where it was, and can be.
    lines : tuple of (number, text, at fault)
        The lines at fault, each with the one above it; of a workbook, those of the sheet with the first of them.
    """

    held: Upload | None
    asked: Asked
    parcel: Parcel | None = None
    lines: tuple[tuple[int, str, bool], ...] = ()

    @property
    def held_data(self) -> str:
        """The file as a field of the form carries it."""
        return "" if self.held is None else carried(self.held)

    @classmethod
    def of(cls, upload: Upload, reading: Reading, held: Upload | None, choices: Mapping[str, str]) -> Sheet:
        """Return what is shown of an upload."""
        return cls(
            held=held,
            parcel=reading.parcels[0] if reading.parcels and not reading.problems else None,
            lines=_lines(upload, [problem for problem in reading.problems if problem.row is not None]),
            asked=Asked.of(reading.problems, choices),
        )


def _lines(upload: Upload, problems: list[Problem]) -> tuple[tuple[int, str, bool], ...]:
    """Return the lines at fault of a text or a workbook, with the line above each."""
    name = upload.name.lower()
    if not problems or len(upload.data) > MAX_HELD:
        return ()
    table = problems[0].table
    is_text = name.endswith((".csv", ".tsv", ".txt"))
    rows = {problem.row or 0 for problem in problems if is_text or problem.table == table}
    faults = sorted(rows)[:_SHOWN]
    if is_text:
        lines = re.split("\r\n?|\n", decode(upload.data, upload.name))
    elif name.endswith(BOOKS):
        lines = _lines_of_book(upload, table, faults[-1])
    else:
        return ()
    shown = sorted({1} | {near for row in faults for near in (row - 1, row)})
    return tuple((at, lines[at - 1][:_WIDTH], at in rows) for at in shown if 1 <= at <= len(lines))


def _lines_of_book(upload: Upload, table: str, last: int) -> list[str]:
    """Return the rows of a sheet as lines, down to the last that is shown."""
    for title, rows in sheets_in(upload.data, upload.name):
        if title == table:
            return [" | ".join(map(text_in_cell, row)) for row in islice(rows, last)]
    return []


def text_in_cell(cell: object) -> str:
    """Return a cell as it is shown: a whole number without its point."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
