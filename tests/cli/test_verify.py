"""A sealed dossier is made again, and says so where anything in it was changed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from tests.cli.running import kpfootprint


def changed(dossier: bytes, member: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the dossier with one member changed and everything else as it was."""
    made = io.BytesIO()
    with ZipFile(io.BytesIO(dossier)) as old, ZipFile(made, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry, change(data) if entry.filename == member else data)
    return made.getvalue()


def test_an_untouched_dossier_is_the_same(sealed: bytes, tmp_path: Path) -> None:
    (tmp_path / "dossier.zip").write_bytes(sealed)
    done = kpfootprint("verify", tmp_path / "dossier.zip", home=tmp_path)
    assert (done.status, done.err) == (0, "")
    with ZipFile(tmp_path / "dossier.zip") as archive:
        assert json.loads(archive.read("report.json"))["report_id"] in done.text


def test_another_stone_in_the_input_is_seen(sealed: bytes, tmp_path: Path) -> None:
    def heavier(data: bytes) -> bytes:
        parcel = json.loads(data)
        parcel["stones"]["weight_ct"][0] += 3
        return json.dumps(parcel).encode()

    (tmp_path / "dossier.zip").write_bytes(changed(sealed, "input.json", heavier))
    done = kpfootprint("verify", tmp_path / "dossier.zip", home=tmp_path)
    assert (done.status, done.text) == (1, "")
    assert "input.json is not the file that was sealed" in done.err
    assert "Traceback" not in done.err


def test_another_number_in_the_page_is_seen(sealed: bytes, tmp_path: Path) -> None:
    def longer(data: bytes) -> bytes:
        return data.replace(b"</html>", b"<p>9</p></html>")

    (tmp_path / "dossier.zip").write_bytes(changed(sealed, "report.en.html", longer))
    done = kpfootprint("verify", tmp_path / "dossier.zip", home=tmp_path)
    assert done.status == 1
    assert "report.en.html" in done.err


def test_what_is_no_dossier_is_told(tmp_path: Path) -> None:
    (tmp_path / "dossier.zip").write_bytes(b"not a zip")
    done = kpfootprint("verify", tmp_path / "dossier.zip", home=tmp_path)
    assert done.status == 2
    assert "dossier.zip" in done.err
    assert "Traceback" not in done.err


def test_a_code_typed_from_paper_is_that_of_the_dossier_or_not() -> None:
    from kpfootprint.report.report import is_code_of, short_code

    report_id = "sha256:" + "2713a82eb04c2efd" + "0" * 48
    assert short_code(report_id) == "2713-A82E-B04C-2EFD"
    assert is_code_of(" 2713 a82e b04c-2efd", report_id)
    assert not is_code_of("2713-A82E-B04C", report_id)
    assert not is_code_of("", report_id)
