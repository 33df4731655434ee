from __future__ import annotations

import csv
import gzip
import io
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kpfootprint.ingest import Limits, Upload, ingest_file, read
from kpfootprint.ingest.files.csvfile import factorise, read_csv, read_regular
from kpfootprint.ingest.names.headers import Headers
from kpfootprint.ingest.words import Vocabulary
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.ingest.making import Row, outcome, problems_of, stones_csv, told
from tests.laws import tried
from tests.worlds import shipped

WEIGHTS = st.integers(min_value=1, max_value=120_000).map(lambda hundredths: f"{hundredths / 100:.2f}")
ROWS = st.lists(
    st.tuples(
        WEIGHTS,
        st.sampled_from(["brown", "cape", "green-coated", None]),
        st.sampled_from(["macle", "dodecahedron", None]),
    ),
    min_size=1,
    max_size=40,
)


def same(one: Parcel, two: Parcel) -> bool:
    assert one.stones is not None
    assert two.stones is not None
    return (
        np.array_equal(one.stones.weight_ct, two.stones.weight_ct)
        and one.stones.codes.keys() == two.stones.codes.keys()
        and all(np.array_equal(codes, two.stones.codes[name]) for name, codes in one.stones.codes.items())
        and (one.n_stones, one.carats) == (two.n_stones, two.carats)
    )


