"""Erasing what is personal in submissions. What is counted stays: whose, which operation, when, what became of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, literal, update

from app.domain.submission import FINAL, Status, StepStatus
from app.storage.column_types import UtcDateTime
from app.storage.schema import person_index, steps, submissions
from app.submissions.person_index import HOW_FAR

BATCH = 200  # submissions in one transaction: short enough that no post waits for it


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def erase(connection: Connection, ids: Sequence[str], now: datetime) -> int:
    """What is open now never will be delivered: it has failed. The mark of a link that is used once stays, so that it
    stays used. How many there were, those that had been erased before left out."""
    live = submissions.c.id.in_(ids) & submissions.c.erased_at.is_(None)
    open_ = submissions.c.status.in_((Status.PENDING, Status.HELD))
    gone: dict[str, Any] = dict.fromkeys(("payload", "email_hash", "phone_hash", "repeat_content", "due_at", "claim"))
    erased = connection.execute(
        update(submissions)
        .where(live)
        .values(
            **gone,
            status=case((open_, Status.FAILED.value), else_=submissions.c.status),
            settled_at=case((open_, literal(now, UtcDateTime)), else_=submissions.c.settled_at),
            erased_at=now,
        )
    )
    connection.execute(
        delete(person_index).where(person_index.c.submission_id.in_(ids), person_index.c.hash != HOW_FAR)
    )
    unfinished = steps.c.status.not_in(FINAL)
    connection.execute(
        update(steps)
        .where(steps.c.submission_id.in_(ids))
        .values(
            result=None,
            upstream=None,
            status=case((unfinished, StepStatus.FAILED.value), else_=steps.c.status),
        )
    )
    return erased.rowcount
