"""Lists of submissions, newest first, a page at a time; only the campaign is decrypted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from app.domain.campaigns import NO_CAMPAIGN, Campaign
from app.domain.ids import first_id_of, reference_of
from app.domain.submission import Operation, Status
from app.operations.stored_application import StoredApplication, StoredApplicationError
from app.storage.database import Database
from app.storage.encrypted_fields import payload_aad, resource_of
from app.storage.encryption import DecryptionError, Keyring
from app.storage.schema import HAS_ARRIVED, HAS_STOPPED, LATER_STEP_STOPPED, NEEDS_A_PERSON, steps, submissions

FEW = 5000
_WAITS = submissions.c.due_at.is_not(None)


@dataclass(frozen=True)
class SubmissionFilter:
    """Which submissions to list; all given conditions must hold.

    stuck       it needs a person, possibly because of a later step
    unerased    its personal data has not been erased
    ids         it is one of these
    below_id    its id is lower than this one, the last on the previous page
    """

    status: Status | None = None
    stuck: bool = False
    unerased: bool = False
    customer_id: str | None = None
    operation: Operation | None = None
    received_after: datetime | None = None
    received_before: datetime | None = None
    ids: Sequence[str] | None = None
    below_id: str | None = None


@dataclass(frozen=True)
class SubmissionSummary:
    """One line of a list. `stopped`: a step after the submission's own needs a person."""

    id: str
    customer_id: str
    operation: Operation
    resource: tuple[str, ...]
    status: Status
    received_at: datetime
    campaign: Campaign
    stopped: bool

    @property
    def reference(self) -> str:
        return reference_of(self.id)


async def list_submissions(
    database: Database, keyring: Keyring, filters: SubmissionFilter, limit: int
) -> list[SubmissionSummary]:
    """At most `limit` submissions, newest first. Raises `StoreUnavailableError`."""

    def work(connection: Connection) -> list[SubmissionSummary]:
        rows, stopped = _rows(connection, filters, limit)
        # Decrypted here, in the reader thread, because there may be many.
        return [_listed(row, keyring, row.id in stopped) for row in rows]

    return await database.read(work)


def newest_ids(connection: Connection, filters: SubmissionFilter, limit: int | None) -> Sequence[str]:
    """The ids of at most `limit` submissions, newest first."""
    conditions, columns = _conditions(connection, filters), submissions.c
    if not filters.stuck:
        return _ids(connection, conditions, limit)
    # Two queries, each using its own index; a single one with "or" would use neither.
    later = HAS_ARRIVED & columns.id.in_(_stopped())
    ids = {id_ for condition in (NEEDS_A_PERSON, later) for id_ in _ids(connection, [condition, *conditions], limit)}
    return sorted(ids, reverse=True)[:limit]


def _ids(connection: Connection, conditions: Sequence[ColumnElement[bool]], limit: int | None) -> Sequence[str]:
    return connection.execute(_newest(select(submissions.c.id).where(*conditions), limit)).scalars().all()


def _rows(connection: Connection, filters: SubmissionFilter, limit: int) -> tuple[list[Row[Any]], set[str]]:
    conditions = _conditions(connection, filters)
    if filters.stuck:
        conditions = [submissions.c.id.in_(newest_ids(connection, filters, limit))]
    rows = list(connection.execute(_newest(select(submissions).where(*conditions), limit)))
    ids = {row.id for row in rows}
    return rows, {
        str(submission_id) for (submission_id,) in connection.execute(_stopped().where(steps.c.submission_id.in_(ids)))
    }


def _newest(query: Select[Any], limit: int | None) -> Select[Any]:
    return query.order_by(submissions.c.id.desc()).limit(limit)


def _stopped() -> Select[tuple[str]]:
    return select(steps.c.submission_id).where(LATER_STEP_STOPPED)


def _pending(connection: Connection) -> list[ColumnElement[bool]]:
    """A condition that speeds up finding the few pending submissions among many others: their ids. Empty if there are
    many, because then a scan from the newest soon finds enough."""
    some = connection.execute(select(submissions.c.id).where(_WAITS).limit(FEW + 1)).scalars().all()
    return [submissions.c.id.in_(some)] if len(some) <= FEW else []


def _conditions(connection: Connection, filters: SubmissionFilter) -> list[ColumnElement[bool]]:
    columns = submissions.c
    conditions: list[ColumnElement[bool]] = []
    if filters.status:
        conditions.append(columns.status == filters.status)
        if filters.status not in {Status.PENDING, Status.DELIVERED}:
            conditions.append(HAS_STOPPED)  # lets the query use its index
    if filters.status is Status.PENDING:
        conditions += [_WAITS, *_pending(connection)]
    if filters.unerased:
        conditions.append(columns.erased_at.is_(None))
    wanted = {columns.customer_id: filters.customer_id, columns.operation: filters.operation}
    conditions += [column == value for column, value in wanted.items() if value is not None]
    if filters.received_after:
        conditions.append(columns.id >= first_id_of(filters.received_after))
    if filters.received_before:
        conditions.append(columns.id < first_id_of(filters.received_before))
    if filters.ids is not None:
        conditions.append(columns.id.in_(filters.ids))
    if filters.below_id:
        conditions.append(columns.id < filters.below_id)
    return conditions


def _listed(row: Row[Any], keyring: Keyring, stopped: bool) -> SubmissionSummary:
    application = stored_application(keyring, row)
    return SubmissionSummary(
        row.id,
        row.customer_id,
        Operation(row.operation),
        resource_of(row.resource),
        Status(row.status),
        row.received_at,
        application.campaign if application else NO_CAMPAIGN,
        stopped and row.status == Status.DELIVERED,
    )


def stored_application(keyring: Keyring, row: Row[Any]) -> StoredApplication | None:
    """The application in a row of `submissions`; None if it was erased or can't be read."""
    if not row.payload:
        return None
    try:
        return StoredApplication.from_json(keyring.decrypt(row.payload, payload_aad(row.id)))
    except (DecryptionError, StoredApplicationError):
        return None
