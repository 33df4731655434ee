"""Inputs of somebody who means harm: each has the structure of a good one, and something terribly wrong in it."""

from __future__ import annotations

import gzip
import io
import json
import os
import warnings
import zipfile
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, composite

EXAMPLES = int(os.environ.get("KPF_HOSTILE_EXAMPLES", "0"))
"""Hostile inputs of all kinds together that `make validate` asks for; few where it does not ask."""

ODD_TEXT = st.sampled_from(
    [
        *(
            "",
            " ",
            "-",
            "0",
            "null",
            "NaN",
            "1e999",
            "-1",
            "1,5",
            "١٢",
            "5;DROP TABLE keys",
            "=1+1",
            "../../x",
            "TOTAL",
        ),
        *(
            "\x00",
            "\x1b]0;owned\x07",
            "a\u202eb",
            "a\u200bb",
            "\ufeff",
            "\U0001f48e",
            "e\u0301" * 9,
            "ß" * 300,
            "x" * 70_000,
        ),
        *("9999-12-31", "0000-00-00", "2024-02-30", "2024-03-11T00:00:00Z", "berberati", "+9-11", "-11+9", "4 gr"),
    ]
)
ODD_NUMBER = st.sampled_from(
    [0, -0.0, -1, 1e308, -1e308, 5e-324, 10**30, 2**63, 0.1 + 0.2, 4999.99, 5000.01, 1e-9, True, False]
)
ODD = st.one_of(
    ODD_TEXT,
    ODD_NUMBER,
    st.none(),
    st.sampled_from([[], {}, [[]], [{}], {"": ""}, {"a": {"b": []}}, [None], [0] * 1000, ["x"] * 200]).map(deepcopy),
    st.text(max_size=12),
    st.floats(allow_nan=False),
)


def good() -> dict[str, Any]:
    return {
        "parcel_id": "H-1",
        "exported_on": "2024-03-11",
        "certificate_no": "CF-1",
        "exporter": "E1",
        "declarations": [{"zone_id": "berberati", "carats": 2.0}, {"zone_id": "carnot", "carats": 1.0}],
        "conditions": {"cleaning_state": "acid_rinsed", "selection": "run_of_mine", "sorter": "S7"},
        "stones": {
            "weight_ct": [0.5, 0.75, 1.75],
            "colour": ["brown", "white", None],
            "morphology": ["octahedron"] * 3,
        },
    }


def rows() -> dict[str, Any]:
    columns = good()["stones"]
    table = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return {**good(), "stones": table}


def counted() -> dict[str, Any]:
    cells = [
        {"size_class": "+9", "colour": "brown", "n_stones": 3},
        {"size_class": "+11", "colour": "white", "n_stones": 2},
    ]
    document = {name: value for name, value in good().items() if name != "stones"}
    return {**document, "declarations": [{"zone_id": "nola"}], "counts": cells}


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for name, item in inner for place in places(item, (*way, name)))]


def repeated(items: list[Any], times: int) -> list[Any]:
    """Return a list many times over, as often as makes a few megabytes of it: the bombs are for others to bear."""
    return items * min(times, max(1, 4_000_000 // len(json.dumps(items, default=str))))


@composite
def documents(draw: DrawFn) -> bytes:
    """Draw a parcel in JSON with a few things wrong, or text that is nearly that."""
    document: Any = draw(st.sampled_from([good, rows, counted]))()
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(document)))
        if not place:
            continue
        *way, last = place
        holder: Any = document
        for name in way:
            holder = holder[name]
        match draw(st.integers(0, 5)):
            case 0 | 1 | 2:
                holder[last] = draw(ODD)
            case 3:
                del holder[last]
            case 4 if isinstance(holder, list):
                holder.extend(repeated([holder[last]], draw(st.sampled_from([1, 50, 3000]))))
            case 5 if isinstance(holder, dict):
                holder |= {draw(ODD_TEXT) + str(number): draw(ODD) for number in range(draw(st.sampled_from([1, 40])))}
            case _:
                holder[last] = draw(ODD)
    text = json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    match draw(st.integers(0, 11)):
        case 0:
            text = text.replace(b'"parcel_id"', b'"stones"', 1)
        case 1:
            text = text[: draw(st.integers(0, len(text)))]
        case 2:
            text = b'{"parcel_id":' * draw(st.sampled_from([3, 900, 50_000])) + text
        case 3:
            text = text.replace(
                b"0.75", draw(st.sampled_from([b"NaN", b"-Infinity", b"1e9999", b"00.5", b"+1", b"1" * 5000]))
            )
        case 4:
            text = draw(st.sampled_from([b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"[", b" " * 100_000])) + text
        case 5:
            text = text.replace(b"brown", draw(st.sampled_from([b"\\ud800", b"\\u0000", b"\xc3", b"\xed\xa0\x80"])))
        case _:
            pass
    return text


