"""The HTTP server of the commands that listen."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import time
from types import FrameType

import typer
import uvicorn
from starlette.applications import Starlette

from app.cli.output import stop
from app.web.http.uvicorn_protocol import HttpProtocol

# Less than the 30 s that an orchestrator usually allows; `drain_seconds` come on top of it.
GRACEFUL_SECONDS = 25


def listen(app: Starlette, host: str, port: int, drain_seconds: float = 0, *, announcement: str = "") -> None:
    """Serves until a signal. `drain_seconds`: how long it continues after SIGTERM while `/healthz` and `/readyz`
    fail. Ends the command if the port is taken, before anything is announced or starts."""
    _require_free(host, port)
    if announcement:
        typer.echo(announcement)
    # Objects made at the start live as long as the process, so the collector need not scan them. Garbage among them
    # stays, too: 4,000 of 200,000 objects, and finding them would take 0.15 s.
    gc.freeze()
    # Proxy headers are handled by our own setting `trusted_proxies`, not by uvicorn's environment variables.
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
    signal.signal(signal.SIGTERM, _end)  # uvicorn raises the signal once more when it has shut down
    stop_at_hangup()
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(1)


def stop_at_hangup() -> None:
    """A terminal that is closed stops the process as SIGTERM does, not in the middle of its calls to Vitec. One that
    was started with `nohup` goes on."""
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # Windows has none
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def _require_free(host: str, port: int) -> None:
    """Uvicorn would find out only when the delivery is already running, and exit with code 3."""

    async def bind() -> None:
        loop = asyncio.get_running_loop()
        (await loop.create_server(asyncio.Protocol, host, port, start_serving=False)).close()

    try:
        asyncio.run(bind())
    except UnicodeError:  # as 127.0.0..1
        stop(f"can't listen on {host}:{port}: not a host")
    except OSError as error:
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        stop(f"can't listen on {host}:{port}: {reason}")


def _end(_: int, __: FrameType | None) -> None:
    """Exits with code 0 after a clean shutdown by SIGTERM."""
    raise SystemExit(0)


class _Server(uvicorn.Server):
    """Drains before it stops. Connections that a proxy opens while the listening socket closes would be lost, so
    `/readyz` fails first and the proxy turns to another replica."""

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
