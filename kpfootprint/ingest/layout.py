"""What a table is and how it is laid out: lists, sorting sheets, sizes by colours, price books, slips, valuations.

Whatever the layout, what comes out is a table of the documentation: ``stones``, ``counts`` or ``declarations``. A table
that could be read in two ways is refused with both, unless the caller has chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, is_blank, text_of
from kpfootprint.ingest.distinct import PlainCells
from kpfootprint.ingest.headers import UNKNOWN, Headers, Meaning, plain, tokens_of
from kpfootprint.ingest.lots import split_descriptions
from kpfootprint.ingest.numbers import DecimalMarks, read_numbers
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.sizes import size_span
from kpfootprint.ingest.sums import leave_out_totals
from kpfootprint.ingest.tables import Column, Note, RawTable, Table, Trace
from kpfootprint.ingest.words import attribute_words, declared_words, fold, nearest

Choices = Mapping[str, str]
"""Answers to questions, by what was asked: ``{"valuation": "ministry", "lots": "one", "column:Grade": "ignore"}``."""

_SAMPLE = 400
_CHOOSABLE = ("ignore", "n_stones", "carats", "size_class", "zone_id", "parcel_id", "description", "mean")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A raw table with what its columns mean."""

    raw: RawTable
    meanings: list[Meaning]
    headers: Headers
    choices: Choices
    trace: Trace
    problems: list[Problem] = field(default_factory=list)

    def tell(self, code: str, at: int | str | None = None, row: int | None = None, /, **values: object) -> None:
        """Note a problem of this table, at a column (by position, or by a name that stands nowhere) and a row."""
        header = self.raw.columns[at].header if isinstance(at, int) else at
        line = None if row is None else self.raw.line(row)
        cell = self.raw.columns[at].at(row) if isinstance(at, int) and row is not None else None
        value = None if is_blank(cell) else cell
        self.problems.append(problem(Broken(code, values), table=self.raw.name, row=line, column=header, value=value))

    def places(self, *roles: str, wide: bool = False) -> list[int]:
        """Return the positions of columns with one of some roles, those that hold classes or those that do not."""
        return [at for at, item in enumerate(self.meanings) if item.role in roles and item.wide == wide]

    def one(self, role: str, part: str | None = None) -> int | None:
        """Return the only column of a role; the first where several stand, which was told before."""
        found = [at for at in self.places(role) if part is None or self.meanings[at].part == part]
        return found[0] if found else None


def understand(
    raw: RawTable, hint: str | None, headers: Headers, choices: Choices, problems: list[Problem]
) -> list[Table]:
    """Read a table into tables of the documentation; what is wrong or could be read in two ways is added to `problems`.

    Parameters
    ----------
    hint : str or None
        What the name of the table says that it is; columns that clearly say otherwise go before it.
    """
    trace = Trace(header_rows=raw.header_rows, hidden=list(raw.hidden))
    sheet = Sheet(raw, _meanings(raw, headers, choices), headers, choices, trace)
    sheet = _with_values_asked(sheet)
    sheet = _without_totals(sheet)
    tables = _tables(sheet, hint)
    problems += sheet.problems
    return tables


def _meanings(raw: RawTable, headers: Headers, choices: Choices) -> list[Meaning]:
    texts = [column.header for column in raw.columns]
    prefixes = [text.partition("/")[0] for text in texts if "/" in text]
    grouped = {prefix for prefix in prefixes if prefixes.count(prefix) >= 2 and len(prefix) > 1}
    meanings = []
    for text in texts:
        group, slash, own = text.partition("/")
        meaning = headers.of(own if slash and group in grouped else text)
        chosen = choices.get(f"column:{text}")
        if chosen is not None:
            known = {item.column for item in headers.words.scheme.categorical} | set(_CHOOSABLE)
            meaning = Meaning(role={"ignore": "other"}.get(chosen, chosen)) if chosen in known else meaning
        meanings.append(meaning)
    return meanings


# What the cells say where headers do not.


