"""One kept-alive connection of the load generator: just enough HTTP/1.1 for uvicorn's answers."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast


@dataclass
class Shared:
    """What the connections of a round share. `left` requests may still be sent, until `until`; `open` connections have
    not ended; latencies are in seconds, without each connection's first, which tells of 64 connecting at once."""

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

    def close_one(self) -> None:
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """Sends its next request at the last answer, and ends between two, so that no request is left unanswered."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._received = b""
        self._finished = False
        self._settled = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        if not ended:
            return
        _, found, length = head.lower().partition(b"\r\ncontent-length:")
        if not found:
            self._shared.fail(f"an answer without Content-Length: {head[:200]!r}")
        elif len(body) >= int(length.split(b"\r\n", 1)[0]):
            if self._settled:
                self._shared.latencies.append(time.perf_counter() - self._sent_at)
            self._settled = True
            self._shared.statuses[int(head[9:12])] += 1
            self._received = b""
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._finished:
            self._shared.fail(f"the server closed a connection ({error})")

    def _send(self) -> None:
        request = self._shared.next()
        if request is not None:
            self._sent_at = time.perf_counter()
            self._transport.write(request)
            return
        self._finished = True
        self._transport.close()
        self._shared.close_one()
