"""CSV as it is found: comma, semicolon or tab, UTF-8 or cp1252, titles above the header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile, islice

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.files.archive import Limits, refuse
from kpfootprint.ingest.files.heads import LOOKED_AT, TableMaker, head_of
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.raw.cells import PlainCells, eights_of, is_blank, shortened
from kpfootprint.ingest.raw.tables import Column, RawTable
from kpfootprint.ingest.words import TABLES, fold
from kpfootprint.retold import Said
from kpfootprint.wanted import each, go_on

_SEPARATORS = (",", ";", "\t", "|")
_CHUNK = 1 << 16
_HEAD = 1 << 18
"""Characters at the start of a file among which its header is looked for, before anything else is built."""

_LONGEST_LINE = 1 << 20
_UNSEEN = str.maketrans("", "", "\u200b\u200c\u200d\u2060\ufeff\u00ad")

_AS_TEXT = re.compile(r'(?m)(?<![^,;\t\n])="([^"\n]*)"')
"""How a spreadsheet is told that a cell is text: ``="0012"``."""

_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
_BOX = re.compile(r"(?m)^[ \t]*\+[-=+]+\+[ \t\r]*$|^[ \t]*\| ?| ?\|[ \t\r]*$")
"""What a program draws around a table and between its rows: ``+----+``, and bars at both ends of a line."""
_RULED = re.compile(r"(?m)^[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t]*(?::?-+:?)?[ \t\r]*$")
"""What stands below the header of a table in a note: ``|---|:--|``."""
_CELL = re.compile(r"\S+(?: \S+)*")
_LINES = 2_000
"""Lines of a text whose columns stand below each other, at most."""

_CYRILLIC = re.compile(r"[À-ÿ]{4,}")
"""What Russian words in cp1251 look like in cp1252, where no language has so many accents side by side."""

_ACCENTS = re.compile(rb"\xc3[\xa0\xa7\xa9\xaa\xae\xb4\xb9\xbb\xbc]")
"""à, ç, é, ê, î, ô, ù, û and ü in UTF-8: where other bytes are no UTF-8, parts of the text were saved in two ways."""

_MAGIC = (
    (b"PK\x03\x04", "a zip archive or a workbook"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


def decode(data: bytes, name: str) -> str:
    """Return the text of a CSV file; raise `IngestError` where it is no text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeError:
            raise refuse(name, "bad_encoding") from None
    if not data[:4096].strip() and not data.strip():
        raise refuse(name, "file_empty")
    for magic, found in _MAGIC:
        if data.startswith(magic):
            raise refuse(name, "wrong_file_kind", found=found)
    if data[:64].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<table")):
        raise refuse(name, "wrong_file_kind", found="a web page or XML; save it as .csv or .xlsx")
    if b"\x00" in data:
        raise refuse(name, "wrong_file_kind", found="it holds zero bytes, as no text does; save it as UTF-8")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            if _ACCENTS.search(data):
                break
        else:
            russian = encoding == "cp1252" and _CYRILLIC.search(text[:_HEAD])
            return data.decode("cp1251", "replace") if russian else text
    raise refuse(name, "bad_encoding")


def read_csv(data: bytes, name: str, source: str, headers: Headers | None, limits: Limits) -> RawTable:
    """Read one CSV file into columns.

    Rows are told by the line on which they begin. Titles above the header are kept apart; a header may stand on two or
    three lines; without `headers` it is the first row. Blank lines and rows are left out. A row with too many or too
    few cells is kept, cut or filled, and remembered in `RawTable.ragged`.

    Raises
    ------
    IngestError
        Where the text is none, the header has too many columns, or quotes do not close as they should.
    """
    text = text_of_table(data, name)
    skipped, start, separator = separated(text, headers)
    rows, lines = _first_rows(start, separator, name, limits, skipped)
    if not rows:
        raise refuse(name, "file_empty")
    head = head_of(rows, headers, name, limits)
    body = _line_starts(text, lines[head.rows[-1] + 1] - 1)
    at = body
    while len(text) - at > _LONGEST_LINE:
        at = text.rfind("\n", at, at + _LONGEST_LINE) + 1
        if at == 0:
            raise refuse(name, "bad_csv", detail=Said("a line is longer than {most} characters", most=_LONGEST_LINE))
    rest = text[body:].encode()
    few = bool(head.texts) and rest.count(b"\n") <= 2 * limits.max_rows
    regular = read_regular(rest, separator, len(head.texts)) if few else None
    first = text.count("\n", 0, body) + 1
    made = TableMaker(head, limits, least=len(head.texts) - head.beside)
    if regular is not None:
        columns = [Column(title, *read) for title, read in zip(head.texts, regular[0], strict=True)]
        numbers = (regular[1] + first).astype(np.int32)
    else:
        for chunk in _chunks(text, body, separator, first, name):
            made.add(chunk)
            if made.n_rows > limits.max_rows:
                break
        columns = made.columns()
        numbers = np.arange(first, first + made.n_rows, dtype=np.int32)
    if len(numbers) > limits.max_rows:
        raise refuse(name, "too_many_rows", limit=limits.max_rows)
    return head.over(RawTable(name=name, source=source, columns=columns, rows=numbers, ragged=made.ragged), rows, lines)


