"""Erasing what is personal in submissions. What is counted stays: whose, which operation, when, what became of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, literal, update

from app.domain.submission import FINAL, Operation, Status, StepStatus
from app.storage.schema import UtcDateTime, steps, submissions

BATCH = 200  # submissions in one transaction: short enough that no post waits for it
# Operations whose path names a contact, which is a person.
_NAMES_A_CONTACT = (Operation.CONTACT.value, Operation.LEAD.value, Operation.LOAN_PROMISE.value)


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def erase(connection: Connection, ids: Sequence[str], now: datetime) -> int:
    """What is not delivered by now never will be: it has failed. The mark of a link that is used once stays, so that
    it stays used. How many there were, those that had been erased before left out."""
    live = submissions.c.id.in_(ids) & submissions.c.erased_at.is_(None)
    pending = submissions.c.status == Status.PENDING
    gone: dict[str, Any] = dict.fromkeys(("payload", "email_hash", "phone_hash", "repeat_content", "due_at", "claim"))
    erased = connection.execute(
        update(submissions)
        .where(live)
        .values(
            **gone,
            resource=_without_contact(submissions),
            status=case((pending, Status.FAILED.value), else_=submissions.c.status),
            settled_at=case((pending, literal(now, UtcDateTime)), else_=submissions.c.settled_at),
            erased_at=now,
        )
    )
    unfinished = steps.c.status.not_in(FINAL)
    connection.execute(
        update(steps)
        .where(steps.c.submission_id.in_(ids))
        .values(
            result=None,
            upstream=None,
            resource=_without_contact(steps),
            status=case((unfinished, StepStatus.FAILED.value), else_=steps.c.status),
        )
    )
    return erased.rowcount


def _without_contact(table: Any) -> Any:
    return case((table.c.operation.in_(_NAMES_A_CONTACT), ""), else_=table.c.resource)
