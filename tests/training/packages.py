"""Small invented reference packages on disk, of whatever kind a researcher may bring."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from openpyxl import Workbook

from kpfootprint.reference import ReferencePackage
from training.package import init_package, load_package
from training.package.seal import write_table

SURFACE = ("plain", "frosted", "etched", "spotted", "coated")
Table = list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a package is like.

    Parameters
    ----------
    parcels : sequence of int
        Reference parcels of each zone.
    attributes : mapping from name to sequence of str
        Categorical attributes with their classes.
    missing : mapping from attribute to float
        Share of the parcels that do not record it.
    missing_in : mapping from attribute to sequence of int
        Zones none of whose parcels records it.
    status : bool
        False leaves the table of status out.
    conditions : bool
        False leaves all columns of conditions out.
    weighed : bool
        False gives every stone the same weight.
    spread : float
        Spread of the logarithm of the number of stones; 0 draws from half to double of `n_stones`.
    unseen : int
        Classes at the end of each attribute that no stone has.
    ordered : bool
        Whether the classes of an attribute have an order.
    sets : bool
        Whether a word for the first two classes of each attribute is declared.
    languages : sequence of str
        Languages that labels are given in.
    zone_id, parcel_id : str
        Forms of ids, filled with a number.
    countries : sequence of str
        Countries of zones, in turn.
    statuses : sequence of str
        Statuses of zones, in turn; ``changes`` is suspended and then compliant.
    """

    parcels: Sequence[int] = (6, 6, 6, 6)
    attributes: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {"colour": ("white", "brown", "yellow"), "morphology": ("whole", "broken", "flat")}
    )
    edges: Sequence[float] = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
    n_stones: int = 150
    missing: Mapping[str, float] = field(default_factory=dict)
    missing_in: Mapping[str, Sequence[int]] = field(default_factory=dict)
    dates: int = 1000
    sorters: int = 3
    status: bool = True
    conditions: bool = True
    weighed: bool = True
    spread: float = 0.0
    unseen: int = 0
    ordered: bool = False
    sets: bool = False
    languages: Sequence[str] = ("en", "fr")
    zone_id: str = "z{:02}"
    parcel_id: str = "P{:04}"
    countries: Sequence[str] = ("CF",)
    statuses: Sequence[str] = ("suspended", "compliant")
    seed: int = 1


PLAIN = Kind()
FEW = Kind(n_stones=40)
"""As plain, with few stones: quick to write and to read."""

KINDS: Mapping[str, Kind] = {
    "plain": PLAIN,
    "fourth": replace(PLAIN, attributes={**PLAIN.attributes, "surface": SURFACE}),
    "other classes": Kind(attributes={"lustre": ("dull", "glassy"), "habit": tuple(f"h{i}" for i in range(11))}),
    "one attribute": Kind(attributes={"colour": ("white", "brown", "yellow", "grey")}),
    "other sieve": Kind(edges=(0.05, 0.11, 0.5)),
    "missing in part": replace(PLAIN, missing={"colour": 0.5, "morphology": 0.3}),
    "missing in zones": replace(
        PLAIN, attributes={**PLAIN.attributes, "surface": SURFACE}, missing_in={"surface": (0, 2), "colour": (1,)}
    ),
    "three parcels": Kind(parcels=(3, 3, 3, 3, 3)),
    "one large zone": Kind(parcels=(200, 4, 3, 5, 4), n_stones=60),
    "five zones": Kind(parcels=(4, 5, 6, 7, 8)),
    "two zones": Kind(parcels=(8, 9)),
    "sixty zones": Kind(parcels=(3,) * 60, n_stones=60),
    "one date": Kind(dates=1, sorters=1),
    "no conditions": Kind(conditions=False, dates=0),
    "no status": Kind(status=False),
    "few stones": Kind(n_stones=12),
    "few stones, four attributes": Kind(n_stones=12, attributes={f"a{k}": SURFACE for k in range(4)}),
    "not weighed": Kind(weighed=False),
    "a stone or two": Kind(parcels=(4, 4, 4), n_stones=2),
    "more classes than stones": Kind(
        parcels=(5, 5, 5),
        attributes={"lustre": tuple(f"l{i}" for i in range(60)), "habit": SURFACE},
        n_stones=10,
        missing={"lustre": 0.5},
    ),
}