def _with_values_asked(sheet: Sheet) -> Sheet:
    meanings = list(sheet.meanings)
    for at, meaning in enumerate(meanings):
        if not meaning.sure or meaning.role in ("row", "size_class", "carats", "n_stones"):
            meanings[at] = _asked(sheet, at, replace_known(meanings, at))
    sheet = replace(sheet, meanings=meanings)
    _numbers_nobody_named(sheet)
    return sheet


def replace_known(meanings: list[Meaning], at: int) -> tuple[Meaning, list[Meaning]]:
    """Return a meaning and those of the other columns."""
    return meanings[at], [item for position, item in enumerate(meanings) if position != at]


def _cells(column: Column, headers: Headers) -> list[Cell]:
    """Return distinct cells of a column that hold something, labels of totals left aside."""
    cells = column.cells[:_SAMPLE] if isinstance(column.cells, PlainCells) else column.cells
    return [c for c in cells[:_SAMPLE] if not is_blank(c) and not (isinstance(c, str) and headers.is_total(c))]


def _numbers(cells: Sequence[Cell]) -> NDArray[np.float64] | None:
    """Return cells as numbers where all of them are, or None."""
    marks = DecimalMarks.seen_in([cells])
    values, broken = read_numbers(cells, marks)
    return values if len(values) and not broken else None


def _asked(sheet: Sheet, at: int, known: tuple[Meaning, list[Meaning]]) -> Meaning:
    """Return what a column means, its cells asked."""
    meaning, others = known
    column = sheet.raw.columns[at]
    cells = _cells(column, sheet.headers)
    roles = {item.role for item in others if not item.wide}
    if not cells:
        return meaning if meaning.role not in ("unknown", "stones_or_carats") else Meaning(role="other")
    if all(isinstance(c, str) and c.strip().endswith("%") for c in cells):
        return Meaning(role="percent")
    numbers = _numbers(cells)
    if meaning.party and numbers is not None:
        return _qualified(sheet, column.header, meaning, others)
    if numbers is not None and bool(np.all(numbers == np.floor(numbers))):
        return _whole(sheet, at, meaning, roles)
    if numbers is not None:
        if meaning.role == "size_class":
            if "carats" in roles:
                return Meaning(role="mean")
            sheet.tell(
                "size_or_weight",
                at,
                choices=[(f"column:{column.header}", "carats"), (f"column:{column.header}", "ignore")],
            )
            return Meaning(role="other")
        if meaning.role == "unknown" and not sheet.headers.of(column.header).sure and _is_mean(sheet, at):
            return Meaning(role="mean")
        return Meaning(role="other") if meaning.role in ("size_class", "row", "description") else meaning
    if meaning.role in ("carats", "n_stones", "value_usd"):
        return meaning
    if meaning.role == "size_class":
        return meaning
    return _named(sheet, at, meaning, roles, [text_of(c) for c in cells])


def _qualified(sheet: Sheet, header: str, meaning: Meaning, others: list[Meaning]) -> Meaning:
    """Return what a measure is that some unknown word qualifies: ``Polished cts`` beside ``Cts`` is none of ours."""
    if any(item.role == meaning.role and not item.party and not item.part and not item.wide for item in others):
        return Meaning(role="other")
    if any(item.party and item.party != meaning.party for item in others) or any(item.wide for item in others):
        return meaning
    if set(tokens_of(meaning.party)) & set(declared_words()["parties"]["words"]):
        return replace(meaning, party="")
    known = dict(sheet.headers.words.columns("stones"))
    if _close(header, known):
        return UNKNOWN
    key = f"column:{header}"
    sheet.tell("measure_or_other", header, header=header, choices=[(key, meaning.role), (key, "ignore")])
    return replace(meaning, party="")


def _whole(sheet: Sheet, at: int, meaning: Meaning, roles: set[str]) -> Meaning:
    column = sheet.raw.columns[at]
    running = _is_running(sheet, column)
    if meaning.role == "row" or (meaning.role == "n_stones" and meaning.sure and _may_be_a_number_of(column.header)):
        if running:
            return Meaning(role="row")
        if (
            meaning.role == "row"
            and fold(column.header) in ("no", "nr", "n", "num", "numero", "s", "sr")
            and "carats" in roles
            and "n_stones" not in roles
        ):
            if "size_class" in roles:
                return Meaning(role="n_stones")
            return Meaning(role="unknown", sure=False)
        return meaning
    if meaning.role == "unknown" and running:
        return Meaning(role="row")
    return meaning