def _spaced(text: str) -> bool:
    """Say whether runs of spaces alone part the columns of a text, as many on each line between its titles and foot."""
    lines = [line.strip() for line in text[: 1 << 14].splitlines()[:LOOKED_AT] if line.strip("-=_ \t")]
    gaps = [len(_GAP.findall(line)) for line in lines]
    head = gaps.index(max(gaps)) if any(gaps) else 0
    filled = [at for at, count in enumerate(gaps) if count and at >= head]
    table = slice(head, filled[-1] + 1) if filled else slice(0)
    return len(filled) > 1 and len({*gaps[table]}) == 1 and not _parted_otherwise(lines[table])


def _parted_otherwise(lines: Sequence[str]) -> bool:
    return any(separator in _DECIMAL.sub("", line) for line in lines for separator in _SEPARATORS)


def _aligned(text: str) -> str | None:
    """Return a text with tabs between its columns, where all stands below the one cell of the first line it belongs to.

    So it is where runs of spaces part the cells of a table and some are blank; None where it is not.
    """
    lines = text.splitlines()
    gaps = [len(_GAP.findall(line.strip())) for line in lines]
    filled = [at for at, count in enumerate(gaps) if count]
    head = gaps.index(max(gaps)) if filled else 0
    table = lines[head : filled[-1] + 1] if len(filled) > 2 else []
    spans = [[hit.span() for hit in _CELL.finditer(line)] for line in table]
    if not table or len(spans[0]) < 3 or _parted_otherwise(table):
        return None
    laid = []
    for line, own in zip(table, spans, strict=True):
        places = [
            [at for at, (start, end) in enumerate(spans[0]) if start < last and first < end] for first, last in own
        ]
        if any(len(hits) != 1 for hits in places) or len({hits[0] for hits in places}) < len(places):
            return None
        cells = {hits[0]: line[first:last] for hits, (first, last) in zip(places, own, strict=True)}
        laid.append("\t".join(cells.get(at, "") for at in range(len(spans[0]))))
    above = [_GAP.sub("\t", line) for line in lines[:head]]
    return "\n".join([*above, *laid, *lines[filled[-1] + 1 :], ""])


def text_of_table(data: bytes, name: str) -> str:
    """Return the text of a file, line by line, without what programs put around its cells; `IngestError` for none."""
    text = decode(data, name)
    if not text.isascii():
        text = text.translate(_UNSEEN)
    if '="' in text:
        text = _AS_TEXT.sub(r"\1", text)
    if text[:1] == ">" and all(line[:1] in (">", "") for line in text.splitlines()):
        text = re.sub(r"(?m)^>[ \t]?", "", text)  # a mail that was answered
    if text.lstrip()[:2] == "+-":
        text = _BOX.sub("", text)
    if "-|" in text or ":|" in text:
        text = _RULED.sub("", text)
    if _spaced(text):
        text = _GAP.sub("\t", text)
    elif "\t" not in text and text.count("\n") <= _LINES and (aligned := _aligned(text)) is not None:
        text = aligned
    return text.replace("\r", "\n") if "\r" in text and "\n" not in text else text


