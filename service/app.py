"""The service: BentoML answers comparisons, the mounted app everything else, and one door stands before both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import bentoml
from starlette.requests import Request

from service.door.endpoint import visit_of
from service.door.stack import door
from service.endpoints import ENDPOINTS, mounted, refused_answer
from service.logs import log_to_standard_error
from service.pages.problems import problem_response, refusal_response
from service.routes.comparisons import submitted
from service.settings import Settings
from service.work.place import Workplace


class Document(bentoml.IODescriptor):  # type: ignore[misc]
    """A body as it came: BentoML would read it in the event loop, and answer 500 where it is no JSON."""

    __root_input__: ClassVar[bool] = True  # handed over whole, not member by member

    @classmethod
    async def from_http_request(cls, request: Request, serde: Any) -> Document:  # noqa: ARG003
        """Leave the body where the door has put it."""
        return cls()


def create_app(settings: Settings, *, settle: Callable[[], None] = lambda: None) -> Any:
    """Return the service, to be served by BentoML; nothing is opened before it starts, and then its process settles."""
    work = Workplace(settings)

    class Comparisons:
        """Compares parcels; one instance a worker."""

        @bentoml.on_startup  # type: ignore[untyped-decorator]
        def open(self) -> None:
            """Open the register, load the release, and settle.

            Where either is away just now, as it may be when a worker is begun again, it is looked for by each request.
            """
            log_to_standard_error(settings.log_format)
            work.ready()
            settle()

        @bentoml.on_shutdown  # type: ignore[untyped-decorator]
        def close(self) -> None:
            """Close the register."""
            work.close()

        def __is_ready__(self) -> bool:
            """Say whether a parcel could be compared now."""
            return work.ready()

        @bentoml.api(route="/v1/comparisons", input_spec=Document)  # type: ignore[untyped-decorator]
        async def compare(self, parcel: Document, /, context: bentoml.Context) -> Any:  # noqa: ARG002
            """Compare one parcel: 201, its report, and the Location where it is kept."""
            request = context.request
            try:
                answer = await submitted(visit_of(request))
            except Exception as error:
                answer = refused_answer(request, error)
            context.response.status_code = answer.status_code  # BentoML sets its own otherwise
            return answer

    config: dict[str, Any] = {
        "workers": settings.workers,
        "traffic": {"timeout": 60},
        "metrics": {"enabled": False},
        "logging": {"access": {"enabled": False}},
        "tracing": {"excluded_urls": ".*"},
    }
    service: Any = bentoml.service(name="kpfootprint", **config)(Comparisons)
    service.mount_asgi_app(mounted(), path="/")
    service.add_asgi_middleware(
        door, work=work, endpoints=ENDPOINTS, tell=refusal_response, tell_plainly=problem_response
    )
    return service
