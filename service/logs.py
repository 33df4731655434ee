"""How a line of the log is written: for people, or as JSON for machines. Never a parcel, never a key."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from service.clock import written

log = logging.getLogger("kpfootprint.service")
FIELDS = ("method", "route", "status", "milliseconds", "actor", "request_id", "job")


class TextLines(logging.Formatter):
    """A line for people: time, level, message, and what is known of the request."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = super().format(record)
        if hasattr(record, "request_id"):
            first, _, rest = line.partition("\n")
            told = f"{record.__dict__['milliseconds']} ms {record.__dict__['actor'] or '-'} {record.request_id}"
            line = f"{first} {told}" + (f"\n{rest}" if rest else "")
        return line


class JsonLines(logging.Formatter):
    """A line for machines: one object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "at": written(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        line |= {name: record.__dict__[name] for name in FIELDS if record.__dict__.get(name) is not None}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_to_standard_error(form: str) -> None:
    """Send the log of the service to standard error, as text or as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
    log.disabled = False  # as BentoML leaves every logger that it finds
