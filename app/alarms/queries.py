"""Queries for submissions in trouble. Those that wait or have stopped are read from partial indexes that hold
nothing else."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select

from app.alarms.incidents import Incident, IncidentKind
from app.domain.submission import Operation, Status
from app.operations.registry import OPERATIONS
from app.statistics.arrivals import RECEIVED
from app.storage.schema import (
    HAS_ARRIVED,
    LATER_STEP_STOPPED,
    NEEDS_A_PERSON,
    alarms,
    arrivals,
    logins,
    steps,
    submissions,
    tallied,
)
from app.submissions.backlog import WAITING_SINCE, outstanding

MAILED_DAYS = 7  # an office is not sent what is older: it has other news by then
TOLD_WITHIN = timedelta(seconds=5)  # of a refusal, until it is written down that its visitor was told of it

_COLUMNS = (
    submissions.c.id,
    submissions.c.customer_id,
    submissions.c.operation,
    submissions.c.status,
    submissions.c.received_at,
    submissions.c.settled_at,
)
_NEED_A_PERSON = select(*_COLUMNS).where(NEEDS_A_PERSON)
_STOPPED_LATER = (
    select(
        submissions.c.id,
        submissions.c.customer_id,
        submissions.c.received_at,
        submissions.c.settled_at,
        steps.c.status,
    )
    .join_from(steps, submissions, steps.c.submission_id == submissions.c.id)
    .where(LATER_STEP_STOPPED, HAS_ARRIVED)
)
_WAITING = select(*_COLUMNS).where(submissions.c.due_at.is_not(None), submissions.c.status == Status.PENDING)


def stopped(connection: Connection, now: datetime, wait: timedelta) -> Iterable[Incident]:
    """What needs a person. `wait` is how long a visitor waits for the answer before the receipt."""
    for row in connection.execute(_NEED_A_PERSON):
        if not _may_be_told_still(row, now, wait):
            yield Incident(_kind(row, wait), row.customer_id, row.id, row.settled_at or row.received_at)
    for later in connection.execute(_STOPPED_LATER):
        yield Incident(IncidentKind(later.status), later.customer_id, later.id, later.settled_at or later.received_at)


def _may_be_told_still(row: Any, now: datetime, wait: timedelta) -> bool:
    fresh = row.status == Status.REJECTED and now - row.settled_at < TOLD_WITHIN
    return bool(fresh and row.settled_at - row.received_at <= wait)


def _kind(row: Any, wait: timedelta) -> IncidentKind:
    booking = _form_waits(row) and row.status == Status.REJECTED
    return IncidentKind.REFUSED_BOOKING if booking and _had_the_receipt(row, wait) else IncidentKind(row.status)


def _had_the_receipt(row: Any, wait: timedelta) -> bool:
    """An interest has it at once; who books waits for the answer first."""
    return not _form_waits(row) or bool(row.settled_at - row.received_at > wait)


def _form_waits(row: Any) -> bool:
    """Whether a visitor's post waits for Vitec's answer."""
    return any(post.form and post.form.waits for post in OPERATIONS[Operation(row.operation)].posts)


def overdue(connection: Connection, now: datetime, longest: timedelta) -> Iterable[Incident]:
    oldest: dict[str, datetime] = {}
    for one in outstanding(connection):
        oldest[one.customer_id] = min(one.oldest_at, oldest.get(one.customer_id, one.oldest_at))
    return [
        Incident(IncidentKind.OVERDUE, whose, "", since) for whose, since in oldest.items() if now - since > longest
    ]


def undelivered(
    connection: Connection, now: datetime, after: Mapping[str, timedelta], wait: timedelta
) -> Iterable[Incident]:
    """What its office shall have by e-mail: `after` says how soon, for each customer that wishes it. Not what the
    visitor or the program was told of in the answer."""
    if not after:
        return
    oldest = now - timedelta(days=MAILED_DAYS)
    for query in (_WAITING, _NEED_A_PERSON.where(submissions.c.status != Status.HELD)):
        of_customers = submissions.c.customer_id.in_(after), submissions.c.received_at > oldest
        for row in connection.execute(query.where(*of_customers)):
            told = row.status == Status.REJECTED and not _had_the_receipt(row, wait)
            if not told and now - row.received_at > after[row.customer_id]:
                yield Incident(IncidentKind.UNDELIVERED, row.customer_id, row.id, row.received_at)


def ended(kind: IncidentKind, now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """The fact that ends an incident in a row of `alarms`: never that somebody does not see it, who may have another
    clock or another configuration. `longest` is how long a lead may wait."""
    if kind is IncidentKind.PAUSED:
        login = (logins.c.customer_id == alarms.c.customer_id) & (logins.c.function_group == alarms.c.subject)
        return ~exists().where(login, logins.c.paused_at.is_not(None))
    if kind is IncidentKind.OVERDUE:
        return ~_waits_longer(now - longest)
    if kind is IncidentKind.DROUGHT:
        return _came_since()
    mine, columns = submissions.c.id == alarms.c.subject, submissions.c
    if kind is IncidentKind.UNDELIVERED:
        return ~exists().where(mine, columns.erased_at.is_(None), columns.status != Status.DELIVERED)
    later = and_(HAS_ARRIVED, exists().where(steps.c.submission_id == columns.id, LATER_STEP_STOPPED))
    if kind is IncidentKind.SOON_DISCARDED:
        return ~exists().where(mine, or_(NEEDS_A_PERSON, later))
    status = Status.REJECTED if kind is IncidentKind.REFUSED_BOOKING else Status(kind.value)
    stopped_later = exists().where(steps.c.submission_id == columns.id, LATER_STEP_STOPPED, steps.c.status == status)
    return ~exists().where(mine, or_(NEEDS_A_PERSON & (columns.status == status), and_(HAS_ARRIVED, stopped_later)))


def _waits_longer(moment: datetime) -> ColumnElement[bool]:
    """Some lead of the customer's has waited since that moment, or since before the incident was raised."""
    raised_at = func.coalesce(alarms.c.raised_at, alarms.c.since)
    of_customer = submissions.c.customer_id == alarms.c.customer_id, submissions.c.due_at.is_not(None)
    return exists().where(*of_customer, or_(raised_at >= WAITING_SINCE, moment >= WAITING_SINCE))


def _came_since() -> ColumnElement[bool]:
    """A lead, after the incident's last one."""
    of_form = arrivals.c.customer_id == alarms.c.customer_id, arrivals.c.operation == alarms.c.subject
    counted = exists().where(*of_form, arrivals.c.last_at > alarms.c.since)
    mark = select(tallied.c.submission_id).where(tallied.c.round == RECEIVED).scalar_subquery()
    uncounted = exists().where(
        submissions.c.id > func.coalesce(mark, ""),
        submissions.c.customer_id == alarms.c.customer_id,
        submissions.c.operation == alarms.c.subject,
        submissions.c.status != Status.HELD,
        submissions.c.received_at > alarms.c.since,
    )
    return or_(counted, uncounted)
