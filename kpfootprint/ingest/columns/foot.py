"""The foot of a sheet: the last rows, which measure nothing, such as who signs, what is remarked, what it is worth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.names.size_labels import size_span
from kpfootprint.ingest.names.statements import DAY, amounts_in
from kpfootprint.ingest.problems import cut
from kpfootprint.ingest.raw.cells import Cell, is_blank, is_number, line_of, read_date, text_of
from kpfootprint.ingest.totals import is_of_which, is_summary, is_total
from kpfootprint.ingest.words import attribute_words, class_code, holds, plain, says, tokens_of

_LINES = 40
"""Lines that a foot has at most."""

_MEASURES = ("n_stones", "carats", "stones_or_carats", "mean")

_AMOUNTS = ("amount", "montant")
"""What may be of stones as well as of money."""

_MEASURED = 2
"""Words that stand beside a number of stones or a weight at most: ``about 3 stones``."""

_INITIALS = re.compile(r"(?:[^\W\d]\.\s?)+")

_WHEN = re.compile(rf"{DAY.pattern}|\b\d{{1,2}}[:h]\d\d\b")
"""A day, or the time of it."""

_LIKE_DIGITS = str.maketrans("OoIl", "0011")
"""Letters that are typed for digits: ``O.42``."""


def rows_of_foot(sheet: Layout) -> dict[int, str]:
    """Return the last rows that measure nothing, with all that each says.

    They stand below a blank line or a total; without one they are sentences, longer than what their column holds
    elsewhere.
    """
    raw = sheet.raw
    if any(column.mostly_distinct for column in raw.columns):
        return _sentences(sheet)
    measured = [at for at, column in enumerate(raw.columns) if _measures(sheet, at)]
    start = raw.n_rows
    while measured and start > max(raw.n_rows - _LINES, 1) and _says_no_more(sheet, start - 1, measured):
        start -= 1
    for row in range(start, raw.n_rows):
        apart = (raw.line(row) or 0) - (raw.line(row - 1) or 0) > 1
        label = raw.label(row)
        totalled = any(is_total(text_of(raw.columns[at].at(row - 1))) for at in raw.filled_at(row - 1))
        if apart or totalled or label.endswith(":") or holds("signed", tokens_of(label)):
            return {at: cut(line_of(raw.row(at))) for at in range(row, raw.n_rows)}
    return _sentences(sheet)


def _measures(sheet: Layout, at: int) -> bool:
    """Say whether a column is headed as stones or carats are, and holds numbers for the most part."""
    said, column = sheet.headers.of(sheet.raw.columns[at].header), sheet.raw.columns[at]
    if not (said.role in _MEASURES or said.wide):
        return False
    filled = [text_of(cell) for cell in column.cells if not is_blank(cell)]
    return 2 * sum(map(is_number, filled)) >= len(filled) > 0


def _says_no_more(sheet: Layout, row: int, measured: list[int]) -> bool:
    """Say whether a row neither measures anything nor names a stone, a size, a class or a total."""
    raw = sheet.raw
    label, tokens = raw.label(row), tokens_of(raw.label(row))
    if _is_numbered_name(sheet, row):
        return True
    numbers = [at for at in measured if not _is_of_words(raw.columns[at].at(row))]
    beside = len(numbers) == 1 and numbers[0] != raw.filled_at(row)[0]
    of_paper = says("declared", *tokens) and sheet.headers.measure(label.rstrip(": ")) is not None
    fact = sheet.headers.field(label.rstrip(": ")) in ("bottom_screen_mm", "hs_code")
    if beside and (of_paper or fact or _is_of_other_things(tokens) or _says_a_total_again(sheet, row, numbers[0])):
        return True
    of_goods = is_total(label) or is_of_which(label) or is_summary(label) or _names_goods(sheet, label)
    return not numbers and not of_goods


def _says_a_total_again(sheet: Layout, row: int, at: int) -> bool:
    """Say whether the number beside words is that of a total above: ``Certified correct | 15.20 | carats``."""
    raw, own = sheet.raw, text_of(sheet.raw.columns[at].at(row))
    totals = [above for above in range(max(row - _LINES, 0), row) if is_total(raw.label(above))]
    said = {text_of(column.at(above)) for above in totals for column in raw.columns if not column.mostly_distinct}
    return own in said and not _names_goods(sheet, raw.label(row))


def _is_numbered_name(sheet: Layout, row: int) -> bool:
    """Say whether a row is a number and words, as are all between it and a line that heads them: ``Witnesses:``."""
    raw = sheet.raw
    first, *others = (text_of(raw.columns[at].at(row)) for at in raw.filled_at(row))
    number = first.strip(" .)")
    of_goods = any(is_number(text) or _names_goods(sheet, text) for text in others)
    if not (number.isdecimal() and int(number) <= min(row, _LINES) and others) or of_goods:
        return False
    head = row - int(number)
    listed = [raw.label(at).strip(" .)") for at in range(head + 1, row)] == [str(at) for at in range(1, int(number))]
    labelled = raw.label(head).endswith(":") and len(raw.filled_at(head)) == 1
    return listed and (labelled or holds("signed", tokens_of(raw.label(head))))


def _is_of_other_things(tokens: Sequence[str]) -> bool:
    """Say whether a label is that of money, seals or what goods are packed in: ``Total value USD``, ``Seal no.``."""
    numbered = len(tokens) > 1 and says("row", tokens[-1]) and not says("one_stone", *tokens)
    return numbered or any(
        token not in _AMOUNTS and says(role, token) for role in ("money", "gross", "containers") for token in tokens
    )


def _names_goods(sheet: Layout, label: str) -> bool:
    if _INITIALS.fullmatch(label):
        return False  # ``J. K.``
    bare = label.strip().rstrip(".):")
    return (
        bare.isdigit()
        or size_span(label, sheet.scheme) is not None
        or holds("unsized", tokens_of(label))
        or any(class_code(label, attribute_words(item)) is not None for item in sheet.scheme.categorical)
    )


def _is_of_words(cell: Cell) -> bool:
    """Say whether a cell below numbers holds none: words, a day, or words with a number behind."""
    text = text_of(cell).strip()
    if is_blank(cell) or isinstance(read_date(cell), date):
        return True
    if not isinstance(cell, str):
        return False
    if sum(map(str.isalpha, tokens_of(text))) > _MEASURED:
        return True
    numbered = amounts_in(plain(text)) or is_number(text.translate(_LIKE_DIGITS))
    worded = text[:1].isalpha() or not any(map(str.isdigit, text)) or DAY.fullmatch(text) is not None
    return worded and not numbered


def _sentences(sheet: Layout) -> dict[int, str]:
    """Return the last rows that hold a sentence and nothing else, longer than what its column holds elsewhere."""
    raw = sheet.raw
    found: dict[int, str] = {}
    for row in range(raw.n_rows - 1, max(raw.n_rows - 20, 0), -1):
        filled = [raw.columns[at] for at in raw.filled_at(row)]
        text = filled[0].at(row) if len(filled) == 1 < len(raw.columns) else None
        if not isinstance(text, str) or filled[0].mostly_distinct or text[:1].isdigit() or is_total(text):
            break
        words = len(tokens := tokens_of(text))
        others = (tokens_of(cell) for code, cell in filled[0].texts() if code != filled[0].codes[row])
        if sum(map(str.isalpha, tokens)) < 3 or any(len(other) >= min(words, 4) for other in others):
            break
        weighed = sheet.headers.of(filled[0].header).role in ("carats", "n_stones", "mean")
        numbered = any(map(str.isdigit, _WHEN.sub("", text)))
        may_weigh = weighed and (numbered or says("carats", *tokens))
        if may_weigh or any(sheet.headers.of(token).wide for token in tokens):
            break  # a stone or a class, of which something was said
        found[row] = text_of(text)
    return found
