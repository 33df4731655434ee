"""Workbooks: merged, hidden and odd cells, other kinds of files, and books made to never end."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import time as clock
from pathlib import Path
from types import MappingProxyType
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from kpfootprint.ingest import Reading, Upload, read
from kpfootprint.ingest.files.oldbook import facts_of
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every
from tests.ingest.making import ods_of, ods_with


def book_of(rows: Sequence[Sequence[Any]], *, merge: str | None = None, hide: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    if merge is not None:
        sheet.merge_cells(merge)
    if hide is not None:
        sheet.column_dimensions[hide].hidden = True
        sheet.row_dimensions[2].hidden = True
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def reading(data: bytes, scheme: Scheme, zone_table: ZoneTable, name: str = "b.xlsx") -> Reading:
    return read(Upload(name, data), scheme, zone_table, one=True)


def test_words_of_merged_cells_hold_for_every_row(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: list[list[Any]] = [["Size", "Colour", "Stones", "Carats"], ["+6", "cape", 10, 0.95], [None, "brown", 10, 0.9]]
    (parcel,) = reading(book_of(rows, merge="A2:A3"), scheme, zone_table).parcels
    assert parcel.read_as is not None
    assert (parcel.n_stones, parcel.read_as["classes"]["size"]) == (20, {"+6": 20})
    rows = [["weight_ct", "colour"], [0.4, "brown"], [0.3, None], [0.2, None]]
    (parcel,) = reading(book_of(rows, merge="B2:B4"), scheme, zone_table).parcels
    assert parcel.read_as is not None
    assert parcel.read_as["classes"]["colour"] == {"brown": 3}


def test_numbers_of_merged_cells_are_refused(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: list[list[Any]] = [["Size", "Stones", "Carats"], ["+6", 10, 0.95], ["+7", None, 0.9]]
    found = reading(book_of(rows, merge="B2:B3"), scheme, zone_table).problems
    assert [(item.code, item.row, item.column) for item in found] == [("merged_number", 3, "Stones")]


def test_times_are_no_weights(scheme: Scheme, zone_table: ZoneTable) -> None:
    found = reading(book_of([["weight_ct"], [clock(18, 0)], [0.5]]), scheme, zone_table).problems
    assert [(item.code, item.row) for item in found] == [("time_cell", 2)]


def test_what_is_hidden_is_read_and_told(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: list[list[Any]] = [["weight_ct", "colour"], [0.4, "brown"], [0.3, "cape"]]
    (parcel,) = reading(book_of(rows, hide="B"), scheme, zone_table).parcels
    assert parcel.read_as is not None
    assert parcel.n_stones == 2
    assert parcel.read_as["hidden"] == ["Sheet: row 2", "Sheet: column 2"]


def test_a_header_below_titles_and_on_two_lines(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: list[list[Any]] = [
        ["Comptoir A"],
        [],
        ["Parcel", "P-9"],
        ["Size", "White", None, "Brown", None],
        [None, "pcs", "cts", "pcs", "cts"],
        ["+11", 61, 30.5, 22, 10.78],
        ["-11+9", 80, 20.0, 30, 7.5],
        ["Total", "=SUM(B6:B7)", 50.5, 52, 18.28],
    ]
    (parcel,) = reading(book_of(rows), scheme, zone_table).parcels
    assert parcel.read_as is not None
    assert (parcel.parcel_id, parcel.n_stones, parcel.read_as["header_rows"]) == ("P-9", 193, [4, 5])


def test_open_document_sheets(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: list[list[Any]] = [["Poids", "Couleur"], [0.42, "blanc"], [0.31, "brun"]]
    (parcel,) = reading(ods_of(rows), scheme, zone_table, "s.ods").parcels
    assert (parcel.n_stones, parcel.carats) == (2, 0.73)


def note_codes(parcel: Parcel) -> list[str]:
    assert parcel.read_as is not None
    return [note["code"] for note in parcel.read_as["notes"]]


def test_formulas_have_the_values_that_were_saved_with_them(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: list[list[Any]] = [["Poids", "Couleur"], [0.42, "blanc"], [0.31, "brun"]]
    book = ods_of(rows, ' table:formula="of:=1"')
    (parcel,) = reading(book, scheme, zone_table, "s.ods").parcels
    assert (parcel.carats, note_codes(parcel)) == (0.73, ["formula_values"])
    bare = ods_with(
        HEADED + '</table:table-row><table:table-row><table:table-cell table:formula="of:=1"/></table:table-row>'
    )
    assert [p.code for p in reading(bare, scheme, zone_table, "s.ods").problems] == ["formulas_in_workbook"]


TEXT = '<c r="{}" t="inlineStr"><is><t>{}</t></is></c>'
HALF = '<c r="A3"><f>A2/2</f><v>0.21</v></c>'


@pytest.mark.parametrize(
    ("weight", "colour", "broken"),
    [
        (HALF, '<c r="B3" t="str"><f>B2</f><v>brun</v></c>', None),
        ('<c r="A3"><f t="shared" si="0"/><v>0.21</v></c>', '<c r="B3" t="str"><f>B2&amp;""</f><v></v></c>', None),
        ('<c r="A3"><f>A2/2</f></c>', "", ("formula_cell", 3, "Poids", "=A2/2")),
        ('<c r="A3"><f t="shared" si="0" /><v /></c>', "", ("formula_cell", 3, "Poids", "=…")),
        (HALF, '<c r="B3"><f>B2</f><v></v></c>', ("formula_cell", 3, "Couleur", "=B2")),
        (HALF, "<c><f>B2</f></c>", ("formulas_in_workbook", None, None, None)),
        ('<c r="A3" t="e"><f>A2/0</f><v>#DIV/0!</v></c>', "", ("spreadsheet_error", 3, "Poids", "#DIV/0!")),
    ],
)
def test_formulas_of_workbooks_have_values_or_are_refused_by_their_cell(
    weight: str, colour: str, broken: tuple[str, int, str, str] | None, scheme: Scheme, zone_table: ZoneTable
) -> None:
    lines = [TEXT.format("A1", "Poids") + TEXT.format("B1", "Couleur"), '<c r="A2"><v>0.42</v></c>', weight + colour]
    rows = "".join(f'<row r="{at}">{line}</row>' for at, line in enumerate(lines, start=1))
    found = reading(sheet_of(rows), scheme, zone_table)
    if broken is not None:
        assert [(item.code, item.row, item.column, item.value) for item in found.problems] == [broken]
        return
    (parcel,) = found.parcels
    assert (parcel.carats, note_codes(parcel)) == (0.63, ["formula_values"])


@every("data", [b"", b"PK\x03\x04junk", b"\xd0\xcf\x11\xe0" + bytes(600)])
@every("name", ["s.ods", "s.xls", "s.xlsx"])
def test_books_that_are_none(data: bytes, name: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    found = reading(data, scheme, zone_table, name).problems
    assert {item.code for item in found} <= {"wrong_file_kind", "damaged_file", "file_empty"}
    assert found


def rewritten(part: str, text: str | bytes) -> bytes:
    """Return a small workbook one of whose parts is another text."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book_of([["weight_ct"], [0.5]]))) as old, zipfile.ZipFile(made, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, text if name == part else old.read(name))
        if part not in old.namelist():
            new.writestr(part, text)
    return made.getvalue()


