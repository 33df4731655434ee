"""Sheets of one workbook: parcels of their own, parts of one parcel, or a question."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every

Rows = Sequence[Sequence[Any]]
STONES: Rows = [["No", "Weight ct", "Colour"], [1, 0.42, "brown"], [2, 0.31, "cape"], ["Total", 0.73]]
STONE: Rows = [["No", "Weight ct", "Colour"], [1, 0.5, "brown"]]
BAD: Rows = [["No", "Weight ct", "Colour"], [1, 0.5, "brown"], [2, -0.2, "brown"], [3, 0.4, "BRN2"]]
OPEN: Rows = [["Size", "Pcs", "Cts"], ["+11", 10, 9.1], ["-11+9", 20, 4.9]]
CLOSED: Rows = [["Size", "Pcs", "Cts"], ["+11", 10, 4.1], ["3 gr", 20, 15.0]]
DECLARED: Rows = [["parcel_id", "zone_id", "carats"], ["A", "nola", 0.73], ["B", "boda", 0.5]]
PARCEL: Rows = [["Parcel", "Weight ct"], ["P1", 0.4]]
OTHER: Rows = [["Parcel", "Weight ct"], ["P2", 0.6]]
NOLA: Rows = [["Parcel: Z9"], ["Zone: Nola"], *STONES]
BODA: Rows = [["Parcel: Z8"], ["Zone: Boda"], *STONE]

NUMBERS: Rows = [["Parcel no", "Zone", "Stones", "Carats"], [1, "Nola", 2, 0.73], [2, "Boda", 1, 0.5]]
MEANS: Rows = [["Parcel", "Stones", "Carats", "ct/st"], ["CAR-1", 2, 0.73, 0.365], ["CAR-2", 1, 0.5, 0.5]]
LISTED: Rows = [["Parcel", "Stones", "Carats"], ["CAR-1", 2, 0.73], ["CAR-2", 1, 0.5], ["Total", 3, 1.23]]

Outcome = dict[str, tuple[int, float]]


def reading(sheets: Mapping[str, Rows], scheme: Scheme, zone_table: ZoneTable, **options: Any) -> Reading:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    made = io.BytesIO()
    book.save(made)
    return read(Upload("w.xlsx", made.getvalue()), scheme, zone_table, **options)


def said(parcel: Parcel) -> list[str]:
    assert parcel.read_as is not None
    return [note["text"] for note in parcel.read_as["notes"]]


@every(
    "sheets, parcels",
    [
        ({"CAR-1": STONES, "CAR-2": STONE}, {"CAR-1": (2, 0.73), "CAR-2": (1, 0.5)}),
        ({"Colis 1": STONES, "Colis 2": STONE}, {"Colis 1": (2, 0.73), "Colis 2": (1, 0.5)}),
        ({"A": STONES, "B": STONE, "declarations": DECLARED}, {"A": (2, 0.73), "B": (1, 0.5)}),
        ({"CAR-1": [["Parcel: CAR-1"], *STONES], "CAR-2": STONE}, {"CAR-1": (2, 0.73), "CAR-2": (1, 0.5)}),
        ({"CAR-1": CLOSED, "CAR-2": STONE}, {"CAR-1": (30, 19.1), "CAR-2": (1, 0.5)}),
        ({"Summary": NUMBERS, "Parcel 1": STONES, "Parcel 2": STONE}, {"Parcel 1": (2, 0.73), "Parcel 2": (1, 0.5)}),
        ({"Summary": MEANS, "CAR-1": STONES, "CAR-2": STONE}, {"CAR-1": (2, 0.73), "CAR-2": (1, 0.5)}),
        ({"Summary": LISTED, "CAR-1": STONES, "CAR-2": STONE}, {"CAR-1": (2, 0.73), "CAR-2": (1, 0.5)}),
        ({"Sheet1": NOLA, "Sheet2": BODA}, {"Z9": (2, 0.73), "Z8": (1, 0.5)}),
        ({"Sheet1": PARCEL, "Sheet2": OTHER}, {"P1": (1, 0.4), "P2": (1, 0.6)}),
        (
            {"CAR-1": CLOSED, "CAR-2": OPEN, "CAR-3": STONE},
            {"CAR-1": (30, 19.1), "CAR-2": (30, 14.0), "CAR-3": (1, 0.5)},
        ),
    ],
)
def test_each_sheet_is_a_parcel_by_its_column_its_title_or_its_name(
    sheets: Mapping[str, Rows], parcels: Outcome, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = reading(sheets, scheme, zone_table)
    assert found.problems == ()
    assert {item.parcel_id: (item.n_stones, item.carats) for item in found.parcels} == parcels
    for parcel in found.parcels:
        assert said(parcel)[0] == f"each sheet is a parcel of its own: {', '.join(sorted(parcels))}"
    one = reading(sheets, scheme, zone_table, given={"parcel_id": next(iter(parcels))})
    assert [(item.n_stones, item.carats) for item in one.parcels] == [next(iter(parcels.values()))]


def test_titles_of_a_sheet_declare_its_parcel(scheme: Scheme, zone_table: ZoneTable) -> None:
    found = reading({"Sheet1": NOLA, "Sheet2": BODA}, scheme, zone_table)
    declared = {item.parcel_id: [zone.zone_id for zone in item.declarations] for item in found.parcels}
    assert declared == {"Z9": ["nola"], "Z8": ["boda"]}


def test_the_sizes_of_a_sheet_are_its_own(scheme: Scheme, zone_table: ZoneTable) -> None:
    """``+11`` is all that lies on the sieve where no larger class is, and goes up to 3 grainers where that one is."""
    found = reading({"CAR-1": CLOSED, "CAR-2": OPEN}, scheme, zone_table)
    uppers = {}
    for parcel in found.parcels:
        assert parcel.sieve_set is not None
        uppers[parcel.parcel_id] = parcel.sieve_set.upper_ct[parcel.sieve_set.classes.index("+11")]
    assert uppers == {"CAR-1": 0.655, "CAR-2": float("inf")}
    limits = [[text for text in said(parcel) if "size classes" in text] for parcel in found.parcels]
    assert limits == [
        ["size classes in carats: +11: 0.315–0.655 ct; 3 gr: 0.655–0.895 ct"],
        ["size classes in carats: -11+9: 0.175–0.315 ct; +11: ≥ 0.315 ct"],
    ]


def test_a_problem_names_the_sheet_that_it_stands_on(scheme: Scheme, zone_table: ZoneTable) -> None:
    found = reading({"CAR-1": STONES, "CAR-2": BAD}, scheme, zone_table)
    assert [item.parcel_id for item in found.parcels] == ["CAR-1"]
    assert [(item.code, item.table, item.row) for item in found.problems] == [
        ("negative", "CAR-2", 3),
        ("unknown_class", "CAR-2", 4),
    ]


@pytest.mark.parametrize(
    "names", [("Sheet1", "Sheet2"), ("Lot 1", "Lot 2"), ("+11", "-11+9"), ("белые", "бурые"), ("p. 1", "2")]
)
def test_sheets_that_may_be_parts_of_one_parcel_are_a_question(
    names: tuple[str, str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    sheets = dict(zip(names, (STONES, STONE), strict=True))
    asked = reading(sheets, scheme, zone_table).problems
    assert [(item.code, item.values["choices"]) for item in asked] == [
        ("sheets_or_parcels", [("sheets", "parcels"), ("sheets", "one")])
    ]
    (parcel,) = reading(sheets, scheme, zone_table, choices={"sheets": "one"}, one=True).parcels
    assert (parcel.parcel_id, parcel.n_stones, parcel.carats) == ("w", 3, 1.23)
    parcels = reading(sheets, scheme, zone_table, choices={"sheets": "parcels"}).parcels
    assert {item.parcel_id: item.n_stones for item in parcels} == dict(zip(names, (2, 1), strict=True))


@pytest.mark.parametrize(
    "sheets",
    [
        {"A": PARCEL, "B": PARCEL},
        {"CAR-1": STONES, "CAR-2": STONE, "Total": STONES},
        {"stones": STONES, "stones 2": STONE},
    ],
)
def test_sheets_that_hold_the_same_stones_twice_are_refused(
    sheets: Mapping[str, Rows], scheme: Scheme, zone_table: ZoneTable
) -> None:
    assert [item.code for item in reading(sheets, scheme, zone_table).problems] == ["table_twice"]


@pytest.mark.parametrize("number", ["2-5", "2 à 5", datetime(2019, 5, 2)])
def test_a_row_numbered_as_several_stones_is_none_of_one(number: object, scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: Rows = [["No", "Weight ct"], [1, 0.5], [number, 1.6], [6, 0.7], [7, 0.8]]
    asked = reading({"S": rows}, scheme, zone_table).problems
    assert [(item.code, item.row) for item in asked] == [("number_of_several", 3)]


def test_a_list_of_the_sheets_is_held_against_them(scheme: Scheme, zone_table: ZoneTable) -> None:
    wrong = [*LISTED[:2], ["CAR-2", 2, 0.5]]
    found = reading({"Summary": wrong, "CAR-1": STONES, "CAR-2": STONE}, scheme, zone_table)
    assert [(item.code, item.table, item.row) for item in found.problems] == [("stones_total", "Summary", 3)]


@pytest.mark.parametrize("choices", [{}, {"sheets": "one"}])
def test_copies_of_a_sheet_are_not_counted_twice(
    choices: dict[str, str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = reading({"Sheet1": STONES, "Sheet1 (2)": STONES}, scheme, zone_table, choices=choices)
    assert [item.code for item in found.problems] == ["same_rows"]


BY_COLOUR: Rows = [
    ["Size", "Colour", "Pcs", "Cts"],
    ["+9", "white", 10, 2.2],
    ["+9", "brown", 20, 4.4],
    ["+7", "white", 30, 4.5],
]
BY_SIZE: Rows = [["Size", "Pcs", "Cts"], ["+9", 30, 6.6], ["+7", 30, 4.5]]
BY_SHAPE: Rows = [["Colour", "Shape", "Pcs"], ["white", "octa", 1], ["brown", "octa", 2], ["cape", "macle", 1]]
FEW: Rows = [["Colour", "Pcs"], ["white", 1], ["brown", 2], ["cape", 1]]


@pytest.mark.parametrize(
    ("sheets", "parcels", "told"),
    [
        ({"Data": BY_COLOUR, "Summary": BY_SIZE}, {"w": (60, 11.1)}, set()),
        ({"CAR-1": BY_COLOUR, "CAR-2": BY_SIZE}, {"CAR-1": (60, 11.1), "CAR-2": (60, 11.1)}, set()),
        ({"One": BY_SHAPE, "Other": FEW}, {}, {"sheets_or_parcels"}),
    ],
)
def test_a_sheet_is_left_out_as_the_sums_of_another_where_it_is_no_parcel_and_not_so_by_chance(
    sheets: Mapping[str, Rows], parcels: Outcome, told: set[str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = reading(sheets, scheme, zone_table)
    assert {item.code for item in found.problems} == told
    assert {item.parcel_id: (item.n_stones, item.carats) for item in found.parcels} == parcels


@pytest.mark.parametrize("summed", [True, False])
def test_sheets_called_by_their_sizes_have_them_and_are_one_parcel_where_a_summary_says_so(
    summed: bool, scheme: Scheme, zone_table: ZoneTable
) -> None:
    few: Rows = [["Colour", "Pcs", "Cts"], ["white", 2, 8.4], ["Total", 2, 8.4]]
    more: Rows = [["Colour", "Pcs", "Cts"], ["white", 17, 27.0], ["brown", 26, 43.0], ["Total", 43, 70.0]]
    whole: Rows = [["Size", "Pcs", "Cts"], ["4 ct", 2, 8.4], ["6 gr", 43, 70.0], ["Total", 45, 78.4]]
    sheets = {"4 ct": few, "6 gr": more} | ({"Summary": whole} if summed else {})
    found = reading(sheets, scheme, zone_table, choices={} if summed else {"sheets": "one"}, one=True)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert parcel.read_as is not None
    assert parcel.read_as["classes"] == {"size": {"4 ct": 2, "6 gr": 43}, "colour": {"colourless": 19, "brown": 26}}


@pytest.mark.parametrize("line", ["2 stones were returned", "Weights in carats, two decimals"])
def test_a_sheet_of_words_is_asked_about_where_it_speaks_of_other_stones(
    line: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = reading({"Data": BY_SIZE, "Notes": [["About the form"], [line]]}, scheme, zone_table)
    assert [item.code for item in found.problems] == (["stones_besides"] if "stones" in line else [])


LISTING: Rows = [["Parcel", "Weight ct", "Colour"], ["A", 0.35, "brown"], ["A", 0.42, "white"], ["B", 0.5, "cape"]]


@pytest.mark.parametrize(
    ("name", "rows", "declared"),
    [
        ("parcels", [["parcel_id", "zone"], ["A", "Nola"], ["B", "Boda"]], {"A": {"nola": None}, "B": {"boda": None}}),
        ("parcels", [["parcel_id", "zone", "carats"], ["A", "Nola", 0.77], ["B", "", 0.5]], {"A": {"nola": 0.77}}),
        ("parcels", [["parcel_id", "zone d'achat"], ["A", "Nola"], ["B", "Boda"]], {}),
        (
            "declarations",
            [["parcel", "zone", "carats"], ["A", "Nola", 0.4], ["", "Boda", 0.37], ["B", "Nola", 0.5]],
            {"A": {"nola": 0.4, "boda": 0.37}, "B": {"nola": 0.5}},
        ),
        (
            "declarations",
            [["parcel", "zone", "pourcentage"], ["A", "Nola", 60], ["A", "Boda", 40], ["B", "Nola", 100]],
            {"A": {"nola": None, "boda": None}, "B": {"nola": None}},
        ),
    ],
)
def test_parcels_declare_their_zones(
    name: str, rows: Rows, declared: dict[str, dict[str, float | None]], scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = reading({"stones": LISTING, name: rows}, scheme, zone_table)
    assert found.problems == ()
    said_of = {one.parcel_id: {item.zone_id: item.carats for item in one.declarations} for one in found.parcels}
    assert {parcel_id: zones for parcel_id, zones in said_of.items() if zones} == declared


def test_what_a_table_of_parcels_says_besides_is_told(scheme: Scheme, zone_table: ZoneTable) -> None:
    parcels: Rows = [["parcel_id", "zone", "mine"], ["A", "Nola", "x"], ["B", "Boda", "y"]]
    declared: Rows = [["parcel_id", "zone_id", "carats"], ["A", "boda", 0.77], ["B", "boda", 0.5]]
    found = reading({"stones": LISTING, "parcels": parcels, "declarations": declared}, scheme, zone_table)
    assert [(item.code, item.row) for item in found.problems] == [("said_otherwise", 2)]
    (parcel,) = found.parcels
    assert (parcel.parcel_id, [item.zone_id for item in parcel.declarations]) == ("B", ["boda"])
    assert parcel.read_as is not None
    assert parcel.read_as["passed_over"] == ["mine"]


COVER: Rows = [["Exporter", "SODIAM"], ["Zone", "Nola"]]


def test_a_cover_and_titles_above_the_stones_say_what_they_do_of_one_parcel(
    scheme: Scheme, zone_table: ZoneTable
) -> None:
    titled = [["Cleaning", "acid rinsed"], ["Exporter", "Sodiam"], [], *STONES]
    (parcel,) = reading({"Cover": COVER, "S": titled}, scheme, zone_table, one=True).parcels
    assert (parcel.exporter, [item.zone_id for item in parcel.declarations]) == ("SODIAM", ["nola"])
    assert parcel.conditions.cleaning_state == "acid_rinsed"
    for other in (["Exporter", "BADICA"], ["Zone", "Boda"]):
        found = reading({"Cover": COVER, "S": [other, [], *STONES]}, scheme, zone_table, one=True)
        assert [item.code for item in found.problems] == ["said_otherwise"]


def test_two_titles_that_say_different_things_are_told(scheme: Scheme, zone_table: ZoneTable) -> None:
    said = [["KP certificate", "CF000231"], ["Certificat", "CF000232"], [], *STONES]
    found = reading({"S": said}, scheme, zone_table, one=True)
    assert [(item.code, item.value) for item in found.problems] == [("said_otherwise", "CF000232")]


@pytest.mark.parametrize(
    "cover",
    [
        [["Certificate", "Date of export", "Exporter", "Pieces", "Carats"], ["CF-7", "2024-03-12", "X", 2, 0.73]],
        [["Certificate", "Date of export", "Exporter", "Invoice", "Seal"], ["CF-7", "2024-03-12", "X", "I-7", "S-9"]],
        [
            ["Certificate", "Date of export", "Exporter"],
            ["CF-7", "2024-03-12", "X"],
            ["Parcel", "Stones", "Carats"],
            ["A", 2, 0.73],
        ],
        [
            ["EXPORT OF ROUGH DIAMONDS"],
            ["Certificate", "Date of export", "Exporter"],
            ["CF-7", "2024-03-12", "X"],
            ["Origin", "Country", "Weight"],
            ["Nola", "CAR", 0.73],
        ],
    ],
)
def test_a_cover_may_have_values_below_their_labels(cover: Rows, scheme: Scheme, zone_table: ZoneTable) -> None:
    found = reading({"Cover": cover, "Stones": STONES}, scheme, zone_table)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert (parcel.certificate_no, str(parcel.exported_on), parcel.exporter) == ("CF-7", "2024-03-12", "X")
    assert [item.zone_id for item in parcel.declarations] == ["nola"] * (len(cover) == 5)


NOLA_AND_BODA = "Nola 0.42 ct ; Boda 0.31 ct"


@pytest.mark.parametrize(
    "cover",
    [
        [["Certificate", "CF-7"], [f"Zones: {NOLA_AND_BODA}"], ["Exported by: X"]],
        [["Certificate: CF-7"], ["Exporter: X"], [f"Zones: {NOLA_AND_BODA}"]],
        [[f"Origin : {NOLA_AND_BODA}"], ["Screen: 1.5"], ["Exporter:", "X"], ["Certificate no.: CF-7"]],
        [["Zone", NOLA_AND_BODA], ["Certificate: CF-7"], ["Shipper : X"]],
        [["Certificate", "CF-7", "Exporter", "X"], ["Zones", NOLA_AND_BODA], ["Sorted by", "JM"]],
        [["Zones", NOLA_AND_BODA, "Sorter", "JM"], ["Exporter", "X"], ["Certificate", "CF-7"]],
        [["Sorter", "JM", "Parcel", "A-7"], ["Certificate", "CF-7"], ["Exporter : X"], ["Zones", NOLA_AND_BODA]],
    ],
)
def test_a_cover_may_mix_cells_of_labels_with_cells_of_both(cover: Rows, scheme: Scheme, zone_table: ZoneTable) -> None:
    found = reading({"Cover": cover, "Stones": STONES}, scheme, zone_table, one=True)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert (parcel.certificate_no, parcel.exporter) == ("CF-7", "X")
    assert {item.zone_id: item.carats for item in parcel.declarations} == {"nola": 0.42, "boda": 0.31}


CODED: Rows = [["No", "Weight ct", "Colour", "Shape"], [1, 0.42, "B", "M"], [2, 0.31, "C", "M"]]
SIEVED: Rows = [["Sieve", "Stones", "Carats"], ["+9", 120, 31.2], ["+11", 60, 24.6]]


@every(
    "goods, legend, n_stones",
    [
        (CODED, [["Code", "Meaning"], ["B", "brown"], ["C", "cape"], ["M", "macle"]], 2),
        (
            CODED,
            [["Column", "Code", "Meaning"], ["Colour", "B", "brown"], ["Colour", "C", "cape"], ["Shape", "M", "cube"]],
            2,
        ),
        (CODED, [["B", "brown"], ["C", "cape"], ["M", "macle"], ["S/P", "sous-préfecture"]], 2),
        (CODED, [["B", "brown"], ["B", "black"], ["C", "cape"], ["M", "macle"]], 0),
        (SIEVED, [["Sieve", "Weight (ct)"], ["+9", 0.18], ["+11", 0.32]], 180),
        (SIEVED, [["Size", "Carats"], ["+9", "0.18-0.31"], ["+11", "0.32-0.52"]], 180),
        (CODED, [["B = brown"], ["C = cape"], ["M: macle"]], 2),
        (CODED, [["Code", "Colour", None, "Code", "Shape"], ["B", "brown", None, "M", "macle"], ["C", "cape"]], 2),
        (STONES, SIEVED, 0),
        (STONES, [["Specials", "12.40 ct"], ["Boart", "3 stones"]], 0),
        (STONES, [["No", "Weight", "Colour"], [1, 0.62, "brown"]], 0),
    ],
)
def test_a_legend_is_no_parcel_and_says_what_codes_mean(
    goods: Rows, legend: Rows, n_stones: int, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = reading({"Goods": goods, "Legend": legend}, scheme, zone_table)
    assert bool(found.problems) == (n_stones == 0)
    assert [parcel.n_stones for parcel in found.parcels] == [n_stones][: n_stones > 0]


def test_what_codes_mean_is_told_in_the_order_of_the_legend(scheme: Scheme, zone_table: ZoneTable) -> None:
    legend: Rows = [["B", "brown"], ["C", "cape"], ["W", "white"], ["Y", "yellow"], ["G", "grey"], ["K", "black"]]
    goods: Rows = [["No", "Weight ct", "Colour"], *([n + 1, 0.3 + n / 100, code] for n, (code, _) in enumerate(legend))]
    (parcel,) = reading({"Goods": goods, "Legend": legend}, scheme, zone_table).parcels
    (words,) = (note["values"]["words"] for note in (parcel.read_as or {})["notes"] if note["code"] == "words_chosen")
    assert words == "B = brown, C = cape, W = white, Y = yellow, G = grey, K = black"


def test_titles_above_a_list_of_parcels(scheme: Scheme, zone_table: ZoneTable) -> None:
    titles: Rows = [["KP certificate", "Exporter"], ["CF-00123", "Sodiam"], []]
    goods = {"CAR-1": STONES, "CAR-2": STONE}
    found = reading({"Cover": [*titles, *LISTED], **goods}, scheme, zone_table)
    assert [(parcel.certificate_no, parcel.exporter) for parcel in found.parcels] == [("CF-00123", "Sodiam")] * 2
    parcels: Rows = [["Parcel", "Certificate", "Stones", "Carats"], ["CAR-1", "CF-00124", 2, 0.73]]
    found = reading({"Cover": [*titles, *parcels], "Goods": STONES}, scheme, zone_table)
    assert [item.code for item in found.problems] == ["said_otherwise"]


def test_sheets_of_sub_parcels_and_tables_of_a_database(scheme: Scheme, zone_table: ZoneTable) -> None:
    found = reading({"Sub-parcel 1": STONES, "Sub-parcel 2": STONE}, scheme, zone_table)
    assert [item.code for item in found.problems] == ["sheets_or_parcels"]
    parcel: Rows = [["parcel_pk", "certificate_no"], [7, "CF-1"]]
    stone: Rows = [["stone_pk", "parcel_fk", "weight_ct"], [101, 7, 0.42], [102, 7, 0.31]]
    (read_of,) = reading({"parcel": parcel, "stone": stone}, scheme, zone_table).parcels
    assert (read_of.parcel_id, read_of.certificate_no, read_of.n_stones) == ("7", "CF-1", 2)


LIST = [f"{0.1 * k:.2f},{colour}" for k, colour in enumerate(["white", "cape", "brown", "grey"] * 2, 2)]
SORTED = ["+7,,4,0.60", "+9,,3,0.66", "+11,,2,0.90"]


@pytest.mark.parametrize(
    ("header", "rows"), [("parcel,weight_ct,colour", LIST), ("parcel,size,colour,pcs,carats", SORTED)]
)
def test_the_same_stones_under_two_ids_are_asked_about(
    header: str, rows: list[str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    other = ["0.33,grey"] * 9 if rows is LIST else ["+11,,9,4.00", *SORTED[1:]]
    twice = [row.replace("white", "yellow") for row in rows]  # as another sorter sees them
    for second, code in (
        (rows, "parcels_alike"),
        (rows[::-1], "parcels_alike"),
        (twice, "parcels_alike"),
        (other, None),
    ):
        text = "\n".join([header, *(f"A,{row}" for row in rows), *(f"B,{row}" for row in second)])
        upload = Upload("stones.csv", text.encode())
        found = read(upload, scheme, zone_table)
        asked = [(item.code, item.value) for item in found.problems]
        assert asked == ([] if code is None else [(code, "A"), (code, "B")])
        chosen = read(upload, scheme, zone_table, choices={"parcels": "apart"})
        assert (chosen.problems, len(chosen.parcels)) == ((), 2)
        stones = [line.split(",") for line in text.split()]
        for told in (
            {"parcels": [["parcel_id"], ["A"], ["B"]]},
            {"declarations": [["parcel_id", "zone_id", "carats"], ["A", "bria", "2"], ["B", "carnot", "2"]]},
        ):
            listed = reading(told | {"stones": stones}, scheme, zone_table)
            notes = [[note["code"] for note in (parcel.read_as or {})["notes"]] for parcel in listed.parcels]
            assert ("parcels_alike" in notes[0], "parcels_alike" in notes[1]) == (code is not None,) * 2
