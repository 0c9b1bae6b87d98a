"""What happened to one submission: each call, and what a person decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from app.storage.database import Database
from app.storage.schema import attempts, submissions


@dataclass(frozen=True)
class Attempt:
    """`outcome` is None while the call lasts, or when a crash ended us in it; `detail` is ours, never Vitec's words."""

    position: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    http_status: int | None
    detail: str | None


@dataclass(frozen=True)
class History:
    """In order of time, an operator's decisions among the attempts. `due_at` is when the next attempt is due, None when
    there is nothing more to do; `erased_at` when what is personal was erased."""

    attempts: Sequence[Attempt]
    due_at: datetime | None
    erased_at: datetime | None


async def history(database: Database, identity: str) -> History:
    """Raises `StoreUnavailable`."""
    return await database.read(lambda connection: _history(connection, identity))


def _history(connection: Connection, identity: str) -> History:
    columns = attempts.c
    tried = select(
        columns.position,
        columns.started_at,
        columns.ended_at,
        columns.outcome,
        columns.http_status,
        columns.detail,
    ).where(columns.submission_id == identity)
    due = select(submissions.c.due_at, submissions.c.erased_at).where(submissions.c.id == identity)
    return History(
        [Attempt(*row) for row in connection.execute(tried.order_by(columns.id))],
        *connection.execute(due).one(),
    )
