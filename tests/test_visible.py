"""What cannot be seen is written out; what can be seen stays."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.visible import UNSEEN, csv_line, harmless, is_visible, visible
from tests.every import every


@given(st.text())
def test_nothing_unseen_is_left(text: str) -> None:
    shown = visible(text)
    assert not UNSEEN.search(shown)
    assert visible(shown) == shown
    assert (shown == text) == (UNSEEN.search(text) is None)
    shown.encode()


def test_every_control_and_format_character_is_unseen() -> None:
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    left = [
        f"U+{code:04X}"
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in kinds and is_visible(chr(code))
    ]
    # signs that are drawn, although Unicode files them under formats
    drawn = {code for code in left if unicodedata.name(chr(int(code[2:], 16)), "").startswith(("ARABIC", "SYRIAC"))}
    drawn |= {code for code in left if 0x110BD <= int(code[2:], 16) <= 0x1BCA3}
    assert set(left) - drawn == set()


@every("text", ["Berbérati", "6,70 ct", "p = 0,002", "−2.50", "Tshikapa, Kasaï", "алмаз", "钻石", "a\tb\nc\r\n"])
def test_what_people_write_stays(text: str) -> None:
    assert visible(text) == text


@given(st.lists(st.text(alphabet="a=+-@;, \t\r\n'", max_size=12), min_size=1, max_size=4))
def test_no_formula_comes_of_a_line_of_csv_wherever_a_spreadsheet_splits_it(cells: list[str]) -> None:
    line = csv_line(cells)
    for piece in re.split(r"[;\t\r\n]", line)[1:]:
        assert not piece.lstrip(" ").startswith(("=", "+", "-", "@")), line
    assert [cell.replace("'", "") for cell in cells] == [harmless(cell).replace("'", "") for cell in cells]
