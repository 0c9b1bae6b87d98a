"""Repository of stored submissions and their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from app.domain.ids import ids_of_reference, reference_of
from app.domain.submission import Operation, Status, Step, StepStatus, Submission
from app.operations.stored_application import StoredApplication
from app.storage.database import Database
from app.storage.encrypted_fields import payload_aad, resource_of, step_aad
from app.storage.encryption import DecryptionError, Keyring
from app.storage.schema import attempts, steps, submissions
from app.submissions.listing import SubmissionFilter, newest_ids


class SubmissionRepository:
    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def get(self, submission_id: str) -> Submission | None:
        """The submission, or None. Raises `StoreUnavailableError`."""
        return await self._database.read(lambda connection: self._get(connection, submission_id))

    async def application(self, submission_id: str) -> StoredApplication:
        """The stored application, decrypted. Raises `StoreUnavailableError`; `KeyError` if the submission does not
        exist or has been erased; `DecryptionError`, `StoredApplicationError`."""
        query = select(submissions.c.payload).where(submissions.c.id == submission_id)
        encrypted = await self._database.read(lambda connection: connection.execute(query).scalar())
        if encrypted is None:
            raise KeyError(submission_id)
        return StoredApplication.from_json(self._keyring.decrypt(encrypted, payload_aad(submission_id)))

    async def find(self, reference_or_id: str) -> Submission | None:
        """Finds a submission by its id, or by the short reference that a visitor reads over the phone (the newest one
        with it)."""
        reference = reference_or_id.replace(" ", "").upper()
        try:
            first, after = ids_of_reference(reference)
        except ValueError:
            return await self.get(reference_or_id)
        query = select(submissions.c.id).where(submissions.c.id >= first, submissions.c.id < after)
        ids = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return await self.get(max((id_ for id_ in ids if reference_of(id_) == reference), default=""))

    async def newest(self, filters: SubmissionFilter, limit: int | None) -> list[Submission]:
        """At most `limit` submissions, newest first. Raises `StoreUnavailableError`."""

        def work(connection: Connection) -> list[Submission]:
            submissions_ = (
                self._get(connection, submission_id) for submission_id in newest_ids(connection, filters, limit)
            )
            return [submission for submission in submissions_ if submission]

        return await self._database.read(work)

    async def has_repeat(self, key: bytes) -> bool:
        """Whether a submission has this idempotency key. Raises `StoreUnavailableError`."""
        query = select(submissions.c.id).where(submissions.c.repeat_key == key)
        return await self._database.read(lambda connection: connection.execute(query).first() is not None)

    def _get(self, connection: Connection, submission_id: str) -> Submission | None:
        row = connection.execute(select(submissions).where(submissions.c.id == submission_id)).one_or_none()
        if row is None:
            return None
        of_submission = select(steps).where(steps.c.submission_id == submission_id).order_by(steps.c.position)
        return Submission(
            id=row.id,
            customer_id=row.customer_id,
            operation=Operation(row.operation),
            resource=resource_of(row.resource),
            status=Status(row.status),
            language=row.language,
            received_at=row.received_at,
            settled_at=row.settled_at,
            steps=tuple(self._step(step) for step in connection.execute(of_submission)),
            told_at=row.told_at,
        )

    def _step(self, row: Any) -> Step:
        return Step(
            position=row.position,
            operation=Operation(row.operation),
            resource=resource_of(row.resource),
            status=StepStatus(row.status),
            attempts=row.attempts,
            result=self._decrypted(row, "result"),
            upstream=self._decrypted(row, "upstream"),
        )

    def _decrypted(self, row: Any, column: str) -> Any:
        encrypted = getattr(row, column)
        aad = step_aad(row.submission_id, row.position, column)
        try:
            return None if encrypted is None else self._keyring.decrypt(encrypted, aad)
        except DecryptionError:  # the rest can still be shown, and the submission discarded
            return None


@dataclass(frozen=True)
class Attempt:
    """A call or an operator action. `outcome` is None during the call, or if a crash interrupted it. `detail` is our
    own text, never Vitec's."""

    position: int
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    http_status: int | None
    detail: str | None


@dataclass(frozen=True)
class History:
    """A submission's attempts in order of time, including operator actions. `due_at`: when the next attempt is due, or
    None; `erased_at`: when the personal data was erased, or None."""

    attempts: Sequence[Attempt]
    due_at: datetime | None
    erased_at: datetime | None


async def history(database: Database, submission_id: str) -> History:
    """The submission's history. Raises `StoreUnavailableError`."""
    return await database.read(lambda connection: _history(connection, submission_id))


def _history(connection: Connection, submission_id: str) -> History:
    columns = attempts.c
    tried = select(
        columns.position,
        columns.started_at,
        columns.ended_at,
        columns.outcome,
        columns.http_status,
        columns.detail,
    ).where(columns.submission_id == submission_id)
    due = select(submissions.c.due_at, submissions.c.erased_at).where(submissions.c.id == submission_id)
    return History(
        [Attempt(*row) for row in connection.execute(tried.order_by(columns.id))],
        *connection.execute(due).one(),
    )
