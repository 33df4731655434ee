"""What is recorded of a stone: attributes, their classes, sieve sets. A reference package declares them, not code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kpfootprint.errors import SchemeMismatch

CT_PER_MM3 = 0.0078
"""Carats of a stone just retained by an aperture of 1 mm; weight goes with the cube of the aperture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeClass:
    """A class of a categorical attribute, such as the colour *brown*."""

    name: str
    labels: Mapping[str, str]
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveSet:
    """Size classes of one way of sieving.

    Parameters
    ----------
    name : str
        Name by which parcels refer to the set.
    classes : tuple of str, length k
        Class names, smallest stones first.
    lower_ct, upper_ct : tuple of float, length k
        Class limits in carats, increasing; a stone belongs where ``lower_ct <= weight_ct < upper_ct``.
        The last upper limit may be infinite.
    """

    name: str
    classes: tuple[str, ...]
    lower_ct: tuple[float, ...]
    upper_ct: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.classes) == len(self.lower_ct) == len(self.upper_ct) or not self.classes:
            raise SchemeMismatch(f"sieve set {self.name!r}: as many names as lower and upper limits are needed")
        if len(set(self.classes)) != len(self.classes):
            raise SchemeMismatch(f"sieve set {self.name!r}: class names repeat")
        edges = (*self.lower_ct, self.upper_ct[-1])
        if edges[0] < 0 or any(not low < high for low, high in pairwise(edges)):
            raise SchemeMismatch(f"sieve set {self.name!r}: limits must increase from 0 ct or more, got {edges}")
        if any(up != low for up, low in zip(self.upper_ct, self.lower_ct[1:], strict=False)):
            raise SchemeMismatch(f"sieve set {self.name!r}: each class must begin where the one before it ends")


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeAttribute:
    """The ordered attribute *size*: weight in carats, shown in the classes of the package's own sieve set."""

    name: str
    column: str
    labels: Mapping[str, str]
    synonyms: tuple[str, ...]
    sieve_set: SieveSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A categorical attribute: colour, morphology or a further one."""

    name: str
    column: str
    labels: Mapping[str, str]
    synonyms: tuple[str, ...]
    classes: tuple[AttributeClass, ...]
    ordered: bool = False

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the package's order; codes in arrays are positions in it."""
        return tuple(item.name for item in self.classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """Everything that is recorded of a stone.

    Parameters
    ----------
    size : SizeAttribute
        Weight and the package's own size classes.
    categorical : tuple of Attribute
        Colour, morphology and any further attribute, in the package's order.
    sieve_sets : tuple of SieveSet
        Every sieve set the package knows, its own first.
    """

    size: SizeAttribute
    categorical: tuple[Attribute, ...]
    sieve_sets: tuple[SieveSet, ...]

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """``size`` first, then the categorical attributes."""
        return (self.size.name, *(item.name for item in self.categorical))

    def attribute(self, name: str) -> Attribute:
        """Return the categorical attribute of that name, or raise `SchemeMismatch`."""
        for item in self.categorical:
            if item.name == name:
                return item
        raise SchemeMismatch(f"no categorical attribute {name!r}; known are {[a.name for a in self.categorical]}")

    def sieve_set(self, name: str) -> SieveSet | None:
        """Return the sieve set of that name, or None where the package does not know it."""
        return next((item for item in self.sieve_sets if item.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return the scheme in the form of the contract's ``attributes`` and ``sieve_sets``."""
        size = self.size
        own = size.sieve_set
        attributes: list[dict[str, Any]] = [
            {
                "name": size.name,
                "column": size.column,
                "ordered": True,
                "labels": dict(size.labels),
                "synonyms": list(size.synonyms),
                "sieve_set": own.name,
                "edges_ct": [*own.lower_ct, *([] if own.upper_ct[-1] == float("inf") else [own.upper_ct[-1]])],
            }
        ]
        attributes += [
            {
                "name": item.name,
                "column": item.column,
                "ordered": item.ordered,
                "labels": dict(item.labels),
                "synonyms": list(item.synonyms),
                "classes": [
                    {"name": c.name, "labels": dict(c.labels), "synonyms": list(c.synonyms)} for c in item.classes
                ],
            }
            for item in self.categorical
        ]
        sieve_sets = [
            {
                "name": item.name,
                "classes": [
                    {"size_class": name, "lower_ct": low, "upper_ct": None if high == float("inf") else high}
                    for name, low, high in zip(item.classes, item.lower_ct, item.upper_ct, strict=True)
                ],
            }
            for item in self.sieve_sets
        ]
        return {"attributes": attributes, "sieve_sets": sieve_sets}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Scheme:
        """Build a scheme from ``attributes`` and ``sieve_sets`` as `to_json` writes them.

        Raises
        ------
        SchemeMismatch
            Where an entry is missing or the size attribute names an unknown sieve set.
        """
        try:
            return _scheme(document)
        except KeyError as missing:
            raise SchemeMismatch(f"the scheme has no entry {missing}") from None


def _scheme(document: Mapping[str, Any]) -> Scheme:
    sets = tuple(
        SieveSet(
            name=item["name"],
            classes=tuple(c["size_class"] for c in item["classes"]),
            lower_ct=tuple(float(c["lower_ct"]) for c in item["classes"]),
            upper_ct=tuple(
                float("inf") if c.get("upper_ct") is None else float(c["upper_ct"]) for c in item["classes"]
            ),
        )
        for item in document["sieve_sets"]
    )
    size: SizeAttribute | None = None
    categorical: list[Attribute] = []
    for item in document["attributes"]:
        common = {"name": item["name"], "column": item["column"], "labels": item["labels"]}
        synonyms = tuple(item.get("synonyms", ()))
        if "sieve_set" in item:
            own = next((s for s in sets if s.name == item["sieve_set"]), None)
            if own is None:
                raise SchemeMismatch(f"attribute {item['name']!r}: sieve set {item['sieve_set']!r} is not declared")
            size = SizeAttribute(**common, synonyms=synonyms, sieve_set=own)
            continue
        classes = tuple(
            AttributeClass(name=c["name"], labels=c["labels"], synonyms=tuple(c.get("synonyms", ())))
            for c in item["classes"]
        )
        categorical.append(
            Attribute(**common, synonyms=synonyms, classes=classes, ordered=bool(item.get("ordered", False)))
        )
    if size is None:
        raise SchemeMismatch("the scheme has no attribute with a sieve set (size)")
    return Scheme(size=size, categorical=tuple(categorical), sieve_sets=sets)
