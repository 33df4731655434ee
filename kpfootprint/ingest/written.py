"""A parcel written as the JSON document that it can be read from."""

from __future__ import annotations

from typing import Any

import numpy as np

from kpfootprint.ingest.build import CONDITIONS
from kpfootprint.ingest.sheets import RANGES
from kpfootprint.parcel import Breakdown, Declaration, DeclaredCountry, Parcel
from kpfootprint.scheme import Scheme, SieveSet


def parcel_to_json(parcel: Parcel, scheme: Scheme, *, sealed: bool = False) -> dict[str, Any]:
    """Write a parcel as the JSON document that `ingest_json` reads back to the same parcel.

    Members that are not known are left out; classes bear the names of the scheme. With `sealed` the document also says
    how the sheet of the parcel was read, so that its report can be made again.
    """
    conditions = {name: value for name in CONDITIONS if (value := getattr(parcel.conditions, name)) is not None}
    document: dict[str, Any] = {
        "parcel_id": parcel.parcel_id,
        "exported_on": None if parcel.exported_on is None else parcel.exported_on.isoformat(),
        "certificate_no": parcel.certificate_no,
        "exporter": parcel.exporter,
        "carats": parcel.declared_carats,
        "value_usd": parcel.value_usd,
        "hs_code": parcel.hs_code,
        "declarations": [
            *({"zone_id": item.zone_id} | _amounts(item) for item in parcel.declarations),
            *({"country": item.country} | _amounts(item) for item in parcel.countries),
        ]
        or None,
        "conditions": conditions or None,
    }
    if parcel.stones is not None:
        stones: dict[str, list[Any]] = {scheme.size.column: parcel.stones.weight_ct.tolist()}
        for item in scheme.categorical:
            if item.name in parcel.stones.codes:
                names = (*item.code_names, None)
                stones[item.column] = [names[code] for code in parcel.stones.codes[item.name].tolist()]
        document["stones"] = stones
    else:
        numbered = _needs_names(parcel)
        document["counts"] = [
            row | ({"breakdown": str(k)} if numbered else {})
            for k, item in enumerate(parcel.breakdowns, start=1)
            for row in _count_rows(item, parcel, scheme)
        ]
        if parcel.n_stones and all(item.counted is None or item.sample for item in parcel.breakdowns):
            document["n_stones"] = parcel.n_stones
    if sealed and parcel.read_as is not None:
        document["read_as"] = dict(parcel.read_as)
    own = parcel.sieve_set
    if own is not None and not _ranged(own) and scheme.sieve_set(own.name) is None:
        document["size_classes"] = [
            {"sieve_set": own.name, "size_class": name, "lower_ct": low}
            | ({} if high == float("inf") else {"upper_ct": high})
            for name, low, high in zip(own.classes, own.lower_ct, own.upper_ct, strict=True)
        ]
    return {name: value for name, value in document.items() if value is not None}


def _amounts(item: Declaration | DeclaredCountry) -> dict[str, float]:
    amounts = {"carats": item.carats, "percent": item.percent}
    return {name: value for name, value in amounts.items() if value is not None}


def _needs_names(parcel: Parcel) -> bool:
    """Say whether rows would be grouped otherwise by the columns that they fill."""
    open_cells = any(bool((item.codes < 0).any()) for item in parcel.breakdowns)
    kinds = [(item.attributes, item.sample) for item in parcel.breakdowns]
    bare = len(kinds) > 1 and any(not names for names, _ in kinds)
    return open_cells or bare or len(set(kinds)) < len(kinds)


def _ranged(sizes: SieveSet) -> bool:
    """Say whether rows give the limits of their sizes themselves."""
    return sizes.name == RANGES or not sizes.gapless


def _count_rows(item: Breakdown, parcel: Parcel, scheme: Scheme) -> list[dict[str, Any]]:
    names: list[tuple[str, tuple[str, ...]]] = []
    sizes = parcel.sieve_set
    for name in item.attributes:
        if name == scheme.size.name:
            names.append(("size_class", sizes.classes if sizes else ()))
        else:
            attribute = scheme.attribute(name)
            names.append((attribute.column, attribute.code_names))
    rows: list[dict[str, Any]] = []
    for at, codes in enumerate(item.codes.tolist()):
        row: dict[str, Any] = {
            column: classes[code] for (column, classes), code in zip(names, codes, strict=True) if code >= 0
        }
        if sizes is not None and _ranged(sizes) and "size_class" in row:
            code = codes[item.attributes.index(scheme.size.name)]
            row["lower_ct"] = sizes.lower_ct[code]
            if sizes.upper_ct[code] != float("inf"):
                row["upper_ct"] = sizes.upper_ct[code]
        if item.n_stones[at] >= 0:
            row["n_stones"] = int(item.n_stones[at])
        if item.carats is not None and not np.isnan(item.carats[at]):
            row["carats"] = float(item.carats[at])
        if item.sample:
            row["sample"] = True
        rows.append(row)
    return rows