def _may_be_a_number_of(header: str) -> bool:
    """Say whether a header that stands for pieces may head a running number, too: ``Stone``, ``Nombre``."""
    return fold(header) in ("stone", "pierre", "stones", "pierres", "number", "nombre", "count", "diamond", "diamant")


def _is_running(sheet: Sheet, column: Column) -> bool:
    """Say whether a column counts its rows: it rises, mostly by one, however many rows were taken out."""
    if isinstance(column.cells, PlainCells) and column.cells.numbers is None:
        return False
    kept = [c for c in (column.at(row) for row in range(min(sheet.raw.n_rows, _SAMPLE))) if not is_blank(c)]
    kept = [c for c in kept if not (isinstance(c, str) and sheet.headers.is_total(c))]
    numbers = _numbers(kept)
    if numbers is None or len(numbers) < 1:
        return False
    if len(numbers) == 1:
        return bool(numbers[0] == 1)
    steps = np.diff(numbers)
    return bool(np.all(steps > 0) and np.median(steps) == 1)


def _is_mean(sheet: Sheet, at: int) -> bool:
    """Say whether a column of decimals is the carats of a row divided by its stones."""
    pieces = [p for p in sheet.places("n_stones") if p != at]
    carats = [p for p in sheet.places("carats") if p != at]
    if not pieces or not carats:
        return False
    n, ct, mean = (_values(sheet.raw, p) for p in (pieces[0], carats[0], at))
    with np.errstate(invalid="ignore", divide="ignore"):
        close = np.abs(ct / n - mean) <= 0.0051 + 0.01 * mean
    known = np.isfinite(ct / np.where(n > 0, n, np.nan)) & np.isfinite(mean)
    return bool(known.any() and close[known].all())


