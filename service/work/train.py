"""Ask for a training: the package is kept as it came, and a worker does the rest."""

from __future__ import annotations

import io
import tomllib
import zipfile

from kpfootprint.errors import Problem
from service.errors import Refused
from service.register import entries, jobs, submissions
from service.register.database import registering
from service.work.place import Workplace

STEPS = 100
"""Progress of a training is told in per cent: the first half is the fit, the second the evaluation."""


def queue_training(work: Workplace, *, package: bytes, config: str, actor: str) -> str:
    """Put a training into the queue and return the id of its job.

    Raises
    ------
    Refused
        Where the file is no archive or the settings are no TOML; what is wrong inside of them the job tells.
    """
    problems = []
    if not zipfile.is_zipfile(io.BytesIO(package)):
        reason = "a reference package as .zip is needed"
        problems.append(Problem(table="form", column="file", code="wrong_file_kind", reason=reason))
    try:
        tomllib.loads(config)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(table="form", column="config", code="bad_toml", reason=f"not TOML: {error}"))
    if problems:
        raise Refused("invalid_input", "The training cannot be begun.", problems=tuple(problems))
    with registering(work.engine) as connection:
        job_id = jobs.enqueue(
            connection, "training", subject="trainings", actor=actor, total=STEPS, parameters={"config": config}
        )
        digest = submissions.keep_file(connection, job_id, "package.zip", package)
        values = {"job": job_id, "package_sha256": digest, "config": config}
        entries.append(connection, "training", actor=actor, subject=job_id, values=values)
    return job_id


def release_of(job_id: str) -> str:
    """Return the name of the release that a training makes."""
    return f"trained-{job_id[:12]}"
