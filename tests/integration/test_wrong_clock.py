"""A machine's clock that is wrong for a while, on SQLite: nothing is erased, alarmed or given up because of it, and
wrong dates are corrected. On PostgreSQL the database's clock decides."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update
from structlog.testing import capture_logs

from app.alarms.detection import IncidentDetector, Thresholds
from app.delivery.claims import StepOutcome
from app.domain.ids import first_id_of, new_id
from app.domain.submission import AttemptOutcome, Status, StepStatus
from app.intake.new_submission import NewSubmission
from app.maintenance.restore import park_undelivered
from app.privacy.retention import Retention, RetentionPeriods, soon_erased
from app.statistics.counter_job import CounterJob
from app.storage import clock
from app.storage import database as database_module
from app.storage.database import Database, now_of
from app.storage.schema import clock as clock_table
from app.storage.schema import logins, submissions
from app.submissions.person_index import PersonIndex
from tests.conftest import CUSTOMER
from tests.databases import put_migrated
from tests.integration.storage_helpers import (
    CONTACT_HASH,
    KEYRING,
    MINUTE,
    MachineClock,
    application,
    claim_one,
    ids,
    marked,
    outbox_of,
    row_of,
    store,
)

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
DECADE = 3653 * DAY
PERIODS = RetentionPeriods(30 * DAY, 30 * DAY, 90 * DAY)
DETECTOR = IncidentDetector(Thresholds(5 * MINUTE, 60 * MINUTE, PERIODS, {CUSTOMER: MINUTE}), [CUSTOMER])


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    machine = MachineClock()
    monkeypatch.setattr(database_module, "datetime", machine)
    return machine


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    put_migrated(f"sqlite:///{tmp_path}/intresse.db")
    database = Database(f"sqlite:///{tmp_path}/intresse.db")
    yield database
    database.close()


def received_now(machine: MachineClock, **more: Any) -> NewSubmission:
    """A submission dated as the web layer does, by the same clock."""
    new, moment = application(**more), machine.now(UTC)
    return replace(new, id=first_id_of(moment)[:13] + new.id[13:], received_at=moment)


async def check_clock(database: Database) -> None:
    await clock.tick(database)


async def found(database: Database) -> list[str]:
    return [incident.kind.value for incident in await database.read(DETECTOR.detect)]


async def stop(database: Database, submission_id: str, status: Status) -> None:
    def work(connection: Connection) -> None:
        settled = {"status": status.value, "settled_at": datetime.now(UTC), "due_at": None}
        connection.execute(update(submissions).where(submissions.c.id == submission_id).values(settled))

    await database.write(work)


@pytest.mark.parametrize("jump", [2 * 60 * MINUTE, 400 * DAY, DECADE])
async def test_nothing_is_erased_or_alarmed_because_a_clock_jumped(
    database: Database, machine: MachineClock, jump: timedelta
) -> None:
    new = [application() for _ in range(5)]
    await store(database, *new)
    for submission, status in zip(new, (Status.DELIVERED, Status.FAILED, Status.REJECTED, Status.HELD), strict=False):
        await stop(database, submission.id, status)
    await check_clock(database)
    machine.off = jump
    for _ in range(2):  # also by a process that has just started, and has not checked yet
        assert await Retention(database, PERIODS).erase_expired() == 0
        assert not {"overdue", "soon-discarded", "undelivered"} & set(await found(database))
        assert await database.read(lambda connection: soon_erased(connection, PERIODS)) == []
        await check_clock(database)


async def test_a_clock_that_stays_steady_for_a_day_is_trusted(database: Database, machine: MachineClock) -> None:
    """As on a machine that was switched off for a long time."""
    await store(database, new := application())
    await stop(database, new.id, Status.DELIVERED)
    await check_clock(database)
    for minutes in range(0, 24 * 60 + 6, 6):
        machine.off = 400 * DAY + minutes * MINUTE
        await check_clock(database)
    assert await Retention(database, PERIODS).erase_expired() == 1


async def test_after_an_hour_it_alarms_again(database: Database, machine: MachineClock) -> None:
    await store(database, application())
    await check_clock(database)
    for minutes in range(0, 66, 6):
        machine.off = DAY + minutes * MINUTE
        await check_clock(database)
    assert "overdue" in await found(database)


async def test_dates_from_a_fast_clock_are_corrected(database: Database, machine: MachineClock) -> None:
    before = received_now(machine)
    await store(database, before)
    await check_clock(database)
    machine.off = DECADE
    await check_clock(database)
    late = received_now(machine, repeat=marked(b"a key"))
    await store(database, late)
    outbox = outbox_of(database)
    claim = await claim_one(outbox)
    again = StepOutcome(StepStatus.WAITING, AttemptOutcome.UNAVAILABLE, retry_in=10 * MINUTE)
    await outbox.record(claim, claim.steps[0], again)
    paused = {"paused_at": machine.now(UTC), "reason": "refused", "probe_at": machine.now(UTC) + 5 * MINUTE}
    login = insert(logins).values(customer_id=CUSTOMER, function_group="advertising", **paused)
    await database.write(lambda connection: connection.execute(login))
    machine.off = timedelta(0)
    await check_clock(database)
    for submission in (before, late):
        row = await row_of(database, submission.id)
        assert {
            name for name in ("received_at", "delivery_since", "due_at") if getattr(row, name) > datetime.now(UTC)
        } == set()
    row = await row_of(database, late.id)
    assert row.repeat_until - row.received_at == 10 * MINUTE
    assert len(await outbox_of(database).claim_due({CUSTOMER: 9}, 9)) == 1  # the login may be probed, by one
    assert not await found_by_age(database)


@pytest.mark.parametrize("jump", [60 * MINUTE, DECADE])
async def test_dates_from_between_two_clock_checks_are_corrected(
    database: Database, machine: MachineClock, jump: timedelta
) -> None:
    """It was ahead, and right again before the next check."""
    await store(database, retried := received_now(machine))
    await check_clock(database)
    machine.off = jump
    again = StepOutcome(StepStatus.WAITING, AttemptOutcome.UNAVAILABLE, retry_in=MINUTE)
    claim = await claim_one(outbox_of(database))
    await outbox_of(database).record(claim, claim.steps[0], again)
    await store(database, late := received_now(machine), sent := received_now(machine))
    delivered = StepOutcome(StepStatus.DELIVERED, AttemptOutcome.DELIVERED)
    for claim in await outbox_of(database).claim_due({CUSTOMER: 1}, 1):
        await outbox_of(database).record(claim, claim.steps[0], delivered)
    machine.off = timedelta(0)
    await check_clock(database)
    for submission in (retried, late, sent):
        row = await row_of(database, submission.id)
        moments = (row.received_at, row.delivery_since, row.due_at, row.settled_at)
        assert all(moment <= datetime.now(UTC) for moment in moments if moment)
    assert len(await outbox_of(database).claim_due({CUSTOMER: 9}, 9)) == 2


@pytest.mark.parametrize("jumps", [(DECADE, -400 * DAY), (-400 * DAY, DECADE), (DECADE, 5 * DAY), (DECADE, -DAY)])
async def test_nothing_waits_for_a_clock_that_jumps_on_from_one_wrong_place_to_another(
    database: Database, machine: MachineClock, jumps: tuple[timedelta, timedelta]
) -> None:
    await store(database, received_now(machine))
    await check_clock(database)
    for machine.off in (*jumps, timedelta(0)):
        await check_clock(database)
        claim = await claim_one(outbox_of(database))
        again = StepOutcome(StepStatus.WAITING, AttemptOutcome.UNAVAILABLE)
        await outbox_of(database).record(claim, claim.steps[0], again)


async def found_by_age(database: Database) -> set[str]:
    return {"overdue", "soon-discarded", "undelivered"} & set(await found(database))


async def test_dates_from_a_slow_clock_are_corrected(database: Database, machine: MachineClock) -> None:
    await store(database, before := application())
    await check_clock(database)
    machine.off = -400 * DAY
    await check_clock(database)
    early = received_now(machine)
    await store(database, early)
    await check_clock(database)
    machine.off = timedelta(0)
    await check_clock(database)
    for submission in (before, early):
        assert datetime.now(UTC) - (await row_of(database, submission.id)).received_at < MINUTE
    assert len(await outbox_of(database).claim_due({CUSTOMER: 9}, 9)) == 2


async def test_a_jump_is_logged_once(database: Database, machine: MachineClock) -> None:
    with capture_logs() as lines:
        for machine.off in (timedelta(0), timedelta(0), DECADE, DECADE):
            await check_clock(database)
    assert [line["event"] for line in lines] == ["clock: it has jumped; nothing is erased or given up for its age"]


@pytest.mark.parametrize("jump", [timedelta(0), -400 * DAY, DECADE])
async def test_what_the_right_clock_has_dated_stays_as_it_is(
    database: Database, machine: MachineClock, jump: timedelta
) -> None:
    now = machine.now(UTC)
    received_at, due_at = now - 10 * DAY, now + 60 * MINUTE
    await store(database, new := replace(application(repeat=marked(b"a key")), received_at=received_at))
    await database.write(lambda connection: connection.execute(update(submissions).values(due_at=due_at)))
    for machine.off in (timedelta(0), jump, jump, timedelta(0)):
        await check_clock(database)
    row = await row_of(database, new.id)
    assert (row.received_at, row.repeat_until) == (received_at, received_at + 10 * MINUTE)
    if jump >= timedelta(0):  # otherwise it is tried at once: whichever time was wrong, it need not wait for long
        assert row.due_at == due_at


@pytest.mark.parametrize("checks", [0, 1])
async def test_submissions_that_stopped_while_the_clock_was_behind_do_not_count_as_old(
    database: Database, machine: MachineClock, checks: int
) -> None:
    """Whether it was behind between two checks, or was seen behind and is right again before the next check."""
    await store(database, failing := application())
    await check_clock(database)
    machine.off = -400 * DAY
    for _ in range(checks):
        await check_clock(database)
    moment = database.now()  # as the web dates what it takes in
    held, waiting = (replace(application(), id=new_id(moment), received_at=moment) for _ in range(2))
    await store(database, replace(held, held=True), waiting)
    await database.write(lambda connection: connection.execute(update(submissions).values(due_at=None)))
    stopped = update(submissions).where(submissions.c.id == failing.id).values(status="failed")
    await database.write(lambda connection: connection.execute(stopped.values(settled_at=now_of(connection))))
    machine.off = timedelta(0)
    assert await Retention(database, PERIODS).erase_expired() == 0
    due = update(submissions).where(submissions.c.id == waiting.id).values(due_at=datetime.now(UTC))
    await database.write(lambda connection: connection.execute(due))
    assert (await claim_one(outbox_of(database))).age < MINUTE
    await check_clock(database)
    for submission in (held, waiting):
        assert abs((await row_of(database, submission.id)).received_at - datetime.now(UTC)) < MINUTE


async def test_nothing_is_given_up_because_a_clock_jumped(database: Database, machine: MachineClock) -> None:
    await store(database, application())
    await check_clock(database)
    machine.off = 400 * DAY
    assert (await claim_one(outbox_of(database))).age < MINUTE


async def test_counting_and_finding_go_on_after_a_wrong_clock(database: Database, machine: MachineClock) -> None:
    people, counter = PersonIndex(database, CONTACT_HASH, -MINUTE), CounterJob(database, KEYRING, -MINUTE)

    async def counted() -> int:
        while await people.fill() or await counter.count():
            pass
        rows = await database.read(lambda connection: connection.execute(select(submissions.c.id)).all())
        return len(rows)

    new = []
    for off in (timedelta(0), DECADE, timedelta(0)):
        machine.off = off
        await check_clock(database)
        new.append(received_now(machine))
        await store(database, new[-1])
        await counted()
    assert await people.find("anna@example.se") == sorted(submission.id for submission in new)
    assert {submission.id for submission in new} == set(ids(database))


async def test_a_database_that_a_person_has_put_back_is_believed_at_once(
    database: Database, machine: MachineClock
) -> None:
    await check_clock(database)
    machine.off = 5 * DAY
    await database.write(park_undelivered)
    assert await database.read(lambda connection: clock.is_steady(connection, clock.BELIEVED_AFTER))
    assert await database.read(lambda connection: connection.execute(select(clock_table)).first()) is None
