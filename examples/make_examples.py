"""Make the example parcels from the synthetic reference package: ``python examples/make_examples.py``.

Every example is a draw, without replacement and with a fixed seed, from the pooled stones of two or three reference
parcels of a zone that share their cleaning state. So the examples are no independent evidence of anything: their stones
are among those that the model has learnt from. They show formats and reports.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

from kpfootprint.parcel import Parcel
from kpfootprint.reference import ReferencePackage
from training.package import load_package

HERE = Path(__file__).parent
TARGET = HERE
SEED = 20261
Stone = tuple[float, str, str]
SIZE_CLASSES = {
    "-A": (0.0, 0.055),
    "A": (0.055, 0.105),
    "B": (0.105, 0.205),
    "C": (0.205, 0.405),
    "D": (0.405, 0.805),
    "E": (0.805, 1.605),
    "F": (1.605, None),
}


_HEADS = ("parcel_id", "exported_on", "certificate_no", "exporter", "cleaning_state", "selection", "sorter")


class Drawer:
    """Draws stones from pooled reference parcels, never the same stone twice."""

    def __init__(self, package: ReferencePackage) -> None:
        self._scheme = package.scheme
        self._parcels = {parcel.parcel_id: parcel for parcel in package.batch}
        self._rng = np.random.default_rng(SEED)
        self._left: dict[str, list[int]] = {}

    def draw(self, parcel_ids: Sequence[str], n_stones: int) -> list[Stone]:
        """Return stones as (weight, colour, morphology)."""
        pool = [(name, at) for name in parcel_ids for at in self._unused(self._parcels[name])]
        chosen = self._rng.choice(len(pool), size=n_stones, replace=False)
        for at in chosen:
            self._left[pool[at][0]].remove(pool[at][1])
        return [self._stone(*pool[at]) for at in chosen]

    def mix(self, *lots: Sequence[Stone]) -> list[Stone]:
        """Return the stones of several lots in one random order."""
        stones = [stone for lot in lots for stone in lot]
        return [stones[at] for at in self._rng.permutation(len(stones))]

    def _unused(self, parcel: Parcel) -> list[int]:
        return self._left.setdefault(parcel.parcel_id, list(range(parcel.n_stones)))

    def _stone(self, parcel_id: str, at: int) -> Stone:
        stones = self._parcels[parcel_id].stones
        assert stones is not None
        colour, morphology = (
            self._scheme.attribute(name).class_names[stones.codes[name][at]] for name in ("colour", "morphology")
        )
        return float(stones.weight_ct[at]), colour, morphology


def weigh(stones: Iterable[Stone]) -> float:
    """Return the weight of stones in carats."""
    return round(sum(stone[0] for stone in stones), 2)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file with commas and decimal points."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_stones(name: str, stones: Sequence[Stone]) -> None:
    """Write one parcel as a stones table."""
    rows = [(f"{weight:.2f}", colour, morphology) for weight, colour, morphology in stones]
    write_csv(TARGET / name, ("weight_ct", "colour", "morphology"), rows)
    print(f"{name}: {len(stones)} stones, {weigh(stones)} ct")


def write_document(name: str, stones: Sequence[Stone], parcel: dict[str, Any]) -> None:
    """Write one parcel as the JSON document that the service takes, its stones in columns."""
    columns = dict(zip(("weight_ct", "colour", "morphology"), map(list, zip(*stones, strict=True)), strict=True))
    (TARGET / name).write_text(json.dumps(parcel | {"stones": columns}) + "\n", encoding="utf-8")
    print(f"{name}: {len(stones)} stones, {weigh(stones)} ct")


def write_workbook(stones: Sequence[Stone], package: ReferencePackage) -> None:
    """Write one parcel as a French workbook; weights of stones are text with decimal commas."""
    french = {
        name: {item.name: item.labels["fr"].capitalize() for item in package.scheme.attribute(name).classes}
        for name in ("colour", "morphology")
    }
    parcel = "P-2024-017"
    row: dict[str, Any] = {
        "N° parcelle": parcel,
        "Date d'export": date(2024, 2, 20),
        "Certificat": "CF 000117",
        "Exportateur": "Bureau d'achat A",
        "Nettoyage": "Rincé à l'acide",
        "Sélection": "Tout-venant",
        "Trieur": "S5",
        "Crible inférieur (mm)": 1.9,
        "Pierres spéciales retirées": "non",
        "Nombre de pierres": len(stones),
        "Poids (ct)": weigh(stones),
    }
    tables: dict[str, list[list[Any]]] = {
        "parcelles": [list(row), list(row.values())],
        "déclarations": [["N° parcelle", "Zone déclarée", "Poids (ct)"], [parcel, "Gadzi", weigh(stones)]],
        "pierres": [
            ["N° parcelle", "Poids (ct)", "Couleur", "Forme"],
            *(
                [parcel, f"{weight:.2f}".replace(".", ","), french["colour"][colour], french["morphology"][morphology]]
                for weight, colour, morphology in stones
            ),
        ],
    }
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, lines in tables.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    book.properties.created = book.properties.modified = datetime(2024, 2, 20)
    made = io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(TARGET / "classeur.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                data = _without_save_time(data)
            new.writestr(zipfile.ZipInfo(name, (2024, 2, 20, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    print(f"classeur.xlsx: {len(stones)} stones, {weigh(stones)} ct")


def _without_save_time(core: bytes) -> bytes:
    """Put the fixed day in place of the moment of saving, so that the same script makes the same file."""
    start = core.index(b"<dcterms:modified")
    start = core.index(b">", start) + 1
    return core[:start] + b"2024-02-20T00:00:00Z" + core[core.index(b"<", start) :]


def write_counts(stones: Sequence[Stone]) -> None:
    """Write one parcel as a sorting sheet: by size and colour with carats, and by morphology."""
    folder, parcel = TARGET / "counts", "SHEET-08"
    by_colour: dict[tuple[str, str], list[float]] = {}
    by_morphology: dict[str, int] = {}
    for weight, colour, morphology in stones:
        size = next(name for name, (low, high) in SIZE_CLASSES.items() if low <= weight and (not high or weight < high))
        by_colour.setdefault((size, colour), []).append(weight)
        by_morphology[morphology] = by_morphology.get(morphology, 0) + 1
    order = list(SIZE_CLASSES)
    rows: list[Sequence[Any]] = [
        (parcel, size, colour, "", len(weights), f"{sum(weights):.2f}")
        for (size, colour), weights in sorted(by_colour.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    ]
    rows += [(parcel, "", "", name, count, "") for name, count in sorted(by_morphology.items())]
    write_csv(folder / "counts.csv", ("parcel_id", "size_class", "colour", "morphology", "n_stones", "carats"), rows)
    write_csv(
        folder / "size_classes.csv",
        ("sieve_set", "size_class", "lower_ct", "upper_ct"),
        [("house", name, low, "" if high is None else high) for name, (low, high) in SIZE_CLASSES.items()],
    )
    header = "parcel_id,exported_on,cleaning_state,selection,sorter,bottom_screen_mm,sieve_set,n_stones,carats"
    row = (parcel, "2024-06-03", "unwashed", "run_of_mine", "S1", 1.81, "house", len(stones), weigh(stones))
    write_csv(folder / "parcels.csv", header.split(","), [row])
    write_csv(folder / "declarations.csv", ("parcel_id", "zone_id", "carats"), [(parcel, "nola", weigh(stones))])
    print(f"counts/: {len(stones)} stones, {weigh(stones)} ct")


def write_submission(parcels: Sequence[tuple[Sequence[Any], str, Sequence[Stone]]]) -> None:
    """Write several parcels as a folder of tables."""
    folder = TARGET / "submission"
    write_csv(
        folder / "parcels.csv",
        (*_HEADS, "bottom_screen_mm", "n_stones", "carats"),
        [(*fields, len(stones), weigh(stones)) for fields, _, stones in parcels],
    )
    write_csv(
        folder / "declarations.csv",
        ("parcel_id", "zone_id", "carats"),
        [(fields[0], zone, weigh(stones)) for fields, zone, stones in parcels],
    )
    write_csv(
        folder / "stones.csv",
        ("parcel_id", "weight_ct", "colour", "morphology"),
        [
            (fields[0], f"{weight:.2f}", colour, morphology)
            for fields, _, stones in parcels
            for weight, colour, morphology in stones
        ],
    )
    for fields, zone, stones in parcels:
        print(f"submission/ {fields[0]}: {len(stones)} stones, {weigh(stones)} ct, declared {zone}")


def main() -> None:
    """Write every example."""
    package = load_package(HERE.parent / "data" / "reference")
    drawer = Drawer(package)
    true = drawer.draw(["R0004", "R0012", "R0030"], 600)
    write_stones("true_berberati.csv", true)
    conditions = {"cleaning_state": "acid_rinsed", "selection": "run_of_mine", "sorter": "S7", "bottom_screen_mm": 1.98}
    row = {"exported_on": "2024-03-11", "declarations": [{"zone_id": "berberati"}], "conditions": conditions}
    write_document("true_berberati.json", true, {"parcel_id": "true_berberati", **row})
    write_stones("false_berberati.csv", drawer.draw(["R0189", "R0190"], 600))
    berberati, carnot = drawer.draw(["R0004", "R0012", "R0030"], 450), drawer.draw(["R0040", "R0057"], 350)
    print(f"blend: berberati {weigh(berberati)} ct, carnot {weigh(carnot)} ct")
    write_stones("blend_berberati_carnot.csv", drawer.mix(berberati, carnot))
    mixed = drawer.mix(drawer.draw(["R0004", "R0012"], 540), drawer.draw(["R0189", "R0190"], 360))
    write_stones("mixed_berberati_bria.csv", mixed)
    write_stones("no_declaration.csv", drawer.draw(["R0236", "R0237"], 400))
    write_workbook(drawer.draw(["R0133", "R0150"], 500), package)
    write_counts(drawer.draw(["R0064", "R0066"], 700))
    run, exporter = "run_of_mine", "Exporter A"
    write_submission(
        [
            (
                ("A-01", "2024-03-11", "CF 000121", exporter, "acid_rinsed", run, "S6", 1.79),
                "boda",
                drawer.draw(["R0098", "R0118"], 500),
            ),
            (
                ("A-02", "2024-03-11", "CF 000122", exporter, "deep_boiled", run, "S7", 1.9),
                "carnot",
                drawer.draw(["R0052", "R0059"], 900),
            ),
            (
                ("A-03", "2024-03-11", "CF 000123", "Exporter B", "unwashed", run, "S2", 2.02),
                "nola",
                drawer.draw(["R0193", "R0195"], 600),
            ),
        ]
    )


if __name__ == "__main__":
    main()
