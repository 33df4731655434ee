"""Several sorters of one parcel: one sheet or three, what the differences do, and the scale that they usually have."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpfootprint.cli.reading import read_sortings
from kpfootprint.errors import IngestError
from kpfootprint.flow import examine
from kpfootprint.ingest import ingest_json
from kpfootprint.parcel import Batch, Parcel
from kpfootprint.planning.answers import counted_once
from kpfootprint.planning.sorters import Sorting, class_counts, sieve_set_of, sorters_answer, sortings_of
from kpfootprint.release import Release
from kpfootprint.report.planned_sections import document_of
from kpfootprint.report.planned_sentences import planner, sentence, worded
from kpfootprint.report.text import document_text
from tests.planning.conftest import DAY

NOW = datetime(2024, 3, 11, 12, tzinfo=UTC)
VALUATIONS = """Sieve,Exporter pcs,Exporter cts,Ministry pcs,Ministry cts,Independent pcs,Independent cts
+11,162,77.70,160,77.76,163,77.80
-11+9,212,52.60,210,52.50,209,52.40
-9+7,186,28.10,188,28.20,190,28.30
"""
COLOURS = ("colourless", "yellow", "brown", "grey")


def sheet(release: Release, parcel_id: str, colours: dict[str, int], n: int | None = None) -> Parcel:
    """Return a parcel whose sheet counts colours alone."""
    counts = [{"colour": name, "n_stones": stones, "carats": stones * 0.3} for name, stones in colours.items()]
    document: dict[str, Any] = {"parcel_id": parcel_id, "declarations": [{"zone_id": "berberati"}], "counts": counts}
    return ingest_json(document, release.scheme, release.zone_table)


def answer_of(release: Release, sortings: tuple[Sorting, ...], history: tuple[Sorting, ...] = ()) -> dict[str, Any]:
    batch = Batch(tuple(one.parcel for one in sortings))
    reports = examine(batch, release, status_on=DAY, created_at=NOW)
    return sorters_answer(sortings, [report.content for report in reports], history, release)


def colour_names(release: Release) -> tuple[str, ...]:
    return release.scheme.categorical[0].class_names[:4]


def test_one_sheet_with_three_valuations_is_three_sorters_of_one_parcel(release: Release, tmp_path: Path) -> None:
    file = tmp_path / "lot.csv"
    file.write_text(VALUATIONS, encoding="utf-8")
    given = {"declarations": [{"zone_id": "berberati"}]}
    found = tuple(read_sortings(file, release, given, {}))
    assert [one.sorter for one in found] == ["exporter", "ministry", "independent"]
    assert {one.goods for one in found} == {"lot"}
    answer = answer_of(release, found)
    (sizes,) = answer["agreement"]
    assert [item["n_stones"] for item in sizes["classes"]] == [[186, 188, 190], [212, 210, 209], [162, 160, 163]]
    assert all(pair["share"] > 0.98 for pair in sizes["in_common"])
    lrs = [one["log10_lr"] for one in answer["sorters"]]
    assert answer["difference"]["log10_lr"] == pytest.approx(max(lrs) - min(lrs), abs=1e-3)
    assert answer["difference"]["conclusion_changes"] == (len({one["conclusion"] for one in answer["sorters"]}) > 1)


def test_each_sorter_may_have_a_sheet_of_its_own(release: Release, tmp_path: Path) -> None:
    sortings = []
    for party, shift in (("mine", 0), ("bureau", 5)):
        file = tmp_path / f"{party}.csv"
        file.write_text(f"colour,n_stones\n{colour_names(release)[0]},{80 + shift}\n", encoding="utf-8")
        sortings += read_sortings(file, release, {}, {})
    assert [one.sorter for one in sortings] == ["mine", "bureau"]
    answer = answer_of(release, tuple(sortings))
    assert answer["goods"] == "mine, bureau", "each file has its own name, and none is the parcel's"
    assert answer["statements"][0]["code"] == "sorters_undeclared", "nothing was declared"
    assert answer["difference"]["log10_lr"] is None
    assert [item["code"] for item in answer["cautions"]] == ["sheets_differ_in_stones", "synthetic_reference"]


def test_a_folder_of_sheets_is_those_of_its_sorters(release: Release, tmp_path: Path) -> None:
    """Two of them agree to the stone, and are two all the same."""
    for party, n in (("exporter", 80), ("independent", 80), ("ministry", 85)):
        text = f"colour,n_stones\n{colour_names(release)[0]},{n}\n{colour_names(release)[1]},40\n"
        (tmp_path / f"{party}.csv").write_text(text, encoding="utf-8")
    found = read_sortings(tmp_path, release, {"declarations": [{"zone_id": "berberati"}]}, {})
    assert [(one.sorter, one.parcel.n_stones) for one in found] == [
        ("exporter", 120),
        ("independent", 120),
        ("ministry", 125),
    ]
    assert all(one.parcel.declarations for one in found)


def test_sorters_who_agree_differ_in_nothing(release: Release) -> None:
    colours = dict(zip(colour_names(release), (120, 60, 90, 30), strict=True))
    batch = Batch(tuple(sheet(release, f"P/{party}", colours) for party in ("exporter", "ministry")))
    answer = answer_of(release, sortings_of(batch))
    assert answer["difference"]["log10_lr"] == 0.0
    assert answer["agreement"][0]["in_common"][0]["share"] == 1.0
    assert {one["code"] for one in answer["statements"]} == {"sorters_same", "sorters_near"}
    assert [item["code"] for item in answer["cautions"]] == ["synthetic_reference"]


@pytest.mark.slow
@pytest.mark.parametrize("usual", [True, False])
def test_earlier_parcels_of_both_tell_whether_they_differ_as_usual(release: Release, usual: bool) -> None:
    names, rng = colour_names(release), np.random.default_rng(4)
    history = []
    for k in range(6):
        first = rng.multinomial(400, [0.4, 0.2, 0.3, 0.1])
        moved = rng.binomial(first[2], 0.25)
        second = first + np.array([moved, 0, -moved, 0])
        for party, counts in (("exporter", first), ("ministry", second)):
            history.append(sheet(release, f"H{k}/{party}", dict(zip(names, map(int, counts), strict=True))))
    second_now = (190, 80, 90, 40) if usual else (80, 80, 200, 40)
    today = [
        sheet(release, "P/exporter", dict(zip(names, (160, 80, 120, 40), strict=True))),
        sheet(release, "P/ministry", dict(zip(names, second_now, strict=True))),
    ]
    answer = answer_of(release, sortings_of(Batch(tuple(today))), sortings_of(Batch(tuple(history))))
    (scale,) = answer["scales"]
    ratios = {item["class"]: item for item in scale["classes"]}
    assert scale["n_parcels"] == 6
    assert ratios[names[0]]["low"] > 1
    assert ratios[names[2]]["high"] < 1
    assert [ratios[name]["first"] for name in names] == [160, 80, 120, 40]
    assert [ratios[name]["second"] for name in names] == [*second_now]
    assert [ratios[name]["as_second"] for name in names] == pytest.approx([190, 80, 90, 40], rel=0.15)
    assert (scale["usual_p"] > 0.05) == usual
    code = "sorters_usual" if usual else "sorters_unusual"
    assert code in {one["code"] for one in answer["statements"]}
    for lang in ("en", "fr"):
        text = document_text(document_of(worded(answer, {}, lang), {}, lang))
        assert "{" not in text
        assert "ministry" in text


def test_one_sorter_alone_or_one_twice_is_refused(release: Release) -> None:
    parcel = sheet(release, "P/exporter", {colour_names(release)[0]: 50})
    one = sortings_of(Batch((parcel,)))
    with pytest.raises(IngestError, match="two sheets or more"):
        sorters_answer(one, [], (), release)
    with pytest.raises(IngestError, match="this sorter has two sheets"):
        sorters_answer((*one, *one), [], (), release)


def test_sizes_in_other_classes_are_not_compared(release: Release) -> None:
    stones = {"weight_ct": [0.3, 0.4, 0.9], "colour": [colour_names(release)[0]] * 3}
    listed = ingest_json({"parcel_id": "P", "stones": stones}, release.scheme, release.zone_table)
    assert set(class_counts(listed, release.scheme, sieve_set_of(listed, release.scheme))) >= {"size", "colour"}
    other = release.scheme.sieve_sets[1]
    assert "size" not in class_counts(listed, release.scheme, other)


def test_sheets_of_one_parcel_are_one_parcel_of_a_pool(release: Release) -> None:
    colours = dict(zip(colour_names(release), (120, 60, 90, 30), strict=True))
    more = {**colours, colour_names(release)[0]: 122}
    other = {**colours, colour_names(release)[0]: 160}
    batch = Batch(
        (
            sheet(release, "P/exporter", colours),
            sheet(release, "P/ministry", more),
            sheet(release, "Q", other),
            sheet(release, "again", other),
        )
    )
    assert counted_once(batch) == ((0, 2), ((1, 0), (3, 2)))


@pytest.mark.parametrize(
    ("lang", "inside", "first"),
    [
        ("en", "The largest difference is in brown (colour): from 20% to 28%", "Colour: S1 and S2 differ as they do"),
        ("fr", "La plus grande différence porte sur brun (couleur)\u00a0: de 20", "Couleur\u00a0: "),
    ],
)
def test_an_attribute_begins_with_a_capital_where_a_sentence_does(lang: str, inside: str, first: str) -> None:
    labels = {"colour": {"en": "colour", "fr": "couleur"}, "colour:brown": {"en": "brown", "fr": "brun"}}
    speaker = planner({"labels": labels}, {}, lang)
    values = {"attribute": "colour", "first": "S1", "second": "S2", "n_parcels": 4, "usual_p": 0.4}
    assert sentence(speaker, {"code": "sorters_usual", "values": values}).startswith(first)
    class_ = {"attribute": "colour", "class": "colour:brown", "low": 0.2, "high": 0.28}
    assert sentence(speaker, {"code": "sorters_class", "values": class_}).startswith(inside)
    change = {"conclusions": {"S1": "query", "S2": "consistent"}}
    assert sentence(speaker, {"code": "sorters_change", "values": change}).count(";") == 1
    stones = {"least": 580.0, "most": 600.0}
    assert "580 " in sentence(speaker, {"code": "sheets_differ_in_stones", "values": stones})
    near = sentence(speaker, {"code": "sorters_near", "values": {"log10_lr": 0.0}})
    assert "within 0 of each other" not in near