def separated(text: str, headers: Headers | None = None) -> tuple[int, str, str]:
    """Return how many first lines say what parts the columns of a text, its head below them, and what parts these."""
    said = _said_separator(text)
    start = text[:_HEAD] if said is None else text[:_HEAD].partition("\n")[2]
    return (0, start, _separator(start, headers)) if said is None else (1, start, said)


def _said_separator(text: str) -> str | None:
    r"""Return the separator that a first line such as ``sep=;`` or ``SEP=\t`` names."""
    first = text[:12].partition("\n")[0].strip("\r ").strip('"')
    if first[:4].casefold() != "sep=":
        return None
    found = {"\\t": "\t", "tab": "\t", "": "\t"}.get(first[4:].casefold(), first[4:])
    return found if found in _SEPARATORS else None


_DECIMAL = re.compile(r"(?<=\d),(?=\d)")
_ONE_NUMBER = re.compile(r"\s*\d{0,4},\d+\s*[a-z.]*\s*", re.IGNORECASE)


def _separator(start: str, headers: Headers | None) -> str:
    """Choose the separator under which the first lines hold most known names, then most cells in the same number."""
    lines = [line for line in start.splitlines()[:LOOKED_AT] if line.strip()]
    if not lines:
        return "\t"
    sample = [line[:4000] for line in lines]
    if sample[1:] and not any(map(sample[0].__contains__, _SEPARATORS)) and all(map(_ONE_NUMBER.fullmatch, sample[1:])):
        return "\t"  # one column of decimal commas
    table = [*dropwhile(lambda line: ";" not in line, sample)]
    commas = any("," in _DECIMAL.sub("", line) for line in table[1:])
    if len(table) > 2 and len({line.count(";") for line in table}) == 1 and not commas:
        return ";"  # a comma parts decimals, and words of the header
    plain = set().union(*(headers.words.columns(table) for table in TABLES)) if headers is not None else set()
    for separator in _SEPARATORS:  # a first line of names alone, as most files have it
        names = sample[0].split(separator)
        if 1 < len(names) < 40 and all(fold(name) in plain for name in names):
            return separator

    def known(cell: str) -> bool:
        if headers is None or len(cell) > 100 or any(map(str.isdigit, cell)):  # a title may say ``Lot 7, 14 stones``
            return False
        return headers.of(cell.strip()).role not in ("unknown", "other")

    def score(separator: str) -> tuple[int, int, int]:
        try:
            rows = list(csv.reader(sample, delimiter=separator))
        except csv.Error:
            return (0, 0, 0)
        named = max(sum(map(known, row[:100])) for row in rows)
        widths = [len(row) for row in rows]
        usual = max(widths, key=widths.count)
        return (named if max(widths) > 1 else min(named, 1), (usual > 1) * widths.count(usual), max(widths))

    best = max(_SEPARATORS, key=score)
    return best if score(best)[2] > 1 else ":" if score(":")[0] > 1 else "\t"


def _first_rows(
    start: str, separator: str, name: str, limits: Limits, skipped: int
) -> tuple[list[list[str]], list[int]]:
    """Return the first rows of a file, with the line on which each, and the next one, begins; wide ones are refused."""
    rows: list[list[str]] = []
    lines = [1 + skipped]
    newest = start.partition("\n")[0]
    if newest.count(separator) >= 4 * limits.max_columns and len(start) >= _HEAD:
        raise refuse(name, "too_many_columns", limit=limits.max_columns)
    reader = csv.reader(io.StringIO(start), delimiter=separator, strict=False)
    try:
        for row in islice(reader, LOOKED_AT):
            if len(row) > 20 * limits.max_columns:
                raise refuse(name, "too_many_columns", limit=limits.max_columns)
            rows.append([str(shortened(cell)) for cell in row])
            lines.append(1 + skipped + reader.line_num)
    except csv.Error as error:
        if not rows:
            raise refuse(name, "bad_csv", row=lines[0], detail=error) from None
    if all(is_blank(cell) for row in rows for cell in row):
        return [], []
    return rows, lines


def _line_starts(text: str, n_lines: int) -> int:
    """Return where the line after the first `n_lines` begins."""
    at = 0
    for _ in range(n_lines):
        at = text.find("\n", at) + 1
        if at == 0:
            return len(text)
    return at


