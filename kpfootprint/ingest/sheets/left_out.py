"""Rows of a table that sum others, or say something of them: each is checked against its rows, and left out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.files.archive import refuse
from kpfootprint.ingest.names.size_labels import names_size
from kpfootprint.ingest.names.statements import amounts_in
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import PlainCells, has_digit, is_blank, read_number, read_numbers, text_of
from kpfootprint.ingest.raw.rounding import unit_written
from kpfootprint.ingest.sheets.lines_below import leave_notes
from kpfootprint.ingest.sheets.summed import Rows, equals
from kpfootprint.ingest.totals import is_of_which, is_summary, is_total, is_weak_total, total_stems
from kpfootprint.ingest.words import all_say, plain, says, tokens_of
from kpfootprint.wanted import each

_LABELS = 5_000

_LABELS_BY_ROWS = 1_000_000_000
"""Rows of one column that may say total: each is laid beside all others, and beside all rows."""

_WALKED = 50_000
"""Rows of a table without classes that are searched for sums one by one; of longer lists the last row is looked at."""

_SHARE = re.compile(r"(\d.*)")
_LABELLED = re.compile(r"[^\W\d]+\s*[:=]?\s*(\d.*)")
"""A total whose label stands in the cell of its number: ``Total: 65``."""

_TOTAL_IS = re.compile(r"[^\W\d]+\s*[:=]\s*(\d+)\s*")
"""A label that says how many stones there are in all, beside their carats: ``Total = 70``."""

_IN_HEADER = re.compile(r"(?P<label>[^\d(\[:=]+)[(\[:=]\s*(?P<number>(?!(?:19|20)\d\d\b(?![.,]))\d+(?:[.,]\d+)?)\b\D*")
"""A header that ends with a number which is no year."""


def without_totals(sheet: Layout, measures: Sequence[int], classes: Sequence[int]) -> Layout:
    """Leave out rows that are totals, subtotals, means or shares, each checked against the rows that it sums.

    ``choices["total"]`` says of a first or last row without a label, which is the sum of the others, what it is.

    Parameters
    ----------
    measures, classes : sequence of int
        Columns of stones and carats, and of size classes and classes of attributes.
    """
    raw = sheet.raw
    if not measures or raw.n_rows < 2:
        return sheet
    labels, summaries = _labelled_rows(sheet, {*measures})
    rows = Rows(sheet, classes, {at: _values(sheet, at) for at in measures}, np.ones(raw.n_rows, dtype=bool))
    rows.own[[*labels, *summaries]] = False
    named = ~rows.blank(every=False) if labels or summaries else rows.own
    weak = [row for row, label in labels.items() if is_weak_total(label) and named[row]]
    spans = {row: _spans(row, labels, None, raw.n_rows) for row in weak}
    remarks = [row for row in weak if not any(rows.sums(row, *span) for span in spans[row])]
    worded = {row: label for row, label in summaries.items() if row and named[row] and "%" not in label}
    named_so = [row for row, label in worded.items() if not _sums_up(rows, row, label)]
    rows.own[[*remarks, *named_so]] = True  # ``Moyen`` between ``Gros`` and ``Petit``
    labels = {row: label for row, label in labels.items() if not rows.own[row]}
    _leave_parts(rows)
    leave_notes(rows, labels)
    _keep_stated(rows)
    _state_headers(sheet)
    _find_unlabelled(rows, labels)
    _check_labelled(rows, labels)
    _check_summaries(rows, summaries, named)
    return sheet.without(rows.left)


def _values(sheet: Layout, at: int) -> NDArray[np.float64]:
    column, marks = sheet.column(at), sheet.raw.marks
    values, broken = read_numbers(column.cells, marks)
    for code in broken:
        text = text_of(column.cells[code]).rstrip("% ")  # ``60 %``
        if said := _LABELLED.fullmatch(text) or _SHARE.fullmatch(text):
            number = read_number(said[1], marks)
            values[code] = np.nan if isinstance(number, Broken) else number
    return values[column.codes]


def _labelled_rows(sheet: Layout, measures: set[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Return the labels of rows with a cell that says total, in whatever column, and those of means and the like."""
    totals: dict[int, str] = {}
    summaries: dict[int, str] = {}
    stems = total_stems()
    for at, column in enumerate(sheet.raw.columns):
        cells = column.cells
        if (isinstance(cells, PlainCells) and not cells.may_hold(stems)) or (at in measures and len(cells) > 1000):
            continue
        texts = [c for c in cells if isinstance(c, str)]
        joined = plain("\n".join(texts)) if len(texts) > 50 else None
        if joined is not None and not any(stem in joined for stem in stems):
            continue
        said: dict[int, dict[int, str]] = {}
        for code, cell in each(enumerate(cells), 1000):
            if not isinstance(cell, str):
                continue
            found = totals if is_total(cell) else summaries if is_summary(cell) else None
            if found is not None:
                said[code] = found
                if len(said) > _LABELS:
                    break
        rows = np.flatnonzero(np.isin(column.codes, [*said])) if said else np.empty(0, dtype=np.intp)
        if len(rows) > _LABELS or len(rows) * len(column.codes) > _LABELS_BY_ROWS:
            raise refuse(sheet.raw.name, "too_many_totals", column.header, count=len(rows))
        for row in rows.tolist():
            code = int(column.codes[row])
            if not _declares_all(sheet, at, row):
                said[code].setdefault(row, text_of(cells[code]))
    return totals, {row: label for row, label in summaries.items() if row not in totals}


