"""Incidents and their alerts, on either database: which are sent, and how often."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import OperationalError

from app.alarms.alerts import GIVE_UP_AFTER, Alert, AlertQueue
from app.alarms.detection import IncidentDetector, Thresholds, silent_forms
from app.alarms.incidents import Incident, IncidentKind
from app.alarms.silence import WEEK, WEEKS
from app.alarms.store import ALERTS_KEPT, REPORT_EVERY, IncidentStore
from app.domain.ids import first_id_of
from app.domain.submission import Status
from app.intake.new_submission import NewSubmission
from app.privacy.retention import RetentionPeriods
from app.statistics.arrivals import Arrivals, arrivals_since
from app.statistics.counter_job import CounterJob
from app.storage.database import Database
from app.storage.process_lease import LEASE_LASTS, ProcessLease
from app.storage.schema import alarms as alarms_table
from app.storage.schema import leases, logins, notices, steps, submissions
from app.submissions.erasure import erase
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import KEYRING, MINUTE, OTHER, application, opened, store

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
PERIODS = RetentionPeriods(30 * DAY, 30 * DAY, 90 * DAY)
LIMITS = Thresholds(timedelta(seconds=5), HOUR, PERIODS, {CUSTOMER: 30 * MINUTE})
SOON_OVER = PERIODS.undelivered - 6 * DAY


def now() -> datetime:
    return datetime.now(UTC)


class Observer:
    """The observer of one process, with its own configuration."""

    def __init__(self, database: Database, limits: Thresholds = LIMITS, customers: Sequence[str] = (CUSTOMER,)) -> None:
        self.store = IncidentStore(database, lambda kind, _: ["office" if kind is IncidentKind.UNDELIVERED else "mail"])
        self.detector = IncidentDetector(limits, customers)

    async def check(self) -> bool:
        return await self.store.observe(self.detector)


@pytest.fixture
def observer(database: Database) -> Observer:
    return Observer(database)


async def alerts(database: Database, receiver: str = "mail") -> list[Alert]:
    return list(await AlertQueue(database).due(receiver))


async def kinds(database: Database, receiver: str = "mail") -> list[tuple[str, bool]]:
    return [(alert.kind.value, alert.over) for alert in await alerts(database, receiver)]


async def execute(database: Database, *statements: Any) -> None:
    def work(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    await database.write(work)


async def pause(database: Database) -> None:
    paused = {"paused_at": now(), "reason": "refused", "probe_at": now()}
    await execute(database, insert(logins).values(customer_id=CUSTOMER, function_group="crm", **paused))


async def resume(database: Database) -> None:
    await execute(database, delete(logins))


async def minutes_pass(database: Database, minutes: float) -> None:
    """Shifts all alerts into the past."""
    ago = now() - minutes * MINUTE
    await execute(database, update(notices).values(created_at=ago))


async def stopped(database: Database, status: Status, age: timedelta = HOUR, number: int = 1) -> list[NewSubmission]:
    new = [application() for _ in range(number)]
    await store(database, *new)
    ids, at = [submission.id for submission in new], now() - age
    settled = {"status": status.value, "settled_at": at, "received_at": at - HOUR, "due_at": None}
    await execute(
        database,
        update(steps).where(steps.c.submission_id.in_(ids)).values(status=status.value),
        update(submissions).where(submissions.c.id.in_(ids)).values(settled),
    )
    return new


async def waiting(database: Database, age: timedelta, customer_id: str = CUSTOMER) -> NewSubmission:
    new = application(customer_id)
    await store(database, new)
    this = update(submissions).where(submissions.c.id == new.id)
    await execute(database, this.values(received_at=now() - age, delivery_since=now() - age))
    return new


async def arrive(database: Database, *new: NewSubmission) -> None:
    done = {"status": "delivered", "due_at": None, "settled_at": now()}
    await execute(
        database, update(submissions).where(submissions.c.id.in_([submission.id for submission in new])).values(done)
    )


async def test_an_incident_is_alerted_once_however_often_it_is_detected(database: Database, observer: Observer) -> None:
    await pause(database)
    for _ in range(3):
        await observer.check()
        await minutes_pass(database, 6)
    (alert,) = await alerts(database)
    assert (alert.kind, alert.subjects, alert.over) == (IncidentKind.PAUSED, ("crm",), False)


async def test_the_end_of_an_incident_is_alerted_once_and_a_recurrence_is_a_new_incident(
    database: Database, observer: Observer
) -> None:
    for change in (pause, resume, pause):
        await change(database)
        await observer.check()
        await observer.check()
        await minutes_pass(database, 6)
    assert sorted(await kinds(database)) == [("paused", False), ("paused", False), ("paused", True)]


async def test_simultaneous_incidents_are_alerted_together(database: Database, observer: Observer) -> None:
    new = await stopped(database, Status.REJECTED, number=3)
    await observer.check()
    (alert,) = await alerts(database)
    assert sorted(alert.subjects) == sorted(submission.id for submission in new)


async def test_incidents_soon_after_an_alert_wait_to_be_alerted_together(
    database: Database, observer: Observer
) -> None:
    for _ in range(3):
        await stopped(database, Status.REJECTED)
        await observer.check()
    assert len(await alerts(database)) == 1
    await minutes_pass(database, REPORT_EVERY / MINUTE)
    await observer.check()
    assert sorted(len(alert.subjects) for alert in await alerts(database)) == [1, 2]


async def test_an_incident_that_ends_before_its_alert_is_not_alerted(database: Database, observer: Observer) -> None:
    await stopped(database, Status.REJECTED)
    await observer.check()
    other = await stopped(database, Status.REJECTED)
    await observer.check()
    await arrive(database, *other)
    await minutes_pass(database, 6)
    await observer.check()
    assert len(await alerts(database)) == 1


async def test_the_end_of_an_incident_is_alerted_at_once_even_soon_after_its_start(
    database: Database, observer: Observer
) -> None:
    await pause(database)
    await observer.check()
    await resume(database)
    await observer.check()
    assert sorted(await kinds(database)) == [("paused", False), ("paused", True)]


async def test_an_incident_that_recurs_before_its_end_was_alerted_continues(
    database: Database, observer: Observer
) -> None:
    for change in (pause, resume, pause, resume, pause):
        await change(database)
        await observer.check()
    assert sorted(await kinds(database)) == [("paused", False), ("paused", True)]
    await minutes_pass(database, 6)
    await observer.check()
    assert sorted(await kinds(database)) == [("paused", False), ("paused", False), ("paused", True)]


async def test_nothing_is_stored_of_an_incident_whose_end_was_alerted(database: Database, observer: Observer) -> None:
    await pause(database)
    await observer.check()
    await resume(database)
    await observer.check()
    counted = select(func.count()).select_from(alarms_table)
    assert await database.read(lambda connection: connection.execute(counted).scalar()) == 0


async def test_many_processes_that_check_at_once_alert_once(database: Database, database_url: str) -> None:
    await pause(database)
    await stopped(database, Status.REJECTED, number=3)
    with opened(database_url) as other:
        observed = await asyncio.gather(*(Observer(one).check() for one in (database, other) * 4))
    assert sum(observed) == 1
    assert sorted(await kinds(database)) == [("paused", False), ("rejected", False)]


async def test_another_process_takes_over_once_the_observer_has_stopped_or_died(database: Database) -> None:
    first, second, third = (Observer(database) for _ in range(3))
    assert [await first.check(), await second.check(), await first.check()] == [True, False, True]
    await first.store.stop()
    assert [await second.check(), await first.check(), await third.check()] == [True, False, False]
    await execute(database, update(leases).values(until=now() - LEASE_LASTS))  # it died
    assert [await third.check(), await second.check()] == [True, False]


async def test_an_observer_that_loses_its_lease_during_a_check_records_nothing(database: Database) -> None:
    slow, other = Observer(database), Observer(database)
    await pause(database)

    class Slow(IncidentDetector):
        def detect(self, connection: Connection) -> list[Incident]:
            with database.engine.begin() as meanwhile:
                meanwhile.execute(update(leases).values(holder="another"))
            return super().detect(connection)

    slow.detector = Slow(LIMITS, [CUSTOMER])
    await slow.check()
    assert await alerts(database) == []
    assert not await other.check()


async def test_a_lease_cannot_be_taken_over_while_its_holder_records(postgresql_url: str) -> None:
    """On SQLite there is one writer anyway."""
    with opened(postgresql_url) as database:
        lease = ProcessLease(database, "a job")
        assert await lease.take()

        def record(connection: Connection) -> None:
            assert lease.holds(connection)
            with database.engine.connect() as another:
                another.execute(text("SET lock_timeout = '100ms'"))
                with pytest.raises(OperationalError, match="lock timeout"):
                    another.execute(update(leases).values(holder="another"))

        await database.write(record)


async def test_processes_with_different_configurations_do_not_alternately_raise_and_end_an_incident(
    database: Database,
) -> None:
    """One process sends lead mail after half an hour and counts an hour as overdue; the other does neither, and has
    another customer."""
    await waiting(database, 2 * HOUR)
    await stopped(database, Status.FAILED, SOON_OVER)
    strict = Observer(database)
    lenient = Observer(
        database, Thresholds(LIMITS.booking_wait, 5 * HOUR, RetentionPeriods(*(999 * DAY,) * 3), {}), [OTHER]
    )
    for _ in range(4):
        for one in (strict, lenient):
            assert await one.check()
            await one.store.stop()
            await minutes_pass(database, 6)
    assert sorted(await kinds(database)) == [("failed", False), ("overdue", False), ("soon-discarded", False)]
    assert await kinds(database, "office") == [("undelivered", False)]


async def test_leads_of_a_customer_that_has_left_the_configuration_are_still_reported(
    database: Database, observer: Observer
) -> None:
    observer.detector = IncidentDetector(LIMITS, [OTHER])
    await waiting(database, 2 * HOUR)
    await stopped(database, Status.FAILED, SOON_OVER)
    await pause(database)  # of a login that nobody uses any more
    await observer.check()
    assert sorted(await kinds(database)) == [("failed", False), ("overdue", False), ("soon-discarded", False)]


async def test_a_lead_that_has_not_arrived_is_never_reported_as_arrived_however_old(
    database: Database, observer: Observer
) -> None:
    new = await waiting(database, HOUR)
    await observer.check()
    older = update(submissions).values(received_at=now() - 8 * DAY)
    await execute(database, older)
    await observer.check()
    assert await kinds(database, "office") == [("undelivered", False)]
    await arrive(database, new)
    await observer.check()
    assert sorted(await kinds(database, "office")) == [("undelivered", False), ("undelivered", True)]


@pytest.mark.parametrize("status", [Status.FAILED, Status.REJECTED, Status.UNCERTAIN, Status.HELD])
async def test_what_is_about_to_be_erased_is_announced_until_someone_has_seen_to_it(
    database: Database, observer: Observer, status: Status
) -> None:
    (new,) = await stopped(database, status, SOON_OVER)
    (young,) = await stopped(database, status, HOUR)
    await observer.check()
    assert {
        (alert.kind.value, new.id in alert.subjects, young.id in alert.subjects) for alert in await alerts(database)
    } == {(status.value, True, True), ("soon-discarded", True, False)}
    await database.write(lambda connection: erase(connection, [new.id]))
    await minutes_pass(database, 6)
    await observer.check()
    assert ("soon-discarded", True) in await kinds(database)


async def test_what_is_kept_for_longer_after_all_is_announced_again_before_its_new_end(
    database: Database, observer: Observer
) -> None:
    await stopped(database, Status.FAILED, SOON_OVER)
    await observer.check()
    longer = Observer(database, replace(LIMITS, kept=replace(PERIODS, undelivered=PERIODS.undelivered + 30 * DAY)))
    await observer.store.stop()
    for weeks in (1, 2):
        await execute(database, update(alarms_table).values(raised_at=now() - weeks * WEEK))
        await longer.check()
        ends = [alert for alert in await kinds(database) if alert == ("soon-discarded", True)]
        assert len(ends) == weeks - 1
    await execute(database, update(submissions).values(settled_at=now() - SOON_OVER - 30 * DAY))
    await longer.check()
    await minutes_pass(database, 6)
    await longer.check()
    assert (await kinds(database)).count(("soon-discarded", False)) == 2


async def test_leads_that_wait_are_overdue_whether_their_login_was_paused_meanwhile_or_not(
    database: Database, observer: Observer
) -> None:
    """The end of a pause restarts the time after which they are given up, and nothing else."""
    first, second = await waiting(database, 2 * HOUR), await waiting(database, 3 * HOUR)
    await observer.check()
    await execute(database, update(submissions).values(delivery_since=now()))
    await observer.check()
    await arrive(database, first)
    await observer.check()
    assert await kinds(database) == [("overdue", False)]
    await arrive(database, second)
    await observer.check()
    assert await kinds(database) == [("overdue", False), ("overdue", True)]


async def test_an_alert_is_sent_by_one_process_at_a_time(database: Database, observer: Observer) -> None:
    await pause(database)
    await observer.check()
    (alert,) = await alerts(database)
    claims = await asyncio.gather(*(AlertQueue(database).claim(alert) for _ in range(4)))
    assert sorted(claims) == [False, False, False, True]
    assert await alerts(database) == []
    await execute(database, update(notices).values(due_at=now()))  # the process that had it died
    (again,) = await alerts(database)
    assert await AlertQueue(database).claim(again)
    await AlertQueue(database).mark_sent(alert)  # by the first, which has lost it
    await execute(database, update(notices).where(notices.c.due_at.is_not(None)).values(due_at=now()))
    assert len(await alerts(database)) == 1


async def test_an_alert_never_overtakes_one_that_it_contradicts(database: Database, observer: Observer) -> None:
    """Otherwise a receiver that works again would read "refuses the login" after "accepts the login again"."""
    queue = AlertQueue(database)
    await pause(database)
    await observer.check()
    (beginning,) = await alerts(database)
    assert await queue.claim(beginning)
    await queue.put_off(beginning)
    await resume(database)
    await stopped(database, Status.REJECTED)
    await observer.check()
    assert await kinds(database) == [("rejected", False)]
    await execute(database, update(notices).values(due_at=now()))
    assert (await kinds(database))[0] == ("paused", False)
    assert len(await kinds(database)) == 3


async def test_an_alert_that_no_receiver_accepts_is_given_up(database: Database, observer: Observer) -> None:
    queue = AlertQueue(database)
    await pause(database)
    await observer.check()
    for age, left in ((2 * DAY, 1), (GIVE_UP_AFTER + MINUTE, 0)):
        (alert,) = await alerts(database)
        assert await queue.claim(alert)
        old = replace(alert, created_at=now() - age)
        assert await queue.put_off(old) == bool(left)
        due = update(notices).where(notices.c.due_at.is_not(None)).values(due_at=now())
        await execute(database, due)
        assert len(await alerts(database)) == left


async def test_an_alert_whose_receiver_has_left_the_configuration_is_not_kept(
    database: Database, observer: Observer
) -> None:
    await pause(database)
    await observer.check()
    await minutes_pass(database, (ALERTS_KEPT + DAY) / MINUTE)
    await resume(database)
    await observer.check()
    assert await kinds(database) == [("paused", True)]


def _at(moment: datetime, number: int) -> NewSubmission:
    """`number` distinguishes ids of the same time."""
    return replace(application(), id=first_id_of(moment)[:-4] + f"{number:04}", received_at=moment)


async def _arrivals(database: Database) -> Sequence[Arrivals]:
    return await database.read(lambda connection: arrivals_since(connection, now() - (WEEKS + 1) * WEEK))


@pytest.mark.parametrize("counted", [False, True])
async def test_an_unusually_silent_form_is_an_incident_until_the_next_lead(
    database: Database, observer: Observer, counted: bool
) -> None:
    moment = now()
    past = [moment - week * WEEK - 30 * MINUTE for week in range(1, WEEKS + 1)]
    last = moment - 60 * MINUTE
    await store(database, *(_at(day, number) for day in past for number in range(8)), _at(last, 0))
    counter = CounterJob(database, KEYRING, timedelta(0))
    while counted and await counter.count():
        pass
    assert silent_forms(await _arrivals(database), moment) == [
        Incident(IncidentKind.DROUGHT, CUSTOMER, "interest", last)
    ]
    await arrive(database)
    await observer.check()
    await execute(database, update(submissions).values(due_at=None, status="delivered"))
    await Observer(database).store.stop()
    await observer.check()
    assert ("drought", True) not in await kinds(database)
    held = replace(_at(moment - 2 * MINUTE, 1), held=True)
    await store(database, held)
    await observer.check()
    assert ("drought", True) not in await kinds(database)
    await store(database, _at(moment - MINUTE, 2))
    if counted:
        await counter.count()
    await observer.check()
    assert [kind for kind in await kinds(database) if kind[0] == "drought"] == [("drought", False), ("drought", True)]
    assert silent_forms(await _arrivals(database), moment) == []


async def test_held_spam_does_not_end_the_silence_of_a_form(database: Database) -> None:
    await store(database, replace(_at(now(), 0), held=True))
    assert await _arrivals(database) == []
    await CounterJob(database, KEYRING, timedelta(minutes=-1)).count()
    assert await _arrivals(database) == []
