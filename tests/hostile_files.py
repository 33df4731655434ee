"""Files of somebody who means harm: good tables with a few things wrong, in the files that tables come in.

Most have little wrong, and that somewhere else each time, so that what comes after the first check is reached as well.
"""

from __future__ import annotations

import gzip
import io
import struct
import warnings
import zipfile

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, composite

from tests.hostile import ODD_TEXT, documents, repeated

Grid = list[list[str]]

GOOD: dict[str, Grid] = {
    "stones": [
        ["parcel_id", "weight_ct", "colour", "morphology"],
        *([parcel, f"0.{number}5", "brown", "octahedron"] for parcel in ("A", "B") for number in range(1, 6)),
    ],
    "parcels": [
        ["parcel_id", "exported_on", "exporter", "certificate_no"],
        ["A", "2024-03-11", "E1", "CF-1"],
        ["B", "2024-03-12", "E2", "CF-2"],
    ],
    "declarations": [["parcel_id", "zone_id", "carats"], ["A", "berberati", "1.75"], ["B", "carnot", "1.75"]],
    "counts": [
        ["parcel_id", "size_class", "colour", "n_stones"],
        ["A", "+9", "brown", "3"],
        ["B", "+11", "white", "2"],
    ],
    "lot": [["weight_ct", "colour", "morphology"], *([f"0.{number}5", "brown", "cube"] for number in range(1, 7))],
    "sheet": [
        ["Facture 12", "", "", ""],
        ["Taille", "Nombre", "Poids", "Couleur"],
        ["+9", "12", "3,4", "brown"],
        ["+11", "5", "2,5", "white"],
        ["TOTAL", "17", "5,9", ""],
    ],
}
NAMES = st.sampled_from(
    [
        *("stones.csv", "declarations.csv", "parcels.csv", "counts.csv", "stones.csv.gz", "stones.xlsx", "stones.ods"),
        *("a/stones.csv", "../stones.csv", "/etc/passwd", "stones.csv\x00.png", "con", "stones.txt", "inner.zip"),
        *("st\u202eones.csv", "x" * 300, "__MACOSX/stones.csv", ".stones.csv", "size_classes.csv", "stones.json"),
        *("a\\stones.csv", "stones.csv/", "STONES.CSV", "stones .csv", "declarations.csv.csv", "C:stones.csv"),
    ]
)
CELLS = st.one_of(
    ODD_TEXT,
    st.sampled_from(["0.5", "0,18", "brown", "octahedron", "+9", "12", "berberati", "A", "1 000", "1.000,5", "5%"]),
    st.sampled_from(["1" * 400, "-0", "+.5", "1e-400", "0x10", "½", "0.5ct", "45292", "12/13/2024", "TRUE", "#REF!"]),
)
HEADERS = st.one_of(
    ODD_TEXT,
    st.sampled_from(["weight_ct", "poids", "Lot", "parcel_id", "zone_id", "carats", "n_stones", "size_class", "x", ""]),
)


def often(draw: DrawFn, one_in: int) -> bool:
    """Draw whether something happens, one time in so many."""
    return draw(st.integers(1, one_in)) == one_in


@composite
def grids(draw: DrawFn, kind: str | None = None) -> Grid:
    """Draw a table of one kind, or of any, with nothing to three things wrong."""
    grid = [list(row) for row in GOOD[kind or draw(st.sampled_from(sorted(GOOD)))]]
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3]))):
        at = draw(st.integers(0, len(grid) - 1))
        row = grid[at]
        place = draw(st.integers(0, max(len(row) - 1, 0)))
        match draw(st.integers(0, 11)):
            case 0 | 1 | 2 | 3 if row:
                row[place] = draw(CELLS)
            case 4 if grid[0]:
                grid[0][place % len(grid[0])] = draw(HEADERS)
            case 5:
                row.extend(repeated([draw(CELLS)], draw(st.sampled_from([1, 3, 30, 20_000]))))
            case 6:
                grid[at:at] = [[draw(CELLS) for _ in range(draw(st.integers(0, 5)))]]
            case 7:
                grid.extend(repeated([list(row)], draw(st.sampled_from([1, 60, 5000]))))
            case 8 if len(grid) > 1:
                del grid[at]
            case 9:
                for each in grid:
                    del each[place : place + 1]
            case 10:
                for each in grid:
                    each.insert(place, draw(st.sampled_from(["", "x", "0.5", "brown"])))
            case _:
                grid.append(list(grid[0]))
    return grid


