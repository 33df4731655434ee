"""Lines of words above and below a table change no number of it: read, or left out with a note; or else asked about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.errors import Problem
from kpfootprint.ingest import Upload, read
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.laws import tried

COUNTS = "Size,Colour,Pcs,Cts\n+7,white,40,6.04\n+7,brown,12,1.81\n+9,white,30,6.63\n+11,brown,9,2.87\n"
STONES = "No,Weight (ct),Colour\n1,0.35,brown\n2,0.42,white\n3,0.31,cape\n4,0.55,cape\n5,0.21,brown\n"
SUMMED = "Size,Pcs,Cts\n+7,40,6.04\n+9,30,6.63\n+11,9,2.87\nTotal,79,15.54\n"
TABLES = {"counts": (COUNTS, 91, 17.35), "stones": (STONES, 5, 1.84), "summed": (SUMMED, 79, 15.54)}

NEUTRAL = (
    "Bureau d'achat de Bangui", "Purchase slip", "Ref: 2024/017", "Invoice no 4521", "Tel: +236 75 12 34 56",
    "Date: 12/03/2024", "Page 1 of 1", "Prepared by J. Doe", "Checked by: A. B.", "Confidential", "Diamants bruts",
    "HS 7102.31", "Currency: USD", "Exchange rate 655.957", "Buyer: Alpha SARL", "Bag no. 7", "Seal no 889123",
    "Box 12", "Weighing scale: Mettler 0.01", "Scale no 5, calibrated 2024-01-01", "Temperature 24 C",
    "Signature: ______",
    "KP certificate no CF 000123", "Tender 12, lot 3", "Lot no 45", "Parcel no 12", "Weighed twice",
    "All weights in carats", "Valid until 31/12/2024", "Run of mine", "NB goods were washed", "Remarks: none",
    "Version 2", "Report 2024", "Mois: mars", "Week 12", "Country: CAR", "Mine: Site A", "Coordinates 4.26 N, 15.79 E",
    "Licence 0045/MMG", "Total value: 1250 USD", "Price per carat: 120", "Grade A", "Quality: mixed", "--", "=====",
    "(1) Les blancs comprennent les légèrement teintés", "* petit piqué",
)  # fmt: skip
"""Lines that say nothing of how many stones there are, or what they weigh."""

OF_OTHERS = (
    "plus 3 stones in bag B", "less 2 stones returned", "3 stones not included", "Excluding 2 stones of 0.50 ct",
    "NB: 2 pierres non comprises", "* 3 stones are missing", "Note: 6 stones sold before weighing", "3 pierres en plus",
    "(1) 2 stones added later", "Remarks: 2 stones lost",
)  # fmt: skip
"""Lines that speak of stones which are not those of the rows."""


def line(text: str, width: int) -> str:
    return (f'"{text}"' if "," in text else text) + "," * width + "\n"


def laid_out(name: str, above: list[str], below: list[str], *, padded: bool, parted: bool) -> bytes:
    table = TABLES[name][0]
    width = table.partition("\n")[0].count(",") if padded else 0
    text = "".join(line(one, width) for one in above) + table + "\n" * parted
    return (text + "".join(line(one, width) for one in below)).encode()


def found(data: bytes, scheme: Scheme, zone_table: ZoneTable) -> Parcel | tuple[Problem, ...]:
    read_so = read(Upload("sheet.csv", data), scheme, zone_table, one=True)
    return read_so.parcels[0] if read_so.parcels and not read_so.problems else read_so.problems


@pytest.mark.slow
@tried(500)
@given(
    st.sampled_from([*TABLES]), st.lists(st.sampled_from(NEUTRAL), max_size=3),
    st.lists(st.sampled_from(NEUTRAL), max_size=3), st.booleans(), st.booleans(),
)  # fmt: skip
def test_lines_of_words_change_no_number(
    scheme: Scheme, zone_table: ZoneTable, name: str, above: list[str], below: list[str], padded: bool, parted: bool
) -> None:
    seen = found(laid_out(name, above, below, padded=padded, parted=parted), scheme, zone_table)
    if isinstance(seen, Parcel):
        assert seen.n_stones == TABLES[name][1]
        assert seen.carats == pytest.approx(TABLES[name][2])
        assert seen.read_as is not None
        plain = found(TABLES[name][0].encode(), scheme, zone_table)
        assert isinstance(plain, Parcel)
        assert plain.read_as is not None
        assert seen.read_as["classes"] == plain.read_as["classes"]


@pytest.mark.slow
@every("name", TABLES)
@every("text", NEUTRAL)
def test_a_line_of_words_is_no_hindrance(scheme: Scheme, zone_table: ZoneTable, name: str, text: str) -> None:
    for above, below in (([text], []), ([], [text])):
        assert isinstance(found(laid_out(name, above, below, padded=True, parted=False), scheme, zone_table), Parcel)


@pytest.mark.slow
@every("name", TABLES)
@every("text", OF_OTHERS)
def test_a_line_that_speaks_of_other_stones_is_asked_about(
    scheme: Scheme, zone_table: ZoneTable, name: str, text: str
) -> None:
    for above, below in (([text], []), ([], [text])):
        seen = found(laid_out(name, above, below, padded=True, parted=False), scheme, zone_table)
        assert not isinstance(seen, Parcel)
        assert seen
