"""Submissions that can't be read: each is set aside, and resumed once a key decrypts it.

A submission that no key decrypts, or that is malformed, waits as `unreadable` until its key is configured or an
operator discards it. Nothing of it is sent meanwhile, and it does not hold up others.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, Row, exists, insert, or_, select, update

from app.delivery import statements
from app.delivery.decryption import decrypt_submission
from app.domain.submission import FINAL, AttemptOutcome, Status, StepStatus
from app.storage.database import Database, now_of
from app.storage.encryption import Keyring
from app.storage.schema import HAS_ARRIVED, NEEDS_A_PERSON, attempts, steps, submissions

BATCH = 200

log = structlog.get_logger()

_OWN_IS_OPEN = submissions.c.status == Status.PENDING
_UNREADABLE_STEP = (steps.c.submission_id == submissions.c.id) & (steps.c.status == StepStatus.UNREADABLE)


def set_aside(connection: Connection, row: Row[Any], step_rows: Sequence[Any], now: datetime, error: Exception) -> None:
    """Sets a submission aside that this transaction has claimed. Its status becomes `unreadable`, unless its own
    operation is already delivered."""
    log.error("submission set aside: it can't be read", submission=row.id, exc_info=error)  # whose message may quote it
    mine = submissions.c.id == row.id
    connection.execute(update(submissions).where(mine).values(claim=None, due_at=None))
    settled = {"status": Status.UNREADABLE.value, "settled_at": now}
    connection.execute(update(submissions).where(mine, _OWN_IS_OPEN).values(settled))
    first = next((step for step in step_rows if step.status not in FINAL), None)
    if first is not None:
        this = (steps.c.submission_id == row.id) & (steps.c.position == first.position)
        connection.execute(update(steps).where(this).values(status=StepStatus.UNREADABLE.value))
        note = {"submission_id": row.id, "position": first.position, "started_at": now, "ended_at": now}
        connection.execute(insert(attempts).values(**note, outcome=AttemptOutcome.SET_ASIDE.value))


async def resume_readable(database: Database, keyring: Keyring) -> int:
    """Makes unreadable submissions due again if they can be read now. Returns how many. Raises
    `StoreUnavailableError`."""
    resumed, last = 0, ""
    while ids := await database.read(partial(_unreadable_ids, last)):
        if readable := await database.read(partial(_readable, keyring, ids)):
            resumed += await database.write(partial(_make_due, readable))
        last = ids[-1]
    if resumed:
        log.info("unreadable submissions can be read again", count=resumed)
    return resumed


def _unreadable_ids(after: str, connection: Connection) -> Sequence[str]:
    own = select(submissions.c.id).where(NEEDS_A_PERSON, submissions.c.status == Status.UNREADABLE)
    later = select(submissions.c.id).where(HAS_ARRIVED, exists().where(_UNREADABLE_STEP, steps.c.position > 0))
    ids: set[str] = set()
    for query in (own, later):
        batch = query.where(submissions.c.id > after).order_by(submissions.c.id).limit(BATCH)
        ids |= set(connection.execute(batch).scalars())
    return sorted(ids)[:BATCH]


def _readable(keyring: Keyring, ids: Sequence[str], connection: Connection) -> list[str]:
    readable = []
    for row in connection.execute(select(submissions).where(submissions.c.id.in_(ids))):
        step_rows = statements.steps_of(connection, [row.id])[row.id]
        try:
            decrypt_submission(keyring, row, step_rows)
        except Exception as error:  # still malformed, or still without its key
            log.debug("still unreadable", submission=row.id, detail=type(error).__name__)
        else:
            readable.append(row.id)
    return readable


def _make_due(ids: Sequence[str], connection: Connection) -> int:
    """Makes submissions due that nobody has discarded meanwhile. The time that they were set aside does not count
    towards their age."""
    now, columns = now_of(connection), submissions.c
    aside = or_(columns.status == Status.UNREADABLE, exists().where(_UNREADABLE_STEP))
    free = columns.claim.is_(None) & columns.due_at.is_(None) & columns.erased_at.is_(None)
    due = update(submissions).where(columns.id.in_(ids), free, aside).values(due_at=now, delivery_since=now)
    resumed = connection.execute(due.returning(columns.id)).scalars().all()
    is_resumed = columns.id.in_(resumed)
    pending = {"status": Status.PENDING.value, "settled_at": None}
    connection.execute(update(submissions).where(is_resumed, columns.status == Status.UNREADABLE).values(pending))
    waiting = steps.c.submission_id.in_(resumed) & (steps.c.status == StepStatus.UNREADABLE)
    connection.execute(update(steps).where(waiting).values(status=StepStatus.WAITING.value))
    return len(resumed)
