"""What is recorded of a stone: attributes, their classes, sieve sets. A reference package declares them, not code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kpfootprint.errors import SchemeMismatch
from kpfootprint.plain import built, plain
from kpfootprint.stats.arrays import Bools, Floats, Ints

CT_PER_MM3 = 0.0078
"""Carats of a stone just retained by an aperture of 1 mm; weight goes with the cube of the aperture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeClass:
    """A class of a categorical attribute, such as the colour *brown*."""

    name: str
    labels: Mapping[str, str]
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSet:
    """A word for several classes of one attribute, such as *makeables*: the stone is of one of `members`."""

    name: str
    labels: Mapping[str, str]
    members: tuple[str, ...]
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SieveSet:
    """Size classes of one way of sieving, or the ranges that the rows of a sheet name.

    Parameters
    ----------
    name : str
        Name by which parcels refer to the set.
    classes : tuple of str, length k
        Class names, smallest stones first.
    lower_ct, upper_ct : tuple of float, length k
        Class limits in carats; a stone belongs where ``lower_ct <= weight_ct < upper_ct``. An upper limit may be
        infinite. Sieves leave no gap and do not overlap (`gapless`); ranges on a sheet may do both.
    """

    name: str
    classes: tuple[str, ...]
    lower_ct: tuple[float, ...]
    upper_ct: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.classes) == len(self.lower_ct) == len(self.upper_ct) or not self.classes:
            raise SchemeMismatch(
                "sieve set {name}: as many names as lower and upper limits are needed", name=repr(self.name)
            )
        if len(set(self.classes)) != len(self.classes):
            raise SchemeMismatch("sieve set {name}: class names repeat", name=repr(self.name))
        limits = [*self.limits.values()]
        if any(not 0 <= low < high for low, high in limits):
            raise SchemeMismatch(
                "sieve set {name}: limits must increase from 0 ct or more, got {limits}",
                name=repr(self.name),
                limits=limits,
            )
        if list(self.lower_ct) != sorted(self.lower_ct):
            raise SchemeMismatch(
                "sieve set {name}: the smallest class comes first, got {limits}",
                name=repr(self.name),
                limits=self.lower_ct,
            )

    @classmethod
    def of(cls, name: str, limits: Mapping[str, tuple[float, float]]) -> SieveSet:
        """Return the set of some classes with their limits in carats, the smallest stones first."""
        lower_ct, upper_ct = zip(*limits.values(), strict=True)
        return cls(name=name, classes=tuple(limits), lower_ct=lower_ct, upper_ct=upper_ct)

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """The classes with their limits in carats."""
        return dict(zip(self.classes, zip(self.lower_ct, self.upper_ct, strict=True), strict=True))

    @property
    def gapless(self) -> bool:
        """Whether each class begins where the one before it ends."""
        return self.upper_ct[:-1] == self.lower_ct[1:]

    def class_of(self, weight_ct: Floats) -> Ints:
        """Return the class (n,) of stones by weight, where classes leave no gap; the first holds all below it too."""
        return np.searchsorted(np.array(self.lower_ct[1:]), weight_ct, side="right")

    def checked(self) -> SieveSet:
        """Return the set, or raise `SchemeMismatch` where its classes overlap or leave a gap."""
        if not self.gapless:
            raise SchemeMismatch(
                "sieve set {name}: each class must begin where the one before it ends", name=repr(self.name)
            )
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeAttribute:
    """The attribute *size*: weight in carats, shown in the classes of the package's own sieve set."""

    name: str
    column: str
    labels: Mapping[str, str]
    synonyms: tuple[str, ...]
    sieve_set: SieveSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A categorical attribute: colour, morphology or a further one.

    A code below ``len(classes)`` is a class; a code from there on is the set of that number in `sets`, and says that
    the stone is of one of the set's classes.
    """

    name: str
    column: str
    labels: Mapping[str, str]
    classes: tuple[AttributeClass, ...]
    synonyms: tuple[str, ...] = ()
    sets: tuple[ClassSet, ...] = ()

    def __post_init__(self) -> None:
        fit = all(item.members and {*item.members} <= {*self.class_names} for item in self.sets)
        if not fit or len({*self.code_names}) != len(self.code_names):
            raise SchemeMismatch("attribute {name}: names repeat, or a set is not one of classes", name=repr(self.name))

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the package's order; codes in arrays are positions in it."""
        return tuple(item.name for item in self.classes)

    @property
    def code_names(self) -> tuple[str, ...]:
        """Names of all codes: the classes, then the sets of classes."""
        return (*self.class_names, *(item.name for item in self.sets))

    def members_of_codes(self) -> Bools:
        """Return which classes (n_codes, n_classes) a stone of each code may be of."""
        position = {name: k for k, name in enumerate(self.class_names)}
        out = np.zeros((len(self.code_names), len(self.classes)), dtype=bool)
        np.fill_diagonal(out, True)
        for row, item in enumerate(self.sets, start=len(self.classes)):
            out[row, [position[name] for name in item.members]] = True
        return out

    def sharing(self, codes: Sequence[int]) -> list[list[int]]:
        """Put codes that share classes together: whoever sorts puts each stone on one pile, nobody says on which."""
        members, groups = self.members_of_codes(), list[list[int]]()
        for code in codes:
            touching = [group for group in groups if (members[group].any(axis=0) & members[code]).any()]
            groups = [group for group in groups if group not in touching]
            groups.append(sorted([code, *(other for group in touching for other in group)]))
        return sorted(groups)


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
        raise SchemeMismatch(
            "no categorical attribute {name}; known are {known}",
            name=repr(name),
            known=[a.name for a in self.categorical],
        )

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
                "labels": dict(size.labels),
                "synonyms": list(size.synonyms),
                "sieve_set": own.name,
                "edges_ct": [*own.lower_ct, *([] if own.upper_ct[-1] == float("inf") else [own.upper_ct[-1]])],
            }
        ]
        for item in self.categorical:
            told = plain(item)
            attributes.append(told if item.sets else {name: told[name] for name in told if name != "sets"})
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
            raise SchemeMismatch("the scheme has no entry {missing}", missing=missing) from None


def _scheme(document: Mapping[str, Any]) -> Scheme:
    sets = tuple(
        SieveSet(
            name=item["name"],
            classes=tuple(c["size_class"] for c in item["classes"]),
            lower_ct=tuple(float(c["lower_ct"]) for c in item["classes"]),
            upper_ct=tuple(
                float("inf") if c.get("upper_ct") is None else float(c["upper_ct"]) for c in item["classes"]
            ),
        ).checked()
        for item in document["sieve_sets"]
    )
    size: SizeAttribute | None = None
    categorical: list[Attribute] = []
    for item in document["attributes"]:
        if "sieve_set" not in item:
            categorical.append(built(Attribute, item))
            continue
        own = next((s for s in sets if s.name == item["sieve_set"]), None)
        if own is None:
            raise SchemeMismatch(
                "attribute {name}: sieve set {sieve_set} is not declared",
                name=repr(item["name"]),
                sieve_set=repr(item["sieve_set"]),
            )
        named = {name: item[name] for name in ("name", "column", "labels")}
        size = SizeAttribute(**named, synonyms=tuple(item.get("synonyms", ())), sieve_set=own)
    if size is None:
        raise SchemeMismatch("the scheme has no attribute with a sieve set (size)")
    return Scheme(size=size, categorical=tuple(categorical), sieve_sets=sets)
