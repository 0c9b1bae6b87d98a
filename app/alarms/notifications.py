"""Notifications waiting for each receiver, until they are delivered or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from app.alarms.incidents import IncidentKind
from app.storage.database import Database
from app.storage.schema import notices

MOST = 20
CLAIMED = timedelta(minutes=2)  # longer than any attempt takes; then its process has died
AGAIN = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 1800, 3600))  # the last one repeating
GIVEN_UP = timedelta(days=3)


@dataclass(frozen=True)
class Notification:
    """`subjects` are those of troubles of one kind and customer; `over`: the all-clear; `attempts` have failed."""

    id: str
    kind: IncidentKind
    customer_id: str
    over: bool
    subjects: tuple[str, ...]
    since: datetime
    created_at: datetime
    attempts: int


class NotificationQueue:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, receiver: str, now: datetime) -> Sequence[Notification]:
        """The oldest first. Raises `StoreUnavailableError`."""
        query = (
            select(notices)
            .where(notices.c.receiver == receiver, notices.c.due_at <= now)
            .order_by(notices.c.created_at)
            .limit(MOST)
        )

        def work(connection: Connection) -> list[Notification]:
            return [
                Notification(
                    row.id,
                    IncidentKind(row.kind),
                    row.customer_id,
                    row.over,
                    tuple(row.subjects.split(" ")),
                    row.since,
                    row.created_at,
                    row.attempts,
                )
                for row in connection.execute(query)
            ]

        return await self._database.read(work)

    async def claim(self, notice: Notification, now: datetime) -> bool:
        """Whether this process may send it now, and no other. Raises `StoreUnavailableError`."""
        mine = (notices.c.id == notice.id) & (notices.c.attempts == notice.attempts) & (notices.c.due_at <= now)
        claim = update(notices).where(mine).values(attempts=notice.attempts + 1, due_at=now + CLAIMED)
        return await self._database.write(lambda connection: connection.execute(claim).rowcount == 1)

    async def told(self, notice: Notification) -> None:
        await self._set(notice, None)

    async def put_off(self, notice: Notification, now: datetime) -> None:
        """After an attempt that failed. Raises `StoreUnavailableError`."""
        again = AGAIN[min(notice.attempts, len(AGAIN) - 1)]
        await self._set(notice, None if now - notice.created_at > GIVEN_UP else now + again)

    async def _set(self, notice: Notification, due_at: datetime | None) -> None:
        this = update(notices).where(notices.c.id == notice.id).values(due_at=due_at)
        await self._database.write(lambda connection: connection.execute(this))
