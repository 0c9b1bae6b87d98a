"""Retention, on either database: expired data is erased, and the operator is told about held submissions."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Row, event, select, update
from structlog.testing import capture_logs

from app.bootstrap.services import build_service
from app.delivery.claims import LeaseLostError, StepOutcome
from app.domain.submission import AttemptOutcome, Operation, PlannedStep, Status, StepStatus
from app.intake.new_submission import NewSubmission
from app.maintenance.restore import park_undelivered
from app.operations.planning import Defaults
from app.privacy.retention import Retention, RetentionPeriods
from app.privacy.retention_job import RetentionJob
from app.storage.database import BUSY_TIMEOUT_SECONDS, Database
from app.storage.driver import checkpoints
from app.storage.schema import steps, submissions
from app.submissions.erasure import erase
from app.submissions.operator_actions import OperatorActions
from tests.conftest import CUSTOMER, Configure
from tests.databases import put_migrated
from tests.integration.storage_helpers import (
    KEYRING,
    LEAD_AFTER,
    MINUTE,
    OTHER,
    application,
    claim_one,
    marked,
    opened,
    outbox_of,
    row_of,
    store,
    submission,
    submission_of,
)
from tests.servers import eventually

pytestmark = pytest.mark.anyio

T = TypeVar("T")
DAY = timedelta(days=1)
PERIODS = RetentionPeriods(delivered=30 * DAY, held=20 * DAY, undelivered=90 * DAY)
DELIVERED = StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED, http_status=200, result="C1001")
REJECTED = StepOutcome(
    StepStatus.REJECTED, AttemptOutcome.REJECTED, http_status=400, upstream={"message": "Anna finns redan"}
)
LOAN = PlannedStep(Operation.LOAN_PROMISE, ("C1",), {"bank": "SBAB"})


@pytest.fixture
def retention(database: Database) -> Retention:
    return Retention(database, PERIODS)


def now() -> datetime:
    return datetime.now(UTC)


async def grow_old(database: Database, age: timedelta) -> None:
    """Shifts all submissions into the past, as if they had come and been settled that long ago."""
    moment = now() - age

    def work(connection: Connection) -> None:
        connection.execute(update(submissions).values(received_at=moment))
        connection.execute(update(submissions).where(submissions.c.settled_at.is_not(None)).values(settled_at=moment))

    await database.write(work)


async def after(database: Database, retention: Retention, age: timedelta) -> int:
    """How many are erased at that age."""
    await grow_old(database, age)
    return await retention.erase_expired()


async def settled(database: Database, recorded: StepOutcome, *more_steps: PlannedStep) -> NewSubmission:
    """A submission that got this outcome just now."""
    new = application(repeat=marked(b"key"), more_steps=more_steps)
    await store(database, new)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], recorded)
    return new


async def steps_of(database: Database, submission_id: str) -> list[Row[Any]]:
    query = select(steps).where(steps.c.submission_id == submission_id).order_by(steps.c.position)
    return await database.read(lambda connection: list(connection.execute(query)))


async def set_status(database: Database, submission_id: str, status: Status) -> None:
    changed = update(submissions).where(submissions.c.id == submission_id).values(status=status, settled_at=now())
    await database.write(lambda connection: connection.execute(changed))


async def test_what_was_delivered_is_erased_after_its_days_and_not_before(
    database: Database, retention: Retention
) -> None:
    new = await settled(database, DELIVERED)
    assert await after(database, retention, PERIODS.delivered - MINUTE) == 0
    assert (await row_of(database, new.id)).payload
    assert await after(database, retention, PERIODS.delivered + MINUTE) == 1
    row = await row_of(database, new.id)
    assert {row.payload, row.email_hash, row.phone_hash, row.repeat_content} == {None}
    assert [(step.result, step.upstream) for step in await steps_of(database, new.id)] == [(None, None)]


async def test_what_is_counted_stays(database: Database, retention: Retention) -> None:
    new = await settled(database, DELIVERED)
    await grow_old(database, 400 * DAY)
    before = await submission_of(database, new.id)
    assert await retention.erase_expired() == 1
    left = await submission_of(database, new.id)
    assert replace(left, steps=before.steps) == before
    assert [(step.operation, step.status, step.attempts) for step in left.steps] == [
        (step.operation, step.status, step.attempts) for step in before.steps
    ]


async def test_what_was_erased_is_not_erased_again(database: Database, retention: Retention) -> None:
    await settled(database, DELIVERED)
    assert [await after(database, retention, 400 * DAY) for _ in range(2)] == [1, 0]
    assert not (await retention.report()).has_expired


@pytest.mark.parametrize("status", [Status.REJECTED, Status.FAILED, Status.UNCERTAIN, Status.UNREADABLE])
async def test_what_was_not_delivered_is_kept_longer(database: Database, retention: Retention, status: Status) -> None:
    new = await settled(database, REJECTED)
    await set_status(database, new.id, status)
    assert await after(database, retention, PERIODS.undelivered - MINUTE) == 0
    assert await after(database, retention, PERIODS.undelivered + MINUTE) == 1


async def stopped_lead(database: Database) -> NewSubmission:
    """A booking that has arrived, with a lead after it that Vitec has refused."""
    new = await settled(database, DELIVERED, *LEAD_AFTER)
    outbox = outbox_of(database, timedelta(0))
    await database.write(
        lambda c: c.execute(update(submissions).values(due_at=now(), claim=None, function_group="crm"))
    )
    claim = await claim_one(outbox)
    await outbox.record(claim, claim.steps[0], REJECTED)
    return new


async def waiting_since(database: Database, ago: timedelta) -> None:
    await database.write(lambda c: c.execute(update(submissions).values(waiting_since=now() - ago)))


async def test_a_lead_that_was_refused_after_its_booking_is_kept_as_long_as_what_was_not_delivered(
    database: Database, retention: Retention
) -> None:
    new = await stopped_lead(database)
    assert (await submission_of(database, new.id)).status is Status.DELIVERED
    assert await after(database, retention, PERIODS.undelivered - MINUTE) == 0
    assert await after(database, retention, PERIODS.undelivered + MINUTE) == 1


@pytest.mark.parametrize("delivered_first", [True, False])
async def test_each_has_its_own_period_whatever_is_stored_beside_it(database: Database, delivered_first: bool) -> None:
    short, long = 30 * DAY, 90 * DAY
    periods = RetentionPeriods(long, long, short)
    if delivered_first:
        periods = RetentionPeriods(short, long, long)
    stopped = (await stopped_lead(database)).id
    delivered, rejected = application().id, application().id
    await store(database, replace(application(), id=delivered), replace(application(), id=rejected))
    await set_status(database, delivered, Status.DELIVERED)
    await set_status(database, rejected, Status.REJECTED)
    await database.write(lambda c: c.execute(update(submissions).values(due_at=None)))
    erased_first = {delivered} if delivered_first else {stopped, rejected}
    retention = Retention(database, periods)
    await grow_old(database, short - DAY)
    soon_erased = {submission.id for submission in (await retention.report()).soon_erased}
    assert soon_erased == (set() if delivered_first else erased_first)
    assert await after(database, retention, short + DAY) == len(erased_first)
    assert not (await retention.report()).has_expired
    assert {id_ for id_ in (stopped, delivered, rejected) if not (await row_of(database, id_)).payload} == erased_first


async def test_a_later_lead_that_was_retried_at_the_last_moment_is_kept_and_announced_if_it_stops_again(
    database: Database, retention: Retention
) -> None:
    new = await stopped_lead(database)
    await grow_old(database, PERIODS.undelivered - DAY)
    assert [soon.id for soon in (await retention.report()).soon_erased] == [new.id]
    await OperatorActions(database, KEYRING, {CUSTOMER: Defaults()}).retry(await submission_of(database, new.id))
    claim = await claim_one(outbox_of(database))
    await outbox_of(database).record(claim, claim.steps[0], REJECTED)
    assert await after(database, retention, PERIODS.undelivered + DAY) == 0
    assert not (await retention.report()).soon_erased
    await waiting_since(database, PERIODS.undelivered - DAY)
    assert [soon.id for soon in (await retention.report()).soon_erased] == [new.id]
    await waiting_since(database, PERIODS.undelivered + DAY)
    assert await retention.erase_expired() == 1


async def test_a_later_lead_that_a_restore_has_parked_is_kept_until_someone_may_have_decided(
    database: Database, retention: Retention
) -> None:
    await stopped_lead(database)
    await grow_old(database, PERIODS.undelivered + DAY)
    assert len(await database.write(park_undelivered)) == 1
    assert await retention.erase_expired() == 0


async def test_what_is_still_to_be_delivered_is_never_erased_by_age(database: Database, retention: Retention) -> None:
    await settled(database, DELIVERED, *LEAD_AFTER)  # its lead is still to come
    await store(database, application())
    assert await after(database, retention, 4000 * DAY) == 0


async def test_what_is_held_is_discarded_after_its_days(database: Database, retention: Retention) -> None:
    new = replace(application(), held=True)
    await store(database, new)
    assert await after(database, retention, PERIODS.held - MINUTE) == 0
    assert await after(database, retention, PERIODS.held + MINUTE) == 1
    assert (await retention.report()).held == []
    assert (await row_of(database, new.id)).payload is None


async def test_no_column_contains_a_contact_id(database: Database) -> None:
    promise = submission(Operation.LOAN_PROMISE, LOAN, resource=("C1",))
    await store(database, promise)
    assert (await row_of(database, promise.id)).resource == ""
    assert [step.resource for step in await steps_of(database, promise.id)] == [""]
    claim = await claim_one(outbox_of(database))
    assert [step.resource for step in claim.steps] == [("C1",)]


async def test_expired_submissions_are_erased_in_batches_until_none_is_left(
    database: Database, retention: Retention
) -> None:
    await store(database, *(replace(application(), held=True) for _ in range(450)))
    assert await after(database, retention, 400 * DAY) == 450


async def test_what_is_held_is_never_sent_until_a_person_says_so(database: Database) -> None:
    new = replace(application(), held=True)
    await store(database, new)
    outbox = outbox_of(database)
    with pytest.raises(ValueError, match="not enough values"):
        await claim_one(outbox)
    assert (await submission_of(database, new.id)).status is Status.HELD


async def test_a_worker_that_holds_what_is_erased_sends_and_records_nothing(
    database: Database, retention: Retention
) -> None:
    new = application()
    await store(database, new)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    assert len(await database.write(lambda connection: erase(connection, [new.id]))) == 1
    with pytest.raises(LeaseLostError):
        await outbox.begin(claim, claim.steps[0])
    saved = await submission_of(database, new.id)
    assert (saved.status, saved.main.status) == (Status.UNCERTAIN, StepStatus.UNCERTAIN)  # its call had begun


async def test_held_submissions_are_announced_once_and_again_before_they_are_discarded(
    database: Database, retention: Retention
) -> None:
    ours, others = replace(application(), held=True), replace(application(OTHER), held=True)
    await store(database, ours, others)
    job = RetentionJob(retention)
    with capture_logs() as first:
        for age in (0 * DAY, DAY):
            await grow_old(database, age)
            await job.run_once()
    with capture_logs() as last:
        for age in (PERIODS.held - 6 * DAY, PERIODS.held - 5 * DAY):
            await grow_old(database, age)
            await job.run_once()
    for lines, word in ((first, "needs review"), (last, "discarded within 7 days")):
        assert [line["log_level"] for line in lines] == ["error", "error"]
        assert {line["customer"]: line["submissions"] for line in lines} == {
            ours.customer_id: [ours.id],
            OTHER: [others.id],
        }
        assert all(word in line["event"] for line in lines)


async def test_a_round_erases_and_logs_how_many(database: Database, retention: Retention) -> None:
    await settled(database, DELIVERED)
    await grow_old(database, 31 * DAY)
    with capture_logs() as lines:
        await RetentionJob(retention).run_once()
    assert [(line["event"], line["count"]) for line in lines] == [("expired data erased", 1)]


async def test_what_a_round_has_just_erased_is_not_logged_as_held(database: Database, retention: Retention) -> None:
    await store(database, replace(application(), held=True))
    await grow_old(database, PERIODS.held + DAY)
    with capture_logs() as lines:
        await RetentionJob(retention).run_once()
    assert [line["event"] for line in lines] == ["expired data erased"]


async def test_what_is_refused_again_after_a_retry_is_announced_again(database: Database, retention: Retention) -> None:
    await settled(database, REJECTED)
    job = RetentionJob(retention)
    with capture_logs() as lines:
        for age in (PERIODS.undelivered - 6 * DAY, DAY, PERIODS.undelivered - 6 * DAY):
            await grow_old(database, age)
            await job.run_once()
    assert [line["event"] for line in lines] == ["undelivered: will be erased within 7 days"] * 2


async def test_what_a_process_erased_before_it_was_killed_does_not_stay_in_the_log(
    configure: Configure, tmp_path: Path
) -> None:
    """Killed between the erasure and the emptying of SQLite's log."""
    before, after_kill = tmp_path / "before.db", tmp_path / "after.db"
    put_migrated(f"sqlite:///{before}")
    with opened(f"sqlite:///{before}") as database:
        new = application()
        await store(database, new)
        payload = (await row_of(database, new.id)).payload
        await database.write(lambda connection: erase(connection, [new.id]))
        for end in ("", "-wal"):
            shutil.copy(f"{before}{end}", f"{after_kill}{end}")

    def log() -> bytes:
        return Path(f"{after_kill}-wal").read_bytes()

    assert payload in log()
    service = build_service(configure(database_url=f"sqlite:///{after_kill}"))
    async with service.running():
        await asyncio.to_thread(eventually, lambda: payload not in log())


