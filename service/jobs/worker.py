"""Takes jobs from the queue, one after another, until it is told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

import sqlalchemy as sa

from kpfootprint.errors import IngestError, KPFootprintError
from service.errors import Refused
from service.jobs.comparing import compare_submission
from service.jobs.reexamining import reexamine
from service.jobs.training import train
from service.register import entries
from service.register.database import registering, writing
from service.register.jobs import OVER, Job, cancel_was_asked, finish, give_back, taken
from service.register.trouble import RegisterUnavailable
from service.work.place import Workplace
from service.work.take_in import run_import

log = logging.getLogger("kpfootprint.service")

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


def work_until(work: Workplace, stop: threading.Event, *, runners: Mapping[str, Runner] = RUNNERS) -> None:
    """Take jobs until `stop` is set; a register that is gone is waited for."""
    said = ""
    while not stop.is_set():
        try:
            busy = work_once(work, stop, runners=runners)
            said = ""
        except (RegisterUnavailable, sa.exc.SQLAlchemyError) as error:
            if str(error) != said:  # once, not twice a second for as long as it lasts
                log.error("the register cannot be reached: %s", error)
            said = str(error)
            busy = False
        if not busy:
            stop.wait(LOOK_EVERY)


def work_once(work: Workplace, stop: threading.Event, *, runners: Mapping[str, Runner] = RUNNERS) -> bool:
    """Take one job and run it; return False where there was none."""
    with taken(work.engine, work.settings.home) as job:
        if job is None:
            return False
        if job.state not in OVER:
            _run(work, job, stop, runners[job.kind])
    return True


def _run(work: Workplace, job: Job, stop: threading.Event, runner: Runner) -> None:
    log.info("job %s begins", job.kind, extra={"job": job.id})

    def halt() -> bool:
        return stop.is_set() or cancel_was_asked(work.engine, job)

    try:
        result = None if halt() else runner(work, job, halt)
    except RegisterUnavailable:
        raise  # the register is gone: the job is found again when it is back
    except Exception as error:
        log.error("job %s failed", job.kind, exc_info=error, extra={"job": job.id})
        with writing(work.engine) as connection:
            finish(connection, job, "failed", problem=told(error))
        return
    if result is not None:
        with writing(work.engine) as connection:
            finish(connection, job, "done", result=result)
    elif cancel_was_asked(work.engine, job):
        with registering(work.engine) as connection:
            finish(connection, job, "cancelled")
            entries.append(connection, "cancelled", actor=job.actor, subject=job.subject, values={"job": job.id})
    else:
        give_back(work.engine, job)
    log.info("job %s ends", job.kind, extra={"job": job.id})


def told(error: Exception) -> str:
    """Return what went wrong for whoever asked for the job; what nobody foresaw stands in the log alone."""
    match error:
        case IngestError(problems=problems):
            return "; ".join(str(problem) for problem in problems[:5])
        case Refused():
            return error.detail
        case KPFootprintError():
            return str(error)
        case _:
            return "Something went wrong here; the log of the worker says more."