def _values(raw: RawTable, at: int) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where there is none."""
    column = raw.columns[at]
    values, _ = read_numbers(column.cells, marks_of_sheet(raw))
    return values[column.codes]


def marks_of_sheet(raw: RawTable) -> DecimalMarks:
    """Return the decimal marks of a table: those of all of its columns together."""
    return DecimalMarks.seen_in(
        [c for c in column.cells[:2000] if isinstance(c, str) and any(d.isdigit() for d in c)] for column in raw.columns
    )


def _named(sheet: Sheet, at: int, meaning: Meaning, roles: set[str], texts: list[str]) -> Meaning:
    """Return what a column of words means: size classes, classes of an attribute, descriptions."""
    scheme = sheet.headers.words.scheme
    header = sheet.raw.columns[at].header
    if meaning.role in ("lot", "row", "other", "zone_id", "money"):
        return meaning
    sizes = sum(size_span(text, scheme) is not None for text in texts)
    if sizes == len(texts) and "size_class" not in roles:
        return Meaning(role="size_class")
    hits = {
        item.column: sum(fold(text) in attribute_words(item) for text in texts)
        for item in scheme.categorical
        if item.column not in roles
    }
    best = max(hits, key=lambda name: hits[name], default=None)
    if meaning.role in hits:
        return meaning
    if best is not None and hits[best] == len(texts) and sum(n == hits[best] for n in hits.values()) == 1:
        return Meaning(role=best)
    if meaning.role == "description":
        return meaning
    if best is not None and 2 * hits[best] >= len(texts) and meaning.role == "unknown":
        known = [text for text in texts if fold(text) in attribute_words(_attribute(sheet, best))]
        unknown = [text for text in texts if text not in known]
        sheet.tell(
            "attribute_or_other",
            at,
            attribute=best,
            known=_listed(known),
            unknown=_listed(unknown),
            choices=[(f"column:{header}", best), (f"column:{header}", "ignore")],
        )
        return Meaning(role="other")
    return meaning


def _attribute(sheet: Sheet, column: str):  # type: ignore[no-untyped-def]
    return next(item for item in sheet.headers.words.scheme.categorical if item.column == column)


def _listed(texts: Iterable[str], most: int = 4) -> str:
    items = list(dict.fromkeys(texts))
    return ", ".join(items[:most]) + (", …" if len(items) > most else "")


def _numbers_nobody_named(sheet: Sheet) -> None:
    """Ask what whole numbers beside carats are, where nothing else counts the stones."""
    if (
        sheet.places("n_stones")
        or sheet.places("n_stones", "stones_or_carats", wide=True)
        or not sheet.places("carats")
    ):
        return
    if sheet.places("zone_id") and not sheet.places(*(i.column for i in sheet.headers.words.scheme.categorical)):
        return
    for at in sheet.places("unknown"):
        column = sheet.raw.columns[at]
        numbers = _numbers(_cells(column, sheet.headers))
        if numbers is None or not bool(np.all((numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < 1e6))):
            continue
        if bool(np.all(numbers <= 1)):
            continue
        key = f"column:{column.header}"
        sheet.tell("count_or_other", at, header=column.header, choices=[(key, "n_stones"), (key, "ignore")])


# Totals.


def _without_totals(sheet: Sheet) -> Sheet:
    measures = [
        at
        for at, item in enumerate(sheet.meanings)
        if item.role in ("n_stones", "carats", "stones_or_carats") and item.role != "mean"
    ]
    classes = [
        at
        for at, item in enumerate(sheet.meanings)
        if not item.wide and item.role in ("size_class", *(i.column for i in sheet.headers.words.scheme.categorical))
    ]
    kept, left_out, found = leave_out_totals(sheet.raw, measures, classes, sheet.headers, sheet.choices)
    sheet.trace.left_out.extend(left_out)
    sheet.problems.extend(found)
    return replace(sheet, raw=kept)


# Kinds.


def _tables(sheet: Sheet, hint: str | None) -> list[Table]:
    columns = [item.column for item in sheet.headers.words.scheme.categorical]
    wide = [at for at, item in enumerate(sheet.meanings) if item.wide]
    parties = _parties(sheet)
    measured = sheet.places("n_stones", "carats")
    classed = sheet.places("size_class", *columns)
    if sheet.places("percent") and not measured and not wide and (classed or sheet.places("unknown", "description")):
        sheet.tell("percent_alone", sheet.places("percent")[0])
        return []
    if len(wide) > 1 or (wide and (classed or sheet.places("n_stones"))):
        return [_unfolded(sheet, wide)]
    if len(parties) > 1:
        return [_valued(sheet, parties)]
    zones = sheet.places("zone_id")
    if zones and sheet.places("carats") and not classed and hint not in ("stones", "counts"):
        return [_plain(sheet, "declarations")]
    if sheet.places("n_stones") or (sheet.places("size_class") and (sheet.places("carats") or hint == "counts")):
        tables = [_plain(sheet, "counts")]
    elif sheet.places("carats") or hint in ("stones", "counts"):
        tables = [_plain(sheet, hint if hint == "counts" else "stones")]
    elif classed:
        tables = [_plain(sheet, "stones")]
    else:
        return []
    if zones and tables[0].complete:
        tables.append(_zones_of(tables[0], sheet, zones[0]))
    return tables


def _parties(sheet: Sheet) -> dict[str, dict[str, int]]:
    """Return pieces and carats by whose they are, where headers name several."""
    found: dict[str, dict[str, int]] = {}
    for at, item in enumerate(sheet.meanings):
        if item.party and not item.wide and not item.part:
            found.setdefault(item.party, {}).setdefault(item.role, at)
    sets = {frozenset(measures) for measures in found.values()}
    return found if len(found) > 1 and len(sets) == 1 else {}


def _known_columns(sheet: Sheet, kind: str) -> dict[str, int]:
    """Return canonical columns of a kind with the position of each; what is given twice is told."""
    words = sheet.headers.words
    weight = words.scheme.size.column
    attributes = [item.column for item in words.scheme.categorical]
    wanted = {
        "stones": {"parcel_id": "parcel_id", "carats": weight, "value_usd": "value_usd"},
        "counts": {
            name: name for name in ("parcel_id", "size_class", "n_stones", "carats", "value_usd", "breakdown", "sample")
        },
        "declarations": {"parcel_id": "parcel_id", "zone_id": "zone_id", "carats": "carats", "percent": "percent"},
    }[kind]
    if kind != "declarations":
        wanted |= {name: name for name in attributes}
    found: dict[str, int] = {}
    for at, item in enumerate(sheet.meanings):
        name = wanted.get(item.role)
        if item.wide or name is None:
            continue
        if item.part == "sample":
            continue
        if name in found:
            sheet.tell("column_twice", at, column=name)
        else:
            found[name] = at
    return found


def _plain(sheet: Sheet, kind: str) -> Table:
    """Read a table whose columns are columns of the documentation already."""
    sheet = _lots(sheet, kind)
    if kind == "counts":
        sheet = _described(sheet)
    found = _known_columns(sheet, kind)
    if kind == "stones" and "n_stones" in {item.role for item in sheet.meanings}:
        at = sheet.places("n_stones")[0]
        sheet.tell("count_or_other", at, header=sheet.raw.columns[at].header, choices=[])
    raw = sheet.raw
    columns = {name: raw.columns[at] for name, at in found.items()}
    required = {"stones": [sheet.headers.words.scheme.size.column], "counts": [], "declarations": ["zone_id", "carats"]}
    missing = [name for name in required[kind] if name not in columns]
    if kind == "counts" and not {"n_stones", "carats"} & set(columns):
        missing.append("n_stones")
    _pass_over(sheet, set(found.values()))
    listed = ", ".join(column.header for column in raw.columns if column.header) or "none"
    for name in missing:
        sheet.tell("missing_column", name, column=name, headers=listed)
    if kind == "counts" and _uneven(sheet):
        columns["breakdown"] = _constant("lots", "lots", raw.n_rows)
    return Table(
        kind=kind,
        name=raw.name,
        columns=columns,
        n_rows=raw.n_rows,
        rows=raw.rows,
        ragged=raw.ragged,
        n_columns=len(raw.columns),
        typed=raw.typed,
        complete=not missing,
        trace=sheet.trace,
    )


def _uneven(sheet: Sheet) -> bool:
    """Say whether rows are lots, of which some name less than others, and not breakdowns of the same stones."""
    return bool(sheet.places("described", "lot"))


def _constant(header: str, text: str, n_rows: int) -> Column:
    return Column(header, [text], np.zeros(n_rows, dtype=np.int32))


def _pass_over(sheet: Sheet, used: set[int]) -> None:
    """Note the columns that are not read; one that looks like a known one is a problem."""
    known: dict[str, str] = {}
    for table in ("stones", "counts"):
        known |= sheet.headers.words.columns(table)
    for at, column in enumerate(sheet.raw.columns):
        if at in used or not column.header.strip():
            continue
        meaning = sheet.meanings[at]
        if meaning.role == "unknown":
            close = nearest(column.header, known, cutoff=0.8, count=1)
            hits = _close(column.header, known)
            if fold(column.header) and close in hits:
                sheet.tell("unknown_column", at, nearest=close)
        if meaning.role not in ("described",):
            sheet.trace.passed_over.append(column.header)


def _close(header: str, known: Mapping[str, str]) -> set[str]:
    import difflib

    return {known[hit] for hit in difflib.get_close_matches(fold(header), list(known), n=1, cutoff=0.8)}


def _lots(sheet: Sheet, kind: str) -> Sheet:
    """Say whether a column of lots names parcels, or lots within one; ask where it could be both."""
    places = sheet.places("lot")
    if not places or sheet.places("parcel_id") or kind == "declarations":
        return sheet if kind != "declarations" or not places else _as(sheet, places[0], "parcel_id")
    at = places[0]
    column = sheet.raw.columns[at]
    used = [column.cells[code] for code in np.unique(column.codes).tolist() if not is_blank(column.cells[code])]
    chosen = sheet.choices.get("lots")
    if chosen == "parcels" or (len(used) == 1 and sheet.raw.n_rows > 1):
        return _as(sheet, at, "parcel_id")
    if chosen == "one" or len(used) == sheet.raw.n_rows or not used:
        return sheet
    sheet.tell(
        "lots_or_parcels", at, header=column.header, found=len(used), choices=[("lots", "parcels"), ("lots", "one")]
    )
    return sheet


def _as(sheet: Sheet, at: int, role: str) -> Sheet:
    meanings = list(sheet.meanings)
    meanings[at] = Meaning(role=role)
    return replace(sheet, meanings=meanings)


def _described(sheet: Sheet) -> Sheet:
    """Read sizes, colours and shapes out of descriptions: ``4-8 GR MAKEABLES CAPE``."""
    places = sheet.places("description")
    if not places or sheet.places("size_class"):
        return sheet
    at = places[0]
    scheme = sheet.headers.words.scheme
    taken = {item.role for item in sheet.meanings}
    free = [item for item in scheme.categorical if item.column not in taken]
    made, unread = split_descriptions(sheet.raw.columns[at], free, sheet.headers)
    if not made:
        return sheet
    raw = replace(sheet.raw, columns=[*sheet.raw.columns, *made.values()])
    meanings = [*sheet.meanings, *(Meaning(role=name) for name in made)]
    meanings[at] = Meaning(role="described")
    if unread:
        sheet.trace.notes.append(
            Note(
                code="words_passed_over", values={"column": sheet.raw.columns[at].header, "words": _listed(unread, 12)}
            )
        )
    return replace(sheet, raw=raw, meanings=meanings)


def _zones_of(table: Table, sheet: Sheet, at: int) -> Table:
    """Read a column of zones beside stones as their declaration."""
    column = sheet.raw.columns[at]
    weight = table.columns.get(sheet.headers.words.scheme.size.column) or table.columns.get("carats")
    columns = {"zone_id": column}
    if weight is not None:
        columns["carats"] = weight
    if "parcel_id" in table.columns:
        columns["parcel_id"] = table.columns["parcel_id"]
    if column.header in sheet.trace.passed_over:
        sheet.trace.passed_over.remove(column.header)
    return replace(table, kind="declarations", columns=columns, ragged={}, complete="carats" in columns, trace=Trace())


# Sheets that have a column for each class.


def _unfolded(sheet: Sheet, wide: list[int]) -> Table:
    """Turn columns of classes into rows, and check the totals beside them."""
    sheet = _lots(sheet, "counts")
    sheet = _wide_measures(sheet, wide)
    raw, scheme = sheet.raw, sheet.headers.words.scheme
    groups: dict[tuple[tuple[str, str], ...], dict[str, int]] = {}
    used = set(wide)
    for at in wide:
        item = sheet.meanings[at]
        slot = groups.setdefault(item.classes, {})
        if item.role in slot:
            sheet.tell("column_twice", at, column=item.role)
        slot[item.role] = at
    dims = {
        name: place
        for name in ("parcel_id", "size_class", *(i.column for i in scheme.categorical))
        if (place := sheet.one(name)) is not None
    }
    used |= set(dims.values())
    measures = ("n_stones", "carats")
    whole = {name: place for name in measures if (place := _whole_column(sheet, name)) is not None}
    graded = {name: place for name in measures if (place := sheet.one(name, "sample")) is not None}
    used |= set(whole.values()) | set(graded.values())
    for at in sheet.places("unknown"):
        numbers = _numbers(_cells(raw.columns[at], sheet.headers))
        if numbers is not None and len(numbers):
            sheet.tell("unknown_class_column", at, header=raw.columns[at].header)
    for at, item in enumerate(sheet.meanings):
        if item.party and at not in used:
            sheet.tell("unknown_class_column", at, header=raw.columns[at].header)
    _pass_over(sheet, used)
    return _melted(sheet, groups, dims, whole, graded)


def _whole_column(sheet: Sheet, name: str) -> int | None:
    found = [at for at in sheet.places(name) if sheet.meanings[at].part != "sample" and not sheet.meanings[at].party]
    sure = [at for at in found if sheet.meanings[at].part == "whole"] or found
    return sure[0] if sure else None


def _wide_measures(sheet: Sheet, wide: list[int]) -> Sheet:
    """Say whether columns of classes without a measure hold stones or carats: whole numbers are stones."""
    unsure = [at for at in wide if sheet.meanings[at].role == "stones_or_carats"]
    meanings = list(sheet.meanings)
    if unsure:
        values = [_values(sheet.raw, at) for at in unsure]
        whole = all(bool(np.all(np.isnan(v) | (v == np.floor(v)))) for v in values)
        carats = _whole_column(sheet, "carats")
        if (
            whole
            and carats is not None
            and _whole_column(sheet, "n_stones") is None
            and sheet.one("n_stones", "sample") is None
        ):
            sums, total = np.nansum(values, axis=0), _values(sheet.raw, carats)
            if bool(np.all(np.abs(sums - total) < 0.01)):
                whole = False
        role = "n_stones" if whole else "carats"
        for at in unsure:
            meanings[at] = replace(meanings[at], role=role)
    for at, item in enumerate(meanings):
        if item.role == "stones_or_carats" and not item.wide:
            values = [_values(sheet.raw, at)]
            whole = bool(np.all(np.isnan(values[0]) | (values[0] == np.floor(values[0]))))
            meanings[at] = replace(item, role="n_stones" if whole else "carats")
    return replace(sheet, meanings=meanings)


def _melted(
    sheet: Sheet,
    groups: Mapping[tuple[tuple[str, str], ...], Mapping[str, int]],
    dims: Mapping[str, int],
    whole: Mapping[str, int],
    graded: Mapping[str, int],
) -> Table:
    raw = sheet.raw
    kinds = {frozenset(name for name, _ in classes) for classes in groups}
    values = {at: _values(raw, at) for slot in groups.values() for at in slot.values()}
    values |= {at: _values(raw, at) for at in (*whole.values(), *graded.values())}
    sampled = bool(graded) and "n_stones" in whole
    targets = graded if sampled else whole
    for kind in kinds:
        for measure, at in targets.items():
            parts = [
                slot[measure]
                for classes, slot in groups.items()
                if frozenset(n for n, _ in classes) == kind and measure in slot
            ]
            if parts:
                _check_rows(sheet, parts, at, values, measure)
    pieces: list[_Piece] = []
    for number, kind in enumerate(sorted(kinds, key=sorted)):
        mine = {classes: slot for classes, slot in groups.items() if frozenset(n for n, _ in classes) == kind}
        for classes, slot in mine.items():
            shown = [values[at] for at in slot.values()]
            filled = np.flatnonzero(
                np.logical_or.reduce(
                    [np.isfinite(v) & (v != 0) for v in shown] + [_bad(raw, at) for at in slot.values()]
                )
            )
            pieces.append(
                _Piece(filled, slot, dict(classes), f"{'sample' if sampled else 'classes'} {number}", sampled)
            )
    weighed = any("carats" in slot for slot in groups.values())
    counted = any("n_stones" in slot for slot in groups.values())
    further = (not weighed and "carats" in whole) or (not counted and "n_stones" in whole) or sampled
    if further and ("size_class" in dims or sampled or len(dims) > 0):
        rows = np.arange(raw.n_rows)
        pieces.append(_Piece(rows, whole, {}, "whole", sample=False))
    return _stacked(sheet, pieces, dims)


def _bad(raw: RawTable, at: int) -> NDArray[np.bool_]:
    """Say of each row whether its cell is filled with something that is no number."""
    column = raw.columns[at]
    _, broken = read_numbers(column.cells, marks_of_sheet(raw))
    bad = np.zeros(len(column.cells), dtype=bool)
    bad[list(broken)] = True
    return bad[column.codes]


def _check_rows(
    sheet: Sheet, parts: list[int], total: int, values: Mapping[int, NDArray[np.float64]], measure: str
) -> None:
    """Tell the rows whose classes do not add up to the total beside them."""
    sums = np.nansum([values[at] for at in parts], axis=0)
    given = values[total]
    slack = 0.5 if measure == "n_stones" else 0.005 * (len(parts) + 1) + 1e-6
    for row in np.flatnonzero(np.isfinite(given) & (np.abs(sums - given) > slack)).tolist():
        sheet.tell(
            "row_total",
            total,
            row,
            found=f"{sums[row]:g}",
            expected=f"{given[row]:g}",
            classes=_listed(sheet.raw.columns[at].header for at in parts),
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows of a sheet, once for each class that has a column."""

    rows: NDArray[np.intp]
    slot: Mapping[str, int]
    classes: Mapping[str, str]
    breakdown: str
    sample: bool


