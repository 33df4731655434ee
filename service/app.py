"""The service: BentoML answers comparisons, the mounted app everything else, and one door stands before both."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
import time
from typing import Any, ClassVar

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from kpfootprint.errors import KPFootprintError
from service.door import Door
from service.endpoints import ENDPOINTS
from service.errors import Refused, refusal_of
from service.pages.errors import refusal_response
from service.register.database import open_register
from service.routes.comparisons import submitted
from service.settings import read_settings
from service.visit import visit_of
from service.work import Workplace

SETTINGS = read_settings()
WORK = Workplace(SETTINGS)

CONFIG: dict[str, Any] = {
    "workers": SETTINGS.workers,
    "traffic": {"timeout": 60},
    "metrics": {"enabled": False},
    "logging": {"access": {"enabled": False}},
    "tracing": {"excluded_urls": ".*"},
}


class Document(bentoml.IODescriptor):  # type: ignore[misc]
    """A JSON body as it came: BentoML would read it in the event loop, and answer 500 where it is no JSON."""

    __root_input__: ClassVar[bool] = True  # handed over whole, not member by member
    text: bytes

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> Document:  # noqa: ARG003
        """Take the body that the door has read."""
        return cls(text=visit_of(request).body)


class Comparisons:
    """Compares parcels; one instance a worker."""

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def migrate() -> None:
        """Bring the register up to date once, before any worker opens it."""
        open_register(SETTINGS.home).dispose()

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    def open(self) -> None:
        """Open the register, load the release, and stop looking at what will never be garbage."""
        _log_to_standard_error()
        WORK.open()
        if SETTINGS.launcher is not None:
            threading.Thread(target=_end_with, args=(SETTINGS.launcher,), daemon=True).start()
        gc.collect()
        gc.freeze()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Close the register."""
        WORK.close()

    def __is_ready__(self) -> bool:
        """Say whether a parcel could be compared now."""
        return WORK.ready()

    @bentoml.api(route="/v1/comparisons", input_spec=Document)  # type: ignore[untyped-decorator]
    def compare(self, parcel: Document, /, context: bentoml.Context) -> Any:
        """Compare one parcel: 201, its report, and the Location where it is kept."""
        request = context.request
        try:
            answer = submitted(visit_of(request), parcel.text, request.headers.get("idempotency-key"))
        except Exception as error:
            answer = refused_answer(request, error)
        context.response.status_code = answer.status_code  # BentoML sets its own otherwise
        return answer


def refused_answer(request: Request, error: Exception) -> Response:
    """Return the answer to an error that was foreseen."""
    refused = refusal_of(error)
    if refused is None:
        raise error
    return refusal_response(request, refused)


def _log_to_standard_error() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("kpfootprint.service")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _end_with(launcher: int) -> None:
    """End this worker when the launcher has ended without saying so."""
    while os.getppid() == launcher:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
    os._exit(1)


PAGES = Starlette(
    routes=[item.route() for item in ENDPOINTS if item.handler is not None],
    exception_handlers={Refused: refused_answer, KPFootprintError: refused_answer},
)

SERVICE: Any = bentoml.service(name="kpfootprint", **CONFIG)(Comparisons)
SERVICE.mount_asgi_app(PAGES, path="/")
SERVICE.add_asgi_middleware(Door, work=WORK, endpoints=ENDPOINTS)