CELLS = st.one_of(ODD_TEXT, st.sampled_from(["0.5", "0,18", "brown", "octahedron", "+9", "12", "berberati", "H-1"]))
HEADERS = st.sampled_from(
    [
        "weight_ct",
        "poids",
        "colour",
        "morphology",
        "parcel_id",
        "zone_id",
        "carats",
        "n_stones",
        "size_class",
        "Lot",
        "x",
        "",
    ]
)


@composite
def tables(draw: DrawFn) -> bytes:
    """Draw text that is nearly CSV."""
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    header = draw(st.lists(st.one_of(HEADERS, ODD_TEXT), min_size=1, max_size=6))
    if draw(st.integers(0, 30)) == 0:
        header = repeated(header, draw(st.sampled_from([100, 20_000])))
    lines = [separator.join(header)]
    for _ in range(draw(st.integers(0, 8))):
        lines.append(separator.join(draw(st.lists(CELLS, min_size=0, max_size=7))))
    if draw(st.integers(0, 20)) == 0:
        lines += [draw(st.sampled_from(["", separator, '"', "0.5" + separator + "brown"]))] * draw(
            st.sampled_from([9, 20_000])
        )
    text = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"])).join(lines)
    data = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])), "replace")
    if draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        data = data[:at] + draw(st.binary(max_size=4)) + data[at:]
    return data


REFERENCES = st.sampled_from(
    ["A1", "B2", "A2000000000", "ZZZ9", "ZZZZZ1", "A0", "1A", "", "A1:B2", "A-1", "XFD1048576", "XFE1"]
)


