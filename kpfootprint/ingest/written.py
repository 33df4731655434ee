"""A parcel written as the JSON document that it can be read from."""

from __future__ import annotations

from typing import Any

from kpfootprint.ingest.build import CONDITIONS
from kpfootprint.parcel import Breakdown, Parcel
from kpfootprint.scheme import Scheme


def parcel_to_json(parcel: Parcel, scheme: Scheme) -> dict[str, Any]:
    """Write a parcel as the JSON document that `ingest_json` reads back to the same parcel.

    Members that are not known are left out; classes bear the names of the scheme.
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
            {"zone_id": item.zone_id} | ({} if item.carats is None else {"carats": item.carats})
            for item in parcel.declarations
        ]
        or None,
        "conditions": conditions or None,
    }
    if parcel.stones is not None:
        stones: dict[str, list[Any]] = {scheme.size.column: parcel.stones.weight_ct.tolist()}
        for item in scheme.categorical:
            if item.name in parcel.stones.codes:
                names = (*item.class_names, None)
                stones[item.column] = [names[code] for code in parcel.stones.codes[item.name].tolist()]
        document["stones"] = stones
    else:
        document["counts"] = [row for item in parcel.breakdowns for row in _count_rows(item, parcel, scheme)]
    own = parcel.sieve_set
    if own is not None and scheme.sieve_set(own.name) is None:
        document["size_classes"] = [
            {"sieve_set": own.name, "size_class": name, "lower_ct": low}
            | ({} if high == float("inf") else {"upper_ct": high})
            for name, low, high in zip(own.classes, own.lower_ct, own.upper_ct, strict=True)
        ]
    return {name: value for name, value in document.items() if value is not None}


def _count_rows(item: Breakdown, parcel: Parcel, scheme: Scheme) -> list[dict[str, Any]]:
    names: list[tuple[str, tuple[str, ...]]] = []
    for name in item.attributes:
        if name == scheme.size.name:
            names.append(("size_class", parcel.sieve_set.classes if parcel.sieve_set else ()))
        else:
            attribute = scheme.attribute(name)
            names.append((attribute.column, attribute.class_names))
    carats = None if item.carats is None else item.carats.tolist()
    rows: list[dict[str, Any]] = []
    for at, (codes, count) in enumerate(zip(item.codes.tolist(), item.n_stones.tolist(), strict=True)):
        row: dict[str, Any] = {column: classes[code] for (column, classes), code in zip(names, codes, strict=True)}
        row["n_stones"] = count
        if carats is not None:
            row["carats"] = carats[at]
        rows.append(row)
    return rows
