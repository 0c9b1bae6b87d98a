"""A keep-alive connection of the load generator, with just enough HTTP/1.1 for uvicorn's answers."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast


@dataclass
class RoundState:
    """State that a round's connections share. `left`: requests that may still be sent, before `until`. `open`: open
    connections. `latencies`: in seconds, without each connection's first, when 64 connect at once."""

    requests: Iterator[bytes]
    until: float
    left: int
    open: int
    done: asyncio.Future[None]
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    def next(self) -> bytes | None:
        if self.left <= 0 or time.perf_counter() >= self.until:
            return None
        self.left -= 1
        return next(self.requests)

    def fail(self, message: str) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(message))

    def connection_closed(self) -> None:
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """Sends a request at once after each answer. Closes only after an answer, so that none is missing."""

    def __init__(self, state: RoundState) -> None:
        self._state = state
        self._received = b""
        self._finished = False
        self._warm = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        if not ended:
            return
        _, separator, length = head.lower().partition(b"\r\ncontent-length:")
        if not separator:
            self._state.fail(f"answer without Content-Length: {head[:200]!r}")
        elif len(body) >= int(length.split(b"\r\n", 1)[0]):
            if self._warm:
                self._state.latencies.append(time.perf_counter() - self._sent_at)
            self._warm = True
            self._state.statuses[int(head[9:12])] += 1
            self._received = b""
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._finished:
            self._state.fail(f"the server closed a connection ({error})")

    def _send(self) -> None:
        request = self._state.next()
        if request is not None:
            self._sent_at = time.perf_counter()
            self._transport.write(request)
            return
        self._finished = True
        self._transport.close()
        self._state.connection_closed()
