"""Retention: erases personal data whose retention period is over, and discards held submissions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, exists, or_, select, union_all

from app.domain.submission import NEEDS_ATTENTION, Status
from app.storage.clock import BELIEVED_AFTER, is_steady
from app.storage.column_types import moment_of
from app.storage.database import Database, now_of
from app.storage.driver.checkpoints import empty_log
from app.storage.driver.compiled import Prepared
from app.storage.schema import (
    HAS_ARRIVED,
    IS_KEPT,
    LATER_STEP_STOPPED,
    NEEDS_A_PERSON,
    literals,
    steps,
    submissions,
)
from app.submissions.erasure import BATCH, erase

WEEK = timedelta(days=7)
_UNDELIVERED = (Status.REJECTED, Status.FAILED, Status.UNCERTAIN, Status.UNREADABLE)


@dataclass(frozen=True)
class RetentionPeriods:
    """How long personal data is kept: after delivery; while held, from its receipt; and if the submission or a later
    step was not delivered, from its outcome. If a person has retried the later step since, from then: its attempts may
    end after the period, and someone must hear of it first."""

    delivered: timedelta
    held: timedelta
    undelivered: timedelta


def last_alert_after(period: timedelta) -> timedelta:
    """How long after the beginning of a retention `period` the operator is alerted once more: a week before the
    erasure, or halfway if the period is a week or less, so that the two alerts do not coincide."""
    return period - WEEK if period > WEEK else period / 2


@dataclass(frozen=True)
class UndecidedSubmission:
    """A submission that waits for an operator's decision, or is about to be erased without one."""

    id: str
    customer_id: str
    since: datetime
    held: bool


@dataclass(frozen=True)
class RetentionReport:
    """`held`: longest waiting first. `soon_erased`: those that need a person and are erased within a week."""

    has_expired: bool
    held: Sequence[UndecidedSubmission]
    soon_erased: Sequence[UndecidedSubmission]


# When a later step stopped, or at the latest when a person retried it.
_retried = submissions.c.waiting_since > submissions.c.settled_at
_stopped_at = case((_retried, submissions.c.waiting_since), else_=submissions.c.settled_at)


def _is_over(delivered: Any, undelivered: Any, held: Any) -> ColumnElement[bool]:
    """The condition that a submission's retention period is over. Each argument is a time, as a value or a parameter:
    what was delivered, stopped or received before it is erased."""
    columns = submissions.c
    stuck = exists().where(steps.c.submission_id == columns.id, steps.c.status.in_(literals(*sorted(NEEDS_ATTENTION))))
    was_delivered = columns.status == Status.DELIVERED
    return columns.due_at.is_(None) & or_(
        was_delivered & ~stuck & (columns.settled_at < delivered),
        was_delivered & stuck & (_stopped_at < undelivered),
        columns.status.in_(literals(*_UNDELIVERED)) & (columns.settled_at < undelivered),
        _IS_HELD & (columns.received_at < held),
    )


# Statements are built once: building one costs more than running it.
_COLUMNS = (submissions.c.id, submissions.c.customer_id, submissions.c.status)
_IS_HELD = submissions.c.status == Status.HELD
_SETTLED_BY = submissions.c.settled_at <= bindparam("of_settled")
_UNDECIDED = Prepared(
    union_all(
        select(*_COLUMNS, submissions.c.received_at.label("since")).where(NEEDS_A_PERSON, _IS_HELD),
        select(*_COLUMNS, submissions.c.settled_at).where(NEEDS_A_PERSON, ~_IS_HELD, _SETTLED_BY),
        select(*_COLUMNS, _stopped_at)
        .join_from(steps, submissions, steps.c.submission_id == submissions.c.id)
        .where(LATER_STEP_STOPPED, HAS_ARRIVED, submissions.c.due_at.is_(None), _SETTLED_BY)
        .distinct(),
    )
)
# Two statements, each with its index: a single one with "or" would use neither.
_SETTLED_EXPIRED = Prepared(
    select(submissions.c.id)
    .where(
        IS_KEPT,
        submissions.c.settled_at < bindparam("of_earliest"),
        _is_over(bindparam("of_delivered"), bindparam("of_undelivered"), bindparam("of_held")),
    )
    .order_by(submissions.c.settled_at)  # in index order: otherwise SQLite would scan all submissions
    .limit(BATCH)
)
# Answered from an index; the statement that erases checks the rest of the condition.
_HELD_EXPIRED = Prepared(
    select(submissions.c.id)
    .where(NEEDS_A_PERSON, _IS_HELD, submissions.c.received_at < bindparam("of_held"))
    .limit(BATCH)
)


