"""The scheme that a descriptor declares; everything that is wrong with it is told at once, before any stone is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from itertools import pairwise
from typing import Any

from kpfootprint.errors import Problem, ReferenceDataError, SchemeMismatch
from kpfootprint.ingest.raw.cells import is_blank
from kpfootprint.ingest.totals import is_total
from kpfootprint.ingest.words import Vocabulary, declared_words, fold, vocabulary_of
from kpfootprint.parcel import Conditions
from kpfootprint.reference import ZoneTable
from kpfootprint.retold import LANGUAGES, Said, said_of
from kpfootprint.scheme import Scheme
from kpfootprint.stats.structure import STEP
from kpfootprint.strict_json import is_number
from training.package.descriptor import LONGEST, is_name
from training.package.descriptor import told as problem_told

MOST_ATTRIBUTES, MOST_CLASSES = 12, 100
_NO_ZONES = ZoneTable(zones=(), periods=())
_FIXED = (
    *("parcel_id", "size_class", "n_stones", "carats", "value_usd", "lower_ct", "upper_ct", "breakdown", "sample"),
    *("zone_id", "country", "percent", "exported_on", "certificate_no", "exporter", "hs_code"),
)
"""Columns of submissions that are no attribute."""
_CONDITIONS = {item.name for item in fields(Conditions)}


@cache
def _of_submissions() -> Mapping[str, str]:
    """Return the columns of stones and counts that are no attribute by their folded headers, which always mean them."""
    tables = (declared_words()["columns"][name] for name in ("stones", "counts"))
    return {fold(word): name for columns in tables for name, words in columns.items() for word in (name, *words)}


def told(reason: str, /, value: object = None, of: str | None = None, **values: object) -> Problem:
    """Return a problem of the attributes, or of the one that is called so."""
    said = Said(reason, **values)
    if of is not None:
        said = Said("{name}: {fault}", name=of, fault=said)
    return problem_told("bad_scheme", said, column="attributes", value=value)


def scheme_of(document: Mapping[str, Any]) -> tuple[Scheme, list[Problem]]:
    """Return the scheme with what is ambiguous in it: a word for two classes, or for two attributes.

    The package's own sieve set is made from ``edges_ct`` where it is not spelt out; labels that are missing are the
    names themselves.

    Raises
    ------
    ReferenceDataError
        Where there is no scheme to be had, with every reason.
    """
    sets = document.get("sieve_sets") or []
    if not isinstance(sets, list) or not all(isinstance(item, Mapping) for item in sets):
        raise ReferenceDataError([told("sieve_sets must be a list of objects, each with a name and classes", sets)])
    if wrong := [*_unnamed([document["attributes"], document.get("sieve_sets")]), *_problems(document["attributes"])]:
        raise ReferenceDataError([*wrong, *_two_classes(document["attributes"])])
    attributes = [_labelled(item) for item in document["attributes"]]
    size = next(item for item in attributes if "sieve_set" in item)
    try:
        sets = _sieve_sets(size, document.get("sieve_sets") or ())
        scheme = Scheme.from_json({"attributes": attributes, "sieve_sets": sets})
    except SchemeMismatch as error:
        raise ReferenceDataError([told(said_of(error))]) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReferenceDataError([told("a sieve set is badly declared: {error}", error=repr(error))]) from None
    return scheme, [*_two_classes(attributes), *_two_attributes(scheme)]


def _unnamed(waiting: list[Any]) -> Iterator[Problem]:
    """Give the texts that could not be shown where names, labels and synonyms are."""
    while waiting:
        item = waiting.pop()
        if isinstance(item, str) and not is_name(item):
            reason = "a name, a label or a synonym is one line of {most} characters at most, all seen"
            yield told(reason, item, most=LONGEST)
        elif isinstance(item, Mapping):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item


def _problems(items: Sequence[object]) -> Iterator[Problem]:
    """Give everything that is wrong with the entries, each said once."""
    if len(items) > MOST_ATTRIBUTES:
        yield told("there may be {most} attributes at most, got {n}", most=MOST_ATTRIBUTES, n=len(items))
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
            reason = "two attributes have one name, {other} and {name}"
            yield told(reason, name, other=repr(named[fold(name)]), name=repr(name))
        if (other := columns.get(fold(column))) is not None:
            reason = "the attributes {other} and {name} have one column; give each its own"
            yield told(reason, column, other=repr(other), name=repr(name))
        fixed = {} if "sieve_set" in item else _of_submissions()
        if taken := [word for word in (column, name) if word in {*_FIXED, *_CONDITIONS} or fold(word) in fixed]:
            yield told("{name} or its column has a meaning of its own; choose another name", taken[0], name=repr(name))
        named.setdefault(fold(name), name)
        columns.setdefault(fold(column), name)
        if not _words_fit(item):
            yield told("labels must be texts by language, synonyms a list of texts", of=name)
        if not isinstance(item.get("ordered", False), bool):
            yield told("ordered must be true or false", item["ordered"], of=name)
        yield from _edges(name, item) if "sieve_set" in item else _classes(name, item)
    sizes = [item for item in entries if "sieve_set" in item]
    if len(sizes) != 1:
        yield told("one attribute must have a sieve_set and edges_ct (size), got {n}", n=len(sizes))
    if entries and len(sizes) == len(entries):
        yield told("beside size, one attribute or more with classes is needed")


def _edges(name: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    edges = item.get("edges_ct")
    if not isinstance(item["sieve_set"], str) or not item["sieve_set"]:
        yield told("sieve_set must be the name of a set", item["sieve_set"], of=name)
    if item.get("classes"):
        yield told("sizes are divided by edges_ct or by classes; give edges_ct alone", of=name)
    if not isinstance(edges, list) or not all(is_number(edge) for edge in edges if edge is not None):
        yield told("edges_ct must be a list of numbers, in carats", edges, of=name)
        return
    numbers = [edge for edge in edges if edge is not None]
    if not 2 <= len(numbers) <= MOST_CLASSES:
        yield told("edges_ct must hold 2 to {most} lower limits, got {n}", of=name, most=MOST_CLASSES, n=len(numbers))
    elif numbers[0] < 0 or any(high <= low for low, high in pairwise(numbers)):
        yield told("edges_ct must increase from 0 ct or more", edges, of=name)
    elif numbers[1] <= STEP / 2:
        reason = "weights go by steps of {step} ct; the second of edges_ct must be above half a step"
        yield told(reason, edges, of=name, step=f"{STEP:g}")


def _classes(name: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    classes = item.get("classes")
    if not isinstance(classes, list) or not all(isinstance(c, Mapping) for c in classes):
        yield told("classes must be a list of objects, each with a name", classes, of=name)
        return
    if not 2 <= len(classes) <= MOST_CLASSES:
        yield told("2 to {most} classes are needed, got {n}", of=name, most=MOST_CLASSES, n=len(classes))
    for entry in classes:
        own = entry.get("name")
        if not isinstance(own, str) or not own.strip():
            yield told("a class has no name", entry, of=name)
        elif is_blank(own) or is_total(own):
            reason = "a cell that says {word} is read as blank, or as a total; call the class otherwise"
            yield told(reason, own, of=name, word=repr(own))
        if not _words_fit(entry):
            yield told("labels must be texts by language, synonyms a list of texts", own, of=name)
    own_names = Counter(own for entry in classes if isinstance(own := entry.get("name"), str))
    if twice := [own for own, count in own_names.items() if count > 1]:
        yield told("classes are declared twice: {names}", ", ".join(twice), of=name, names=", ".join(twice))
    yield from _sets(name, item.get("sets", []), set(own_names))


def _sets(name: str, sets: object, classes: set[str]) -> Iterator[Problem]:
    """Give what is wrong with the words for several classes."""
    if not isinstance(sets, list) or not all(isinstance(entry, Mapping) for entry in sets):
        yield told("sets must be a list of objects, each with a name and members", sets, of=name)
        return
    if len(sets) > MOST_CLASSES:
        yield told("there may be {most} sets at most, got {n}", of=name, most=MOST_CLASSES, n=len(sets))
    taken = set(classes)
    for entry in sets:
        own, members = entry.get("name"), entry.get("members")
        if not isinstance(own, str) or not own.strip():
            yield told("a set has no name", entry, of=name)
        elif own in taken:
            yield told("the set {name} bears the name of a class or of another set", own, of=name, name=repr(own))
        taken.add(str(own))
        if not isinstance(members, list) or not members or len(set(map(str, members))) < len(members):
            yield told("members of the set must be a list of classes, each of them once", own, of=name)
        elif strangers := [member for member in members if member not in classes]:
            reason = "the set {name} has members that are no classes: {strangers}"
            yield told(reason, own, of=name, name=repr(own), strangers=strangers)
        if not _words_fit(entry):
            yield told("labels must be texts by language, synonyms a list of texts", own, of=name)


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
        return {**entry, "labels": dict.fromkeys(LANGUAGES, first) | labels}

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
        raise SchemeMismatch("edges_ct and the classes of sieve set {name} differ", name=repr(known["name"]))
    return sets


def _size_class(lower: float, upper: float | None) -> dict[str, Any]:
    name = f"{lower:g}+" if upper is None else f"{lower:g}-{upper:g}"
    return {"size_class": name, "lower_ct": lower, "upper_ct": upper}


def _two_classes(attributes: Iterable[object]) -> Iterator[Problem]:
    """Give the words that stand for two classes, or sets of them, of one attribute: the first would be read.

    Entries that are none are passed over, as they are told elsewhere.
    """
    for attribute in attributes:
        if not isinstance(attribute, Mapping) or not isinstance(attribute.get("name"), str):
            continue
        meant: dict[str, str] = {}
        for item in _named(attribute, "classes") + _named(attribute, "sets"):
            own = item["name"]
            for word in (own, *item.get("labels", {}).values(), *item.get("synonyms", [])):
                other = meant.setdefault(fold(word), own)
                if other != own:
                    reason = "{word} stands for {other} and for {another}"
                    yield told(reason, word, of=attribute["name"], word=repr(word), other=other, another=own)
                    meant[fold(word)] = own


def _named(attribute: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
    """Return the classes or sets of an attribute that have a name and words."""
    entries = attribute.get(member)
    return [
        entry
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str) and _words_fit(entry)
    ]


def _two_attributes(scheme: Scheme) -> Iterator[Problem]:
    """Give the headers that stand for two columns of a sheet."""
    meant: dict[str, str] = {}
    size = scheme.size
    for column, words in (
        (size.column, (size.column, *size.synonyms)),
        *((a.column, (a.column, a.name, *a.labels.values(), *a.synonyms)) for a in scheme.categorical),
    ):
        for word in dict.fromkeys(words):
            fixed = None if column == size.column else _of_submissions().get(fold(word))
            other = fixed or meant.setdefault(fold(word), column)
            if other != column:
                reason = "the header {word} stands for the columns {other} and {column}"
                yield told(reason, word, word=repr(word), other=other, column=column)
                meant[fold(word)] = column


def words_of(scheme: Scheme) -> Vocabulary:
    """Return what the tables of a package may call things."""
    return vocabulary_of(scheme, _NO_ZONES)
