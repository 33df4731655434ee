"""Judge a fitted and evaluated folder, name it and copy it among the releases; its card says what to know of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kpfootprint.errors import ReleaseError
from kpfootprint.release import MANIFEST, load_release, write_release
from kpfootprint.report.locale import words
from kpfootprint.report.problems import remark_text
from training.acceptance import Criteria, Judgement, judge
from training.record import read_evaluation, stones_between

_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The judgement, and the folder of the release where there is one now."""

    judgement: Judgement
    folder: Path | None


def publish(
    model: Path,
    *,
    models: Path,
    in_force: Path | None,
    criteria: Criteria,
    known: Mapping[str, Path],
    name: str | None = None,
    force: str | None = None,
) -> Outcome:
    """Copy a folder to `models` under a release name, if it is good enough or there is a reason all the same.

    Nothing is put in force by it.

    Parameters
    ----------
    in_force : Path or None
        The release that a candidate must not be worse than.
    known : mapping of str to Path
        Releases elsewhere, by name: no other is called as they are, or one could be put in force for the other.

    Raises
    ------
    ReleaseError
        Where the folder is not whole, the name is none, or a release of that name is there already.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise ReleaseError("a release's name is letters, digits, dots and hyphens, got {name}", name=repr(name))
    if force is not None and not force.strip():
        raise ReleaseError("--force needs a reason, which stands in the card of the release")
    candidate = load_release(model)
    judgement = _judged(model, in_force, criteria)
    if judgement.reasons and force is None:
        return Outcome(judgement=judgement, folder=None)
    taken = {**known, **{path.parent.name: path.parent for path in models.glob(f"*/{MANIFEST}")}}
    chosen = name or _next_name(taken)
    folder = models / chosen
    if chosen in taken:
        raise ReleaseError("{folder} is a release already; releases are never changed", folder=taken[chosen])
    manifest = dict(candidate.manifest) | {"release": chosen, "released": True}
    if judgement.reasons:
        manifest["forced"] = {"reason": force, "against": list(judgement.reasons)}
    manifest.pop("files")
    measured = model / "evaluation.json"
    evaluation = json.loads(measured.read_text("utf-8")) if measured.is_file() else {}
    if evaluation:
        evaluation["release"] = chosen
    texts = {
        "CARD.md": card_of(manifest),
        "evaluation.json": json.dumps(evaluation, ensure_ascii=False) + "\n",
    }
    if evaluation:
        from training.validation_report import render_validation  # draws, which judging does not need

        texts["validation.html"] = render_validation(replace(read_evaluation(model), release=chosen), criteria)
    write_release(folder, manifest, candidate.model, texts)
    return Outcome(judgement=judgement, folder=folder)


def _judged(model: Path, in_force: Path | None, criteria: Criteria) -> Judgement:
    try:
        evaluation = read_evaluation(model)
    except ReleaseError as error:
        return Judgement(reasons=(str(error),), remarks=())
    before, remarks = None, []
    if in_force is not None:
        try:
            before = read_evaluation(in_force)
        except ReleaseError:
            said = "has no evaluation: whether this is worse cannot be said"
            remarks = [f"the release in force, {in_force.name}, {said}"]
    judgement = judge(evaluation, criteria, in_force=before)
    return replace(judgement, remarks=(*judgement.remarks, *remarks))


def _next_name(taken: Iterable[str]) -> str:
    year = datetime.now(UTC).year
    numbers = [int(hit[1]) for name in taken if (hit := re.fullmatch(rf"{year}\.(\d+)", name))]
    return f"{year}.{max(numbers, default=0) + 1}"


def card_of(manifest: Mapping[str, Any]) -> str:
    """Return the text of ``CARD.md``."""
    reference, rules = manifest["reference"], manifest["rules"]
    counts = "\n".join(f"| {zone} | {count} |" for zone, count in reference["n_parcels"].items())
    suspects = ", ".join(f"{s['parcel_id']} ({s['zone_id']})" for s in manifest["suspects"]) or "none"
    table = manifest["structure_test"]["p_value"]
    tested = [min(column) for column in zip(*table, strict=True)]  # none with one attribute beside size
    n_tests = sum(len(row) for row in table)
    odd = [zone for zone, p in zip(manifest["zone_ids"], tested, strict=False) if p * n_tests < 0.05]
    errors = "\n".join(
        f"| {stones_between(row['n_stones_low'], row['n_stones_high'])} | {_rate(row, 'true_declarations_queried')} "
        f"| {_rate(row, 'false_declarations_accepted')} | {row.get('true_declarations_consistent', 0):.0%} |"
        for row in manifest["error_rates"]
    )
    changed = ", ".join(f"{name} = {value}" for name, value in manifest["config"].get("changed", {}).items()) or "none"
    forced = _forced(manifest["forced"]) if "forced" in manifest else ""
    synthetic = "**The reference parcels are synthetic: nothing here speaks of real goods.**" * reference["synthetic"]
    return f"""# Release {manifest["release"]}

