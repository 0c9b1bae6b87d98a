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
        self._head_size = 0
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        if self._is_in_head():
            self._head_size += len(data)
            if self._head_size > MOST_HEAD:
                self.send_400_response("The request's head is too large.")
                return
        super().data_received(data)
        if self.cycle is not before:  # a head is complete; what followed is its body, or of another request
            self._head_size = 0
            self._stop_clock()
        if not self._is_awaited():
            self._stop_clock()
        elif self._clock is None:
            self._start_clock()

    def _is_in_head(self) -> bool:
        """Uvicorn makes the scope when a request begins, and the cycle when its head is complete."""
        return self.cycle is None or self.cycle.scope is not self.scope

    def _is_awaited(self) -> bool:
        """Whether more of a head has to come, or the first of a body that is still wanted. Asked when data came, and
        before anyone has read it: what came of a body is there."""
        if self._is_in_head():
            return True
        return self.cycle.more_body and not self.cycle.body and not self.cycle.response_complete

    def _start_clock(self) -> None:
        self._clock = self.loop.call_later(HEAD_SECONDS, self._time_is_up)

    def _time_is_up(self) -> None:
        if self._is_in_head():
            self.transport.close()
        else:
            self.cycle.message_event.set()  # an empty piece, with more to come

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
