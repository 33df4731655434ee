"""A release that cannot be used is refused on loading, or by the trial before it is put in force; never half used."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpfootprint.errors import ReleaseError
from kpfootprint.release import ARRAYS, MANIFEST, load_release, shipped_release
from kpfootprint.release.arrays import check_model, checks_of, pack, unpack
from kpfootprint.release.release import format_of
from kpfootprint.retold import retold
from kpfootprint.stats.model import FootprintModel
from kpfootprint.trial import try_release
from tests.every import every
from tests.worlds import shipped

Arrays = dict[str, Any]
Document = dict[str, Any]


def levels() -> tuple[int, ...]:
    return tuple(len(names) for names in shipped().level_names)


def resealed(folder: Path, content: dict[str, bytes], manifest: Document | None = None) -> Path:
    """Write a release whose hashes agree, as one who can write everything would."""
    folder.mkdir(exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    files = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    document = {**(manifest or dict(shipped().manifest)), "files": files}
    (folder / MANIFEST).write_text(json.dumps(document), "utf-8")
    return folder


def content(arrays: Arrays | None = None) -> dict[str, bytes]:
    here = shipped_release()
    kept = {name: (here / name).read_bytes() for name in ("CARD.md", "evaluation.json", ARRAYS)}
    if arrays is not None:
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        kept[ARRAYS] = buffer.getvalue()
    return kept


def refusal(arrays: Arrays) -> str | None:
    """Return why arrays are refused on loading, or None."""
    try:
        model = unpack(FootprintModel, arrays)
        check_model(model, shipped().scheme, len(shipped().zone_ids), levels())
        if format_of(model, shipped().manifest["rules"]) != shipped().manifest["format"]:
            return "its arrays are those of another format"
    except ReleaseError as error:
        return str(error)
    return None


def test_every_array_has_a_shape_and_a_rule() -> None:
    """A new array of the model is annotated where it is declared, see `kpfootprint.release.arrays`."""
    listed = {check.name for check in checks_of(shipped().model, shipped().scheme, len(shipped().zone_ids), levels())}
    assert listed == set(pack(shipped().model))


DAMAGES: dict[str, Callable[[np.ndarray[Any, Any]], Any]] = {
    "shorter": lambda a: a[:-1] if a.ndim else a[None],
    "narrower": lambda a: a[..., :-1] if a.ndim else a[None],
    "longer": lambda a: np.concatenate([a, a[-1:]]) if a.ndim else np.stack([a, a]),
    "another rank": lambda a: a[None],
    "empty": lambda a: a[:0] if a.ndim else np.zeros(0, a.dtype),
    "another type": lambda a: np.ones(a.shape, np.float64 if a.dtype.kind == "i" else np.int64),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_no_array_may_have_another_shape_or_type(damage: str) -> None:
    whole = pack(shipped().model)
    # how many quantiles there are is the release's own choice
    taken = [
        name
        for name in whole
        if refusal({**whole, name: DAMAGES[damage](whole[name])}) is None
        and not (name.endswith(".quantiles") and damage == "narrower")
    ]
    assert taken == []


@pytest.mark.slow
def test_no_array_may_be_missing_or_hold_what_is_no_number() -> None:
    whole = pack(shipped().model)
    for name, array in whole.items():
        assert refusal({key: value for key, value in whole.items() if key != name}), name
        if array.dtype.kind == "f":
            for odd in (np.nan, -np.inf):
                assert refusal({**whole, name: np.full_like(array, odd)}), name


def test_an_array_that_belongs_to_nothing_is_refused() -> None:
    assert refusal({**pack(shipped().model), "model.extra": np.zeros(3)}) is not None


@every(
    "name, change",
    [
        ("model.structure.grid.edges", lambda a: a[::-1].copy()),
        ("model.structure.grid.nodes", lambda a: a + 1.0),
        ("model.structure.class_of_cell", lambda a: a[::-1].copy()),
        ("model.structure.class_of_cell", lambda a: np.where(a == 3, 4, a)),
        ("model.structure.size_prior_precision", np.negative),
        ("model.predictor.within", np.zeros_like),
        ("model.predictor.between", np.negative),
        ("model.predictor.scales", np.negative),
        ("model.predictor.combinations", lambda a: a + 5),
        ("model.predictor.priors.0", lambda a: a * 5),
        ("model.bands", lambda a: a + 99),
        ("model.gate.scale", np.zeros_like),
        ("model.shares.widening", lambda a: a + 5),
        ("model.novelty.quantiles", lambda a: a[:, ::-1].copy()),
        ("model.novelty.floor", np.negative),
        ("model.calibration.scale", np.zeros_like),
        ("model.calibration.bounds", lambda a: a[::-1].copy()),
        ("model.calibration.limits", lambda a: a[::-1].copy()),
        ("model.ordination.source", lambda a: a + 99),
        ("model.n_reference", np.zeros_like),
    ],
)
def test_numbers_out_of_their_range_are_refused(name: str, change: Callable[[Any], Any]) -> None:
    whole = pack(shipped().model)
    said = refusal({**whole, name: change(whole[name])})
    assert said is not None
    assert name in said


def changed(path: str, value: object) -> Document:
    """Return the manifest with one member replaced, or left out where `value` is `...`."""
    document: Document = json.loads((shipped_release() / MANIFEST).read_text("utf-8"))
    place: Any = document
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


MANIFESTS: list[tuple[str, object]] = [
    *((name, ...) for name in ("release", "released", "scheme", "zone_table", "zone_ids", "level_names", "rules")),
    ("release", "../../x"),
    ("release", "<b>1"),
    ("release", "2026\u200b"),
    *((name, ...) for name in ("unlisted_weight", "reference", "verbal_scale", "error_rates", "n_ranked")),
    ("rules/query_log10_lr", ...),
    ("rules/query_share_p", "low"),
    ("rules/consistent_share_p", 7),
    ("rules", None),
    ("carats", []),
    ("carats", {"berberati": ["much"]}),
    ("unlisted_weight", 5),
    ("unlisted_weight", True),
    ("unlisted_weight", 0),
    ("unlisted_weight", int("9" * 309)),
    ("zone_ids", ["berberati"]),
    ("zone_ids", []),
    ("zone_ids/0", "atlantis"),
    ("zone_ids/1", "berberati"),
    ("zone_ids/0", 3),
    ("zone_table/zones/0", 3),
    ("zone_table/zones/0/name", 3),
    ("zone_table/zones/0/name", "a\u202eb"),
    ("zone_table/zones/1/zone_id", "berberati"),
    ("zone_table/zone_status/0/valid_from", "someday"),
    ("scheme/attributes/1/classes", []),
    ("scheme/attributes/1/classes/0", {}),
    ("scheme/attributes/1/classes/0/name", "brown"),
    ("scheme/attributes/1/labels", None),
    ("scheme/attributes/0/sieve_set", "unknown"),
    ("scheme/sieve_sets/0/classes/3/lower_ct", -4),
    ("scheme/sieve_sets/0/classes/3/lower_ct", "x"),
    ("level_names", []),
    ("level_names/0", ["unwashed"]),
    ("level_names/2/1", "S1"),
    ("reference/n_parcels", {"berberati": "many"}),
    ("reference/synthetic", "no"),
    ("verbal_scale/bands/0/to_lr", "two"),
    ("verbal_scale/bands", []),
    ("error_rates/0/true_declarations_queried/rate", None),
    ("error_rates", 3),
    ("files", ["CARD.md"]),
]


@pytest.mark.parametrize(("path", "value"), MANIFESTS, ids=[f"{path}={value}"[:60] for path, value in MANIFESTS])
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path: Path, path: str, value: object) -> None:
    document = changed(path, value)
    files = document.pop("files") if path != "files" else None
    folder = resealed(tmp_path / "release", content(), document)
    if files is None:
        (folder / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(ReleaseError) as told:
        try_release(load_release(folder))
    assert len(str(told.value).splitlines()) == 1
    assert not re.search(r"\b(must|has|got|cannot|there is)\b", retold(told.value, "fr"))


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"format": 2, "format": 3, "files": {}}',
        b'{"format": 2, "files": {}, "seed": NaN}',
        b'{"format": 2, "files": {}, "seed": "\\ud800"}',
        b'{"format": 2}',
    ],
)
def test_a_manifest_that_is_no_plain_json_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(text)
    with pytest.raises(ReleaseError, match="is not a release's manifest"):
        load_release(tmp_path)


@pytest.mark.parametrize(
    "name", ["../stolen", "/etc/passwd", "..", ".", "", "a/b", "a\\b", "c:x", "a\nb", MANIFEST, "x" * 300, "\u202ea"]
)
def test_the_manifest_names_files_of_its_own_folder_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "stolen").write_bytes(b"secret")
    folder = resealed(tmp_path / "release", content())
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = hashlib.sha256(b"secret").hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ReleaseError, match="is no name of a file in this folder"):
        load_release(folder)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "device"])
def test_what_is_no_plain_file_is_not_read(tmp_path: Path, kind: str) -> None:
    folder = resealed(tmp_path / "release", content())
    card = folder / "CARD.md"
    (tmp_path / "elsewhere").write_bytes(card.read_bytes())
    card.unlink()
    match kind:
        case "link":
            card.symlink_to(tmp_path / "elsewhere")
        case "pipe":
            os.mkfifo(card)
        case "folder":
            card.mkdir()
        case "device":
            card.symlink_to("/dev/zero")
    with pytest.raises(ReleaseError, match=r"CARD\.md is in the manifest and cannot be read"):
        load_release(folder)


@pytest.mark.parametrize("left", [".DS_Store", "Thumbs.db", "desktop.ini", "._CARD.md"])
def test_what_a_desktop_leaves_in_a_folder_does_no_harm(tmp_path: Path, left: str) -> None:
    folder = resealed(tmp_path / "release", content())
    (folder / left).write_bytes(b"\0\1")
    load_release(folder)


def header(shape: str, descr: str = "<f8") -> bytes:
    said = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text = said.ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "member",
    [
        header("(1000000000000,)"),
        header("(9223372036854775807, 9)"),
        header("(-1,)"),
        header("(3,)"),
        header("(3,)", "|O8"),
        header("(1,)", "<U2") + b"\0" * 8,
        header("(1,)", "<M8[s]") + b"\0" * 8,
        header("(" * 80),
        header("__import__('os').system('true')"),
        b"\x93NUMPY\x03\x00",
        b"plain text",
        b"",
    ],
)
def test_an_array_is_no_larger_than_its_bytes(tmp_path: Path, member: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.largest.npy", member)
    folder = resealed(tmp_path / "release", {**content(), ARRAYS: buffer.getvalue()})
    with pytest.raises(ReleaseError, match="something else than plain arrays"):
        load_release(folder)


@pytest.mark.slow
def test_arrays_that_unpack_to_gigabytes_are_not_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as stream:
        for _ in range(200):
            stream.write(bytes(1 << 20))
    folder = resealed(tmp_path / "release", {**content(), ARRAYS: buffer.getvalue()})
    with pytest.raises(ReleaseError, match="unpacked it is larger than"):
        load_release(folder)


def wild() -> Iterator[tuple[str, Arrays]]:
    """Give models that pass the checks of shapes and ranges, with arrays of other values."""
    whole = pack(shipped().model)
    rng = np.random.default_rng(20)
    for name, array in whole.items():
        if array.dtype.kind != "f":
            continue
        for factor in (-1.0, 1e3, 1e-3, 1e12):
            yield f"{name} x {factor:g}", {**whole, name: np.asarray(array * factor, array.dtype)}
        yield f"{name} zero", {**whole, name: np.zeros_like(array)}
        yield f"{name} shuffled", {**whole, name: rng.permutation(array.ravel()).reshape(array.shape)}


@pytest.mark.slow
def test_a_release_that_passes_can_examine_parcels(tmp_path: Path) -> None:
    """Whatever its numbers are: it is refused with one line, or every report of it is made of numbers."""
    said: list[str] = []
    tried = 0
    for what, arrays in wild():
        if refusal(arrays) is not None:
            continue
        tried += 1
        try:
            try_release(load_release(resealed(tmp_path / "release", content(arrays))))
        except ReleaseError as error:
            said.append(f"{what}: {error}")
    assert tried > 100
    assert [line for line in said if "\n" in line] == []


def test_the_shipped_release_passes_the_trial() -> None:
    try_release(shipped())


def test_a_network_for_other_features_fails_the_trial(tmp_path: Path) -> None:
    arrays = pack(shipped().model)
    for name in ("location", "scale", "weights.0"):
        arrays[f"model.gate.{name}"] = arrays[f"model.gate.{name}"][:-1]
    assert refusal(arrays) is None
    with pytest.raises(ReleaseError, match="a trial parcel failed"):
        try_release(load_release(resealed(tmp_path / "release", content(arrays))))
