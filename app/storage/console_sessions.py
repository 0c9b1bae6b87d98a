"""The console's sessions: a row for each one that is open, shared by all replicas and kept across restarts.

A row holds a keyed hash of the cookie, so that a copy of the database can't be used to sign in.
"""

from datetime import timedelta

import structlog
from sqlalchemy import Connection, delete, insert, select, update

from app.storage.database import Database, StoreUnavailableError, now_of
from app.storage.schema import console_sessions

IDLE = timedelta(hours=1)  # after this long without a request, a session has ended
RECORDED_EVERY = timedelta(minutes=1)  # at most, so that reading pages costs few writes

log = structlog.get_logger()


class ConsoleSessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, session: bytes) -> None:
        """Raises `StoreUnavailableError`."""

        def work(connection: Connection) -> None:
            now = now_of(connection)
            connection.execute(delete(console_sessions).where(console_sessions.c.seen_at < now - IDLE))
            connection.execute(insert(console_sessions).values(id=session, seen_at=now))

        await self._database.write(work)

    async def is_open(self, session: bytes) -> bool:
        """Whether the session has not ended and has been idle for less than `IDLE`. Counts as use. Raises
        `StoreUnavailableError`."""

        def idle_time(connection: Connection) -> timedelta | None:
            query = select(console_sessions.c.seen_at).where(console_sessions.c.id == session)
            seen_at = connection.execute(query).scalar()
            return None if seen_at is None else now_of(connection) - seen_at

        idle = await self._database.read(idle_time)
        if idle is None or idle >= IDLE:
            return False
        if idle >= RECORDED_EVERY:
            await self._record_use(session)
        return True

    async def _record_use(self, session: bytes) -> None:
        """An update, not an upsert, so that a session that was ended meanwhile stays ended."""

        def work(connection: Connection) -> None:
            used = update(console_sessions).where(console_sessions.c.id == session)
            connection.execute(used.values(seen_at=now_of(connection)))

        try:
            await self._database.write(work)
        except StoreUnavailableError as error:  # the console must work on a full disk too
            log.warning("console: session use not recorded", detail=str(error))

    async def end(self, session: bytes) -> None:
        """Raises `StoreUnavailableError`."""
        await self._database.write(
            lambda connection: connection.execute(delete(console_sessions).where(console_sessions.c.id == session))
        )


def end_all(connection: Connection) -> None:
    connection.execute(delete(console_sessions))
