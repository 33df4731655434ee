"""Releases: those that are here, which is in force, putting another one in force, and asking for a new one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from kpfootprint.errors import IngestError, Problem, ReleaseError
from kpfootprint.ingest.files.archive import Budget, Limits, unzipped
from kpfootprint.release import load_release
from kpfootprint.retold import again
from kpfootprint.strict_json import read_json
from kpfootprint.trial import try_release
from kpfootprint.visible import is_visible
from service.errors import Refused, existing
from service.register import activations, entries, jobs, submissions
from service.register.activations import Activation
from service.register.database import registering, writing
from service.register.tables import comparisons
from service.work.place import Mark, Workplace, mark_of

EVALUATION = "evaluation.json"
HEADLINE = {"AUC": "auc", "Cllr": "cllr"}
AS_COLLECTED = "as collected"
"""Conditions of the trials that a headline speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A release that is here; its `manifest` is empty where it cannot be read."""

    name: str
    folder: Path
    active: bool
    manifest: Mapping[str, Any]
    activations: tuple[Activation, ...]

    @property
    def card(self) -> str:
        """The card, in Markdown; nothing where there is none."""
        card = self.folder / "CARD.md"
        return card.read_text(encoding="utf-8") if card.is_file() else ""

    @property
    def evaluation(self) -> dict[str, Any]:
        """What was measured; nothing where it cannot be read."""
        return _json(self.folder / EVALUATION)

    @property
    def headline(self) -> dict[str, float | None]:
        """AUC and Cllr of the evaluation."""
        return dict(_headline(mark_of(self.folder / EVALUATION)))


def known_releases(work: Workplace) -> list[Known]:
    """Return every release that is here, and the one in force wherever it is."""
    active = work.release_folder().resolve()
    folders = activations.release_folders(work.settings.home)
    if active not in {folder.resolve() for folder in folders.values()}:
        folders[active.name] = active
    past = activations.activations(work.engine)
    return [
        Known(
            name=str(_json(folder / "manifest.json").get("release", name)),
            folder=folder,
            active=folder.resolve() == active,
            manifest=_json(folder / "manifest.json"),
            activations=tuple(item for item in past if item.release == name),
        )
        for name, folder in folders.items()
    ]


def known_release(work: Workplace, name: str) -> Known:
    """Return a release by its name."""
    known = known_releases(work)
    first = (*(item for item in known if item.folder.name == name), *(item for item in known if item.name == name))
    return existing(next(iter(first), None), "There is no release with this name.")


def activate(work: Workplace, name: str, *, reason: str, force: str | None = None, actor: str) -> Activation:
    """Put a release in force, once it is seen to be whole, to work, and to have been judged (or forced)."""
    found = known_release(work, name)
    _try(found.folder)
    if not found.manifest.get("released") and force is None:
        raise Refused(
            "conflict", "This release was not judged; to put it in force all the same, give the reason as 'force'."
        )
    return activations.activate(work.engine, found.folder.name, actor, reason, force=force)


def roll_back(work: Workplace, *, reason: str, actor: str) -> Activation:
    """Put the release in force that was before this one."""
    before = activations.before_the_last(work.engine)
    if before is None:
        raise Refused("conflict", "No other release was in force before.")
    found = activations.release_folders(work.settings.home).get(before)
    if found is None:
        raise Refused("conflict", "The release before this one, {name}, is not here any more.", name=before)
    _try(found)
    return activations.activate(work.engine, before, actor, reason, back=True)


def _try(folder: Path) -> None:
    try:
        try_release(load_release(folder))
    except ReleaseError as error:
        raise Refused("conflict", "This release cannot be used: {error}", error=error) from None


@lru_cache
def _headline(evaluation: Mark) -> dict[str, float | None]:
    told: dict[str, float | None] = dict.fromkeys(HEADLINE.values())
    for row in _json(evaluation[0]).get("results", ()):
        name = HEADLINE.get(row.get("metric"))
        if name and told[name] is None and row.get("conditions") == AS_COLLECTED:
            told[name] = row.get("value")
    return told


def _json(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def queue_reexamination(work: Workplace, release: str, *, actor: str) -> str:
    """Queue a re-examination of what stands in the register now, and return the id of its job."""
    name = known_release(work, release).name
    with writing(work.engine) as connection:
        total, last = connection.execute(sa.select(sa.func.count(), sa.func.max(comparisons.c.position))).one()
        parameters = {"release": name, "up_to": last or 0}
        return jobs.enqueue(
            connection, "reexamination", subject="register", actor=actor, total=total, parameters=parameters
        )


TRAINING, ROOT = (sys.executable, "-m", "training"), Path(__file__).parents[2]
"""The researcher's commands, and the folder in which they are run."""
STEPS = 100
"""Progress of a training is told in per cent: the first half is the fit, the second the evaluation."""


def queue_training(work: Workplace, *, name: str, package: bytes, config: str, actor: str) -> str:
    """Put a training into the queue and return the id of its job; `name` is that of the file of its package.

    Raises
    ------
    Refused
        Where the file is no archive or the settings do not fit; what is wrong inside of the package the job tells.
    """
    if problems := (*_no_archive(name, package), *_wrong_settings(config)):
        raise Refused("invalid_input", "The training cannot be begun.", problems=problems)
    with registering(work.engine) as connection:
        job_id = jobs.enqueue(
            connection, "training", subject="trainings", actor=actor, total=STEPS, parameters={"config": config}
        )
        digest = submissions.keep_file(connection, job_id, _as_file(name), package)
        values = {"job": job_id, "package_sha256": digest, "config": config}
        entries.append(connection, "training", actor=actor, subject=job_id, values=values)
    return job_id


def _as_file(name: str) -> str:
    """Return the name of a package as that of a file of its kind in one folder."""
    bare = "".join(filter(is_visible, PurePosixPath(name.replace("\\", "/")).name)).lstrip(".")[-60:]
    return bare if bare.lower().endswith((".zip", ".xlsx")) else f"{bare or 'package'}.zip"


def _no_archive(name: str, package: bytes) -> Iterator[Problem]:
    try:
        with unzipped(package, name, Budget(Limits())):
            return
    except IngestError as error:
        for item in error.problems:
            other = item.code == "wrong_file_kind"
            reason = "a reference package as .zip or .xlsx is needed" if other else item.reason
            yield replace(item, table="form", column="file", reason=reason)


def _wrong_settings(config: str) -> Iterator[Problem]:
    """Give what ``python -m training settings`` finds wrong."""
    if not config:
        return
    with TemporaryDirectory() as made:
        file = Path(made, "config.toml")
        file.write_text(config, encoding="utf-8")
        command = [*TRAINING, "settings", "--format", "json", "--config", str(file)]
        plain = os.environ | {"LC_ALL": "C.UTF-8"}
        said = subprocess.run(command, capture_output=True, env=plain, cwd=ROOT, check=False).stdout
    for item in json.loads(said or "{}").get("problems", ()):
        place = {member: item[member] for member in ("table", "row", "value", "code")}
        yield Problem(**place, column=item["column"] or "config", reason=again(item["said"]))


def release_of(job_id: str) -> str:
    """Return the name of the release that a training makes."""
    return f"trained-{job_id[:12]}"
