"""How long a connection may take to say what it wants and to hear the answer, and how much it may say before that."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN = 10.0
"""Seconds from the first byte of a request (or from the connection) until its headers must be complete."""

HEARD_WITHIN = 30.0
"""Seconds in which whoever asked must take some of an answer that waits to be sent."""

LARGEST_HEAD = 64 * 1024
"""Bytes of the address and the headers of a request."""

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\ncontent-length: 34\r\n\r\nThe headers are larger than 64 kB.\n"
)


class PatientProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, which waits for headers and for slow readers for ever, with an end to its patience."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_bytes = 0
        self._in_head = True
        self._patience: asyncio.TimerHandle | None = None
        self._unheard: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        self._all_heard()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Look, now and then, whether anything of the answer is taken."""
        super().pause_writing()
        self._look_again()

    def resume_writing(self) -> None:
        """Look no more."""
        self._all_heard()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the headers never end."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > LARGEST_HEAD and not self.transport.is_closing():
            self._refuse_head()

    def on_message_begin(self) -> None:
        """Wait for the headers of a request that has begun."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        self._wait()

    def on_headers_complete(self) -> None:
        """Have the headers; what follows has its own limits. What is raised here is answered as no request of HTTP."""
        self._wait_no_longer()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > LARGEST_HEAD:
            self._refuse_head()
            raise ValueError
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise ValueError
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request of HTTP, once."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _refuse_head(self) -> None:
        self.transport.write(TOO_LARGE)
        self.transport.close()

    def _look_again(self, before: int | None = None) -> None:
        left = self.transport.get_write_buffer_size()
        if left == before:
            self.transport.abort()
        else:
            self._unheard = self.loop.call_later(HEARD_WITHIN, self._look_again, left)

    def _all_heard(self) -> None:
        if self._unheard is not None:
            self._unheard.cancel()
            self._unheard = None

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_WITHIN, self._give_up)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.close()