@composite
def workbooks(draw: DrawFn) -> bytes:
    """Draw a workbook whose XML somebody wrote by hand."""

    def escaped(text: str) -> str:
        shown = "".join(char for char in text if char >= " " or char in "\t\n")[:5000]
        return shown.replace("&", "&amp;").replace("<", "&lt;").encode("utf-8", "replace").decode()

    rows_ = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        cells = []
        for _ in range(draw(st.integers(1, 4))):
            kind = draw(st.sampled_from(["s", "n", "str", "inlineStr", "b", "e", "d", "x"]))
            value = draw(
                st.one_of(CELLS.map(escaped), st.sampled_from(["0", "1", "2", "99999999", "-1", "1e400", "#REF!"]))
            )
            inside = f"<is><t>{value}</t></is>" if kind == "inlineStr" else f"<v>{value}</v>"
            formula = "<f>A1</f>" if draw(st.integers(0, 9)) == 0 else ""
            cells.append(f'<c r="{draw(REFERENCES)}" t="{kind}">{formula}{inside}</c>')
        at = draw(st.sampled_from([str(number)] * 6 + ["2000000000", "0", "-5", "x", "1048577", "1"]))
        rows_.append(f'<row r="{at}">{"".join(cells)}</row>' * draw(st.sampled_from([1, 1, 1, 1, 500])))
    more = draw(
        st.sampled_from(
            [
                "",
                "",
                '<mergeCells><mergeCell ref="A1:A2000000000"/></mergeCells>',
                '<mergeCells><mergeCell ref="A1:XFD9"/></mergeCells>',
            ]
        )
    )
    start = draw(
        st.sampled_from(
            [
                "",
                "",
                "",
                '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
                '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
            ]
        )
    )
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    texts = "".join(f"<si><t>{escaped(draw(ODD_TEXT))}</t></si>" for _ in range(3))
    many = draw(st.sampled_from([1, 1, 1, 3000]))
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    name = draw(st.sampled_from(["stones", "declarations", "Sheet1", "parcels", "x" * 200]))
    part = f'<Override ContentType="{main}.'
    rels = f'{head}<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/'
    sheet = draw(
        st.sampled_from(["worksheets/sheet1.xml"] * 8 + ["../../../etc/passwd", "worksheets/none.xml", "workbook.xml"])
    )
    members = {
        "[Content_Types].xml": (
            f'{head}<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'{part}sheet.main+xml" PartName="/xl/workbook.xml"/>{part}worksheet+xml" '
            f'PartName="/xl/worksheets/sheet1.xml"/>{part}sharedStrings+xml" PartName="/xl/sharedStrings.xml"/></Types>'
        ),
        "_rels/.rels": f'{rels}officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": (
            f'{head}<workbook {space} xmlns:r="{office}"><sheets><sheet name="{name}" sheetId="1" r:id="r1"/></sheets>'
            "</workbook>"
        ),
        "xl/_rels/workbook.xml.rels": (
            f'{rels}worksheet" Target="{sheet}"/><Relationship Id="r2" Type="{office}/sharedStrings" '
            'Target="sharedStrings.xml"/></Relationships>'
        ),
        "xl/worksheets/sheet1.xml": (
            f"{head}{start}<worksheet {space}><sheetData>{''.join(rows_)}</sheetData>{more}</worksheet>"
        ),
        "xl/sharedStrings.xml": f"{head}{start}<sst {space}>{texts * many}</sst>",
    }
    if draw(st.integers(0, 5)) == 0:
        del members[draw(st.sampled_from(sorted(members)))]
    elif draw(st.integers(0, 5)) == 0:
        broken = draw(st.sampled_from(sorted(members)))
        members[broken] = members[broken][: draw(st.integers(0, len(members[broken])))]
    return packed({name: text.encode() for name, text in members.items()})


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # the same name twice is what is wanted here
        for name, data in members.items():
            entry = zipfile.ZipInfo(name)  # without the time of day: a hostile archive is the same each time
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


NAMES = st.sampled_from(
    [
        *(
            "stones.csv",
            "declarations.csv",
            "parcels.csv",
            "counts.csv",
            "stones.csv.gz",
            "stones.xlsx",
            "a/stones.csv",
        ),
        *(
            "../stones.csv",
            "/etc/passwd",
            "stones.csv\x00.png",
            "con",
            "declaratoins.csv.bak",
            "stones.txt",
            "inner.zip",
        ),
        *("st\u202eones.csv", "x" * 300, "__MACOSX/stones.csv", ".stones.csv", "size_classes.csv", "stones.json"),
    ]
)


@composite
def archives(draw: DrawFn) -> bytes:
    """Draw an archive of tables, one of which may be anything."""
    members = {}
    for _ in range(draw(st.integers(0, 4))):
        data = draw(st.one_of(tables(), documents(), workbooks() if draw(st.booleans()) else tables()))
        name = draw(NAMES)
        members[name] = gzip.compress(data) if name.endswith(".gz") and draw(st.booleans()) else data
    if draw(st.integers(0, 15)) == 0:
        members["stones.csv"] = b"weight_ct\n" + b"0.5\n" * 200_000
    archive = bytearray(packed(members))
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        if archive:
            archive[draw(st.integers(0, len(archive) - 1))] = draw(st.integers(0, 255))
    return bytes(archive)


FILES = st.one_of(
    st.tuples(st.sampled_from(["stones.csv", "lot.csv", "counts.csv", "declarations.csv", "pasted.csv"]), tables()),
    st.tuples(st.just("book.xlsx"), workbooks()),
    st.tuples(st.just("submission.zip"), archives()),
    st.tuples(st.just("parcel.json"), documents()),
    st.tuples(st.sampled_from(["book.xlsx", "book.ods", "book.xls", "submission.zip", "stones.csv.gz"]), tables()),
)
"""Name and bytes of a file that somebody brings."""