def _chunks(text: str, body: int, separator: str, first: int, name: str) -> Iterator[list[list[str]]]:
    """Give the rows of the body in lists; a row over several lines, or against the rules of quotes, refuses the file.

    A cell of the body that holds a line break is most likely a quote that was never closed, and swallows stones.
    """
    stream = io.StringIO(text)
    stream.seek(body)
    reader = csv.reader(stream, delimiter=separator, strict=True)
    while True:
        go_on()
        chunk: list[list[str]] = []
        before = reader.line_num
        try:
            chunk += islice(reader, _CHUNK)
        except csv.Error:
            raise refuse(name, "bad_quotes", row=first + before + _broken_at(chunk)) from None
        if not chunk:
            return
        if reader.line_num - before != len(chunk):
            raise refuse(name, "bad_quotes", row=first + before + _broken_at(chunk))
        yield chunk


def _broken_at(chunk: list[list[str]]) -> int:
    """Return which row holds a line break, or that after the last one, at which a reader gave up."""
    return next((at for at, row in enumerate(chunk) if any("\n" in cell for cell in row)), len(chunk))


# Regular CSV, read as arrays of bytes: as many cells in every row, no line break and no escaped quote in a cell.
# `csv.reader` makes a Python string of every cell. Here a cell is an interval of bytes, compared eight bytes at a time,
# so that only the distinct cells of a column ever become strings.

_FEW = 4096
_ROUNDS = 4
_ODD = 0x9E3779B97F4A7C15
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34
_LONGEST = 64
_DENSE = 100_000


