"""Parcels built from recognised tables, each with all that is wrong with it and with how it was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.files.archive import Limits
from kpfootprint.ingest.parcels.alike import tell_copies, tell_ids_alike
from kpfootprint.ingest.parcels.breakdowns import number_and_weight, read_breakdowns
from kpfootprint.ingest.parcels.gathered import Findings
from kpfootprint.ingest.parcels.records import (
    CONDITIONS,
    Declared,
    Draft,
    GoodsRows,
    read_declarations,
    read_goods,
    read_parcels,
    read_sieve_sets,
)
from kpfootprint.ingest.problems import Broken, problem
from kpfootprint.ingest.raw.rounding import CELL_UNIT_CT, STONE_UNIT_CT, cell_unit, rounding_tolerance, unit_written
from kpfootprint.ingest.raw.tables import GOODS, KnownTable
from kpfootprint.ingest.words import Vocabulary, fold
from kpfootprint.parcel import Batch, Conditions, Declaration, DeclaredCountry, Parcel, Stones
from kpfootprint.scheme import CT_PER_MM3, Scheme, SieveSet
from kpfootprint.wanted import each

_TOLD = ("stones", "counts", "parcels", "declarations", "size_classes")
"""Tables in the order in which their reading is told."""


class Receipt:
    """Tells of each parcel how it was read; what holds for all parcels of an input is put together once.

    Parameters
    ----------
    tables : iterable of KnownTable
        The tables that were read.
    """

    def __init__(self, tables: Iterable[KnownTable], scheme: Scheme) -> None:
        self._names = {item.name: item.code_names for item in scheme.categorical}
        read = sorted(tables, key=lambda table: _TOLD.index(table.kind))
        goods = next((table for table in read if table.kind in ("stones", "counts")), None)
        left_out = [note for table in read for note in sorted(table.trace.left_out, key=lambda note: note.row or 0)]
        self._notes = [note for table in read for note in table.trace.notes]
        self._common = {
            "header_rows": [1] if goods is None else list(goods.trace.header_rows),
            "left_out": [{"table": item.table, "row": item.row} | item.told for item in left_out[:100]],
            "passed_over": list(dict.fromkeys(name for table in read for name in table.trace.passed_over)),
            "hidden": [what for table in read for what in table.trace.hidden],
        }

    def of(self, parcel: Parcel) -> dict[str, Any]:
        """Return how a parcel was read, as plain JSON values, from its stones or breakdowns.

        A plain list under plain headers gives the same, whatever file or document it came in.
        """
        n_stones, carats, stones = parcel.n_stones, parcel.carats, parcel.stones
        return {
            "n_stones": n_stones or None,
            "carats": carats,
            "mean_ct": round(carats / n_stones, 4) if carats and n_stones else None,
            "largest_ct": None if stones is None else round(float(stones.weight_ct.max()), 6),
            "classes": self._classes(parcel),
            **self._common,
            "notes": [note.told for note in self._notes if not note.parcels or parcel.parcel_id in note.parcels],
        }

    def _classes(self, parcel: Parcel) -> dict[str, dict[str, int]]:
        """Return how many stones were read of each class, by attribute; classes without stones are left out."""
        found: dict[str, dict[str, int]] = {}
        for name, codes in parcel.stones.codes.items() if parcel.stones is not None else ():
            found[name] = _named(self._names[name], np.bincount(codes[codes >= 0], minlength=len(self._names[name])))
        sizes = parcel.sieve_set.classes if parcel.sieve_set is not None else ()
        for breakdown in sorted(parcel.breakdowns, key=lambda item: item.sample):  # sizes are those of the whole
            for name in breakdown.attributes:
                if not found.get(name) or (breakdown.sample and name in self._names):
                    codes, names = breakdown.codes_of(name), self._names.get(name, sizes)
                    known = (codes >= 0) & (breakdown.n_stones >= 0)
                    counts = np.bincount(codes[known], weights=breakdown.n_stones[known], minlength=len(names))
                    found[name] = _named(names, counts)
        return found


def _named(names: Sequence[str], counts: NDArray[Any]) -> dict[str, int]:
    return {name: int(count) for name, count in zip(names, counts.tolist(), strict=True) if count}


_CARAT_G = 0.2
_FAR_BELOW = 1 / 3
"""Part of what a stone on the bottom screen weighs, that the mean stone weighs at least: flat ones weigh less."""


def build_parcel(
    draft: Draft,
    given: Sequence[tuple[GoodsRows, NDArray[np.intp]]],
    sieve_sets: Mapping[str, SieveSet | None],
    words: Vocabulary,
    findings: Findings,
    receipt: Receipt,
) -> Parcel | None:
    """Build one parcel from its rows of stones or counts, or note why not and return None."""
    held = _Held(draft, words, findings)
    sieve_set = held.sieve_set(sieve_sets)
    if len(given) > 1:
        names = {goods.table.kind: goods.table.name for goods, _ in given}
        held.tell("stones_and_counts", None, **names, choices=[("goods", kind) for kind in GOODS])
    elif not given and not findings.has(draft.parcel_id):
        held.tell("no_stones")
    if findings.has(draft.parcel_id) or sieve_set is None or not given:
        return None
    goods, rows = given[0]
    body = held.stones(goods, rows) if goods.table.kind == "stones" else held.counts(goods, rows, sieve_set)
    if body is None or findings.has(draft.parcel_id):
        return None
    parcel = _parcel(draft, body)
    return replace(parcel, read_as=receipt.of(parcel))


@dataclass(frozen=True)
class _Held:
    """What is said of a parcel, held against its stones or counts; what disagrees is told."""

    draft: Draft
    words: Vocabulary
    findings: Findings

    def tell(self, code: str, column: str | None = None, **values: object) -> None:
        """Note a problem of what is said of the parcel, where it is said."""
        broken, table, of = Broken(code, values), self.draft.table, self.draft.parcel_id
        if table is None:
            found = problem(broken, table="parcels", column=column)
        else:
            found = table.problem(broken, self.draft.row, column)
        self.findings.add(of, found if column else replace(found, value=of))

    def sieve_set(self, sets: Mapping[str, SieveSet | None]) -> SieveSet | None:
        """Return the parcel's sieve set: the one it names, or the package's own."""
        name = self.draft.fields.get("sieve_set")
        if name is None:
            return self.words.scheme.size.sieve_set
        found = sets.get(fold(name))
        if found is None:
            known = ", ".join(item.name for item in sets.values() if item is not None)
            self.tell("unknown_sieve_set", "sieve_set", known=known)
            return None
        self.draft.fields["sieve_set"] = found.name
        return found

    def stones(self, goods: GoodsRows, rows: NDArray[np.intp]) -> dict[str, Any]:
        """Return what a parcel is of which each stone is listed."""
        weight = np.ascontiguousarray(goods.numbers[self.words.scheme.size.column][rows])
        self._totals(len(rows), float(np.sum(weight)), weight, STONE_UNIT_CT)
        heaviest = float(weight.max())
        self._largest(heaviest, heaviest, f"{heaviest:g}")
        recorded = {name: np.ascontiguousarray(codes[rows]) for name, codes in goods.codes.items()}
        recorded = {name: codes for name, codes in recorded.items() if np.any(codes >= 0)}
        return {
            "n_stones": len(rows),
            "carats": round(float(np.sum(weight)), 6),
            "stones": Stones(weight_ct=weight, codes=recorded, value_usd=_values(goods, rows)),
        }

    def counts(self, goods: GoodsRows, rows: NDArray[np.intp], sieve_set: SieveSet) -> dict[str, Any] | None:
        """Return what a parcel is of which stones are counted by classes; None where they cannot be read."""
        draft, size = self.draft, self.words.scheme.size.name
        breakdowns, sieve_set = read_breakdowns(goods, rows, draft.parcel_id, sieve_set, self.words, self.findings)
        stated, stated_ct = draft.fields.get("n_stones"), draft.fields.get("carats")
        if breakdowns and all(item.sample for item in breakdowns):
            if stated is None or stated_ct is None:
                self.tell("sample_alone", "n_stones")
                return None
            breakdowns = (number_and_weight(stated, stated_ct), *breakdowns)
        if not breakdowns:
            return None
        whole = [item for item in breakdowns if not item.sample]
        n_stones = next((n for item in whole if (n := item.counted) is not None), stated or 0)
        weighed = next((item.carats for item in whole if item.weighed is not None), None)
        carats = None if weighed is None else float(weighed.sum())
        column = goods.table.columns.get("carats")
        self._totals(n_stones, carats, weighed, CELL_UNIT_CT if column is None else cell_unit(column.cells))
        for item in [item for item in whole if size in item.attributes][:1]:
            codes = item.codes[item.n_stones > 0, item.attributes.index(size)]
            if (code := int(codes.max(initial=-1))) >= 0:
                lower, upper = sieve_set.lower_ct[code], sieve_set.upper_ct[code]
                self._largest(0.8 * lower, 1.25 * upper, sieve_set.classes[code])
        return {
            "n_stones": n_stones,
            "carats": None if carats is None else round(carats, 6),
            "breakdowns": breakdowns,
            "sieve_set": sieve_set if any(size in item.attributes for item in breakdowns) else None,
        }

    def _totals(self, n_stones: int, carats: float | None, parts: NDArray[np.float64] | None, unit: float) -> None:
        """Hold stones, carats, their mean and the bottom screen that are said against those that there are."""
        stated = self.draft.fields.get("n_stones")
        if stated is not None and stated != n_stones:
            self.tell("stones_total", "n_stones", expected=stated, found=n_stones)
        if carats is None or parts is None:
            return
        for name, in_carats in (("carats", 1.0), ("weight_g", 1 / _CARAT_G)):
            if (weight := self.draft.fields.get(name)) is None:
                continue
            written = self.draft.cell(name)
            rounded = 0.5 * unit_written(written, weight) * in_carats if name == "weight_g" else 0.0
            weight *= in_carats
            tolerance = rounding_tolerance(weight, parts, coarsest=unit, written=written) + rounded
            if abs(weight - carats) > tolerance:
                told = {"expected": f"{weight:g}", "found": f"{carats:.2f}", "tolerance": f"{tolerance:.2f}"}
                self.tell("carats_total", name, **told)
        in_line = self.draft.table is not None and self.draft.table.titles  # elsewhere its column says millimetres
        screen = self.draft.fields.get("bottom_screen_mm") if in_line else None
        if screen is not None and n_stones and carats / n_stones < _FAR_BELOW * (least := CT_PER_MM3 * screen**3):
            found = f"{carats / n_stones:.3g}"
            self.tell("screen_unlikely", "bottom_screen_mm", screen=f"{screen:g}", least=f"{least:.3g}", found=found)
        mean = self.draft.fields.get("mean_ct")
        if mean is not None and n_stones and abs(mean - carats / n_stones) > unit_written(mean, mean) + 0.01 * mean:
            self.tell("mean_disagrees", "mean_ct", expected=f"{mean:g}", found=f"{carats / n_stones:.3g}")

    def _largest(self, least: float, most: float, found: str) -> None:
        """Hold what is said of the largest stone against the heaviest one, or the limits of the highest class."""
        largest = self.draft.fields.get("largest_ct")
        if largest is not None and not least - 0.0051 <= largest <= most + 0.0051:
            self.tell("largest_disagrees", "largest_ct", expected=f"{largest:g}", found=found)


def _value_of_rows(body: Mapping[str, Any]) -> float | None:
    """Return the sum of the values of stones, or of the rows of a breakdown, where every one of them has a value."""
    parts = [body["stones"]] if "stones" in body else [one for one in body["breakdowns"] if not one.sample]
    values = next((one.value_usd for one in parts if one.value_usd is not None), None)
    return None if values is None else round(float(values.sum()), 2)


def _values(goods: GoodsRows, rows: NDArray[np.intp]) -> NDArray[np.float64] | None:
    """Return the values of rows; None where not every one has a value."""
    values = goods.numbers["value_usd"][rows] if "value_usd" in goods.numbers else None
    return None if values is None or bool(np.isnan(values).any()) else np.ascontiguousarray(values)


def _parcel(draft: Draft, body: Mapping[str, Any]) -> Parcel:
    fields = draft.fields
    return Parcel(
        parcel_id=draft.parcel_id,
        conditions=Conditions(**{name: fields[name] for name in CONDITIONS if name in fields}),
        declarations=tuple(item for item in draft.declared if isinstance(item, Declaration)),
        countries=tuple(item for item in draft.declared if isinstance(item, DeclaredCountry)),
        exported_on=fields.get("exported_on"),
        certificate_no=fields.get("certificate_no"),
        exporter=fields.get("exporter"),
        value_usd=fields.get("value_usd", _value_of_rows(body)),
        hs_code=fields.get("hs_code"),
        declared_carats=fields.get("carats"),
        **body,
    )


def _add_drafts(
    drafts: dict[str, Draft], named: Sequence[tuple[KnownTable, str, int | None, int]], findings: Findings
) -> None:
    """Add parcels that other tables name, each with its first row and their number; told where parcels are listed."""
    listed = bool(drafts)
    for table, parcel_id, first, count in named:
        if parcel_id in drafts or not parcel_id:
            continue
        drafts[parcel_id] = Draft(parcel_id)
        if listed:
            told = table.problem(Broken("unknown_parcel", {"count": count}), first, "parcel_id")
            findings.add(parcel_id, replace(told, value=parcel_id))
    drafts |= {name: Draft(name) for name in findings.spoiled() if name and name not in drafts}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelFailure:
    """A parcel that cannot be examined, with everything that is wrong with it."""

    parcel_id: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of reading an input: parcels that can be examined, and what is wrong with the others, or with it whole.

    Parameters
    ----------
    parcels : tuple of Parcel
        The good parcels, in the order of `order`; ``parcel.read_as`` says how each was read.
    failures : tuple of ParcelFailure
        The others, each with all that is wrong with it.
    order : tuple of str
        Ids of all parcels as the table of parcels has them; ids that only other tables name come last.
    problems : tuple of Problem
        Everything that is wrong, whatever parcel it spoils. A problem whose ``values`` have ``choices`` is a question.
    """

    parcels: tuple[Parcel, ...] = ()
    failures: tuple[ParcelFailure, ...] = ()
    order: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def batch(self) -> Batch:
        """The good parcels, to be examined together."""
        return Batch(self.parcels)


