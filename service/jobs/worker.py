"""Takes jobs from the queue, one after another, until told to stop; as a process of its own, beside the service too."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from kpfootprint.errors import IngestError, KPFootprintError
from kpfootprint.retold import Said, said_of
from service.errors import Refused
from service.jobs.comparing import compare_submission, reexamine
from service.jobs.training import train
from service.logs import log, log_to_standard_error
from service.processes import end_with, ended
from service.register.database import RegisterUnavailable, writing
from service.register.jobs import OVER, Job, State, cancel_was_asked, finish, give_back, taken
from service.settings import Settings, environment_of
from service.work.place import Workplace
from service.work.take_in import run_import

LOOK_EVERY = 0.5
"""Seconds between two looks into an empty queue."""

Runner = Callable[[Workplace, Job, Callable[[], bool]], "str | None"]
"""Runs a job and returns where its result is; None where it was halted. It must be able to go on where it was left."""

RUNNERS: Mapping[str, Runner] = {
    "submission": compare_submission,
    "import": run_import,
    "reexamination": reexamine,
    "training": train,
}


def work_until(work: Workplace, stop: threading.Event) -> None:
    """Take jobs until `stop` is set; a register that is gone is waited for, and no fault of the job it was left at."""
    said = ""
    left: list[Job] = []
    while not stop.is_set():
        try:
            while left:
                give_back(work.engine, left[-1])
                left.pop()
            busy = work_once(work, stop, left=left)
            said = ""
        except (RegisterUnavailable, sa.exc.SQLAlchemyError) as error:
            if str(error) != said:  # once, not twice a second for as long as it lasts
                log.error("the register cannot be reached: %s", error)
            said = str(error)
            busy = False
        if not busy:
            stop.wait(LOOK_EVERY)


def work_once(
    work: Workplace,
    stop: threading.Event,
    *,
    runners: Mapping[str, Runner] = RUNNERS,
    left: list[Job] | None = None,
) -> bool:
    """Take one job and run it; return False where there was none.

    One that the register went away from is put into `left`, to be given back when it is there again.
    """
    with taken(work.engine, work.settings.home) as job:
        if job is None:
            return False
        if job.state not in OVER:
            try:
                _run(work, job, stop, runners[job.kind])
            except RegisterUnavailable:
                if left is not None:
                    left.append(job)
                raise
    return True


def _run(work: Workplace, job: Job, stop: threading.Event, runner: Runner) -> None:
    log.info("job %s begins", job.kind, extra={"job": job.id})

    def halt() -> bool:
        return stop.is_set() or cancel_was_asked(work.engine, job)

    def over(state: State, **more: Any) -> None:
        with writing(work.engine) as connection:
            finish(connection, job, state, **more)

    try:
        result = None if halt() else runner(work, job, halt)
    except RegisterUnavailable:
        raise  # the register is gone: the job is found again when it is back
    except Exception as error:
        is_ours = not isinstance(error, Refused | KPFootprintError | OSError)  # the others are told in a line
        log.error("job %s failed: %s", job.kind, error, exc_info=error if is_ours else None, extra={"job": job.id})
        over("failed", problem=told(error))
        return
    if result is not None:
        over("done", result=result)
    elif cancel_was_asked(work.engine, job):
        over("cancelled")
    else:
        give_back(work.engine, job)
    log.info("job %s ends", job.kind, extra={"job": job.id})


def told(error: Exception) -> str:
    """Return what went wrong for whoever asked for the job; what nobody foresaw stands in the log alone."""
    match error:
        case IngestError(problems=problems):
            return "; ".join(str(problem) for problem in problems[:5])
        case Refused():
            return error.said
        case KPFootprintError():
            return said_of(error)
        case _:
            return Said("Something went wrong here; the log of the worker says more.")


AGAIN_AFTER = 1.0
AGAIN_AT_MOST = 60.0
"""Seconds until a worker that ended is begun again: twice as long each time it ended at once, as on a full disk."""

ENDS_WITHIN = 20.0


def run_worker(settings: Settings) -> None:
    """Take jobs until SIGTERM or SIGINT; what is under way is left where it is and found again."""
    log_to_standard_error(settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if settings.launcher_pid is not None:
        end_with(settings.launcher_pid, stop.set)
    work = Workplace(settings)
    work.release()
    gc.collect()
    gc.freeze()  # what stays for good is not looked through again and again while parcels come and go
    try:
        work_until(work, stop)
    finally:
        work.close()


@contextmanager
def companion(settings: Settings) -> Iterator[None]:
    """Have a worker process beside the service: begun again where it ends, ended with the service."""
    stop = threading.Event()
    watcher = threading.Thread(target=_kept_at_work, args=(settings, stop), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join(ENDS_WITHIN + 5)


def _kept_at_work(settings: Settings, stop: threading.Event) -> None:
    pause = AGAIN_AFTER
    while not stop.is_set():
        begun = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "kpfootprint", "worker"],
            env=os.environ | environment_of(settings),
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl+C is for the launcher, which tells the worker
        )
        while process.poll() is None and not stop.wait(0.2):
            pass
        ended(process, ENDS_WITHIN)
        if stop.is_set():
            return
        pause = AGAIN_AFTER if time.monotonic() - begun > AGAIN_AT_MOST else min(2 * pause, AGAIN_AT_MOST)
        log_to_standard_error(settings.log_format)
        log.warning("the worker of jobs ended (status %d); another one begins in %g s", process.returncode, pause)
        stop.wait(pause)
