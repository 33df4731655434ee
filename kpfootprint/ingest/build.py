"""One parcel from its draft and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.fields import Draft, export_day
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.goods import Goods
from kpfootprint.ingest.receipt import Receipt
from kpfootprint.ingest.rules import Broken, problem
from kpfootprint.ingest.sheets import number_and_weight, read_breakdowns
from kpfootprint.ingest.totals import CELL_UNIT_CT, STONE_UNIT_CT, rounding_tolerance
from kpfootprint.ingest.words import Words, fold
from kpfootprint.parcel import Conditions, Declaration, DeclaredCountry, Parcel, Stones
from kpfootprint.scheme import SieveSet

CONDITIONS = ("cleaning_state", "selection", "sorter", "bottom_screen_mm", "specials_removed", "sieve_set")

Rows = tuple[Goods | None, NDArray[np.intp] | None]


def build_parcel(
    draft: Draft,
    stones: Rows,
    counts: Rows,
    sieve_sets: Mapping[str, SieveSet | None],
    words: Words,
    findings: Findings,
    receipt: Receipt,
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
        breakdowns, sieve_set = read_breakdowns(goods, rows, draft.parcel_id, sieve_set, words, findings)
        stated, stated_ct = draft.fields.get("n_stones"), draft.fields.get("carats")
        if breakdowns and all(item.sample for item in breakdowns):
            if stated is None or stated_ct is None:
                tell("sample_alone", "n_stones")
                return None
            breakdowns = (number_and_weight(stated, stated_ct), *breakdowns)
        if not breakdowns:
            return None
        whole = [item for item in breakdowns if not item.sample]
        n_stones = next((n for item in whole if (n := item.counted) is not None), stated or 0)
        weighed = next((item.carats for item in whole if item.weighed is not None), None)
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
    return _parcel(draft, body | {"read_as": receipt.of(body)}, _stone_values(goods, rows))


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
        declarations=tuple(Declaration(zone_id=zone, **part.amounts()) for zone, part in draft.zones.items()),
        countries=tuple(DeclaredCountry(country=name, **part.amounts()) for name, part in draft.countries.items()),
        exported_on=export_day(draft),
        certificate_no=fields.get("certificate_no"),
        exporter=fields.get("exporter"),
        value_usd=fields.get("value_usd", value_of_rows),
        hs_code=fields.get("hs_code"),
        declared_carats=fields.get("carats"),
        **body,
    )
