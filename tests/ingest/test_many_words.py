"""Columns whose cells all differ are answered in the time that a request has."""

from __future__ import annotations

import time

import pytest

import kpfootprint
from kpfootprint.ingest import Upload, read
from kpfootprint.release import Release

HEAD = "weight_ct,colour,morphology"
KINDS = {
    "words": lambda k: f"0.{k % 90 + 10},c{k:06},m{k:06}",
    "totals": lambda k: f"0.{k % 90 + 10},sum{k:06},min {k:06}",
    "repeated": lambda k: f"0.{k % 90 + 10},brown,total",
    "numbers": lambda k: f"{k}a,brown,cube",
}


@pytest.mark.slow
def test_parcels_that_are_all_wrong_are_told_and_not_laboured_at(release: Release) -> None:
    text = "\n".join(["parcel_id,weight_ct,colour", *(f"P{k}x,none,brown" for k in range(60_000))])
    begun = time.process_time()
    found = read(Upload("stones.csv", text.encode()), release.scheme, release.zone_table)
    assert len(found.failures) == 60_000
    assert time.process_time() - begun < 50


@pytest.fixture(scope="module")
def release() -> Release:
    return kpfootprint.load_release(kpfootprint.shipped_release())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [60_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_column_of_cells_that_all_differ_is_told_and_not_laboured_at(release: Release, kind: str, n: int) -> None:
    text = "\n".join([HEAD, *(KINDS[kind](k) for k in range(n))])
    given = {"declarations": [{"zone_id": "berberati"}]}
    begun = time.process_time()
    found = read(Upload("parcel.csv", text.encode()), release.scheme, release.zone_table, given=given, one=True)
    assert found.problems
    assert len(found.problems) <= 1001
    assert time.process_time() - begun < 50 * max(n / 1_000_000, 0.5)


def test_a_list_of_words_alone_is_told_and_not_laboured_at(release: Release) -> None:
    text = "\n".join(["Colour;Thing", *("white;cube" if k % 2 else "brown;octahedron" for k in range(15_000))])
    begun = time.process_time()
    found = read(Upload("parcel.csv", text.encode()), release.scheme, release.zone_table, one=True)
    assert [problem.code for problem in found.problems] == ["missing_column"]
    assert time.process_time() - begun < 20
