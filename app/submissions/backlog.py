"""The backlog: submissions that wait or need a person. Each query reads a partial index of only these, so its cost does
not grow with the number of delivered submissions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from app.domain.submission import FunctionGroup
from app.storage.column_types import UtcDateTime
from app.storage.schema import HAS_ARRIVED, LATER_STEP_STOPPED, NEEDS_A_PERSON, logins, steps, submissions


@dataclass(frozen=True)
class Outstanding:
    """Submissions of one customer and operation with something left to deliver."""

    customer_id: str
    operation: str
    number: int
    oldest_at: datetime  # when the oldest was received, released or retried


@dataclass(frozen=True)
class PausedLogin:
    """A login that Vitec refuses. `reason` is "refused" or "forbidden"."""

    customer_id: str
    group: FunctionGroup
    reason: str
    since: datetime


# Not only `delivery_since`: that is reset after a pause of the login, but the lead has waited during the pause too.
_BEGAN = func.coalesce(submissions.c.waiting_since, submissions.c.received_at, type_=UtcDateTime)
_TRIED = submissions.c.delivery_since
WAITING_SINCE = case((_TRIED < _BEGAN, _TRIED), else_=_BEGAN)
_WHOSE = (submissions.c.customer_id, submissions.c.operation)
_OUTSTANDING = (
    select(*_WHOSE, func.count().label("number"), func.min(WAITING_SINCE).label("oldest_at"))
    .where(submissions.c.due_at.is_not(None))
    .group_by(*_WHOSE)
)
_NEED_A_PERSON = (
    select(*_WHOSE, submissions.c.status, func.count().label("number"))
    .where(NEEDS_A_PERSON)
    .group_by(*_WHOSE, submissions.c.status)
)
_STOPPED_LATER = (
    select(*_WHOSE, steps.c.status, func.count(steps.c.submission_id.distinct()).label("number"))
    .join_from(steps, submissions, steps.c.submission_id == submissions.c.id)
    .where(LATER_STEP_STOPPED, HAS_ARRIVED)
    .group_by(*_WHOSE, steps.c.status)
)
_PAUSED = select(logins).where(logins.c.paused_at.is_not(None))


def paused_logins(connection: Connection) -> list[PausedLogin]:
    """The logins that are paused now."""
    rows = connection.execute(_PAUSED)
    return [PausedLogin(row.customer_id, FunctionGroup(row.function_group), row.reason, row.paused_at) for row in rows]


def outstanding(connection: Connection) -> Sequence[Outstanding]:
    """What is left to deliver, by customer and operation."""
    return [Outstanding(*row) for row in connection.execute(_OUTSTANDING)]


def need_a_person(connection: Connection) -> Mapping[tuple[str, str, str], int]:
    """Number of submissions by customer, operation and status. Where only a later step has stopped, the status is that
    step's."""
    numbers: Counter[tuple[str, str, str]] = Counter()
    for query in (_NEED_A_PERSON, _STOPPED_LATER):
        for row in connection.execute(query):
            numbers[row.customer_id, row.operation, row.status] += row.number
    return numbers
