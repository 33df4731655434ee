"""Headers of the tables of a package, held against what is needed and against the fields of their schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from kpfootprint.errors import Problem
from kpfootprint.ingest.raw.cells import text_of
from kpfootprint.ingest.raw.tables import RawTable
from kpfootprint.ingest.words import Vocabulary, fold
from kpfootprint.reference import shipped_reference
from kpfootprint.retold import Said
from training.package.attributes import scheme_of, words_of
from training.package.descriptor import NEEDED, SMALL_TABLES, read_descriptor, told

_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "zones": {
        "zone_id": ("zone", "zone id", "id zone", "code zone", "code de la zone", "id"),
        "name": ("nom", "nom de la zone", "zone name", "libelle"),
        "country": ("pays", "country code", "code pays", "code du pays"),
        "region": ("regions", "area"),
    },
    "zone_status": {
        "zone_id": ("zone", "zone id", "id zone", "code zone", "code de la zone"),
        "status": ("statut", "state", "etat"),
        "valid_from": ("from", "start", "since", "du", "depuis", "a partir du", "debut", "valable du", "valide du"),
        "valid_to": ("to", "end", "until", "au", "jusqu'au", "fin", "valable au", "valide au", "valable jusqu'au"),
        "source": ("sources", "reference", "decision", "arrete"),
    },
    "parcels": {
        "zone_id": ("zone", "zone id", "id zone", "code zone", "zone de collecte", "zone of collection"),
        "collected_on": (
            "collected",
            "date collected",
            "collection date",
            "date de collecte",
            "collecte le",
            "collectee le",
        ),
    },
}
"""How the columns of small tables may be headed beside their names, in English and French."""


def column_meant(header: str, table: str, item: Mapping[str, Any]) -> str:
    """Return the column that a header of a table means by its letters and digits, or else the header itself.

    Columns of parcels may be headed as those of submissions are, all of them by the words of people; but a field of the
    schema has its own name.
    """
    others = ("collected_on",) if table == "parcels" else ()
    own = {fold(name): name for name in (*others, *_fields(item), *NEEDED.get(table, ()))}
    return own.get(fold(header)) or _in_words(header, table)


def _in_words(header: str, table: str) -> str:
    """Return the column of a small table that a header means by the words of people, or else the header itself."""
    columns = _WORDS.get(table, {})
    named = {fold(word): name for name, words in columns.items() for word in words}
    named |= {fold(name): name for name in (*columns, *NEEDED.get(table, ()))}
    of_submissions = _of_submissions() if table == "parcels" else {}
    return named.get(word := fold(header)) or of_submissions.get(word, header)


@cache
def _of_submissions() -> Mapping[str, str]:
    """Return the columns of parcels in submissions by their headers, which are the same whatever the scheme."""
    scheme, _ = scheme_of(read_descriptor(shipped_reference()))
    return words_of(scheme).columns("parcels")


def with_known_fields(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a descriptor whose fields of small tables have the names of this program in place of words of people.

    A field keeps its name where another one has the name that it would get.
    """
    renamed: dict[str, dict[str, str]] = {}
    for item in document["resources"]:
        names = _fields(item)
        found = {name: new for name in names if (new := _in_words(name, item["name"])) not in names}
        if item["name"] in SMALL_TABLES and len(set(found.values())) == len(found):
            renamed[item["name"]] = found

    def key(names: object, table: str) -> object:
        listed = names if isinstance(names, list) else [names]
        new = [renamed.get(table, {}).get(str(name), name) for name in listed]
        return new if isinstance(names, list) else new[0]

    def schema(old: Mapping[str, Any], table: str) -> dict[str, Any]:
        new = dict(old)
        if isinstance(old.get("fields"), list):
            new["fields"] = [
                {**field, "name": key(field.get("name"), table)} if isinstance(field, Mapping) else field
                for field in old["fields"]
            ]
        if "primaryKey" in old:
            new["primaryKey"] = key(old["primaryKey"], table)
        if isinstance(old.get("foreignKeys"), list):
            new["foreignKeys"] = [foreign(item, table) for item in old["foreignKeys"]]
        return new

    def foreign(old: object, table: str) -> object:
        if not isinstance(old, Mapping) or not isinstance(there := old.get("reference"), Mapping):
            return old
        fields = key(there.get("fields"), str(there.get("resource") or table))
        return {**old, "fields": key(old.get("fields"), table), "reference": {**there, "fields": fields}}

    items = [
        {**item, "schema": schema(item["schema"], item["name"])} if renamed.get(item["name"]) else item
        for item in document["resources"]
    ]
    return {**document, "resources": items}


def check_header(
    table: str, headers: Sequence[str], item: Mapping[str, Any], written: Sequence[str]
) -> Iterator[Problem]:
    """Give what is wrong with the header of a small table: the columns that it means, and as they are written."""
    fields = _fields(item)
    if missing := [name for name in NEEDED[table] if name not in headers]:
        yield _missing(table, missing, written)
    elif "" in headers:
        yield told("column_twice", "a column has no name in the first row; give each its own", table=table)
    elif twice := [name for name in dict.fromkeys(headers) if headers.count(name) > 1]:
        yield told("column_twice", "two columns have this name; give each its own", table=table, column=twice[0])
    elif unlisted := [name for name in headers if name not in fields]:
        reason = Said(
            "not among the fields of {table} in datapackage.json: {strange}; add them there, or take the columns out",
            table=table,
            strange=", ".join(unlisted),
        )
        yield told("bad_resource", reason, table=table)
    elif absent := [name for name in fields if name not in headers]:
        yield _absent(table, absent)


def check_stones(table: RawTable, item: Mapping[str, Any], words: Vocabulary) -> Iterator[Problem]:
    """Say which attributes, and which fields of the schema, have no column in the stones under any of their names."""
    headers = [column.header for column in table.columns]
    if table.titles:
        headers = [text_of(cell).strip() for cell in table.titles[0][1]]
    known = words.columns("stones")
    found = {known.get(fold(header), fold(header)) for header in headers}
    size = words.scheme.size
    if size.column not in found and "n_stones" in map(words.columns("counts").get, map(fold, headers)):
        reason = "the table counts stones by class; a model is learnt from stones one by one, each with its weight"
        yield told("counts_for_stones", reason, table="stones", column=size.column)
        return
    wanted = {"parcel_id": "", size.column: size.name} | {a.column: a.name for a in words.scheme.categorical}
    missing = [
        column if name in ("", column) else f"{column} ({name})"
        for column, name in wanted.items()
        if column not in found
    ]
    if missing:
        yield _missing("stones", missing, headers)
    elif absent := [name for name in _fields(item) if known.get(fold(name), fold(name)) not in found]:
        yield _absent("stones", absent)


def _fields(item: Mapping[str, Any]) -> list[str]:
    fields = (item.get("schema") or {}).get("fields", ())
    return [str(field.get("name")) for field in fields if isinstance(field, Mapping)]


def _missing(table: str, missing: Sequence[str], headers: Sequence[str]) -> Problem:
    reason = Said(
        "no column for {missing}; the first row holds {held}; write each name above its column",
        missing=", ".join(missing),
        held=", ".join(filter(None, headers[:30])),
    )
    column = missing[0].partition(" (")[0] if len(missing) == 1 else None
    return told("missing_column", reason, table=table, column=column)


def _absent(table: str, names: Sequence[str]) -> Problem:
    reason = Said(
        "fields of {table} in datapackage.json without a column: {left}; add the columns, or take the fields out",
        table=table,
        left=", ".join(names),
    )
    return told("bad_resource", reason, table=table)
