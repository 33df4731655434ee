"""Published detrital zircons as a reference package: grains for stones, samples for parcels, units for zones.

Nobody here invented them, and samples of one unit differ as real sediment does. The workbook is that of Sharman,
Sharman and Sylvester (2018), detritalPy, The Depositional Record 4, 202-215, in which many published samples come:
a sheet ``Samples`` (Sample_ID, Unit, Basin) and a sheet ``ZrUPb`` (Sample_ID, U_ppm, Th_U, BestAge, a row a grain).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

from kpfootprint.retold import LANGUAGES
from training.package.descriptor import fault
from training.package.seal import blank_descriptor, seal, write_descriptor, write_table

SAMPLES, GRAINS = "Samples", "ZrUPb"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    SAMPLES: ("Sample_ID", "Unit", "Basin"),
    GRAINS: ("Sample_ID", "U_ppm", "Th_U", "BestAge"),
}
AGES_MA = (0, 100, 180, 230, 260, 400, 700, 1000, 1200, 1400, 1600, 1800)
"""Where classes of crystallisation age begin, in million years."""
TH_U = (0.0, 0.2, 0.4, 0.6, 0.8, 1.1)
"""Where classes of the Th/U ratio begin."""
EDGES = (0, 0.0255, 0.0505, 0.0755, 0.1005, 0.1505, 0.2005, 0.3005, 0.4005, 0.6005, 0.9005, 1.5005)
"""Where size classes begin: uranium in ppm, divided by a thousand."""
LEAST_GRAINS = 30
LEAST_SAMPLES = 3
COUNTRY = "ZZ"
"""The code of no country in particular (ISO 3166-1, user-assigned)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample with its unit and basin, and uranium (thousandths of ppm), Th/U and age of its grains."""

    name: str
    unit: str
    basin: str
    grains: list[tuple[float, float, float]]


def write_zircons(workbook: Path, out: Path) -> tuple[int, int]:
    """Write the samples of a workbook as a reference package; return how many parcels and zones it has.

    Samples of fewer than 30 dated grains and units of fewer than three such samples are left out. The package has no
    status of zones.

    Raises
    ------
    ReferenceDataError
        Where a sheet, a column or enough samples are missing, or the folder is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise fault("folder_not_empty", f"{out.name} holds files; give an empty folder")
    samples = _samples(workbook)
    count = Counter(sample.unit for sample in samples)
    kept = sorted((s for s in samples if count[s.unit] >= LEAST_SAMPLES), key=lambda s: (s.unit, s.name))
    zones = sorted({(sample.unit, sample.basin) for sample in kept})
    names = {unit: _slug(unit) for unit, _ in zones}
    if len(set(names.values())) < 2:
        reason = f"two units need {LEAST_SAMPLES} samples of {LEAST_GRAINS} grains each, got {len(set(names.values()))}"
        raise fault("too_few_parcels", reason, table=SAMPLES)
    out.mkdir(parents=True, exist_ok=True)
    document = _descriptor()
    columns = {item["name"]: [field["name"] for field in item["schema"]["fields"]] for item in document["resources"]}
    basin_of = {names[unit]: (unit, basin) for unit, basin in zones}
    tables: dict[str, list[tuple[str, ...]]] = {
        "zones": [(zone, unit, COUNTRY, _slug(basin or unit)) for zone, (unit, basin) in sorted(basin_of.items())],
        "parcels": [
            tuple(_parcel(k, sample, names).get(name, "") for name in columns["parcels"])
            for k, sample in enumerate(kept, 1)
        ],
        "stones": [row for k, sample in enumerate(kept, 1) for row in _stones(k, sample)],
    }
    for item in document["resources"]:
        write_table(out / item["path"], columns[item["name"]], tables[item["name"]])
    write_descriptor(out, document)
    seal(out)
    return len(kept), len(basin_of)


