"""``fit --prior RELEASE``: what an older release knows of the spread of parcels is carried over, as the card says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from kpfootprint.release import load_release
from tests.reference_world import fitted, prepared
from tests.training.packages import PLAIN, Kind, write_folder
from tests.training.test_any_package_served import small
from tests.worlds import shipped
from training.__main__ import main
from training.config import read_config
from training.fit import fit, write_fit
from training.package import load_package
from training.prepare import prepare, prior_covariance
from training.publish import card_of


@pytest.mark.slow
def test_the_covariance_of_an_older_release_comes_back_as_it_was_learnt() -> None:
    older = replace(shipped(), model=replace(shipped().model, predictor=fitted().predictor))
    np.testing.assert_allclose(prior_covariance(older, prepared()), fitted().model.within, atol=1e-12)


def test_a_release_of_other_attributes_is_no_prior(tmp_path: Path) -> None:
    package = prepare(load_package(write_folder(tmp_path / "package", PLAIN)), minimum_parcels=3)
    with pytest.raises(ValueError, match="has other attributes or classes than the package"):
        prior_covariance(shipped(), package)


def test_a_prior_is_named_as_releases_are(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "package", PLAIN)
    done = CliRunner().invoke(
        main, ["fit", "--reference", str(folder), "--out", str(tmp_path / "o"), "--prior", "none"]
    )
    assert done.exit_code == 2
    assert "there is no folder and no release 'none'" in done.output


@pytest.mark.slow
def test_the_card_names_the_release_that_was_leant_on(tmp_path: Path) -> None:
    packages = [write_folder(tmp_path / name, Kind(parcels=(n,) * 4, n_stones=60)) for name, n in (("a", 6), ("b", 3))]
    config = small(read_config())
    model, manifest = fit(load_package(packages[0]), config, print)
    write_fit(tmp_path / "older", model, manifest | {"release": "mine.1"}, card_of(manifest))
    older = load_release(tmp_path / "older")
    plain, _ = fit(load_package(packages[1]), config, print)
    leaning, said = fit(load_package(packages[1]), config, print, older)
    assert said["prior"] == {"release": "mine.1", "sha256": older.manifest_sha256}
    assert "leans on release mine.1" in card_of(said).replace("\n", " ")
    assert not np.allclose(leaning.predictor.within, plain.predictor.within)
