"""``python -m training``: what the commands say and leave behind."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kpfootprint.cli.surroundings import speak
from kpfootprint.release import shipped_release
from service.register.activations import release_folders
from tests.training.packages import Kind, write_folder
from training.__main__ import main
from training.compare import Side, _changes, _line

ZONES = ("berberati", "carnot", "bria")


def run(*arguments: str | Path) -> Result:
    words = [str(argument) for argument in arguments]
    speak(words, main)  # as the program does, whatever was spoken before
    return CliRunner().invoke(main, words)


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """Return a folder that was fitted and never evaluated."""
    folder = tmp_path / "fitted"
    shutil.copytree(shipped_release(), folder)
    return folder


@pytest.mark.slow
def test_without_reference_the_package_that_comes_along_is_validated() -> None:
    done = run("validate")
    assert (done.exit_code, "no problem found" in done.output) == (0, True)


@pytest.mark.slow
def test_a_package_is_checked_in_the_language_asked_for_and_as_json(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", Kind(dates=1))
    command = [sys.executable, "-m", "training", "validate", "--reference", str(folder)]
    french = subprocess.run([*command, "--lang", "fr"], capture_output=True, text=True, check=True)
    assert "aucun défaut dans 24 lots de 4 zones" in french.stdout
    assert french.stderr.startswith("remarque")
    assert "tous les lots ont été recueillis le 1" in french.stderr
    told = json.loads(subprocess.run([*command, "--format", "json"], capture_output=True, check=True).stdout)
    assert told == {
        "n_parcels": 24,
        "n_zones": 4,
        "remarks": [{"code": "one_day", "values": {"day": "2016-01-01"}}],
    }


def test_wrong_settings_are_told_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[fit]\nn_folds = "eight"\n', encoding="utf-8")
    command = f"fit --reference {tmp_path}/nowhere --config {path} --out {tmp_path}/out".split()
    done = subprocess.run([sys.executable, "-m", "training", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "mine.toml, column fit.n_folds: must be a whole number (value \"'eight'\")" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_release_is_not_put_in_force_and_a_forced_one_says_why(
    candidate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPF_HOME", str(tmp_path / "my home"))
    (candidate / "evaluation.json").unlink()
    manifest = json.loads((candidate / "manifest.json").read_text("utf-8"))
    del manifest["files"]["evaluation.json"]
    (candidate / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    models = tmp_path / "models"
    refused = run("release", "--model", candidate, "--models", models)
    assert refused.exit_code == 1
    assert "training evaluate" in refused.output
    assert not models.exists()
    before = shipped_release()
    done = run(
        "release", "--model", candidate, "--models", models, "--name", "2099.1", "--force", "A trial of the door"
    )
    assert done.exit_code == 0, done.output
    assert f"{before.name} stays in force" in done.output
    (activation,) = [line for line in done.output.splitlines() if line.startswith("To put it in force: ")]
    command = activation.partition(": ")[2]
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "KPF_HOME": str(tmp_path / "my home")}
    put = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
    assert (put.returncode, put.stdout) == (0, "2099.1 is active.\n"), put.stderr
    assert shipped_release() == before
    card = (models / "2099.1" / "CARD.md").read_text("utf-8")
    assert "Released against the judgement" in card
    assert "A trial of the door" in card
    again = run("release", "--model", candidate, "--models", models, "--name", "2099.1", "--force", "again")
    assert isinstance(again.exception, Exception)


@pytest.mark.parametrize("name", ["../outside", "a/b", "", " "])
def test_names_of_releases_lead_nowhere_else(name: str, candidate: Path, tmp_path: Path) -> None:
    done = run("release", "--model", candidate, "--models", tmp_path / "models", "--name", name, "--force", "x")
    assert "a release's name is" in str(done.exception)
    assert not (tmp_path / "models").exists()


def test_one_release_on_two_packages_is_compared_parcel_by_parcel(tmp_path: Path) -> None:
    classes = {"colour": ("brown", "cape", "grey"), "morphology": ("octahedron", "macle", "cube")}
    kind = Kind(parcels=(2, 2, 2), attributes=classes, n_stones=60)
    first = write_folder(tmp_path / "first", kind)
    for table in ("zones", "zone_status", "parcels"):
        text = (first / f"{table}.csv").read_text("utf-8")
        for own, zone in zip(("z00", "z01", "z02"), ZONES, strict=True):
            text = text.replace(own, zone)
        (first / f"{table}.csv").write_text(text, encoding="utf-8")
    assert run("init", first).exit_code == 0
    second = tmp_path / "second"
    shutil.copytree(first, second)
    text = (second / "parcels.csv").read_text("utf-8")
    (second / "parcels.csv").write_text(text.replace("P0001,berberati", "P0001,bria"), encoding="utf-8")
    stones = (second / "stones.csv").read_text("utf-8").splitlines()
    stones[1] = stones[1].replace("brown", "X").replace("cape", "brown").replace("grey", "brown").replace("X", "cape")
    (second / "stones.csv").write_text("\n".join(stones) + "\n", encoding="utf-8")
    run("init", second)
    done = run("compare", first, second, "--model", shipped_release().name)
    assert done.exit_code == 0, done.output
    assert "one name and version, and differ" in done.output
    assert "laid to bria instead of berberati" in done.output
    assert "other weights or classes" in done.output
    assert "Parcels, each declared from its own zone: 6, of which 6 can be compared." in done.output


def side(log10_lr: float, conclusion: str) -> Side:
    return Side(
        zone_id="z00", n_stones=9, log10_lr=log10_lr, conclusion=conclusion, novelty_p=0.5, best_zone="z00", shares={}
    )


def test_another_conclusion_stands_first_however_little_moved_and_new_parcels_last() -> None:
    before = {f"P{i:02}": side(0.5 + i, "consistent") for i in range(40)} | {"turned": side(0.31, "consistent")}
    after = {name: replace(one, log10_lr=0.0) for name, one in before.items()}
    after |= {"turned": side(0.29, "inconclusive"), "new": side(0.0, "inconclusive")}
    changes = _changes(before, after)
    assert all(_line(change)[-1].isalnum() for change in changes)
    names = [change.parcel_id for change in changes]
    assert (names[0], names[1], names[-1]) == ("turned", "P39", "new")


@pytest.mark.slow
def test_every_setting_that_differs_is_named_alone(tmp_path: Path) -> None:
    package = write_folder(tmp_path / "package", Kind(parcels=(1, 1)))
    done = run("compare", "2026.5", "2026.6", "--reference", package)
    said = [line for line in done.output.splitlines() if line.startswith("  setting ")]
    assert "  setting evidence.shrinkages: [0.0, 0.2, 0.4, 0.7] -> not there" in said
    assert not any("{" in line or "unlisted_weight" in line for line in said)


@pytest.mark.slow
def test_two_releases_are_compared_by_name_or_folder(candidate: Path, tmp_path: Path) -> None:
    package = write_folder(tmp_path / "package", Kind(parcels=(1, 1)))
    done = run("compare", shipped_release().name, candidate, "--reference", package)
    assert done.exit_code == 0, done.output
    assert "common trials" in done.output
    assert "both were made from the same package" in done.output
    unknown = run("compare", shipped_release().name, "1999.1")
    assert unknown.exit_code == 2
    assert "there is no folder and no release '1999.1'" in unknown.output


@pytest.mark.parametrize("command", ["fit", "evaluate"])
def test_a_folder_that_cannot_be_written_is_told_before_any_work(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("training.__main__.tempfile.TemporaryFile", full)
    package = write_folder(tmp_path / "package", Kind(parcels=(3, 3)))
    where = ("--out", tmp_path / "out") if command == "fit" else ("--model", shipped_release())
    done = run(command, "--reference", package, *where)
    assert isinstance(done.exception, OSError)
    assert "%]" not in done.output  # no progress was told


def test_a_release_is_not_released_again_under_another_name(tmp_path: Path) -> None:
    done = run("release", "--model", shipped_release(), "--models", tmp_path / "models")
    assert "is a release already" in str(done.exception)
    assert not (tmp_path / "models").exists()


@pytest.mark.slow
def test_no_release_takes_the_name_of_another_that_is_here(candidate: Path, tmp_path: Path) -> None:
    older = min(release_folders(tmp_path))
    done = run("release", "--model", candidate, "--models", tmp_path / "models", "--name", older, "--force", "x")
    assert f"{older} is a release already" in str(done.exception)
    assert not (tmp_path / "models").exists()
    made = tmp_path / "releases" / older
    shutil.copytree(shipped_release(), made)
    assert release_folders(tmp_path)[older] == made, "one that came along later replaces none that was made here"
