"""What is told of troubles, and how often, on either database."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select, update

from app.alarms.detection import silent_forms
from app.alarms.incidents import Incident, IncidentKind
from app.alarms.notifications import GIVEN_UP, Notification, NotificationQueue
from app.alarms.queries import came
from app.alarms.silence import WEEK, WEEKS
from app.alarms.store import GATHERED, IncidentStore
from app.domain.ids import first_id_of, new_id
from app.intake.new_submission import NewSubmission
from app.storage.database import Database
from app.storage.schema import alarms as alarms_table
from app.storage.schema import submissions
from tests.conftest import CUSTOMER
from tests.integration.storage_helpers import MINUTE, application, opened, store

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAUSED = Incident(IncidentKind.PAUSED, CUSTOMER, "crm", NOW)
REFUSED = [Incident(IncidentKind.REJECTED, CUSTOMER, new_id(), NOW) for _ in range(3)]

Look = Callable[[Connection, Iterable[Incident]], list[Incident]]


def alarms_of(database: Database) -> IncidentStore:
    return IncidentStore(database, lambda *_: ["mail"])


def seeing(*troubles: Incident) -> Look:
    return lambda *_: list(troubles)


async def looks(database: Database, now: datetime, *troubles: Incident) -> None:
    alarms = alarms_of(database)
    await alarms.note(seeing(*troubles))
    await alarms.tell(now)


async def notices(database: Database, now: datetime = NOW + GIVEN_UP) -> list[Notification]:
    return list(await NotificationQueue(database).due("mail", now))


async def test_a_trouble_is_told_once_however_often_it_is_seen(database: Database) -> None:
    for minute in range(3):
        await looks(database, NOW + minute * GATHERED, PAUSED)
    (notice,) = await notices(database)
    assert (notice.kind, notice.subjects, notice.over, notice.since) == (IncidentKind.PAUSED, ("crm",), False, NOW)


async def test_its_end_is_told_once_and_the_next_time_is_another(database: Database) -> None:
    for number, there in enumerate([True, False, False, True]):
        await looks(database, NOW + number * GATHERED, *([PAUSED] if there else []))
    assert [notice.over for notice in await notices(database)] == [False, True, False]


async def test_what_comes_together_is_told_together(database: Database) -> None:
    await looks(database, NOW, *REFUSED)
    (notice,) = await notices(database)
    assert sorted(notice.subjects) == sorted(trouble.subject for trouble in REFUSED)


async def test_what_comes_soon_after_waits_to_be_told_together(database: Database) -> None:
    for number in (1, 2, 3):
        await looks(database, NOW + number * timedelta(seconds=5), *REFUSED[:number])
    assert len(await notices(database)) == 1
    await looks(database, NOW + GATHERED + MINUTE, *REFUSED)
    assert [len(notice.subjects) for notice in await notices(database)] == [1, 2]


async def test_what_was_over_before_it_could_be_told_is_not_told(database: Database) -> None:
    await looks(database, NOW, REFUSED[0])
    await looks(database, NOW + MINUTE, *REFUSED)
    await looks(database, NOW + 2 * MINUTE, REFUSED[0])
    await looks(database, NOW + 2 * GATHERED, REFUSED[0])
    assert len(await notices(database)) == 1


async def test_an_end_is_told_at_once_also_soon_after_the_beginning(database: Database) -> None:
    await looks(database, NOW, PAUSED)
    await looks(database, NOW + timedelta(seconds=5))
    assert [notice.over for notice in await notices(database)] == [False, True]


async def test_what_comes_and_goes_is_told_now_and_then(database: Database) -> None:
    for number in range(60):  # minutes, there in each second of them
        await looks(database, NOW + number * MINUTE, *([PAUSED] if number % 2 else []))
    told = [notice.over for notice in await notices(database)]
    assert len(told) <= 2 * 60 * MINUTE / GATHERED
    assert told == [bool(number % 2) for number in range(len(told))]


async def test_nothing_is_kept_of_what_is_over_and_told(database: Database) -> None:
    await looks(database, NOW, PAUSED)
    await looks(database, NOW + GATHERED)
    counted = select(func.count()).select_from(alarms_table)
    assert await database.read(lambda connection: connection.execute(counted).scalar()) == 0


async def test_many_processes_that_look_at_once_tell_once(database: Database, database_url: str) -> None:
    with opened(database_url) as other:
        await asyncio.gather(*(looks(one, NOW, PAUSED, *REFUSED) for one in (database, other) * 4))
    assert sorted(notice.kind for notice in await notices(database)) == [IncidentKind.PAUSED, IncidentKind.REJECTED]


async def test_a_notice_is_sent_by_one_process_at_a_time(database: Database) -> None:
    await looks(database, NOW, PAUSED)
    (notice,) = await notices(database)
    claims = await asyncio.gather(*(NotificationQueue(database).claim(notice, NOW) for _ in range(4)))
    assert sorted(claims) == [False, False, False, True]
    assert await notices(database, NOW + MINUTE) == []
    assert len(await notices(database, NOW + 3 * MINUTE)) == 1  # the process that had it died


async def test_a_notice_that_nobody_takes_is_given_up(database: Database) -> None:
    await looks(database, NOW, PAUSED)
    (notice,) = await notices(database)
    await NotificationQueue(database).put_off(notice, NOW + timedelta(days=2))
    assert len(await notices(database)) == 1
    await NotificationQueue(database).put_off(notice, NOW + GIVEN_UP + MINUTE)
    assert await notices(database, NOW + 10 * GIVEN_UP) == []


def _at(moment: datetime, number: int) -> NewSubmission:
    """The number keeps ids of one moment apart."""
    return replace(application(), id=first_id_of(moment)[:-4] + f"{number:04}", received_at=moment)


async def test_a_form_that_is_silent_when_it_never_is_has_a_drought(database: Database) -> None:
    past = [NOW - week * WEEK - 30 * MINUTE for week in range(1, WEEKS + 1)]
    last = NOW - 60 * MINUTE
    await store(database, *(_at(moment, number) for moment in past for number in range(8)), _at(last, 0))
    leads = await database.read(lambda connection: came(connection, NOW - (WEEKS + 1) * WEEK))
    assert silent_forms(leads, [], NOW) == [Incident(IncidentKind.DROUGHT, CUSTOMER, "interest", last)]
    await store(database, _at(NOW - MINUTE, 1))
    leads = await database.read(lambda connection: came(connection, NOW - (WEEKS + 1) * WEEK))
    assert silent_forms(leads, [], NOW) == []


async def test_what_is_held_as_spam_ends_no_drought(database: Database) -> None:
    await store(database, _at(NOW, 0))
    await database.write(lambda connection: connection.execute(update(submissions).values(status="held")))
    assert await database.read(lambda connection: came(connection, NOW - WEEK)) == []
