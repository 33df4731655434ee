"""The sealed dossier: the same bytes, and every alteration found."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from kpfootprint.errors import ReportError
from kpfootprint.report import DossierInput, Remade, build_report, read_report, verify_dossier, write_dossier
from kpfootprint.report import dossier as dossiers
from kpfootprint.report.report import seal
from kpfootprint.retold import retold
from tests.laws import tried
from tests.report.factory import CREATED_AT, make_examination, make_model, make_parcel, make_report

PARCEL = {"parcel_id": "P-query", "stones": {"weight_ct": [0.25, 0.5], "colour": ["brown", "white"]}}

CARD = "# Release 2026.1\n"
RENDERINGS = cache(dossiers._renderings)


@pytest.fixture(autouse=True)
def _drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the same report once for all tests; every form of it takes half a second."""
    monkeypatch.setattr(dossiers, "_renderings", RENDERINGS)


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    path = tmp_path / "dossier.zip"
    path.write_bytes(write_dossier(make_report("query"), parcel=PARCEL, card=CARD))
    return path


def remake(sealed: DossierInput) -> Remade:
    assert sealed.release == "2026.1"
    assert sealed.status_on == date(2026, 4, 17)
    report = build_report(make_parcel("query"), make_examination("query"), make_model(), created_at=sealed.created_at)
    return Remade(report=report, parcel=PARCEL, card=CARD)


def altered(path: Path, name: str, data: bytes | None, *, reseal: bool = False) -> Path:
    """Write a copy of a dossier with one member changed (or left out), resealed where asked."""
    with zipfile.ZipFile(path) as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    members.pop(name, None)
    if data is not None:
        members[name] = data
    if reseal:
        members["SHA256SUMS"] = "".join(
            f"{hashlib.sha256(value).hexdigest()}  {entry}\n"
            for entry, value in sorted(members.items())
            if entry != "SHA256SUMS"
        ).encode()
    changed = path.with_name("altered.zip")
    with zipfile.ZipFile(changed, "w") as archive:
        for entry, value in members.items():
            archive.writestr(entry, value)
    return changed


def member(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def test_it_holds_input_report_card_and_hashes(dossier: Path) -> None:
    with zipfile.ZipFile(dossier) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            *("input.json", "report.json", "CARD.md", "release.json", "SHA256SUMS"),
            *(f"report.{lang}.{form}" for lang in ("en", "fr") for form in ("html", "pdf", "txt")),
        }
    assert read_report(member(dossier, "report.json").decode()) == make_report("query")
    assert member(dossier, "CARD.md") == b"# Release 2026.1\n"


def test_the_hashes_are_those_that_sha256sum_checks(dossier: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(dossier) as archive:
        archive.extractall(tmp_path / "out")
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "out", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_same_report_gives_the_same_bytes() -> None:
    first, again = (write_dossier(make_report("query"), parcel=PARCEL, card="x") for _ in range(2))
    assert first == again


def test_an_untouched_dossier_is_the_same(dossier: Path) -> None:
    check = verify_dossier(dossier, remake)
    assert check.same
    assert check.report_id == make_report("query").report_id


@pytest.mark.parametrize(
    "name", ["report.en.html", "report.fr.pdf", "report.en.txt", "CARD.md", "release.json", "input.json"]
)
def test_an_altered_member_is_named(dossier: Path, name: str) -> None:
    data = b'{"parcel_id": "P-query"}' if name == "input.json" else b"forged"
    check = verify_dossier(altered(dossier, name, data), remake)
    assert not check.same
    assert any(difference.startswith(f"{name} is not the file that was sealed") for difference in check.differences)
    french = [retold(difference, "fr") for difference in check.differences]
    assert f"{name} n’est pas le fichier qui a été scellé\u00a0: son condensat n’est pas celui de SHA256SUMS" in french


@pytest.mark.parametrize("name", ["report.en.html", "report.fr.pdf", "report.fr.txt"])
def test_an_altered_and_resealed_rendering_is_named(dossier: Path, name: str) -> None:
    check = verify_dossier(altered(dossier, name, b"forged", reseal=True), remake)
    assert check.differences == (f"{name} is not what the report made again renders to",)
    assert retold(check.differences[0], "fr") == f"{name} n’est pas ce que donne le rapport refait"


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("CARD.md", lambda data: data + b"Error rate: 0 %\n", "the card of the release at hand"),
        (
            "release.json",
            lambda data: data.replace(b"2026.1", b"2026.9"),
            "the name and the hash of the release at hand",
        ),
        ("release.json", lambda _: b"", "the name and the hash of the release at hand"),
        ("report.json", lambda data: data.replace(b'","', b'", "', 1), "the report made again, byte for byte"),
        ("report.json", lambda data: b"\n" + data, "the report made again, byte for byte"),
        ("report.json", lambda data: b"\xef\xbb\xbf" + data, "the report made again, byte for byte"),
        ("input.json", lambda data: data.replace(b",", b", ", 1), "the parcel as it is written when it is read"),
        (
            "input.json",
            lambda data: data.replace(b"{", b'{"note":"x",', 1),
            "the parcel as it is written when it is read",
        ),
    ],
)
def test_whatever_is_forged_and_resealed_is_named(
    dossier: Path, name: str, change: Callable[[bytes], bytes], said: str
) -> None:
    forged = altered(dossier, name, change(member(dossier, name)), reseal=True)
    assert verify_dossier(forged, remake).differences == (f"{name} is not {said}",)