async def test_what_is_erased_while_a_backup_reads_stays_in_the_log_until_the_next_round_and_no_post_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "TRUNCATE_PAUSE_SECONDS", 0.2)
    file = tmp_path / "intresse.db"

    def log() -> bytes:
        return Path(f"{file}-wal").read_bytes()

    put_migrated(f"sqlite:///{file}")
    with opened(f"sqlite:///{file}") as database:
        new, job = application(), RetentionJob(Retention(database, PERIODS))
        await store(database, new)
        payload = (await row_of(database, new.id)).payload
        with database.engine.execution_options(intresse_reads=True).connect() as backup:
            assert backup.execute(select(submissions.c.id)).all()
            await database.write(lambda connection: erase(connection, [new.id]))
            with capture_logs() as lines:
                emptying = asyncio.create_task(job.run_once())
                while not emptying.done():
                    began = time.monotonic()
                    await store(database, application())
                    assert time.monotonic() - began < BUSY_TIMEOUT_SECONDS / 2
            assert "WAL truncation failed" in [line["event"] for line in lines]
            assert payload in log()
        await job.run_once()
        assert payload not in log()


async def test_a_round_with_nothing_to_do_is_one_transaction(database: Database, retention: Retention) -> None:
    await settled(database, DELIVERED)
    await store(database, replace(application(), held=True), application())
    begun: list[object] = []
    event.listen(database.engine, "begin", begun.append)
    await RetentionJob(retention).run_once()
    assert len(begun) == 1


