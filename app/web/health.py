"""Health checks: whether the process is up, and whether it can take leads."""

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app import __version__
from app.maintenance.checks import can_write
from app.maintenance.move_state import is_active
from app.storage.database import Database, StoreUnavailableError
from app.storage.migrations import is_current

READY_SECONDS = 3.0
VITAL = frozenset({"intake", "delivery"})


def routes(database: Database, down: Callable[[], Sequence[str]]) -> list[Route]:
    """`down` names the background tasks that have died and are not well again: without the `VITAL` ones no lead is
    taken or delivered here. Whoever stops the service sets `app.state.stopping` some time before: then both refuse, so
    that a proxy turns to another replica while this one still answers."""
    readiness = _Readiness(database)

    async def healthz(request: Request) -> Response:
        stopping = _is_stopping(request)
        return JSONResponse(
            {"status": "stopping" if stopping else "ok", "version": __version__}, 503 if stopping else 200
        )

    async def readyz(request: Request) -> Response:
        """The database takes writes and its migrations are current; never depends on Vitec or the backlog."""
        if _is_stopping(request):
            return JSONResponse({"status": "stopping"}, 503)
        dead = list(down())
        if VITAL.intersection(dead):
            return JSONResponse({"status": "not working", "down": dead}, 503)
        try:
            async with asyncio.timeout(READY_SECONDS):
                ready = await readiness.ask()
        except (StoreUnavailableError, TimeoutError):
            return JSONResponse({"status": "database unavailable"}, 503)
        if not ready:
            return JSONResponse({"status": "migrations missing"}, 503)
        return JSONResponse({"status": "ready", "down": dead} if dead else {"status": "ready"})

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


class _Readiness:
    """Whoever asks while it is being found out hears the same: asking costs a write, and anybody may ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: asyncio.Future[bool] | None = None

    async def ask(self) -> bool:
        """Raises `StoreUnavailableError`."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.ensure_future(self._database.write(_is_ready))
            self._asked.add_done_callback(_hear)
        return await asyncio.shield(self._asked)


def _hear(asked: asyncio.Future[bool]) -> None:
    """Or asyncio would complain of a refusal that came when nobody waited any more."""
    if not asked.cancelled():
        asked.exception()


def _is_stopping(request: Request) -> bool:
    return getattr(request.app.state, "stopping", False)


def _is_ready(connection: Connection) -> bool:
    if not is_current(connection) or not is_active(connection):
        return False
    can_write(connection)
    return True
