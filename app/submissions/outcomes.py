"""Waiting for outcomes, whoever records them."""

import asyncio
import contextlib
from functools import partial

import structlog
from sqlalchemy import Connection, select, update

from app.domain.submission import Status
from app.storage.database import Database, StoreUnavailableError, now_of
from app.storage.schema import submissions

log = structlog.get_logger()


class Outcomes:
    """Callers that wait for recorded outcomes: one poll of the database serves them all, and an outcome that is
    recorded in this process is heard of at once."""

    POLL_SECONDS = 0.1

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._wake = asyncio.Event()

    async def wait(self, identity: str, seconds: float) -> None:
        """Until the submission has an outcome, at most `seconds`."""
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(identity, []).append(settled)
        self._wake.set()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await settled
        finally:
            remaining = self._waiting.get(identity, [])
            if settled in remaining:
                remaining.remove(settled)
            if not remaining:
                self._waiting.pop(identity, None)

    def tell(self, identity: str) -> None:
        """An outcome of this submission has been recorded."""
        for settled in self._waiting.pop(identity, ()):
            if not settled.done():
                settled.set_result(None)

    async def refusal_told(self, identity: str) -> None:
        """Its visitor was told on the page that Vitec refused it: nobody needs to see to that."""
        columns = submissions.c
        refused = (columns.id == identity) & (columns.status == Status.REJECTED) & columns.erased_at.is_(None)

        def work(connection: Connection) -> None:
            now = now_of(connection)
            connection.execute(update(submissions).where(refused, columns.told_at.is_(None)).values(told_at=now))

        try:
            await self._database.write(work)
        except StoreUnavailableError as error:  # then somebody looks at it for nothing
            log.warning("not recorded that a refusal was told", submission=identity, detail=str(error))

    async def run(self) -> None:
        """Until cancelled: asks the database while anyone waits."""
        while True:
            await self._wake.wait()
            if not self._waiting:
                self._wake.clear()
                continue
            with contextlib.suppress(StoreUnavailableError):
                for identity in await self._database.read(partial(_settled, list(self._waiting))):
                    self.tell(identity)
            await asyncio.sleep(self.POLL_SECONDS)


def _settled(asked: list[str], connection: Connection) -> list[str]:
    settled = select(submissions.c.id).where(submissions.c.id.in_(asked), submissions.c.status != Status.PENDING)
    return list(connection.execute(settled).scalars())
