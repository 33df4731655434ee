"""Practice: parcels of known origin, drawn from the release in force, that an expert judges before seeing more.

Half of the parcels hold what they declare. The others come from a zone that is not compliant, or, one in five, from a
source that nobody has sampled: wholly, or, two in five, as undeclared goods among what they declare. What the program
says of a parcel is computed when it is drawn, and shown after the expert's own answer, so that both are counted over
the same parcels.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from kpfootprint.flow import examine
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch
from kpfootprint.release import Release
from kpfootprint.report.report import canonical
from kpfootprint.stats.simulate import DrawnGoods, draw_goods
from service.clock import now, this_second
from service.errors import Refused, existing
from service.register.comparisons import packed, unpacked
from service.register.database import Sort, new_id, of_row, page, reading, writing
from service.register.tables import practice
from service.work.kept import UNLISTED, rate
from service.work.place import Workplace

HELD = 0.5
NOWHERE, BLENDED = 0.2, 0.4
"""Share of parcels that hold what they declare; of the others, shares from a source that nobody has sampled, and of
those that hold goods from elsewhere among what they declare."""
UNDECLARED = 0.3
"""Share of the stones of such a parcel that comes from elsewhere."""

STONES = (150, 1500)
NEWEST = Sort(practice.c.position, descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """A parcel that somebody practised on; `conclusion` is None as long as there is no answer.

    Parameters
    ----------
    origin : str
        A zone, or ``unlisted``.
    share : float
        Of its stones that came from there.
    held : bool
        Whether it holds what it declares.
    computed : str
        What the program concludes.
    """

    position: int
    id: str
    drawn_at: datetime
    document: Mapping[str, Any]
    report: str
    origin: str
    share: float
    held: bool
    computed: str
    conclusion: str | None
    reasons: str | None
    answered_at: datetime | None


def draw(work: Workplace, *, actor: str, seed: int | None = None) -> Exercise:
    """Draw a parcel, have it examined, and keep both; a parcel that waits for an answer is given again instead."""
    waits = sa.select(practice).where((practice.c.actor == actor) & practice.c.conclusion.is_(None)).limit(1)
    with reading(work.engine) as connection:
        row = connection.execute(waits).one_or_none()
    if row is not None:
        return _exercise(row)
    release = work.release()
    made = this_second()
    document, origin, share = drawn(release, made.date(), np.random.default_rng(seed))
    parcel = ingest_json(document, release.scheme, release.zone_table, sealed=True)
    (report,) = examine(Batch((parcel,)), release, status_on=made.date(), created_at=made)
    values = {
        "id": new_id(20),
        "actor": actor,
        "drawn_at": made,
        "parcel": packed(canonical(document)),
        "report": packed(report.to_json()),
        "origin": origin,
        "share": share,
        "held": origin == document["declarations"][0]["zone_id"],
        "computed": report.content["conclusion"],
    }
    with writing(work.engine) as connection:
        row = connection.execute(practice.insert().values(values).returning(practice)).one()
    return _exercise(row)


def drawn(release: Release, day: date, rng: np.random.Generator) -> tuple[dict[str, Any], str, float]:
    """Draw a parcel from a release: its JSON document, and which share of its stones is from where."""
    zones = release.zone_ids
    compliant = [zone for zone in release.zone_table.compliant_on(day) if zone in zones] or list(zones)
    declared = compliant[rng.integers(len(compliant))]
    held = bool(rng.random() < HELD)
    elsewhere = [zone for zone in zones if zone not in compliant] or [zone for zone in zones if zone != declared]
    origin = declared
    if not held:
        origin = UNLISTED if not elsewhere or rng.random() < NOWHERE else elsewhere[rng.integers(len(elsewhere))]
    share = UNDECLARED if not held and rng.random() < BLENDED else 1.0
    shares = np.zeros((1, len(zones) + 1))
    shares[0, -1 if origin == UNLISTED else zones.index(origin)] = share
    shares[0, zones.index(declared)] += 1.0 - share
    n_stones = np.exp(rng.uniform(np.log(STONES[0]), np.log(STONES[1]), 1)).astype(np.intp)
    arrays = draw_goods(release.model, DrawnGoods(shares=shares, n_stones=n_stones), rng)
    scheme = release.scheme
    rows = [
        {
            "size_class": scheme.size.sieve_set.classes[size],
            attribute.column: attribute.class_names[code],
            "n_stones": int(table[0, size, code]),
        }
        for attribute, table in zip(scheme.categorical, arrays.tables, strict=True)
        for size, code in zip(*np.nonzero(table[0]), strict=True)
    ]
    name = f"exercise-{rng.integers(10**6):06}"
    document = {"parcel_id": name, "exported_on": day.isoformat(), "declarations": [{"zone_id": declared}]}
    return {**document, "counts": rows}, origin, share


def answer(work: Workplace, exercise_id: str, *, conclusion: str, reasons: str = "", actor: str) -> Exercise:
    """Keep an expert's answer; there is one for each parcel."""
    mine = (practice.c.id == exercise_id) & (practice.c.actor == actor)
    values = {"conclusion": conclusion, "reasons": reasons, "answered_at": now()}
    with writing(work.engine) as connection:
        existing(connection.scalar(sa.select(practice.c.id).where(mine)), "There is no exercise of yours with this id.")
        done = connection.execute(practice.update().where(mine & practice.c.conclusion.is_(None)).values(values))
        if done.rowcount != 1:
            raise Refused("conflict", "This exercise was answered before; draw another one.")
    return exercise_of(work, exercise_id, actor=actor)