def _stacked(sheet: Sheet, pieces: list[_Piece], dims: Mapping[str, int]) -> Table:
    raw = sheet.raw
    n_rows = sum(len(piece.rows) for piece in pieces)
    rows = np.concatenate([piece.rows for piece in pieces]) if pieces else np.zeros(0, dtype=np.intp)
    columns: dict[str, Column] = {name: raw.columns[at].rows(rows) for name, at in dims.items()}
    for measure in ("n_stones", "carats"):
        if any(measure in piece.slot for piece in pieces):
            columns[measure] = _laid([(piece.rows, piece.slot.get(measure)) for piece in pieces], raw, measure)
    for name in dict.fromkeys(name for piece in pieces for name in piece.classes):
        if name in columns:
            sheet.tell("column_twice", name, column=name)
        columns[name] = _texts(name, [(len(piece.rows), piece.classes.get(name)) for piece in pieces])
    breakdowns = dict.fromkeys(piece.breakdown for piece in pieces)
    if len(breakdowns) > 1 or any(piece.sample for piece in pieces):
        columns["breakdown"] = _texts("breakdown", [(len(piece.rows), piece.breakdown) for piece in pieces])
    if any(piece.sample for piece in pieces):
        columns["sample"] = _texts("sample", [(len(piece.rows), "yes" if piece.sample else "no") for piece in pieces])
    return Table(
        kind="counts",
        name=raw.name,
        columns=columns,
        n_rows=n_rows,
        rows=None if raw.rows is None else raw.rows[rows],
        ragged={},
        n_columns=len(raw.columns),
        typed=raw.typed,
        complete=not sheet.problems,
        trace=sheet.trace,
    )


