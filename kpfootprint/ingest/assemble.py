"""Tables become parcels; what is wrong with one parcel does not lose the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.fields import Draft, export_day, read_declarations, read_parcels, read_sieve_sets
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.goods import Goods, read_goods
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.sheets import read_breakdowns
from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.totals import CELL_UNIT_CT, STONE_UNIT_CT, rounding_tolerance
from kpfootprint.ingest.words import Words, fold
from kpfootprint.parcel import Batch, Conditions, Declaration, Parcel, Stones
from kpfootprint.scheme import SieveSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelFailure:
    """A parcel that cannot be examined, with everything that is wrong with it."""

    parcel_id: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Parcels that can be examined, and those that cannot.

    Parameters
    ----------
    batch : Batch
        The good parcels, in the order of `order`.
    failures : tuple of ParcelFailure
        The others.
    order : tuple of str
        Ids of all parcels as the table of parcels has them; ids that only other tables name come last.
    """

    batch: Batch
    failures: tuple[ParcelFailure, ...]
    order: tuple[str, ...]

    def problems(self) -> tuple[Problem, ...]:
        """Return the problems of all failed parcels."""
        return tuple(item for failure in self.failures for item in failure.problems)


_CONSEQUENCES = ("no_stones", "unknown_sieve_set")
"""Rules that a parcel breaks, too, where the table with its stones or its sieve set could not be read."""

CONDITIONS = ("cleaning_state", "selection", "sorter", "bottom_screen_mm", "specials_removed", "sieve_set")


def assemble(
    tables: Mapping[str, Table],
    words: Words,
    limits: Limits,
    *,
    single: str | None = None,
    problems: Sequence[Problem] = (),
) -> Submission:
    """Build parcels from recognised tables.

    Parameters
    ----------
    tables : mapping from kind to Table
        Of ``parcels``, ``declarations``, ``stones``, ``counts`` and ``size_classes``, those that were given.
    single : str, optional
        Id of the only parcel; tables without ``parcel_id`` are about it.
    problems : sequence of Problem
        What was wrong before: with any, the tables are only searched for further problems, and all are raised.

    Raises
    ------
    IngestError
        Where there were problems before, rows cannot be laid to a parcel, so that any parcel may lack some, or a sieve
        set is badly declared.
    """
    if not problems:
        return _assemble(tables, words, limits, single)
    try:
        further = _assemble(tables, words, limits, single).problems()
    except IngestError as error:
        further = error.problems
    raise IngestError([*problems, *(item for item in further if item.code not in _CONSEQUENCES)])


def _assemble(tables: Mapping[str, Table], words: Words, limits: Limits, single: str | None) -> Submission:
    findings = Findings(limits.max_problems)
    drafts = _drafts(tables, single, findings)
    listed = bool(drafts)
    stones, counts = (
        read_goods(tables[kind], single, words, findings) if kind in tables else None for kind in ("stones", "counts")
    )
    declared: dict[str, dict[str, float | None]] = {}
    if "declarations" in tables and tables["declarations"].complete:
        declared = read_declarations(tables["declarations"], single, words, findings)
    sizes = tables.get("size_classes")
    sieve_sets = read_sieve_sets(sizes if sizes and sizes.complete else None, words, findings)
    stone_rows = stones.rows_by_parcel() if stones and stones.table.complete else {}
    count_rows = counts.rows_by_parcel() if counts and counts.table.complete else {}
    for kind, ids in (("stones", stone_rows), ("counts", count_rows), ("declarations", declared)):
        for parcel_id in ids:
            if parcel_id in drafts or not parcel_id:
                continue
            drafts[parcel_id] = Draft(parcel_id)
            if listed:
                findings.add(parcel_id, tables[kind].problem(Broken("unknown_parcel")))
    whole = findings.of(None)
    if whole:
        raise IngestError(findings.all(drafts))
    parcels: dict[str, Parcel] = {}
    for parcel_id, draft in drafts.items():
        draft.zones = declared.get(parcel_id, {})
        rows = stone_rows.get(parcel_id), count_rows.get(parcel_id)
        parcel = _build(draft, (stones, rows[0]), (counts, rows[1]), sieve_sets, words, findings)
        if parcel is not None:
            parcels[parcel_id] = parcel
    order = tuple(drafts)
    spoiled = findings.spoiled()
    return Submission(
        batch=Batch(tuple(parcels[name] for name in order if name in parcels and name not in spoiled)),
        failures=tuple(ParcelFailure(parcel_id=name, problems=findings.of(name)) for name in order if name in spoiled),
        order=order,
    )


def _drafts(tables: Mapping[str, Table], single: str | None, findings: Findings) -> dict[str, Draft]:
    if "parcels" in tables and tables["parcels"].complete:
        return read_parcels(tables["parcels"], findings)
    return {} if single is None else {single: Draft(single)}


