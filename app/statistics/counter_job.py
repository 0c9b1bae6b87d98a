"""The job that counts received and delivered submissions by day for the console. It runs some seconds behind: a
submission's campaign is encrypted with the rest, and decrypting it would slow down the post.

The position of each round is stored in the database and moved in the same transaction as its counts, and only if it is
still where this process read it. So any number of processes may count, and each submission is counted once.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from app.domain.campaigns import NO_CAMPAIGN
from app.domain.ids import first_id_of
from app.domain.submission import Operation, Status
from app.operations.registry import OPERATIONS
from app.statistics.arrivals import RECEIVED, add_arrivals
from app.statistics.daily_counts import Counted, Timed, add, add_times, day_of, home_of
from app.statistics.latency_histogram import bucket_of
from app.storage.conflict_insert import conflict_insert
from app.storage.database import Database, now_of
from app.storage.encrypted_fields import resource_of
from app.storage.encryption import Keyring
from app.storage.schema import submissions, tallied
from app.submissions.listing import stored_application

PAUSE_SECONDS = 5.0
BUSY_PAUSE_SECONDS = 1.0
MAX_AT_ONCE = 500
# Ids and times come from several machines' clocks (at most a minute apart, see `maintenance/checks`), and rows are
# committed a little later than they are dated. Everything older than this is committed. SQLite has only one machine.
SETTLED_AFTER = timedelta(minutes=2)
SETTLED_AFTER_HERE = timedelta(seconds=10)
DELIVERED = "delivered"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Mark:
    """How far a round has counted: the last submission's id, and in the round `delivered`, which goes in order of
    `settled_at`, that time as `moment`."""

    submission_id: str = ""
    moment: datetime | None = None


class CounterJob:
    def __init__(self, database: Database, keyring: Keyring, lag: timedelta | None = None) -> None:
        """`lag` is the age after which every submission is sure to be committed; by default it depends on the
        database."""
        self._database = database
        self._keyring = keyring
        self._lag = lag if lag is not None else SETTLED_AFTER_HERE if database.is_sqlite else SETTLED_AFTER

    async def count(self) -> bool:
        """Counts one batch; returns whether there was anything to count. Raises `StoreUnavailableError`."""
        rounds = [await self._count(name) for name in (RECEIVED, DELIVERED)]
        return any(rounds)

    async def _count(self, name: str) -> bool:
        mark, rows = await self._database.read(
            lambda connection: _some(connection, name, now_of(connection) - self._lag)
        )
        if not rows:
            return False
        last = _Mark(rows[-1].id, rows[-1].settled_at if name == DELIVERED else None)
        counted = [row for row in rows if _counts(row) and (name == RECEIVED or row.status == Status.DELIVERED)]
        counts = Counter(self._counted(row) for row in counted)
        times = Counter(map(_timed, counted)) if name == DELIVERED else Counter()

        def work(connection: Connection) -> None:
            if _moved(connection, name, mark, last):
                if name == RECEIVED:
                    add_arrivals(connection, counted)
                add(connection, "submissions" if name == RECEIVED else "delivered", counts)
                add_times(connection, times)

        await self._database.write(work)
        return True

    def _counted(self, row: Row[Any]) -> Counted:
        stored = stored_application(self._keyring, row)
        home = home_of(row.operation, resource_of(row.resource), stored.estate if stored else "")
        campaign = stored.campaign if stored else NO_CAMPAIGN
        return Counted(day_of(row.received_at), row.customer_id, row.operation, home, campaign)


def _counts(row: Row[Any]) -> bool:
    return OPERATIONS[Operation(row.operation)].is_lead


def _timed(row: Row[Any]) -> Timed:
    taken = bucket_of(row.settled_at - row.received_at)
    return Timed(day_of(row.received_at), row.customer_id, row.operation, taken)


def _some(connection: Connection, name: str, before: datetime) -> tuple[_Mark, list[Row[Any]]]:
    row = connection.execute(select(tallied).where(tallied.c.round == name)).one_or_none()
    mark = _Mark(row.submission_id, row.moment) if row else _Mark()
    columns = submissions.c
    if name == RECEIVED:
        some = select(submissions).where(columns.id > mark.submission_id, columns.id < first_id_of(before))
        some = some.order_by(columns.id)
    else:
        moment = mark.moment or BEGINNING
        later = (columns.settled_at > moment) | ((columns.settled_at == moment) & (columns.id > mark.submission_id))
        some = select(submissions).where(columns.settled_at >= moment, columns.settled_at < before, later)
        some = some.order_by(columns.settled_at, columns.id)
    return mark, list(connection.execute(some.limit(MAX_AT_ONCE)))


def _moved(connection: Connection, name: str, before: _Mark, after: _Mark) -> bool:
    """Moves a round's position. False if another process has counted these submissions meanwhile."""
    values = {"moment": after.moment, "submission_id": after.submission_id}
    if not before.submission_id:
        begin = conflict_insert(connection, tallied).values(round=name, **values).on_conflict_do_nothing()
        return connection.execute(begin.returning(tallied.c.round)).first() is not None
    same = (tallied.c.round == name) & (tallied.c.submission_id == before.submission_id)
    same &= tallied.c.moment == before.moment if before.moment else tallied.c.moment.is_(None)
    return connection.execute(update(tallied).where(same).values(**values)).rowcount == 1
