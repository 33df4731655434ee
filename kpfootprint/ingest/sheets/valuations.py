"""Several valuations of one parcel: whose the stones and carats are, side by side or in rows of one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpfootprint.ingest.columns.meanings import Layout
from kpfootprint.ingest.names.headers import UNKNOWN, Meaning
from kpfootprint.ingest.problems import listed
from kpfootprint.ingest.raw.tables import KnownTable
from kpfootprint.ingest.sheets.around import ONE
from kpfootprint.ingest.sheets.counted_twice import same_stones
from kpfootprint.ingest.words import declared_words, plain, says, tokens_of

PARTS = ("valuation", "parts")
"""The answer that columns side by side are of parts of one parcel."""


def parties_of(sheet: Layout) -> list[str]:
    """Return whose the pieces and carats are, where headers name several."""
    found: dict[str, set[str]] = {}
    for item in sheet.meanings:
        if item.party and not item.wide and not item.part:
            found.setdefault(item.party, set()).add(item.role)
    return [*found] if len(found) > 1 and len({*map(frozenset, found.values())}) == 1 else []


def as_each_sees_them(sheet: Layout, parties: Sequence[str]) -> dict[str, Layout]:
    """Return a sheet as each of several parties saw the stones; where they may be parts of one parcel, it is asked."""
    if not all(map(_is_party, parties)):
        chosen = sheet.choices.get("valuation")
        if chosen is None or plain(chosen) not in {*parties, *PARTS[1:]}:
            choices = [*(("valuation", party) for party in parties), PARTS]
            heads = [(item.party, sheet.raw.columns[at].header) for at, item in enumerate(sheet.meanings)]
            headers = [[header for of, header in heads if of == party] for party in parties]
            sheet.tell("classes_or_valuations", None, found=listed(parties, 8), choices=choices, headers=headers)
    made: dict[str, Layout] = {}
    for party in parties:
        meanings = [
            UNKNOWN if item.party and item.party != party else replace(item, party="") for item in sheet.meanings
        ]
        meanings = [replace(item, role="other", sure=True) if item.role == "unknown" else item for item in meanings]
        trace = replace(sheet.trace, left_out=list(sheet.trace.left_out), passed_over=[], notes=[])
        made[party] = replace(sheet, meanings=meanings, trace=trace)
    return made


def as_one_sees_them(sheet: Layout, parties: Sequence[str]) -> Layout:
    """Return a list of stones as the one of several parties saw them who was chosen; without a choice it is asked."""
    chosen = plain(sheet.choices.get("valuation", ""))
    if chosen not in parties:
        choices = [("valuation", party) for party in parties]
        sheet.tell("which_valuation", None, found=listed(parties, 8), choices=choices)
    meanings = [item if item.party in ("", chosen) else Meaning(role="other") for item in sheet.meanings]
    return replace(sheet, meanings=[replace(item, party="") for item in meanings])


def ask_about_other_weights(sheet: Layout) -> None:
    """Ask about weights that are headed by another word, ``Control weight``, where half are far from the stones'."""
    own = sheet.places("carats")
    for at, column in enumerate(sheet.raw.columns) if len(own) == 1 and not sheet.places("n_stones") else ():
        said = sheet.headers.of(column.header)
        left = sheet.meanings[at].role == "other" and f"column:{column.header}" not in sheet.choices
        if left and said.role == "carats" and said.party and not (said.wide or said.part):
            one, other = sheet.raw.values(own[0]), sheet.raw.values(at)
            apart = (np.abs(other - one) > 0.1 * one + 0.015)[np.isfinite(one + other)]
            if 2 * apart.sum() > len(apart) > 2:
                sheet.ask("measure_or_other", at, "ignore")


def _is_party(name: str) -> bool:
    """Say whether a name is that of somebody who values goods: ``ministry``, ``valuer B``, not ``lot B``."""
    words = [token for token in tokens_of(name) if len(token) > 1]
    lettered = len(words) < len(tokens_of(name))
    of_goods = ("lot", "zone", "pit", *(("seller", "gathers") if lettered else ()))  # ``Seller B``
    known = not {*words, *(() if words else tokens_of(name))}.isdisjoint(declared_words()["parties"]["words"])
    return known and not any(says(role, *words) for role in of_goods)


def valued_in_rows(table: KnownTable, sheet: Layout, classed: Sequence[int]) -> KnownTable:
    """Part the rows of several parties, which a column names, where all of them have the same classes: valuations."""
    known = {word for word in declared_words()["parties"]["words"] if len(word) > 1}
    for at in sheet.places("unknown", "other") if sheet.choices.get(ONE[0]) != ONE[1] else ():
        column = sheet.raw.columns[at]
        names = [] if column.mostly_distinct else column.names()
        used = np.unique(column.codes).tolist()
        if not 1 < len(used) <= 4 or not all({*tokens_of(names[code])} & known for code in used if names):
            continue
        rows = [np.flatnonzero(column.codes == code) for code in used]
        measures = sheet.places("n_stones", "carats")
        if names and len({*map(len, rows)}) == 1 and same_stones(sheet, classed, measures, rows):
            passed = [header for header in table.trace.passed_over if header != column.header]
            parts = [replace(table.keep(own), trace=replace(table.trace, passed_over=passed)) for own in rows]
            by_party = dict(zip((plain(names[code]) for code in used), parts, strict=True))
            return replace(parts[0], valuations=by_party)
    return table
