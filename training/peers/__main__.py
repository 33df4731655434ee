"""``python -m training.peers --reference F --out F [--model F]``: measure the usual methods and write their table."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from kpfootprint.conclusions import Rules
from kpfootprint.errors import ReferenceDataError, ReleaseError
from kpfootprint.release import load_release
from training.config import read_config
from training.evaluate.doubts import suspects_of
from training.evaluate.measure import measure, measure_shares
from training.evaluate.methods import Method, measured_on, zones_of
from training.evaluate.own import OwnEvidence
from training.evaluate.setting import SEED, Setting
from training.evaluate.trials import draw_export_days
from training.package import load_package
from training.peers import PEERS, UNMIXERS
from training.peers.oracle import measure_beside_oracle
from training.peers.table import render_peers
from training.prepare import fit_model, prepare, usable_zones
from training.record import Evaluation, read_evaluation


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.peers", description=__doc__)
    parser.add_argument("--reference", type=Path, required=True, help="folder of the reference package")
    parser.add_argument("--out", type=Path, required=True, help="folder to write peers.md and one JSON a method to")
    parser.add_argument("--model", type=Path, help="release whose own row joins the table")
    parser.add_argument("--resamples", type=int, default=300, help="bootstrap draws of each interval")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore", "The number of unique classes")  # zones of few parcels are classes all the same
    try:
        package = load_package(options.reference)
        settings = read_config()
        release = load_release(options.model) if options.model else None
        own: list[Evaluation] = [read_evaluation(options.model)] if options.model else []
        zones = release.zone_ids if release else usable_zones(package, settings.minimum_parcels)
    except (ReferenceDataError, ReleaseError) as error:
        print(error, file=sys.stderr)
        return 2
    package = measured_on(package, zones)
    prepared = prepare(package, minimum_parcels=1)
    found = own[0].suspects if own else suspects_of(prepared, fit_model(prepared))
    suspects = [item.parcel_id for item in found if item.reason == "mislabelled"]
    verification: list[Evaluation] = []
    weight = float(own[0].made["unlisted weight"]) if own else settings.evidence.unlisted_weight
    rules = Rules.from_json(settings.conclusion)
    evidence = replace(settings.evidence, unlisted_weight=weight)
    methods: tuple[Method, ...] = (*PEERS, OwnEvidence(evidence, rules.strong_novelty_p))
    for method in methods:
        print(method.name, file=sys.stderr)
        setting = Setting.of(method, package, suspects, unlisted_weight=weight)
        verification.append(measure(setting, n_resamples=options.resamples))
    mixing: list[Evaluation] = []
    for unmixer in UNMIXERS:
        print(unmixer.name, file=sys.stderr)
        learnt_from = partial(unmixer.learnt_from, package)
        mixing.append(measure_shares(unmixer.name, learnt_from, package, trusted=setting.trusted))
    print("simulated world", file=sys.stderr)
    simulated, _ = measure_beside_oracle(methods, package, unlisted_weight=weight, n_resamples=options.resamples)
    days = draw_export_days(package.zone_table, zones_of(package), rng=np.random.default_rng(SEED))
    page = render_peers(
        [*verification, *own],
        [*mixing, *own],
        simulated,
        n_parcels=len(package.batch) - len(suspects),
        days=[item.day.isoformat() for item in days],
        synthetic=package.synthetic,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    for evaluation in [*verification, *mixing]:
        name = "".join(c if c.isalnum() else "-" for c in evaluation.release.lower())
        (options.out / f"{name}.json").write_text(evaluation.to_json(), encoding="utf-8")
    (options.out / "peers.md").write_text(page, encoding="utf-8")
    print(options.out / "peers.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