def soon_erased(connection: Connection, periods: RetentionPeriods) -> list[UndecidedSubmission]:
    """Those that need a person and are erased within a week. Empty while the clock is in doubt."""
    if not is_steady(connection, BELIEVED_AFTER):
        return []
    return _soon_erased(_undecided(connection, periods), now_of(connection), periods)


class Retention:
    def __init__(self, database: Database, periods: RetentionPeriods) -> None:
        self._database = database
        self.periods = periods

    async def report(self) -> RetentionReport:
        """Takes one transaction, because this is all that most rounds do. While the clock is in doubt, nothing counts
        as expired or soon erased. Raises `StoreUnavailableError`."""
        return await self._database.read(self._report)

    async def erase_expired(self) -> int:
        """Returns how many submissions were erased; none while the clock is in doubt. Any number of workers may run it
        at once. Raises `StoreUnavailableError`."""
        count = 0
        while ids := await self._database.read(self._expired):
            erased = await self._database.write(partial(self._erase, ids))
            count += erased
            if not erased:  # all of them have been retried or released meanwhile
                break
        return count

    async def empty_log(self) -> None:
        """Removes what was erased from SQLite's log too: whoever erased it may have been killed before that, or a
        reader was using the log."""
        await empty_log(self._database.engine)

    def _report(self, connection: Connection) -> RetentionReport:
        undecided, periods, now = _undecided(connection, self.periods), self.periods, now_of(connection)
        held = sorted((submission for submission in undecided if submission.held), key=lambda submission: submission.id)
        if not is_steady(connection, BELIEVED_AFTER):
            return RetentionReport(False, held, ())
        has_expired = any(submission.since < now - periods.held for submission in held)
        return RetentionReport(
            has_expired or bool(self._rows(connection, _SETTLED_EXPIRED)), held, _soon_erased(undecided, now, periods)
        )

    def _erase(self, ids: Sequence[str], connection: Connection) -> int:
        """Erases those that are still expired."""
        if not is_steady(connection, BELIEVED_AFTER):
            return 0
        now, periods = now_of(connection), self.periods
        is_over = _is_over(now - periods.delivered, now - periods.undelivered, now - periods.held)
        return len(erase(connection, ids, is_over))

    def _expired(self, connection: Connection) -> Sequence[str]:
        if not is_steady(connection, BELIEVED_AFTER):
            return []
        return self._rows(connection, _SETTLED_EXPIRED) or self._rows(connection, _HELD_EXPIRED)

    def _rows(self, connection: Connection, statement: Prepared) -> Sequence[str]:
        now, periods = now_of(connection), self.periods
        values = {
            "of_delivered": now - periods.delivered,
            "of_undelivered": now - periods.undelivered,
            "of_held": now - periods.held,
            "of_earliest": now - min(periods.delivered, periods.undelivered),
        }
        return [row.id for row in statement.rows(connection, values)]


def _undecided(connection: Connection, periods: RetentionPeriods) -> list[UndecidedSubmission]:
    """Held submissions, and others that need a person if they are erased within a week."""
    settled_by = now_of(connection) - last_alert_after(periods.undelivered)
    undecided = []
    for row in _UNDECIDED.rows(connection, {"of_settled": settled_by}):
        since = moment_of(row.since, connection.dialect)
        assert since is not None  # of a held one it is `received_at`, which is never NULL
        if row.status == Status.DELIVERED and since > settled_by:  # a condition on this would mislead SQLite's planner
            continue
        undecided.append(UndecidedSubmission(row.id, row.customer_id, since, row.status == Status.HELD))
    return undecided


def _soon_erased(
    undecided: Sequence[UndecidedSubmission], now: datetime, periods: RetentionPeriods
) -> list[UndecidedSubmission]:
    held_by = now - last_alert_after(periods.held)
    return [submission for submission in undecided if not submission.held or submission.since <= held_by]
