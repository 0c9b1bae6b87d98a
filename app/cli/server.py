"""The server that the commands listen with."""

import contextlib
import gc
import signal
import time
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from app.web.http.uvicorn_protocol import HttpProtocol

# Under the 30 s that an orchestrator gives, less what is drained before.
GRACEFUL_SECONDS = 25


def listen(app: Starlette, host: str, port: int, drain_seconds: float = 0) -> None:
    """Until a signal. `drain_seconds`: how long it keeps serving after SIGTERM, while `/healthz` and `/readyz` fail."""
    # Objects from the start live as long as the process, so the collector need not scan them. A post makes some hundred
    # objects, most of them freed at once, so a collection every 20,000 finds as much garbage as one every 700.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    # Proxy headers are the configuration's matter (trusted_proxies), not the environment's.
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=HttpProtocol,
        interface="asgi3",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    server = _Server(config, app, drain_seconds)
    signal.signal(signal.SIGTERM, _end)  # uvicorn raises it once more when all is done
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(1)


def _end(_: int, __: FrameType | None) -> None:
    """Exits with 0 after a clean shutdown on SIGTERM."""
    raise SystemExit(0)


class _Server(uvicorn.Server):
    """Connections that a proxy opens while the listening socket closes would be lost: `/readyz` fails first, so that it
    turns to another replica."""

    def __init__(self, config: uvicorn.Config, app: Starlette, drain_seconds: float) -> None:
        super().__init__(config)
        self._state = app.state
        self._drain_seconds = drain_seconds
        self._stops_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGTERM or not self._drain_seconds or self._stops_at is not None:
            return super().handle_exit(sig, frame)
        self._state.stopping = True
        self._stops_at = time.monotonic() + self._drain_seconds
        return None

    async def on_tick(self, counter: int) -> bool:
        if self._stops_at is not None and time.monotonic() >= self._stops_at:
            self.should_exit = True
        return await super().on_tick(counter)
