"""What the workers of the launcher import: the service with the settings of their surroundings, one process each."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys

import uvicorn.config

from service.app import create_app
from service.processes import end_with
from service.settings import read_settings

SWITCH = 0.001
"""Seconds that a thread keeps the interpreter: the event loop waits as often as there are others at work."""


def _settle() -> None:
    """End with the launcher, give way often, and stop looking at what will never be garbage."""
    if SETTINGS.launcher_pid is not None:
        end_with(SETTINGS.launcher_pid, _leave)
    sys.setswitchinterval(SWITCH)
    gc.collect()
    gc.freeze()


def _leave() -> None:
    """Take leave as if asked to, once the launcher is gone."""
    shutil.rmtree(os.environ["BENTOML_HOME"], ignore_errors=True)  # the launcher's own folder, which it left behind
    os.kill(os.getpid(), signal.SIGTERM)


uvicorn.config.HTTP_PROTOCOLS["auto"] = "service.wire:PatientProtocol"  # BentoML gives no way to name another

SETTINGS = read_settings()
SERVICE = create_app(SETTINGS, settle=_settle)
"""What the launcher names to BentoML."""