@pytest.mark.parametrize("more", [b"\n", b"# looked at\n", b"0" * 64 + b"  other.txt\n"])
def test_a_seal_of_other_lines_is_named(dossier: Path, more: bytes) -> None:
    check = verify_dossier(altered(dossier, "SHA256SUMS", member(dossier, "SHA256SUMS") + more), remake)
    assert not check.same
    assert all(said.startswith("SHA256SUMS") for said in check.differences)


def test_a_member_twice_in_the_input_is_refused(dossier: Path) -> None:
    forged = member(dossier, "input.json").replace(b'{"parcel_id"', b'{"parcel_id":"P-1","parcel_id"')
    with pytest.raises(ReportError, match="'parcel_id' comes twice"):
        verify_dossier(altered(dossier, "input.json", forged, reseal=True), remake)


@pytest.mark.slow
def test_another_time_is_no_difference_and_is_said(dossier: Path) -> None:
    """Nothing inside a dossier can prove when it was made; whoever verifies is told the time and that it is a word."""
    report = read_report(member(dossier, "report.json"))
    content = {**report.content, "created_at": "2020-01-01T00:00:00Z"}
    backdated = dossier.with_name("backdated.zip")
    backdated.write_bytes(write_dossier(seal(content), parcel=PARCEL, card=CARD))
    check = verify_dossier(backdated, remake)
    assert check.same
    assert check.created_at == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"model": None},
        {"model": {"release": 1, "manifest_sha256": 2}, "parcel": {"status_on": "someday"}, "created_at": "x"},
        {"model": {"release": "", "manifest_sha256": ""}, "parcel": {"status_on": 3}, "created_at": "x"},
        {"model": {"release": "", "manifest_sha256": ""}, "parcel": [], "created_at": "x"},
    ],
)
def test_a_report_that_says_nothing_is_refused(dossier: Path, content: object) -> None:
    whole: Mapping[str, object] = {"schema_version": "1.0"} | (content if isinstance(content, dict) else {})
    data = seal(whole).to_json().encode()
    with pytest.raises(ReportError, match="does not say what it was made from"):
        verify_dossier(altered(dossier, "report.json", data, reseal=True), remake)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff\xfe[]",
        b'{"a": NaN}',
        b"null",
        b"[]",
        b'{"schema_version": [], "report_id": {}}',
    ],
)
def test_a_report_that_is_none_is_refused(dossier: Path, data: bytes) -> None:
    with pytest.raises(ReportError):
        verify_dossier(altered(dossier, "report.json", data, reseal=True), remake)


@given(st.integers(0, 10_000_000), st.integers(1, 255), st.booleans())
@tried(60, HealthCheck.function_scoped_fixture)
def test_no_byte_can_be_changed(dossier: Path, at: int, flip: int, cut: bool) -> None:
    """Every member is named by the seal; what is no longer an archive is refused, and nothing else happens."""
    data = bytearray(dossier.read_bytes())
    at %= len(data)
    data[at] ^= flip
    damaged = dossier.with_name("damaged.zip")
    damaged.write_bytes(bytes(data[:at]) if cut else bytes(data))
    with zipfile.ZipFile(dossier) as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    try:
        check = verify_dossier(damaged, remake)
    except ReportError:
        return
    with zipfile.ZipFile(damaged) as archive:  # a byte of the archive itself: a date, a permission, a comment
        same = {name: archive.read(name) for name in archive.namelist()} == whole
    assert check.same == same


