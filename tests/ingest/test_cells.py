from __future__ import annotations

import math
import re
from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.ingest.problems import Broken
from kpfootprint.ingest.raw.cells import (
    Cell,
    DecimalMarks,
    Odd,
    is_blank,
    read_date,
    read_number,
    read_numbers,
    read_yes_or_no,
)
from tests.every import every

NOTHING, COMMA, BOTH = DecimalMarks(), DecimalMarks(comma=True), DecimalMarks(comma=True, point=True)


@every(
    "text, marks, number",
    [
        ("0.21", NOTHING, 0.21),
        (" 0.21 ", NOTHING, 0.21),
        ("0,21", NOTHING, 0.21),
        ("+1.5", NOTHING, 1.5),
        (".5", NOTHING, 0.5),
        (",5", NOTHING, 0.5),
        ("1e-2", NOTHING, 0.01),
        ("1 234,5", NOTHING, 1234.5),
        ("٠٫٤٢", NOTHING, 0.42),
        ("1\u202f234.5", NOTHING, 1234.5),
        ("1'234", NOTHING, 1234.0),
        ("1.234", NOTHING, 1.234),
        ("0,234", NOTHING, 0.234),
        ("1,234", COMMA, 1.234),
        ("1234,5", BOTH, 1234.5),
        ("−2", NOTHING, -2.0),
    ],
)
def test_numbers_as_people_write_them(text: str, marks: DecimalMarks, number: float) -> None:
    assert read_number(text, marks) == number


@every(
    "cell, marks, code",
    [
        ("1,234.5", NOTHING, "ambiguous_number"),
        ("1.234,5", NOTHING, "ambiguous_number"),
        ("1,234,567", NOTHING, "ambiguous_number"),
        ("1,234", NOTHING, "ambiguous_number"),
        ("1,234", BOTH, "ambiguous_number"),
        ("1.234", COMMA, "ambiguous_number"),
        ("nan", NOTHING, "not_finite"),
        ("Infinity", NOTHING, "not_finite"),
        ("1e999", NOTHING, "not_finite"),
        (float("inf"), NOTHING, "not_finite"),
        (10**400, NOTHING, "not_finite"),
        ("1_000", NOTHING, "not_a_number"),
        ("٣٬٠٠٠", NOTHING, "not_a_number"),
        ("0x10", NOTHING, "not_a_number"),
        ("0.21 g", NOTHING, "unknown_unit"),
        ("21 pts", NOTHING, "unknown_unit"),
        ("0.21 carrots", NOTHING, "not_a_number"),
        ("0 180", NOTHING, "not_a_number"),
        ("0'180", NOTHING, "not_a_number"),
        ("twelve", NOTHING, "not_a_number"),
        (True, NOTHING, "not_a_number"),
        (date(2026, 2, 1), NOTHING, "not_a_number"),
        (Odd("formula_cell", "=A1"), NOTHING, "formula_cell"),
    ],
)
def test_what_is_no_number_or_two_numbers_is_refused(cell: Cell, marks: DecimalMarks, code: str) -> None:
    broken = read_number(cell, marks)
    assert isinstance(broken, Broken)
    assert broken.code == code
    assert "{" not in broken.reason


def test_text_is_no_number_in_json() -> None:
    assert read_number("0.21", NOTHING, typed=True) == Broken("not_a_number", {"rule": "number_in_quotes"})
    assert read_number("some", NOTHING, typed=True) == Broken("not_a_number")


def test_marks_are_seen_where_they_are_beyond_doubt() -> None:
    assert DecimalMarks.seen_in([["1,234", "2.345"], ["7"]]) == NOTHING
    assert DecimalMarks.seen_in([["1,234"], ["0,5"]]) == COMMA
    assert DecimalMarks.seen_in([["1,5", "2.5"]]) == BOTH


@given(st.lists(st.floats(min_value=0.001, max_value=4999, allow_nan=False), min_size=1))
def test_numbers_read_together_are_numbers_read_alone(numbers: list[float]) -> None:
    texts: list[Cell] = [f"{number:.3f}" for number in numbers]
    together, broken = read_numbers(texts, NOTHING)
    assert not broken
    assert together.tolist() == [float(str(text)) for text in texts]
    commas: list[Cell] = [str(text).replace(".", ",") for text in texts]
    marks = DecimalMarks.seen_in([commas])
    if marks.comma:
        again, broken = read_numbers(commas, marks)
        assert not broken
        assert np.array_equal(together, again)


