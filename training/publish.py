"""Judge a fitted and evaluated folder, name it and copy it among the releases; its card says what to know of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kpfootprint.errors import ReleaseError
from kpfootprint.release import MANIFEST, load_release, write_release
from kpfootprint.report.locale import words
from kpfootprint.report.problems import remark_text
from training import filled
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
    taken = {**known, **{path.parent.name: path.parent for path in models.glob(f"*/{MANIFEST}")}}
    if model.resolve() in {folder.resolve() for folder in taken.values()}:
        raise ReleaseError("{folder} is a release already; releases are never changed", folder=model)
    candidate = load_release(model)
    judgement = _judged(model, in_force, criteria)
    if judgement.reasons and force is None:
        return Outcome(judgement=judgement, folder=None)
    chosen = name or _next_name(taken)
    folder = models / chosen
    if chosen in taken:
        raise ReleaseError("{folder} is a release already; releases are never changed", folder=taken[chosen])
    manifest = dict(candidate.manifest) | {"release": chosen, "released": True}
    if judgement.reasons:
        manifest["forced"] = {"reason": force, "against": list(judgement.reasons)}
    manifest.pop("files")
    texts = {"CARD.md": card_of(manifest), "evaluation.json": "{}\n"}
    with suppress(ReleaseError):  # not measured: released for a reason all the same
        from training.validation_report import render_validation  # draws, which judging does not need

        evaluation = replace(read_evaluation(model), release=chosen)
        texts |= {"evaluation.json": evaluation.to_json(), "validation.html": render_validation(evaluation, criteria)}
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
    table = manifest["structure_test"]["p_value"]
    tested = [min(column) for column in zip(*table, strict=True)]  # none with one attribute beside size
    n_tests = sum(len(row) for row in table)
    return filled(
        "card.md",
        **manifest,
        n_tests=n_tests,
        odd=[zone for zone, p in zip(manifest["zone_ids"], tested, strict=False) if p * n_tests < 0.05],
        doubts=[remark_text(item, words("en")) for item in manifest.get("remarks", ())],
        stones_between=stones_between,
    )