@pytest.mark.slow
def test_a_report_that_comes_out_otherwise_is_told_member_by_member(dossier: Path) -> None:
    def otherwise(sealed: DossierInput) -> Remade:
        examination = replace(make_examination("query"), conclusion="inconclusive")
        report = build_report(make_parcel("query"), examination, make_model(), created_at=CREATED_AT)
        return Remade(report=report, parcel=PARCEL, card=CARD)

    check = verify_dossier(dossier, otherwise)
    assert 'conclusion: "query" in the dossier, "inconclusive" when made again' in check.differences
    members = [difference for difference in check.differences if " is not " in difference]
    assert check.differences[: len(members)] == tuple(members)  # what each file is not stands first
    details = check.differences[len(members) :]
    assert [difference.split(":")[0] for difference in details][:2] == ["conclusion", "report_id"]
    told = retold(details[0], "fr")
    assert told == 'conclusion\u00a0: "query" dans le dossier, "inconclusive" une fois refait'


def test_an_altered_report_is_refused(dossier: Path) -> None:
    forged = member(dossier, "report.json").replace(b'"conclusion":"query"', b'"conclusion":"consistent"')
    with pytest.raises(ReportError, match="altered"):
        verify_dossier(altered(dossier, "report.json", forged, reseal=True), remake)


def test_what_is_no_dossier_is_refused(dossier: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"it lacks CARD\.md"):
        verify_dossier(altered(dossier, "CARD.md", None), remake)
    with pytest.raises(ReportError, match=r"\.\./evil besides"):
        verify_dossier(altered(dossier, "../evil", b""), remake)
    text = tmp_path / "text.zip"
    text.write_bytes(b"no zip")
    with pytest.raises(ReportError, match="cannot be read"):
        verify_dossier(text, remake)
    with pytest.raises(ReportError, match="cannot be read"):
        verify_dossier(tmp_path / "absent.zip", remake)
    with pytest.raises(ReportError, match="not JSON"):
        verify_dossier(altered(dossier, "input.json", b"{"), remake)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 97])
def test_another_compression_is_refused(dossier: Path, tmp_path: Path, kind: int) -> None:
    packed = io.BytesIO()
    written = kind if kind != 97 else zipfile.ZIP_STORED
    with zipfile.ZipFile(dossier) as archive, zipfile.ZipFile(packed, "w", written) as out:
        for name in archive.namelist():
            out.writestr(name, archive.read(name))
    data = packed.getvalue()
    if kind == 97:  # a kind of compression that nobody has
        data = data.replace(b"PK\x01\x02\x14\x03\x14\0\0\0\0\0", b"PK\x01\x02\x14\x03\x14\0\0\0a\0")
    path = tmp_path / "packed.zip"
    path.write_bytes(data)
    with pytest.raises(ReportError, match="cannot be read as a dossier"):
        verify_dossier(path, remake)


def test_an_encrypted_dossier_is_refused(dossier: Path, tmp_path: Path) -> None:
    data = dossier.read_bytes()
    path = tmp_path / "locked.zip"
    path.write_bytes(data.replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0"))
    with pytest.raises(ReportError, match="password"):
        verify_dossier(path, remake)


def test_a_table_of_contents_is_not_built_for_its_own_sake(dossier: Path, tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(400):
            archive.writestr(f"{number}.txt", b"")
    with pytest.raises(ReportError, match="table of contents is too large"):
        verify_dossier(path, remake)


@pytest.mark.slow
def test_a_member_that_claims_to_be_huge_is_not_read(dossier: Path, tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(dossier) as archive, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for name in archive.namelist():
            out.writestr(name, bytes(300 * 2**20) if name == "CARD.md" else archive.read(name))
    path = tmp_path / "bomb.zip"
    path.write_bytes(bomb.getvalue())
    with pytest.raises(ReportError, match="holds more than 256 MB"):
        verify_dossier(path, remake)
