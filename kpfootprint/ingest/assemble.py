"""Tables become parcels; what is wrong with one parcel does not lose the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kpfootprint.errors import IngestError, Problem
from kpfootprint.ingest.build import build_parcel
from kpfootprint.ingest.declared import DeclaredParts, read_declarations
from kpfootprint.ingest.fields import Draft, read_parcels
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.goods import read_goods
from kpfootprint.ingest.limits import Limits
from kpfootprint.ingest.receipt import Receipt
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.sieves import read_sieve_sets
from kpfootprint.ingest.tables import Table
from kpfootprint.ingest.words import Words
from kpfootprint.parcel import Batch, Parcel


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
    declared: dict[str, DeclaredParts] = {}
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
    receipt = Receipt(tables.values(), words.scheme)
    parcels: dict[str, Parcel] = {}
    for parcel_id, draft in drafts.items():
        if parcel_id in declared:
            draft.zones, draft.countries = declared[parcel_id].zones, declared[parcel_id].countries
        rows = stone_rows.get(parcel_id), count_rows.get(parcel_id)
        parcel = build_parcel(draft, (stones, rows[0]), (counts, rows[1]), sieve_sets, words, findings, receipt)
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