class _Slow(Database):
    """Lets something else happen between a read and the write that follows it."""

    def __init__(self, url: str, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__(url)
        self._meanwhile = meanwhile

    async def write(self, work: Callable[[Connection], T], *, pipelined: bool = False) -> T:
        await self._meanwhile()
        return await super().write(work, pipelined=pipelined)


@pytest.mark.parametrize("status", [Status.HELD, Status.REJECTED, Status.FAILED, Status.UNCERTAIN])
async def test_what_is_released_or_retried_at_the_last_moment_is_not_erased(
    database: Database, database_url: str, status: Status
) -> None:
    new = [application() for _ in range(3)]
    await store(database, *(replace(new_submission, held=status is Status.HELD) for new_submission in new))
    for new_submission in new:
        if status is not Status.HELD:
            await stop(database, new_submission.id, status)
    await grow_old(database, 400 * DAY)
    actions = actions_of(database)
    decided: list[bool] = []

    async def decide() -> None:
        if not decided:
            action = "retry" if status in {Status.REJECTED, Status.FAILED} else "release"
            for new_submission in new[:2]:
                decided.append(await actions.carry_out(action, await submission_of(database, new_submission.id)))

    slow = _Slow(database_url, decide)
    assert await Retention(slow, PERIODS).erase_expired() == 1
    slow.close()
    assert decided == [True, True]
    assert [(await row_of(database, new_submission.id)).erased_at is None for new_submission in new] == [
        True,
        True,
        False,
    ]
    assert (await claim_one(outbox_of(database))).id in {new_submission.id for new_submission in new[:2]}


def actions_of(database: Database) -> OperatorActions:
    return OperatorActions(database, KEYRING, {CUSTOMER: Defaults()})


async def stop(database: Database, submission_id: str, status: Status) -> None:
    def work(connection: Connection) -> None:
        of_step = steps.c.submission_id == submission_id
        connection.execute(update(steps).where(of_step).values(status=status.value, attempts=1))
        changed = update(submissions).where(submissions.c.id == submission_id)
        connection.execute(changed.values(status=status.value, settled_at=now(), due_at=None))

    await database.write(work)


async def test_a_submission_that_a_worker_claims_at_the_last_moment_is_not_discarded(
    database: Database, database_url: str
) -> None:
    new = application()
    await store(database, new)
    await stop(database, new.id, Status.FAILED)

    async def begin() -> None:
        assert await actions_of(database).retry(await submission_of(database, new.id))
        await claim_one(outbox_of(database))

    slow = _Slow(database_url, begin)
    assert not await actions_of(slow).discard(await submission_of(database, new.id))
    slow.close()
    assert (await row_of(database, new.id)).payload is not None
