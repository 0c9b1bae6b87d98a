"""Leases on a job that one process does for all: renewed by its holder, and taken over once they have run out."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import Connection, Row, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.storage.database import Database, now_of
from app.storage.schema import leases

LASTS = timedelta(seconds=30)


class ProcessLease:
    """One process's part in it."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._holder = str(uuid4())

    async def take(self) -> bool:
        """Whether it is ours; now and then that is written. Raises `StoreUnavailableError`."""
        found = await self._database.read(self._found)
        if found is None or found[1] or (found[0] == self._holder and found[2]):
            return await self._database.write(self._take)
        return bool(found[0] == self._holder)

    def holds(self, connection: Connection) -> bool:
        """Whether it is ours until the transaction's end."""
        mine = leases.c.name == self._name, leases.c.holder == self._holder, leases.c.until > now_of(connection)
        return connection.execute(select(leases.c.name).where(*mine).with_for_update()).first() is not None

    async def give_back(self) -> None:
        """So that another need not wait. Raises `StoreUnavailableError`."""
        mine = leases.c.name == self._name, leases.c.holder == self._holder

        def work(connection: Connection) -> None:
            connection.execute(update(leases).where(*mine).values(until=now_of(connection)))

        await self._database.write(work)

    def _found(self, connection: Connection) -> tuple[str, bool, bool] | None:
        """Its holder, whether it is over, and whether it soon will be."""
        row: Row[tuple[str, object]] | None = connection.execute(
            select(leases).where(leases.c.name == self._name)
        ).one_or_none()
        if row is None:
            return None
        left = row.until - now_of(connection)
        return row.holder, left <= timedelta(0), left < LASTS / 2

    def _take(self, connection: Connection) -> bool:
        now = now_of(connection)
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        mine = {"holder": self._holder, "until": now + LASTS}
        taken = dialect.insert(leases).values(name=self._name, **mine)
        free = or_(leases.c.until <= now, leases.c.holder == self._holder)
        upsert = taken.on_conflict_do_update(index_elements=[leases.c.name], set_=mine, where=free)
        return connection.execute(upsert.returning(leases.c.holder)).first() is not None
