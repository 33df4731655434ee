"""Judge a fitted and evaluated folder, name it and copy it among the releases."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kpfootprint.errors import ReleaseError
from kpfootprint.release import MANIFEST, load_release, write_release
from training.acceptance import Criteria, Judgement, judge
from training.card import card_of
from training.config import read_config
from training.record import Evaluation, read_evaluation

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
    criteria: Criteria | None = None,
    name: str | None = None,
    force: str | None = None,
) -> Outcome:
    """Copy a folder to `models` under a release name, if it is good enough or there is a reason all the same.

    Nothing is put in force by it.

    Parameters
    ----------
    in_force : Path or None
        The release that a candidate must not be worse than.
    criteria : Criteria, optional
        What it is judged by; those of ``config.toml`` without them.

    Raises
    ------
    ReleaseError
        Where the folder is not whole, the name is none, or a release of that name is there already.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise ReleaseError(f"a release's name is letters, digits, dots and hyphens, got {name!r}")
    if force is not None and not force.strip():
        raise ReleaseError("--force needs a reason, which stands in the card of the release")
    candidate, criteria = load_release(model), criteria or read_config().acceptance
    judgement = _judged(model, in_force, criteria)
    if judgement.reasons and force is None:
        return Outcome(judgement=judgement, folder=None)
    chosen = name or _next_name(models)
    folder = models / chosen
    if (folder / MANIFEST).exists():
        raise ReleaseError(f"{folder} is a release already; releases are never changed")
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
    except (ValueError, KeyError, OSError):
        reason = f"it was not evaluated: python -m training evaluate --model {model}"
        return Judgement(reasons=(reason,), remarks=())
    before: Evaluation | None = None
    notes: tuple[str, ...] = ()
    if in_force is not None:
        try:
            before = read_evaluation(in_force)
        except (ValueError, KeyError, OSError):
            notes = (f"the release in force, {in_force.name}, has no evaluation: whether this is worse cannot be said",)
    judgement = judge(evaluation, criteria, in_force=before)
    return Judgement(reasons=judgement.reasons, remarks=(*judgement.remarks, *notes))


def _next_name(models: Path) -> str:
    year = datetime.now(UTC).year
    taken = [int(path.name.split(".")[1]) for path in models.glob(f"{year}.*") if path.name.split(".")[1].isdigit()]
    return f"{year}.{max(taken, default=0) + 1}"
