"""Erasure of personal data in submissions. Customer, operation, time and outcome are kept for statistics."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, or_, select, true, update

from app.domain.submission import DONE, DOUBTFUL, FINAL, Operation, Status, StepStatus
from app.operations.registry import OPERATIONS
from app.storage.database import now_of
from app.storage.schema import HOW_FAR, attempts, person_index, steps, submissions

BATCH = 200  # submissions in one transaction, so that posts need not wait for it
# Idempotency keys are kept for a day at most. Only those of single-use links are kept longer: the link must stay used.
KEY_LIFETIME = timedelta(days=1)
_SETTLED = (Status.DELIVERED, Status.REJECTED, Status.FAILED, Status.UNCERTAIN)


@dataclass(frozen=True)
class ErasedSubmission:
    """An erased submission. `arrived`: Vitec has it, or part of it. `may_have_arrived`: a call had no usable answer, or
    was in progress at the erasure."""

    id: str
    customer_id: str
    operation: Operation
    received_at: datetime
    arrived: bool
    may_have_arrived: bool


def erase(
    connection: Connection, ids: Sequence[str], condition: ColumnElement[bool] | None = None
) -> list[ErasedSubmission]:
    """Erases the submissions that fulfil the condition and are not erased yet, and returns them. The condition is part
    of the statement that erases. Open submissions end as failed; as uncertain if a call may have been carried out. What
    Vitec has of each is read after the erasure, when no worker can record any more."""
    rows = {row.id: row for row in connection.execute(_taken(connection, ids, condition))}
    if not rows:
        return []
    of_them = steps.c.submission_id.in_(rows)
    step_rows = connection.execute(select(steps).where(of_them)).all()
    doubtful = {
        (step.submission_id, step.position)
        for step in step_rows
        if step.status in {StepStatus.SENDING, StepStatus.UNCERTAIN}
        or (step.status not in DONE and _was_ambiguous(connection, step.submission_id, step.position))
    }
    arrived = {
        step.submission_id
        for step in step_rows
        if step.status == StepStatus.DELIVERED and not OPERATIONS[Operation(step.operation)].reads
    }
    connection.execute(update(steps).where(of_them).values(result=None, upstream=None))
    for step in step_rows:
        if step.status not in FINAL:
            ended = StepStatus.UNCERTAIN if (step.submission_id, step.position) in doubtful else StepStatus.FAILED
            this = steps.c.submission_id == step.submission_id, steps.c.position == step.position
            connection.execute(update(steps).where(*this).values(status=ended.value))
    uncertain = {submission_id for submission_id, _ in doubtful}
    open_ids = {row.id for row in rows.values() if row.status not in _SETTLED}
    _settle(connection, Status.UNCERTAIN, open_ids & uncertain)
    _settle(connection, Status.FAILED, open_ids - uncertain)
    index = person_index.c.submission_id.in_(rows), person_index.c.hash != HOW_FAR
    connection.execute(delete(person_index).where(*index))
    return [
        ErasedSubmission(
            row.id,
            row.customer_id,
            Operation(row.operation),
            row.received_at,
            arrived=row.id in arrived,
            may_have_arrived=row.id in uncertain,
        )
        for row in rows.values()
    ]


def _taken(connection: Connection, ids: Sequence[str], condition: ColumnElement[bool] | None) -> Any:
    """The statement that erases. It also takes submissions away from a worker that holds them."""
    columns, now = submissions.c, now_of(connection)
    gone: dict[str, Any] = dict.fromkeys(("payload", "email_hash", "phone_hash", "repeat_content", "due_at", "claim"))
    of_link = columns.repeat_until > now + KEY_LIFETIME
    return (
        update(submissions)
        .where(columns.id.in_(ids), columns.erased_at.is_(None), true() if condition is None else condition)
        .values(**gone, repeat_key=case((of_link, columns.repeat_key)), erased_at=now)
        .returning(columns.id, columns.customer_id, columns.operation, columns.received_at, columns.status)
    )


def _was_ambiguous(connection: Connection, submission_id: str, position: int) -> bool:
    of_step = attempts.c.submission_id == submission_id, attempts.c.position == position
    doubtful = or_(attempts.c.outcome.in_(DOUBTFUL), attempts.c.ended_at.is_(None))
    return connection.execute(select(attempts.c.id).where(*of_step, doubtful)).first() is not None


def _settle(connection: Connection, status: Status, ids: Collection[str]) -> None:
    if ids:
        settled = {"status": status.value, "settled_at": now_of(connection)}
        connection.execute(update(submissions).where(submissions.c.id.in_(ids)).values(settled))
