"""The examples are read, by file and as JSON, and the script makes them again to the same contents."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from examples import make_examples
from kpfootprint.ingest import ingest_file, ingest_json, ingest_submission, parcel_to_json
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme

SINGLE = {
    "true_berberati.csv": 600,
    "false_berberati.csv": 600,
    "blend_berberati_carnot.csv": 800,
    "mixed_berberati_bria.csv": 900,
    "no_declaration.csv": 400,
    "classeur.xlsx": 500,
    "counts": 700,
}


def contents(path: Path) -> dict[str, bytes]:
    """Return what is in a file; of a workbook the parts, since libraries differ in how they press them together."""
    if path.suffix != ".xlsx":
        return {"": path.read_bytes()}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("name", SINGLE)
def test_an_example_is_read_by_file_and_as_json(
    name: str, examples: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    parcel = ingest_file(examples / name, scheme, zone_table)
    assert parcel.n_stones == SINGLE[name]
    document = parcel_to_json(parcel, scheme)
    assert parcel_to_json(ingest_json(document, scheme, zone_table), scheme) == document


def test_the_example_submission_has_three_good_parcels(examples: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    read = ingest_submission(examples / "submission", scheme, zone_table)
    assert (read.order, read.failures) == (("A-01", "A-02", "A-03"), ())
    assert [item.declarations[0].zone_id for item in read.batch] == ["boda", "carnot", "nola"]


def test_the_workbook_brings_everything(examples: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    parcel = ingest_file(examples / "classeur.xlsx", scheme, zone_table)
    assert parcel.conditions.cleaning_state == "acid_rinsed"
    assert parcel.conditions.selection == "run_of_mine"
    assert parcel.conditions.specials_removed is False
    assert parcel.stones is not None
    assert all((codes >= 0).all() for codes in parcel.stones.codes.values())


@pytest.mark.slow
def test_the_script_makes_the_examples(
    examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_examples, "TARGET", tmp_path)
    make_examples.main()
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(made) == 14
    for name in made:
        assert contents(tmp_path / name) == contents(examples / name), name


def test_the_readme_names_every_example(examples: Path) -> None:
    text = (examples / "README.md").read_text(encoding="utf-8")
    for path in examples.iterdir():
        if path.name not in ("README.md", "__pycache__"):
            assert path.name in text
