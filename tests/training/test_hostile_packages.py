"""Hostile reference packages: each is read or told, in time, and nothing of it is run or left behind."""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kpfootprint.visible import UNSEEN
from tests.hostile import EXAMPLES, ODD, ODD_TEXT, places
from tests.training.packages import PLAIN, descriptor_of, tables_of, write_folder
from training.package import validate_package

SMALL = replace(PLAIN, parcels=(3, 3), n_stones=20)
IN_TIME = 10.0
TABLES = {
    name: [",".join(rows[0]), *(",".join(row.values()) for row in rows)] for name, rows in tables_of(SMALL).items()
}
MEMBERS = st.sampled_from(
    [
        *("constraints", "format", "type", "missingValues", "primaryKey", "foreignKeys", "dialect", "encoding"),
        *("sets", "labels", "sieve_sets", "delimiter", "compression", "path", "name", "hash", "bytes", "schema"),
    ]
)
SHAPES = st.sampled_from(
    [
        *(["zone_id"], "zone_id", 10**400, "utf-16", "zip", "geojson", "integer", {"required": True, "minimum": "x"}),
        *([{"fields": ["zone_id"], "reference": {"resource": "zones", "fields": ["zone_id"]}}], [{"reference": 3}]),
    ]
)
DAYS = st.sampled_from(["0001-01-01", "9999-12-31", "P0000", "z00", "1" * 5000, "<b>x</b>", "inf", "white|brown"])


@st.composite
def packages(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """Draw descriptor and tables with one to three things wrong in them."""
    document = json.loads(json.dumps(descriptor_of(SMALL, tables_of(SMALL))))
    tables = {name: [*lines] for name, lines in TABLES.items()}
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            *way, last = draw(st.sampled_from([place for place in places(document) if place]))
            holder: Any = document
            for name in way:
                holder = holder[name]
            if draw(st.integers(0, 4)) == 0:
                del holder[last]
            elif isinstance(holder, dict) and draw(st.booleans()):
                holder[draw(MEMBERS)] = draw(st.one_of(ODD, SHAPES))
            else:
                holder[last] = draw(st.one_of(ODD, SHAPES))
        else:
            lines = tables[draw(st.sampled_from(sorted(tables)))]
            at = draw(st.integers(0, len(lines) - 1))
            cells = lines[at].split(",")
            cells[draw(st.integers(0, len(cells) - 1))] = draw(st.one_of(ODD_TEXT, DAYS))
            lines[at : at + draw(st.integers(0, 1))] = [",".join(cells)] * draw(st.integers(0, 2))
    return json.dumps(document), {name: "\n".join(lines) for name, lines in tables.items()}


@settings(
    max_examples=EXAMPLES or 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
@given(made=packages())
@pytest.mark.filterwarnings("ignore")
def test_a_hostile_package_is_read_or_told(made: tuple[str, dict[str, str]]) -> None:
    text, tables = made
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "datapackage.json").write_text(text, encoding="utf-8")
        for name, lines in tables.items():
            (folder / f"{name}.csv").write_bytes(lines.encode("utf-8", "surrogatepass"))
        before = sorted(folder.iterdir())
        begun = time.process_time()
        problems = validate_package(folder)
        assert time.process_time() - begun < IN_TIME
        assert sorted(folder.iterdir()) == before
    for problem in problems:
        assert not UNSEEN.search(str(problem))


Edit = Callable[[Path, dict[str, Any]], None]


def table(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in document["resources"] if item["name"] == name)


def pattern(folder: Path, document: dict[str, Any]) -> None:
    table(document, "zones")["schema"]["fields"][1]["constraints"] = {"pattern": "(a+)+$"}
    lines(folder, "zones", ["z00," + "a" * 50 + "!,CF,west", "z01,Z01,CF,west"], keep=1)


def bomb(folder: Path, document: dict[str, Any]) -> None:
    table(document, "zones")["path"] = "zones.csv.gz"
    (folder / "zones.csv.gz").write_bytes(gzip.compress(b"\n" * 1_000_000, mtime=0) * 400)


def lines(folder: Path, name: str, more: list[str], *, keep: int | None = None) -> None:
    path = folder / f"{name}.csv"
    path.write_text("\n".join([*path.read_text("utf-8").splitlines()[:keep], *more]), encoding="utf-8")


BOMBS: dict[str, tuple[Edit, str]] = {
    "a pattern without end": (pattern, ""),
    "a gigabyte of nothing": (bomb, "unpack_ratio"),
    "periods that overlap": (
        lambda folder, _: lines(folder, "zone_status", [f"z00,suspended,{2100 + k}-01-01,,x" for k in range(4000)]),
        "overlapping_periods",
    ),
    "parcels of nowhere": (
        lambda folder, _: lines(folder, "parcels", [f"X{k},zz{k},,,,,," for k in range(20_000)]),
        "unknown_zone",
    ),
    "stones of nobody": (
        lambda folder, _: lines(folder, "stones", [f"Y{k},0.5,white,whole" for k in range(20_000)]),
        "unknown_parcel",
    ),
    "a name that turns round": (lambda folder, _: lines(folder, "zones", ["z9,Bo\u202eda,CF,west"]), "wrong_type"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", BOMBS)
def test_a_package_that_would_take_for_ever_is_told_at_once(kind: str, tmp_path: Path) -> None:
    edit, code = BOMBS[kind]
    folder = write_folder(tmp_path / "package", SMALL)
    document = descriptor_of(SMALL, tables_of(SMALL))
    edit(folder, document)
    (folder / "datapackage.json").write_text(json.dumps(document), encoding="utf-8")
    begun = time.process_time()
    problems = validate_package(folder)
    assert time.process_time() - begun < IN_TIME
    assert len(problems) <= 20
    assert {item.code for item in problems} == ({code} if code else set())