def tables_of(kind: Kind) -> dict[str, Table]:
    """Draw the tables: every zone has its own sizes and classes, and its parcels drift."""
    rng = np.random.default_rng(kind.seed)
    zones = [kind.zone_id.format(i) for i in range(len(kind.parcels))]
    seen = {name: list(classes)[: max(len(classes) - kind.unseen, 1)] for name, classes in kind.attributes.items()}
    centres = {name: rng.dirichlet(np.full(len(classes), 2.0), len(zones)) for name, classes in seen.items()}
    sizes = rng.normal(-1.6, 0.4, len(zones))
    status = [row for i, zone in enumerate(zones) for row in _periods(zone, kind.statuses[i % len(kind.statuses)])]
    parcels: Table = []
    stones: Table = []
    for z, count in enumerate(kind.parcels):
        for _ in range(count):
            name, n = kind.parcel_id.format(len(parcels)), int(rng.integers(kind.n_stones // 2, 2 * kind.n_stones))
            if kind.spread:
                n = int(np.clip(np.exp(rng.normal(np.log(kind.n_stones), kind.spread)), 3, 50_000))
            weight = np.maximum(np.exp(rng.normal(sizes[z] + 0.1 * rng.normal(), 0.8, n)), 0.06).round(2)
            weight = weight if kind.weighed else np.full(n, 0.25)
            row = {"parcel_id": name, "zone_id": zones[z], "n_stones": str(n), "carats": f"{weight.sum():.2f}"}
            if kind.dates:
                row["collected_on"] = (date(2016, 1, 1) + timedelta(days=int(rng.integers(kind.dates)))).isoformat()
            if kind.conditions:
                row["sorter"] = f"S{rng.integers(kind.sorters)}"
                row["cleaning_state"] = str(rng.choice(["unwashed", "acid_rinsed", ""]))
                row["bottom_screen_mm"] = str(rng.choice(["1.8", ""]))
            parcels.append(row)
            drawn = {}
            for attribute, classes in seen.items():
                chance = centres[attribute][z] * np.exp(0.15 * rng.normal(size=len(classes)))
                values = rng.choice(np.array(classes, object), n, p=chance / chance.sum())
                blank = z in kind.missing_in.get(attribute, ()) or rng.random() < kind.missing.get(attribute, 0.0)
                drawn[attribute] = np.full(n, "") if blank else values
            for i in range(n):
                stones.append(
                    {"parcel_id": name, "weight_ct": f"{weight[i]:.2f}"} | {a: str(v[i]) for a, v in drawn.items()}
                )
    return {
        "zones": [
            {"zone_id": z, "name": z.upper(), "country": kind.countries[i % len(kind.countries)], "region": "west"}
            for i, z in enumerate(zones)
        ],
        **({"zone_status": [row | {"source": "test"} for row in status]} if kind.status else {}),
        "parcels": parcels,
        "stones": stones,
    }


def _periods(zone: str, status: str) -> Table:
    """Return the periods of a zone, compliant, suspended, or one after the other."""
    changes = status == "changes"
    rows = [("suspended" if changes else status, "2016-01-01", "2018-01-01" if changes else "")]
    rows += [("compliant", "2018-01-01", "")] if changes else []
    return [{"zone_id": zone, "status": s, "valid_from": start, "valid_to": end} for s, start, end in rows]


def descriptor_of(kind: Kind, tables: Mapping[str, Table]) -> dict[str, Any]:
    """Return the least that a descriptor must say."""
    size = {"name": "size", "column": "weight_ct", "ordered": True, "labels": {"en": "size", "fr": "taille"}}

    def labels(name: str) -> dict[str, str]:
        return {lang: name if lang == "en" or len(name) > 100 else f"{name} ({lang})" for lang in kind.languages}

    return {
        "name": "invented",
        "version": "1",
        "synthetic": True,
        "attributes": [
            {**size, "synonyms": [], "sieve_set": "own", "edges_ct": list(kind.edges)},
            *(
                {
                    "name": name,
                    "column": name,
                    "ordered": kind.ordered,
                    "labels": labels(name),
                    "synonyms": [],
                    "classes": [{"name": c, "labels": labels(c), "synonyms": []} for c in classes],
                    **({"sets": [{"name": f"{name} set", "members": list(classes[:2])}]} if kind.sets else {}),
                }
                for name, classes in kind.attributes.items()
            ),
        ],
        "resources": [
            {
                "name": name,
                "path": f"{name}.csv",
                "schema": {"fields": [{"name": c, "type": "string"} for c in rows[0]]},
            }
            for name, rows in tables.items()
        ],
    }


_FILES: dict[str, dict[str, bytes]] = {}


def write_folder(folder: Path, kind: Kind) -> Path:
    """Write a package as a folder, sealed; a kind is drawn once."""
    folder.mkdir(parents=True)
    if repr(kind) not in _FILES:
        tables = tables_of(kind)
        for name, rows in tables.items():
            write_table(folder / f"{name}.csv", list(rows[0]), (list(row.values()) for row in rows))
        (folder / "datapackage.json").write_text(json.dumps(descriptor_of(kind, tables)), encoding="utf-8")
        init_package(folder)
        _FILES[repr(kind)] = {file.name: file.read_bytes() for file in folder.iterdir()}
    for name, content in _FILES[repr(kind)].items():
        (folder / name).write_bytes(content)
    return folder


@cache
def few() -> ReferencePackage:
    """Read the package of few stones."""
    with TemporaryDirectory() as there:
        return load_package(write_folder(Path(there) / "package", FEW))


def write_zip(folder: Path, kind: Kind) -> Path:
    """Write a package as an archive of a folder."""
    write_folder(folder / "inside" / "package", kind)
    return Path(shutil.make_archive(str(folder / "package"), "zip", folder / "inside"))


def write_workbook(folder: Path, kind: Kind) -> Path:
    """Write a package as a workbook: a sheet of names and values, and one sheet a table; numbers are numbers."""
    tables = tables_of(kind)
    document = descriptor_of(kind, tables)
    book = Workbook()
    sheet = book.create_sheet("package")
    sheet.append(["name", "value"])
    for name in ("name", "version", "synthetic"):
        sheet.append([name, document[name]])
    sheet.append(["attributes", json.dumps(document["attributes"])])
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append([_typed(column, value) for column, value in row.items()])
    book.remove(book.worksheets[0])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "package.xlsx"
    book.save(path)
    return path


def _typed(column: str, value: str) -> str | float | date | None:
    if value == "":
        return None
    if column in ("weight_ct", "carats", "n_stones", "bottom_screen_mm"):
        return float(value)
    return date.fromisoformat(value) if column in ("collected_on", "valid_from") else value
