"""Waiting for outcomes, whichever process records them."""

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
    """Lets callers wait for a submission's outcome. One poll of the database serves all of them, and an outcome
    recorded in this process wakes its callers at once."""

    POLL_SECONDS = 0.1

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._wake = asyncio.Event()

    async def wait(self, submission_id: str, seconds: float) -> None:
        """Waits until the submission has an outcome, at most `seconds`. If it is cancelled, because the service's time
        to stop is up, it only ends sooner: the submission is stored, and its caller must be told so."""
        settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(submission_id, []).append(settled)
        self._wake.set()
        try:
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                async with asyncio.timeout(seconds):
                    await settled
        finally:
            remaining = self._waiting.get(submission_id, [])
            if settled in remaining:
                remaining.remove(settled)
            if not remaining:
                self._waiting.pop(submission_id, None)

    def notify(self, submission_id: str) -> None:
        """Wakes the callers that wait for this submission: its outcome has been recorded."""
        for settled in self._waiting.pop(submission_id, ()):
            if not settled.done():
                settled.set_result(None)

    async def record_refusal_shown(self, submission_id: str) -> None:
        """Records that the page has shown Vitec's refusal to the visitor, so no operator needs to act on it."""
        columns = submissions.c
        refused = (columns.id == submission_id) & (columns.status == Status.REJECTED) & columns.erased_at.is_(None)

        def work(connection: Connection) -> None:
            now = now_of(connection)
            connection.execute(update(submissions).where(refused, columns.told_at.is_(None)).values(told_at=now))

        try:
            await self._database.write(work)
        except StoreUnavailableError as error:  # the only harm: an operator is alerted needlessly
            log.warning("not recorded that the visitor saw a refusal", submission=submission_id, detail=str(error))

    async def run(self) -> None:
        """Polls the database while any caller waits. Runs until cancelled."""
        while True:
            await self._wake.wait()
            if not self._waiting:
                self._wake.clear()
                continue
            with contextlib.suppress(StoreUnavailableError):
                for submission_id in await self._database.read(partial(_settled, list(self._waiting))):
                    self.notify(submission_id)
            await asyncio.sleep(self.POLL_SECONDS)


def _settled(waiting: list[str], connection: Connection) -> list[str]:
    settled = select(submissions.c.id).where(submissions.c.id.in_(waiting), submissions.c.status != Status.PENDING)
    return list(connection.execute(settled).scalars())
