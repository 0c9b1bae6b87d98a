"""Hearing of SIGTERM at once: a server tells its application only when its last request has been answered."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def on_sigterm(stop: Callable[[], None]) -> Iterator[None]:
    """Calls `stop` in the running loop, and then whoever was to hear of the signal before."""
    if threading.current_thread() is not threading.main_thread():  # as in tests: signals go to the main thread
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
