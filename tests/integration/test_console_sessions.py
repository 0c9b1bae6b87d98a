"""Console sessions, on either database: ended on every replica at once, or after an idle time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.maintenance.restore import park_undelivered
from app.storage.console_sessions import IDLE, RECORDED_EVERY, ConsoleSessions
from app.storage.database import Database, StoreUnavailableError
from app.storage.schema import console_sessions
from tests.integration.storage_helpers import opened

pytestmark = pytest.mark.anyio

SESSION, ANOTHER = b"one session's hash", b"another's"


def last_seen(database: Database, ago: timedelta) -> None:
    with database.engine.begin() as connection:
        connection.execute(update(console_sessions).values(seen_at=datetime.now(UTC) - ago))


def rows(database: Database) -> dict[bytes, datetime]:
    with database.engine.connect() as connection:
        return {row.id: row.seen_at for row in connection.execute(select(console_sessions))}


async def test_a_session_is_open_from_its_beginning_to_its_end_and_no_other_is(database: Database) -> None:
    sessions = ConsoleSessions(database)
    await sessions.begin(SESSION)
    assert await sessions.is_open(SESSION)
    assert not await sessions.is_open(ANOTHER)
    await sessions.end(SESSION)
    assert not await sessions.is_open(SESSION)


async def test_a_session_that_is_ended_ends_on_the_other_replica_too_and_leaves_others_alone(
    database: Database,
) -> None:
    sessions = ConsoleSessions(database)
    await sessions.begin(SESSION)
    await sessions.begin(ANOTHER)
    with opened(database.url.render_as_string(hide_password=False)) as other:
        replica = ConsoleSessions(other)
        assert await replica.is_open(SESSION)
        await replica.end(SESSION)
    assert not await sessions.is_open(SESSION)
    assert await sessions.is_open(ANOTHER)


async def test_an_idle_session_ends_after_an_hour(database: Database) -> None:
    sessions = ConsoleSessions(database)
    await sessions.begin(SESSION)
    last_seen(database, IDLE - timedelta(seconds=30))
    assert await sessions.is_open(SESSION)
    last_seen(database, IDLE)
    assert not await sessions.is_open(SESSION)


async def test_use_keeps_a_session_open_and_is_recorded_once_a_minute(database: Database) -> None:
    sessions = ConsoleSessions(database)
    await sessions.begin(SESSION)
    last_seen(database, RECORDED_EVERY - timedelta(seconds=30))
    before = rows(database)
    assert await sessions.is_open(SESSION)
    assert rows(database) == before
    last_seen(database, IDLE - timedelta(seconds=30))
    assert await sessions.is_open(SESSION)
    assert datetime.now(UTC) - rows(database)[SESSION] < timedelta(seconds=30)


async def test_a_session_that_is_ended_while_in_use_stays_ended(database: Database) -> None:
    sessions = ConsoleSessions(database)
    await sessions.begin(SESSION)
    await sessions.end(SESSION)
    await sessions._record_use(SESSION)  # of a request that came before the end
    assert rows(database) == {}


async def test_expired_sessions_are_deleted_by_the_next_sign_in(database: Database) -> None:
    sessions = ConsoleSessions(database)
    await sessions.begin(SESSION)
    last_seen(database, IDLE + timedelta(seconds=1))
    await sessions.begin(ANOTHER)
    assert set(rows(database)) == {ANOTHER}


async def test_a_use_that_cannot_be_recorded_locks_nobody_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = ConsoleSessions(database)
    await sessions.begin(SESSION)
    last_seen(database, IDLE / 2)

    async def full(_: object) -> None:
        raise StoreUnavailableError("full")

    monkeypatch.setattr(database, "write", full)
    assert await sessions.is_open(SESSION)


async def test_after_a_restore_nobody_is_signed_in(database: Database) -> None:
    sessions = ConsoleSessions(database)
    await sessions.begin(SESSION)
    await database.write(park_undelivered)
    assert not await sessions.is_open(SESSION)
