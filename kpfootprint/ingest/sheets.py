"""A sorting sheet: rows of counts become breakdowns, each of which sums to the parcel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kpfootprint.ingest.cells import Odd, is_blank, text_of
from kpfootprint.ingest.findings import Findings
from kpfootprint.ingest.goods import Goods
from kpfootprint.ingest.rules import Broken
from kpfootprint.ingest.totals import CELL_UNIT_CT, spread_of
from kpfootprint.ingest.words import Words, find_size, fold_size, nearest, size_words
from kpfootprint.parcel import NOT_RECORDED, Breakdown
from kpfootprint.scheme import SieveSet


def read_breakdowns(
    goods: Goods, rows: NDArray[np.intp], parcel_id: str, sieve_set: SieveSet, words: Words, findings: Findings
) -> tuple[Breakdown, ...]:
    """Gather a parcel's rows by the class columns that they fill; rows of one cell add up.

    Returns no breakdown where a problem was found.
    """
    table = goods.table
    names = words.scheme.attribute_names
    codes = np.full((len(rows), len(names)), NOT_RECORDED, dtype=np.int16)
    sound = True
    codes[:, 0], sound = _size_codes(goods, rows, parcel_id, sieve_set, findings)
    for position, name in enumerate(names[1:], start=1):
        if name in goods.codes:
            codes[:, position] = goods.codes[name][rows]
    filled = codes >= 0
    for at in np.flatnonzero(~filled.any(axis=1)).tolist() if sound else ():
        findings.add(parcel_id, table.problem(Broken("no_class"), int(rows[at])))
        sound = False
    if not sound:
        return ()
    patterns, groups = np.unique(filled, axis=0, return_inverse=True)
    groups = groups.reshape(-1)
    first = [int(np.flatnonzero(groups == group)[0]) for group in range(len(patterns))]
    breakdowns: list[Breakdown] = []
    for group in np.argsort(first):
        members = np.flatnonzero(groups == group)
        used = np.flatnonzero(patterns[group])
        made = _breakdown(
            goods, rows[members], codes[np.ix_(members, used)], [names[i] for i in used], parcel_id, findings
        )
        if made is None:
            return ()
        breakdowns.append(made)
    _check_agreement(goods, breakdowns, parcel_id, findings)
    return tuple(breakdowns)


def _size_codes(
    goods: Goods, rows: NDArray[np.intp], parcel_id: str, sieve_set: SieveSet, findings: Findings
) -> tuple[NDArray[np.int16], bool]:
    column = goods.table.columns.get("size_class")
    codes = np.full(len(rows), NOT_RECORDED, dtype=np.int16)
    if column is None:
        return codes, True
    known = size_words(sieve_set)
    labels = {fold_size(name): name for name in sieve_set.classes}
    sound = True
    for at, row in enumerate(rows.tolist()):
        cell = column.at(row)
        if is_blank(cell):
            continue
        code = None if isinstance(cell, Odd) else find_size(text_of(cell), known)
        if code is not None:
            codes[at] = code
            continue
        values = {
            "attribute": f"size class of {sieve_set.name}",
            "nearest": nearest("" if findings.full else text_of(cell), labels),
        }
        broken = Broken(cell.code, {"expected": "text"}) if isinstance(cell, Odd) else Broken("unknown_class", values)
        findings.add(parcel_id, goods.table.problem(broken, row, "size_class"))
        sound = False
    return codes, sound


def _breakdown(
    goods: Goods,
    rows: NDArray[np.intp],
    codes: NDArray[np.int16],
    names: list[str],
    parcel_id: str,
    findings: Findings,
) -> Breakdown | None:
    counts = goods.numbers["n_stones"][rows].astype(np.int64)
    carats = goods.numbers["carats"][rows] if "carats" in goods.numbers else np.full(len(rows), np.nan)
    carats = np.where((counts == 0) & np.isnan(carats), 0.0, carats)
    missing = np.isnan(carats)
    weighed = bool((~missing & (counts > 0)).any())
    wrong = (
        ((missing | (carats <= 0)) & (counts > 0)) | ((counts == 0) & (carats > 0))
        if weighed
        else np.zeros(len(rows), dtype=bool)
    )
    for at in np.flatnonzero(wrong).tolist():
        code = "missing_value" if missing[at] else "zero" if counts[at] > 0 else "no_stones"
        column = "n_stones" if counts[at] == 0 else "carats"
        findings.add(parcel_id, goods.table.problem(Broken(code), int(rows[at]), column))
    if wrong.any():
        return None
    cells, inverse = np.unique(codes, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    return Breakdown(
        attributes=tuple(names),
        codes=cells,
        n_stones=np.bincount(inverse, weights=counts, minlength=len(cells)).astype(np.int64),
        carats=np.round(np.bincount(inverse, weights=carats, minlength=len(cells)), 6) if weighed else None,
    )


def _check_agreement(goods: Goods, breakdowns: list[Breakdown], parcel_id: str, findings: Findings) -> None:
    """Note breakdowns that hold other totals than the first one."""
    head, *others = breakdowns
    total = int(head.n_stones.sum())
    if total == 0:
        findings.add(parcel_id, goods.table.problem(Broken("no_stones")))

    def tell(item: Breakdown, other: Breakdown, found: str, expected: str, column: str) -> None:
        values = {"attributes": " x ".join(item.attributes), "others": " x ".join(other.attributes)}
        broken = Broken("breakdowns_disagree", {**values, "found": found, "expected": expected})
        findings.add(parcel_id, goods.table.problem(broken, None, column))

    for item in others:
        if int(item.n_stones.sum()) != total:
            tell(item, head, str(int(item.n_stones.sum())), str(total), "n_stones")
    weighed = [item for item in breakdowns if item.carats is not None]
    for item in weighed[1:]:
        first = weighed[0].carats
        assert first is not None
        assert item.carats is not None
        slack = spread_of(first, coarsest=CELL_UNIT_CT) + spread_of(item.carats, coarsest=CELL_UNIT_CT)
        if abs(float(item.carats.sum()) - float(first.sum())) > slack:
            tell(item, weighed[0], f"{item.carats.sum():.2f} ct", f"{first.sum():.2f} ct", "carats")