A model that compares parcels of rough diamonds with reference footprints. It speaks of parcels, never of single
stones, and weighs evidence; a decision stays with people. {synthetic}
{forced}
- Reference: {reference["name"]} {reference["version"]} (SHA-256 of its descriptor {reference["sha256"]})
- Seed: {manifest["seed"]}; made with {", ".join(f"{k} {v}" for k, v in manifest["made_with"].items())}
- Settings that are not the usual ones: {changed}
- Weight of an unlisted source in H2: {manifest["unlisted_weight"]:g}
- Evidence: {_evidence(manifest)}
- Reference parcels that seem to belong to another zone: {suspects}
- Zones whose attributes do not hang together as in the others (p < 0.05, for {n_tests} tests
  together): {", ".join(odd) or "none"}
- Fewer than {rules["minimum_stones"]:g} stones are not compared
- Parcels far from every zone (novelty p of {rules["strong_novelty_p"]:g} or less) carry a log10 LR of 1 at most
{_assumed(manifest.get("assumed_days", []))}{_remarks(manifest.get("remarks", []))}
| zone | reference parcels |
|---|---|
{counts}

Errors of the conclusion on {manifest["n_ranked"]} parcels drawn from the model (true and false declarations, some of
them sieved, a quarter with no conditions stated):

| stones | true declarations queried | false ones called consistent | true ones called consistent |
|---|---|---|---|
{errors}

What nobody can know from it: whether a source that looks like the declared zone and was never sampled lies behind a
parcel; which stones of a parcel are the undeclared ones; who held the ground they came from.
"""


def _evidence(manifest: Mapping[str, Any]) -> str:
    prior = manifest.get("prior")
    leaning = f"; the spread of parcels of one zone leans on release {prior['release']}" if prior else ""
    weight = manifest["evidence"]["table_weight"]
    return f"tables weigh {weight:.0%} beside the explicit model, as cross-validation chose{leaning}"


def _assumed(days: Sequence[str]) -> str:
    if not days:
        return ""
    return f"""- **Status of zones assumed**: the package's own never tells zones apart, so in training and measuring
  half of the zones were taken to be compliant, another half from each of {", ".join(days)} on
"""


def _remarks(found: Sequence[Mapping[str, Any]]) -> str:
    return "".join(f"- **In doubt**: {remark_text(item, words('en'))}\n" for item in found)


def _forced(forced: Mapping[str, Any]) -> str:
    against = "\n".join(f"- {reason}" for reason in forced["against"])
    return f"""
**Released against the judgement**, for this reason: {forced["reason"]}

What spoke against it:

{against}

What it is made of:
"""


def _rate(row: Mapping[str, Any], name: str) -> str:
    if name not in row:
        return "no parcels"
    cell = row[name]
    return f"{cell['rate']:.1%} ({cell['errors']} of {cell['trials']})"
