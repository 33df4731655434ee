"""The release card: what a person should know of a release before trusting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kpfootprint.report.locale import words
from kpfootprint.report.problems import remark_text


def card_of(manifest: Mapping[str, Any]) -> str:
    """Return the text of ``CARD.md``."""
    reference, rules = manifest["reference"], manifest["rules"]
    counts = "\n".join(f"| {zone} | {count} |" for zone, count in reference["n_parcels"].items())
    suspects = ", ".join(f"{s['parcel_id']} ({s['zone_id']})" for s in manifest["suspects"]) or "none"
    table = manifest["structure_test"]["p_value"]
    tested = _smallest_p(table)  # nothing to test with one attribute beside size
    n_tests = sum(len(row) for row in table)
    odd = [zone for zone, p in zip(manifest["zone_ids"], tested, strict=False) if p * n_tests < 0.05]
    errors = "\n".join(
        f"| {row['n_stones_low']} to {row['n_stones_high']} | {_rate(row, 'true_declarations_queried')} "
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
- Zones whose colour and morphology do not hang together as in the others (p < 0.05, for {n_tests} tests
  together): {", ".join(odd) or "none"}
- Fewer than {rules["minimum_stones"]:g} stones are not compared
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
"""


def _smallest_p(table: list[list[float]]) -> list[float]:
    return [min(column) for column in zip(*table, strict=True)] if table else []


def _rate(row: Mapping[str, Any], name: str) -> str:
    if name not in row:
        return "no parcels"
    cell = row[name]
    return f"{cell['rate']:.1%} ({cell['errors']} of {cell['trials']})"