_CONSEQUENCES = ("no_stones", "unknown_sieve_set")
"""Rules that a parcel breaks, too, where the table with its stones or its sieve set could not be read."""


def assemble(
    tables: Mapping[str, KnownTable],
    words: Vocabulary,
    limits: Limits,
    *,
    single: str | None = None,
    problems: Sequence[Problem] = (),
    spoiled: Mapping[str, Sequence[Problem]] | None = None,
    copies: bool = False,
) -> Reading:
    """Build parcels from recognised tables.

    Parameters
    ----------
    tables : mapping from kind to KnownTable
        Of ``parcels``, ``declarations``, ``stones``, ``counts`` and ``size_classes``, those that were given.
    single : str, optional
        Id of the only parcel; tables without ``parcel_id`` are about it.
    problems : sequence of Problem
        What was wrong before: with any, the tables are only searched for further problems, and all are raised.
    spoiled : mapping of str to sequence of Problem, optional
        What was wrong before with some parcels alone.
    copies : bool
        Whether parcels may hold the same stones, as valuations of one do.

    Raises
    ------
    IngestError
        Where there were problems before, rows cannot be laid to a parcel, so that any parcel may lack some, or a sieve
        set is badly declared.
    """
    findings = Findings(limits.max_problems)
    for parcel_id, items in (spoiled or {}).items():
        for item in items:
            findings.add(parcel_id, item)
    if not problems:
        return _assembled(tables, words, single, findings, copies=copies)
    try:
        further = _assembled(tables, words, single, findings, copies=copies).problems
    except IngestError as error:
        further = error.problems
    raise IngestError([*problems, *(item for item in further if item.code not in _CONSEQUENCES)])


