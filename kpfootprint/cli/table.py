"""``kpfootprint batch --format csv``: a row a parcel, for a spreadsheet; no cell is taken for a formula."""

from __future__ import annotations

import json
from typing import Any

from kpfootprint.visible import csv_line

COLUMNS = (
    *("parcel_id", "conclusion", "log10_lr", "low", "high", "verbal", "typicality_p", "novelty_p"),
    *("declared", "n_stones", "carats", "exported_on", "undeclared_stones", "cautions", "release", "report_id"),
    "problems",
)


def head() -> str:
    """Return the line of headers."""
    return csv_line(COLUMNS)


def row(line: str) -> str:
    """Return the row of a parcel from its line of JSON: what its report says first, or what is wrong with it."""
    document = json.loads(line)
    parcel = document["parcel"]
    if "problems" in document:
        told = "; ".join(_problem(item) for item in document["problems"])
        cells: dict[str, Any] = {"parcel_id": parcel["parcel_id"], "problems": told}
    else:
        verification = document["verification"] or {}
        fraction = (document["mixture"] or {}).get("undeclared_stone_fraction") or {}
        cells = {
            "parcel_id": parcel["parcel_id"],
            "conclusion": document["conclusion"],
            **{name: verification.get(name) for name in ("log10_lr", "low", "high", "verbal", "typicality_p")},
            "novelty_p": (document["novelty"] or {}).get("p_value"),
            "declared": " ".join(item["zone_id"] for item in parcel["declared"]),
            "n_stones": parcel["n_stones"],
            "carats": parcel["carats"],
            "exported_on": parcel["exported_on"],
            "undeclared_stones": fraction.get("estimate"),
            "cautions": " ".join(item["code"] for item in document["cautions"]),
            "release": document["model"]["release"],
            "report_id": document["report_id"],
        }
    return csv_line([cells.get(name) for name in COLUMNS])


def _problem(item: dict[str, Any]) -> str:
    place = ", ".join(str(item[name]) for name in ("table", "row", "column") if item.get(name) is not None)
    return f"{place}: {item['reason']}"
