"""Fits, evaluations and batches on a Dask cluster give what they give here; a killed worker costs time alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpfootprint.cli.examine import CHUNK, examined
from kpfootprint.errors import NotExamined
from kpfootprint.parcel import Parcel
from kpfootprint.release import Release, load_release
from kpfootprint.report import Report
from kpfootprint.stats.model import FootprintModel
from tests.cluster import Cluster, cluster
from tests.training.packages import Kind, write_folder
from tests.training.test_any_package_served import small
from training.config import read_config
from training.evaluate.run import evaluate_model
from training.fit import fit, write_fit
from training.package import load_package
from training.progress import workers
from training.publish import card_of

pytestmark = pytest.mark.slow

NOW = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small package."""
    return write_folder(tmp_path_factory.mktemp("cluster") / "package", Kind(parcels=(5, 5, 5, 5), n_stones=80))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Cluster]:
    """Run a cluster of this test's own, whose workers may be killed."""
    pytest.importorskip("distributed", reason="dask: the extra is not installed")
    (tmp_path / "dask").mkdir()
    with cluster(tmp_path / "dask") as made:
        yield made


def fitted(package: Path, scheduler: str | None) -> tuple[FootprintModel, dict[str, Any]]:
    with workers(1, scheduler):
        return fit(load_package(package), small(read_config()), print)


def evaluation(package: Path, folder: Path, scheduler: str | None, told: Any = print) -> dict[str, Any]:
    with workers(1, scheduler):
        criteria, n_jobs = read_config().acceptance, 2 if scheduler else 1
        evaluate_model(folder, package, quick=True, n_jobs=n_jobs, progress=told, criteria=criteria)
    document: dict[str, Any] = json.loads((folder / "evaluation.json").read_text("utf-8"))
    del document["made"]["seconds"]
    return document


def test_a_cluster_fits_and_evaluates_alike_and_a_killed_worker_costs_time_alone(
    package: Path, running: Cluster, tmp_path: Path
) -> None:
    model, manifest = fitted(package, None)
    here, there = tmp_path / "here", tmp_path / "there"
    write_fit(here, model, manifest, card_of(manifest))
    other, its = fitted(package, running.address)
    write_fit(there, other, its, card_of(its))
    with np.load(here / "model.npz") as mine, np.load(there / "model.npz") as theirs:
        assert mine.files == theirs.files
        for name in mine.files:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
    stages = []

    def told(stage: str) -> None:
        stages.append(stage)
        if len(stages) == 1:
            threading.Timer(2.0, running.workers[0].kill).start()

    alone = evaluation(package, here, None)
    assert evaluation(package, there, running.address, told) == alone
    assert running.workers[0].poll() is not None, "the evaluation was over before a worker was killed"
    assert running.workers[1].poll() is None


def test_a_batch_outlives_a_worker(package: Path, running: Cluster, tmp_path: Path) -> None:
    model, manifest = fitted(package, None)
    write_fit(tmp_path / "model", model, manifest, card_of(manifest))
    release, parcels = load_release(tmp_path / "model"), load_package(package).batch.parcels * 12
    here = list(examined(parcels, release, NOW, workers=1, scheduler=None))
    assert len(here) == len(parcels) > 4 * CHUNK
    assert outlived(parcels, release, running) == here
    assert running.workers[0].poll() is not None


def outlived(parcels: tuple[Parcel, ...], release: Release, running: Cluster) -> list[Report | NotExamined]:
    """Return what comes of a batch on a cluster of which a worker is killed after the first parcel."""
    found: list[Report | NotExamined] = []
    for one in examined(parcels, release, NOW, workers=1, scheduler=running.address):
        if not found:
            running.workers[0].kill()
        found.append(one)
    return found
