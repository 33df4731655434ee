"""The scheme that a descriptor declares; everything that is wrong with it is told at once, before any stone is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import pairwise
from typing import Any

from kpfootprint.errors import Problem, ReferenceDataError, SchemeMismatch
from kpfootprint.ingest.words import Vocabulary, fold
from kpfootprint.parcel import Conditions
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import AttributeClass, ClassSet, Scheme
from kpfootprint.stats.structure import STEP
from training.package.descriptor import LONGEST, finite, is_name
from training.package.descriptor import told as problem_told

MOST_ATTRIBUTES, MOST_CLASSES = 12, 100
_NO_ZONES = ZoneTable(zones=(), periods=())
_FIXED = ("parcel_id", "size_class", "n_stones", "carats", "value_usd", "lower_ct", "upper_ct", "breakdown", "sample")
_CONDITIONS = {item.name for item in fields(Conditions)}


def told(reason: str, value: object = None) -> Problem:
    """Return a problem of the attributes."""
    return problem_told("bad_scheme", reason, column="attributes", value=value)


def scheme_of(document: Mapping[str, Any]) -> tuple[Scheme, list[Problem]]:
    """Return the scheme with what is ambiguous in it: a word for two classes, or for two attributes.

    The package's own sieve set is made from ``edges_ct`` where it is not spelt out; labels that are missing are the
    names themselves.

    Raises
    ------
    ReferenceDataError
        Where there is no scheme to be had, with every reason.
    """
    problems = [*_unnamed([document["attributes"], document.get("sieve_sets")]), *_problems(document["attributes"])]
    if problems:
        raise ReferenceDataError(problems)
    attributes = [_labelled(item) for item in document["attributes"]]
    size = next(item for item in attributes if "sieve_set" in item)
    try:
        sets = _sieve_sets(size, document.get("sieve_sets") or ())
        scheme = Scheme.from_json({"attributes": attributes, "sieve_sets": sets})
    except SchemeMismatch as error:
        raise ReferenceDataError([told(str(error))]) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReferenceDataError([told(f"a sieve set is badly declared: {error!r}")]) from None
    return scheme, [*_two_classes(scheme), *_two_attributes(scheme)]


def _unnamed(waiting: list[Any]) -> Iterator[Problem]:
    """Give the texts that could not be shown where names, labels and synonyms are."""
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and not is_name(item):
            yield told(f"a name, a label or a synonym is one line of {LONGEST} characters at most, all seen", item)
        elif isinstance(item, Mapping):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item


def _problems(items: Sequence[object]) -> Iterator[Problem]:
    """Give everything that is wrong with the entries, each said once."""
    if len(items) > MOST_ATTRIBUTES:
        yield told(f"there may be {MOST_ATTRIBUTES} attributes at most, got {len(items)}")
        return
    entries = [item for item in items if isinstance(item, Mapping)]
    if len(entries) < len(items):
        yield told("every attribute must be an object with name, column, labels and classes")
    named: dict[str, str] = {}
    columns: dict[str, str] = {}
    for item in entries:
        name, column = item.get("name"), item.get("column", item.get("name"))
        if not isinstance(name, str) or not fold(name) or not isinstance(column, str) or not fold(column):
            yield told("an attribute needs a name and a column", {k: item.get(k) for k in ("name", "column")})
            continue
        if fold(name) in named:
            yield told(f"two attributes have one name, {named[fold(name)]!r} and {name!r}", name)
        if (other := columns.get(fold(column))) is not None:
            yield told(f"the attributes {other!r} and {name!r} have one column; give each its own", column)
        if column in _FIXED or {name, column} & _CONDITIONS:
            yield told(f"{name!r} or its column has a meaning of its own; choose another name", column)
        named.setdefault(fold(name), name)
        columns.setdefault(fold(column), name)
        if not _words_fit(item):
            yield told(f"{name}: labels must be texts by language, synonyms a list of texts")
        if not isinstance(item.get("ordered", False), bool):
            yield told(f"{name}: ordered must be true or false", item["ordered"])
        yield from _edges(name, item) if "sieve_set" in item else _classes(name, item)
    sizes = [item for item in entries if "sieve_set" in item]
    if len(sizes) != 1:
        yield told(f"one attribute must have a sieve_set and edges_ct (size), got {len(sizes)}")
    if entries and len(sizes) == len(entries):
        yield told("beside size, one attribute or more with classes is needed")


def _edges(name: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    edges = item.get("edges_ct")
    if not isinstance(item["sieve_set"], str) or not item["sieve_set"]:
        yield told(f"{name}: sieve_set must be the name of a set", item["sieve_set"])
    if not isinstance(edges, list) or not all(finite(edge) for edge in edges if edge is not None):
        yield told(f"{name}: edges_ct must be a list of numbers, in carats", edges)
        return
    numbers = [edge for edge in edges if edge is not None]
    if not 2 <= len(numbers) <= MOST_CLASSES:
        yield told(f"{name}: edges_ct must hold 2 to {MOST_CLASSES} lower limits, got {len(numbers)}")
    elif numbers[0] < 0 or any(high <= low for low, high in pairwise(numbers)):
        yield told(f"{name}: edges_ct must increase from 0 ct or more", edges)
    elif numbers[1] <= STEP / 2:
        reason = f"{name}: weights go by steps of {STEP:g} ct; the second of edges_ct must be above half a step"
        yield told(reason, edges)


def _classes(name: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    classes = item.get("classes")
    if not isinstance(classes, list) or not all(isinstance(c, Mapping) for c in classes):
        yield told(f"{name}: classes must be a list of objects, each with a name", classes)
        return
    if not 2 <= len(classes) <= MOST_CLASSES:
        yield told(f"{name}: 2 to {MOST_CLASSES} classes are needed, got {len(classes)}")
    seen: set[str] = set()
    for entry in classes:
        own = entry.get("name")
        if not isinstance(own, str) or not own.strip():
            yield told(f"{name}: a class has no name", entry)
        elif own in seen:
            yield told(f"{name}: the class {own!r} is declared twice", own)
        seen.add(str(own))
        if not _words_fit(entry):
            yield told(f"{name}: labels must be texts by language, synonyms a list of texts", own)
    yield from _sets(name, item.get("sets", []), seen)


def _sets(name: str, sets: object, classes: set[str]) -> Iterator[Problem]:
    """Give what is wrong with the words for several classes."""
    if not isinstance(sets, list) or not all(isinstance(entry, Mapping) for entry in sets):
        yield told(f"{name}: sets must be a list of objects, each with a name and members", sets)
        return
    if len(sets) > MOST_CLASSES:
        yield told(f"{name}: there may be {MOST_CLASSES} sets at most, got {len(sets)}")
    taken = set(classes)
    for entry in sets:
        own, members = entry.get("name"), entry.get("members")
        if not isinstance(own, str) or not own.strip():
            yield told(f"{name}: a set has no name", entry)
        elif own in taken:
            yield told(f"{name}: the set {own!r} bears the name of a class or of another set", own)
        taken.add(str(own))
        if not isinstance(members, list) or not members or len(set(map(str, members))) < len(members):
            yield told(f"{name}: members of the set must be a list of classes, each of them once", own)
        elif strangers := [member for member in members if member not in classes]:
            yield told(f"{name}: the set {own!r} has members that are no classes: {strangers}", own)
        if not _words_fit(entry):
            yield told(f"{name}: labels must be texts by language, synonyms a list of texts", own)


def _words_fit(item: Mapping[str, Any]) -> bool:
    labels, synonyms = item.get("labels", {}), item.get("synonyms", [])
    return (
        isinstance(labels, Mapping)
        and isinstance(synonyms, list)
        and all(isinstance(word, str) for word in (*labels.values(), *synonyms))
    )


def _labelled(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with the labels that it lacks."""

    def full(entry: Mapping[str, Any]) -> dict[str, Any]:
        labels = dict(entry.get("labels") or {})
        first = next(iter(labels.values()), entry["name"])
        return {**entry, "labels": {"en": labels.get("en", first), "fr": labels.get("fr", first)} | labels}

    out = full(item) | {"column": item.get("column", item["name"])}
    if "classes" in item:
        out["classes"] = [full(entry) for entry in item["classes"]]
        out["sets"] = [full(entry) for entry in item.get("sets", [])]
    return out


