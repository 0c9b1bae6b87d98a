"""Database rows of an accepted post, built before the transaction that stores them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Dialect, insert, update

from app.domain.submission import Status, StepStatus
from app.intake.new_submission import NewSubmission
from app.operations.registry import group_of
from app.storage.column_types import UtcDateTime
from app.storage.driver.compiled import RowInsert
from app.storage.encrypted_fields import payload_aad, plain_resource
from app.storage.encryption import KeyedHash, Keyring
from app.storage.schema import cancellations, steps, submissions

_SUBMISSION = (
    "id",
    "customer_id",
    "operation",
    "resource",
    "status",
    "language",
    "received_at",
    "delivery_since",
    "payload",
    "email_hash",
    "phone_hash",
    "repeat_key",
    "repeat_content",
    "repeat_until",
    "function_group",
    "due_at",
)
_PENDING, _HELD, _WAITING = Status.PENDING.value, Status.HELD.value, StepStatus.WAITING.value
_STEP = ("submission_id", "position", "operation", "resource", "status", "attempts")


@dataclass(slots=True)
class SubmissionRows:
    """The rows of one submission, with values in the driver's form."""

    id: str
    received_at: datetime
    submission: dict[str, Any]
    steps: list[dict[str, Any]]
    cancels: str


class RowBuilder:
    def __init__(self, dialect: Dialect, keyring: Keyring, contact_hash: KeyedHash) -> None:
        self._submissions = RowInsert(submissions, _SUBMISSION, dialect)
        self._steps = RowInsert(steps, _STEP, dialect)
        self._time = UtcDateTime().bind_processor(dialect) or _unchanged
        self._keyring = keyring
        self._contact_hash = contact_hash

    def insert(self, connection: Connection, batch: Sequence[SubmissionRows]) -> None:
        """Raises `DBAPIError`."""
        self._submissions.execute(connection, [rows.submission for rows in batch])
        self._steps.execute(connection, [step for rows in batch for step in rows.steps])
        cancelled = [{"booking_id": rows.cancels, "submission_id": rows.id} for rows in batch if rows.cancels]
        if cancelled:
            connection.execute(insert(cancellations), cancelled)
            # The same booking once more is meant: a repeat would be answered by the receipt of the cancelled one.
            bookings = submissions.c.id.in_([row["booking_id"] for row in cancelled])
            connection.execute(update(submissions).where(bookings).values(repeat_key=None))

    def build(self, new: NewSubmission) -> SubmissionRows:
        received = self._time(new.received_at)
        contacts, repeat = new.contacts, new.repeat
        submission = {
            "id": new.id,
            "customer_id": new.customer_id,
            "operation": str(new.operation),
            "resource": plain_resource(new.operation, new.resource),
            "status": _HELD if new.held else _PENDING,
            "language": new.language,
            "received_at": received,
            "delivery_since": received,
            "payload": self._keyring.encrypt(new.application.to_json(), payload_aad(new.id)),
            "email_hash": self._contact_hash.digest(contacts["email"]) if "email" in contacts else None,
            "phone_hash": self._contact_hash.digest(contacts["phone"]) if "phone" in contacts else None,
            "repeat_key": repeat.key if repeat else None,
            "repeat_content": repeat.content if repeat else None,
            "repeat_until": self._time(new.received_at + repeat.lifetime) if repeat else None,
            "function_group": str(group_of(new.steps[0].operation)),
            "due_at": None if new.held else received,
        }
        steps = [
            {
                "submission_id": new.id,
                "position": position,
                "operation": str(step.operation),
                "resource": plain_resource(step.operation, step.resource),
                "status": _WAITING,
                "attempts": 0,
            }
            for position, step in enumerate(new.steps)
        ]
        return SubmissionRows(new.id, new.received_at, submission, steps, new.cancels)


def _unchanged(value: Any) -> Any:
    return value
