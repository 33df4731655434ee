"""Runs ``python -m training`` for whoever asked over HTTP: fit, then evaluate, each a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from kpfootprint.retold import SAID_AS, Said, again
from service import Wording
from service.clock import written
from service.errors import Refused
from service.processes import ended
from service.register import jobs, submissions
from service.register.database import RegisterUnavailable, writing
from service.register.jobs import Job, cancel_was_asked
from service.work.place import Workplace
from service.work.releases import ROOT, STEPS, TRAINING, release_of

LOOK_EVERY = 1.0
"""Seconds between two looks at whether the job is to halt."""
ENDS_WITHIN = 10.0
ENDED: Wording = "The training was ended from outside, perhaps for want of memory; ask for it again."
PERCENT = re.compile(r"\[ *(\d+)%\]")


def train(work: Workplace, job: Job, halt: Callable[[], bool]) -> str | None:
    """Fit and evaluate in a folder of the job, and move what came out among the releases; None where it was halted.

    A fit that was finished before is not done again. Nothing is put in force. Nothing stays of a training that failed
    or was cancelled.
    """
    folder = work.settings.home / "trainings" / job.id
    try:
        result = _trained(work, job, halt, folder)
        over = result is not None or cancel_was_asked(work.engine, job)
    except RegisterUnavailable:  # it is found again
        raise
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if over:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _trained(work: Workplace, job: Job, halt: Callable[[], bool], folder: Path) -> str | None:
    name = release_of(job.id)
    released = work.settings.home / "releases" / name
    if not released.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        kept = submissions.file_of(work.engine, job.id)
        if kept is None:
            raise Refused("not_found", "The package of this training is gone.")
        package, config, fitted = folder / "package" / kept[0], folder / "config.toml", folder / name
        package.parent.mkdir(exist_ok=True)
        package.write_bytes(kept[1])
        config.write_text(job.parameters["config"], encoding="utf-8")
        told = folder / "told.json"
        words = ["validate", "--format", "json", "--config", str(config), "--reference", str(package)]
        try:
            with told.open("wb") as out:
                checked = _ran(work, job, halt, words, 0, out)
        finally:
            _note(work, job, told.read_bytes())
        if not checked:
            return None
        asked = written(job.created_at)
        cluster = [] if work.settings.scheduler is None else ["--scheduler", work.settings.scheduler]
        steps = (
            (
                fitted / "manifest.json",
                ["fit", "--out", fitted, "--config", config, "--name", name, "--asked-at", asked],
            ),
            (fitted / "validation.html", ["evaluate", "--model", fitted]),
        )
        for half, (made, command) in enumerate(steps):
            if made.is_file():
                continue
            words = [*map(str, command), "--reference", str(package), *cluster]
            if not _ran(work, job, halt, words, half * STEPS // len(steps)):
                return None
        if halt():  # asked since the last look: a release that nobody wants any more is none
            return None
        released.parent.mkdir(parents=True, exist_ok=True)
        fitted.rename(released)
    with writing(work.engine) as connection:
        jobs.progress(connection, job, STEPS)
    return f"/v1/models/{name}"


def _note(work: Workplace, job: Job, said: bytes) -> None:
    """Keep what was found out about a package: its problems, or what it leaves in doubt."""
    try:
        found = json.loads(said or b"{}")
    except ValueError:  # cut off while it was printed: why is told by whoever cut it
        return
    with writing(work.engine) as connection:
        jobs.note(connection, job, **{name: found[name] for name in ("problems", "remarks") if name in found})


def _ran(
    work: Workplace,
    job: Job,
    halt: Callable[[], bool],
    words: Sequence[str],
    before: int,
    out: IO[bytes] | int = subprocess.DEVNULL,
) -> bool:
    """Run a command of ``training``, noting how far it is; False where it was halted.

    Raises
    ------
    Refused
        With what the command said, where it failed.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("KPF_")}
    last: deque[str] = deque(maxlen=20)
    told = [before]
    with subprocess.Popen(
        [*TRAINING, *words],
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=kept
        | {"KPF_HOME": str(work.settings.home), "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8", SAID_AS: "json"},
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        reader = threading.Thread(target=_listen, args=(process.stderr, last, told, before), daemon=True)
        reader.start()
        noted = before
        try:
            while process.returncode is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_EVERY)
                    continue
                if halt():
                    return False
                if told[0] > noted:
                    noted = told[0]
                    with writing(work.engine) as connection:
                        jobs.progress(connection, job, noted)
        finally:  # whatever ends the waiting: a register that is gone, too
            ended(process, ENDS_WITHIN)
        reader.join(timeout=5)
        if process.returncode < 0:
            raise Refused("conflict", ENDED)
        if process.returncode != 0 and any(line.startswith("Traceback") for line in last):
            raise RuntimeError("\n".join(last))  # which the log tells
        if process.returncode != 0:
            raise Refused("conflict", "{told}", told=_said(last))
    return True


def _listen(stream: IO[str], last: deque[str], told: list[int], before: int) -> None:
    """Keep the last lines that are no progress, and the progress of the others."""
    for line in stream:
        found = PERCENT.match(line)
        if found:
            told[0] = before + int(found[1]) // 2
        elif line.strip():
            last.append(line.strip())


def _said(lines: Sequence[str]) -> str:
    """Return what a command said last: a sentence that it kept for us, or whatever it wrote."""
    try:
        return Said(again(json.loads(lines[-1])))
    except (ValueError, TypeError, LookupError):
        return "; ".join(lines)
