"""Names and ids of titles, without what else their line says, which is told; and ids alike but for signs."""

from __future__ import annotations

from kpfootprint.ingest import Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme
from tests.every import every

TABLE = "Sieve,Pcs,Cts\n+11,20,8.00\n+9,30,6.60\n"
NAMED = (
    ("Sorter: JM - contrôlé par KL", "sorter", "JM", "contrôlé par KL"),
    ("Sorter: JM; 12 April 2021", "sorter", "JM", "12 April 2021"),
    ("Sorted by JM at BECDOR Bangui", "sorter", "JM", "at BECDOR Bangui"),
    ("Sorter: Dupont & Fils", "sorter", "Dupont & Fils", ""),
    ("Sorter: JM and KL", "sorter", "JM and KL", ""),
    ("Exporter: Alpha SA Tel: +236 72 00 11 22", "exporter", "Alpha SA", "Tel: +236 72 00 11 22"),
    ("Exporter: Alpha - Beta SARL", "exporter", "Alpha - Beta SARL", ""),
    ("Certificate no: CF 000456; issued 2021-04-12", "certificate_no", "CF 000456", "issued 2021-04-12"),
    ("Certificate: CF 000456 / CF 000457", "certificate_no", None, "CF 000456 / CF 000457"),
    ("Parcel: CF-7 - sealed", "parcel_id", "CF-7", "sealed"),
    ("Parcel: CF-7 rough diamonds", "parcel_id", "CF-7", "rough diamonds"),
    ("Parcel: CAR 2019/07 B", "parcel_id", "CAR 2019/07 B", ""),
    ("Cleaning: acid rinsed; 50 stones; 14.60 ct", "cleaning_state", "acid_rinsed", ""),
)
ALIKE = ("CF 7", "CF_7", "cf7", "CF-7.", "CF/7", "CF-07", "CF-O7", "Parcel CF-7", "Colis CF-7", "N° CF-7")
UNLIKE = ("CF-70", "CF-8", "CG-7", "CF-7A", "CF-7-1")


@every("line, field, name, rest", NAMED)
def test_a_name_ends_where_something_else_is_said(
    line: str, field: str, name: str | None, rest: str, scheme: Scheme, zone_table: ZoneTable
) -> None:
    found = read(Upload("s.csv", f'"{line}",,\n{TABLE}'.encode()), scheme, zone_table)
    assert found.problems == ()
    (parcel,) = found.parcels
    assert (getattr(parcel.conditions, field) if hasattr(parcel.conditions, field) else getattr(parcel, field)) == name
    told = " ".join(note["text"] for note in (parcel.read_as or {})["notes"])
    assert rest in told
    assert bool(rest) == ("not read" in told)


def test_amounts_behind_a_condition_are_held_against_the_rows(scheme: Scheme, zone_table: ZoneTable) -> None:
    text = f'"Cleaning: acid rinsed, 51 stones, 14.60 ct",,\n{TABLE}'
    assert "stones_total" in {item.code for item in read(Upload("s.csv", text.encode()), scheme, zone_table).problems}


def test_a_title_and_a_column_that_name_different_parcels_are_told(scheme: Scheme, zone_table: ZoneTable) -> None:
    text = "Parcel: CF-7,,\nParcel,Weight (ct),Colour\nCF-8,0.42,white\nCF-8,0.31,brown\n"
    assert [item.code for item in read(Upload("s.csv", text.encode()), scheme, zone_table).problems] == [
        "said_otherwise"
    ]


@every("other", [*ALIKE, *UNLIKE])
def test_ids_that_differ_by_signs_alone_are_told(other: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    text = f"Parcel,Weight (ct),Colour\nCF-7,0.42,white\nCF-7,0.31,brown\n{other},0.27,cape\n{other},0.55,white\n"
    found = read(Upload("s.csv", text.encode()), scheme, zone_table)
    assert {item.code for item in found.problems} == ({"ids_alike"} if other in ALIKE else set())