def _sieve_sets(size: Mapping[str, Any], declared: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the sets of the package, its own first."""
    edges = [float(edge) for edge in size["edges_ct"] if edge is not None]
    sets = list(declared)
    known = next((item for item in sets if item["name"] == size["sieve_set"]), None)
    if known is None:
        uppers: list[float | None] = [*edges[1:], None]
        classes = [_size_class(*pair) for pair in zip(edges, uppers, strict=True)]
        return [{"name": size["sieve_set"], "classes": classes}, *sets]
    if [float(c["lower_ct"]) for c in known["classes"]] != edges[: len(known["classes"])]:
        raise SchemeMismatch(f"edges_ct and the classes of sieve set {known['name']!r} differ")
    return sets


def _size_class(lower: float, upper: float | None) -> dict[str, Any]:
    name = f"{lower:g}+" if upper is None else f"{lower:g}-{upper:g}"
    return {"size_class": name, "lower_ct": lower, "upper_ct": upper}


def _two_classes(scheme: Scheme) -> Iterator[Problem]:
    """Give the words that stand for two classes, or sets of them, of one attribute: the first would be read."""
    for attribute in scheme.categorical:
        meant: dict[str, str] = {}
        items: list[AttributeClass | ClassSet] = [*attribute.classes, *attribute.sets]
        for item in items:
            for word in (item.name, *item.labels.values(), *item.synonyms):
                other = meant.setdefault(fold(word), item.name)
                if other != item.name:
                    yield told(f"{attribute.name}: {word!r} stands for {other} and for {item.name}", word)
                    meant[fold(word)] = item.name


def _two_attributes(scheme: Scheme) -> Iterator[Problem]:
    """Give the headers that stand for two columns of a sheet."""
    meant: dict[str, str] = {}
    size = scheme.size
    for column, words in (
        (size.column, (size.column, *size.synonyms)),
        *((a.column, (a.column, a.name, *a.labels.values(), *a.synonyms)) for a in scheme.categorical),
    ):
        for word in dict.fromkeys(words):
            other = meant.setdefault(fold(word), column)
            if other != column:
                yield told(f"the header {word!r} stands for the columns {other} and {column}", word)
                meant[fold(word)] = column


def words_of(scheme: Scheme) -> Vocabulary:
    """Return what the tables of a package may call things."""
    return Vocabulary(scheme, _NO_ZONES)
