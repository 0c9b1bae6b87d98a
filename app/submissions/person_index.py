"""Finding a person's submissions by e-mail address or phone number, of which only keyed hashes are kept.

The hashes stand in each submission; in an index of theirs every post would write two pages of their own, in places all
over it. So `fill` copies them to the table of the same name some minutes later, many at once and in their order. What
it has not reached yet is looked through row by row.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Connection, Select, delete, func, insert, select, union, union_all
from sqlalchemy.exc import IntegrityError

from app.domain.ids import first_id_of
from app.storage.database import Database, StoreUnavailableError
from app.storage.encryption import KeyedHash
from app.storage.schema import person_index, submissions

PAUSE_SECONDS = 60.0
MOST_AT_ONCE = 500  # intake waits for so many
# Ids are made by the clocks of the replicas, and committed a little later: what is older than this is all there.
SETTLED_AFTER = timedelta(minutes=10)
HOW_FAR = b""

log = structlog.get_logger()


class PersonIndex:
    def __init__(self, database: Database, contact_hash: KeyedHash) -> None:
        self._database = database
        self._contact_hash = contact_hash

    async def find(self, contact: str) -> Sequence[str]:
        """Ids of the submissions with this e-mail address (in lower case) or number (in E.164), the oldest first.
        Raises `StoreUnavailableError`."""
        digest = self._contact_hash.digest(contact)
        return await self._database.read(lambda connection: find(connection, digest))

    async def run(self) -> None:
        """Fills, for ever."""
        while True:
            try:
                while await self.fill(datetime.now(UTC)):
                    pass
            except StoreUnavailableError as error:
                if not isinstance(error.__cause__, IntegrityError):  # another replica fills too
                    log.warning("person index not updated", detail=str(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def fill(self, now: datetime) -> bool:
        """Some more of what is settled; says whether there was any. Raises `StoreUnavailableError`."""
        return await self._database.write(lambda connection: _fill(connection, now))


def find(connection: Connection, digest: bytes) -> Sequence[str]:
    columns = submissions.c
    filled = select(person_index.c.submission_id).where(person_index.c.hash == digest)
    rest = select(columns.id).where(
        columns.id > _filled_to(connection), (columns.email_hash == digest) | (columns.phone_hash == digest)
    )
    found = union(filled, rest).subquery()
    return connection.execute(select(found.c[0]).order_by(found.c[0])).scalars().all()


def _filled_to(connection: Connection) -> str:
    return connection.execute(select(func.max(person_index.c.submission_id))).scalar() or ""


def _fill(connection: Connection, now: datetime) -> bool:
    after, settled = _filled_to(connection), first_id_of(now - SETTLED_AFTER)
    some = select(submissions.c.id).where(submissions.c.id > after, submissions.c.id < settled)
    some = some.order_by(submissions.c.id).limit(MOST_AT_ONCE)
    last = connection.execute(select(func.max(some.subquery().c.id))).scalar()
    if last is None:
        return False
    both = union_all(*(_hashes(name, after, last) for name in ("email_hash", "phone_hash"))).subquery()
    # Where a person gave an address and a number that are one and the same, one row will do.
    in_order = select(both.c.hash, both.c.id).distinct().order_by(both.c.hash)
    connection.execute(insert(person_index).from_select(["hash", "submission_id"], in_order))
    connection.execute(delete(person_index).where(person_index.c.hash == HOW_FAR))
    connection.execute(insert(person_index).values(hash=HOW_FAR, submission_id=last))
    return True


def _hashes(name: str, after: str, last: str) -> Select[tuple[bytes, str]]:
    column = submissions.c[name]
    between = submissions.c.id > after, submissions.c.id <= last
    return select(column.label("hash"), submissions.c.id).where(*between, column.is_not(None))
