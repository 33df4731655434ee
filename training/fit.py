"""From a reference package to a calibrated model folder."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import kpfootprint
from kpfootprint.comparison.weigh import Terms
from kpfootprint.conclusions import Rules
from kpfootprint.reference import ReferencePackage
from kpfootprint.release import Release, write_release
from kpfootprint.stats.calibration import Cases
from kpfootprint.stats.learning import check_structure
from kpfootprint.stats.model import FootprintModel, Ordination
from kpfootprint.stats.shares import NONE_P, blendedness, estimate_shares
from kpfootprint.stats.summaries import summarise
from kpfootprint.stats.tables import resample_tables
from training.amortise import fit_gate, fit_novelty, fit_share_networks, rank_view, seen_in_turn
from training.calibrate import (
    calibrate,
    choose,
    held_out_candidates,
    held_out_fits,
    resample,
    resample_sources,
    splits_of,
)
from training.config import FitConfig
from training.declarants import try_declarations
from training.prepare import Fitted, Prepared, assumed_days, fit_model, prepare, prior_covariance, with_weight
from training.rank import (
    as_held_out,
    error_table,
    fit_detection,
    fit_goods,
    fit_sets,
    fit_share_model,
    judged_view,
)
from training.simulate import Urn, simulate


def _ordination(fitted: Fitted, prepared: Prepared) -> Ordination:
    """Return the two axes with the largest ratio of variance between zones to variance within, and the parcels."""
    root = np.linalg.inv(np.linalg.cholesky(fitted.model.within))
    values, vectors = np.linalg.eigh(root @ np.cov(fitted.model.groups.T) @ root.T)
    axes = root.T @ vectors[:, np.argsort(values)[::-1][:2]]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    numbers = summarise(prepared.arrays, fitted.structure).estimates[0]
    return Ordination(axes=axes, points=(numbers - fitted.model.mean) @ axes, source=prepared.groups)


def fit(
    reference: ReferencePackage,
    config: FitConfig,
    progress: Callable[[str], None],
    prior_release: Release | None = None,
) -> tuple[FootprintModel, dict[str, Any]]:
    """Fit and calibrate a model; return it with the manifest that describes it.

    Parameters
    ----------
    progress : callable
        Called with the name of each stage before it begins.
    prior_release : Release, optional
        Whose covariance of parcels of one zone is believed in beforehand.
    """
    seeds = np.random.SeedSequence(config.seed).spawn(6)
    progress("structure and parcel model")
    prepared = prepare(reference, minimum_parcels=config.minimum_parcels)
    prior = None if prior_release is None else prior_covariance(prior_release, prepared)
    plain = fit_model(prepared, table_vote=config.evidence.table_vote, prior=prior)
    sets = prepared.allowed_sets
    progress("gate: which sizes can be trusted")
    urn = Urn(fitted=plain, sets=sets, n_jobs=config.n_jobs)
    gate = fit_gate(urn, prepared.arrays, prepared.groups, config, seeds[0])
    progress("evidence and calibration on parcels left out in turn")
    splits = splits_of(prepared, n_folds=config.n_folds, seed=config.seed)
    vote = config.evidence.table_vote
    fits = held_out_fits(prepared, splits, table_vote=vote, prior=prior, n_jobs=config.n_jobs)
    candidates = held_out_candidates(prepared, splits, fits, gate, n_jobs=config.n_jobs)
    kept = plain.model.other <= 0.5
    table_weight = choose(candidates, prepared.groups, prepared.arrays.n_stones, np.flatnonzero(kept), config.evidence)
    fitted = replace(with_weight(plain, table_weight), gate=gate)
    drawn = resample(prepared.groups, n_resamples=config.n_resamples, seed=config.seed)
    evidence = candidates.evidence(table_weight, vote)
    calibration, cases = calibrate(prepared, evidence, kept, config.evidence, times=drawn)
    progress("network of undeclared shares")
    urn = Urn(fitted=fitted, sets=sets, n_jobs=config.n_jobs)
    networks = fit_share_networks(urn, config, seeds[1])
    progress("ranks, coverage and error rates")
    ranking = partial(rank_view, fitted=fitted, networks=networks)
    ranked, truth = simulate(ranking, urn, config.ranks, n=config.n_ranked, seed=seeds[2])
    rows = np.flatnonzero(kept)
    turns = [
        (split, replace(with_weight(one, table_weight), gate=gate)) for split, one in zip(splits, fits, strict=True)
    ]
    held = seen_in_turn(prepared, turns, networks, kept=rows, n_jobs=config.n_jobs)
    goods = fit_goods(ranked, truth, held, networks.goods)
    shares = fit_share_model(ranked, truth, held, networks.shares, goods)
    ln_n = np.log(prepared.arrays.n_stones[kept])
    novelty = as_held_out(fit_novelty(urn, config, seeds[3]), candidates.strangeness(table_weight)[kept], ln_n)
    progress("resampled reference parcels")
    model = FootprintModel(
        structure=fitted.structure,
        predictor=fitted.predictor,
        bands=fitted.bands,
        gate=gate,
        shares=shares,
        calibration=calibration,
        novelty=novelty,
        detection=np.zeros(6),
        ordination=_ordination(fitted, prepared),
        resampled_sources=resample_sources(prepared, fitted, drawn),
        n_reference=np.bincount(prepared.groups, minlength=len(prepared.zone_ids)).astype(np.intp),
        largest=float(prepared.arrays.n_stones.max()),
        tables=resample_tables(fitted.tables, prepared.arrays, fitted.structure, prepared.groups, drawn),
        goods=goods,
        sets=fit_sets(ranked, truth),
        novelty_weight=fitted.novelty_weight,
    )
    estimates = estimate_shares(shares, ranked.chances, ranked.ln_n, blendedness(truth.declared))
    model = replace(model, detection=fit_detection(estimates.p_value <= NONE_P, truth, ranked.ln_n, fitted))
    progress("conclusions, and declarants who try")
    rules, weight = Rules.from_json(config.conclusion), config.evidence.unlisted_weight
    terms = Terms(model=model, rules=rules, unlisted_weight=weight)
    judging = partial(judged_view, terms=terms)
    (conclusion, ln_n), of_judged = simulate(judging, urn, config.ranks, n=config.n_judged, seed=seeds[4])
    tried = try_declarations(terms, urn, config.ranks, n=config.n_tried, seed=seeds[5])
    manifest = _manifest(prepared, fitted, config, cases)
    manifest["error_rates"] = error_table(conclusion, of_judged, ln_n, tried)
    manifest["n_ranked"] = config.n_judged
    if prior_release is not None:
        manifest["prior"] = {"release": prior_release.name, "sha256": prior_release.manifest_sha256}
    return model, manifest


def _manifest(prepared: Prepared, fitted: Fitted, config: FitConfig, cases: Cases) -> dict[str, Any]:
    reference = prepared.reference
    statistic, degrees, p_value = check_structure(
        fitted.structure, prepared.arrays, prepared.groups, len(prepared.zone_ids)
    )
    parcel_ids = [reference.batch.parcels[row].parcel_id for row in prepared.rows]
    model, asked = fitted.model, cases.is_h1[cases.share == 1.0]
    return {
        "release": "unreleased",
        "released": False,
        "software": {"name": "kpfootprint", "version": kpfootprint.__version__},
        "made_with": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "scikit-learn")},
        "seed": config.seed,
        "config": {name: value for name, value in asdict(config).items() if name != "acceptance"},
        "reference": {
            **reference.identity,
            "n_parcels": {
                zone: int(count) for zone, count in zip(prepared.zone_ids, np.bincount(prepared.groups), strict=True)
            },
        },
        "carats": {
            zone: [
                round(float(reference.batch.parcels[row].carats or 0.0), 3)
                for row in prepared.rows[prepared.groups == k].tolist()
            ]
            for k, zone in enumerate(prepared.zone_ids)
        },
        "scheme": reference.scheme.to_json(),
        "zone_table": reference.zone_table.to_json(),
        "zone_ids": list(prepared.zone_ids),
        "assumed_days": assumed_days(reference.zone_table, prepared.zone_ids),
        "level_names": [list(names) for names in prepared.level_names],
        "unlisted_weight": config.evidence.unlisted_weight,
        "evidence": {"table_weight": fitted.tables.weight},
        "rules": asdict(Rules.from_json(config.conclusion)),
        "verbal_scale": json.loads(Path(kpfootprint.__file__).with_name("verbal_scale.json").read_text("utf-8")),
        "softness": fitted.structure.softness,
        "structure_test": {
            "statistic": statistic.round(2).tolist(),
            "degrees": degrees.tolist(),
            "p_value": p_value.round(4).tolist(),
        },
        "suspects": [
            {
                "parcel_id": parcel_ids[row],
                "zone_id": prepared.zone_ids[prepared.groups[row]],
                "chance_of_another_zone": round(float(model.other[row]), 4),
            }
            for row in np.flatnonzero(model.other > 0.5)
        ],
        "calibration_trials": {"n_true": int(asked.sum()), "n_false": int((~asked).sum())},
    }


def write_fit(folder: Path, model: FootprintModel, manifest: dict[str, Any], card: str) -> None:
    """Write a calibrated folder that ``--model`` accepts."""
    write_release(folder, manifest, model, {"CARD.md": card, "evaluation.json": "{}\n"})
