"""``kpfootprint batch`` and ``validate``: every parcel has its line, whoever examined it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from kpfootprint.cli.examine import CHUNK
from tests.cli.running import Done, kpfootprint


def run(submission: Path, home: Path, *arguments: object) -> Done:
    return kpfootprint("batch", submission, *arguments, home=home)


def lines(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.text.splitlines()]


def without_clock(done: Done) -> list[dict[str, Any]]:
    return [{name: value for name, value in line.items() if name != "created_at"} for line in lines(done)]


def spoilt(examples: Path, folder: Path) -> Path:
    """Write the example submission with a stone of no weight in its second parcel."""
    folder.mkdir()
    for table in (examples / "submission").iterdir():
        (folder / table.name).write_bytes(table.read_bytes())
    rows = (folder / "stones.csv").read_text(encoding="utf-8").splitlines()
    at = next(i for i, row in enumerate(rows) if row.startswith("A-02"))
    rows[at] = "A-02,0,brown,cube"
    (folder / "stones.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def many(folder: Path, n_parcels: int) -> Path:
    """Write a submission of more parcels than one chunk holds, of few stones each."""
    folder.mkdir()
    names = [f"N-{n_parcels - i:03}" for i in range(n_parcels)]
    parcels = "".join(f"{name},2024-03-11\n" for name in names)
    (folder / "parcels.csv").write_text("parcel_id,exported_on\n" + parcels, encoding="utf-8")
    (folder / "declarations.csv").write_text(
        "parcel_id,zone_id,carats\n" + "".join(f"{name},carnot,9\n" for name in names), encoding="utf-8"
    )
    stones = "".join(f"{name},0.{i % 9 + 1},brown,cube\n" for name in names for i in range(40))
    (folder / "stones.csv").write_text("parcel_id,weight_ct,colour,morphology\n" + stones, encoding="utf-8")
    return folder


def test_a_line_for_every_parcel_in_their_order(examples: Path, tmp_path: Path) -> None:
    done = run(examples / "submission", tmp_path)
    assert (done.status, done.err) == (0, "")
    assert [line["parcel"]["parcel_id"] for line in lines(done)] == ["A-01", "A-02", "A-03"]


def test_a_bad_parcel_has_its_problems_in_its_line(examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "results.jsonl"
    done = run(spoilt(examples, tmp_path / "spoilt"), tmp_path, "--out", out)
    assert done.status == 3
    assert "Parcels with problems: 1 of 3;" in done.err
    first, bad, last = (json.loads(line) for line in out.read_text(encoding="utf-8").splitlines())
    assert set(bad) == {"parcel", "problems"}
    assert bad["parcel"] == {"parcel_id": "A-02"}
    (problem,) = bad["problems"]
    assert {"table", "row", "column", "value", "reason"} <= set(problem)
    assert problem["column"] == "weight_ct"
    assert first["report_id"] != last["report_id"]


@pytest.mark.slow
def test_a_parcel_gives_the_same_report_alone(examples: Path, tmp_path: Path) -> None:
    together = lines(run(examples / "submission", tmp_path))
    for line in together:
        name = line["parcel"]["parcel_id"]
        arguments = ("compare", examples / "submission", "--parcel-id", name, "--format", "json")
        alone = json.loads(kpfootprint(*arguments, home=tmp_path).text)
        assert alone["report_id"] == line["report_id"]


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_lines(tmp_path: Path) -> None:
    submission = many(tmp_path / "many", CHUNK + 3)
    one, two = run(submission, tmp_path), run(submission, tmp_path, "--workers", 2)
    assert (two.status, two.err) == (0, "")
    assert without_clock(two) == without_clock(one)
    assert len(lines(two)) == CHUNK + 3


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_lines(tmp_path: Path, dask_scheduler: str) -> None:
    submission = many(tmp_path / "many", CHUNK + 3)
    one, cluster = run(submission, tmp_path), run(submission, tmp_path, "--scheduler", dask_scheduler)
    assert cluster.status == 0, cluster.err
    assert without_clock(cluster) == without_clock(one)


def test_a_table_for_spreadsheets_has_a_row_for_every_parcel(examples: Path, tmp_path: Path) -> None:
    submission = spoilt(examples, tmp_path / "spoilt")
    rows = (submission / "parcels.csv").read_text(encoding="utf-8").replace("A-03", "=1+1")
    (submission / "parcels.csv").write_text(rows, encoding="utf-8")
    for name in ("declarations.csv", "stones.csv"):
        text = (submission / name).read_text(encoding="utf-8").replace("A-03", "=1+1")
        (submission / name).write_text(text, encoding="utf-8")
    told, table = run(submission, tmp_path), run(submission, tmp_path, "--format", "csv")
    assert (told.status, table.status) == (3, 3)
    found = list(csv.DictReader(io.StringIO(table.text)))
    first, bad, last = lines(told)
    assert [row["parcel_id"].lstrip("'") for row in found] == ["A-01", "A-02", "=1+1"]
    assert not any(cell.startswith(("=", "+", "@")) for row in found for cell in row.values()), "no formula"
    for row, line in ((found[0], first), (found[2], last)):
        assert row["conclusion"] == line["conclusion"]
        assert float(row["log10_lr"]) == line["verification"]["log10_lr"]
        assert row["report_id"] == line["report_id"]
        assert row["verbal"] == line["verification"]["verbal"]["text"]
    assert found[1]["conclusion"] == ""
    (problem,) = bad["problems"]
    place = f"{problem['table']}, row {problem['row']}, column {problem['column']}: "
    assert found[1]["problems"].startswith(place + problem["reason"])


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_each_good_parcel_gets_its_report_as_a_page(examples: Path, tmp_path: Path, lang: str) -> None:
    folder = tmp_path / "pages"
    done = run(spoilt(examples, tmp_path / "spoilt"), tmp_path, "--reports", folder, "--lang", lang)
    assert done.status == 3
    assert [path.name for path in sorted(folder.iterdir())] == ["0001-A-01.html", "0003-A-03.html"]
    for path, line in zip(sorted(folder.iterdir()), [lines(done)[0], lines(done)[2]], strict=True):
        page = path.read_text(encoding="utf-8")
        assert f'<html lang="{lang}">' in page
        assert line["report_id"] in page


def test_a_submission_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "results.jsonl"
    done = run(tmp_path / "empty", tmp_path, "--out", out)
    assert done.status == 2
    assert not out.exists()


def test_validate_says_that_nothing_is_wrong(examples: Path, tmp_path: Path) -> None:
    done = kpfootprint("validate", examples / "submission", home=tmp_path)
    assert (done.status, done.text, done.err) == (0, "3 parcels, 2000 stones: no problem found.\n", "")


def test_validate_tells_every_problem(examples: Path, tmp_path: Path) -> None:
    done = kpfootprint("validate", spoilt(examples, tmp_path / "spoilt"), home=tmp_path)
    assert (done.status, done.text) == (2, "")
    assert "stones" in done.err
    assert "column weight_ct" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("arguments", [("--workers", "0"), ("--workers", "many")])
def test_options_that_make_no_sense_are_bad_input(arguments: tuple[str, str], examples: Path, tmp_path: Path) -> None:
    assert run(examples / "submission", tmp_path, *arguments).status == 2


def test_pages_are_those_of_compare_with_the_letterhead_and_rows_are_in_the_language_asked_for(
    examples: Path, tmp_path: Path
) -> None:
    pages = tmp_path / "pages"
    bad = spoilt(examples, tmp_path / "bad")
    asked = ("batch", bad, "--reports", pages, "--format", "csv", "--lang", "fr")
    done = kpfootprint(*asked, home=tmp_path, KPF_LETTERHEAD="Office of Mines")
    assert {page.name for page in pages.iterdir()} == {"0001-A-01.html", "0003-A-03.html"}
    assert all("Office of Mines" in page.read_text(encoding="utf-8") for page in pages.iterdir())
    rows = list(csv.DictReader(io.StringIO(done.text)))
    assert rows[0]["verbal"].startswith("C\u2019est un soutien")
    assert "ligne" in rows[1]["problems"]


def test_stones_that_nobody_counted_are_not_none(tmp_path: Path) -> None:
    sheet = tmp_path / "weighed.csv"
    sheet.write_text("size_class,carats\n+7,5\n+9,6\n+11,4\n", encoding="utf-8")
    done = kpfootprint("validate", sheet, home=tmp_path)
    assert done.text.startswith("1 parcel: no problem found.")
    assert " 0 stones" not in done.text


def test_conditions_that_the_reference_does_not_know_are_said_before_a_comparison(tmp_path: Path) -> None:
    said = {"cleaning_state": "acid", "selection": "run_of_mine"}
    parcel = {"parcel_id": "J1", "conditions": said, "stones": {"weight_ct": [0.3, 0.4, 0.2]}}
    (sheet := tmp_path / "J1.json").write_text(json.dumps(parcel), encoding="utf-8")
    lines = kpfootprint("validate", sheet, home=tmp_path).text.splitlines()
    assert "  cleaning state: “acid” does not occur in the reference and is taken as not stated." in lines
    assert sum("does not occur" in line for line in lines) == 1