@tried(25)
@given(rows=ROWS)
@example(rows=[("0.21", None, None)])
def test_dialects_do_not_matter(
    rows: list[Row], scheme: Scheme, zone_table: ZoneTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("dialects")
    plain = stones_csv(rows).encode()
    texts = {
        "plain.csv": plain,
        "bom.csv": b"\xef\xbb\xbf" + plain,
        "semicolon.csv": stones_csv(rows, separator=";", comma=True, end="\r\n").encode(),
        "tab.tsv": stones_csv(rows, separator="\t").encode(),
        "quoted.csv": stones_csv(rows, comma=True).encode(),
        "zipped.csv.gz": gzip.compress(plain),
        "old_mac.csv": stones_csv(rows, end="\r").encode(),
        "hint.csv": b"sep=;\n" + stones_csv(rows, separator=";").encode(),
        "spare.csv": plain + b",,\n\n,,\n",
        "french.csv": stones_csv(rows, separator=";")
        .replace("weight_ct;colour", "Poids (ct);Couleur")
        .encode("cp1252"),
    }
    parcels = []
    for name, data in texts.items():
        (folder / name).write_bytes(data)
        parcels.append(ingest_file(folder / name, scheme, zone_table))
    assert all(same(parcels[0], other) for other in parcels[1:])
    assert parcels[0].carats == pytest.approx(sum(float(row[0]) for row in rows))


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00\r"), max_size=70)


@tried(200)
@given(
    cells=st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1)
    ),
    separator=st.sampled_from([",", ";", "\t"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_regular_reading_is_csv_reading_or_gives_up(
    cells: list[list[str]], separator: str, quoting: int, end: str
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end).writerows(cells)  # type: ignore[arg-type]
    body = text.getvalue()
    width = len(cells[0])
    regular = read_regular(body.encode(), separator, width)
    if regular is None:
        return
    columns, _ = regular
    read = list(zip(*([found[code] for code in codes] for found, codes in columns), strict=True))
    expected = [
        tuple(row)
        for row in csv.reader(io.StringIO(body.rstrip("\r\n") + "\n", newline=""), delimiter=separator)
        if row or width == 1
    ]
    assert read == [row or ("",) for row in expected]


def test_plain_files_are_read_the_fast_way() -> None:
    for body in (b"0.21,brown\n0.3,cape\n", b'"0.21","brown"\r\n"0.3",""\r\n'):
        regular = read_regular(body, ",", 2)
        assert regular is not None
        cells, codes = regular[0][0]
        assert [cells[code] for code in codes] == ["0.21", "0.3"]


def test_blank_lines_between_rows_are_left_out_and_counted() -> None:
    regular = read_regular(b"0.2,brown\r\n\r\n\r\n0.3,cape\r\n,\r\n\r\n0.4,", ",", 2)
    assert regular is not None
    columns, lines = regular
    assert lines.tolist() == [0, 3, 4, 6]
    assert [[cells[code] for code in codes] for cells, codes in columns] == [
        ["0.2", "0.3", "", "0.4"],
        ["brown", "cape", "", ""],
    ]


@pytest.mark.parametrize("n", [12_000, pytest.param(150_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("bad", [None, "1.2.3", "0,25", "-1", " 0.5 ", ""])
def test_a_column_of_distinct_numbers(
    bad: str | None, n: int, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    weights = np.random.default_rng(3).uniform(0.02, 3, n)
    texts = [repr(weight) for weight in weights.tolist()]
    if bad is not None:
        texts[77] = bad
    path = tmp_path / "stones.csv"
    path.write_text("weight_ct;colour\n" + "".join(f"{text};brown\n" for text in texts), encoding="utf-8")
    if bad in (None, "0,25", " 0.5 "):
        stones = ingest_file(path, scheme, zone_table).stones
        assert stones is not None
        expected = [float(text.replace(",", ".")) for text in texts]
        assert stones.weight_ct.tolist() == expected
    else:
        code = {"1.2.3": "ambiguous_number", "-1": "negative", "": "missing_value"}[str(bad)]
        assert [(p.code, p.row) for p in problems_of(lambda: ingest_file(path, scheme, zone_table))] == [(code, 79)]


@tried(50)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=300), st.integers(1, 3))
def test_factorising_finds_every_distinct_row(values: list[int], parts: int) -> None:
    keys = [np.array(values, dtype=np.uint64) % np.uint64(7 + part) for part in range(parts - 1)]
    keys.append(np.array(values, dtype=np.uint64))
    firsts, codes = factorise(keys)
    assert np.array_equal(keys[-1][firsts][codes], keys[-1])
    assert len(firsts) == len(set(values))


def test_factorising_many_distinct_rows() -> None:
    keys = [np.random.default_rng(1).integers(0, 2**63, 300_000, dtype=np.uint64)]
    firsts, codes = factorise(keys)
    assert len(firsts) == len(np.unique(keys[0]))
    assert np.array_equal(keys[0][firsts][codes], keys[0])


def test_rows_are_told_by_the_line_on_which_they_begin(words: Vocabulary) -> None:
    text = 'weight_ct,colour,"a\nnote"\n0.1,brown,"one ""line"""\n\n0.2,cape,x\n'
    table = read_csv(text.encode(), "stones", "stones.csv", Headers(words), Limits())
    assert table.rows.tolist() == [3, 5]


def test_ragged_rows_are_told(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "stones.csv"
    path.write_text("weight_ct,colour\n0.1,brown\n0,2,cape\n0.3\n0.4,cape,\n", encoding="utf-8")
    found = problems_of(lambda: ingest_file(path, scheme, zone_table))
    assert [(code, row) for code, _, row, _, _ in told(found) if code == "ragged_row"] == [
        ("ragged_row", 3),
        ("ragged_row", 4),
    ]


@pytest.mark.parametrize("odd", ["0.7;brown;macle", "0.7|brown|macle", "0.7\tbrown\tmacle"])
def test_a_row_parted_otherwise_than_the_header_is_told_so(odd: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    text = f"weight_ct,colour,morphology\n0.5,white,cube\n{odd}\n0.31,cape\n"
    found = read(Upload("s.csv", text.encode()), scheme, zone_table, one=True).problems
    ragged = [(item.row, item.values.get("rule")) for item in found if item.code == "ragged_row"]
    assert ragged == [(3, "other_separator"), (4, None)]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.csv", b"", "file_empty"),
        ("a.csv", b"  \n", "file_empty"),
        ("a.csv", b"PK\x03\x04rest", "wrong_file_kind"),
        ("a.csv", gzip.compress(b"weight_ct\n1\n", mtime=0), "wrong_file_kind"),
        ("a.csv", b"%PDF-1.7", "wrong_file_kind"),
        ("a.csv", b"\xd0\xcf\x11\xe0old", "wrong_file_kind"),
        ("a.csv", b"\xff\xfe" + b"weight_ct\n0.2\n"[:-1], "bad_encoding"),
        ("a.csv", b"weight_ct\n0.2\n\x00", "wrong_file_kind"),
        ("a.csv", b"weight_ct,colour\n0.2,\x81\n", "bad_encoding"),
        ("a.csv.gz", b"weight_ct\n0.2\n", "wrong_file_kind"),
        ("a.csv.gz", gzip.compress(b"weight_ct\n0.2\n", mtime=0)[:-6], "damaged_file"),
        ("a.xlsx", b"weight_ct\n0.2\n", "wrong_file_kind"),
        ("a.zip", b"weight_ct\n0.2\n", "wrong_file_kind"),
        ("a.zip", b"PK\x03\x04rest", "damaged_file"),
        ("a.xlsx", b"PK\x03\x04rest", "damaged_file"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "encrypted_file"),
        ("a.xls", b"weight_ct\n0.2\n", "wrong_file_kind"),
        ("a.ods", b"weight_ct\n0.2\n", "wrong_file_kind"),
        ("a.xlsb", b"weight_ct\n0.2\n", "unknown_file_kind"),
        ("a.json", b"{}", "no_stones"),
        ("a.json", b"{", "not_json"),
        ("a.json", b"[" * 100_000, "not_json"),
        ("a.csv", b"weight_ct\n", "no_stones"),
        ("a.csv", b"colour,morphology\nbrown,macle\n", "missing_column"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(
    name: str, data: bytes, code: str, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    (tmp_path / name).write_bytes(data)
    found = problems_of(lambda: ingest_file(tmp_path / name, scheme, zone_table))
    assert [item.code for item in found] == [code]


def test_a_missing_file_is_told(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    found = problems_of(lambda: ingest_file(tmp_path / "none.csv", scheme, zone_table))
    assert found[0].code == "file_missing"


@pytest.mark.parametrize("quoted", [False, True], ids=["fast", "slow"])
def test_limits(quoted: bool, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "stones.csv"
    path.write_text("weight_ct,colour\n" + "0.2,brown\n" * 20 + ('0.2,"a ""b"""\n' if quoted else ""), encoding="utf-8")
    for limits, code in (
        (Limits(max_rows=19), "too_many_rows"),
        (Limits(max_columns=1), "too_many_columns"),
        (Limits(max_unpacked_bytes=100), "unpacks_too_large"),
    ):
        found = problems_of(lambda limits=limits: ingest_file(path, scheme, zone_table, limits=limits))  # type: ignore[misc]
        assert [item.code for item in found] == [code]


def test_gzip_that_unpacks_to_far_more_is_refused(tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "stones.csv.gz"
    path.write_bytes(gzip.compress(b"weight_ct\n" + b"0.2\n" * 5_000_000, mtime=0))
    found = problems_of(lambda: ingest_file(path, scheme, zone_table))
    assert [item.code for item in found] == ["unpack_ratio"]
    found = problems_of(lambda: ingest_file(path, scheme, zone_table, limits=Limits(max_unpacked_bytes=1_000_000)))
    assert [item.code for item in found] == ["unpacks_too_large"]


@pytest.mark.slow
def test_a_line_without_end_is_refused_before_its_cells_are_read(
    tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    path = tmp_path / "line.csv"
    path.write_bytes(b"weight_ct\n0.5\n" + b"a" * 20_000_000)
    tracemalloc.start()
    try:
        (found,) = problems_of(lambda: ingest_file(path, scheme, zone_table))
        assert tracemalloc.get_traced_memory()[1] < 65e6
    finally:
        tracemalloc.stop()
    assert found.code == "bad_csv"


@pytest.mark.parametrize("text", [b"-", b"-,-\n\n", b" ,-\n-,\n"])
def test_a_file_of_dashes_is_empty(text: bytes, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable) -> None:
    path = tmp_path / "stones.csv"
    path.write_bytes(text)
    (found,) = problems_of(lambda: ingest_file(path, scheme, zone_table))
    assert found.code == "file_empty"


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["1", "1.", " ", "-", "a", "a/", "from 1 ", "0.5 "])
@pytest.mark.parametrize("where", ["weight_ct", "size_class", "header", "title"])
def test_a_cell_of_any_length_takes_no_longer_to_read_than_its_bytes(
    piece: str, where: str, tmp_path: Path, scheme: Scheme, zone_table: ZoneTable
) -> None:
    path = tmp_path / "stones.csv"
    long = piece * (100_000 // len(piece)) + "!"
    head = f"weight_ct,colour,{long if where == 'header' else 'size_class'}"
    cells = [long if where == "weight_ct" else "0.5", "brown", long if where == "size_class" else "+3"]
    path.write_text("\n".join([*([long, ""] if where == "title" else []), head, ",".join(cells), "0.5,brown,+3"]))
    started = time.process_time()
    outcome(lambda: ingest_file(path, scheme, zone_table))
    assert time.process_time() - started < 2


@pytest.mark.slow
def test_words_of_classes_are_looked_at_once_and_not_in_every_row(scheme: Scheme, zone_table: ZoneTable) -> None:
    drawn = np.random.default_rng(1).integers(100, size=150_000).tolist()

    def took(header: str, words: tuple[str, str]) -> float:
        rows = "".join(f"{0.1 + at % 50 / 100:.2f},{words[at % 2]}\n" for at in drawn)
        upload = Upload("list.csv", f"weight_ct,{header}\n{rows}".encode())
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            assert read(upload, scheme, zone_table, one=True).problems == ()
            best = min(best, time.process_time() - start)
        return best

    assert took("colour", ("cape", "brown")) < 5 * took("remarks", ("scratched", "dull"))


@pytest.mark.parametrize("end", ["", "\n", "\n;;;\n"])
def test_a_header_that_stands_again_at_the_end_heads_nothing(end: str) -> None:
    head = "Taille;Nombre;Poids;Couleur"
    text = f"{head}\n'+9';'12';3,4;brown\n+11;5;2,5;cape\nTOTAL;17;5,9;x\n{head}{end}"
    for sheet in (text, text.replace("'", ""), text.replace(";", "';'")):
        found = read(Upload("sheet.csv", sheet.encode()), shipped().scheme, shipped().zone_table)
        assert found.parcels or found.problems or found.failures


def test_two_tables_of_one_name_are_told(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "stones.csv").write_text("parcel_id,weight_ct\nA,0.5\nA,0.7\n", "utf-8")
    (tmp_path / "b" / "stones.csv").write_text("parcel_id,weight_ct\nB,0.5\n", "utf-8")
    found = read(tmp_path, shipped().scheme, shipped().zone_table)
    assert [item.code for item in found.problems] == ["table_twice"]
