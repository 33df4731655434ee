"""Sheets that are doubtful as a whole are asked about, with answers; like sheets that are plain are read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from kpfootprint.errors import Problem
from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every

STONES = [
    *((0.42, "white", "octa"), (0.31, "cape", "macle"), (1.15, "brown", "octa"), (0.08, "grey", "cube")),
    *((0.23, "white", "flat"), (0.17, "yellow", "round"), (0.55, "brown", "cleavage"), (0.12, "cape", "round")),
]
LADDER = [("+11", 61, 30.5), ("-11+9", 80, 20.0), ("-9+7", 70, 10.5)]
CROSS = "+11,{0},20,11\n-11+9,40,25,15\n-9+7,35,20,15\n"


def listed(header: str, extra: str = "", *, unit: float = 1.0) -> str:
    lines = [
        f"{i},{w * unit:.{2 if unit == 1 else 3}f},{colour},{shape}{extra}"
        for i, (w, colour, shape) in enumerate(STONES, start=1)
    ]
    return "\n".join([header, *lines, ""])


def remarked(header: str, usual: str, odd: str) -> str:
    lines = listed(f"No,Ct,Colour,Shape,{header}", f",{usual}").splitlines()
    lines[3] = lines[3].removesuffix(usual) + odd
    return "\n".join(lines)


def ladder(first: str = "", more: int = 0) -> str:
    before = f"{first}," if first else ""
    return "".join(f"{before}{size},{stones + more},{carats:.2f}\n" for size, stones, carats in LADDER)


def drawn(n: int) -> list[str]:
    """Return rows of `n` stones of which some are alike by chance."""
    rng = np.random.default_rng(n)
    weights = np.round(np.exp(rng.normal(-1.5, 0.6, n)), 2)
    return [f"{w:.2f},{STONES[k][1]},{STONES[k][2]}" for w, k in zip(weights, rng.integers(8, size=n), strict=True)]


def shuffled(rows: list[str]) -> list[str]:
    return [rows[at] for at in np.random.default_rng(1).permutation(len(rows))]


Reads = Callable[..., Reading]


@pytest.fixture
def reads(scheme: Scheme, zone_table: ZoneTable) -> Reads:
    def read_it(text: str | bytes, name: str = "sheet.csv", **choices: str) -> Reading:
        data = text if isinstance(text, bytes) else text.encode()
        answers = {name.replace("__", ":"): answer for name, answer in choices.items()}
        return read(Upload(name, data), scheme, zone_table, one=True, choices=answers)

    return read_it


def first(found: Reading) -> Problem:
    assert found.parcels == ()
    return found.problems[0]


@every(
    "text, code",
    [
        (f"Sorter,Sieve,Pcs,Cts\n{ladder('A')}{ladder('B', 1)}", "counted_twice"),
        (f"État,Sieve,Pcs,Cts\n{ladder('brut')}{ladder('nettoyé')}", "counted_twice"),
        (f"Sieve,Pcs,Cts\n{ladder()}{ladder()}", "counted_twice"),
        (f"Sieve,Pcs,Cts\n{ladder()}-9+7,70,10.52\n", "counted_twice"),
        ("Photo,Sieve,Pcs,Cts\n" + "".join(f"{p},{s},{n},{w}\n" for s, n, w in LADDER for p in "ab"), "counted_twice"),
        ("Size,White,Cape,Brown\n" + 2 * CROSS.format(30), "counted_twice"),
        ("Ct,Colour\n" + 2 * "".join(f"{w},{colour}\n" for w, colour, _ in STONES), "counted_twice"),
        ("Prices USD/ct\nSize,White,Cape,Brown\n" + CROSS.format(30), "measure_of_title"),
        ("Prix,White,Cape,Brown\n" + CROSS.format(30), "measure_of_title"),
        ("Anteile in %\nSize,White,Cape,Brown\n" + CROSS.format(31), "measure_of_title"),
        ("Carats by size\nSize,White,Cape,Brown\n" + CROSS.format(30), "measure_of_title"),
        ("Sieve,Cts\n+11,0.48\n-11+9,0.25\n-9+7,0.15\n", "means_or_carats"),
        ("Size,White,Cape\n+11,0.48,0.45\n-11+9,0.25,0.24\n", "means_or_carats"),
        ("Shape,Pcs,Cts\nocta,600,90000\nmacle,300,50000\n", "mean_unlikely"),
        ("Shape,Pcs,Cts\nocta,600,0.9\nmacle,300,0.5\n", "mean_unlikely"),
        ("No,Ct,Note\n1,2,35\n2,1,15\n3,4,40\n", "split_decimals"),
        ("Ct,Ref\n1,15\n2,35\n1,42\n3,05\n", "split_decimals"),
        (listed("Pcs,Ct,Colour,Shape"), "count_or_other"),
        (listed("Количество,Ct,Colour,Shape"), "count_or_other"),
        ("Sieve,Amount of stones,Cts\n" + ladder(), "count_or_other"),
        ("Sieve,Total,Cts\n" + ladder(), "count_or_other"),
        (remarked("Remarks", "", "pas un diamant"), "row_cancelled"),
        (remarked("Remarks", "", "same stone as 4"), "row_cancelled"),
        (remarked("Kept", "yes", "no"), "row_cancelled"),
        (remarked("Retirée", "", "oui"), "row_cancelled"),
        (listed("No,Ct,Colour,Shape") + "9,42,white,octa\n10,0.31,cape,macle\n", "decimals_missing"),
        (listed("No,Ct,Colour,Shape") + "9,0.50,cape,octa\n10,3,cape,macle\n", "decimals_missing"),
        ("Seller,Ct,Colour\nA,12.40,white\nB,10.10,cape\nC,0.80,brown\n", "lots_without_numbers"),
        (listed("No,Ct,Colour,Shape\ne.g. 1,0.50,white,octa"), "word_for_number"),
        (listed("No,Ct,Colour,Shape") + ",0.50,,\n,0.60,,\n", "word_for_number"),
    ],
)
def test_a_doubt_is_asked_about(text: str, code: str, reads: Reads) -> None:
    found = first(reads(text))
    assert found.code == code
    for question, answer in found.values.get("choices", ())[:1]:
        answered = reads(text, **{question.replace(":", "__"): answer})
        assert code not in {problem.code for problem in answered.problems}


@pytest.mark.parametrize(
    "rows",
    [
        sorted(drawn(80) * 2),
        sorted(drawn(200) * 3),
        shuffled(drawn(200) * 2),
        [*drawn(200), *drawn(200)[150:]],
        [*drawn(200)[:90], *drawn(200)[40:]],
        [*drawn(60_000), *drawn(60_000)[200:800]],
    ],
)
def test_stones_of_a_list_that_come_again_are_asked_about_in_whatever_order(rows: list[str], reads: Reads) -> None:
    text = "\n".join(["Ct,Colour,Shape", *rows, ""])
    asked = first(reads(text))
    assert asked.code == "counted_twice"
    assert asked.row is not None
    assert rows.index(rows[asked.row - 2]) < asked.row - 2
    assert [parcel.n_stones for parcel in reads(text, tables="one").parcels] == [len(rows)]


@pytest.mark.parametrize("n", [20, 60, 400, 3000])
def test_stones_that_are_alike_by_chance_are_not_asked_about(n: int, reads: Reads) -> None:
    for rows in (drawn(n), sorted(drawn(n)), [*sorted(drawn(n)), *sorted(drawn(n + 1))], (drawn(n) * 9)[: 8 * n + 5]):
        assert len(reads("\n".join(["Ct,Colour,Shape", *rows, ""])).parcels) == 1


@every(
    "text, code",
    [
        (listed("No,Weight,Colour,Shape,Unité", ",g", unit=0.2), "unknown_unit"),
        (listed("Вес указан в граммах\nNo,Weight,Colour,Shape", unit=0.2), "unit_in_title"),
        (listed("Einheit: g\nNo,Weight,Colour,Shape", unit=0.2), "unit_in_title"),
        ("Sieve,Pcs,Gramm\n" + ladder(), "size_mean_outside"),
        ("En milliers de carats\nCouleur;Pierres;Carats\nblanc;200;30,5\ncape;300;20,0\n", "unit_in_title"),
        ("Polished diamonds\n" + listed("No,Ct,Colour,Shape"), "polished_goods"),
        ("No,Shape,Carat,Clarity,Cut,Polish\n1,round,0.42,VS1,EX,EX\n2,round,0.31,VS1,EX,VG\n", "polished_goods"),
        ("No,Ct,Colour,Colour (lab)\n1,0.42,white,cape\n2,0.31,cape,cape\n", "column_twice"),
        ("Weight,0.42,0.31\nColour,white,cape\nShape,octa,macle\n", "table_on_its_side"),
        ("No,1,2\nWeight,0.42,0.31\nColour,white,cape\nShape,octa,macle\n", "table_on_its_side"),
        ("No,White,Cape,Shape\n1,0.42,,octa\n2,,0.31,macle\n3,0.23,,cube\n", "weights_below_classes"),
    ],
)
def test_what_cannot_be_known_is_refused(text: str, code: str, reads: Reads) -> None:
    assert first(reads(text)).code == code


@every(
    "text, stones, carats",
    [
        (f"Sorter,Sieve,Pcs,Cts\n{ladder('A')}{ladder('B', 40)}", 542, 122.0),
        ("Size,White,Cape,Brown\n" + CROSS.format(30), 211, None),
        ("Number of stones\nSize,White,Cape,Brown\n" + CROSS.format(30), 211, None),
        ("Exporter: Value Ltd\nSize,White,Cape,Brown\n" + CROSS.format(30), 211, None),
        ("Cts,White,Cape,Brown\n" + CROSS.format(30), 0, 211.0),
        ("Sieve,#,Cts\n" + ladder(), 211, 61.0),
        (listed("#,Ct,Colour,Shape"), 8, 3.03),
        (listed("№,Вес,Цвет,Форма\n1,2,3,4"), 8, 3.03),
        (listed("No,Ct,Colour,Shape\n(1),(2),(3),(4)"), 8, 3.03),
        (listed("N°,Poids (ct),Couleur,Forme\nNo.,Weight (ct),Colour,Shape"), 8, 3.03),
        (listed("No,Ct,Colour,Shape").replace(",", ":"), 8, 3.03),
        (listed("N° pierre,Poids,Couleur,Morphologie\nStone no,Weight,Color,Morphology"), 8, 3.03),
        ("No,Pcs,Cts\n1,2,3\n2,5,1.2\n3,4,1.1\n", 11, 5.3),
        (listed("No,Ct,Colour,Polished shape"), 8, 3.03),
        ("Ct,Colour\n0.42,white\n0.3,cape\n1,brown\n0.25,cape\n0.17,grey\n0.11,grey\n0.55,cape\n", 7, 2.8),
        ("No,Ct,Colour\n١,٠٫٤٢,white\n٢,٠٫٣١,cape\n", 2, 0.73),
        (listed("Stone,Ct,Colour,Shape"), 8, 3.03),
        (remarked("Remarks", "", "no inclusions"), 8, 3.03),
        (remarked("Fluorescence", "yes", "no"), 8, 3.03),
        ("Ct,Colour\n" + "0.42,white\n0.31,cape\n" * 6, 12, 4.38),
        ("Sieve,Cts\n+11,30.50\n-11+9,20.00\n-9+7,0.15\n", 0, 50.65),
    ],
)
def test_what_is_plain_is_read(text: str, stones: int, carats: float | None, reads: Reads) -> None:
    found = reads(text)
    assert found.problems == ()
    assert found.parcels[0].n_stones == stones
    assert carats is None or found.parcels[0].carats == pytest.approx(carats)


@pytest.mark.parametrize("name", ["tri.csv", "comptage.csv", "counts.csv"])
def test_a_list_of_stones_is_one_whatever_its_table_is_called(name: str, reads: Reads) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, listed("No,Ct,Colour,Shape"))
        archive.writestr("origines.csv", "Origine;Poids\nCarnot;3,03\n")
    (parcel,) = reads(packed.getvalue(), "submission.zip").parcels
    assert (parcel.n_stones, parcel.stones is not None) == (8, True)