def _declares_all(sheet: Layout, at: int, row: int) -> bool:
    """Say whether a row sums none: it declares all zones, ``P2 | toutes``, or is of a parcel as no other row is."""
    of_zones = at in sheet.places("zone_id", "country")
    ids = [sheet.column(place) for place in sheet.places("parcel_id") if of_zones and place != at]
    all_zones = all_say(("all", "zone", "filler"), tokens_of(text_of(sheet.column(at).at(row))))
    return any(text_of(of.at(row)) and (all_zones or np.count_nonzero(of.codes == of.codes[row]) == 1) for of in ids)


def _keep_stated(rows: Rows) -> None:
    """Take a measure that stands in totals alone, such as the carats of the whole, for what is stated of the parcel."""
    raw, may_sum = rows.sheet.raw, ~rows.own | (rows.blank(every=True) if rows.classes else False)
    alone = [at for at, v in rows.values.items() if np.isfinite(v).any() and not np.isfinite(v[~may_sum]).any()]
    for at in alone if len(alone) < len(rows.values) else ():
        row = int(np.flatnonzero(np.isfinite(rows.values.pop(at)))[-1])
        rows.sheet.trace.stated.append((raw.line(row) or 1, (raw.columns[at].header, raw.columns[at].at(row))))


def _state_headers(sheet: Layout) -> None:
    """Take a number in the header of stones or carats, ``Stones (85)``, for what is stated of the parcel."""
    for role in _IN_LABEL:
        found = [_IN_HEADER.fullmatch(sheet.header(at)) for at in sheet.places(role)]
        for hit in filter(None, found if len(found) == 1 else ()):
            sheet.trace.stated.append((sheet.raw.header_rows[-1], (hit["label"], hit["number"])))


def _spans(row: int, labels: Mapping[int, str], start: int | None, n_rows: int) -> list[tuple[int, int]]:
    """Return the rows that a total may sum: since the last total, from the first row on, or those below it."""
    begin = max((other + 1 for other in labels if other < row), default=0) if start is None else start
    below = min((other for other in labels if other > row), default=n_rows)
    return list(dict.fromkeys([(begin, row), (0, row), (row + 1, below), (row + 1, n_rows)]))


def _group_above(sheet: Layout, row: int) -> list[tuple[int, int]]:
    """Return the rows right above a total that are of one parcel, lot or zone."""
    places = sheet.places("parcel_id", "lot", "zone_id") if row else []
    codes = [sheet.column(at).filled_down().codes[:row] for at in places]
    return [(int(np.flatnonzero(own != own[-1])[-1]) + 1, row) for own in codes if (own != own[-1]).any()]


_IN_LABEL = ("n_stones", "carats")
"""What the label of a total may say of the whole: ``Total: 55 pcs``."""


def _said_in(label: str, kind: str) -> list[str]:
    """Return the numbers of stones, or the carats, that a label gives."""
    return [amount.number for amount in amounts_in(plain(label)) if amount.kind == kind]


