"""The sandbox on a port of its own, in a thread of its own, for as long as a `with` lasts."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from app.sandbox.api import create_sandbox
from app.sandbox.state import Office


@contextmanager
def serve_sandbox(office: Office, port: int = 0) -> Iterator[str]:
    """Serves `office` on the loopback interface and yields the base URL; port 0 takes a free one.

    `office` may be read, and faults ordered, from the caller's thread. Answers still under way at the end are dropped.
    """
    listener = socket.create_server(("127.0.0.1", port))  # from here on callers queue: there is no start to wait for
    config = uvicorn.Config(create_sandbox(office), lifespan="off", log_config=None, log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="vitec-sandbox", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