def sheet_of(rows: str) -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    text = f'<?xml version="1.0"?><worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    return rewritten("xl/worksheets/sheet1.xml", text)


FIRST = '<row r="1"><c r="A1" t="inlineStr"><is><t>weight_ct</t></is></c></row>'


@pytest.mark.slow
@every(
    "rows, code",
    [
        (FIRST + '<row r="2000000000"><c r="A2000000000"><v>1</v></c></row>', "too_many_blank_rows"),
        (FIRST + "<row r='2000000000'><c r='A2'><v>1</v></c></row>", "too_many_blank_rows"),
        (FIRST + '<row r = "&#50;000000000"><c><v>1</v></c></row>', "too_many_blank_rows"),
        (FIRST + '<row r="2e9"><c><v>1</v></c></row>', "too_many_blank_rows"),
        (FIRST + '<row r="1048576"><c r="A1048576"><v>1</v></c></row>', "too_many_blank_rows"),
        (FIRST + "<row/>" * 400_000, "too_many_blank_rows"),
        (
            FIRST + "".join(f'<row r="{at}"><c r="ZZZ{at}"><v>1</v></c></row>' for at in range(2, 5000)),
            "too_many_columns",
        ),
        (FIRST + "<row><c><v>1</v></c></row>" * 50 + "<row><c r='zzz1'/></row>" * 5000, "too_many_columns"),
    ],
)
def test_books_made_to_never_end_are_refused_at_once(
    rows: str, code: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    start = time.process_time()
    found = reading(sheet_of(rows), scheme, zone_table).problems
    assert [item.code for item in found] == [code]
    assert time.process_time() - start < 5


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_book_in_which_nothing_would_be_found_is_refused(
    encoding: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml"):
        with zipfile.ZipFile(io.BytesIO(sheet_of(FIRST))) as old:
            text = old.read(part).decode().encode(encoding)
        found = reading(rewritten(part, text), scheme, zone_table).problems
        assert [item.code for item in found] == ["workbook_encoding"], part


def test_a_book_that_declares_entities_is_refused(scheme: Scheme, zone_table: ZoneTable) -> None:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = FIRST + '<row r="2"><c r="A2"><v>&half;</v></c></row>'
    text = f'<!DOCTYPE x [<!ENTITY half "0.5">]><worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    (problem,) = reading(rewritten("xl/worksheets/sheet1.xml", text), scheme, zone_table).problems
    assert problem.code == "damaged_file"


def test_a_book_of_texts_is_refused(scheme: Scheme, zone_table: ZoneTable) -> None:
    texts = "<sst>" + "<si><t/></si>" * 1_600_000 + "</sst>"
    found = reading(rewritten("xl/sharedStrings.xml", texts), scheme, zone_table).problems
    assert {item.code for item in found} <= {"too_many_texts", "unpack_ratio"}
    assert found


def test_a_strict_book_is_told_apart(scheme: Scheme, zone_table: ZoneTable) -> None:
    text = '<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>'
    found = reading(rewritten("xl/workbook.xml", text), scheme, zone_table).problems
    assert [item.code for item in found] == ["strict_workbook"]


@pytest.mark.slow
def test_a_header_of_a_million_columns_is_counted_before_it_is_built(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    path = tmp_path / "wide.csv"
    path.write_bytes(b"a," * 20_000_000 + b"\n1\n")
    start = time.process_time()
    assert [item.code for item in read(path, scheme, zone_table).problems] == ["too_many_columns"]
    assert time.process_time() - start < 10


def workbook_of(**sheets: list[list[object]]) -> Upload:
    """Return a workbook of some sheets, by name."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return Upload("book.xlsx", stream.getvalue())


def shown(rows: list[list[object]], formats: dict[int, str]) -> Upload:
    """Return a workbook with number formats by column, counted from 1."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    for column, number_format in formats.items():
        for at in range(2, len(rows) + 1):
            sheet.cell(row=at, column=column).number_format = number_format
    out = io.BytesIO()
    book.save(out)
    return Upload("shown.xlsx", out.getvalue())


LIST: list[list[object]] = [["Stone", "Weight", "Colour"], [1, 0.5, "cape"], [2, 0.6, "brown"]]


@pytest.mark.parametrize(
    ("number_format", "carats"), [('0.00 "g"', 5.5), ("0.00\\g", 5.5), ('0 "pts"', 0.011), ('0.00" mg"', 0.0055)]
)
def test_a_number_shown_in_another_unit_is_given_in_carats(
    number_format: str, carats: float, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (parcel,) = read(shown(LIST, {2: number_format}), scheme, zone_table, one=True).parcels
    assert parcel.carats == pytest.approx(carats)


@pytest.mark.parametrize("number_format", ['0.000\\ "grains";-0.000', "0%"])
def test_a_number_shown_in_grains_or_as_a_share_is_not_carats(
    number_format: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = read(shown(LIST, {2: number_format}), scheme, zone_table, one=True)
    assert found.parcels == ()
    assert {problem.code for problem in found.problems} <= {"unknown_unit", "percent_alone"}


@pytest.mark.parametrize(
    "number_format",
    ["[$$-409]#,##0.00", '0.00" USD"', '#,##0.00\\ "€"', '0.00" pcs"', '0.00" bags"', '0" %"'],
)
def test_a_number_shown_as_money_or_something_else_is_not_carats(
    number_format: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = read(shown(LIST, {2: number_format}), scheme, zone_table, one=True)
    assert found.parcels == ()
    assert {problem.code for problem in found.problems} <= {"not_a_number", "unit_elsewhere", "percent_alone"}


@pytest.mark.parametrize("number_format", ['0.00 "ct"', "0.00", '#,##0.00" carats"', "0.0_);(0.0)"])
def test_carats_may_be_shown_as_such(number_format: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    (parcel,) = read(shown(LIST, {2: number_format}), scheme, zone_table, one=True).parcels
    assert (parcel.n_stones, parcel.carats) == (2, 1.1)


def test_grainers_and_percentages_are_read_as_they_are_shown(scheme: Scheme, zone_table: ZoneTable) -> None:
    ladder: list[list[object]] = [["Size", "Pcs", "Cts"], [4, 40, 40.4], [3, 20, 15.1]]
    (parcel,) = read(shown(ladder, {1: '0 "gr"'}), scheme, zone_table, one=True).parcels
    assert parcel.read_as is not None
    assert parcel.read_as["classes"] == {"size": {"3 gr": 20, "4 gr": 40}}
    shares: list[list[object]] = [["Size", "White", "Cape"], ["+9-11", 0.4, 0.6], ["+11-12", 0.5, 0.5]]
    found = read(shown(shares, {2: "0%", 3: "0%"}), scheme, zone_table, one=True)
    assert [problem.code for problem in found.problems] == ["percent_alone"]


def xls_of(
    cells: dict[tuple[int, int], Any],
    number_format: str = "0.00",
    padding: int = 5000,
    *,
    hide: bool = False,
    struck: Collection[tuple[int, int]] = (),
    comments: Mapping[tuple[int, int], str] = MappingProxyType({}),
) -> bytes:
    """Return an old Excel workbook of one sheet; a text that begins with "=" becomes a formula whose value is 0.5.

    With `hide` its second row and its second column are hidden. Numbers of a row are written in one record.
    """

    def record(kind: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return struct.pack("<HH", kind, len(content)) + content

    def text_of(text: str, width: str = "<H") -> bytes:
        return struct.pack(width, len(text)) + b"\x01" + text.encode("utf-16-le")

    bof = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
    shown = record(0x41E, struct.pack("<H", 164), text_of(number_format))
    fonts = [0, 0, 0, 0, 0x08]  # the last is number 5, as none is called 4
    for strikes in fonts if struck else ():
        shown += record(0x31, struct.pack("<HHHHHBBBB", 200, strikes, 0x7FFF, 400, 0, 0, 0, 0, 0), text_of("A", "<B"))
    for font in (0, 5) if struck else ():
        shown += record(0xE0, struct.pack("<HH", font, 0), bytes(16))
    name = text_of("S", "<B")
    before = len(bof) + len(shown) + 4 + 6 + len(name) + 4
    start = record(0x85, struct.pack("<IBB", before, 0, 0), name)
    sheet = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    if hide:
        sheet += record(0x7D, struct.pack("<HHHHHH", 1, 1, 2000, 0, 1, 0))
        sheet += record(0x208, struct.pack("<HHHHHHHH", 0, 0, 2, 255, 0, 0, 0x100, 0))
        sheet += record(0x208, struct.pack("<HHHHHHHH", 1, 0, 2, 255, 0, 0, 0x120, 0))
    for (row, column), value in sorted(cells.items()):
        place = struct.pack("<HHH", row, column, int((row, column) in struck))
        if isinstance(value, str) and value.startswith("="):
            sheet += record(6, place, struct.pack("<dHIH", 0.5, 0, 0, 3), b"\x1e\x01\x00")
        elif isinstance(value, str):
            sheet += record(0x204, place, text_of(value))
        else:
            sheet += record(0x203, place, struct.pack("<d", value))
    for at, ((row, column), text) in enumerate(comments.items(), start=1):
        sheet += record(0x5D, struct.pack("<HHHH", 0x15, 0x12, 0x19, at), bytes(14))
        sheet += record(0x1B6, bytes(18)) + record(0x3C, text_of(text, "<B")[1:]) + record(0x3C, bytes(16))
        sheet += record(0x1C, struct.pack("<HHHH", row, column, 0, at), text_of("JM"), b"\0")
    book = bof + shown + start + record(10) + sheet + record(10)
    book += record(10) * (max(0, padding - len(book)) // 4)
    small = len(book) < 4096
    sectors = -(-len(book) // 512)
    end, free = 0xFFFFFFFE, 0xFFFFFFFF
    links = [0xFFFFFFFD, end, *range(3, 2 + sectors), end, *([end] if small else [])]
    fat = struct.pack("<128I", *links, *[free] * (128 - len(links)))
    pieces = -(-len(book) // 64)
    small_links = struct.pack("<128I", *range(1, pieces), end, *[free] * (128 - pieces)) if small else b""

    def entry(name: str, kind: int, first: int, size: int, child: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le")
        head = raw.ljust(64, b"\0") + struct.pack("<HBBIII", len(raw), kind, 1, free, free, child)
        return head + bytes(36) + struct.pack("<IQ", first, size)

    root = entry("Root Entry", 5, 2 if small else end, sectors * 512 if small else 0, 1)
    directory = (root + entry("Workbook", 2, 0 if small else 2, len(book), free)).ljust(512, b"\0")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    head += bytes(6) + struct.pack("<IIIII", 0, 1, 1, 0, 4096)
    head += struct.pack("<IIII", 2 + sectors if small else end, int(small), end, 0) + struct.pack("<I", 0)
    head += struct.pack("<I", free) * 108
    return head + fat + directory + book.ljust(sectors * 512, b"\0") + small_links


def test_what_is_hidden_in_other_workbooks_is_told_as_well(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: list[list[Any]] = [["weight_ct", "colour"], [0.4, "brown"], [0.3, "cape"], [0.2, "cape"]]
    cells = {(at, place): cell for at, row in enumerate(rows) for place, cell in enumerate(row)}
    for name, data, wanted in (
        ("s.xls", xls_of(cells, hide=True), ["column 2", "row 2"]),
        ("s.xls", xls_of(cells), []),
        ("s.ods", ods_of(rows, hide=2), ["row 2"]),
        ("s.ods", ods_of(rows), []),
    ):
        (parcel,) = reading(data, scheme, zone_table, name).parcels
        assert parcel.n_stones == 3
        assert parcel.read_as is not None
        assert [line.partition(": ")[2] for line in parcel.read_as["hidden"]] == wanted


@pytest.mark.slow
@pytest.mark.parametrize("padding", [0, 5000])
@pytest.mark.parametrize("corner", [(0, 0), (3, 2)])
def test_formulas_of_old_workbooks_have_their_values(
    corner: tuple[int, int], padding: int, scheme: Scheme, zone_table: ZoneTable
) -> None:
    down, right = corner
    rows: list[list[Any]] = [["weight_ct", "colour", "remarks"], [0.4, "brown", "=A1"], [0.3, "cape", "x"]]
    cells = {(down + at, right + k): value for at, row in enumerate(rows) for k, value in enumerate(row)}
    cells[down + 2, right] = "=A1*2"
    (parcel,) = reading(xls_of(cells, padding=padding), scheme, zone_table, "old.xls").parcels
    assert (parcel.n_stones, parcel.carats, note_codes(parcel)) == (2, 0.9, ["formula_values", "words_not_read"])


def test_units_shown_by_other_workbooks_are_refused(scheme: Scheme, zone_table: ZoneTable) -> None:
    cells = {(0, 0): "weight_ct", (1, 0): 0.5}
    for number_format, codes in (('0.00 "g"', ["unit_shown"]), ('0.0 "ct"', [])):
        found = reading(xls_of(cells, number_format), scheme, zone_table, "old.xls")
        assert [problem.code for problem in found.problems] == codes
    content = "<number:number-style><number:number></number:number><number:text>{}</number:text>"
    for unit, code in ((" g", "unit_shown"), (" ct", "damaged_file")):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr(
                "content.xml", content.format(unit).replace("/><number:text", "></number:number><number:text")
            )
        found = read(Upload("open.ods", made.getvalue()), scheme, zone_table, one=True)
        assert [problem.code for problem in found.problems] == [code]


def test_struck_out_cells_are_refused_unless_nobody_reads_them(scheme: Scheme, zone_table: ZoneTable) -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(book_of([["weight_ct", "colour", "x"], [0.4, "brown", "a"], [0.3, "cape", "b"]]))
    )
    sheet = book.worksheets[0]
    for places, told in (("C3",), []), (("A3", "B3"), [("struck_cell", 3, "weight_ct"), ("struck_cell", 3, "colour")]):
        for place in places:
            sheet[place].font = Font(strike=True)
        made = io.BytesIO()
        book.save(made)
        found = reading(made.getvalue(), scheme, zone_table).problems
        assert [(item.code, item.row, item.column) for item in found] == told


ODS_STYLES = (
    '<office:automatic-styles><style:style style:name="ce1" style:family="table-cell"/>'
    '<style:style style:name="ce2" style:family="table-cell">'
    '<style:text-properties style:text-line-through-style="solid" style:text-line-through-type="single"/>'
    "</style:style></office:automatic-styles>"
)


def ods_styled(
    rows: Sequence[Sequence[Any]], struck: Collection[tuple[int, int]], comments: Mapping[tuple[int, int], str]
) -> bytes:
    """Return an .ods workbook with cells that are struck out, and comments; blank rows stand above in one tag."""
    text = '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
    for at, row in enumerate(rows, start=2):
        text += "<table:table-row>"
        for place, value in enumerate(row):
            style = f' table:style-name="ce{1 + ((at, place) in struck)}"'
            kind = f'"float" office:value="{value}"' if isinstance(value, int | float) else '"string"'
            said = comments.get((at, place))
            note = f"<office:annotation><dc:creator>JM</dc:creator><text:p>{said}</text:p></office:annotation>"
            text += f"<table:table-cell{style} office:value-type={kind}>{note if said else ''}"
            text += f"<text:p>{value}</text:p></table:table-cell>"
        text += "</table:table-row>"
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(ods_with(text))) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.infolist():
            content = old.read(member).replace(b"<office:body>", f"{ODS_STYLES}<office:body>".encode())
            content = content.replace(b" xmlns:text=", b' xmlns:dc="d" xmlns:style="s" xmlns:text=')
            new.writestr(member, content)
    return made.getvalue()


@pytest.mark.parametrize("name", ["s.ods", "s.xls"])
def test_struck_cells_and_comments_of_other_workbooks_are_told(
    name: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    rows: Sequence[Sequence[Any]] = [["weight_ct", "colour", "x"], [0.4, "brown", "a"], [0.3, "cape", "b"]]
    comments = {(3, 0): "wrong, should be 0.45"}

    def found_with(struck: Collection[tuple[int, int]]) -> Reading:
        if name == "s.ods":
            return reading(ods_styled(rows, struck, comments), scheme, zone_table, name)
        cells = {(at, place): cell for at, row in enumerate(rows, start=2) for place, cell in enumerate(row)}
        return reading(xls_of(cells, struck=struck, comments=comments), scheme, zone_table, name)

    (parcel,) = found_with({(4, 2)}).parcels
    assert (parcel.n_stones, parcel.carats) == (2, 0.7)
    assert parcel.read_as is not None
    told = [item["text"] for item in parcel.read_as["notes"] if item["code"] == "comments_not_read"]
    assert told == ["comments on cells are not read: A4: wrong, should be 0.45"]
    problems = found_with({(4, 0), (4, 1)}).problems
    assert [(item.code, item.row, item.column) for item in problems] == [
        ("struck_cell", 5, "weight_ct"),
        ("struck_cell", 5, "colour"),
    ]


@pytest.mark.parametrize(("fills", "told"), [((), []), (("FFFF00", "A52A2A"), [("filled_cell", "colour")])])
def test_classes_told_by_the_fill_of_blank_cells_are_asked_for(
    fills: tuple[str, ...], told: list[tuple[str, str]], scheme: Scheme, zone_table: ZoneTable
) -> None:
    rows: list[list[Any]] = [["weight_ct", "colour"], [0.4, None], [0.3, None]]
    book = openpyxl.load_workbook(io.BytesIO(book_of(rows)))
    for row, fill in enumerate(fills, start=2):
        book.worksheets[0].cell(row, 2).fill = PatternFill("solid", fgColor=fill)
    made = io.BytesIO()
    book.save(made)
    found = reading(made.getvalue(), scheme, zone_table).problems
    assert {(item.code, item.column) for item in found} == set(told)


def test_sizes_merged_over_their_rows_hold_for_all_of_them(scheme: Scheme, zone_table: ZoneTable) -> None:
    rows: list[list[Any]] = [
        ["Size", "Colour", "Pcs"],
        [11, "white", 18],
        [None, "cape", 10],
        [9, "white", 36],
        [None, "cape", 6],
    ]
    book = openpyxl.load_workbook(io.BytesIO(book_of(rows)))
    for merged in ("A2:A3", "A4:A5"):
        book.worksheets[0].merge_cells(merged)
    made = io.BytesIO()
    book.save(made)
    (parcel,) = reading(made.getvalue(), scheme, zone_table).parcels
    assert parcel.read_as is not None
    assert parcel.read_as["classes"]["size"] == {"+9": 42, "+11": 28}


def test_a_sheet_of_words_gives_classes(scheme: Scheme, zone_table: ZoneTable) -> None:
    book = openpyxl.load_workbook(io.BytesIO(book_of([["Size", "Colour", "Pcs", "Cts"], ["Smalls", "B2", 20, 0.7]])))
    words = book.create_sheet("Words")
    for row in (["attribute", "word", "class"], ["colour", "B2", "brown"], ["size", "Smalls", "+3"]):
        words.append(row)
    made = io.BytesIO()
    book.save(made)
    (parcel,) = reading(made.getvalue(), scheme, zone_table).parcels
    assert parcel.read_as is not None
    assert parcel.read_as["classes"] == {"size": {"+3": 20}, "colour": {"brown": 20}}


HEADED = '<table:table-row><table:table-cell office:value-type="string"><text:p>weight_ct</text:p></table:table-cell>'
ONE = '<table:table-cell office:value-type="float" office:value="1"/></table:table-row>'
WIDE = "<table:table-row table:number-rows-repeated='9999'>" + ONE.replace(
    "office", "table:number-columns-repeated='9999' office", 1
)
MERGES = "".join(f'<mergeCell ref="B{2 + at}:B{10_000 + at}"/>' for at in range(20_000))
BOUNDED = """
import resource, sys
from pathlib import Path
from types import MappingProxyType
from kpfootprint.ingest import read
from kpfootprint.release import load_release, shipped_release
release = load_release(shipped_release())
resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
print(*(problem.code for problem in read(Path(sys.argv[1]), release.scheme, release.zone_table).problems))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("digits.xlsx", lambda: sheet_of(f'{FIRST}<row r="{"9" * 5000}"><c r="A2"/></row>'), "damaged_file"),
        ("cells.xlsx", lambda: rewritten("xl/worksheets/sheet1.xml", "<c " * 1_000_000), "damaged_file"),
        ("rows.xlsx", lambda: rewritten("xl/worksheets/sheet1.xml", '<row a="" ' * 300_000), "damaged_file"),
        (
            "merged.xlsx",
            lambda: sheet_of(f"{FIRST}</sheetData><mergeCells>{MERGES}</mergeCells><sheetData>"),
            "too_many_blank_rows",
        ),
        (
            "wide.ods",
            lambda: ods_with(HEADED + "</table:table-row>" + WIDE * 400),
            "unpacks_too_large",
        ),
        (
            "high.ods",
            lambda: ods_with(f"{HEADED}</table:table-row><table:table-row table:number-rows-repeated='9999999'>{ONE}"),
            "too_many_rows",
        ),
    ],
)
def test_no_workbook_of_a_few_kilobytes_takes_the_machine(
    name: str, content: Callable[[], bytes], code: str, tmp_path: Path
) -> None:
    """Tags that never close, merges over merges, cells that repeat without end; in a process, as some ended theirs."""
    path = tmp_path / name
    path.write_bytes(content())
    done = subprocess.run([sys.executable, "-c", BOUNDED, path], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == [code], done.stderr[-2000:]


def test_an_old_workbook_whose_sectors_go_round_in_a_circle_is_refused_small() -> None:
    head = bytearray(b"\xd0\xcf\x11\xe0".ljust(4096, b"\0"))
    struct.pack_into("<HH", head, 30, 12, 6)
    struct.pack_into("<I", head, 68, 0xFFFFFFFE)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="no workbook"):
            facts_of(bytes(head) + bytes(8192))
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def with_macros(data: bytes) -> bytes:
    """Return a workbook as it is saved with macros."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for member in old.infolist():
            text = old.read(member).replace(
                b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            )
            new.writestr(member.filename, text)
        new.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    return made.getvalue()


def test_macros_of_a_workbook_are_passed_over_with_a_word(scheme: Scheme, zone_table: ZoneTable) -> None:
    (parcel,) = reading(with_macros(book_of(LIST)), scheme, zone_table, "list.xlsm").parcels
    (plain,) = reading(book_of(LIST), scheme, zone_table, "list.xlsx").parcels
    assert note_codes(parcel) == ["macros_passed_over"]
    assert (parcel.n_stones, parcel.carats) == (plain.n_stones, plain.carats)


@pytest.mark.parametrize("number_format", ['"~"0.00', '"ca. "0.00', "~0.00", '"<"0.00', '"max "0.00', '0.0,"k"'])
def test_numbers_shown_as_about_right_or_as_limits_are_refused(
    number_format: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = read(shown(LIST, {2: number_format}), scheme, zone_table, one=True)
    assert not found.parcels
    assert {problem.column for problem in found.problems} == {LIST[0][1]}


@pytest.mark.parametrize("number_format", ['0" ct"', "$#,##0", '0" bags"', '0" %"', '0" x 10"'])
def test_numbers_of_stones_shown_as_something_else_are_refused(
    number_format: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    rows: list[list[object]] = [["Sieve", "Pcs", "Cts"], ["+11", 120, 48.2], ["+9", 60, 13.1]]
    found = read(shown(rows, {2: number_format}), scheme, zone_table, one=True)
    assert not found.parcels
    assert found.problems
    (parcel,) = read(shown(rows, {2: '0" pcs"', 3: '0.0" ct"'}), scheme, zone_table, one=True).parcels
    assert (parcel.n_stones, parcel.carats) == (180, 61.3)


def test_what_comments_on_cells_say_is_told(scheme: Scheme, zone_table: ZoneTable) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["Sieve", "Pcs"], ["+11", 120], ["+9", 60]):
        sheet.append(row)
    sheet["B2"].comment = Comment("wrong, should be <45>", "JM")
    other = book.create_sheet("Other")
    other["A1"].comment = Comment("nothing", "JM")
    stream = io.BytesIO()
    book.save(stream)
    (parcel,) = read(Upload("s.xlsx", stream.getvalue()), scheme, zone_table, one=True).parcels
    assert parcel.read_as is not None
    told = [item["text"] for item in parcel.read_as["notes"] if item["code"] == "comments_not_read"]
    assert told == ["comments on cells are not read: B2: wrong, should be <45>"]


@pytest.mark.parametrize("comment", ["retirée du colis", "price; status: cancelled", "removed 12/3"])
def test_a_comment_that_takes_a_row_out_is_asked_about(comment: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    book = openpyxl.load_workbook(io.BytesIO(book_of([["No", "Weight"], [1, 0.4], [2, 0.3]])))
    book.worksheets[0]["B3"].comment = Comment(comment, "JM")
    made = io.BytesIO()
    book.save(made)
    asked = read(Upload("s.xlsx", made.getvalue()), scheme, zone_table).problems
    assert [(item.code, item.row, item.value) for item in asked] == [("row_cancelled", 3, comment)]
    kept = read(Upload("s.xlsx", made.getvalue()), scheme, zone_table, choices={"cancelled": "keep"})
    assert [parcel.n_stones for parcel in kept.parcels] == [2]


@pytest.mark.parametrize("comment", ["Sample of the parcel", "estimated", "Sans les boarts", "Doublon de la fiche 3"])
def test_a_comment_by_which_rows_are_a_part_is_asked_about(comment: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    book = openpyxl.load_workbook(io.BytesIO(book_of([["No", "Weight"], [1, 0.4], [2, 0.3]])))
    book.worksheets[0]["A1"].comment = Comment(comment, "JM")
    made = io.BytesIO()
    book.save(made)
    asked = read(Upload("s.xlsx", made.getvalue()), scheme, zone_table).problems
    assert [item.code for item in asked] == ["part_in_title"]


def test_a_struck_number_of_a_row_strikes_the_row(scheme: Scheme, zone_table: ZoneTable) -> None:
    book = openpyxl.load_workbook(io.BytesIO(book_of([["No", "Weight"], [1, 0.4], [2, 0.3]])))
    book.worksheets[0]["A3"].font = Font(strike=True)
    made = io.BytesIO()
    book.save(made)
    assert [(item.code, item.row) for item in reading(made.getvalue(), scheme, zone_table).problems] == [
        ("struck_cell", 3)
    ]


@pytest.mark.parametrize("right", [["Total pcs", 97], ["Total cts: 33.91"], ["Total", 97]])
def test_a_total_right_of_the_header_is_held_against_the_rows(
    right: list[Any], scheme: Scheme, zone_table: ZoneTable
) -> None:
    rows: list[list[Any]] = [["Size", "Pcs", "Cts", None, *right], ["+11", 42, 20.16], ["+9", 55, 13.75]]
    (parcel,) = read(Upload("total.xlsx", book_of(rows)), scheme, zone_table, one=True).parcels
    assert (parcel.n_stones, parcel.carats) == (97, 33.91)
    wrong = [*right[:-1], 98 if right[-1] == 97 else "Total cts: 43.91"]
    found = read(Upload("total.xlsx", book_of([[*rows[0][:4], *wrong], *rows[1:]])), scheme, zone_table, one=True)
    assert bool(found.problems) == (right[0] != "Total")


def test_a_cover_sheet_says_what_titles_say_and_sieves_are_no_declaration(
    scheme: Scheme, zone_table: ZoneTable
) -> None:
    sheets: dict[str, list[list[object]]] = {
        "Cover": [["Exporter", "A"], ["Zone", "Nola"]],
        "Declared": [["Size", "Pcs", "Cts"], ["+11", 42, 20.16], ["+9", 55, 13.75]],
    }
    (parcel,) = read(workbook_of(**sheets), scheme, zone_table, one=True).parcels
    assert (parcel.n_stones, parcel.exporter) == (97, "A")
    assert [item.zone_id for item in parcel.declarations] == ["nola"]


@pytest.mark.parametrize(("total", "told"), [(97, []), (98, ["total_disagrees"])])
def test_a_total_above_the_header_is_held_against_the_rows(
    total: int, told: list[str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    rows: list[list[Any]] = [["Total", total, 33.91], ["Size", "Pcs", "Cts"], ["+11", 42, 20.16], ["+9", 55, 13.75]]
    found = read(Upload("total.xlsx", book_of(rows)), scheme, zone_table, one=True)
    assert [problem.code for problem in found.problems] == told
    assert [parcel.n_stones for parcel in found.parcels] == ([] if told else [97])


LADDER: list[list[object]] = [["Sieve", "Pcs", "Cts"], ["+11", 20, 8.0], ["+9", 30, 6.6]]


@pytest.mark.parametrize(
    ("sheets", "code"),
    [
        ({"DRAFT": LADDER}, "part_in_title"),
        ({"Removed stones": LADDER}, "part_in_title"),
        ({"Polished": LADDER}, "polished_goods"),
        ({"Tri": LADDER, "Notes": [["2 stones removed after sorting"]]}, "stones_besides"),
        ({"Tri": LADDER, "Notes": [["Remaining goods: 120 stones, 33.50 ct"]]}, "stones_besides"),
        ({"Tri": LADDER, "Cover": [["Parcel", "CAR-7"], ["Remark", "estimated by eye"]]}, "part_in_title"),
    ],
)
def test_names_of_sheets_and_notes_on_others_are_heard(
    sheets: dict[str, list[list[object]]], code: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = read(workbook_of(**sheets), scheme, zone_table, one=True)
    assert [item.code for item in found.problems] == [code]
    (parcel,) = read(workbook_of(Tri=LADDER, Notes=[["Checked by JM"]]), scheme, zone_table, one=True).parcels
    assert (parcel.n_stones, parcel.carats) == (50, 14.6)


def test_a_remark_right_of_a_row_is_no_cell_too_many(scheme: Scheme, zone_table: ZoneTable) -> None:
    (parcel,) = read(workbook_of(Tri=[*LADDER, ["+7", 12, 1.7, "checked"]]), scheme, zone_table, one=True).parcels
    assert (parcel.n_stones, parcel.read_as and parcel.read_as["passed_over"]) == (62, ["remarks"])
    found = read(workbook_of(Tri=[*LADDER, ["+7", 12, 1.7, 5]]), scheme, zone_table, one=True)
    assert [item.code for item in found.problems] == ["ragged_row"]
    found = read(workbook_of(Tri=[*LADDER, ["+7", 12, 1.7, "not counted"]]), scheme, zone_table, one=True)
    assert [item.code for item in found.problems] == ["part_in_title"]


def test_titles_on_lines_of_one_merged_cell_are_read_one_by_one(scheme: Scheme, zone_table: ZoneTable) -> None:
    title = "SORTING SHEET\nParcel: CF-7\nExporter: Alpha SA\nZone: Nola"
    (parcel,) = read(workbook_of(Tri=[[title], *LADDER]), scheme, zone_table, one=True).parcels
    assert (parcel.parcel_id, parcel.exporter) == ("CF-7", "Alpha SA")
    assert [item.zone_id for item in parcel.declarations] == ["nola"]


@pytest.mark.parametrize("said", ["______", "....", "n/a"])
def test_blanks_of_forms_name_nobody(said: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    (parcel,) = read(workbook_of(Tri=[["Exporter", said], *LADDER]), scheme, zone_table, one=True).parcels
    assert parcel.exporter is None


@pytest.mark.parametrize("said", ["Sorted by size", "Sorted by hand", "Trié par couleur", "Sorted by size and colour"])
def test_what_goods_are_sorted_by_is_no_sorter(said: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    (parcel,) = read(workbook_of(Tri=[[said], *LADDER]), scheme, zone_table, one=True).parcels
    assert parcel.conditions.sorter is None
    (parcel,) = read(workbook_of(Tri=[["Sorted by JM on 3 March 2021"], *LADDER]), scheme, zone_table, one=True).parcels
    assert parcel.conditions.sorter == "JM"
