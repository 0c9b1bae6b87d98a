"""Repairs after a restore: submissions that the backup lists as undelivered may have been delivered since, and console
sessions may have been ended."""

from collections.abc import Sequence

from sqlalchemy import Connection, case, insert, literal, select, update

from app.domain.submission import DONE, AttemptOutcome, Status, StepStatus
from app.storage import clock
from app.storage.column_types import UtcDateTime
from app.storage.console_sessions import end_all
from app.storage.database import now_of
from app.storage.schema import attempts, steps, submissions


def park_undelivered(connection: Connection) -> Sequence[str]:
    """Parks for an operator everything that is not done, including what was rejected or given up, which may have been
    retried since. Also ends all console sessions and trusts the clock. Returns the submissions' ids."""
    end_all(connection)
    clock.trust(connection)
    now, columns = now_of(connection), submissions.c
    undone = steps.c.status.not_in(DONE | {StepStatus.UNCERTAIN})
    of_undone = columns.id.in_(select(steps.c.submission_id).where(undone)) & columns.erased_at.is_(None)
    undelivered = columns.status != Status.DELIVERED
    parked = (
        update(submissions)
        .where(of_undone)
        .values(
            claim=None,
            due_at=None,
            told_at=None,
            waiting_since=now,  # for retention: from now on someone has to decide
            status=case((undelivered, Status.UNCERTAIN.value), else_=columns.status),
            settled_at=case((undelivered, literal(now, UtcDateTime)), else_=columns.settled_at),
        )
    )
    ids = connection.execute(parked.returning(columns.id)).scalars().all()
    not_erased = steps.c.submission_id.in_(select(columns.id).where(columns.erased_at.is_(None)))
    names = ("submission_id", "position", "started_at", "ended_at", "outcome")
    note = literal(now, UtcDateTime), literal(now, UtcDateTime), literal(AttemptOutcome.RESTORED.value)
    notes = select(steps.c.submission_id, steps.c.position, *note).where(undone, not_erased)
    connection.execute(insert(attempts).from_select(names, notes))  # so it never ends as certainly not delivered
    connection.execute(update(steps).where(undone, not_erased).values(status=StepStatus.UNCERTAIN.value))
    return ids
