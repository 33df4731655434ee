"""What the stones of a package must tell, as nothing could be learnt from them otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kpfootprint.errors import Problem
from kpfootprint.ingest.cells import text_of
from kpfootprint.ingest.records import class_codes
from kpfootprint.ingest.tables import KnownTable
from kpfootprint.parcel import Batch
from kpfootprint.scheme import Scheme
from training.package.descriptor import told
from training.package.once import and_more

ONE_CLASS, ENOUGH = 0.99, 100
"""Share of the stones in one size class from which on sizes tell nothing, where there are enough stones to say so."""


def known_by_sets(stones: KnownTable, scheme: Scheme) -> Iterator[Problem]:
    """Give each word for several classes that stones are known by, once, with its first row and its number of rows.

    A parcel that is examined may leave open which of the classes a stone is; what a zone looks like cannot be learnt
    from such stones, and leaving them out would make some classes look rarer than they are.
    """
    for attribute in scheme.categorical:
        if not attribute.sets or attribute.column not in stones.columns:
            continue
        column = stones.columns[attribute.column]
        by_cell, _ = class_codes(column.cells, attribute)
        for at in np.flatnonzero(by_cell >= len(attribute.classes)).tolist():
            rows = np.flatnonzero(column.codes == at)
            members = attribute.sets[int(by_cell[at]) - len(attribute.classes)].members
            reason = f"it stands for several classes ({', '.join(members)}); a reference stone needs one of them"
            first = told(
                "set_of_classes",
                reason,
                table="stones",
                row=stones.line(int(rows[0])),
                column=column.header,
                value=text_of(column.cells[at]),
            )
            yield first if rows.size < 2 else and_more(first, f"{rows.size - 1} more rows")


def undivided(batch: Batch, scheme: Scheme) -> list[Problem]:
    """Say where nearly all stones lie in one size class, so that sizes tell nothing: mostly another unit.

    Stones that all weigh the very same were not weighed, which a remark tells.
    """
    own = scheme.size.sieve_set
    weights = np.concatenate([parcel.stones.weight_ct for parcel in batch if parcel.stones is not None])
    position = np.searchsorted(own.lower_ct, weights, side="right").clip(1) - 1
    share = np.bincount(position, minlength=len(own.classes)) / weights.size
    if share.max() < ONE_CLASS or weights.size < ENOUGH or np.ptp(weights) == 0:
        return []
    reason = (
        f"{share.max():.0%} of the stones lie in one class of edges_ct, {own.classes[int(share.argmax())]!r} (half of "
        f"them below {np.median(weights):g}): are both in carats, and do the edges divide the stones? Correct the "
        f"weights, or give edges_ct that divide them"
    )
    return [told("sizes_undivided", reason, table="stones", column=scheme.size.column)]


def never_recorded(batch: Batch, scheme: Scheme) -> list[Problem]:
    """Say which attributes no stone of any parcel records."""
    lists = [parcel.stones.codes for parcel in batch if parcel.stones is not None]
    reason = "no stone records it; fill it in, or take {} out of datapackage.json"
    return [
        told("never_recorded", reason.format(item.name), table="stones", column=item.column)
        for item in scheme.categorical
        if not any((codes[item.name] >= 0).any() for codes in lists if item.name in codes)
    ]
