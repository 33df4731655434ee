"""What stones are worth, as people write it: read as dollars, or left unread and told; it refuses no stones."""

from __future__ import annotations

from typing import Any

import pytest

from kpfootprint.errors import IngestError
from kpfootprint.ingest import Upload, ingest_json, read
from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import DecimalMarks
from kpfootprint.ingest.raw.money import read_value
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import book_of, ods_with, parcel

POINT, COMMA, NONE = DecimalMarks(point=True), DecimalMarks(comma=True), DecimalMarks()


@every(
    "text, marks, value",
    [
        ("$ 1,560", POINT, 1560.0),
        ("$1,560", NONE, 1560.0),
        ("1,560", POINT, 1560.0),
        ("$1,000.00", POINT, 1000.0),
        ("1,200.00", NONE, 1200.0),
        ("1.200,00", COMMA, 1200.0),
        ("1.200", COMMA, 1200.0),
        ("1.250", POINT, 1.25),
        ("1,234,567", NONE, 1234567.0),
        ("1 200 USD", NONE, 1200.0),
        ("1'200.50 $", POINT, 1200.5),
        ("US$120", NONE, 120.0),
        ("120 US dollars", NONE, 120.0),
        ("120.-", NONE, 120.0),
        ("120,--", COMMA, 120.0),
        ("1,560", NONE, None),
        ("€120", NONE, None),
        ("120 EUR", NONE, None),
        ("3 145 000 F CFA", NONE, None),
        ("3 145 000 FCFA", NONE, None),
        ("n/c", NONE, None),
        ("-5 $", NONE, None),
        ("12 ct", NONE, 12.0),
    ],
)
def test_an_amount_is_dollars_or_nothing(text: str, marks: DecimalMarks, value: float | None) -> None:
    read_as = read_value(text, marks)
    assert isinstance(read_as, Broken) if value is None else read_as == value


def test_another_currency_in_a_number_format_is_no_value(scheme: Scheme, zone_table: ZoneTable) -> None:
    head = ["Size", "Pcs", "Cts", "Value"]
    formats = {
        '#,##0 "FCFA"': None,
        "[$€-40C] #,##0": None,
        '"$"#,##0': 1710.0,
        "[$$-409]#,##0": 1710.0,
        "0.00": 1710.0,
    }
    for shown, value in formats.items():
        rows: list[list[Any]] = [head, ["+7", 40, 6.0, (720, shown)], ["+9", 30, 6.6, (990, shown)]]
        (found,) = read(Upload("w.xlsx", book_of({"S": rows})), scheme, zone_table).parcels
        assert (found.n_stones, found.value_usd) == (70, value)
        assert found.read_as is not None
        assert [note["code"] for note in found.read_as["notes"]] == ([] if value else ["value_not_read"])


@pytest.mark.parametrize(("currency", "value"), [("XAF", None), ("USD", 1644.0)])
def test_another_currency_of_an_open_workbook(
    currency: str, value: float | None, scheme: Scheme, zone_table: ZoneTable
) -> None:
    def line(size: str, *numbers: float) -> str:
        kinds = ("float", "float", f'currency" office:currency="{currency}')
        cells = zip(kinds, numbers, strict=True)
        shown = "".join(f'<table:table-cell office:value-type="{kind}" office:value="{n}"/>' for kind, n in cells)
        return f"<table:table-row>{word(size)}{shown}</table:table-row>"

    def word(text: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    head = f"<table:table-row>{''.join(map(word, ('Tamis', 'Pierres', 'Carats', 'Valeur')))}</table:table-row>"
    data = ods_with(head + line("+7", 40, 6.0, 720) + line("+9", 30, 6.6, 924))
    (found,) = read(Upload("w.ods", data), scheme, zone_table).parcels
    assert (found.n_stones, found.value_usd) == (70, value)


def test_grams_shown_in_an_open_workbook_refuse_it(scheme: Scheme, zone_table: ZoneTable) -> None:
    def cell(number: float, shown: str) -> str:
        said = f'office:value-type="float" office:value="{number}"'
        return f"<table:table-cell {said}><text:p>{shown}</text:p></table:table-cell>"

    head = '<table:table-cell office:value-type="string"><text:p>Poids</text:p></table:table-cell>'
    for unit, codes in (("g", ["unit_shown"]), ("ct", [])):
        rows = [head, cell(0.07, f"0,07 {unit}"), cell(0.084, f"0,084 {unit}")]
        data = ods_with("".join(f"<table:table-row>{row}</table:table-row>" for row in rows))
        assert [item.code for item in read(Upload("w.ods", data), scheme, zone_table).problems] == codes


def test_numbers_of_stones_shown_as_percent_are_asked_about(scheme: Scheme, zone_table: ZoneTable) -> None:
    for one, other in ((40, 30), (0.57, 0.43)):
        rows: list[list[Any]] = [["Size", "Pcs", "Cts"], ["+7", (one, "0%"), 6.0], ["+9", (other, "0%"), 6.6]]
        found = read(Upload("w.xlsx", book_of({"S": rows})), scheme, zone_table)
        assert [problem.code for problem in found.problems] == ["percent_of_stones"]


def test_json_stays_strict(scheme: Scheme, zone_table: ZoneTable) -> None:
    with pytest.raises(IngestError):
        ingest_json(parcel(value_usd="$ 120"), scheme, zone_table)


@pytest.mark.parametrize(
    ("header", "cells", "value", "notes"),
    [
        ("Valeur", (720000, 990000), None, ["value_dear"]),
        ("Valeur USD", (720000, 990000), 1710000.0, []),
        ("Valeur", ("$ 720000", "$ 990000"), 1710000.0, []),
        ("Valeur", (7200, 9900), 17100.0, []),
    ],
)
def test_a_value_without_currency_that_no_rough_is_worth(
    header: str, cells: tuple[Any, Any], value: float | None, notes: list[str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    text = f"Tamis;Pierres;Carats;{header}\n+7;40;6.00;{cells[0]}\n+9;30;6.60;{cells[1]}\n"
    (found,) = read(Upload("w.csv", text.encode()), scheme, zone_table).parcels
    assert (found.n_stones, found.value_usd) == (70, value)
    assert found.read_as is not None
    assert [note["code"] for note in found.read_as["notes"]] == notes
