"""Ask for the register's parcels to be examined with another release."""

from __future__ import annotations

import sqlalchemy as sa

from service.register import jobs
from service.register.database import writing
from service.register.tables import comparisons
from service.work.place import Workplace
from service.work.releases import known_release


def queue_reexamination(work: Workplace, release: str, *, actor: str) -> str:
    """Queue a re-examination of what stands in the register now, and return the id of its job."""
    name = known_release(work, release).name
    with writing(work.engine) as connection:
        total = connection.scalar(sa.select(sa.func.count()).select_from(comparisons)) or 0
        up_to = connection.scalar(sa.select(sa.func.max(comparisons.c.position))) or 0
        parameters = {"release": name, "up_to": up_to}
        return jobs.enqueue(
            connection, "reexamination", subject="register", actor=actor, total=total, parameters=parameters
        )
