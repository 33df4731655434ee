"""When an input has been read, nothing of it stays: no cache may hold what strangers write."""

from __future__ import annotations

import gc
import io
import secrets
import tracemalloc
import zipfile
from collections.abc import Callable

import openpyxl
import pytest

from kpfootprint.ingest import Upload, read
from kpfootprint.reference import ZoneTable
from kpfootprint.scheme import Scheme

LONG = 400_000
TIMES = 3


def word(length: int = LONG) -> str:
    """Return a word that was never met before."""
    return "w" + secrets.token_hex(length // 2)


def cells(head: str, length: int) -> Callable[[], bytes]:
    return lambda: "\n".join([f"weight_ct,{head}", *(f"0.5,{word(length)}" for _ in range(LONG // length))]).encode()


def parts() -> dict[str, bytes]:
    made = io.BytesIO()
    book = openpyxl.Workbook()
    book.worksheets[0].append(["weight_ct", "colour"])
    book.worksheets[0].append([0.5, "brown"])
    book.save(made)
    with zipfile.ZipFile(made) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def declared(part: str) -> Callable[[], bytes]:
    """Return how a workbook is made one of whose parts says that it is in an encoding that there is not."""

    def packed() -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts().items():
                body = data.partition(b"?>")[2] if data.startswith(b"<?xml") else data
                said = f'<?xml version="1.0" encoding="{word()}"?>'.encode() if name == part else b""
                archive.writestr(name, said + body if said else data)
        return out.getvalue()

    return packed


KINDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "classes": ("s.csv", cells("colour", 4000)),
    "many classes": ("s.csv", cells("colour", 180)),
    "parcels": ("s.csv", cells("parcel_id", 180)),
    "header": ("s.csv", lambda: f"weight_ct,{word(100_000)}\n0.5,brown".encode()),
    "member": ("s.json", lambda: f'{{"stones": {{"weight_ct": [0.5]}}, "{word()}": 1}}'.encode()),
    **{part: ("s.xlsx", declared(part)) for part in parts()},
}
"""What is read, by the word in it that nobody wrote before."""


AT_ONCE = {"header", "member", "xl/workbook.xml"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[] if kind in AT_ONCE else [pytest.mark.slow]) for kind in KINDS]
)
def test_nothing_of_an_input_is_kept_when_it_has_been_read(kind: str, scheme: Scheme, zone_table: ZoneTable) -> None:
    name, content = KINDS[kind]

    def one() -> None:
        read(Upload(name, content()), scheme, zone_table, given={"declarations": [{"zone_id": "berberati"}]}, one=True)

    one()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(TIMES):
            one()
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < LONG // 2, f"{kept / TIMES:,.0f} bytes of each input of {LONG:,}"
