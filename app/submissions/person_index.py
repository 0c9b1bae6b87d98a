"""Index of submissions by e-mail address and phone number, of which only keyed hashes are stored.

Each submission holds its hashes, but an index on them would make every post write two more pages at random places. So
`fill` copies them to the table `person_index` some minutes later, many at once and in order. `find` scans the
submissions that have not been copied yet.
"""

from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

from sqlalchemy import Connection, Select, delete, select, union, union_all

from app.domain.ids import first_id_of
from app.storage.conflict_insert import conflict_insert
from app.storage.database import Database, now_of
from app.storage.encryption import KeyedHash
from app.storage.schema import HOW_FAR, person_index, submissions

PAUSE_SECONDS = 60.0
MAX_OTHERS = 10
MAX_AT_ONCE = 500  # in one transaction, which intake waits for
# Ids are made by the replicas' clocks, and committed a little later: everything older than this is committed.
SETTLED_AFTER = timedelta(minutes=10)


class PersonIndex:
    def __init__(self, database: Database, contact_hash: KeyedHash, lag: timedelta = SETTLED_AFTER) -> None:
        """`lag` is the age after which every submission is sure to be committed."""
        self._database = database
        self._contact_hash = contact_hash
        self._lag = lag

    async def find(self, contact: str) -> Sequence[str]:
        """Ids of the submissions with this e-mail address (in lower case) or phone number (in E.164), oldest first.
        Raises `StoreUnavailableError`."""
        digest = self._contact_hash.digest(contact)
        return await self._database.read(lambda connection: find(connection, digest))

    async def others_of(self, submission_id: str) -> Sequence[str]:
        """Ids of the latest other submissions by the same person to the same customer, newest first. Raises
        `StoreUnavailableError`."""
        return await self._database.read(lambda connection: _others(connection, submission_id))

    async def fill(self) -> bool:
        """Copies one batch; returns whether there was anything to copy. Raises `StoreUnavailableError`."""
        return await self._database.write(lambda connection: _fill(connection, self._lag))


def find(connection: Connection, digest: bytes) -> Sequence[str]:
    columns = submissions.c
    filled = select(person_index.c.submission_id).where(person_index.c.hash == digest)
    rest = select(columns.id).where(
        columns.id > _filled_to(connection), (columns.email_hash == digest) | (columns.phone_hash == digest)
    )
    ids = union(filled, rest).subquery()
    return connection.execute(select(ids.c[0]).order_by(ids.c[0])).scalars().all()


def _others(connection: Connection, submission_id: str) -> Sequence[str]:
    columns = submissions.c
    whose = select(columns.customer_id, columns.email_hash, columns.phone_hash).where(columns.id == submission_id)
    row = connection.execute(whose).one_or_none()
    if row is None:
        return []
    ids = {id_ for digest in (row.email_hash, row.phone_hash) if digest for id_ in find(connection, digest)}
    theirs = columns.id.in_(ids - {submission_id}), columns.customer_id == row.customer_id
    query = select(columns.id).where(*theirs).order_by(columns.id.desc()).limit(MAX_OTHERS)
    return connection.execute(query).scalars().all()


def _filled_to(connection: Connection) -> str:
    how_far = select(person_index.c.submission_id).where(person_index.c.hash == HOW_FAR)
    return connection.execute(how_far).scalar() or ""


def _fill(connection: Connection, lag: timedelta) -> bool:
    after, settled = _filled_to(connection), first_id_of(now_of(connection) - lag)
    some = select(submissions.c.id).where(submissions.c.id > after, submissions.c.id < settled)
    some = some.order_by(submissions.c.id).limit(MAX_AT_ONCE)
    # The rows are locked, so that a concurrent erasure either waits and then deletes these hashes too, or has finished
    # and left none to read. The order is not that of deliveries (see `delivery.circuit_breaker`), so this must never
    # wait: the first row that another transaction has locked, and all after it, are left for the next round.
    settled_ids = connection.execute(some).scalars().all()
    locked = set(connection.execute(some.with_for_update(read=True, skip_locked=True)).scalars())
    ids = list(takewhile(locked.__contains__, settled_ids))
    if not ids:
        return False
    both = union_all(*(_hashes(name, after, ids[-1]) for name in ("email_hash", "phone_hash"))).subquery()
    # `distinct`, because the address and the number may be the same text.
    in_order = select(both.c.hash, both.c.id).distinct().order_by(both.c.hash)
    # Some rows may exist already: after a clock error, or if another replica fills at the same time.
    add = conflict_insert(connection, person_index).on_conflict_do_nothing()
    connection.execute(add.from_select(["hash", "submission_id"], in_order))
    connection.execute(delete(person_index).where(person_index.c.hash == HOW_FAR))
    connection.execute(add.values(hash=HOW_FAR, submission_id=ids[-1]))
    return True


def _hashes(name: str, after: str, last: str) -> Select[tuple[bytes, str]]:
    column = submissions.c[name]
    between = submissions.c.id > after, submissions.c.id <= last
    return select(column.label("hash"), submissions.c.id).where(*between, column.is_not(None))
