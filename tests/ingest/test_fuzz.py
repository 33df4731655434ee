"""Whatever comes in: a parcel, or a list of problems; never another error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpfootprint.ingest import Limits, ingest_file, ingest_json, parcel_to_json
from kpfootprint.parcel import Parcel
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.ingest.making import outcome, parcel
from tests.laws import tried

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = [
    *("parcel_id", "exported_on", "certificate_no", "exporter", "value_usd", "hs_code", "n_stones", "carats"),
    *("declarations", "conditions", "stones", "counts", "size_classes"),
]
INNER = [
    *("zone_id", "carats", "weight_ct", "colour", "morphology", "size_class", "n_stones", "sieve_set", "lower_ct"),
    *("upper_ct", "cleaning_state", "sorter", "bottom_screen_mm", "specials_removed", "parcel_id", "value_usd"),
]
NEARLY = st.dictionaries(st.sampled_from(INNER), JSON | st.sampled_from(["brown", "berberati", 1, 0.5, "+3", "dtc"]))


def read(document: Any, scheme: Scheme, zone_table: ZoneTable) -> None:
    found = outcome(lambda: ingest_json(document, scheme, zone_table))
    if isinstance(found, Parcel):
        written = parcel_to_json(found, scheme)
        assert parcel_to_json(ingest_json(written, scheme, zone_table), scheme) == written
    else:
        assert found
        json.dumps([item.as_dict() for item in found])


@tried(150)
@given(document=JSON)
def test_any_json(document: Any, scheme: Scheme, zone_table: ZoneTable) -> None:
    read(document, scheme, zone_table)


@tried(200)
@given(
    changes=st.dictionaries(st.sampled_from(MEMBERS), JSON | NEARLY | st.lists(NEARLY, max_size=4), max_size=4),
    dropped=st.sets(st.sampled_from(["stones", "declarations", "conditions"])),
)
def test_a_sound_parcel_with_any_changes(
    changes: dict[str, Any], dropped: set[str], scheme: Scheme, zone_table: ZoneTable
) -> None:
    document = parcel(**changes)
    read({name: value for name, value in document.items() if name not in dropped}, scheme, zone_table)


@tried(150)
@given(
    data=st.lists(
        st.sampled_from(
            [
                *(
                    b"weight_ct",
                    b"colour",
                    b"parcel_id",
                    b"n_stones",
                    b",",
                    b";",
                    b"\t",
                    b"\n",
                    b"\r\n",
                    b"\r",
                    b'"',
                    b'""',
                ),
                *(
                    b"0.2",
                    b"0,2",
                    b"1,234",
                    b"brown",
                    b"+3",
                    b"\xe9",
                    b"\xef\xbb\xbf",
                    b" ",
                    b"-1",
                    b"sep=;",
                    b"zz",
                    b"=",
                ),
            ]
        ),
        max_size=30,
    ).map(b"".join),
    start=st.sampled_from(
        [b"", b"weight_ct,colour\n", b"parcel_id;poids;couleur\r\n", b"n_stones,colour,size_class\n"]
    ),
)
def test_any_bytes_as_csv(
    start: bytes, data: bytes, scheme: Scheme, zone_table: ZoneTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(start + data)
    found = outcome(lambda: ingest_file(path, scheme, zone_table, limits=Limits(max_rows=20)))
    assert found.n_stones >= 1 if isinstance(found, Parcel) else found


@tried(150)
@given(changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_workbook_with_changed_bytes(
    changes: list[tuple[int, int]],
    examples: Path,
    scheme: Scheme,
    zone_table: ZoneTable,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = bytearray((examples / "classeur.xlsx").read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "fuzz.xlsx"
    path.write_bytes(bytes(data))
    found = outcome(lambda: ingest_file(path, scheme, zone_table))
    assert found.n_stones == 500 if isinstance(found, Parcel) else found