@given(st.one_of(st.text(max_size=12), st.floats(), st.integers(), st.booleans(), st.none()))
def test_reading_a_number_gives_a_finite_number_nan_for_blank_or_a_broken_rule(cell: Cell) -> None:
    number = read_number(cell, NOTHING)
    if isinstance(number, Broken):
        assert number.reason
    elif is_blank(cell):
        assert math.isnan(number)
    else:
        assert math.isfinite(number)


@every(
    "cell, day",
    [
        ("2024-02-29", date(2024, 2, 29)),
        (" 2024-02-29 00:00:00 ", date(2024, 2, 29)),
        (datetime(2024, 2, 29, 10), date(2024, 2, 29)),
        ("20240229", date(2024, 2, 29)),
        (20240229, date(2024, 2, 29)),
        ("2024/02/29", date(2024, 2, 29)),
        ("2024.02.29", date(2024, 2, 29)),
        ("2024-02-29T14:30:00", date(2024, 2, 29)),
        ("2024-02-29T14:30:00.000Z", date(2024, 2, 29)),
        ("2024-02-29T23:30:00+01:00", date(2024, 2, 29)),
        ("February 29, 2024", date(2024, 2, 29)),
        ("29th Feb. 2024", date(2024, 2, 29)),
        ("29-Feb-24", date(2024, 2, 29)),
        ("jeudi 29 février 2024", date(2024, 2, 29)),
        ("le 29 février 2024", date(2024, 2, 29)),
        ("29/02/2024", date(2024, 2, 29)),
        ("02/29/2024", date(2024, 2, 29)),
        ("29.02.2024", date(2024, 2, 29)),
        ("05/05/2024", date(2024, 5, 5)),
        ("23/11/23", date(2023, 11, 23)),
        ("1 December 2021", date(2021, 12, 1)),
        ("15 december 2018", date(2018, 12, 15)),
        ("2 de dezembro de 2018", date(2018, 12, 2)),
        ("4 de março de 2019", date(2019, 3, 4)),
        ("18 maart 2019", date(2019, 3, 18)),
        ("7 января 2025 г.", date(2025, 1, 7)),
        ("9 мая 2024", date(2024, 5, 9)),
        ("", None),
        (None, None),
    ],
)
def test_days(cell: Cell, day: date | None) -> None:
    assert read_date(cell) == day


@every(
    "cell",
    [
        "2023-02-29",
        "29/02/2023",
        "31/31/2024",
        "11032024",
        20240231,
        "2024-02/29",
        45351,
        45351.0,
        "2024-2-9",
        True,
        "29 Feb 24",
        "before 1 May 2024",
        "31/12/99",
    ],
)
def test_what_is_no_day_is_refused(cell: Cell) -> None:
    assert read_date(cell) == Broken("not_a_date")


@pytest.mark.parametrize(
    ("cell", "days"),
    [
        ("11/03/2024", ["2024-03-11", "2024-11-03"]),
        ("3.4.2024", ["2024-03-04", "2024-04-03"]),
        ("03-04-2024 10:30", ["2024-03-04", "2024-04-03"]),
        ("13/05/21", ["2013-05-21", "2021-05-13"]),
    ],
)
def test_a_day_without_its_year_in_front_is_refused_with_the_days_that_it_can_be(cell: str, days: list[str]) -> None:
    broken = read_date(cell)
    assert isinstance(broken, Broken)
    assert broken.code == "not_a_date"
    assert re.findall(r"\d{4}-\d\d-\d\d", broken.reason.replace("YYYY-MM-DD", "")) == days


@every(
    "cell, answer",
    [
        ("yes", True),
        ("Oui", True),
        ("non", False),
        ("FAUX", False),
        (1, True),
        (0.0, False),
        (True, True),
        ("inconnu", None),
    ],
)
def test_yes_and_no(cell: Cell, answer: bool | None) -> None:
    assert read_yes_or_no(cell) is answer


def test_neither_yes_nor_no() -> None:
    assert read_yes_or_no("perhaps") == Broken("not_yes_or_no")
