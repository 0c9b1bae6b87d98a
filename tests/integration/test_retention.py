"""Nothing is kept too long, on either database: what has outlived its time is erased, and the operator hears of what is
held."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select, update
from structlog.testing import capture_logs

from app.delivery.claims import LeaseLostError, StepOutcome
from app.domain.submission import Operation, PlannedStep, Status, StepStatus
from app.intake.new_submission import NewSubmission
from app.privacy.retention import Retention, RetentionPeriods
from app.privacy.retention_job import RetentionJob
from app.storage.database import Database
from app.storage.schema import steps, submissions
from app.submissions.erasure import erase
from tests.integration.storing import (
    LEAD_AFTER,
    MINUTE,
    OTHER,
    application,
    claim_one,
    kept,
    marked,
    outbox_of,
    row_of,
    store,
    submission,
)

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
PERIODS = RetentionPeriods(delivered=30 * DAY, held=20 * DAY, undelivered=90 * DAY)
DELIVERED = StepOutcome(StepStatus.DELIVERED, "delivered", http_status=200, result="C1001")
REJECTED = StepOutcome(StepStatus.REJECTED, "rejected", http_status=400, upstream={"message": "Anna finns redan"})
LOAN = PlannedStep(Operation.LOAN_PROMISE, ("C1",), {"bank": "SBAB"})


@pytest.fixture
def retention(database: Database) -> Retention:
    return Retention(database, PERIODS)


def now() -> datetime:
    return datetime.now(UTC)


async def settled(database: Database, recorded: StepOutcome, *more_steps: PlannedStep) -> NewSubmission:
    """A submission that got this outcome just now."""
    new = application(repeat=marked(b"key"), more_steps=more_steps)
    await store(database, new)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], recorded)
    return new


async def steps_of(database: Database, identity: str) -> list[Row[Any]]:
    query = select(steps).where(steps.c.submission_id == identity).order_by(steps.c.position)
    return await database.read(lambda connection: list(connection.execute(query)))


async def set_status(database: Database, identity: str, status: Status) -> None:
    changed = update(submissions).where(submissions.c.id == identity).values(status=status, settled_at=now())
    await database.write(lambda connection: connection.execute(changed))


async def test_what_was_delivered_is_erased_after_its_days_and_not_before(
    database: Database, retention: Retention
) -> None:
    new = await settled(database, DELIVERED)
    assert await retention.erase_outlived(now() + PERIODS.delivered - MINUTE) == 0
    assert (await row_of(database, new.id)).payload
    assert await retention.erase_outlived(now() + PERIODS.delivered + MINUTE) == 1
    row = await row_of(database, new.id)
    assert {row.payload, row.email_hash, row.phone_hash, row.repeat_content} == {None}
    assert [(step.result, step.upstream) for step in await steps_of(database, new.id)] == [(None, None)]


async def test_what_is_counted_stays(database: Database, retention: Retention) -> None:
    new = await settled(database, DELIVERED)
    before = await kept(database, new.id)
    await retention.erase_outlived(now() + 400 * DAY)
    after = await kept(database, new.id)
    assert replace(after, steps=before.steps) == before
    assert [(step.operation, step.status, step.attempts) for step in after.steps] == [
        (step.operation, step.status, step.attempts) for step in before.steps
    ]


async def test_what_was_erased_is_not_erased_again(database: Database, retention: Retention) -> None:
    await settled(database, DELIVERED)
    assert [await retention.erase_outlived(now() + 400 * DAY) for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("status", [Status.REJECTED, Status.FAILED, Status.UNCERTAIN])
async def test_what_was_not_delivered_is_kept_longer(database: Database, retention: Retention, status: Status) -> None:
    new = await settled(database, REJECTED)
    await set_status(database, new.id, status)
    assert await retention.erase_outlived(now() + PERIODS.undelivered - MINUTE) == 0
    assert await retention.erase_outlived(now() + PERIODS.undelivered + MINUTE) == 1


async def test_a_lead_that_was_refused_after_its_booking_is_kept_as_long_as_what_was_not_delivered(
    database: Database, retention: Retention
) -> None:
    new = await settled(database, DELIVERED, *LEAD_AFTER)
    outbox = outbox_of(database, timedelta(0))
    await database.write(
        lambda c: c.execute(update(submissions).values(due_at=now(), claim=None, function_group="crm"))
    )
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], REJECTED)
    assert (await kept(database, new.id)).status is Status.DELIVERED
    assert await retention.erase_outlived(now() + PERIODS.undelivered - MINUTE) == 0
    assert await retention.erase_outlived(now() + PERIODS.undelivered + MINUTE) == 1


async def test_what_is_still_to_be_delivered_is_never_erased_by_age(database: Database, retention: Retention) -> None:
    await settled(database, DELIVERED, *LEAD_AFTER)  # its lead is still to come
    await store(database, application())
    assert await retention.erase_outlived(now() + 4000 * DAY) == 0


async def test_what_is_held_is_discarded_after_its_days(database: Database, retention: Retention) -> None:
    new = replace(application(), held=True)
    await store(database, new)
    assert await retention.erase_outlived(now() + PERIODS.held - MINUTE) == 0
    assert await retention.erase_outlived(now() + PERIODS.held + MINUTE) == 1
    assert await retention.held() == []
    assert (await row_of(database, new.id)).payload is None


async def test_a_contacts_id_stands_in_no_column(database: Database) -> None:
    promise = submission(Operation.LOAN_PROMISE, LOAN, resource=("C1",))
    await store(database, promise)
    assert (await row_of(database, promise.id)).resource == ""
    assert [step.resource for step in await steps_of(database, promise.id)] == [""]
    claim = await claim_one(outbox_of(database))
    assert [step.resource for step in claim.steps] == [("C1",)]


async def test_many_are_erased_in_batches_until_none_is_left(database: Database, retention: Retention) -> None:
    await store(database, *(replace(application(), held=True) for _ in range(450)))
    assert await retention.erase_outlived(now() + 400 * DAY) == 450


async def test_what_is_held_is_never_sent_until_a_person_says_so(database: Database) -> None:
    new = replace(application(), held=True)
    await store(database, new)
    outbox = outbox_of(database)
    with pytest.raises(ValueError, match="not enough values"):
        await claim_one(outbox)
    assert (await kept(database, new.id)).status is Status.HELD


async def test_a_worker_that_holds_what_is_erased_sends_and_records_nothing(
    database: Database, retention: Retention
) -> None:
    new = application()
    await store(database, new)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    assert await database.write(lambda connection: erase(connection, [new.id], now())) == 1
    with pytest.raises(LeaseLostError):
        await outbox.begin(claim, claim.steps[0])
    found = await kept(database, new.id)
    assert (found.status, found.main.status) == (Status.FAILED, StepStatus.FAILED)


async def test_the_operator_hears_of_what_is_held_once_and_again_before_it_is_discarded(
    database: Database, retention: Retention
) -> None:
    ours, others = replace(application(), held=True), replace(application(OTHER), held=True)
    await store(database, ours, others)
    keeper = RetentionJob(retention)
    with capture_logs() as first:
        await keeper.round(now())
        await keeper.round(now() + DAY)
    with capture_logs() as last:
        await keeper.round(now() + PERIODS.held - timedelta(days=6))
        await keeper.round(now() + PERIODS.held - timedelta(days=5))
    for lines, word in ((first, "waits for a person"), (last, "discarded within 7 days")):
        assert [line["log_level"] for line in lines] == ["error", "error"]
        assert {line["customer"]: line["submissions"] for line in lines} == {
            ours.customer_id: [ours.id],
            OTHER: [others.id],
        }
        assert all(word in line["event"] for line in lines)


async def test_the_round_erases_and_says_how_many(database: Database, retention: Retention) -> None:
    await settled(database, DELIVERED)
    with capture_logs() as lines:
        await RetentionJob(retention).round(now() + 31 * DAY)
    assert [(line["event"], line["count"]) for line in lines] == [("erased what has outlived its time", 1)]
