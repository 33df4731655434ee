"""Judge a fitted and evaluated folder, name it and copy it among the releases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kpfootprint.errors import ReleaseError
from kpfootprint.release import load_release, shipped_release, write_release
from kpfootprint.release_files import MANIFEST
from training.card import card_of
from training.criteria import read_criteria
from training.evaluate.record import read_evaluation
from training.judge import Judgement, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The judgement, and the folder of the release where there is one now."""

    judgement: Judgement
    folder: Path | None


def publish(model: Path, *, models: Path, name: str | None = None, force: str | None = None) -> Outcome:
    """Copy a folder to `models` under a release name, if it is good enough or there is a reason all the same.

    Raises
    ------
    ReleaseError
        Where the folder is not whole, or a release of that name is there already.
    """
    candidate = load_release(model)
    try:
        in_force = read_evaluation(shipped_release())
    except (ReleaseError, ValueError, KeyError):
        in_force = None
    try:
        judgement = judge(read_evaluation(model), read_criteria(), in_force=in_force)
    except (ValueError, KeyError) as error:
        judgement = Judgement(reasons=(f"not evaluated: {error}",), remarks=())
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
    evaluation = json.loads((model / "evaluation.json").read_text("utf-8"))
    if evaluation:
        evaluation["release"] = chosen
    texts = {
        "CARD.md": card_of(manifest),
        "evaluation.json": json.dumps(evaluation, ensure_ascii=False) + "\n",
    }
    write_release(folder, manifest, candidate.model, texts)
    return Outcome(judgement=judgement, folder=folder)


def _next_name(models: Path) -> str:
    year = datetime.now(UTC).year
    taken = [int(path.name.split(".")[1]) for path in models.glob(f"{year}.*") if path.name.split(".")[1].isdigit()]
    return f"{year}.{max(taken, default=0) + 1}"
