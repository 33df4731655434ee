"""What a table is, and what its columns are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import Cell, PlainCells, is_blank, is_number, text_of
from kpfootprint.ingest.headers import Headers
from kpfootprint.ingest.labels import size_span
from kpfootprint.ingest.layout import understand
from kpfootprint.ingest.left_out import without_totals
from kpfootprint.ingest.meanings import Choices, Layout, listed, meanings_of
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.tables import Column, KnownTable, Note, RawTable, recognise, stacked
from kpfootprint.ingest.words import TABLES, condition_values, fold, is_total, misspelt, table_names
from kpfootprint.wanted import each

_CONDITIONS = ("cleaning_state", "selection", "sorter", "bottom_screen_mm", "specials_removed")
_TITLED = ("certificate_no", "exporter", "exported_on", "hs_code", *_CONDITIONS)
"""Fields of a parcel that titles above a table may give, or columns that say the same in every row."""


_GOODS = ("stones", "counts")


def recognise_all(
    raws: list[RawTable], headers: Headers, choices: Choices, problems: list[Problem]
) -> dict[str, KnownTable]:
    """Recognise the tables of an input, by kind; what is given twice or is none that is known is told."""
    tables: dict[str, KnownTable] = {}
    sheets: list[tuple[RawTable, list[KnownTable]]] = []
    passed: list[str] = []
    names = table_names()
    raws = with_parents(raws, headers, problems)
    several = len(raws) > 1
    first = ("parcels", "declarations")
    for raw in each(sorted(raws, key=lambda raw: names.get(fold(raw.name)) not in first)):
        hint = names.get(fold(raw.name))
        answers = _choices_of(raw, choices, _ids_of(tables), headers)
        listed_too = {other.name for other in raws if other is not raw}
        found = _tables_of(raw, hint, headers, answers, problems, several=several, sheets=listed_too)
        if found and several and hint is None and found[0].kind in _GOODS:
            sheets.append((raw, found))
            continue
        if not found and raw.columns:
            if not several and not problems:
                recognise(raw, "stones", headers.words, problems)
            elif several and hint is None and misspelt(raw.name, names) is not None:
                problems.append(problem(Broken("unknown_table", {"known": ", ".join(TABLES)}), table=raw.name))
            elif several:
                passed.append(raw.name)
        _add(tables, found, problems)
    kinds = [found[0].kind for _, found in sheets]
    own = len(set(kinds)) < len(kinds) or all(_like_an_id(raw.name, headers) for raw, _ in sheets)
    if len(kinds) > 1 and own and not set(kinds) & set(tables):
        _add_sheets(sheets, tables, headers, choices, problems)
        raws = [raw for raw in raws if all(raw is not sheet for sheet, _ in sheets)]
    else:
        for _, found in sheets:
            _add(tables, found, problems)
    if (chosen := choices.get("goods")) in tables and len({*_GOODS} & set(tables)) == 2:
        passed.append(tables.pop("counts" if chosen == "stones" else "stones").name)
    if passed and tables:
        next(iter(tables.values())).trace.passed_over.extend(passed)
    titles = [title for raw in raws if (title := _titles(raw, headers, tables))]
    return {**titles[0], **tables} if len(titles) == 1 else tables


def _add(tables: dict[str, KnownTable], found: list[KnownTable], problems: list[Problem]) -> None:
    """Add the tables of a sheet to those of the input; what is given twice is told."""
    for table in found:
        if table.kind not in tables:
            tables[table.kind] = table
        elif table is found[0]:  # zones beside stones do not go before a table of declarations
            other = tables[table.kind].name
            problems.append(problem(Broken("table_twice", {"other": other}), table=table.name))


def _add_sheets(
    sheets: list[tuple[RawTable, list[KnownTable]]],
    tables: dict[str, KnownTable],
    headers: Headers,
    choices: Choices,
    problems: list[Problem],
) -> None:
    """Add sheets of goods, of which each is a parcel or holds parcels of its own: by a column, a title, or its name."""
    known = _ids_of(tables)
    gathered: dict[str, list[tuple[KnownTable, str | None]]] = {}
    ids: list[set[str]] = []
    named: list[str] = []
    for raw, found in sheets:
        said = _titles(raw, headers, {found[0].kind: found[0]})
        title = said["parcels"].columns.get("parcel_id") if "parcels" in said else None
        parcel_id = None
        if "parcel_id" in found[0].columns:
            ids.append(_ids_of({"parcels": found[0]}))
        else:
            parcel_id = raw.name if title is None else text_of(title.cells[0])
            ids.append({parcel_id})
            if title is None and parcel_id not in known:
                named.append(parcel_id)
        for table in (*found, *said.values()):
            gathered.setdefault(table.kind, []).append((table, parcel_id))
    if len(set().union(*ids)) < sum(map(len, ids)) or any(map(is_total, named)):
        _add(tables, [sheets[0][1][0]], problems)
        problems.append(sheets[1][1][0].problem(Broken("table_twice", {"other": sheets[0][0].name})))
        return
    meant = choices.get("sheets")
    for at, (raw, _) in enumerate(sheets) if named and meant != "parcels" else ():
        for other in (other for other, _ in sheets[:at] if raw.same_rows(other)):
            problems.append(problem(Broken("same_rows", {"other": other.name}), table=raw.name))
            return
    if meant not in ("parcels", "one") and not all(_like_an_id(name, headers) for name in named):
        told = {"sheets": listed(named, 8), "choices": [("sheets", "parcels"), ("sheets", "one")]}
        problems.append(problem(Broken("sheets_or_parcels", told), table=sheets[0][0].name))
    for kind, items in gathered.items():
        if kind not in tables:
            tables[kind] = stacked([t for t, _ in items], [None if meant == "one" else name for _, name in items])
    if meant != "one":
        note = Note(code="sheets_of_parcels", values={"parcels": listed(sorted(set().union(*ids)), 20)})
        next(tables[kind] for kind in _GOODS if kind in tables).trace.notes.append(note)


_SHEET = re.compile(
    r"(sheets?|tab|feuil|feuille|tabelle|blatt|лист|planilha|folha|hoja|blad|foglio|p|pp|pages?|seite|pagina|part|partie|teil|lots?"
    r"|lote|bag|sachet|pack|paquet|box|boite|series?|serie|kop|copy|copie)?[\W_]*\d*[\W_]*",
    re.IGNORECASE,
)


def _like_an_id(name: str, headers: Headers) -> bool:
    """Say whether a sheet is called as parcels are, ``CAR-2019-07``, and not ``Sheet1``, ``Lot 2`` or ``+11``."""
    known = size_span(name, headers.words.scheme) is not None or headers.of(name).role != "unknown"
    return any(map(str.isdigit, name)) and any(map(str.isalpha, name)) and _SHEET.fullmatch(name) is None and not (
        known or misspelt(name, table_names()) is not None or is_total(name)
    )  # fmt: skip


def _tables_of(
    raw: RawTable,
    hint: str | None,
    headers: Headers,
    choices: Choices,
    problems: list[Problem],
    *,
    several: bool,
    sheets: set[str],
) -> list[KnownTable]:
    words = headers.words
    folded = {fold(column.header) for column in raw.columns}
    parcels = {words.columns("parcels").get(name) for name in folded} - {None}
    sizes = {words.columns("size_classes").get(name) for name in folded} - {None}
    attributes = {item.column for item in words.scheme.categorical} | {"size_class"}
    others = [column.header for column in raw.columns if fold(column.header) not in words.columns("parcels")]
    classed = any((meaning := headers.of(header)).role in attributes or meaning.wide for header in others)
    measured = {"n_stones", "carats"} & {headers.of(column.header).role for column in raw.columns}
    if not measured and (hint == "size_classes" or {"size_class", "lower_ct"} <= sizes):
        return [recognise(raw, "size_classes", words, problems)]
    own = parcels - {"parcel_id", "n_stones", "carats", "value_usd"}
    if several and not classed and (hint == "parcels" or (hint is None and "parcel_id" in parcels and own)):
        return [recognise(raw, "parcels", words, problems)]
    if several and not classed and hint is None and (summed := _listing(raw, headers, choices, sheets, problems)):
        return [replace(recognise(summed.raw, "parcels", words, problems), trace=summed.trace)]
    before = len(problems)
    if not several and _is_headless(raw, headers):
        said = ", ".join(column.header or "–" for column in raw.columns)
        problems.append(problem(Broken("no_header", {"headers": said}), table=raw.name, row=raw.header_rows[0]))
        return []
    if len(raw.columns) == 1 and len(parts := re.split(r"[;,|\s]+", raw.columns[0].header)) > 1:
        roles = {headers.of(word).role for word in parts}
        if {"n_stones", "carats"} & roles and not {"unknown", "other"} & roles and len(roles) > 1:
            broken = Broken("one_column", {"header": raw.columns[0].header})
            problems.append(problem(broken, table=raw.name, row=raw.header_rows[0]))
            return []
    if hint == "declarations" and several:
        return [_declared(raw, headers, choices, problems)]
    found = understand(raw, hint if several else None, headers, choices, problems, several=several and hint is None)
    if not found and len(problems) == before and hint is not None and several:
        return [recognise(raw, hint, words, problems)]
    return found


def _listing(
    raw: RawTable, headers: Headers, choices: Choices, sheets: set[str], problems: list[Problem]
) -> Layout | None:
    """Return a table that lists the other sheets as parcels, each in a row, without its totals."""
    known = headers.words.columns("parcels")
    at = next((at for at, item in enumerate(raw.columns) if known.get(fold(item.header)) == "parcel_id"), None)
    if at is None:
        return None
    sheet = Layout(raw, meanings_of(raw, headers, choices), headers, choices, raw.trace(), [])
    sheet = without_totals(sheet, sheet.places("n_stones", "carats"), [at])
    names, codes = sheet.raw.columns[at].names(), sheet.raw.columns[at].codes
    named = [names[code] for code in codes.tolist() if names[code]]
    if not named or len({*named}) < len(named) or not {*named} <= sheets:
        return None
    problems += sheet.problems
    return sheet


def _declared(raw: RawTable, headers: Headers, choices: Choices, problems: list[Problem]) -> KnownTable:
    """Read a table called declarations: under our own headers, else as a purchase slip, whose totals are left out."""
    read: list[Problem] = []
    found = understand(raw, "declarations", headers, choices, read, several=True)
    if found and found[0].kind == "declarations":
        problems += read
        return found[0]
    return recognise(raw, "declarations", headers.words, problems)


def _is_headless(raw: RawTable, headers: Headers) -> bool:
    """Say whether the first row holds numbers and classes as rows of a table do, and names no column."""
    texts = [column.header for column in raw.columns]
    known = any(not (item := headers.of(text)).wide and item.role != "unknown" for text in texts)
    return not known and any(map(is_number, texts))


def _titles(raw: RawTable, headers: Headers, tables: Mapping[str, KnownTable]) -> dict[str, KnownTable]:
    """Read what titles above a table say of the parcel: ``Parcel | CAR-2019-07``, ``Exporter: A``, ``Zone: Nola``."""
    known = headers.words.columns("parcels")
    found: dict[str, _Said] = {}
    passed: list[str] = []
    goods = next((tables[kind] for kind in _GOODS if kind in tables), None)
    stated = goods.trace.stated if goods is not None and goods.name == raw.name else ()
    for number, (line, cells) in enumerate((*raw.titles, *stated)):
        filled = [cell for cell in cells if not is_blank(cell)]
        pairs: list[tuple[str, Cell]] = []
        for at, cell in enumerate(filled):
            text = text_of(cell)
            key, colon, said = text.partition(":")
            if colon and said.strip():
                pairs.append((key, said.strip()))
            elif at + 1 < len(filled) and not text_of(filled[at + 1]).endswith(":"):
                pairs.append((text.rstrip(": "), filled[at + 1]))
        pairs += _amounts(" ".join(map(text_of, filled)))
        for key, value in pairs:
            name = known.get(fold(key)) or headers.measure(key) or ""
            name = "country" if headers.words.columns("declarations").get(fold(key)) == "country" else name
            told = _told(name, value, headers)
            if number >= len(raw.titles) and told not in ("n_stones", "carats", "zone_id"):
                continue  # who signs below a table is no sorter of it
            if told is not None:
                found.setdefault(told, (line, key, value))
            elif name in (*_CONDITIONS, "zone_id", "country") and len(text_of(value)) <= 80:
                passed.append(f"{key}: {text_of(value)}")
    each_one = None
    if goods is not None and "parcels" not in tables:
        if "parcel_id" not in goods.columns:
            _add_constant(raw, headers, goods, found)
        elif not found and goods.name == raw.name:
            each_one = _each(raw, headers, goods)
    origin: dict[str, _Said] = {name: found.pop(name) for name in ("zone_id", "country") if name in found}
    made = {"parcels": _one_row("parcels", raw, found)} if found else {}
    if each_one is not None:
        made["parcels"] = each_one
    if len(origin) == 1 and "declarations" not in tables:
        made["declarations"] = _one_row("declarations", raw, origin)
    if goods is not None:
        notes = [Note(code="title_passed_over", values={"title": title}) for title in dict.fromkeys(passed)]
        goods.trace.notes.extend(notes)
    return made


_Said = tuple[int, str, Cell]
"""Line, header and value of what is said of a parcel."""


def _beside(raw: RawTable, headers: Headers, goods: KnownTable) -> Iterator[tuple[str, Column]]:
    """Give the columns beside the stones that were passed over and may say something of a parcel, with its field."""
    known = headers.words.columns("parcels")
    for column in raw.columns:
        name = known.get(fold(column.header))
        passed = column.header in goods.trace.passed_over and not isinstance(column.cells, PlainCells)
        if name in _TITLED and passed:
            yield name, column


def _add_constant(raw: RawTable, headers: Headers, goods: KnownTable, found: dict[str, _Said]) -> None:
    """Add what columns say of the parcel, the same in every row."""
    for name, column in _beside(raw, headers, goods):
        used = np.unique(column.codes).tolist()
        value = column.cells[used[0]] if len(used) == 1 else None
        if value is not None and _told(name, value, headers) == name and name not in found:
            found[name] = (raw.line(0) or 1, column.header, value)
            goods.trace.passed_over.remove(column.header)


def _each(raw: RawTable, headers: Headers, goods: KnownTable) -> KnownTable | None:
    """Return what columns beside the stones of several parcels say of each, where it is one thing in all its rows."""
    ids = goods.columns["parcel_id"]
    if raw.rows is None or goods.rows is None or isinstance(ids.cells, PlainCells) or not raw.n_rows:
        return None
    place = np.searchsorted(raw.rows, goods.rows).clip(max=raw.n_rows - 1)
    if not np.array_equal(raw.rows[place], goods.rows):
        return None
    _, of_cell = np.unique([text_of(cell) for cell in ids.cells], return_inverse=True)
    parcels = of_cell[ids.codes]
    found, first = np.unique(parcels, return_index=True)
    columns: dict[str, Column] = {}
    for name, column in _beside(raw, headers, goods):
        pairs = np.unique(np.column_stack([parcels, column.codes[place]]), axis=0).tolist()
        said = [(of, column.cells[at]) for of, at in pairs if not is_blank(column.cells[at])]
        own = dict(said)
        one_each = len(own) == len(said) > 0 and all(_told(name, cell, headers) == name for cell in own.values())
        if one_each and name not in columns:
            columns[name] = Column.of(column.header, [own.get(of, "") for of in found.tolist()])
            goods.trace.passed_over.remove(column.header)
    if not columns:
        return None
    columns["parcel_id"] = ids.rows(first)
    made = KnownTable(
        kind="parcels", name=raw.name, columns=columns, n_rows=len(first), rows=goods.rows[first], ragged={},
        n_columns=len(columns), typed=False,
    )  # fmt: skip
    return made.keep(np.flatnonzero(~columns["parcel_id"].blank()))


def _one_row(kind: str, raw: RawTable, found: Mapping[str, _Said]) -> KnownTable:
    columns = {name: Column.filled(key, value, 1) for name, (_, key, value) in found.items()}
    rows = np.array([max(line for line, _, _ in found.values())], dtype=np.int32)
    typed = kind == "declarations"  # a single zone needs no carats
    return KnownTable(
        kind=kind, name=raw.name, columns=columns, n_rows=1, rows=rows, ragged={}, n_columns=1, typed=typed, titles=True
    )  # fmt: skip


_AMOUNTS = re.compile(
    r"(?P<n>\d+) *(stones|pcs|pieces|pierres|st)\b.*?(?P<ct>\d+[.,]\d+) *(cts?|carats?)\b", re.IGNORECASE
)


_COUNT = re.compile(
    r"\W*(\d+) *(?:stones|pcs|pieces|pierres)\W*|.*[(\[] *(\d+) *(?:stones|pcs|pieces|pierres) *[)\]]", re.IGNORECASE
)


def _amounts(text: str) -> list[tuple[str, Cell]]:
    """Return stones and carats of a title that gives both, ``836 stones, 371.37 ct``, or ``(836 stones)`` alone."""
    said = _AMOUNTS.findall(text)
    if len(said) == 1:
        return [("n_stones", said[0][0]), ("carats", said[0][2])]
    count = None if said else _COUNT.fullmatch(text)
    return [] if count is None else [("n_stones", count[1] or count[2])]


def _told(name: str, value: Cell, headers: Headers) -> str | None:
    """Return the field that a value is of, where it may be one of it; otherwise a title is a title and no more."""
    text = text_of(value)
    if name in ("zone_id", "country"):
        if fold(text) in headers.words.zones():
            return "zone_id"
        return "country" if headers.words.country(text) is not None else None
    if name == "exported_on":
        return name if any(char.isdigit() for char in text) else None
    if name in ("cleaning_state", "selection", "specials_removed"):
        return name if fold(text) in condition_values(name) else None
    if name in ("n_stones", "carats", "bottom_screen_mm"):
        number = text.replace(" ", "").replace(",", ".").removesuffix("ct").removesuffix("cts").removesuffix("mm")
        return name if re.fullmatch(r"0*[1-9]\d*(\.\d+)?|0*\.\d+|0\.\d+", number) else None
    return name if name in (*_TITLED, "parcel_id") and 0 < len(text) <= 80 else None


def _choices_of(raw: RawTable, choices: Choices, ids: set[str], headers: Headers) -> Choices:
    """Take lots for parcels where a table of parcels or declarations has the same ids."""
    for column in raw.columns if ids else ():
        if headers.of(column.header).role == "lot":
            names = column.names()
            if {names[code] for code in np.unique(column.codes).tolist()} <= {"", *ids}:
                return {**choices, "lots": "parcels"}
    return choices


def _ids_of(tables: Mapping[str, KnownTable]) -> set[str]:
    named = [tables[kind].columns.get("parcel_id") for kind in ("parcels", "declarations") if kind in tables]
    return {name for column in named if column is not None for name in column.names() if name}


# Tables whose rows are repeats of a form.


def with_parents(raws: Sequence[RawTable], headers: Headers, problems: list[Problem]) -> list[RawTable]:
    """Give the rows of a repeat what its parents say of their parcel and zone: ``_parent_index`` names an ``_index``.

    A parent table of one row that holds nothing else of ours becomes titles of its repeats.
    """
    mains = [raw for raw in raws if _column(raw, "_index") is not None and _column(raw, "_parent_index") is None]
    repeats = [raw for raw in raws if _column(raw, "_parent_index") is not None]
    if len(mains) != 1 or not repeats:
        return list(raws)
    main = mains[0]
    roles = [headers.of(column.header.rpartition("/")[2]).role for column in main.columns]
    stays = {"carats", "n_stones"} & set(roles) or "parcel_id" in roles
    titles = () if stays or main.n_rows != 1 else _as_titles(main)
    made: list[RawTable] = []
    for raw in raws:
        if raw is main and not stays:
            continue
        made.append(_joined(raw, main, roles, titles, headers, problems) if raw in repeats else raw)
    return made


def _column(raw: RawTable, header: str) -> Column | None:
    return next((column for column in raw.columns if column.header.strip().casefold() == header), None)


def _as_titles(main: RawTable) -> tuple[tuple[int, tuple[object, ...]], ...]:
    line = main.line(0) or 1
    return tuple((line, (column.header.rpartition("/")[2], column.at(0))) for column in main.columns)


def _joined(
    raw: RawTable,
    main: RawTable,
    roles: Sequence[str],
    titles: tuple[tuple[int, tuple[object, ...]], ...],
    headers: Headers,
    problems: list[Problem],
) -> RawTable:
    index, parent = _column(main, "_index"), _column(raw, "_parent_index")
    assert index is not None
    assert parent is not None
    places = {text_of(index.at(row)): row for row in range(main.n_rows) if not is_blank(index.at(row))}
    rows = np.array([places.get(text_of(cell), -1) for cell in parent.cells], dtype=np.intp)[parent.codes]
    for row in np.flatnonzero(rows < 0).tolist():
        broken = Broken("unknown_parent", {"table": main.name})
        place = problem(broken, table=raw.name, row=raw.line(row), column=parent.header, value=parent.at(row))
        problems.append(place)
    own = {headers.of(column.header.rpartition("/")[2]).role for column in raw.columns}
    wanted = {"parcel_id"} | ({"zone_id"} if "carats" not in roles else set())
    more = [
        column.rows(np.maximum(rows, 0))
        for column, role in zip(main.columns, roles, strict=True)
        if role in wanted - own and fold(column.header) != "index"
    ]
    return replace(raw, columns=[*raw.columns, *more], titles=(*raw.titles, *titles))  # type: ignore[arg-type]
