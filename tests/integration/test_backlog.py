"""Backlog queries, on either database."""

import pytest
from sqlalchemy import text, update

from app.domain.submission import StepStatus
from app.storage.database import Database
from app.storage.schema import steps, submissions
from app.submissions import backlog
from app.submissions.backlog import Outstanding, need_a_person, outstanding
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import BOOKING, MINUTE, OTHER, application, later, store

pytestmark = pytest.mark.anyio


async def test_what_waits_is_counted_by_customer_and_operation_with_the_first_that_came(database: Database) -> None:
    first = application()
    await store(database, later(first, MINUTE), first, application(OTHER))
    groups = await database.read(outstanding)
    assert sorted((group.customer_id, group.operation, group.number) for group in groups) == [
        (CUSTOMER, "interest", 2),
        (OTHER, "interest", 1),
    ]
    assert Outstanding(CUSTOMER, "interest", 2, first.received_at) in groups


async def test_what_is_done_does_not_wait(database: Database) -> None:
    await store(database, application())
    await database.write(lambda connection: connection.execute(update(submissions).values(due_at=None)))
    assert await database.read(outstanding) == []


async def test_what_stopped_needs_a_person_also_where_it_is_a_later_step(database: Database) -> None:
    await store(database, application(more_steps=(BOOKING,)), application(OTHER))
    later_step = update(steps).where(steps.c.position == 1).values(status=StepStatus.FAILED.value)
    await database.write(lambda connection: connection.execute(later_step))
    await database.write(lambda connection: connection.execute(update(submissions).values(status="delivered")))
    assert await database.read(need_a_person) == {(CUSTOMER, "interest", "failed"): 1}


async def test_what_is_held_needs_a_person(database: Database) -> None:
    await store(database, application())
    await database.write(lambda connection: connection.execute(update(submissions).values(status="held")))
    assert await database.read(need_a_person) == {(CUSTOMER, "interest", "held"): 1}


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("_OUTSTANDING", "ix_submissions_due"),
        ("_NEED_A_PERSON", "ix_submissions_undecided"),
        ("_STOPPED_LATER", "ix_steps_need_a_person"),
    ],
)
async def test_no_backlog_query_reads_delivered_submissions(database: Database, query: str, index: str) -> None:
    statement = str(getattr(backlog, query).compile(database.engine))

    def plan(connection: object) -> str:
        execute = connection.execute  # type: ignore[attr-defined]
        if database.is_sqlite:
            return str(execute(text(f"EXPLAIN QUERY PLAN {statement}")).all())
        execute(text("SET LOCAL enable_seqscan = off"))
        return str(execute(text(f"EXPLAIN {statement}")).all())

    assert index in await database.read(plan)
