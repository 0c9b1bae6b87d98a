"""Retention: data that has outlived its time is erased, and held submissions are discarded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, exists, select

from app.domain.submission import STOPPED, Status
from app.storage.database import Database
from app.storage.schema import NEEDS_A_PERSON, steps, submissions
from app.submissions.erasure import BATCH, erase

WEEK = timedelta(days=7)
_UNDELIVERED = (Status.REJECTED, Status.FAILED, Status.UNCERTAIN)


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

    async def erase_outlived(self, now: datetime) -> int:
        """How many were erased. Any number of workers may do it at once. Raises `StoreUnavailableError`."""
        count = 0
        while ids := await self._database.read(partial(self._outlived, now)):
            count += await self._database.write(partial(erase, ids=ids, now=now))
        return count

    async def held(self) -> list[Held]:
        """The longest waiting first. Raises `StoreUnavailableError`."""
        columns = submissions.c
        query = (
            select(columns.id, columns.customer_id, columns.received_at)
            .where(NEEDS_A_PERSON, columns.status == Status.HELD)
            .order_by(columns.id)
        )
        return await self._database.read(lambda connection: [Held(*row) for row in connection.execute(query)])

    def _outlived(self, now: datetime, connection: Connection) -> Sequence[str]:
        columns, periods = submissions.c, self.periods
        stuck = exists().where(steps.c.submission_id == columns.id, steps.c.status.in_(STOPPED))
        delivered = columns.status == Status.DELIVERED
        ended: list[ColumnElement[bool]] = [
            delivered & ~stuck & (columns.settled_at < now - periods.delivered),
            delivered & stuck & (columns.settled_at < now - periods.undelivered),
            columns.status.in_(_UNDELIVERED) & (columns.settled_at < now - periods.undelivered),
            (columns.status == Status.HELD) & (columns.received_at < now - periods.held),
        ]
        over = ended[0] | ended[1] | ended[2] | ended[3]
        query = select(columns.id).where(columns.erased_at.is_(None), columns.due_at.is_(None), over).limit(BATCH)
        return connection.execute(query).scalars().all()
