"""Reports that were acknowledged: kept before the answer leaves, read again by id, searched and listed."""

from __future__ import annotations

import json
import re
import unicodedata
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from kpfootprint.report.report import Report, canonical, id_begins
from service.clock import exactly
from service.register import entries
from service.register.database import each_of, new_id, of_row, page, reading, sorts, within
from service.register.tables import comparisons, declared_zones, stone_marks, words

WORD_LENGTH = 64
FEW = 3000
"""Rows that are looked up one by one and then sorted; where there are more, the list is walked in its order."""

SHORT = 2
"""Letters of a word that is taken whole where more comparisons have a word that begins so."""

SORTS = sorts(comparisons.c.created_at, comparisons.c.log10_lr)


LOOKED_AT = ("cautions", "conclusion", "created_at", "parcel", "report_id", "verification")
"""Members of a report that the register reads, beside `model`; the others, most of it, need not be parsed for it."""


LOOK_ALIKE = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b9\u03ba\u03bf\u03c1\u03c5\u03c7\u03bd",
    "ABEKMHOPCTYXIJSaeopcyxijsABEZHIKMNOPTYXaikopuxv",
)
"""Cyrillic and Greek letters that look like Latin ones, in which certificates are numbered."""


class KeyReused(Exception):
    """An Idempotency-Key came again with another body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What the list shows of a comparison; of a sealed one neither conclusion nor LR."""

    position: int
    id: str
    created_at: datetime
    parcel_id: str
    report_id: str
    release: str
    conclusion: str | None
    log10_lr: float | None
    declared: tuple[str, ...]
    exporter: str | None
    certificate_no: str | None
    exported_on: str | None
    n_stones: int | None
    carats: float | None
    value_usd: float | None
    flags: tuple[Mapping[str, Any], ...]
    submission_id: str | None
    actor: str
    sealed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """An Idempotency-Key, who sent it and what came with it."""

    actor: str
    key: str
    request_sha256: str

    def repeated(self, connection: sa.Connection, table: sa.Table) -> Any:
        """Return the row that was kept when the key came first, or None; raise `KeyReused`."""
        here = (table.c.actor == self.actor) & (table.c.idempotency_key == self.key)
        row = connection.execute(sa.select(table).where(here)).one_or_none()
        if row is not None and row.request_sha256 != self.request_sha256:
            raise KeyReused
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A comparison as it is answered; `report` is its JSON text, `made` its conclusion and seconds where it is new."""

    id: str
    report: str
    made: tuple[str | None, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A parcel and its report, about to be kept.

    Parameters
    ----------
    content : mapping
        The members `LOOKED_AT` of the report; `report` is its text.
    document : mapping
        The parcel as canonical JSON has it.
    marks : sequence of int
        By which its stones are found again.
    parcel : bytes or None
        The document as it is kept, where that is at hand.
    """

    content: Mapping[str, Any]
    report: str
    document: Mapping[str, Any]
    submission_id: str | None = None
    flags: Sequence[Mapping[str, Any]] = ()
    marks: Sequence[int] = ()
    parcel: bytes | None = None
    id: str = field(default_factory=partial(new_id, 20))

    @classmethod
    def of(cls, report: Report, document: Mapping[str, Any], **more: Any) -> Examined:
        """Return a report and its parcel as they are kept."""
        content = report.part(*LOOKED_AT) | {"model": _model(report.members["model"])}
        return cls(content=content, report=report.to_json(), document=document, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which comparisons are asked for; None asks for all. `code` is the short code of a report, or its whole id."""

    zone: str | None = None
    exporter: str | None = None
    conclusion: str | None = None
    parcel_id: str | None = None
    q: str | None = None
    code: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    sort: str = "-created_at"


@lru_cache(maxsize=8)
def _model(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)  # the same in every report of a release
    return found


def sorted_by(engine: sa.Engine, sorters: Sequence[str], *, limit: int) -> list[str]:
    """Return the newest comparisons of parcels named ``PARCEL/SORTER`` with one of these sorters."""
    table = comparisons.c
    named = sa.or_(*(table.parcel_id.endswith(f"/{sorter}", autoescape=True) for sorter in sorters))
    query = sa.select(table.id).where(named).order_by(table.position.desc()).limit(limit)
    with reading(engine) as connection:
        return [str(found) for found in connection.scalars(query)]


def replayed(connection: sa.Connection, once: Once) -> Kept | None:
    """Return what was answered to the request that `once` repeats, or None where it is new; raise `KeyReused`."""
    row = once.repeated(connection, comparisons)
    return None if row is None else Kept(id=row.id, report=unpacked(row.report))


def keep(
    connection: sa.Connection,
    *examined: Examined,
    actor: str,
    once: Once | None = None,
    at: datetime | None = None,
    entry_id: str | None = None,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Keep reports, each with its entry in the chain.

    `connection` is that of `registering`. The last parameters are for one that comes from another register.
    """
    rows = [row_of(one, actor, once) for one in examined]
    if not rows:
        return
    found = [found_by(one, row) for one, row in zip(examined, rows, strict=True)]
    acts = [(one.id, _told(one, row, by, origin)) for one, row, by in zip(examined, rows, found, strict=True)]
    insert = comparisons.insert().returning(comparisons.c.position, sort_by_parameter_order=True)
    _make_findable(connection, connection.scalars(insert, rows).all(), found)
    entries.append_each(connection, "comparison", acts, actor=actor, at=at, entry_id=entry_id)


def row_of(one: Examined, actor: str, once: Once | None = None) -> dict[str, Any]:
    """Return a comparison as its table keeps it."""
    return shown_of(one, actor) | {
        "id": one.id,
        "parcel": packed(canonical(one.document)) if one.parcel is None else one.parcel,
        "report": packed(one.report),
        "idempotency_key": None if once is None else once.key,
        "request_sha256": None if once is None else once.request_sha256,
    }


def shown_of(one: Examined, actor: str) -> dict[str, Any]:
    """Return the columns that show what a report, its parcel and its entry tell."""
    content, document = one.content, one.document
    parcel, told = content["parcel"], content["verification"]
    certificate = document.get("certificate_no")
    return {
        "created_at": datetime.fromisoformat(content["created_at"]),
        "actor": actor,
        "parcel_id": parcel["parcel_id"],
        "report_id": content["report_id"],
        "release": content["model"]["release"],
        "conclusion": content["conclusion"],
        "log10_lr": None if told is None else told["log10_lr"],
        "declared": " ".join(item["zone_id"] for item in parcel["declared"]),
        "exporter": document.get("exporter"),
        "certificate_no": certificate,
        "certificate_key": None if certificate is None else certificate_key(certificate),
        "exported_on": document.get("exported_on"),
        "n_stones": parcel["n_stones"],
        "carats": parcel["carats"],
        "value_usd": document.get("value_usd"),
        "flags": canonical(list(one.flags)),
        "submission_id": one.submission_id,
    }


def _told(one: Examined, row: Mapping[str, Any], found: FoundBy, origin: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the chain says of a comparison."""
    values = {name: row[name] for name in ("parcel_id", "report_id", "release", "conclusion", "log10_lr")}
    values |= {
        "declared": str(row["declared"]).split(),
        "flags": list(one.flags),
        "report_sha256": sha256(one.report.encode()).hexdigest(),
        "parcel_sha256": sha256(unpacked(row["parcel"]).encode()).hexdigest(),
        "found_by_sha256": digest_of_found(found),
    }
    if one.submission_id is not None:
        values["submission"] = one.submission_id
    if origin is not None:
        values["origin"] = dict(origin)
    return values


FoundBy = Mapping[sa.Table, Sequence[Mapping[str, Any]]]
"""Lines of the tables that a comparison is found by, its position left out."""

FOUND_BY: Mapping[sa.Table, Sequence[str]] = {
    declared_zones: ("zone_id", "carats", "created_at", "log10_lr"),
    words: ("word", "created_at"),
    stone_marks: ("mark",),
}


def found_by(one: Examined, row: Mapping[str, Any]) -> FoundBy:
    """Return what a comparison is found by: its zones, words and marks."""
    at = {"created_at": row["created_at"]}
    of_row = at | {"log10_lr": _float(row["log10_lr"])}
    named = words_in(row["parcel_id"], row["exporter"], row["certificate_no"], row["declared"])
    stated = one.document.get("declarations") or ()
    named |= {country_word(item["country"]) for item in stated if item.get("country")}
    return {
        declared_zones: [
            of_row | {"zone_id": item["zone_id"], "carats": _float(item["carats"])}
            for item in one.content["parcel"]["declared"]
        ],
        words: [at | {"word": word} for word in sorted(named)],
        stone_marks: [{"mark": mark} for mark in sorted(set(one.marks))],
    }


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def digest_of_found(found: FoundBy) -> str:
    """Return the SHA-256 by which the chain tells what a comparison is found by."""
    told = [
        sorted([exactly(line[name]) if name == "created_at" else line[name] for name in names] for line in lines)
        for names, lines in ((names, found[table]) for table, names in FOUND_BY.items())
    ]
    return sha256(canonical(told).encode()).hexdigest()


def _make_findable(connection: sa.Connection, positions: Sequence[int], found: Sequence[FoundBy]) -> None:
    lines = {
        table: [{**line, "position": at} for at, one in zip(positions, found, strict=True) for line in one[table]]
        for table in FOUND_BY
    }
    if connection.dialect.name == "postgresql":  # its driver sends a line at a time, which takes three times as long
        marks = lines.pop(stone_marks)
        connection.execute(_MARKS, {name: [line[name] for line in marks] for name in ("mark", "position")})
    for table, own in lines.items():
        if own:
            connection.execute(table.insert(), own)


_MARKS = sa.text(
    "INSERT INTO stone_marks (mark, position) "
    "SELECT * FROM unnest(CAST(:mark AS bigint[]), CAST(:position AS integer[]))"
)


def reports_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the reports of several comparisons as they were answered, by id."""
    return _texts(connection, comparisons.c.report, ids)


def parcels_of(connection: sa.Connection, ids: Collection[str]) -> dict[str, str]:
    """Return the parcels of several comparisons as canonical JSON, by id."""
    return _texts(connection, comparisons.c.parcel, ids)


def _texts(connection: sa.Connection, column: sa.Column[bytes], ids: Collection[str]) -> dict[str, str]:
    rows = each_of(connection, sa.select(comparisons.c.id, column), comparisons.c.id, ids)
    return {row.id: unpacked(row[1]) for row in rows}


def several(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Listed]:
    """Return what the list shows of comparisons, however many, by id."""
    rows = each_of(connection, sa.select(*_COLUMNS), comparisons.c.id, ids)
    return {row.id: _listed(row) for row in rows}


def declared_shares(connection: sa.Connection, ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the share of the declared carats of each zone, 1 where nobody stated them, by the id of the comparison."""
    zone = declared_zones.c
    query = sa.select(comparisons.c.id, zone.zone_id, zone.carats).join_from(comparisons, declared_zones)
    carats: dict[str, dict[str, float | None]] = {}
    for row in each_of(connection, query, comparisons.c.id, ids):
        carats.setdefault(row.id, {})[row.zone_id] = row.carats
    return {key: _shares(parts) for key, parts in carats.items()}


def _shares(carats: Mapping[str, float | None]) -> dict[str, float]:
    stated = {zone: amount for zone, amount in carats.items() if amount is not None}
    whole = sum(stated.values()) if len(stated) == len(carats) else 0.0
    return {zone: stated[zone] / whole if whole else 1.0 for zone in carats}


def page_of(
    engine: sa.Engine, *, before: int | None, limit: int, search: Search | None = None
) -> tuple[list[Listed], int | None]:
    """Return up to `limit` comparisons after the one at position `before`, and where the next page starts."""
    asked = search or Search()
    table, sort = comparisons.c, SORTS[asked.sort]
    query = sa.select(*_COLUMNS)
    conclusion: sa.ColumnElement[Any] = table.conclusion
    with reading(engine) as connection:
        few, many = _looked_up(connection, asked)
        if few or any((asked.exporter, asked.parcel_id, asked.code)):
            lead = None  # an index of the comparisons gives fewer of them
        else:
            lead = next((item for item in many if item.in_order and sort.column.name in item.table.c), None)
        if lead is not None:
            many.remove(lead)
            query = query.join(lead.table, lead.table.c.position == table.position).where(lead.condition)
            sort = replace(sort, column=lead.table.c[sort.column.name])
            conclusion = conclusion.concat("")  # by no index
        if few:  # as numbers: a planner that is given the question may walk the list
            positions = sorted(set.intersection(*(set(item.positions) for item in few)))
            given: sa.BindParameter[int] = sa.bindparam("positions", positions, expanding=True, literal_execute=True)
            query = query.where(table.position.in_(given))
        for item in many:  # EXISTS, in words that no planner turns into a join
            one = sa.select(item.table.c.position).where(item.condition & (item.table.c.position == table.position))
            query = query.where(one.limit(1).correlate(comparisons).scalar_subquery().is_not(None))
        for column, value in (
            (table.exporter, asked.exporter),
            (conclusion, asked.conclusion),
            (table.parcel_id, asked.parcel_id),
        ):
            if value is not None:
                query = query.where(column == value)
        moment: sa.ColumnElement[Any] = table.created_at if lead is None else lead.table.c.created_at
        if sort.column.name != "created_at":
            moment = sa.func.coalesce(moment, moment)  # by no index: all of a long span would be put in order
        query = query.where(*within(moment, asked.start, asked.end))
        if asked.code is not None:
            begins_so = id_begins(asked.code)
            here = (table.report_id >= begins_so) & (table.report_id < f"{begins_so}g") if begins_so else sa.false()
            query = query.where(here)
        rows, further = page(connection, query, sort, table.position, before=before, limit=limit)
    return [_listed(row) for row in rows], further


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Where a zone or a word is found: the first few positions, and whether an index has all in the order of time."""

    table: sa.Table
    condition: sa.ColumnElement[bool]
    positions: Sequence[int]
    in_order: bool


def _looked_up(connection: sa.Connection, asked: Search) -> tuple[list[_Found], list[_Found]]:
    """Look every zone, word and span that is asked for up: those of few comparisons, and zones and words of many."""

    def found(table: sa.Table, condition: sa.ColumnElement[bool], *, in_order: bool = True) -> _Found:
        order = (table.c.created_at,) if table is comparisons else tuple(table.primary_key)  # an index, not all rows
        first = sa.select(table.c.position).where(condition).order_by(*order).limit(FEW + 1)
        positions = connection.scalars(first).all()
        return _Found(table=table, condition=condition, positions=positions, in_order=in_order)

    every = []
    span = within(comparisons.c.created_at, asked.start, asked.end)
    if span and SORTS[asked.sort].column is not comparisons.c.created_at:
        every.append(found(comparisons, sa.and_(*span), in_order=False))
    if asked.zone is not None:
        zone = found(declared_zones, declared_zones.c.zone_id == asked.zone)
        every.append(zone if zone.positions else found(words, words.c.word == country_word(asked.zone)))
    sought = words_in(asked.q)
    if asked.q and not sought:  # signs alone, by which nothing is found
        every.append(found(comparisons, sa.false()))
    for word in sorted(sought):
        begins = (words.c.word >= word) & (words.c.word < word + "\U0010ffff")
        ends = (
            sa.select(words.c.word).where(begins).order_by(order).limit(1).scalar_subquery()
            for order in (words.c.word, words.c.word.desc())
        )
        first, last = connection.execute(sa.select(*ends)).one()
        one = found(words, begins if first != last else words.c.word == first, in_order=first == last)
        if not one.in_order and len(one.positions) > FEW and len(word) <= SHORT:
            one = found(words, words.c.word == word)
        every.append(one)
    many = [item for item in every if len(item.positions) > FEW and item.table is not comparisons]
    return [item for item in every if len(item.positions) <= FEW], many


def words_in(*texts: str | None) -> set[str]:
    """Return the words of texts as they are searched: without accents, in small letters."""
    return {word[:WORD_LENGTH] for text in texts if text for word in re.findall(r"[^\W_]+", _plain(text))}


def country_word(code: str) -> str:
    """Return the word by which a comparison is found whose paper names a country: none that anybody could search."""
    return f":{code.casefold()}"[:WORD_LENGTH]


def certificate_key(number: str) -> str:
    """Return the number of a certificate as it is compared: letters and digits alone, those that look alike as one.

    Examples
    --------
    >>> certificate_key("CF 0012-a") == certificate_key("cf0012A") == certificate_key("\u0421F 0012-\u0391")
    True
    """
    return plainest_key(number.translate(LOOK_ALIKE))


def plainest_key(number: str) -> str:
    """Return the number of a certificate as registers before compared it: without letters of other alphabets."""
    return "".join(re.findall(r"[a-z0-9]", _plain(number)))


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


_COLUMNS = tuple(comparisons.c[name] for name in Listed.__dataclass_fields__ if name != "sealed")


def _listed(row: Any) -> Listed:
    declared, flags = tuple(row.declared.split()), tuple(json.loads(row.flags or "[]"))
    return of_row(Listed, row, declared=declared, flags=flags, sealed=False)


def packed(text: str) -> bytes:
    """Return a text as it is kept."""
    return zlib.compress(text.encode(), level=1)


def unpacked(kept: bytes) -> str:
    """Return a text that was kept."""
    return zlib.decompress(bytes(kept)).decode()