def _read_label(rows: Rows, row: int, label: str) -> None:
    """Take stones and carats that stand in the label of a total, ``Total: 55 pcs``, for the numbers of its row."""
    measure, shown = rows.sheet.headers.measure(label), rows.shown(row)
    said_alone = measure in ("n_stones", "carats") and not has_digit(label)
    if said_alone and [rows.sheet.meanings[at].role for at in shown] not in ([], [measure]):
        at = next(iter(shown), 0)
        if len(shown) == 1 and (measure == "carats" or shown[at].is_integer()):  # ``Total stones | 3`` below carats
            rows.sheet.trace.stated.append((rows.sheet.raw.line(row) or 1, (label, rows.sheet.column(at).at(row))))
            rows.values[at][row] = np.nan
        if len(shown) != 1 or np.isnan(rows.values[at][row]):
            return
    for at, total in shown.items() if not rows.sheet.places("n_stones") else ():
        parts = rows.inside(at, 0, row)
        if total == len(parts) and _LABELLED.fullmatch(label) and not rows.agrees(at, row, parts):
            rows.values[at][row] = np.nan  # ``Total 3`` below weights
    for role in _IN_LABEL:
        places, said = rows.sheet.places(role), _said_in(label, role)
        if role == "n_stones" and not said and (hit := _TOTAL_IS.fullmatch(label)):
            said = [hit[1]]
        unsaid = [at for at in places if at in rows.values and not np.isfinite(rows.values[at][row])]
        if len(places) == len(unsaid) == len(said) == 1:
            number = read_number(said[0], rows.sheet.raw.marks)
            rows.values[places[0]][row] = np.nan if isinstance(number, Broken) else number
            rows.said[row, places[0]] = said[0]


def _check_labelled(rows: Rows, labels: Mapping[int, str]) -> None:
    """Hold each total against the rows since the last total, or from the first row on, or against those below it."""
    sheet, start = rows.sheet, 0
    n_rows = len(rows.own)
    for row in sorted(labels):
        _read_label(rows, row, labels[row])
        shown, spans = rows.shown(row), [*_spans(row, labels, start, n_rows), *_group_above(sheet, row)]
        said = [] if sheet.places("n_stones") else _said_in(labels[row], "n_stones")
        counts = [int(rows.own[low:high].sum()) for low, high in spans]
        if len(said) == 1 and said[0] not in map(str, counts):
            sheet.tell("total_disagrees", None, row, expected=said[0], found=counts[0])
        if not any(rows.sums(row, *span) for span in spans):
            parts = {at: [rows.inside(at, *span) for span in spans] for at in shown}
            wrong = (at for at in shown if not any(rows.agrees(at, row, part) for part in parts[at]))
            at = next(wrong, next(iter(shown)))
            nearest = min((float(np.nansum(part)) for part in parts[at]), key=lambda found: abs(found - shown[at]))
            sheet.tell("total_disagrees", at, row, expected=f"{shown[at]:g}", found=f"{nearest:.6g}")
        rows.leave(row, "total_checked" if shown else "total_without_numbers", label=labels[row])
        if not shown:
            rows.state(row)
        start = row + 1


def _leave_parts(rows: Rows) -> None:
    """Leave out rows that tell a part of what stands above them, ``of which white``, and are no more than that."""
    raw = rows.sheet.raw
    hits = np.zeros(len(rows.own), dtype=bool)
    for column in raw.columns:
        texts = column.texts() if len(column.cells) <= _LABELS else ()
        hits |= column.rows_with(code for code, cell in texts if is_of_which(cell))
    for row in np.flatnonzero(hits).tolist():
        above = rows.shown(int(np.flatnonzero(~hits[:row])[-1])) if not hits[:row].all() else {}
        if is_of_which(raw.label(row)) and all(above.get(at, 0.0) >= part for at, part in rows.shown(row).items()):
            rows.leave(row, "of_which", label=raw.label(row))


def _check_summaries(rows: Rows, summaries: Mapping[int, str], named: NDArray[np.bool_]) -> None:
    """Leave out rows that are named after means, extremes or numbers of rows, where their numbers are those."""
    for row, label in summaries.items():
        if code := _sums_up(rows, row, label):
            rows.leave(row, code, label=label)
            if not rows.shown(row):
                rows.state(row)
        elif not named[row] and row not in rows.left:  # else a word of a stone: of average quality, say
            rows.sheet.tell("summary_or_stone", None, row, label=label)


def _sums_up(rows: Rows, row: int, label: str) -> str:
    """Return by what code a row is left out whose numbers are means, shares or the like of those above it, or blank."""
    shown, sums = rows.shown(row), {at: rows.inside(at, 0, row) for at in rows.values}
    if row and "%" in label and _are_shares(shown, sums):
        return "share_row"
    cells = {at: (value, rows.sheet.column(at).at(row)) for at, value in shown.items()}
    slack = {at: 0.5 * unit_written(cell, value) for at, (value, cell) in cells.items()}
    mean = row and all(_summarises(value, sums[at], sums, slack[at]) for at, value in shown.items())
    return "mean_row" if mean else ""