def _texts(header: str, parts: list[tuple[int, str | None]]) -> Column:
    cells: list[Cell] = list(dict.fromkeys(text for _, text in parts))
    place = {text: at for at, text in enumerate(cells)}
    codes = [np.full(n, place[text], dtype=np.int32) for n, text in parts]
    return Column(header, cells, np.concatenate(codes) if codes else np.zeros(0, dtype=np.int32))


def _laid(parts: list[tuple[NDArray[np.intp], int | None]], raw: RawTable, measure: str) -> Column:
    """Lay columns of one measure below each other."""
    cells: list[Cell] = [None]
    codes: list[NDArray[np.int32]] = []
    headers: list[str] = []
    for rows, at in parts:
        if at is None:
            codes.append(np.zeros(len(rows), dtype=np.int32))
            headers += [measure] * len(rows)
            continue
        column = raw.columns[at]
        codes.append((column.codes[rows] + len(cells)).astype(np.int32))
        cells += list(column.cells)
        headers += [column.header] * len(rows)
    return Column(measure, cells, np.concatenate(codes) if codes else np.zeros(0, dtype=np.int32), headers)


# Several valuations of one parcel.


def _valued(sheet: Sheet, parties: Mapping[str, Mapping[str, int]]) -> Table:
    known = set(declared_words()["parties"]["words"])
    if not all(set(tokens_of(party)) & known for party in parties):
        chosen = sheet.choices.get("valuation")
        if chosen is None or plain(chosen) not in parties:
            sheet.tell(
                "classes_or_valuations", None, found=_listed(parties, 8), choices=[("valuation", p) for p in parties]
            )
    made: dict[str, Table] = {}
    for party in parties:
        meanings = [
            UNKNOWN if item.party and item.party != party else replace(item, party="") for item in sheet.meanings
        ]
        meanings = [replace(item, role="other", sure=True) if item.role == "unknown" else item for item in meanings]
        trace = Trace(
            header_rows=sheet.trace.header_rows, left_out=list(sheet.trace.left_out), hidden=sheet.trace.hidden
        )
        one = Sheet(sheet.raw, meanings, sheet.headers, sheet.choices, trace, sheet.problems)
        made[party] = _plain(one, "counts")
    first = next(iter(made.values()))
    return replace(first, valuations=made)
