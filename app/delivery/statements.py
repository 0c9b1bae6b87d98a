"""The outbox's SQL statements, built once, because building one costs more than running it.

Parameters used in conditions are named `of_…`: a column's own name is the parameter for its new value.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Select,
    Update,
    bindparam,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)

from app.domain.submission import DOUBTFUL, AttemptOutcome, FunctionGroup, StepStatus
from app.storage.driver.compiled import FencedChanges, Prepared, Row
from app.storage.outstanding import IS_OUTSTANDING, customers_with_outstanding
from app.storage.schema import attempts, steps, submissions

OF_SUBMISSION = submissions.c.id == bindparam("of_submission")
OF_STEP = (steps.c.submission_id == bindparam("of_submission")) & (steps.c.position == bindparam("of_position"))


def _oldest_due() -> Select[Any]:
    """For each credential, when its oldest due submission became due."""
    customers = customers_with_outstanding()
    groups = union_all(*(select(literal(group.value).label("name")) for group in FunctionGroup)).subquery()
    first = (
        select(func.min(submissions.c.due_at))
        .where(
            IS_OUTSTANDING,
            submissions.c.customer_id == customers.c.id,
            submissions.c.function_group == groups.c.name,
        )
        .scalar_subquery()
    )
    return select(customers.c.id, groups.c.name, first.label("due_at")).join(groups, true())


OLDEST_DUE = Prepared(_oldest_due())

# Vitec has denied access to something that it names. It is retried and given up on its own, and says nothing about the
# login.
WAS_FORBIDDEN = exists().where(
    attempts.c.submission_id == submissions.c.id, attempts.c.outcome == AttemptOutcome.FORBIDDEN.value
)


@cache
def claim(others: int = 0, *, forbidden: bool | None = None) -> Prepared:
    """Claims due submissions of one credential. `others` is the number of ids to leave out (parameters `of_other_…`).
    `forbidden`: True takes only submissions that Vitec has forbidden before, False only the rest."""
    due = (
        select(submissions.c.id)
        .where(
            submissions.c.customer_id == bindparam("of_customer"),
            submissions.c.function_group == bindparam("of_group"),
            submissions.c.due_at > bindparam("of_since"),
            submissions.c.due_at <= bindparam("of_now"),
            *(submissions.c.id != bindparam(f"of_other_{index}") for index in range(others)),
            *(() if forbidden is None else (WAS_FORBIDDEN if forbidden else ~WAS_FORBIDDEN,)),
        )
        .order_by(submissions.c.due_at)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
        .cte()
        # Without this, PostgreSQL might run the subquery again for each row.
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return Prepared(
        update(submissions)
        .where(submissions.c.id.in_(select(due.c.id)))
        .values(claim=bindparam("claim"), due_at=bindparam("due_at"))
        .returning(
            submissions.c.id,
            submissions.c.customer_id,
            submissions.c.operation,
            submissions.c.delivery_since,
            submissions.c.payload,
            submissions.c.claim,
        )
    )


def _was(*outcomes: AttemptOutcome) -> ColumnElement[bool]:
    """Whether an attempt of the step ended with one of them; named `was_` and the first."""
    of_step = (attempts.c.submission_id == steps.c.submission_id) & (attempts.c.position == steps.c.position)
    ended = or_(*(attempts.c.outcome == outcome.value for outcome in outcomes))
    return exists().where(of_step, ended).label(f"was_{outcomes[0].value}")


@cache
def _steps(number: int) -> Prepared:
    of_them = steps.c.submission_id.in_([bindparam(f"of_{index}") for index in range(number)])
    return Prepared(
        select(steps, _was(*DOUBTFUL), _was(AttemptOutcome.FORBIDDEN))
        .where(of_them)
        .order_by(steps.c.submission_id, steps.c.position)
    )


def steps_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[Row]]:
    """The steps of these submissions, in order, by submission."""
    found: dict[str, list[Row]] = {submission: [] for submission in ids}
    if ids:
        for row in _steps(len(ids)).rows(connection, {f"of_{index}": id_ for index, id_ in enumerate(ids)}):
            found[row.submission_id].append(row)
    return found


def _record_step(allowed: ColumnElement[bool]) -> Update:
    return (
        update(steps)
        .where(OF_STEP, allowed)
        .values(
            status=bindparam("step_status"),
            attempts=steps.c.attempts - bindparam("uncounted"),
            not_found=bindparam("not_found"),
            result=bindparam("result"),
            upstream=bindparam("upstream"),
        )
    )


def _end_attempt(allowed: ColumnElement[bool]) -> Update:
    of_attempt = (attempts.c.submission_id == bindparam("of_submission")) & (
        attempts.c.position == bindparam("of_position")
    )
    return (
        update(attempts)
        .where(of_attempt, attempts.c.ended_at.is_(None), allowed)
        .values({name: bindparam(name) for name in ("ended_at", "outcome", "http_status", "detail")})
    )


def _sending(allowed: ColumnElement[bool]) -> Update:
    begun = (steps.c.submission_id == bindparam("of_submission")) & (steps.c.position == bindparam("begun_position"))
    return (
        update(steps)
        .where(begun, allowed)
        .values(status=bindparam("sending", StepStatus.SENDING.value), attempts=steps.c.attempts + 1)
    )


def _begin_attempt(allowed: ColumnElement[bool]) -> Insert:
    columns = (attempts.c.submission_id, attempts.c.position, attempts.c.started_at)
    names = ("of_submission", "begun_position", "started_at")
    values = (bindparam(name, type_=column.type) for name, column in zip(names, columns, strict=True))
    return insert(attempts).from_select(columns, select(*values).where(allowed))


_RECORD = (_record_step, _end_attempt)
_BEGIN = (_sending, _begin_attempt)
# Begins a step of a submission that the same transaction has claimed, so there is nothing to fence off.
BEGIN = FencedChanges(_sending(true()), _begin_attempt)


@cache
def fenced(columns: tuple[str, ...], *, records: bool = False, begins: bool = False) -> FencedChanges:
    """Sets these columns of a submission, if its claim is still `of_claim`. `records`: also records the outcome of the
    attempt at `of_position`; `begins`: also begins the step at `begun_position`."""
    mine = submissions.c.claim == bindparam("of_claim")
    fence = update(submissions).where(OF_SUBMISSION, mine).values({name: bindparam(name) for name in columns})
    return FencedChanges(fence, *(_RECORD if records else ()), *(_BEGIN if begins else ()))
