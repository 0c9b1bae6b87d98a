"""Resolution of incidents: each ends because of a fact in the database, such as a delivery or an operator's action.

An incident never ends merely because a process no longer detects it: that process may have another clock or another
configuration.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from app.alarms.incidents import IncidentKind
from app.domain.submission import Status
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
from app.submissions.backlog import WAITING_SINCE


def has_ended(
    kind: IncidentKind, now: datetime, max_wait: timedelta, announced_before: datetime | None
) -> ColumnElement[bool]:
    """A condition on a row of `alarms`: its incident has ended. `max_wait` is how long a lead may wait. What was
    announced for erasure before `announced_before` should be erased by now; None while the clock is in doubt."""
    if kind is IncidentKind.PAUSED:
        login = (logins.c.customer_id == alarms.c.customer_id) & (logins.c.function_group == alarms.c.subject)
        return ~exists().where(login, logins.c.paused_at.is_not(None))
    if kind is IncidentKind.OVERDUE:
        return ~_waits_since(now - max_wait)
    if kind is IncidentKind.DROUGHT:
        return _came_since()
    mine, columns = submissions.c.id == alarms.c.subject, submissions.c
    if kind is IncidentKind.UNDELIVERED:
        return ~exists().where(mine, columns.erased_at.is_(None), columns.status != Status.DELIVERED)
    later = and_(HAS_ARRIVED, exists().where(steps.c.submission_id == columns.id, LATER_STEP_STOPPED))
    if kind is IncidentKind.SOON_DISCARDED:
        decided = ~exists().where(mine, or_(NEEDS_A_PERSON, later))
        # If it is still there, the retention has been lengthened, and its new end must be announced too.
        return decided if announced_before is None else or_(decided, alarms.c.raised_at < announced_before)
    status = Status.REJECTED if kind is IncidentKind.REFUSED_BOOKING else Status(kind.value)
    stopped_later = exists().where(steps.c.submission_id == columns.id, LATER_STEP_STOPPED, steps.c.status == status)
    return ~exists().where(mine, or_(NEEDS_A_PERSON & (columns.status == status), and_(HAS_ARRIVED, stopped_later)))


def _waits_since(moment: datetime) -> ColumnElement[bool]:
    """One of the customer's leads has waited since that moment, or since before the incident was raised."""
    raised_at = func.coalesce(alarms.c.raised_at, alarms.c.since)
    of_customer = submissions.c.customer_id == alarms.c.customer_id, submissions.c.due_at.is_not(None)
    return exists().where(*of_customer, or_(raised_at >= WAITING_SINCE, moment >= WAITING_SINCE))


def _came_since() -> ColumnElement[bool]:
    """The form has received a lead since the one that the incident recorded as its last."""
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
