"""A parcel as it was submitted: its declaration, its conditions, its stones or its sorting sheet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.scheme import CT_PER_MM3, Attribute, SieveSet
from kpfootprint.stats.arrays import Floats

NOT_RECORDED = -1
"""Class code of a stone whose class was left blank: not recorded, which is not an unknown class.

As a number of stones: they were weighed and not counted.
"""
FACTORS = ("cleaning_state", "selection", "sorter")
"""Conditions whose effect is learnt; the last one has many levels and may be new."""
MOST_BELOW_SCREEN = 0.15
"""Share of stones below a declared screen from which on it cannot have been that one, and is taken as not known.

A screen is a soft edge: of reference parcels at most 7 % of the stones lie below theirs. One that is too wide by far
would explain away how small the goods are.
"""


def _frozen(array: NDArray[np.generic]) -> None:
    array.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A zone named on the paper, with its carats or its `percent` of the carats; a single zone needs neither."""

    zone_id: str
    carats: float | None = None
    percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredCountry:
    """A country named on the paper (ISO 3166-1 alpha-2): a blend of its zones in shares that nobody stated."""

    country: str
    carats: float | None = None
    percent: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How the parcel was prepared and recorded. None means not known."""

    cleaning_state: str | None = None
    selection: str | None = None
    sorter: str | None = None
    bottom_screen_mm: float | None = None
    specials_removed: bool | None = None
    sieve_set: str | None = None

    @property
    def blank(self) -> tuple[str, ...]:
        """Which of the conditions that evidence rests on are not known."""
        return tuple(name for name in (*FACTORS, "bottom_screen_mm") if getattr(self, name) is None)

    @property
    def stated(self) -> tuple[str, ...]:
        """Which of them are known, and that specials were removed where they were."""
        known = tuple(name for name in (*FACTORS, "bottom_screen_mm") if getattr(self, name) is not None)
        return (*known, "specials_removed") if self.specials_removed else known

    @property
    def unstated(self) -> Conditions:
        """These conditions as if nothing that evidence rests on were known."""
        return Conditions(sieve_set=self.sieve_set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stones:
    """A stone list in columns.

    Parameters
    ----------
    weight_ct : ndarray of shape (n_stones,), float
        Weights in carats, positive.
    codes : mapping from attribute name to ndarray of shape (n_stones,), integer
        Position of the stone's class (or set of classes) in the scheme, `NOT_RECORDED` where blank.
        An attribute that the list does not record at all is absent.
    value_usd : ndarray of shape (n_stones,), float, or None
        What each is worth; None where not every stone has a value.
    """

    weight_ct: Floats
    codes: Mapping[str, NDArray[np.int16]]
    value_usd: Floats | None = None

    def __post_init__(self) -> None:
        assert self.weight_ct.size > 0
        assert np.all(np.isfinite(self.weight_ct) & (self.weight_ct > 0))
        for column in (self.weight_ct, self.value_usd, *self.codes.values()):
            if column is not None:
                assert column.shape == self.weight_ct.shape
                _frozen(column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """One breakdown of a sorting sheet: the same stones counted by some of the attributes.

    Parameters
    ----------
    attributes : tuple of str, length a
        Attributes that this breakdown records, ``size`` first where it is among them; none where number and weight
        alone are known.
    codes : ndarray of shape (n_rows, a), integer
        Class positions: in the parcel's `sieve_set` for size, in the scheme otherwise (sets of classes after the
        classes); `NOT_RECORDED` where a row leaves an attribute open. Rows of one cell may repeat, as lots do.
    n_stones : ndarray of shape (n_rows,), integer
        Stones in each row; `NOT_RECORDED` where they were weighed and not counted.
    carats : ndarray of shape (n_rows,), float, or None
        Carats in each row, where the sheet gives them; NaN where a row has none.
    value_usd : ndarray of shape (n_rows,), float, or None
        What each row is worth; None where not every row has a value.
    sample : bool
        Whether only a sample of the stones of each size class is counted here. Classes given size count then; sizes
        and totals are those of the other breakdowns.
    """

    attributes: tuple[str, ...]
    codes: NDArray[np.int16]
    n_stones: NDArray[np.int64]
    carats: Floats | None = None
    value_usd: Floats | None = None
    sample: bool = False

    def __post_init__(self) -> None:
        assert self.codes.shape == (self.n_stones.size, len(self.attributes))
        for column in (self.codes, self.n_stones, self.carats, self.value_usd):
            if column is not None:
                assert len(column) == self.n_stones.size
                _frozen(column)

    def codes_of(self, name: str) -> NDArray[np.int16]:
        """Return the class positions (n_rows,) of an attribute that this breakdown records."""
        return self.codes[:, self.attributes.index(name)]

    @property
    def counted(self) -> int | None:
        """Stones of all rows; None where some were not counted."""
        return None if bool((self.n_stones < 0).any()) else int(self.n_stones.sum())

    @property
    def weighed(self) -> float | None:
        """Carats of all rows; None where some were not weighed."""
        if self.carats is None or bool(np.isnan(self.carats).any()):
            return None
        return float(self.carats.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A parcel: either `stones` or `breakdowns` is filled.

    Parameters
    ----------
    n_stones : int
        Stones in the rows; 0 where some were weighed and never counted.
    countries : tuple of DeclaredCountry
        Countries that the paper names beside, or instead of, zones.
    carats : float or None
        Their weight; None where a counts sheet gives no carats.
    sieve_set : SieveSet or None
        Size classes of `breakdowns`; None for a stone list or where size is not recorded.
    declared_carats : float or None
        The total the parcel's own row declares (the paper's), kept beside the weight of the rows.
    read_as : mapping or None
        What was understood of the sheet that the parcel came from, as plain JSON values; it stands in the report.
    """

    parcel_id: str
    n_stones: int
    carats: float | None
    conditions: Conditions = field(default_factory=Conditions)
    declarations: tuple[Declaration, ...] = ()
    countries: tuple[DeclaredCountry, ...] = ()
    exported_on: date | None = None
    certificate_no: str | None = None
    exporter: str | None = None
    value_usd: float | None = None
    hs_code: str | None = None
    declared_carats: float | None = None
    stones: Stones | None = None
    breakdowns: tuple[Breakdown, ...] = ()
    sieve_set: SieveSet | None = None
    read_as: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        assert (self.stones is None) == bool(self.breakdowns)
        assert self.n_stones > 0 or any(item.counted is None for item in self.breakdowns)
        assert self.stones is not None or not all(item.sample for item in self.breakdowns)

    @property
    def origins(self) -> tuple[Declaration | DeclaredCountry, ...]:
        """What the paper names: zones, then countries."""
        return (*self.declarations, *self.countries)

    @property
    def read_plainly(self) -> bool:
        """Whether every row and column was read under a header on top, so that there is nothing to confirm."""
        read_as = self.read_as or {}
        told = ("left_out", "passed_over", "hidden", "notes")
        return read_as.get("header_rows", [1]) == [1] and not any(read_as.get(name) for name in told)

    @property
    def stone_list(self) -> Stones:
        """The stones one by one; ValueError for a sorting sheet."""
        if self.stones is None:
            raise ValueError(f"parcel must be a stone list, got a sorting sheet for {self.parcel_id!r}")
        return self.stones

    @property
    def mean_ct(self) -> float | None:
        """The mean stone in carats; None where stones were not counted or not weighed."""
        return self.carats / self.n_stones if self.carats is not None and self.n_stones else None

    def sized(self, size: str) -> Breakdown | None:
        """Return the breakdown by `size` that sizes are taken from: one that counts all its stones, if there is one."""
        sized = [item for item in self.breakdowns if size in item.attributes and not item.sample]
        return next((item for item in sized if item.counted is not None), sized[0] if sized else None)

    def below_screen(self, size: str) -> tuple[int, float]:
        """Return the stones below the declared bottom screen, and their share of those whose `size` is known.

        Of sieved stones those count whose whole class lies below.
        """
        screen, weights, number = self.conditions.bottom_screen_mm, np.zeros(0), np.zeros(0)
        if screen is None:
            return 0, 0.0
        if self.stones is not None:
            weights, number = self.stones.weight_ct, np.ones(self.stones.weight_ct.size)
        elif self.sieve_set is not None and (sized := self.sized(size)) is not None:
            upper = np.array([*self.sieve_set.upper_ct, np.inf])  # the last is that of rows without a size
            weights = np.nextafter(upper[sized.codes_of(size)], 0.0)
            number = np.maximum(sized.n_stones, 0).astype(float)
        below = float(number[weights < CT_PER_MM3 * screen**3].sum())
        return int(below), float(below / number.sum()) if below else 0.0

    def n_stones_graded(self, size: str) -> int | None:
        """Return how many stones have a class of some attribute besides `size`; None where they were not counted."""
        if self.stones is not None:
            graded = [codes >= 0 for codes in self.stones.codes.values()]
            return int(np.count_nonzero(np.any(graded, axis=0))) if graded else 0
        counts = [0]
        for item in self.breakdowns:
            classes = item.codes[:, [k for k, name in enumerate(item.attributes) if name != size]]
            n_stones = item.n_stones[(classes >= 0).any(axis=1)]
            if bool((n_stones < 0).any()):
                return None
            counts.append(int(n_stones.sum()))
        return max(counts)

    def without(self, attributes: Collection[str]) -> Parcel | None:
        """Return the parcel as if these attributes, none of them size, were not recorded; None where that is all."""
        if self.stones is not None:
            codes = {name: codes for name, codes in self.stones.codes.items() if name not in attributes}
            return replace(self, stones=replace(self.stones, codes=codes))
        kept = []
        for item in self.breakdowns:
            columns = [k for k, name in enumerate(item.attributes) if name not in attributes]
            names = tuple(item.attributes[k] for k in columns)
            if names:
                kept.append(replace(item, attributes=names, codes=item.codes[:, columns].copy()))
        return replace(self, breakdowns=tuple(kept)) if any(not item.sample for item in kept) else None

    def set_codes(self, attribute: Attribute) -> list[int]:
        """Return the codes of the sets of classes that stones are known by, in the scheme's order."""
        if self.stones is not None:
            codes = [self.stones.codes[attribute.name]] if attribute.name in self.stones.codes else []
        else:
            codes = [item.codes_of(attribute.name) for item in self.breakdowns if attribute.name in item.attributes]
        used = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *codes]))
        return [int(code) for code in used if code >= len(attribute.classes)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Parcels to examine together; one parcel is a batch of one.

    Examples
    --------
    >>> import kpfootprint
    >>> len(kpfootprint.Batch(()))
    0
    """

    parcels: tuple[Parcel, ...]

    def __len__(self) -> int:
        return len(self.parcels)

    def __iter__(self) -> Iterator[Parcel]:
        return iter(self.parcels)

    def take(self, rows: Iterable[int]) -> Batch:
        """Return the parcels at these positions."""
        return Batch(tuple(self.parcels[row] for row in rows))