@composite
def tables(draw: DrawFn, kind: str | None = None) -> bytes:
    """Draw text that is nearly CSV."""
    separator = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    quote = draw(st.sampled_from(["", "", '"', "'"]))
    rows = [separator.join(f"{quote}{cell}{quote}" for cell in row) for row in draw(grids(kind))]
    if often(draw, 20):
        rows += repeated([draw(st.sampled_from(["", separator, '"', " "]))], draw(st.sampled_from([9, 20_000])))
    text = draw(st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n"])).join(rows)
    data = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])), "replace")
    if often(draw, 10):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data = data[:at] + draw(st.binary(max_size=4)) + data[at:]
    return data


SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
START = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    "<?xml-stylesheet href='http://127.0.0.1/x'?>",
    "<!--" + "x" * 100_000 + "-->",
)
ROW = st.sampled_from(["2000000000", "0", "-5", "x", "1048576", "1048577", "1", "", "1.5", "٣"])
REFERENCE = st.sampled_from(["A2000000000", "ZZZ9", "A0", "1A", "", "A1:B2", "A-1", "XFD1048576", "XFE1", "A1", "$A$1"])
TYPE = st.sampled_from(["s", "n", "str", "inlineStr", "b", "e", "d", "x", ""])
VALUE = st.sampled_from(["0", "99999999", "-1", "1e400", "#REF!", "NaN", "", "1" * 400, "45292.5", "2958466", "-1e9"])
AFTER = st.sampled_from(
    [
        '<mergeCells><mergeCell ref="A1:A2000000000"/></mergeCells>',
        '<mergeCells><mergeCell ref="A1:XFD9"/></mergeCells>',
        "<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 20_000 + "</mergeCells>",
        '<mergeCells count="-1"><mergeCell ref="x"/></mergeCells>',
        '<hyperlinks><hyperlink ref="A1:XFD1048576" r:id="r9"/></hyperlinks>',
        '<drawing r:id="r9"/>',
        '<legacyDrawing r:id="r9"/>',
        '<dataValidations count="9"><dataValidation sqref="A1:XFD1048576" type="x"/></dataValidations>',
        f"<conditionalFormatting sqref='A1'>{'<cfRule/>' * 5000}</conditionalFormatting>",
        '<sheetProtection sheet="1" password="x"/>',
        '<tableParts count="1"><tablePart r:id="r9"/></tableParts>',
        "<extLst>" + "<ext>" * 5000 + "</ext>" * 5000 + "</extLst>",
    ]
)
BEFORE = st.sampled_from(
    [
        '<dimension ref="A1:XFD1048576"/>',
        '<dimension ref="x"/>',
        '<cols><col min="1" max="2000000000" width="1e999" hidden="1"/></cols>',
        "<cols>" + '<col min="1" max="1"/>' * 20_000 + "</cols>",
        '<sheetViews><sheetView workbookViewId="9"><pane xSplit="x"/></sheetView></sheetViews>',
    ]
)
NAMED = st.sampled_from(
    [
        "<definedNames>" + '<definedName name="n">A1</definedName>' * 20_000 + "</definedNames>",
        '<definedNames><definedName name="_xlnm.Print_Area" localSheetId="9">#REF!</definedName></definedNames>',
        '<workbookPr date1904="x"/>',
        '<externalReferences><externalReference r:id="r9"/></externalReferences>',
    ]
)
STYLES = st.sampled_from(
    [
        "<cellXfs>" + '<xf numFmtId="14"/>' * 20_000 + "</cellXfs>",
        '<numFmts><numFmt numFmtId="x" formatCode="0"/></numFmts>',
        '<numFmts><numFmt numFmtId="200" formatCode="'
        + "[h]" * 5000
        + '"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs>',
        "<fonts><font><sz val='1e999'/></font></fonts>",
        "",
    ]
)


def escaped(text: str) -> str:
    """Write a text as XML may hold it."""
    shown = "".join(char for char in text if char >= " " or char in "\t\n")[:5000]
    return shown.replace("&", "&amp;").replace("<", "&lt;").encode("utf-8", "replace").decode()


def column_of(number: int) -> str:
    """Return the letters of a column of a workbook, from 0."""
    letters = ""
    while number >= 0:
        number, last = divmod(number, 26)
        letters, number = chr(65 + last) + letters, number - 1
    return letters