def _summarises(
    value: float, parts: NDArray[np.float64], others: Mapping[int, NDArray[np.float64]], slack: float = 0.0
) -> bool:
    """Say whether a number is the mean, an extreme, the number or a middle of others, or the weight of their stones.

    It may be rounded to as much as `slack` besides.
    """
    n_rows, parts = len(parts), parts[np.isfinite(parts)]
    if not len(parts):
        return False
    total = float(parts.sum())
    sums = [float(np.nansum(item)) for item in others.values()]
    found = [total / len(parts), parts.min(), parts.max(), len(parts), float(np.median(parts)), float(np.std(parts))]
    found += [float(np.std(parts, ddof=1))] if len(parts) > 1 else []
    found += [total / n_rows, *(total / other for other in sums if other > 0)]  # blank ones may be zeros
    return any(abs(value - item) <= max(0.0051 + 0.005 * abs(item), slack + 1e-9) for item in found)


def _are_shares(shown: Mapping[int, float], sums: Mapping[int, NDArray[np.float64]]) -> bool:
    """Say whether the numbers of a row are the percents, or the parts of one, of the sums of their columns."""
    totals = {at: float(np.nansum(sums[at])) for at in shown}
    wholes = [whole for whole in (sum(totals.values()), max(totals.values(), default=0.0)) if whole > 0]

    def is_share(value: float, part: float) -> bool:
        return any(abs(value - scale * part) <= 0.0051 * scale for scale in (1.0, 100.0))

    # of all columns, or of the one that sums them
    of = [all(is_share(value, totals[at] / whole) for at, value in shown.items()) for whole in wholes]
    return not shown or any(of)


def _find_unlabelled(rows: Rows, labels: Mapping[int, str]) -> None:
    """Find sums that no word names: rows without any class among rows that have one, and the last row of a list."""
    places = np.flatnonzero(rows.own)
    if len(places) < 3:
        return
    first, last, n_rows = int(places[0]), int(places[-1]), len(rows.own)
    blank = rows.blank(every=True) if rows.classes else np.zeros(n_rows, dtype=bool)
    suspects = places[blank[places]] if np.mean(blank[places]) <= 0.5 else places[:0]
    if not len(suspects) and not _an_end_may_be_a_sum(rows, places) and (rows.classes or len(places) > _WALKED):
        return
    start = _leave_sums_of_groups(rows, suspects.tolist(), first, last)
    meant = rows.sheet.choices.get("total")
    ended = start if start > first else max(labels, default=n_rows)
    named = places[~blank[places]]
    odd = [row for row in suspects.tolist() if row >= ended > named[-1] and rows.own[row] and rows.shown(row)]
    if not odd and last not in rows.left and not any(rows.shown(at) and rows.sums(at, 0, n_rows) for at in labels):
        odd = [row for row in _sum_without_classes(rows) if not _is_declared(rows.sheet, row)]
    for row in odd if meant != "keep" else ():
        if meant == "leave_out":
            rows.leave(row, "sum_of_rows")
        elif row == last and len(rows.shown(row)) > 1 and _names_no_class(rows.sheet, row):
            rows.leave(row, "total_checked", label=rows.sheet.raw.label(row))
        else:
            at = next(iter(rows.shown(row)))
            rows.sheet.tell("total_or_stone", at, row, choices=[("total", "leave_out"), ("total", "keep")])


def _leave_sums_of_groups(rows: Rows, suspects: list[int], first: int, last: int) -> int:
    """Leave out rows without a class that sum those since the last such row; return where the next group begins."""
    start, n_rows = first, len(rows.own)
    for row in suspects:
        shown = rows.shown(row)
        least = 2 if row == last or len(shown) > 1 or _is_unnumbered(rows.sheet, row) else 3
        for low, high in ((start, row), (first, row), (row + 1, n_rows)):
            if not shown or (high > row and (row != first or row == last)) or int(rows.own[low:high].sum()) < least:
                continue
            if all(equals(total, rows.inside(at, low, high)) for at, total in shown.items()):
                _hold_count(rows, row, int(rows.own[low:high].sum()))
                rows.leave(row, "sum_of_rows")
                start = row + 1
                break
    return start


