from __future__ import annotations

import hashlib
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kpfootprint
from kpfootprint.errors import ReleaseError
from kpfootprint.release import ARRAYS, FORMAT, MANIFEST, load_release, write_release
from kpfootprint.release.arrays import pack
from kpfootprint.stats.ranks import NOVEL_P
from tests.worlds import shipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(kpfootprint.shipped_release(), tmp_path / "release"))


def rewrite(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**manifest, **changes}), "utf-8")


def list_again(folder: Path, name: str) -> None:
    """Put a file's hash into the manifest, as one who can write both would."""
    files = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    rewrite(folder, files={**files, name: hashlib.sha256((folder / name).read_bytes()).hexdigest()})


def test_a_copy_is_the_same_release(folder: Path) -> None:
    release = load_release(folder)
    assert release.manifest_sha256 == hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    assert release.name == shipped().name
    assert release.card == (folder / "CARD.md").read_text("utf-8")
    assert len(release.zone_ids) == len(release.model.predictor.sources)


@pytest.mark.parametrize("name", [ARRAYS, "CARD.md", "evaluation.json"])
def test_an_altered_byte_is_refused(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(ReleaseError, match=f"{name} was altered"):
        load_release(folder)


@pytest.mark.parametrize("name", [ARRAYS, "CARD.md"])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ReleaseError, match=f"{name} is in the manifest and cannot be read"):
        load_release(folder)


def test_a_file_that_is_not_listed_is_refused(folder: Path) -> None:
    (folder / "extra.py").write_text("print('here')")
    with pytest.raises(ReleaseError, match=r"not in the manifest: extra\.py"):
        load_release(folder)


def test_another_format_is_refused_before_anything_is_read(folder: Path) -> None:
    rewrite(folder, format=FORMAT + 1)
    (folder / ARRAYS).unlink()
    with pytest.raises(ReleaseError, match=f"format {FORMAT + 1}; this software reads formats 2-{FORMAT}"):
        load_release(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": 3}', "null"])
def test_what_is_no_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ReleaseError, match="is not a release's manifest"):
        load_release(folder)


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is no release"):
        load_release(tmp_path)


def test_arrays_that_are_not_listed_are_refused(folder: Path) -> None:
    files = json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    (folder / ARRAYS).unlink()
    rewrite(folder, files={name: value for name, value in files.items() if name != ARRAYS})
    with pytest.raises(ReleaseError, match=f"{ARRAYS} is not in the manifest"):
        load_release(folder)


def test_a_release_of_the_format_before_has_no_novelty_by_tables_and_the_next_one_keeps_it(tmp_path: Path) -> None:
    release = shipped()
    calibration = replace(release.model.calibration, set_threshold=0.1)
    older = replace(release.model, novelty_weight=None, sets=None, calibration=calibration)
    for model, name in (
        (older, 6),
        (replace(release.model, novelty_weight=0.25), release.manifest["format"]),
    ):
        folder = tmp_path / str(name)
        write_release(folder, release.manifest, model, {"CARD.md": "card\n", "evaluation.json": "{}\n"})
        again = load_release(folder)
        assert again.manifest["format"] == name
        assert again.model.novelty_weight == model.novelty_weight


def test_a_release_without_a_limit_of_strong_support_holds_flagged_parcels_and_no_others(tmp_path: Path) -> None:
    release = shipped()
    older = {name: value for name, value in release.manifest["rules"].items() if name != "strong_novelty_p"}
    newer = {**older, "strong_novelty_p": 0.3}
    for rules, name, limit in ((older, 7, NOVEL_P), (newer, 8, 0.3)):
        folder = tmp_path / str(name)
        texts = {"CARD.md": "card\n", "evaluation.json": "{}\n"}
        write_release(folder, {**release.manifest, "rules": rules}, release.model, texts)
        again = load_release(folder)
        assert (again.manifest["format"], again.rules.strong_novelty_p) == (name, limit)


def test_a_release_keeps_what_its_tables_say_of_an_unlisted_source(tmp_path: Path) -> None:
    release = shipped()
    assert release.model.tables is not None
    for name, vote in ((8, None), (FORMAT, 0.5)):
        folder, tables = tmp_path / str(name), replace(release.model.tables, vote=vote)
        texts = {"CARD.md": "card\n", "evaluation.json": "{}\n"}
        write_release(folder, release.manifest, replace(release.model, tables=tables), texts)
        again = load_release(folder)
        assert again.model.tables is not None
        assert (again.manifest["format"], again.model.tables.vote) == (name, vote)


class Trap:
    """What runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("unpickled",)


def test_nothing_is_unpickled(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arrays: dict[str, Any] = pack(shipped().model)
    arrays["model.n_reference"] = np.array([Trap()], dtype=object)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    (folder / ARRAYS).write_bytes(buffer.getvalue())
    list_again(folder, ARRAYS)
    with pytest.raises(ReleaseError, match="something else than plain arrays"):
        load_release(folder)
    assert "unpickled" not in capfd.readouterr().out


@pytest.mark.parametrize("data", [b"", b"no archive", b"\x93NUMPY", b"PK\x03\x04"])
def test_what_is_no_archive_of_arrays_is_refused(folder: Path, data: bytes) -> None:
    (folder / ARRAYS).write_bytes(data)
    list_again(folder, ARRAYS)
    with pytest.raises(ReleaseError, match="something else than plain arrays"):
        load_release(folder)


def test_arrays_of_another_version_are_refused(folder: Path) -> None:
    arrays: dict[str, Any] = pack(shipped().model)
    del arrays["model.detection"]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    (folder / ARRAYS).write_bytes(buffer.getvalue())
    list_again(folder, ARRAYS)
    with pytest.raises(ReleaseError, match=r"no array 'model\.detection'"):
        load_release(folder)


def test_writing_and_loading_gives_the_same_arrays(tmp_path: Path) -> None:
    release = shipped()
    write_release(tmp_path, release.manifest, release.model, {"CARD.md": release.card, "evaluation.json": "{}\n"})
    again = load_release(tmp_path)
    before, after = pack(release.model), pack(again.model)
    assert before.keys() == after.keys()
    for name, array in before.items():
        assert array.dtype == after[name].dtype
        np.testing.assert_array_equal(array, after[name])
    assert again.rules == release.rules
    assert again.scheme == release.scheme
    assert again.zone_table == release.zone_table


def test_writing_over_a_release_leaves_no_stranger(tmp_path: Path) -> None:
    release = shipped()
    (tmp_path / "old.txt").write_text("old")
    write_release(tmp_path, release.manifest, release.model, {"CARD.md": ""})
    assert {path.name for path in tmp_path.iterdir()} == {MANIFEST, ARRAYS, "CARD.md"}
    load_release(tmp_path)


def test_a_release_holds_arrays_that_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        shipped().model.predictor.sources[0] = 0.0


def test_a_release_stays_small() -> None:
    folder = kpfootprint.shipped_release()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5_000_000