@composite
def sheets(draw: DrawFn, kind: str | None) -> str:
    """Draw the XML of a sheet, which somebody wrote by hand."""
    rows = []
    for number, row in enumerate(draw(grids(kind))[:400], 1):
        cells = []
        for column, text in enumerate(row[:800]):
            reference, type_ = f"{column_of(column)}{number}", "inlineStr"
            inside = f"<is><t>{escaped(text)}</t></is>"
            try:
                float(text)
            except ValueError:
                pass
            else:
                type_, inside = "n", f"<v>{text}</v>"
            cells.append(f'<c r="{reference}" t="{type_}">{inside}</c>')
        rows.append([f'<row r="{number}">', *cells, "</row>"])
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        at = draw(st.integers(1, max(len(row) - 2, 1)))
        match draw(st.integers(0, 6)):
            case 0:
                row[0] = f'<row r="{draw(ROW)}">'
            case 1:
                row[at:at] = [f'<c r="{draw(REFERENCE)}"><v>1</v></c>']
            case 2 | 3:
                row[at:at] = [f'<c t="{draw(TYPE)}" s="{draw(st.sampled_from(["0", "1", "99999", "-1", "x"]))}">'
                              f"<v>{draw(VALUE)}</v></c>"]  # fmt: skip
            case 4:
                row[at:at] = ["<c><f>" + draw(st.sampled_from(["A1", "1/0", "=" * 5000])) + "</f></c>"]
            case 5:
                rows.extend([list(row)] * draw(st.sampled_from([1, 500])))
            case _:
                row[0] = f'<row r="{rows.index(row) + 1}" hidden="1" ht="1e999">'
    data = "".join("".join(row) for row in rows)
    start = draw(st.sampled_from(START)) if often(draw, 12) else ""
    before = draw(BEFORE) if often(draw, 6) else ""
    after = draw(AFTER) if often(draw, 4) else ""
    return (
        f'{HEAD}{start}<worksheet {SPACE} xmlns:r="{OFFICE}">{before}<sheetData>{data}</sheetData>{after}</worksheet>'
    )


