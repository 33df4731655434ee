"""The sealed dossier: the same bytes, and every alteration found."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kpfootprint.errors import ReportError
from kpfootprint.report import DossierInput, Report, build_report, read_report, verify_dossier, write_dossier
from tests.report.factory import CREATED_AT, make_examination, make_model, make_parcel, make_report

PARCEL = {"parcel_id": "P-query", "stones": {"weight_ct": [0.25, 0.5], "colour": ["brown", "white"]}}


@pytest.fixture
def dossier(tmp_path: Path) -> Path:
    path = tmp_path / "dossier.zip"
    path.write_bytes(write_dossier(make_report("query"), parcel=PARCEL, card="# Release 2026.1\n"))
    return path


def remake(sealed: DossierInput) -> Report:
    assert sealed.parcel == PARCEL
    assert sealed.release == "2026.1"
    assert sealed.status_on == date(2026, 4, 17)
    return build_report(make_parcel("query"), make_examination("query"), make_model(), created_at=sealed.created_at)


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
    check = verify_dossier(altered(dossier, name, data), lambda _: make_report("query"))
    assert not check.same
    assert any(difference.startswith(f"{name} is not the file that was sealed") for difference in check.differences)


@pytest.mark.parametrize("name", ["report.en.html", "report.fr.pdf", "report.fr.txt"])
def test_an_altered_and_resealed_rendering_is_named(dossier: Path, name: str) -> None:
    check = verify_dossier(altered(dossier, name, b"forged", reseal=True), remake)
    assert check.differences == (f"{name} is not what the report in the dossier renders to",)


def test_a_report_that_comes_out_otherwise_is_told_member_by_member(dossier: Path) -> None:
    def otherwise(sealed: DossierInput) -> Report:
        examination = replace(make_examination("query"), conclusion="inconclusive")
        return build_report(make_parcel("query"), examination, make_model(), created_at=CREATED_AT)

    check = verify_dossier(dossier, otherwise)
    assert 'conclusion: "query" in the dossier, "inconclusive" when made again' in check.differences
    assert [difference.split(":")[0] for difference in check.differences] == ["conclusion", "report_id"]


def test_an_altered_report_is_refused(dossier: Path) -> None:
    forged = member(dossier, "report.json").replace(b'"conclusion":"query"', b'"conclusion":"consistent"')
    with pytest.raises(ReportError, match="altered"):
        verify_dossier(altered(dossier, "report.json", forged, reseal=True), remake)


def test_what_is_no_dossier_is_refused(dossier: Path, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="missing are"):
        verify_dossier(altered(dossier, "CARD.md", None), remake)
    with pytest.raises(ReportError, match="not expected"):
        verify_dossier(altered(dossier, "../evil", b""), remake)
    text = tmp_path / "text.zip"
    text.write_bytes(b"no zip")
    with pytest.raises(ReportError, match="cannot be read"):
        verify_dossier(text, remake)
    with pytest.raises(ReportError, match="cannot be read"):
        verify_dossier(tmp_path / "absent.zip", remake)
    with pytest.raises(ReportError, match="not JSON"):
        verify_dossier(altered(dossier, "input.json", b"{"), remake)


def test_a_member_that_claims_to_be_huge_is_not_read(dossier: Path, tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(dossier) as archive, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as out:
        for name in archive.namelist():
            out.writestr(name, bytes(300 * 2**20) if name == "CARD.md" else archive.read(name))
    path = tmp_path / "bomb.zip"
    path.write_bytes(bomb.getvalue())
    with pytest.raises(ReportError, match="more than 256 MB"):
        verify_dossier(path, remake)