def _assembled(
    tables: Mapping[str, KnownTable], words: Vocabulary, single: str | None, findings: Findings, *, copies: bool
) -> Reading:
    complete = {kind: table for kind, table in tables.items() if table.complete}
    drafts = {} if single is None else {single: Draft(single)}
    if "parcels" in complete:
        drafts = read_parcels(complete["parcels"], findings)
    listed = bool(drafts)
    goods = [read_goods(tables[kind], single, words, findings) for kind in GOODS if kind in tables]
    declared: dict[str, list[Declared]] = {}
    if "declarations" in complete:
        declared = read_declarations(complete["declarations"], single, words, findings)
    sieve_sets = read_sieve_sets(complete.get("size_classes"), words, findings)
    rows = [(item, item.rows_by_parcel()) for item in goods if item.table.complete]
    named = [(item.table, name, int(own[0]), len(own)) for item, found in rows for name, own in found.items()]
    _add_drafts(drafts, [*named, *((tables["declarations"], name, None, 1) for name in declared)], findings)
    tell_ids_alike(drafts, tables, findings)
    if findings.of(None):
        raise IngestError(findings.all(drafts))
    receipt = Receipt(tables.values(), words.scheme)
    built: dict[str, Parcel] = {}
    for parcel_id, draft in each(drafts.items()):
        draft.declared = declared.get(parcel_id, draft.declared)
        given = [(item, found[parcel_id]) for item, found in rows if parcel_id in found]
        parcel = build_parcel(draft, given, sieve_sets, words, findings, receipt)
        if parcel is not None:
            built[parcel_id] = parcel
    if not copies:
        tell_copies(built, tables, findings, listed=listed)
    bad = findings.spoiled()
    failures = tuple(ParcelFailure(parcel_id=name, problems=findings.of(name)) for name in drafts if name in bad)
    return Reading(
        parcels=tuple(built[name] for name in drafts if name in built and name not in bad),
        failures=failures,
        order=tuple(drafts),
        problems=findings.all(drafts),
    )
