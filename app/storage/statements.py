"""The outbox's statements, built once: building one costs more than running it.

Parameters of the conditions are called `of_…`, because a column's own name is that of its new value.
"""

from functools import cache
from typing import Any

from sqlalchemy import Select, Update, bindparam, insert, select, update

from app.domain.submission import StepStatus
from app.storage.schema import attempts, steps, submissions

OF_SUBMISSION = submissions.c.id == bindparam("of_submission")
OF_STEP = (steps.c.submission_id == bindparam("of_submission")) & (steps.c.position == bindparam("of_position"))

DUE: Select[tuple[str]] = (
    select(submissions.c.id)
    .where(
        submissions.c.customer_id == bindparam("of_customer"),
        submissions.c.function_group == bindparam("of_group"),
        submissions.c.due_at <= bindparam("of_now"),
    )
    .order_by(submissions.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
CLAIM = (
    update(submissions)
    .where(OF_SUBMISSION)
    .values(claim=bindparam("claim"), due_at=bindparam("due_at"))
    .returning(submissions.c.customer_id, submissions.c.operation, submissions.c.delivery_since, submissions.c.payload)
)
STEPS = select(steps).where(steps.c.submission_id == bindparam("of_submission")).order_by(steps.c.position)
NOT_FOUND_BEFORE = select(attempts.c.position).where(
    attempts.c.submission_id == bindparam("of_submission"), attempts.c.http_status == 404
)
SENDING = update(steps).where(OF_STEP).values(status=StepStatus.SENDING.value, attempts=steps.c.attempts + 1)
RECORD_STEP = (
    update(steps)
    .where(OF_STEP)
    .values(
        status=bindparam("status"),
        attempts=steps.c.attempts - bindparam("uncounted"),
        result=bindparam("result"),
        upstream=bindparam("upstream"),
    )
)
BEGIN_ATTEMPT = insert(attempts).returning(attempts.c.id)
_ENDED: dict[str, Any] = {name: bindparam(name) for name in ("ended_at", "outcome", "http_status", "detail")}
END_ATTEMPT = update(attempts).where(attempts.c.id == bindparam("of_attempt")).values(_ENDED)
END_OPEN_ATTEMPTS = (
    update(attempts)
    .where(
        attempts.c.submission_id == bindparam("of_submission"),
        attempts.c.position == bindparam("of_position"),
        attempts.c.ended_at.is_(None),
    )
    .values(_ENDED)
)


@cache
def fenced(columns: tuple[str, ...]) -> Update:
    """Sets these columns of a submission, if the claim is still `of_claim`."""
    mine = submissions.c.claim == bindparam("of_claim")
    return update(submissions).where(OF_SUBMISSION, mine).values({name: bindparam(name) for name in columns})