@composite
def workbooks(draw: DrawFn) -> bytes:
    """Draw a workbook of one sheet or a few with little wrong in it, or in the package around it."""
    kinds: list[str | None] = draw(
        st.sampled_from([["stones", "declarations", "parcels"], ["lot"], ["counts", "declarations"], ["sheet"], [None]])
    )
    names = [kind or "Sheet1" for kind in kinds]
    if often(draw, 8):
        names[0] = draw(st.sampled_from(["x" * 200, "stones", "", "a/b", "\u202ex", names[-1]]))
    parts = [f"worksheets/sheet{number}.xml" for number in range(1, len(kinds) + 1)]
    targets = list(parts)
    if often(draw, 12):
        targets[0] = draw(st.sampled_from(["../../../etc/passwd", "worksheets/none.xml", "workbook.xml", parts[-1]]))
    hidden = ' state="veryHidden"' if often(draw, 12) else ""
    listed = "".join(f'<sheet name="{name}" sheetId="{at}"{hidden} r:id="r{at}"/>' for at, name in enumerate(names, 1))
    overrides = "".join(
        f'<Override ContentType="{MAIN}.{kind}+xml" PartName="/xl/{part}"/>'
        for kind, part in (
            *(("worksheet", part) for part in parts),
            *(("sheet.main", "workbook.xml"), ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")),
        )
    )
    related = "".join(
        f'<Relationship Id="r{at + 1}" Type="{OFFICE}/worksheet" Target="{target}"/>'
        for at, target in enumerate(targets)
    )
    named = draw(NAMED) if often(draw, 8) else ""
    texts = "".join(f"<si><t>{escaped(draw(ODD_TEXT))}</t></si>" for _ in range(2))
    members = {
        "[Content_Types].xml": (
            f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>'
        ),
        "_rels/.rels": (
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (f'{HEAD}<workbook {SPACE} xmlns:r="{OFFICE}"><sheets>{listed}</sheets>{named}</workbook>'),
        "xl/_rels/workbook.xml.rels": (
            f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{related}'
            f'<Relationship Id="s1" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
            f'<Relationship Id="s2" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/sharedStrings.xml": f"{HEAD}<sst {SPACE}>{texts * draw(st.sampled_from([1, 1, 1, 3000]))}</sst>",
        "xl/styles.xml": f"{HEAD}<styleSheet {SPACE}>{draw(STYLES) if often(draw, 4) else ''}</styleSheet>",
    }
    members |= {f"xl/{part}": draw(sheets(kind)) for part, kind in zip(parts, kinds, strict=True)}
    if often(draw, 8):
        broken = draw(st.sampled_from(sorted(members)))
        if often(draw, 2):
            del members[broken]
        else:
            members[broken] = members[broken][: draw(st.integers(0, len(members[broken])))]
    return packed([(name, text.encode()) for name, text in members.items()])


TIMES = st.sampled_from(["1", "2", "1000000000", "1048576", "0", "-1", "x", ""])


@composite
def open_documents(draw: DrawFn) -> bytes:
    """Draw a workbook of OpenDocument whose cells and rows say how often they stand there."""
    rows = []
    for row in draw(grids())[:60]:
        cells = []
        for text in row[:60]:
            times = f' table:number-columns-repeated="{draw(TIMES)}"' if often(draw, 20) else ""
            shown = f"<text:p>{escaped(text)}</text:p>"
            cells.append(f'<table:table-cell office:value-type="string"{times}>{shown}</table:table-cell>')
        times = f' table:number-rows-repeated="{draw(TIMES)}"' if often(draw, 15) else ""
        rows.append(f"<table:table-row{times}>{''.join(cells)}</table:table-row>")
    space = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{name}="{space}:{name}:1.0"' for name in ("office", "table", "text"))
    start = draw(st.sampled_from(START)) if often(draw, 10) else ""
    content = (
        f"{HEAD}{start}<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="stones">{"".join(rows)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    ).encode()
    if often(draw, 10):
        content = content[: draw(st.integers(0, len(content)))]
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return packed([("mimetype", kind), ("content.xml", content), ("META-INF/manifest.xml", b"<manifest/>")])


def packed(members: list[tuple[str, bytes]]) -> bytes:
    """Pack members into an archive, names as they are and as often as they come."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # the same name twice is what is wanted here
        for name, data in members:
            entry = zipfile.ZipInfo(name)  # without the time of day: a hostile archive is the same each time
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


ENTRY, RECORD = b"PK\x01\x02", b"PK\x05\x06"
FIELDS = ((8, "<H"), (10, "<H"), (16, "<I"), (20, "<I"), (24, "<I"), (28, "<H"), (30, "<H"), (38, "<I"), (42, "<I"))
"""Where an archive's directory says of a member: flags, method, sum, sizes, lengths, attributes, its place."""


@composite
def archives(draw: DrawFn) -> bytes:
    """Draw an archive of a submission's tables, of which one may be anything, or about which the directory may lie."""
    kinds = draw(st.sampled_from([["stones", "declarations", "parcels"], ["counts", "declarations"], ["stones"]]))
    members: list[tuple[str, bytes]] = [(f"{kind}.csv", draw(tables(kind))) for kind in kinds]
    if often(draw, 3):
        data = draw(st.one_of(tables(), documents(), workbooks(), open_documents()))
        name = draw(NAMES)
        members.append((name, gzip.compress(data) if name.endswith(".gz") and draw(st.booleans()) else data))
    if members and often(draw, 12):
        members.append((members[0][0], draw(tables())))
    if often(draw, 20):
        members.append(("inner.zip", packed(members)))
    if often(draw, 20):
        members.append(("stones.csv", b"weight_ct\n" + b"0.5\n" * 200_000))
    archive = bytearray(packed(members))
    if often(draw, 5) and members:
        at = archive.find(ENTRY)
        where, form = draw(st.sampled_from(FIELDS))
        most = 0xFFFF if form == "<H" else 0xFFFFFFFF
        struct.pack_into(
            form, archive, at + where, draw(st.one_of(st.sampled_from([0, 1, most]), st.integers(0, most)))
        )
    if often(draw, 12):
        at = archive.rfind(RECORD) + draw(st.sampled_from([8, 10, 12, 16, 20]))
        struct.pack_into("<H", archive, at, draw(st.sampled_from([0, 1, 0xFFFF])))
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 3]))):
        archive[draw(st.integers(0, len(archive) - 1))] = draw(st.integers(0, 255))
    if often(draw, 30):
        archive = bytearray(draw(st.binary(max_size=50))) + archive
    return bytes(archive)


FILES = st.one_of(
    st.tuples(st.sampled_from(["stones.csv", "lot.csv", "counts.csv", "declarations.csv", "pasted.csv"]), tables()),
    st.tuples(st.just("book.xlsx"), workbooks()),
    st.tuples(st.just("submission.zip"), archives()),
    st.tuples(st.just("parcel.json"), documents()),
    st.tuples(st.just("stones.csv.gz"), tables().map(gzip.compress)),
    st.one_of(
        st.tuples(st.sampled_from(["book.xlsx", "book.ods", "book.xls", "submission.zip", "lot.csv.gz"]), tables()),
        st.tuples(st.just("book.ods"), open_documents()),
    ),
)
"""Name and bytes of a file that somebody brings."""