def _samples(workbook: Path) -> list[Sample]:
    try:
        book = openpyxl.load_workbook(workbook, read_only=True, data_only=True)
        sheets = {sheet: list(_rows(book, sheet)) for sheet in COLUMNS}
    except Exception as error:  # a parser that is fed with anything may raise anything
        reason = f"this is no workbook with the sheets {', '.join(COLUMNS)}: {error}"
        raise fault("wrong_file_kind", reason, table=workbook.name) from None
    samples = {
        str(row["Sample_ID"]): Sample(str(row["Sample_ID"]), str(row["Unit"] or row["Basin"]), str(row["Basin"]), [])
        for row in sheets[SAMPLES]
        if row["Sample_ID"] is not None and (row["Unit"] or row["Basin"])
    }
    for row in sheets[GRAINS]:
        sample = samples.get(str(row["Sample_ID"]))
        values = [_number(row[name]) for name in COLUMNS[GRAINS][1:]]
        if sample is not None and all(value is not None and value > 0 for value in values):
            uranium, ratio, age = (float(value) for value in values if value is not None)
            sample.grains.append((max(round(uranium / 1000.0, 3), 0.001), ratio, age))
    return [sample for sample in samples.values() if len(sample.grains) >= LEAST_GRAINS]


def _rows(book: Any, sheet: str) -> Iterator[dict[str, Any]]:
    if sheet not in book.sheetnames:
        raise ValueError(f"the workbook needs a sheet {sheet}, got {', '.join(book.sheetnames)}")
    rows = book[sheet].iter_rows(values_only=True)
    header = [str(cell).strip() if cell is not None else "" for cell in next(rows, ())]
    if missing := [name for name in COLUMNS[sheet] if name not in header]:
        raise ValueError(f"{sheet} needs columns {', '.join(missing)}")
    places = {name: header.index(name) for name in COLUMNS[sheet]}
    for row in rows:
        yield {name: row[place] if place < len(row) else None for name, place in places.items()}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "unit"


def _class_of(value: float, starts: Sequence[float]) -> int:
    return max(int(np.searchsorted(starts, value, side="right")) - 1, 0)


def _parcel(number: int, sample: Sample, names: Mapping[str, str]) -> dict[str, str]:
    carats = sum(weight for weight, _, _ in sample.grains)
    return {
        "parcel_id": f"Z{number:03}",
        "zone_id": names[sample.unit],
        "n_stones": str(len(sample.grains)),
        "carats": f"{carats:.3f}",
    }


def _stones(number: int, sample: Sample) -> Iterator[tuple[str, ...]]:
    for weight, ratio, age in sample.grains:
        yield f"Z{number:03}", f"{weight:.3f}", f"a{AGES_MA[_class_of(age, AGES_MA)]}", f"t{_class_of(ratio, TH_U)}"


def _descriptor() -> dict[str, Any]:
    """Return the shipped descriptor with the classes of grains in place of those of stones."""
    document = blank_descriptor(
        name="zircons",
        title="Detrital zircons as footprints",
        version="1",
        description="Grains of published samples: uranium for weight, age for colour, Th/U for shape",
    )
    document["sieve_sets"] = []
    classes = {"colour": [f"a{age}" for age in AGES_MA], "morphology": [f"t{k}" for k in range(len(TH_U))]}
    attributes = [item for item in document["attributes"] if item["name"] in ("size", *classes)]
    for item in attributes:
        item.pop("sets", None)
        if item["name"] == "size":
            item |= {"sieve_set": "uranium", "edges_ct": list(EDGES)}
        else:
            names = classes[item["name"]]
            item["classes"] = [{"name": n, "labels": dict.fromkeys(LANGUAGES, n), "synonyms": []} for n in names]
    document["attributes"] = attributes
    document["resources"] = [item for item in document["resources"] if item["name"] != "zone_status"]
    for item in document["resources"]:
        if item["name"] == "stones":
            fields = [f for f in item["schema"]["fields"] if f["name"] in ("parcel_id", "weight_ct", *classes)]
            for field in fields:
                if field["name"] in classes:
                    field["constraints"] = {"enum": classes[field["name"]]}
            item["schema"]["fields"] = fields
    return document
