"""Planning on the command line: several sorters side by side, parcels as one claim, questions that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import kpfootprint
from tests.planning.test_sorters import VALUATIONS

SUBMISSION = Path(__file__).parents[2] / "examples" / "submission"


@pytest.mark.slow
def test_three_valuations_stand_side_by_side(tmp_path: Path) -> None:
    sheet = tmp_path / "lot.csv"
    sheet.write_text(VALUATIONS, encoding="utf-8")
    page = tmp_path / "page.html"
    done = kpfootprint(
        *("sorters", sheet, "--declare", "berberati", "--format", "html", "--lang", "fr", "--out", page), home=tmp_path
    )
    assert done.status == 0, done.err
    text = page.read_text(encoding="utf-8")
    assert '<html lang="fr"' in text
    assert "ministry" in text
    assert 'href="#g' not in text, "there is no glossary to link to"
    alone = tmp_path / "alone.csv"
    alone.write_text("colour,n_stones\nbrown,30\n", encoding="utf-8")
    refused = kpfootprint("sorters", alone, home=tmp_path)
    assert refused.status == 2
    assert "two sheets or more" in refused.err
    assert "au moins deux feuilles" in kpfootprint("sorters", alone, "--lang", "fr", home=tmp_path).err


@pytest.mark.slow
def test_a_parcel_that_is_there_twice_counts_once_and_is_said_to(tmp_path: Path) -> None:
    for name in ("parcels", "declarations", "stones"):
        head, *rows = (SUBMISSION / f"{name}.csv").read_text(encoding="utf-8-sig").splitlines()
        mine = [row for row in rows if row.startswith("A-01,")]
        again = [row.replace("A-01,", "again,", 1) for row in reversed(mine)]
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *mine, *again]) + "\n", encoding="utf-8")
    done = kpfootprint("pool", tmp_path, "--format", "json", home=tmp_path / "home")
    assert done.status == 0, done.err
    pool = json.loads(done.text)
    assert (pool["n_parcels"], pool["left_out"]) == (1, ["again"])
    assert {"counted_once", "one_parcel"} <= {item["code"] for item in pool["cautions"]}
    assert "Parcel again holds the goods of A-01" in done.text, "a name is told as it was written"
    assert "times as probable" in pool["sentence"]


def test_every_parcel_without_a_declaration_is_named(tmp_path: Path) -> None:
    for name in ("parcels", "stones"):
        (tmp_path / f"{name}.csv").write_bytes((SUBMISSION / f"{name}.csv").read_bytes())
    refused = kpfootprint("pool", tmp_path, home=tmp_path / "home")
    assert refused.status == 2
    assert "3 problems" in refused.err
    assert all(f"'{parcel}'" in refused.err for parcel in ("A-01", "A-02", "A-03"))


@pytest.mark.parametrize("share", ["0", "1.5", "nan"])
def test_a_share_that_is_none_is_refused(share: str, tmp_path: Path) -> None:
    assert kpfootprint("plan", "--declare", "berberati", "--share", share, home=tmp_path).status == 2