def factorise(keys: list[NDArray[np.uint64]]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Find the distinct rows of key columns, and which of them each row is.

    Few rows are sorted, and their kinds come in the order of rows. Of many, every row is hashed to a slot, which the
    last row to come keeps; rows equal to the keeper of their slot are done, the few others (two distinct rows in one
    slot) are hashed anew, and sorted if that does not help either.

    Returns
    -------
    firsts : ndarray of shape (n_distinct,)
        A row of each distinct kind.
    codes : ndarray of shape (n_rows,)
        Which kind each row is.
    """
    n_rows = len(keys[0])
    if n_rows <= _FEW:
        joined = keys[0] if len(keys) == 1 else np.stack(keys, axis=1).view(f"V{8 * len(keys)}")[:, 0]
        _, first, inverse = np.unique(joined, return_index=True, return_inverse=True)
        order = np.argsort(first)
        return first[order], np.argsort(order).astype(np.int32)[inverse]
    codes = np.full(n_rows, -1, dtype=np.int32)
    firsts: list[NDArray[np.intp]] = []
    found = 0
    parts = keys
    rows = np.arange(n_rows)
    for round_ in range(_ROUNDS):
        bits = 16 if round_ == 0 else 20
        slots = _hash(parts, round_) >> np.uint64(64 - bits)
        keeper = np.full(1 << bits, -1, dtype=np.intp)
        keeper[slots] = np.arange(len(slots))
        mine = keeper[slots]
        same = np.logical_and.reduce([part == part[mine] for part in parts])
        kept = np.flatnonzero(keeper >= 0)
        number = np.empty(1 << bits, dtype=np.int32)
        number[kept] = np.arange(found, found + len(kept), dtype=np.int32)
        firsts.append(rows[keeper[kept]])
        found += len(kept)
        codes[rows] = np.where(same, number[slots], -1)
        if same.all():
            return np.concatenate(firsts), codes
        rows = rows[~same]
        parts = [part[~same] for part in parts]
    _, first, inverse = np.unique(np.stack(parts, axis=1), axis=0, return_index=True, return_inverse=True)
    codes[rows] = found + inverse.reshape(-1).astype(np.int32)
    firsts.append(rows[first])
    return np.concatenate(firsts), codes


def _hash(parts: list[NDArray[np.uint64]], round_: int) -> NDArray[np.uint64]:
    odd = np.uint64(_ODD + 2 * round_)
    mixed = parts[0] * odd
    for part in parts[1:]:
        mixed = (mixed ^ (mixed >> np.uint64(29)) ^ part) * odd
    return mixed ^ (mixed << np.uint64(17)) if round_ % 2 else mixed


Columns = list[tuple[Sequence[str], NDArray[np.int32]]]


def read_regular(body: bytes, separator: str, width: int) -> tuple[Columns, NDArray[np.intp]] | None:
    """Return distinct cells and codes of each column of a CSV body, or None where the body is not regular.

    Parameters
    ----------
    body : bytes
        The rows after the header in UTF-8, without zero bytes.
    separator : str
        One ASCII character.
    width : int
        Number of columns, one or more.

    Returns
    -------
    columns : list of (cells, codes)
        Cells may repeat where nearly all of them are distinct.
    lines : ndarray of shape (n_rows,)
        Line of each row, counted from 0; blank lines are left out.
    """
    body = body.rstrip(b"\r\n")
    if not body:
        return [([], np.zeros(0, dtype=np.int32))] * width, np.zeros(0, dtype=np.intp)
    quoted, returned = b'"' in body, b"\r" in body
    data = np.frombuffer(body + b"\n" + bytes(_LONGEST + 8), dtype=np.uint8)
    text = data[: len(body) + 1]
    at_newline = text == _NEWLINE
    breaks = np.flatnonzero((text == ord(separator)) | at_newline)
    if quoted:
        quotes = np.flatnonzero(text == _QUOTE)
        if not _quotes_enclose(text, quotes, ord(separator)):
            return None
        breaks = breaks[(np.searchsorted(quotes, breaks) & 1) == 0]
    n_lines = int(np.count_nonzero(at_newline))
    lines = np.arange(n_lines)
    if len(breaks) != width * n_lines:
        line_ends = np.flatnonzero(at_newline)
        line_starts = np.concatenate([[0], line_ends[:-1] + 1])
        blank = line_ends - (text[line_ends - 1] == _RETURN) <= line_starts
        lines = np.flatnonzero(~blank)
        breaks = breaks[np.isin(breaks, line_ends[blank], invert=True, assume_unique=True)]
    if len(breaks) != width * len(lines):
        return None
    ends = np.ascontiguousarray(breaks.reshape(-1, width).T)
    if not bool(at_newline[ends[-1]].all()):
        return None
    starts = [_row_starts(ends[-1], lines, at_newline), *(ends[:-1] + 1)]
    if returned:
        before = text[ends[-1] - 1] == _RETURN
        if int(np.count_nonzero(text == _RETURN)) != int(np.count_nonzero(before)) + n_lines - len(lines):
            return None
        ends[-1] -= before
    columns: Columns = []
    for low, high in each(zip(starts, ends, strict=True)):
        column = _column(data, low, high, quoted=quoted)
        if column is None:
            return None
        columns.append(column)
    return columns, lines


def _row_starts(
    line_ends: NDArray[np.intp], lines: NDArray[np.intp], at_newline: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return where rows begin: after the line break before them, which may be that of a blank line."""
    if not len(lines) or lines[-1] == len(lines) - 1:
        return np.concatenate([[0], line_ends[:-1] + 1])
    return np.concatenate([[0], np.flatnonzero(at_newline) + 1])[lines]


def _quotes_enclose(text: NDArray[np.uint8], quotes: NDArray[np.intp], separator: int) -> bool:
    """Say whether quotes stand around whole cells only, without line breaks between them."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = text[opening - 1], text[closing + 1]
    starts = (before == separator) | (before == _NEWLINE) | (opening == 0)
    stops = (after == separator) | (after == _NEWLINE) | (after == _RETURN)
    return bool(starts.all() and stops.all())


def _column(
    data: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp], *, quoted: bool
) -> tuple[Sequence[str], NDArray[np.int32]] | None:
    if quoted:
        enclosed = (data[starts] == _QUOTE) & (ends - starts >= 2)
        starts, ends = starts + enclosed, ends - enclosed
    lengths = ends - starts
    longest = int(lengths.max())
    if longest > _LONGEST:
        return None
    if len(starts) > _DENSE and longest > 4:
        some = np.linspace(0, len(starts) - 1, _DENSE // 10).astype(np.intp)
        if len(factorise(eights_of(data, starts[some], lengths[some], -(-longest // 8)))[0]) > len(some) // 2:
            return PlainCells(data, starts, ends), np.arange(len(starts), dtype=np.int32)
    firsts, codes = factorise(eights_of(data, starts, lengths, max(1, -(-longest // 8))))
    cells = [data[low:high].tobytes().decode() for low, high in zip(starts[firsts], ends[firsts], strict=True)]
    return cells, codes
