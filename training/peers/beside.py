"""The usual methods and a release measured in the same harness, and the table of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kpfootprint.conclusions import Rules
from kpfootprint.release import load_release
from training.config import evidence_config_of, read_config
from training.evaluate.doubts import suspects_of
from training.evaluate.measure import measure, measure_shares
from training.evaluate.methods import Method, measured_on
from training.evaluate.own import OwnEvidence
from training.evaluate.setting import Setting
from training.package import load_package
from training.peers import PEERS, UNMIXERS
from training.peers.oracle import measure_beside_oracle
from training.peers.table import render_peers
from training.prepare import assumed_days, fit_model, prepare, usable_zones
from training.record import Evaluation, read_evaluation


def measure_peers(reference: Path, out: Path, model: Path | None, progress: Callable[[str], None]) -> Path:
    """Measure every method on a package, and write ``peers.md`` and a JSON for each method into a folder.

    Parameters
    ----------
    model : Path, optional
        Evaluated release whose own row joins the table; its zones are measured then.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    ReleaseError, ReferenceDataError
        Where a folder is not whole, or the release was not evaluated.
    """
    warnings.filterwarnings("ignore", "The number of unique classes")  # zones of few parcels are classes all the same
    package, settings = load_package(reference), read_config()
    own: list[Evaluation] = [] if model is None else [read_evaluation(model)]
    release = None if model is None else load_release(model)
    zones = usable_zones(package, settings.minimum_parcels) if release is None else release.zone_ids
    assumed = assumed_days(package.zone_table, zones)
    package = measured_on(package, zones)
    prepared = prepare(package, minimum_parcels=1)
    found = own[0].suspects if own else suspects_of(prepared, fit_model(prepared))
    suspects = [item.parcel_id for item in found if item.reason == "mislabelled"]
    verification: list[Evaluation] = []
    evidence = settings.evidence if release is None else evidence_config_of(release)
    rules = Rules.from_json(settings.conclusion)
    methods: tuple[Method, ...] = (*PEERS, OwnEvidence(evidence, rules.strong_novelty_p))
    for method in methods:
        progress(method.name)
        setting = Setting.of(
            method, package, suspects, unlisted_weight=evidence.unlisted_weight, turned=evidence.turned
        )
        verification.append(measure(setting))
    mixing: list[Evaluation] = []
    for unmixer in UNMIXERS:
        progress(unmixer.name)
        mixing.append(measure_shares(unmixer.name, partial(unmixer.learnt_from, package), setting))
    progress("simulated world")
    simulated, _ = measure_beside_oracle(
        methods, package, unlisted_weight=evidence.unlisted_weight, turned=evidence.turned
    )
    page = render_peers(
        [*verification, *own],
        [*mixing, *own],
        simulated,
        n_parcels=len(package.batch) - len(suspects),
        days=[] if assumed else [item.day.isoformat() for item in setting.days],
        synthetic=package.synthetic,
    )
    out.mkdir(parents=True, exist_ok=True)
    for evaluation in [*verification, *mixing]:
        name = "".join(c if c.isalnum() else "-" for c in evaluation.release.lower())
        (out / f"{name}.json").write_text(evaluation.to_json(), encoding="utf-8")
    (out / "peers.md").write_text(page, encoding="utf-8")
    return out / "peers.md"
