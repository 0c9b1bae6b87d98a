"""Whether the database could take a lead now."""

from datetime import UTC, datetime
from os import urandom

from sqlalchemy import Connection, delete, insert

from app.domain.submission import GROUPS, Operation, Status, StepStatus, new_id
from app.storage.schema import steps, submissions

PAYLOAD_LENGTH = 2048  # bytes, about a lead's
NOBODY = ""  # no customer's id


def can_write(connection: Connection) -> None:
    """Raises `DBAPIError`, here or with the commit, when not.

    As much is written as a lead is, and taken away again in the same transaction, so that nobody ever sees it. A write
    of nothing would succeed on a full disk, and that of one page as long as the log's last blocks hold it.
    """
    identity, now, operation = new_id(), datetime.now(UTC), Operation.INTEREST
    connection.execute(
        insert(submissions).values(
            id=identity,
            customer_id=NOBODY,
            operation=operation.value,
            resource=NOBODY,
            status=Status.PENDING.value,
            language="",
            received_at=now,
            delivery_since=now,
            payload=urandom(PAYLOAD_LENGTH),
            repeat_key=urandom(32),
            function_group=GROUPS[operation].value,
            due_at=now,
        )
    )
    connection.execute(
        insert(steps).values(
            submission_id=identity,
            position=0,
            operation=operation.value,
            resource=NOBODY,
            status=StepStatus.WAITING.value,
            attempts=0,
        )
    )
    connection.execute(delete(submissions).where(submissions.c.id == identity))
