"""Retention: data that has outlived its time is erased, and held submissions are discarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, exists, or_, select

from app.domain.submission import NEEDS_ATTENTION, Status
from app.storage.database import Database, now_of
from app.storage.driver.checkpoints import empty_log
from app.storage.schema import NEEDS_A_PERSON, steps, submissions
from app.submissions.erasure import BATCH, erase

WEEK = timedelta(days=7)
_UNDELIVERED = (Status.REJECTED, Status.FAILED, Status.UNCERTAIN, Status.UNREADABLE)


@dataclass(frozen=True)
class RetentionPeriods:
    """How long personal data is kept: after delivery; while held, from the moment it came; and of what was not
    delivered, or whose later steps were not, from its outcome."""

    delivered: timedelta
    held: timedelta
    undelivered: timedelta


def last_notice_period(held: timedelta) -> timedelta:
    """How long after it came the operator hears of a held submission again, when it is discarded after `held`: a week
    before that; halfway there where it is a week or less, so that the second word does not come with the first."""
    return held - WEEK if held > WEEK else held / 2


@dataclass(frozen=True)
class Held:
    """A submission that waits for a person's judgement."""

    id: str
    customer_id: str
    received_at: datetime


class Retention:
    def __init__(self, database: Database, periods: RetentionPeriods) -> None:
        self._database = database
        self.periods = periods

    async def erase_outlived(self) -> int:
        """How many were erased. Any number of workers may do it at once. Raises `StoreUnavailableError`."""
        count = 0
        while ids := await self._database.read(self._outlived):
            erased = await self._database.write(partial(self._erase, ids))
            count += erased
            if not erased:  # all of them have been retried or released meanwhile: they are looked at next time
                break
        if count:
            await empty_log(self._database.engine)
        return count

    def _erase(self, ids: Sequence[str], connection: Connection) -> int:
        """Those that have outlived their time still."""
        return len(erase(connection, ids, self._is_over(now_of(connection))))

    async def now(self) -> datetime:
        """By the database's clock. Raises `StoreUnavailableError`."""
        return await self._database.read(now_of)

    async def held(self) -> list[Held]:
        """The longest waiting first. Raises `StoreUnavailableError`."""
        columns = submissions.c
        query = (
            select(columns.id, columns.customer_id, columns.received_at)
            .where(NEEDS_A_PERSON, columns.status == Status.HELD)
            .order_by(columns.id)
        )
        return await self._database.read(lambda connection: [Held(*row) for row in connection.execute(query)])

    def _outlived(self, connection: Connection) -> Sequence[str]:
        over = self._is_over(now_of(connection))
        query = select(submissions.c.id).where(submissions.c.erased_at.is_(None), over).limit(BATCH)
        return connection.execute(query).scalars().all()

    def _is_over(self, now: datetime) -> ColumnElement[bool]:
        columns, periods = submissions.c, self.periods
        stuck = exists().where(steps.c.submission_id == columns.id, steps.c.status.in_(NEEDS_ATTENTION))
        delivered = columns.status == Status.DELIVERED
        return columns.due_at.is_(None) & or_(
            delivered & ~stuck & (columns.settled_at < now - periods.delivered),
            delivered & stuck & (columns.settled_at < now - periods.undelivered),
            columns.status.in_(_UNDELIVERED) & (columns.settled_at < now - periods.undelivered),
            (columns.status == Status.HELD) & (columns.received_at < now - periods.held),
        )
