"""Health checks: is the process up, and can it accept leads."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from app import __version__
from app.maintenance.checks import can_write
from app.maintenance.move_state import is_active
from app.storage.database import Database, StoreUnavailableError
from app.storage.migrations import is_current
from app.web.http.typed_route import TypedRoute

READY_SECONDS = 3.0
VITAL = frozenset({"intake", "delivery"})

router = APIRouter(route_class=TypedRoute, tags=["health"])


class Health(BaseModel):
    status: Literal["ok", "stopping"]
    version: str


class ReadinessStatus(BaseModel):
    status: Literal["ready", "stopping", "not working", "database unavailable", "migrations missing"]
    down: list[str] | None = Field(None, description="background tasks that have died and not recovered")


class Readiness:
    """The readiness check. Concurrent callers share one check, because it costs a write and anyone may ask."""

    def __init__(self, database: Database, down: Callable[[], Sequence[str]]) -> None:
        self.down = down
        self._database = database
        self._check: asyncio.Future[bool] | None = None

    async def ask(self) -> bool:
        """Raises `StoreUnavailableError`."""
        if self._check is None or self._check.done():
            self._check = asyncio.ensure_future(self._database.write(self._is_ready))
            self._check.add_done_callback(_retrieve_exception)
        return await asyncio.shield(self._check)

    def _is_ready(self, connection: Connection) -> bool:
        self._database.require_in_place()
        if not is_current(connection) or not is_active(connection):
            return False
        can_write(connection)
        return True


def serve_health(app: Starlette, database: Database, down: Callable[[], Sequence[str]]) -> None:
    """Prepares the app for `router`. `down` names the background tasks that have died and not recovered; without the
    `VITAL` ones no lead is accepted or delivered here. `app.state.stopping` is set some time before the service stops:
    both checks then fail, so that a proxy turns to another replica while this one still answers."""
    app.state.readiness = Readiness(database, down)


async def _readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness


@router.get(
    "/healthz",
    operation_id="healthz",
    summary="Is the process up",
    response_description="It is",
    responses={503: {"model": Health, "description": "It is stopping"}},
)
async def healthz(request: Request, response: Response) -> Health:
    """For a supervisor that restarts the process. Depends on nothing else."""
    stopping = _is_stopping(request)
    response.status_code = 503 if stopping else 200
    return Health(status="stopping" if stopping else "ok", version=__version__)


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Can it accept leads",
    response_description="It can",
    responses={503: {"model": ReadinessStatus, "description": "It can't"}},
    response_model_exclude_none=True,
)
async def readyz(
    request: Request, response: Response, readiness: Annotated[Readiness, Depends(_readiness)]
) -> ReadinessStatus:
    """Ready if the database accepts writes and its migrations are current. Never depends on Vitec or the backlog."""
    response.status_code = 503
    if _is_stopping(request):
        return ReadinessStatus(status="stopping")
    down = list(readiness.down())
    if VITAL.intersection(down):
        return ReadinessStatus(status="not working", down=down)
    try:
        async with asyncio.timeout(READY_SECONDS):
            ready = await readiness.ask()
    except (StoreUnavailableError, TimeoutError):
        return ReadinessStatus(status="database unavailable")
    if not ready:
        return ReadinessStatus(status="migrations missing")
    response.status_code = 200
    return ReadinessStatus(status="ready", down=down or None)


def _retrieve_exception(check: asyncio.Future[bool]) -> None:
    """Without this, asyncio would log the exception if no caller awaits the check any more."""
    if not check.cancelled():
        check.exception()


def _is_stopping(request: Request) -> bool:
    return getattr(request.app.state, "stopping", False)
