"""How things stand: what waits, and what needs a person. Each is read from an index that holds nothing else, so it
costs as much as there is of it, whatever was delivered before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, literal_column, select

from app.domain.submission import FunctionGroup, Status
from app.storage.schema import STEP_STOPPED, SUBMISSION_HELD, logins, steps, submissions


@dataclass(frozen=True)
class Outstanding:
    """Submissions of one customer and operation with something left to deliver."""

    customer_id: str
    operation: str
    number: int
    oldest_at: datetime  # since when one has waited: it came then, or was released or sent again


@dataclass(frozen=True)
class Pause:
    """A login that Vitec refuses."""

    customer_id: str
    group: FunctionGroup
    since: datetime


_WHOSE = (submissions.c.customer_id, submissions.c.operation)
_OUTSTANDING = (
    select(*_WHOSE, func.count().label("number"), func.min(submissions.c.delivery_since).label("oldest_at"))
    .where(submissions.c.due_at.is_not(None))
    .group_by(*_WHOSE)
)
# What was erased can't be sent any more: nothing is left for a person to do.
_NOT_ERASED = submissions.c.erased_at.is_(None)
_STOPPED = (
    select(*_WHOSE, steps.c.status, func.count().label("number"))
    .join_from(steps, submissions, steps.c.submission_id == submissions.c.id)
    .where(STEP_STOPPED, _NOT_ERASED)
    .group_by(*_WHOSE, steps.c.status)
)
_HELD = (
    select(*_WHOSE, literal_column(f"'{Status.HELD.value}'").label("status"), func.count().label("number"))
    .where(SUBMISSION_HELD, _NOT_ERASED)
    .group_by(*_WHOSE)
)
_PAUSED = select(logins).where(logins.c.paused_at.is_not(None))


def paused(connection: Connection) -> list[Pause]:
    rows = connection.execute(_PAUSED)
    return [Pause(row.customer_id, FunctionGroup(row.function_group), row.paused_at) for row in rows]


def outstanding(connection: Connection) -> Sequence[Outstanding]:
    return [Outstanding(*row) for row in connection.execute(_OUTSTANDING)]


def need_a_person(connection: Connection) -> Mapping[tuple[str, str, str], int]:
    """How many, by customer, operation and the status of the step that stopped; a later step's too."""
    rows = [*connection.execute(_STOPPED), *connection.execute(_HELD)]
    return {(row.customer_id, row.operation, row.status): row.number for row in rows}
