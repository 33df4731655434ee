"""The usual methods and a release measured in the same harness, and ``docs/peers.md``: losing cells included."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kpfootprint.conclusions import Rules
from kpfootprint.release import load_release
from training import filled
from training.config import evidence_config_of, read_config
from training.evaluate.doubts import suspects_of
from training.evaluate.measure import measure, measure_shares
from training.evaluate.methods import Method, measured_on
from training.evaluate.own import OwnEvidence
from training.evaluate.setting import Setting
from training.package import load_package
from training.peers import PEERS, UNMIXERS
from training.peers.oracle import measure_beside_oracle
from training.prepare import assumed_days, fit_model, prepare, usable_zones
from training.record import Evaluation, NoveltyCell, Result, read_evaluation

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("AUC", "as collected", "AUC"),
    ("Cllr", "as collected", "Cllr"),
    ("Cllr_min", "as collected", "Cllr_min"),
    ("true rejected at 5 % false", "as collected", "true rejected at 5 % false"),
    ("true with LR < 1/10", "as collected", "true, LR < 1/10"),
    ("false with LR > 10", "as collected", "false, LR > 10"),
    ("best zone right", "as collected", "best zone right"),
    ("AUC", "size range missing", "size range missing: AUC"),
    ("Cllr", "size range missing", "size range missing: Cllr"),
    ("Cllr", "high-graded", "high-graded: Cllr"),
    ("Cllr", "10 % of classes confused", "10 % of classes confused: Cllr"),
    ("Cllr", "100 stones of each", "100 stones: Cllr"),
    ("Cllr", "10% of reference labels wrong", "10 % of reference labels wrong: Cllr"),
    ("Cllr", "10 reference parcels a zone", "10 reference parcels a zone: Cllr"),
    ("Cllr", "3 reference parcels a zone", "3 reference parcels a zone: Cllr"),
    ("LR > 10 from nowhere", "zone left out, every declaration", "zone left out: LR > 10"),
    ("LR > 10 from nowhere", "zone left out, best declaration", "zone left out, best declaration: LR > 10"),
)
NOVELTY = (
    ("zone left out", "zone left out, flagged"),
    ("known zone", "known zone, flagged"),
    ("known zone, size range missing", "known zone, sizes missing, flagged"),
)

Table = dict[str, list[Any]]
"""A header, and a row for each method."""


def render_peers(
    verification: Sequence[Evaluation],
    mixing: Sequence[Evaluation],
    simulated: Sequence[Evaluation] = (),
    *,
    n_parcels: int,
    days: Sequence[str],
    synthetic: bool,
) -> str:
    """Return the page in Markdown.

    Parameters
    ----------
    verification, mixing, simulated : sequence of Evaluation
        One for each method, in the order of the rows; `release` is the method's name. `simulated` ends with the
        oracle.
    days : sequence of str
        Export days; none where the package's own status tells no zones apart.
    """
    later = sorted({r.conditions for e in verification for r in e.results if r.characteristic == "generalisation"})
    return filled(
        "peers.md",
        days=days,
        reference=verification[0].reference,
        n_parcels=n_parcels,
        synthetic=synthetic,
        verification=_by_column(verification, COLUMNS),
        later={conditions: _conditions(verification, conditions) for conditions in later},
        novelty=_novelty(verification),
        mixing=_mixing(mixing) if mixing else None,
        simulated=_conditions(simulated, "simulated world") if simulated else None,
    )


def _number(value: float) -> str:
    text = f"{value:.3f}"
    return text[1:] if text.startswith("0.") else text


def _cells(found: Sequence[Result | None], *, higher_is_better: bool) -> list[str]:
    values = [r.value for r in found if r is not None and r.value is not None]
    best = (max(values) if higher_is_better else min(values)) if values else None
    texts = []
    for r in found:
        if r is None or r.value is None:
            texts.append("–")
            continue
        text = _number(r.value)
        text = f"**{text}**" if best is not None and text == _number(best) else text
        limits = f" ({_number(r.low)}–{_number(r.high)})" if r.low is not None and r.high is not None else ""
        texts.append(text + limits)
    return texts


def _by_column(evaluations: Sequence[Evaluation], columns: Sequence[tuple[str, str, str]]) -> Table:
    header, body = ["method"], [[e.release] for e in evaluations]
    for metric, conditions, title in columns:
        found = [e.result(metric, conditions) for e in evaluations]
        if not any(found):
            continue
        header.append(title)
        better = metric in ("AUC", "best zone right") or metric.endswith(("covers", "found"))
        for row, text in zip(body, _cells(found, higher_is_better=better), strict=True):
            row.append(text)
    return {"header": header, "rows": body}


def _conditions(evaluations: Sequence[Evaluation], conditions: str) -> Table:
    names = ("AUC", "Cllr", "Cllr_min", "true rejected at 5 % false", "false with LR > 10")
    return _by_column(evaluations, [(name, conditions, name) for name in names])


def _novelty(evaluations: Sequence[Evaluation]) -> Table:
    def share(cell: NoveltyCell | None) -> str:
        return "–" if cell is None else f"{_number(cell.flagged / cell.trials)} ({cell.flagged} of {cell.trials})"

    rows = []
    for e in evaluations:
        cells = {cell.kind: cell for cell in e.novelty}
        rows.append([e.release, *(share(cells.get(kind)) for kind, _ in NOVELTY)])
    return {"header": ["method", *(title for _, title in NOVELTY)], "rows": rows}


def _mixing(evaluations: Sequence[Evaluation]) -> Table:
    names = dict.fromkeys(r.metric for e in evaluations for r in e.results if r.characteristic == "mixture")
    return _by_column(evaluations, [(name, "virtual mixtures", name) for name in names])


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
