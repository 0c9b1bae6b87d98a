"""Retention: erases personal data whose retention period is over, and discards held submissions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, or_, select

from app.domain.submission import NEEDS_ATTENTION, Status
from app.storage.clock import BELIEVED_AFTER, is_steady
from app.storage.database import Database, now_of
from app.storage.driver.checkpoints import empty_log
from app.storage.schema import (
    HAS_ARRIVED,
    IS_KEPT,
    LATER_STEP_STOPPED,
    NEEDS_A_PERSON,
    steps,
    submissions,
)
from app.submissions.erasure import BATCH, erase

WEEK = timedelta(days=7)
_UNDELIVERED = (Status.REJECTED, Status.FAILED, Status.UNCERTAIN, Status.UNREADABLE)
_COLUMNS = (submissions.c.id, submissions.c.customer_id)


@dataclass(frozen=True)
class RetentionPeriods:
    """How long personal data is kept: after delivery; while held, from its receipt; and if the submission or a later
    step was not delivered, from its outcome."""

    delivered: timedelta
    held: timedelta
    undelivered: timedelta


def last_notice_period(kept: timedelta) -> timedelta:
    """How long after its beginning the operator gets a second notice of data that is erased after `kept`: a week before
    the erasure, or halfway if `kept` is a week or less, so that the two notices do not coincide."""
    return kept - WEEK if kept > WEEK else kept / 2


@dataclass(frozen=True)
class UndecidedSubmission:
    """A submission that waits for an operator's decision, or is about to be erased without one."""

    id: str
    customer_id: str
    since: datetime


def held(connection: Connection) -> list[UndecidedSubmission]:
    """Longest waiting first."""
    query = select(*_COLUMNS, submissions.c.received_at).where(NEEDS_A_PERSON, submissions.c.status == Status.HELD)
    return [UndecidedSubmission(*row) for row in connection.execute(query.order_by(submissions.c.id))]


def soon_erased(connection: Connection, periods: RetentionPeriods) -> list[UndecidedSubmission]:
    """Submissions that need a person and are erased within a week. None while the clock is in doubt."""
    if not is_steady(connection, BELIEVED_AFTER):
        return []
    now, columns = now_of(connection), submissions.c
    undelivered = columns.settled_at <= now - last_notice_period(periods.undelivered)
    queries = (
        select(*_COLUMNS, columns.received_at).where(
            NEEDS_A_PERSON,
            columns.status == Status.HELD,
            columns.received_at <= now - last_notice_period(periods.held),
        ),
        select(*_COLUMNS, columns.settled_at).where(NEEDS_A_PERSON, columns.status.in_(_UNDELIVERED), undelivered),
        select(*_COLUMNS, columns.settled_at)
        .join_from(steps, submissions, steps.c.submission_id == columns.id)
        .where(LATER_STEP_STOPPED, HAS_ARRIVED, columns.due_at.is_(None), undelivered)
        .distinct(),
    )
    return [UndecidedSubmission(*row) for query in queries for row in connection.execute(query)]


class Retention:
    def __init__(self, database: Database, periods: RetentionPeriods) -> None:
        self._database = database
        self.periods = periods

    async def erase_expired(self) -> int:
        """Returns how many were erased; none while the clock is in doubt. Any number of workers may run it at once.
        Raises `StoreUnavailableError`."""
        count = 0
        while ids := await self._database.read(self._expired):
            erased = await self._database.write(partial(self._erase, ids))
            count += erased
            if not erased:  # all of them have been retried or released meanwhile
                break
        if count:
            await empty_log(self._database.engine)
        return count

    async def held(self) -> list[UndecidedSubmission]:
        """Raises `StoreUnavailableError`."""
        return await self._database.read(held)

    async def soon_erased(self) -> list[UndecidedSubmission]:
        """Raises `StoreUnavailableError`."""
        return await self._database.read(lambda connection: soon_erased(connection, self.periods))

    def _erase(self, ids: Sequence[str], connection: Connection) -> int:
        """Those that are still expired."""
        if not is_steady(connection, BELIEVED_AFTER):
            return 0
        return len(erase(connection, ids, self._is_over(now_of(connection))))

    def _expired(self, connection: Connection) -> Sequence[str]:
        """Two queries, each with its index: a single one with "or" would use neither."""
        if not is_steady(connection, BELIEVED_AFTER):
            return []
        now = now_of(connection)
        earliest = now - min(self.periods.delivered, self.periods.undelivered)
        # In index order: otherwise SQLite would scan all submissions.
        settled = _some(IS_KEPT, submissions.c.settled_at < earliest, self._is_over(now))
        settled = settled.order_by(submissions.c.settled_at)
        # Answered from an index; the statement that erases checks the rest of the condition.
        discarded_before = submissions.c.received_at < now - self.periods.held
        held = _some(NEEDS_A_PERSON, submissions.c.status == Status.HELD, discarded_before)
        return connection.execute(settled).scalars().all() or connection.execute(held).scalars().all()

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


def _some(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(submissions.c.id).where(*conditions).limit(BATCH)