def _hold_count(rows: Rows, row: int, found: int) -> None:
    """Tell a sum of weights whose label says that it is of more or fewer stones than there are: ``16 stones``."""
    said = [] if rows.sheet.places("n_stones") else _said_in(rows.sheet.raw.label(row), "n_stones")
    if len(said) == 1 and said[0] != str(found):
        rows.sheet.tell("total_disagrees", None, row, expected=said[0], found=found)


def _names_no_class(sheet: Layout, row: int) -> bool:
    """Say whether a row has a label where others have a size or a class, and it is none: ``Toutes tailles``."""
    places = [at for at in sheet.places("size_class", *sheet.attributes) if at in sheet.raw.filled_at(row)]
    texts = [text_of(sheet.column(at).at(row)) for at in places]
    named = any(names_size(text, sheet.scheme) or sheet.headers.classes(text) for text in texts)
    return bool(texts) and not named and not any(says("unsized", " ".join(tokens_of(text))) for text in texts)


def _is_declared(sheet: Layout, row: int) -> bool:
    """Say whether a row names its parcel and a zone, or a zone of declarations, as totals of these do not."""
    filled, goods = {*sheet.raw.filled_at(row)}, sheet.places("n_stones", "size_class", *sheet.attributes, wide=None)
    named = [text_of(sheet.column(at).at(row)) for at in {*sheet.places("zone_id", "country")} & filled]
    if goods or not any(sheet.headers.words.zone(text) for text in named):
        return bool(named and {*sheet.places("parcel_id")} & filled)
    return True


def _is_unnumbered(sheet: Layout, row: int) -> bool:
    """Say whether a row bears no number where the rows of its sheet are numbered."""
    columns = [sheet.column(at) for at in sheet.places("row")]
    return any(is_blank(column.at(row)) and float(np.mean(column.blank())) < 0.5 for column in columns)


def _an_end_may_be_a_sum(rows: Rows, places: NDArray[np.intp]) -> bool:
    """Say quickly whether the first or the last row holds about half of what the column sums to."""
    for values in rows.values.values():
        total = float(np.nansum(values[places]))
        ends = values[places[[0, -1]]].tolist()
        if any(np.isfinite(end) and end > 0 and abs(total - 2 * end) <= 0.02 * total for end in ends):
            return True
    return False


def _sum_without_classes(rows: Rows) -> list[int]:
    """Return rows that are sums of those before them and have nothing that tells them from a stone."""
    places = np.flatnonzero(rows.own)
    found: list[int] = []
    for rest in (0, 1, 2, -1):  # rows below the last sum, which say something of the others; the first row
        end, *after = places[-1 - rest :].tolist() if rest >= 0 else [int(places[0])]
        others = places[: -1 - rest] if rest >= 0 else places[1:]
        shown = {at: total for at, total in rows.shown(end).items() if total > 0}
        enough = len(others) >= (4 if rows.classes and len(shown) < 2 and rest < 1 else 2)
        above = {at: values[others] for at, values in rows.values.items()}
        said = [rows.shown(row) for row in after]  # ``n/a`` below a sum says nothing of it
        told = all(said) and all(_summarises(value, above[at], above) for own in said for at, value in own.items())
        unnamed = not rest > 0 or not rows.classes or bool(np.all(rows.blank(every=True)[[end, *after]]))
        if shown and enough and told and unnamed and all(equals(total, above[at]) for at, total in shown.items()):
            found += [end, *after]
        counted = [*shown.values()] == [len(others)] and not rows.sheet.places("n_stones")
        if counted and len(others) > 1 and rows.classes and rows.blank(every=True)[end]:
            found.append(end)
    alone = not (rows.classes or found or len(places) > _WALKED or len(rows.values) != 1)
    return _sums_among_weights(places, next(iter(rows.values.values()))[places]) if alone else found


def _sums_among_weights(places: NDArray[np.intp], weights: NDArray[np.float64]) -> list[int]:
    """Return the rows of a bare list of weights that sum those since the last sum, where several do."""
    start, total, sums = 0, 0.0, list[int]()
    for place, weight in enumerate(weights.tolist()):
        if place - start >= 5 and abs(total - weight) <= 0.005 + 1e-9:
            sums.append(int(places[place]))
            start, total = place + 1, 0.0
        elif math.isfinite(weight):
            total += weight
    return sums if len(sums) > 1 else []
