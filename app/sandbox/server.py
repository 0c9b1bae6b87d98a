"""Serves the sandbox on its own port, in its own thread, for the duration of a `with` block."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from app.sandbox.api import create_sandbox
from app.sandbox.state import Office


@contextmanager
def serve_sandbox(office: Office, port: int = 0) -> Iterator[str]:
    """Serves `office` on the loopback interface and yields the base URL; `port` 0 takes a free one.

    The caller's thread may read `office` and inject faults. Answers that are still to be sent at the end are dropped.
    """
    listener = socket.create_server(("127.0.0.1", port))  # callers queue from here on, so none must wait for the start
    config = uvicorn.Config(create_sandbox(office), lifespan="off", log_config=None, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="vitec-sandbox", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
