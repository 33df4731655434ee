"""What leaves the door: security headers on everything, errors in the one shape whoever raised them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Send

from service.errors import MEDIA_TYPE, Refused, refusal_with

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Answer:
    """Passes one answer on; a bare error of anybody else is held back, so that the door can tell it properly.

    `status` is that of the answer, `refusal` what must be said in place of an answer that was held back.
    """

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status: int | None = None
        self.refusal: Refused | None = None

    async def __call__(self, message: Message) -> None:
        """Pass one message on, or hold it back."""
        if self.refusal is not None:
            return
        if message["type"] == "http.response.start" and self.status is None:
            status, headers = message["status"], Headers(raw=message["headers"])
            if status >= 400 and not headers.get("content-type", "").startswith((MEDIA_TYPE, "text/html")):
                self.refusal = refusal_with(status)
                return
            self._dress(message)
            self.status = status
        await self._send(message)

    def _dress(self, message: Message) -> None:
        message["headers"] = list(message["headers"])
        headers = MutableHeaders(raw=message["headers"])
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        headers["X-Request-ID"] = self.request_id
        if "server" in headers:
            del headers["server"]