Rows = tuple[Goods | None, NDArray[np.intp] | None]


def _build(
    draft: Draft,
    stones: Rows,
    counts: Rows,
    sieve_sets: Mapping[str, SieveSet | None],
    words: Words,
    findings: Findings,
) -> Parcel | None:
    """Build one parcel, or note why not and return None."""

    def tell(code: str, column: str | None = None, **values: object) -> None:
        broken = Broken(code, values)
        if draft.table is not None:
            findings.add(draft.parcel_id, draft.table.problem(broken, draft.row, column))
        else:
            findings.add(draft.parcel_id, problem(broken, table="parcels", column=column))

    sieve_set = _sieve_set(draft, sieve_sets, words, tell)
    if stones[1] is not None and counts[1] is not None:
        tell("stones_and_counts")
        return None
    goods, rows = stones if stones[1] is not None else counts
    if goods is None or rows is None:
        if draft.parcel_id not in findings.spoiled():
            tell("no_stones")
        return None
    if draft.parcel_id in findings.spoiled() or sieve_set is None:
        return None
    if goods.table.kind == "stones":
        weight = np.ascontiguousarray(goods.numbers[words.scheme.size.column][rows])
        _check_totals(draft, len(rows), float(np.sum(weight)), weight, STONE_UNIT_CT, tell)
        recorded = {name: np.ascontiguousarray(codes[rows]) for name, codes in goods.codes.items()}
        recorded = {name: codes for name, codes in recorded.items() if np.any(codes >= 0)}
        body: dict[str, Any] = {
            "n_stones": len(rows),
            "carats": round(float(np.sum(weight)), 6),
            "stones": Stones(weight_ct=weight, codes=recorded),
        }
    else:
        breakdowns = read_breakdowns(goods, rows, draft.parcel_id, sieve_set, words, findings)
        if not breakdowns:
            return None
        n_stones = int(breakdowns[0].n_stones.sum())
        weighed = next((item.carats for item in breakdowns if item.carats is not None), None)
        carats = None if weighed is None else float(weighed.sum())
        _check_totals(draft, n_stones, carats, weighed, CELL_UNIT_CT, tell)
        sized = any(words.scheme.size.name in item.attributes for item in breakdowns)
        body = {
            "n_stones": n_stones,
            "carats": None if carats is None else round(carats, 6),
            "breakdowns": breakdowns,
            "sieve_set": sieve_set if sized else None,
        }
    if draft.parcel_id in findings.spoiled():
        return None
    return _parcel(draft, body, _stone_values(goods, rows))


def _sieve_set(draft: Draft, sets: Mapping[str, SieveSet | None], words: Words, tell: Any) -> SieveSet | None:
    """Return the parcel's sieve set: the one it names, or the package's own."""
    name = draft.fields.get("sieve_set")
    if name is None:
        return words.scheme.size.sieve_set
    found = sets.get(fold(name))
    if found is None:
        known = ", ".join(item.name for item in sets.values() if item is not None)
        tell("unknown_sieve_set", "sieve_set", known=known)
        return None
    draft.fields["sieve_set"] = found.name
    return found


def _check_totals(
    draft: Draft, n_stones: int, carats: float | None, parts: NDArray[np.float64] | None, unit: float, tell: Any
) -> None:
    stated = draft.fields.get("n_stones")
    if stated is not None and stated != n_stones:
        tell("stones_total", "n_stones", expected=stated, found=n_stones)
    weight = draft.fields.get("carats")
    if weight is None or carats is None or parts is None:
        return
    tolerance = rounding_tolerance(weight, parts, coarsest=unit)
    if abs(weight - carats) > tolerance:
        tell("carats_total", "carats", expected=f"{weight:g}", found=f"{carats:.2f}", tolerance=f"{tolerance:.2f}")


def _stone_values(goods: Goods, rows: NDArray[np.intp]) -> float | None:
    """Return the sum of the values of stones or cells, where every one of them has a value."""
    if "value_usd" not in goods.numbers:
        return None
    values = goods.numbers["value_usd"][rows]
    return None if bool(np.isnan(values).any()) or goods.table.kind == "counts" else round(float(values.sum()), 2)


def _parcel(draft: Draft, body: Mapping[str, Any], value_of_rows: float | None) -> Parcel:
    fields = draft.fields
    return Parcel(
        parcel_id=draft.parcel_id,
        conditions=Conditions(**{name: fields[name] for name in CONDITIONS if name in fields}),
        declarations=tuple(
            Declaration(zone_id=zone, carats=None if carats is None else round(carats, 6))
            for zone, carats in draft.zones.items()
        ),
        exported_on=export_day(draft),
        certificate_no=fields.get("certificate_no"),
        exporter=fields.get("exporter"),
        value_usd=fields.get("value_usd", value_of_rows),
        hs_code=fields.get("hs_code"),
        declared_carats=fields.get("carats"),
        **body,
    )
