"""Queries for submissions in trouble. Those that wait or have stopped are read from partial indexes that hold
nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from app.alarms.incidents import Incident, IncidentKind
from app.domain.ids import first_id_of
from app.domain.submission import Operation, Status
from app.operations.registry import OPERATIONS, POSTED
from app.storage.schema import HAS_ARRIVED, LATER_STEP_STOPPED, NEEDS_A_PERSON, steps, submissions
from app.submissions.backlog import outstanding

MAILED_DAYS = 7  # an office is not sent what is older: it has other news by then
_SPELL = func.substr(submissions.c.id, 1, 7)  # of an id's time, in steps of 2^20 ms: some 17 minutes

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


def stopped(connection: Connection, wait: timedelta) -> Iterable[Incident]:
    """What needs a person. `wait` is how long a visitor waits for the answer before the receipt."""
    for row in connection.execute(_NEED_A_PERSON):
        yield Incident(_kind(row, wait), row.customer_id, row.id, row.settled_at or row.received_at)
    for later in connection.execute(_STOPPED_LATER):
        yield Incident(IncidentKind(later.status), later.customer_id, later.id, later.settled_at or later.received_at)


def soon_discarded(connection: Connection, now: datetime, after: timedelta) -> Iterable[Incident]:
    """What has been held for as long as `after` says."""
    those = submissions.c.status == Status.HELD, submissions.c.received_at <= now - after
    for held in connection.execute(_NEED_A_PERSON.where(*those)):
        yield Incident(IncidentKind.SOON_DISCARDED, held.customer_id, held.id, held.received_at)


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


@dataclass(frozen=True)
class Came:
    """How many submissions came to one customer's form in some 17 minutes; `last_at` is the last of them."""

    customer_id: str
    operation: str
    number: int
    last_at: datetime


def came(connection: Connection, since: datetime) -> Sequence[Came]:
    """By the ids, which are in order of time: no other index is needed."""
    whose = (submissions.c.customer_id, submissions.c.operation)
    leads = [spec.operation.value for spec in POSTED if spec.is_lead]
    query = (
        select(*whose, func.count(), func.max(submissions.c.received_at))
        .where(submissions.c.id >= first_id_of(since), submissions.c.status != Status.HELD)
        .where(submissions.c.operation.in_(leads))
        .group_by(*whose, _SPELL)
    )
    return [Came(*row) for row in connection.execute(query)]
