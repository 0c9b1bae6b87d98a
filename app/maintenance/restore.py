"""After a backup was put back: what it calls undelivered may have been delivered since it was made, and who was
signed in then may have signed out."""

from datetime import UTC, datetime

from sqlalchemy import Connection, case, literal, select, update

from app.domain.submission import FINAL, Status, StepStatus
from app.storage.column_types import UtcDateTime
from app.storage.console_sessions import end_all
from app.storage.schema import steps, submissions

_UNSETTLED = (Status.PENDING, Status.HELD)


def park_undelivered(connection: Connection) -> int:
    """Everything with a step to do waits for a person from now on; how many submissions there were."""
    end_all(connection)
    unfinished = steps.c.status.not_in(FINAL)
    unsettled = submissions.c.status.in_(_UNSETTLED)
    parked = connection.execute(
        update(submissions)
        .where(submissions.c.id.in_(select(steps.c.submission_id).where(unfinished)))
        .values(
            claim=None,
            due_at=None,
            status=case((unsettled, Status.UNCERTAIN.value), else_=submissions.c.status),
            settled_at=case((unsettled, literal(datetime.now(UTC), UtcDateTime)), else_=submissions.c.settled_at),
        )
    )
    connection.execute(update(steps).where(unfinished).values(status=StepStatus.UNCERTAIN.value))
    return parked.rowcount