def exercise_of(work: Workplace, exercise_id: str, *, actor: str) -> Exercise:
    """Return an exercise of somebody."""
    query = sa.select(practice).where((practice.c.id == exercise_id) & (practice.c.actor == actor))
    with reading(work.engine) as connection:
        row = connection.execute(query).one_or_none()
    return _exercise(existing(row, "There is no exercise of yours with this id."))


def answered(work: Workplace, *, actor: str, before: int | None, limit: int) -> tuple[list[Exercise], int | None]:
    """Return a page of somebody's answered exercises, the newest first."""
    query = sa.select(practice).where((practice.c.actor == actor) & practice.c.conclusion.is_not(None))
    with reading(work.engine) as connection:
        rows, further = page(connection, query, NEWEST, practice.c.position, before=before, limit=limit)
    return [_exercise(row) for row in rows], further


def score(work: Workplace, *, actor: str) -> dict[str, Any]:
    """Return how often somebody was wrong, and the program on the same parcels, each with its interval."""
    columns = (practice.c.held, practice.c.share, practice.c.conclusion, practice.c.computed)
    query = sa.select(*columns).where((practice.c.actor == actor) & practice.c.conclusion.is_not(None))
    with reading(work.engine) as connection:
        rows = connection.execute(query).all()
    return {
        "n": len(rows),
        "you": errors([(row.held, row.share, row.conclusion) for row in rows]),
        "program": errors([(row.held, row.share, row.computed) for row in rows]),
        "agreement": rate(sum(row.conclusion == row.computed for row in rows), len(rows)),
    }


def errors(said: Sequence[tuple[bool, float, str]]) -> dict[str, Any]:
    """Return the error rates of conclusions on declarations that held, and on those that did not, wholly or in part.

    A wrong conclusion is a query of a true declaration, or "consistent" for a false one; `undecided` counts what is
    neither wrong nor right.
    """
    true = [conclusion for held, _, conclusion in said if held]
    false = [conclusion for held, share, conclusion in said if not held and share == 1]
    blended = [conclusion for held, share, conclusion in said if not held and share < 1]
    wrong = [*(one == "query" for one in true), *(one == "consistent" for one in [*false, *blended])]
    return {
        "wrong": rate(sum(wrong), len(wrong)),
        "true_queried": rate(true.count("query"), len(true)),
        "false_consistent": rate(false.count("consistent"), len(false)),
        "undeclared_consistent": rate(blended.count("consistent"), len(blended)),
        "undecided": rate(sum(one not in {"query", "consistent"} for _, _, one in said), len(said)),
    }


def _exercise(row: Any) -> Exercise:
    return of_row(Exercise, row, document=json.loads(unpacked(row.parcel)), report=unpacked(row.report))
