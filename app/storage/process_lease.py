"""Leases for jobs that one process does for all: renewed by the holder, taken over by another once they expire."""

from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Row, or_, select, update

from app.storage.conflict_insert import conflict_insert
from app.storage.database import Database, now_of
from app.storage.schema import leases

LEASE_LASTS = timedelta(seconds=30)


class _State(NamedTuple):
    holder: str
    has_ended: bool
    ends_soon: bool


class ProcessLease:
    """One process's claim to a job. Methods raise `StoreUnavailableError`."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._holder = str(uuid4())

    async def take(self) -> bool:
        """Takes or renews the lease if possible; returns whether this process holds it."""
        state = await self._database.read(self._state)
        if state is None or state.has_ended or (state.holder == self._holder and state.ends_soon):
            return await self._database.write(self._take)
        return state.holder == self._holder

    def holds(self, connection: Connection) -> bool:
        """Whether this process holds the lease. Locks it until the end of the transaction."""
        is_held = leases.c.name == self._name, leases.c.holder == self._holder, leases.c.until > now_of(connection)
        return connection.execute(select(leases.c.name).where(*is_held).with_for_update()).first() is not None

    async def give_back(self) -> None:
        """Ends the lease, so that another process need not wait."""
        is_own = leases.c.name == self._name, leases.c.holder == self._holder

        def work(connection: Connection) -> None:
            connection.execute(update(leases).where(*is_own).values(until=now_of(connection)))

        await self._database.write(work)

    def _state(self, connection: Connection) -> _State | None:
        row: Row[tuple[str, object]] | None = connection.execute(
            select(leases).where(leases.c.name == self._name)
        ).one_or_none()
        if row is None:
            return None
        left = row.until - now_of(connection)
        return _State(row.holder, left <= timedelta(0), left < LEASE_LASTS / 2)

    def _take(self, connection: Connection) -> bool:
        now = now_of(connection)
        values = {"holder": self._holder, "until": now + LEASE_LASTS}
        taken = conflict_insert(connection, leases).values(name=self._name, **values)
        free = or_(leases.c.until <= now, leases.c.holder == self._holder)
        upsert = taken.on_conflict_do_update(index_elements=[leases.c.name], set_=values, where=free)
        return connection.execute(upsert.returning(leases.c.holder)).first() is not None
