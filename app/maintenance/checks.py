"""Checks of the clock, on which ids, leases and tokens depend, and of whether the database can be written."""

from datetime import UTC, datetime, timedelta
from os import urandom

from sqlalchemy import Connection, delete, func, insert, select

from app.domain.ids import new_id
from app.domain.submission import Operation, Status, StepStatus
from app.operations.registry import group_of
from app.storage.database import Database, DatabaseUnusableError, usable
from app.storage.schema import steps, submissions

EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)  # a submission's reference counts from here
MAX_CLOCK_SKEW = timedelta(minutes=1)  # about the length of a lease


def require_plausible_clock(database: Database, now: datetime) -> None:
    """Checks this machine's clock; on PostgreSQL also against the database's, which the replicas share. Raises
    `DatabaseUnusableError`."""
    if now < EARLIEST:
        raise DatabaseUnusableError(f"this machine's clock says {now:%Y-%m-%d %H:%M}Z: set it")
    if database.is_sqlite:
        return
    with usable(), database.engine.connect() as connection:
        skew = abs(now - connection.execute(select(func.clock_timestamp())).scalar_one())
    if skew > MAX_CLOCK_SKEW:
        raise DatabaseUnusableError(f"this machine's clock is {skew.total_seconds():.0f} s off the database's: set it")


PAYLOAD_LENGTH = 2048  # bytes, about a lead's
NOBODY = ""  # the id of no customer


def can_write(connection: Connection) -> None:
    """Raises `DBAPIError`, here or at the commit, if the database can't be written.

    Writes as much as a lead, and deletes it in the same transaction, so that it is never visible. On a full disk an
    empty write would succeed, and so would a write of one page while the log has free blocks.
    """
    now, operation = datetime.now(UTC), Operation.INTEREST
    id_ = new_id(now)
    connection.execute(
        insert(submissions).values(
            id=id_,
            customer_id=NOBODY,
            operation=operation.value,
            resource=NOBODY,
            status=Status.PENDING.value,
            language="",
            received_at=now,
            delivery_since=now,
            payload=urandom(PAYLOAD_LENGTH),
            repeat_key=urandom(32),
            function_group=group_of(operation).value,
            due_at=now,
        )
    )
    connection.execute(
        insert(steps).values(
            submission_id=id_,
            position=0,
            operation=operation.value,
            resource=NOBODY,
            status=StepStatus.WAITING.value,
            attempts=0,
        )
    )
    connection.execute(delete(submissions).where(submissions.c.id == id_))
