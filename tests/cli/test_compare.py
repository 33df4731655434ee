"""``kpfootprint compare`` on the examples, and on what is no parcel."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from kpfootprint.release import shipped_release
from tests.cli.running import kpfootprint
from tests.source import ROOT

PLACES = ("C.UTF-8", "fr_FR.UTF-8")
TRUE = ("--declare", "berberati", "--exported-on", "2024-03-11", "--cleaning-state", "acid_rinsed")


def documented() -> list[list[str]]:
    """Return the arguments of every comparison that the examples' page shows."""
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("kpfootprint compare ")]
    assert len(lines) >= 7
    return [shlex.split(line)[1:] for line in lines]


def from_root(arguments: list[str]) -> list[str]:
    """Return the arguments with the example as a path that holds from any folder."""
    return [str(ROOT / part) if part.startswith("examples/") else part for part in arguments]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", documented(), ids=lambda arguments: arguments[1])
def test_every_documented_comparison_gives_a_report(arguments: list[str], tmp_path: Path) -> None:
    done = kpfootprint(*from_root(arguments), "--format", "json", home=tmp_path)
    assert (done.status, done.err) == (0, "")
    report = json.loads(done.text)
    declared = {word.partition("=")[0] for option, word in pairwise(arguments) if option == "--declare"}
    found = {item["zone_id"] for item in report["parcel"]["declared"]}
    assert found == declared or not declared
    assert (report["conclusion"] is None) == (report["verification"] is None)


def report_of(*arguments: object, home: Path) -> dict[str, Any]:
    done = kpfootprint("compare", *arguments, "--format", "json", home=home)
    assert done.status == 0, done.err
    report: dict[str, Any] = json.loads(done.text)
    return report


def test_a_json_parcel_is_the_same_parcel(examples: Path, tmp_path: Path) -> None:
    conditions = ("--selection", "run_of_mine", "--sorter", "S7", "--bottom-screen-mm", "1.98")
    table = report_of(examples / "true_berberati.csv", *TRUE, *conditions, home=tmp_path)
    document = report_of(examples / "true_berberati.json", home=tmp_path)
    assert document["report_id"] == table["report_id"]


def test_options_go_before_what_a_document_says(examples: Path, tmp_path: Path) -> None:
    given = ("--parcel-id", "P9", "--declare", "bria", "--sorter", "S1")
    report = report_of(examples / "true_berberati.json", *given, home=tmp_path)
    assert report["parcel"]["parcel_id"] == "P9"
    assert [item["zone_id"] for item in report["parcel"]["declared"]] == ["bria"]
    assert report["parcel"]["conditions"]["sorter"] == "S1"
    assert report["parcel"]["conditions"]["selection"] == "run_of_mine"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "start"), [("text", b""), ("json", b"{"), ("html", b"<!"), ("pdf", b"%PDF-"), ("dossier", b"PK")]
)
def test_every_form_goes_to_a_file_or_into_a_pipe(form: str, start: bytes, examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    arguments = ("compare", examples / "true_berberati.csv", *TRUE, "--format", form)
    done = kpfootprint(*arguments, "--out", out, home=tmp_path)
    assert (done.status, done.out, done.err) == (0, b"", "")
    piped = kpfootprint(*arguments, home=tmp_path)
    assert out.read_bytes().startswith(start)
    assert piped.out.startswith(start)
    assert len(out.read_bytes()) > 500


def test_the_language_changes_texts_and_not_json(examples: Path, tmp_path: Path) -> None:
    arguments = ("compare", examples / "true_berberati.csv", *TRUE)
    texts = [kpfootprint(*arguments, "--lang", lang, home=tmp_path).text for lang in ("en", "fr")]
    around = {place: kpfootprint(*arguments, home=tmp_path, LC_ALL=place).text for place in PLACES}
    assert [shown.splitlines()[0] for shown in around.values()] == [text.splitlines()[0] for text in texts]
    ids = {report_of(*arguments[1:], "--lang", lang, home=tmp_path)["report_id"] for lang in ("en", "fr")}
    assert (len(set(texts)), len(ids)) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.csv",), "does not exist"),
        (("true_berberati.csv", "--declare", "atlantis"), "atlantis"),
        (("true_berberati.csv", "--declare", "berberati", "--declare", "carnot"), "carats"),
        (("true_berberati.csv", "--declare", "berberati=lots"), "not a number of carats"),
        (("true_berberati.csv", "--exported-on", "31.3.2025"), "--exported-on"),
        (("true_berberati.csv", "--sieve-set", "lego"), "dtc"),
        (("submission",), "3"),
        (("README.md",), "README.md"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    arguments: tuple[str, ...], said: str, examples: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.txt"
    done = kpfootprint("compare", examples / arguments[0], *arguments[1:], "--out", out, home=tmp_path)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == b""
    assert not out.exists()


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    stones = tmp_path / "stones.csv"
    stones.write_text("weight_ct,colour,morphology\n0.5,brown,cube\n-1,brown,cube\n0.4,mauve,cube\n", encoding="utf-8")
    done = kpfootprint("compare", stones, "--declare", "berberati", home=tmp_path)
    assert done.status == 2
    assert "row 3, column weight_ct" in done.err
    assert "row 4, column colour" in done.err
    assert "2 problems; nothing was written." in done.err


def test_a_release_that_was_altered_is_refused(examples: Path, tmp_path: Path) -> None:
    model = copytree(shipped_release(), tmp_path / "model")
    arrays = bytearray((model / "model.npz").read_bytes())
    arrays[len(arrays) // 2] ^= 1
    (model / "model.npz").write_bytes(arrays)
    done = kpfootprint("compare", examples / "true_berberati.csv", *TRUE, "--model", model, home=tmp_path)
    assert done.status == 1
    assert "model.npz" in done.err
    assert "Traceback" not in done.err
