"""Queries for the console's dashboard. Their cost does not grow with the number of stored submissions: they read daily
counts, and partial indexes of what is still to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from app.domain.datetimes import STOCKHOLM
from app.domain.ids import first_id_of
from app.statistics.campaign_report import Line, Scope, by_campaign, by_home, within
from app.statistics.latency_histogram import quantile
from app.storage.database import Database
from app.storage.schema import (
    HAS_ARRIVED,
    HAS_STOPPED,
    LATER_STEP_STOPPED,
    NEEDS_A_PERSON,
    daily_counts,
    delivery_times,
    steps,
    submissions,
)
from app.submissions.backlog import outstanding
from app.submissions.listing import SubmissionFilter, newest_ids

NEWEST_STUCK = 8


class CustomerBacklog(NamedTuple):
    """One customer's submissions that wait for Vitec: how many, and since when the oldest has waited."""

    customer_id: str
    submissions: int
    oldest: datetime


@dataclass(frozen=True)
class Dashboard:
    """The dashboard's figures. These are not limited to the scope's days:

    waiting       submissions that wait for Vitec, by customer
    stuck         number of submissions that need a person, by status
    later         number of submissions where only a step after the submission's own has stopped
    newest_stuck  ids of the newest submissions that need a person

    `by_day` counts submissions by day and operation; `median` and `p95` are delivery times.
    """

    waiting: Sequence[CustomerBacklog]
    stuck: Mapping[str, int]
    later: int
    newest_stuck: Sequence[str]
    by_day: Mapping[tuple[date, str], int]
    delivered: int
    not_arrived: Mapping[str, int]
    median: timedelta | None
    p95: timedelta | None
    campaigns: Sequence[Line]
    homes: Sequence[Line]


async def load_dashboard(database: Database, scope: Scope) -> Dashboard:
    """Reads all figures in one go. Raises `StoreUnavailableError`."""
    return await database.read(lambda connection: _load(connection, scope))


def _load(connection: Connection, scope: Scope) -> Dashboard:
    by_day, delivered = _by_day(connection, scope)
    times = _times(connection, scope)
    return Dashboard(
        waiting=_waiting(connection, scope),
        stuck=_by_status(connection, scope, NEEDS_A_PERSON),
        later=_stuck_later(connection, scope),
        newest_stuck=newest_ids(connection, SubmissionFilter(stuck=True, customer_id=scope.customer_id), NEWEST_STUCK),
        by_day=by_day,
        delivered=delivered,
        not_arrived=_not_arrived(connection, scope),
        median=quantile(times, 0.5),
        p95=quantile(times, 0.95),
        campaigns=by_campaign(connection, scope),
        homes=by_home(connection, scope),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), STOCKHOLM)


def _of(customer_id: str | None) -> list[ColumnElement[bool]]:
    return [submissions.c.customer_id == customer_id] if customer_id else []


def _waiting(connection: Connection, scope: Scope) -> list[CustomerBacklog]:
    backlogs: dict[str, CustomerBacklog] = {}
    for group in outstanding(connection):
        backlog = backlogs.get(group.customer_id, CustomerBacklog(group.customer_id, 0, group.oldest_at))
        oldest = min(backlog.oldest, group.oldest_at)
        backlogs[group.customer_id] = backlog._replace(submissions=backlog.submissions + group.number, oldest=oldest)
    return [backlogs[customer] for customer in sorted(backlogs) if scope.customer_id in {None, customer}]


def _by_status(connection: Connection, scope: Scope, *conditions: ColumnElement[bool]) -> dict[str, int]:
    columns = submissions.c
    query = select(columns.status, func.count()).where(*conditions, *_of(scope.customer_id)).group_by(columns.status)
    return {row.status: row[1] for row in connection.execute(query)}


def _not_arrived(connection: Connection, scope: Scope) -> dict[str, int]:
    """Submissions received in the scope's days that have not been delivered, by status, whether they need attention or
    not."""
    return _by_status(connection, scope, HAS_STOPPED, submissions.c.id >= first_id_of(_midnight(scope.first)))


def _stuck_later(connection: Connection, scope: Scope) -> int:
    """The number of delivered submissions with a later step that has stopped."""
    stopped = submissions.c.id.in_(select(steps.c.submission_id).where(LATER_STEP_STOPPED))
    query = select(func.count()).select_from(submissions).where(stopped, HAS_ARRIVED, *_of(scope.customer_id))
    return connection.execute(query).scalar_one()


def _by_day(connection: Connection, scope: Scope) -> tuple[dict[tuple[date, str], int], int]:
    columns = daily_counts.c
    query = (
        select(columns.day, columns.operation, func.sum(columns.submissions), func.sum(columns.delivered))
        .where(*within(daily_counts, scope), columns.home == "")
        .group_by(columns.day, columns.operation)
    )
    rows = connection.execute(query).all()
    return {(day, operation): int(count) for day, operation, count, _ in rows}, sum(int(row[3]) for row in rows)


def _times(connection: Connection, scope: Scope) -> dict[int, int]:
    columns = delivery_times.c
    query = select(columns.bucket, func.sum(columns.delivered)).where(*within(delivery_times, scope))
    return {bucket: int(count) for bucket, count in connection.execute(query.group_by(columns.bucket))}
