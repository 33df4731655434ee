"""What a table is, and what its columns are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.columns.forms import with_parents
from kpfootprint.ingest.columns.meanings import Choices, Layout, meanings_of
from kpfootprint.ingest.columns.origins import declared_beside
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.names.numbering import numbers_in
from kpfootprint.ingest.names.parcel_names import ask_about_versions, is_parcel_name, own_name
from kpfootprint.ingest.names.statements import amounts_besides, amounts_in
from kpfootprint.ingest.problems import Broken, cut, listed, problem
from kpfootprint.ingest.raw.cells import is_blank, is_number, text_of
from kpfootprint.ingest.raw.tables import GOODS, Column, KnownTable, Note, RawTable, recognise, stacked
from kpfootprint.ingest.sheets.around import sums_up
from kpfootprint.ingest.sheets.asked import is_in_part
from kpfootprint.ingest.sheets.facts_beside import names_fact, with_facts_above
from kpfootprint.ingest.sheets.layout import understand
from kpfootprint.ingest.sheets.left_out import without_totals
from kpfootprint.ingest.sheets.quoted import lines_of, may_hold_goods, quote_lines
from kpfootprint.ingest.sheets.titles import as_titles, joined, said_by_titles, speaks, with_titles_above
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import (
    TABLES,
    attribute_words,
    class_code,
    fold,
    holds,
    misspelt,
    plain,
    table_names,
    tokens_of,
)
from kpfootprint.scheme import Scheme
from kpfootprint.wanted import each

_OF_GOODS = ("n_stones", "carats", "value_usd")
"""What sheets of goods and tables of parcels have in common, under the same words."""

_LINES = 20
"""Lines that a form of one parcel has at most."""


def recognise_all(
    raws: list[RawTable], headers: Headers, choices: Choices, problems: list[Problem], *, several: bool = False
) -> dict[str, KnownTable]:
    """Recognise the tables of an input, `several` or one, by kind; what is given twice or is not known is told."""
    tables: dict[str, KnownTable] = {}
    sheets: list[tuple[RawTable, list[KnownTable]]] = []
    told: dict[int, list[Problem]] = {}
    here: list[Problem]
    passed: list[str] = []
    goods: list[RawTable] = []
    names = table_names()
    raws = [with_facts_above(raw, headers) for raw in with_parents(raws, headers, problems)]
    several = several or len(raws) > 1
    first = {"declarations": 0, "parcels": 1}  # zones beside parcels do not go before a table of declarations
    for raw in each(sorted(raws, key=lambda raw: first.get(names.get(fold(raw.name), ""), 2))):
        hint = names.get(fold(raw.name))
        answers = _choices_of(raw, choices, ids_of(tables), headers)
        listed_too = {other.name for other in raws if other is not raw}
        told[id(raw)] = here = []
        found = _tables_of(raw, hint, headers, answers, here, several=several, sheets=listed_too)
        if several and hint is None and not any(table.n_rows for table in found):
            found = []  # a header alone, which may be a cover's last line
        goods += [raw] if found and found[0].kind in GOODS else []
        if found and several and found[0].kind in GOODS:
            sheets.append((raw, found))
            continue
        problems += here
        if not found and raw.columns:
            if not several and not problems:
                recognise(raw, "stones", headers.words, problems)
            elif several and hint is None and misspelt(raw.name, names) is not None:
                problems.append(problem(Broken("unknown_table", {"known": ", ".join(TABLES)}), table=raw.name))
            elif several:
                passed.append(raw.name)
        _add(tables, found, problems)
    for raw in raws:
        if raw.name in passed and _goes_on(raw, goods, headers):
            problems.append(_headless(raw))
    asked = [id(raw) for raw, _ in sheets]
    filled = [item for item in sheets if _holds_goods(item[1][0], headers)] or sheets
    forms = [raw.name for raw, found in sheets if found[0].n_rows and all(raw is not other for other, _ in filled)]
    sheets = _without_summaries(filled, headers)
    stay = {id(raw) for raw, _ in sheets}
    problems += [item for key in asked for item in told[key] if key in stay or item.code == "total_disagrees"]
    for raw, found in sheets:
        _add(tables, found if fold(raw.name) in names else [], problems)
    sheets = [(raw, found) for raw, found in sheets if fold(raw.name) not in names]
    kinds = [found[0].kind for _, found in sheets]
    own = len(set(kinds)) < len(kinds) or all(is_parcel_name(raw.name, headers) for raw, _ in sheets)
    if len(kinds) > 1 and own and not set(kinds) & set(tables):
        _add_sheets(sheets, tables, headers, choices, problems)
        raws = [raw for raw in raws if all(raw is not sheet for sheet, _ in sheets)]
    else:
        for _, found in sheets:
            _add(tables, found, problems)
    if (chosen := choices.get("goods")) in tables and len({*GOODS} & set(tables)) == 2:
        passed.append(tables.pop("counts" if chosen == "stones" else "stones").name)
    if (passed or forms) and tables:
        next(iter(tables.values())).trace.passed_over.extend([*passed, *forms])
    others = [raw for raw in raws if raw.name in passed]
    problems += _asked_of_others(others, tables, headers, choices)
    for raw in others if tables else ():
        if not speaks(raw):
            quote_lines(raw.name, lines_of(raw), next(iter(tables.values())).trace)
    others += [raw for raw, _ in filled if raw.n_rows == 1 and id(raw) not in stay]  # a cover that sums up
    raws = [as_titles(raw) if raw in others and speaks(raw) else raw for raw in raws]
    titles = [title for raw in raws if (title := said_by_titles(raw, headers, tables, choices, problems))]
    said = joined(titles, problems)
    if "parcels" in said and "parcels" in tables:
        tables["parcels"] = with_titles_above(tables["parcels"], said["parcels"], problems)
    return {**said, **tables}


def _asked_of_others(
    raws: Sequence[RawTable], tables: Mapping[str, KnownTable], headers: Headers, choices: Choices
) -> list[Problem]:
    """Ask about sheets of notes, and covers, that speak of other stones or say that the goods are no whole parcel."""
    whole = _amounts_of(tables, headers)
    for raw in raws if choices.get("part") != "whole" else ():
        if may_hold_goods(raw, headers, whole):
            told = {
                "sheet": raw.name,
                "lines": listed((cut(text, 60) for text in lines_of(raw)), 3),
                "choices": [("part", "whole")],
            }
            return [problem(Broken("sheet_of_goods", told), table=raw.name)]
        if len([column for column in raw.columns if not column.empty]) > 2:
            continue
        for text in (text for column in raw.columns for text in (column.header, *column.names())):
            said = [item for item in amounts_in(plain(text)) if item.kind in ("n_stones", "carats")]
            of_some = any(holds(role, tokens_of(text)) for role in ("largest", "smallest", "limit", "mean", "money"))
            others = {f"{item.value:.2f}" for item in said} - whole if _is_prose(raw) and not of_some else set()
            besides = amounts_besides(text) or others
            code = "stones_besides" if besides else "part_in_title" if is_in_part(text, headers) else ""
            if code:
                return [problem(Broken(code, {"title": text, "choices": [("part", "whole")]}), table=raw.name)]
    return []


def _amounts_of(tables: Mapping[str, KnownTable], headers: Headers) -> set[str]:
    """Return how many stones and carats tables of goods hold, to the hundredth."""
    goods = [tables[kind] for kind in GOODS if kind in tables]
    names = ("n_stones", "carats", headers.words.scheme.size.column)
    sums = [float(np.nansum(table.values(name))) for table in goods for name in names if name in table.columns]
    return {f"{value:.2f}" for value in (*sums, *(float(table.n_rows) for table in goods))}


def _holds_goods(table: KnownTable, headers: Headers) -> bool:
    """Say whether a table has stones or carats, or names parcels, unlike a form that nobody has filled in."""
    names = [name for name in (headers.words.scheme.size.column, "n_stones", "carats") if name in table.columns]
    cells = (cell for name in names for cell in table.columns[name].used().cells)
    return "parcel_id" in table.columns or any(not is_blank(cell) and text_of(cell) != "0" for cell in cells)


def _without_summaries(
    sheets: list[tuple[RawTable, list[KnownTable]]], headers: Headers
) -> list[tuple[RawTable, list[KnownTable]]]:
    """Leave out the sheets that sum up the rows of another one and agree, as a pivot table of it does; each is told.

    None is where all are called as parcels are, of which a small one may be another's sums by chance.
    """
    if all(is_parcel_name(raw.name, headers) for raw, _ in sheets):
        return sheets
    kept, scheme = [], headers.words.scheme
    for raw, found in sheets:
        others = [other for _, (other, *_) in sheets if other is not found[0] and other.kind == found[0].kind]
        tables = [other for _, (other, *_) in sheets if len(found) == 1]
        main = next((other for other in tables if sums_up(found[0], other, scheme, alike=_is_pivot(raw))), None)
        if main is None and len(found) == 1 and len(others) > 1 and is_total(raw.name):
            whole = stacked(others, [None] * len(others))  # ``Total`` beside ``CAR-1`` and ``CAR-2``
            main = others[0] if sums_up(found[0], whole, scheme) else None
        if main is None:
            kept.append((raw, found))
        else:
            headed = listed(column.header for column in found[0].columns.values())
            main.trace.leave_out("summary", raw.name, raw.header_rows[-1], headers=headed)
    return kept


def _is_pivot(raw: RawTable) -> bool:
    """Say whether a sheet is headed as tables that sum up another one are: ``Row Labels | Sum of Stones``."""
    return len(raw.columns) > 1 and all(is_total(column.header) and " " in column.header for column in raw.columns[1:])


def _add(tables: dict[str, KnownTable], found: list[KnownTable], problems: list[Problem]) -> None:
    """Add the tables of a sheet to those of the input; what is given twice is told."""
    for table in found:
        if table.kind not in tables:
            tables[table.kind] = table
        elif table is found[0]:  # zones beside stones do not go before a table of declarations
            other = tables[table.kind].name
            problems.append(problem(Broken("table_twice", {"other": other}), table=table.name))
        else:
            found[0].trace.passed_over.append(table.columns["zone_id"].header)


def _add_sheets(
    sheets: list[tuple[RawTable, list[KnownTable]]],
    tables: dict[str, KnownTable],
    headers: Headers,
    choices: Choices,
    problems: list[Problem],
) -> None:
    """Add sheets of goods, of which each is a parcel or holds parcels of its own: by a column, a title, or its name."""
    known = ids_of(tables)
    gathered: dict[str, list[tuple[KnownTable, str | None]]] = {}
    ids: list[set[str]] = []
    named: list[str] = []
    unsaid: list[tuple[KnownTable, str | None]] = []
    for raw, found in sheets:
        said = said_by_titles(raw, headers, {found[0].kind: found[0]}, choices, problems)
        title = said["parcels"].columns.get("parcel_id") if "parcels" in said else None
        parcel_id = None
        if "parcel_id" in found[0].columns:
            ids.append(ids_of({"parcels": found[0]}))
        else:
            parcel_id = raw.name if title is None else text_of(title.cells[0])
            ids.append({parcel_id})
            if title is None and parcel_id not in known:
                named.append(parcel_id)
        for table in (*found, *said.values()):
            gathered.setdefault(table.kind, []).append((table, parcel_id))
        if "parcels" not in said:
            own, rows = {"parcel_id": Column.of("parcel_id", sorted(ids[-1]))}, np.ones(len(ids[-1]), dtype=np.int32)
            unsaid.append((KnownTable(kind="parcels", name=raw.name, columns=own, n_rows=len(rows), rows=rows), None))
    if "parcels" in gathered:  # of the others nothing is said
        gathered["parcels"] += unsaid
    if len(set().union(*ids)) < sum(map(len, ids)) or any(map(is_total, named)):
        _add(tables, [sheets[0][1][0]], problems)
        problems.append(sheets[1][1][0].problem(Broken("table_twice", {"other": sheets[0][0].name})))
        return
    meant = choices.get("sheets")
    for at, (raw, _) in enumerate(sheets) if named and meant != "parcels" else ():
        for other in (other for other, _ in sheets[:at] if raw.same_rows(other)):
            problems.append(problem(Broken("same_rows", {"other": other.name}), table=raw.name))
            return
    problems += ask_about_versions(named, headers, choices)
    if meant not in ("parcels", "one") and not all(is_parcel_name(name, headers) for name in named):
        told = {"sheets": listed(named, 8), "choices": [("sheets", "parcels"), ("sheets", "one")]}
        problems.append(problem(Broken("sheets_or_parcels", told), table=sheets[0][0].name))
    for kind, items in gathered.items():
        if kind not in tables:
            tables[kind] = stacked([t for t, _ in items], [None if meant == "one" else name for _, name in items])
    if meant != "one":
        goods = next(tables[kind] for kind in GOODS if kind in tables)
        goods.trace.note("sheets_of_parcels", parcels=listed(sorted(set().union(*ids)), 20))


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
    raw = _with_sheets_as_parcels(raw, headers, sheets) if several and hint is None and raw.columns else raw
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
    if several and hint == "parcels" and _is_form(raw, words.columns("parcels")):
        return []
    if several and hint is None and _is_prose(raw):
        return []
    if several and not classed and (hint == "parcels" or (hint is None and "parcel_id" in parcels)):
        known = hint == "parcels" or bool(own)
        if (summed := _without_sums(raw, headers, choices, None if known else sheets)) is not None:
            problems += summed.problems
            named = [(fold(column.header), headers.of(column.header)) for column in raw.columns]
            more = {key: said.role for key, said in named if said.role in _OF_GOODS and not (said.wide or said.party)}
            made = recognise(summed.raw, "parcels", words, problems, more)
            summed.trace.passed_over += made.trace.passed_over
            made = replace(made, trace=summed.trace)
            return [made, *declared_beside(made, summed.raw, headers)]
    if several and hint is None and _is_cover(raw, headers):
        return []
    if _on_its_side(raw, headers):
        if not several:
            problems.append(problem(Broken("table_on_its_side"), table=raw.name, row=raw.header_rows[0]))
        return []
    before = len(problems)
    if not several and _is_headless(raw, headers) and (headed := _headed(raw, headers.words.scheme)) is not None:
        raw = headed
    elif not several and _is_headless(raw, headers):
        problems.append(_headless(raw))
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


def _with_sheets_as_parcels(raw: RawTable, headers: Headers, sheets: set[str]) -> RawTable:
    """Take a first column that lists other sheets, each called as a parcel is, for the ids of their parcels.

    A parcel ``1`` that is listed is that of the sheet ``Parcel 1``.
    """
    listed_as = {own: sheet for sheet in sheets if (own := own_name(sheet))}
    for at, column in enumerate(raw.columns) if listed_as else ():
        names = [] if column.mostly_distinct else column.used().names()
        of_parcels = headers.words.columns("parcels").get(fold(column.header)) == "parcel_id"
        if of_parcels and {*names} & {*listed_as} and not {*names} & sheets:
            cells = [listed_as.get(text_of(cell), cell) for cell in column.cells]
            columns = [*raw.columns[:at], replace(column, cells=cells), *raw.columns[at + 1 :]]
            return replace(raw, columns=columns)
    for column in raw.columns[:1] if headers.of(raw.columns[0].header).role in ("unknown", "other", "row") else ():
        names = [] if column.mostly_distinct else [name for name in column.used().names() if not is_total(name)]
        if len(names) > 1 and {*names} <= sheets and all(is_parcel_name(name, headers) for name in names):
            return replace(raw, columns=[replace(column, header="parcel_id"), *raw.columns[1:]])
    return raw


def _on_its_side(raw: RawTable, headers: Headers) -> bool:
    """Say whether a few rows hold a header each and what it says, as covers and forms of one parcel do."""
    if len(raw.columns) != 2 or not 0 < raw.n_rows <= _LINES:
        return False
    labels = [raw.columns[0].header, *(text_of(raw.columns[0].at(row)) for row in range(raw.n_rows))]
    said = [headers.of(label.rstrip(": ")) for label in labels]
    known = [item.role for item in said if item.role not in ("unknown", "other")]
    beside = raw.columns[1].header
    enough = len(known) == len(said) or (is_number(beside) and len(known) > 1)
    wide = any(item.wide for item in said)
    return enough and len(known) == len({*known}) and headers.of(beside).role == "unknown" and not wide


def _is_cover(raw: RawTable, headers: Headers) -> bool:
    """Say whether all lines of a sheet are a label and what it says of a parcel: ``Date | 2021-05-04``."""
    if len(raw.columns) != 2 or raw.n_rows > _LINES:
        return False
    above = [[text_of(cell) for cell in cells if not is_blank(cell)] for _, cells in raw.titles]
    below = ((text_of(raw.columns[0].at(row)), text_of(raw.columns[1].at(row))) for row in range(raw.n_rows))
    said = [(texts[0], texts[1]) for texts in above if len(texts) > 1]
    said = [pair for pair in [*said, (raw.columns[0].header, raw.columns[1].header), *below] if pair[0]]
    facts = [names_fact(label, headers) or headers.of(label).role == "other" for label, _ in said]
    words = all(
        fact or not is_number(value) for fact, (_, value) in zip(facts, said, strict=True)
    )  # ``Currency | USD``
    return len(facts) > 1 and sum(facts) >= len(facts) / 2 and words and not names_fact(raw.columns[1].header, headers)


def _headless(raw: RawTable) -> Problem:
    said = ", ".join(column.header or "–" for column in raw.columns)
    return problem(Broken("no_header", {"headers": said}), table=raw.name, row=raw.header_rows[0])


def _goes_on(raw: RawTable, goods: Sequence[RawTable], headers: Headers) -> bool:
    """Say whether a sheet without a header has rows as a table of goods has: as many cells, and numbers in the same."""
    if not _is_headless(raw, headers):
        return False
    rows = [[column.header, *column.cells[:50]] for column in raw.columns]
    for other in goods:
        numbers = [numbers_in([cell for cell in column.cells[:50] if not is_blank(cell)]) for column in other.columns]
        pairs = zip(rows, numbers, strict=False)
        same = len(other.columns) == len(raw.columns) and any(item is not None for item in numbers)
        if same and all(
            item is None or all(is_blank(c) or not text_of(c)[:1].isalpha() or is_total(text_of(c)) for c in own)
            for own, item in pairs
        ):
            return True
    return False


def _is_form(raw: RawTable, known: Mapping[str, str]) -> bool:
    """Say whether a table of parcels has a row for each of its fields, and what it says beside it."""
    if len(raw.columns) != 2 or raw.n_rows > _LINES:
        return False
    labels = [raw.columns[0].header, *raw.columns[0].names()]
    return all(fold(label) in known for label in labels) and fold(raw.columns[1].header) not in known


def _is_prose(raw: RawTable) -> bool:
    """Say whether a table is one column of words without a number, such as how a form is to be filled in."""
    filled = [column for column in raw.columns if not column.empty]
    return len(filled) == 1 and not filled[0].mostly_distinct and not any(map(is_number, filled[0].names()))


def _without_sums(raw: RawTable, headers: Headers, choices: Choices, sheets: set[str] | None) -> Layout | None:
    """Return a table of parcels without its totals, each checked; None where it does not list some of the `sheets`."""
    known = headers.words.columns("parcels")
    sheet = Layout(raw, meanings_of(raw, headers, choices), headers, choices, raw.trace(), [])
    at = next((at for at, item in enumerate(raw.columns) if known.get(fold(item.header)) == "parcel_id"), None)
    if at is None:
        return sheet
    sheet = without_totals(sheet, sheet.places("n_stones", "carats"), [at])
    names, codes = sheet.raw.columns[at].names(), sheet.raw.columns[at].codes
    named = [names[code] for code in codes.tolist() if names[code]]
    lists = sheets is None or (bool(named) and len({*named}) == len(named) and {*named} <= sheets)
    return sheet if lists else None


def _declared(raw: RawTable, headers: Headers, choices: Choices, problems: list[Problem]) -> KnownTable:
    """Read a table called declarations: as a purchase slip, or a sorting sheet, else under our own headers."""
    read: list[Problem] = []
    raw = _with_parcels_below(raw, headers)
    found = understand(raw, "declarations", headers, choices, read, several=True)
    if found and (found[0].kind == "declarations" or "size_class" in found[0].columns):
        problems += read
        return found[0]
    return recognise(raw, "declarations", headers.words, problems)


def _with_parcels_below(raw: RawTable, headers: Headers) -> RawTable:
    """Let the parcel of a declaration go on where it is written once, and zones stand below it."""
    known = headers.words.columns("declarations")
    at = next((at for at, item in enumerate(raw.columns) if known.get(fold(item.header)) == "parcel_id"), None)
    if at is None or not raw.n_rows or is_blank(raw.columns[at].at(0)) or not raw.columns[at].blank().any():
        return raw
    column = raw.columns[at]
    columns = [*raw.columns[:at], column.filled_down(), *raw.columns[at + 1 :]]
    return replace(
        raw, columns=columns, notes=(*raw.notes, Note(code="blanks_go_on", values={"columns": column.header}))
    )


def _is_headless(raw: RawTable, headers: Headers) -> bool:
    """Say whether the first row holds numbers and classes as rows of a table do, and names no column."""
    texts = [column.header for column in raw.columns]
    known = any(
        item.role in ("n_stones", "carats") if item.wide else item.role != "unknown" for item in map(headers.of, texts)
    )
    return not known and any(map(is_number, texts))


_HUNDREDTHS = re.compile(r"\d?\d?[.,]\d\d")


def _may_weigh(numbers: list[float]) -> bool:
    """Say whether numbers without a header may be the weights of stones, and hardly prices."""
    return max(numbers) < 20.0 and float(np.median(numbers)) < 3.0


def _headed(raw: RawTable, scheme: Scheme) -> RawTable | None:
    """Return a list of stones without headers under those that its cells leave no doubt about; None where they do.

    One column holds weights to the hundredth, the others known classes, one attribute each, or the numbers 1, 2, 3 …
    """
    columns = [Column.of("", [column.header, *(column.at(row) for row in range(raw.n_rows))]) for column in raw.columns]
    known = {item.column: attribute_words(item) for item in scheme.categorical}
    names: list[str] = []
    for column in columns:
        texts = column.names()
        named = [name for name, words in known.items() if all(class_code(text, words) is not None for text in texts)]
        if all(map(_HUNDREDTHS.fullmatch, texts)) and _may_weigh([float(text.replace(",", ".")) for text in texts]):
            names.append(scheme.size.column)
        elif texts == [str(at) for at in range(1, raw.n_rows + 2)]:
            names.append("No")
        else:
            names += named if len(named) == 1 else [""]
    sure = "" not in names and len({*names}) == len(names) and {scheme.size.column} < {*names} - {"No"}
    if raw.n_rows < 2 or not sure:
        return None
    told = Note(code="without_header", values={"columns": ", ".join(names)})
    made = [replace(column, header=name) for name, column in zip(names, columns, strict=True)]
    rows = np.array([raw.header_rows[0], *raw.rows.tolist()], dtype=np.int32)
    return replace(raw, columns=made, rows=rows, ragged={}, header_rows=(), notes=(*raw.notes, told))


def _choices_of(raw: RawTable, choices: Choices, ids: set[str], headers: Headers) -> Choices:
    """Take lots for parcels where a table of parcels or declarations has the same ids."""
    for column in raw.columns if ids else ():
        if headers.of(column.header).role == "lot":
            names = column.names()
            if {names[code] for code in np.unique(column.codes).tolist()} <= {"", *ids}:
                return {**choices, "lots": "parcels"}
    return choices


def ids_of(tables: Mapping[str, KnownTable]) -> set[str]:
    """Return the ids of parcels that the tables of parcels and of declarations name."""
    named = [tables[kind].columns.get("parcel_id") for kind in ("parcels", "declarations") if kind in tables]
    return {name for column in named if column is not None for name in column.names() if name}
