"""uvicorn's HTTP with bounds that it lacks: a request's head must come in time and be of a sane size, and whoever waits
for its body is told when the first of it does not come. (`app.web.bodies` bounds the rest; most come in one piece.)

A proxy stands before the service and has time-outs of its own; a service that stands alone for an hour should not be
held open by anyone who sends a byte a minute.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0  # from the connection, or the first byte of a later request, to the first of its body or its end
MOST_HEAD = 512 * 1024  # bytes; the first piece of a body may come with the head, so no request of ours is near it


class HttpProtocol(HttpToolsProtocol):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = self._is_awaited = True
        self._head_size = 0
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > MOST_HEAD:
                self.send_400_response("The request's head is too large.")
                return
        super().data_received(data)
        if self._is_awaited and self._clock is None:
            self._start_clock()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._is_awaited, self._head_size = True, True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._stop_clock()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_clock()
        super().on_message_complete()

    def _start_clock(self) -> None:
        self._clock = self.loop.call_later(HEAD_SECONDS, self._time_is_up)

    def _time_is_up(self) -> None:
        if self._in_head:
            self.transport.close()
        else:
            self.cycle.message_event.set()  # an empty piece, with more to come

    def _stop_clock(self) -> None:
        self._is_awaited = False
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
