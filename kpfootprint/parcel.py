"""A parcel as it was submitted: its declaration, its conditions, its stones or its sorting sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpfootprint.errors import InvalidParcel
from kpfootprint.scheme import SieveSet

NOT_RECORDED = -1
"""Class code of a stone whose class was left blank: not recorded, which is not an unknown class."""


def _frozen(array: NDArray[np.generic]) -> None:
    array.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A zone named on the paper; `carats` is None where a single zone was declared without a weight."""

    zone_id: str
    carats: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How the parcel was prepared and recorded. None means not known."""

    cleaning_state: str | None = None
    selection: str | None = None
    sorter: str | None = None
    bottom_screen_mm: float | None = None
    specials_removed: bool | None = None
    sieve_set: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stones:
    """A stone list in columns.

    Parameters
    ----------
    weight_ct : ndarray of shape (n_stones,), float
        Weights in carats, positive.
    codes : mapping from attribute name to ndarray of shape (n_stones,), integer
        Position of the stone's class in the scheme, `NOT_RECORDED` where blank.
        An attribute that the list does not record at all is absent.
    """

    weight_ct: NDArray[np.float64]
    codes: Mapping[str, NDArray[np.int16]]

    def __post_init__(self) -> None:
        n = self.weight_ct.shape[0]
        if n == 0 or not np.all(np.isfinite(self.weight_ct)) or not np.all(self.weight_ct > 0):
            raise InvalidParcel("a stone list needs one stone or more, each with a positive, finite weight_ct")
        _frozen(self.weight_ct)
        for name, codes in self.codes.items():
            if codes.shape != (n,):
                raise InvalidParcel(f"stones.{name} has {codes.shape[0]} values for {n} weights")
            _frozen(codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """One breakdown of a sorting sheet: the same stones counted by some of the attributes.

    Parameters
    ----------
    attributes : tuple of str, length a
        Attributes that this breakdown records, ``size`` first where it is among them.
    codes : ndarray of shape (n_rows, a), integer
        Class positions: in the parcel's `sieve_set` for size, in the scheme otherwise.
    n_stones : ndarray of shape (n_rows,), integer
        Stones in each cell.
    carats : ndarray of shape (n_rows,), float, or None
        Carats in each cell, where the sheet gives them.
    """

    attributes: tuple[str, ...]
    codes: NDArray[np.int16]
    n_stones: NDArray[np.int64]
    carats: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.codes.shape != (self.n_stones.shape[0], len(self.attributes)):
            raise InvalidParcel(f"breakdown {self.attributes}: codes of shape {self.codes.shape} do not fit")
        _frozen(self.codes)
        _frozen(self.n_stones)
        if self.carats is not None:
            _frozen(self.carats)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A parcel: either `stones` or `breakdowns` is filled.

    Parameters
    ----------
    n_stones : int
        Stones in the rows.
    carats : float or None
        Their weight; None where a counts sheet gives no carats.
    sieve_set : SieveSet or None
        Size classes of `breakdowns`; None for a stone list or where size is not recorded.
    declared_carats : float or None
        The total the parcel's own row declares (the paper's), kept beside the weight of the rows.
    n_stones_graded : int or None
        Stones of which colour or morphology is recorded; None where that is not known.
    read_as : mapping or None
        What was understood of the sheet that the parcel came from, as plain JSON values; it stands in the report.
    """

    parcel_id: str
    n_stones: int
    carats: float | None
    conditions: Conditions = field(default_factory=Conditions)
    declarations: tuple[Declaration, ...] = ()
    exported_on: date | None = None
    certificate_no: str | None = None
    exporter: str | None = None
    value_usd: float | None = None
    hs_code: str | None = None
    declared_carats: float | None = None
    stones: Stones | None = None
    breakdowns: tuple[Breakdown, ...] = ()
    sieve_set: SieveSet | None = None
    n_stones_graded: int | None = None
    read_as: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if (self.stones is None) == (not self.breakdowns):
            raise InvalidParcel(
                f"parcel {self.parcel_id!r} needs a stone list or a sorting sheet, and one of them only"
            )
        if self.n_stones < 1:
            raise InvalidParcel(f"parcel {self.parcel_id!r} has no stones")
        zones = [item.zone_id for item in self.declarations]
        if len(set(zones)) != len(zones):
            raise InvalidParcel(f"parcel {self.parcel_id!r} declares a zone twice; add its bordereaux up first")
        if len(zones) > 1 and any(item.carats is None for item in self.declarations):
            raise InvalidParcel(f"parcel {self.parcel_id!r} declares several zones; each needs its carats")


@dataclass(frozen=True, slots=True)
class Batch:
    """Parcels to examine together; one parcel is a batch of one."""

    parcels: tuple[Parcel, ...]

    def __len__(self) -> int:
        return len(self.parcels)

    def __iter__(self) -> Iterator[Parcel]:
        return iter(self.parcels)
