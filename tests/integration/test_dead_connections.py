"""Connections to PostgreSQL that die while idle cost no transaction."""

import asyncio
from threading import Barrier

import pytest
from sqlalchemy import Connection, text

from app.intake.idempotency import Accepted
from app.storage.database import POSTGRESQL_WRITERS, READERS, CommitUnknownError, Database, StoreUnavailableError
from app.storage.driver import threads
from app.storage.driver.compiled import run_in_driver
from tests.integration.storage_helpers import application, connect_all_writers, ids, opened, taking_in
from tests.postgresql_proxy import proxied
from tests.servers import eventually

pytestmark = pytest.mark.anyio

OTHERS = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"


async def ask_each(database: Database) -> set[int]:
    """Ids of the server processes behind this database's threads."""
    all_asked = Barrier(POSTGRESQL_WRITERS + READERS, timeout=30)  # so that none of them takes two

    def work(connection: Connection) -> int:
        all_asked.wait()
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

    asked = [database.write(work) for _ in range(POSTGRESQL_WRITERS)]
    return set(await asyncio.gather(*asked, *(database.read(work) for _ in range(READERS))))


def end_all(url: str) -> None:
    with opened(url) as other:
        with other.engine.begin() as connection:
            connection.execute(text(f"SELECT pg_terminate_backend(pid) {OTHERS}"))
        eventually(lambda: stands_alone(other))


def stands_alone(database: Database) -> bool:
    """In a new transaction each time, because PostgreSQL shows a transaction the same activity throughout."""
    with database.engine.begin() as connection:
        return connection.execute(text(f"SELECT count(*) {OTHERS}")).scalar() == 0


async def test_a_connection_that_died_while_idle_is_replaced_before_it_is_used(postgresql_url: str) -> None:
    with opened(postgresql_url) as database:
        before = await ask_each(database)
        assert len(before) == POSTGRESQL_WRITERS + READERS
        end_all(postgresql_url)
        after = await ask_each(database)  # raises nothing
        assert len(after) == POSTGRESQL_WRITERS + READERS
        assert not before & after


async def test_a_transaction_in_one_round_trip_is_not_sent_to_a_dead_connection(postgresql_url: str) -> None:
    all_asked = Barrier(POSTGRESQL_WRITERS, timeout=30)

    def work(connection: Connection) -> None:
        all_asked.wait()
        run_in_driver(connection, "SELECT 1")

    with opened(postgresql_url) as database:
        await ask_each(database)
        end_all(postgresql_url)
        for _ in range(2):
            # Raises nothing, not even that it is unknown what was committed.
            await asyncio.gather(*(database.write(work, pipelined=True) for _ in range(POSTGRESQL_WRITERS)))


async def test_a_connection_that_was_lost_without_a_sign_costs_no_post(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "is_closed", lambda connection: False)
    with opened(postgresql_url) as database:
        await connect_all_writers(database)
        end_all(postgresql_url)
        with pytest.raises(CommitUnknownError):
            await database.write(lambda connection: run_in_driver(connection, "SELECT 1"), pipelined=True)
        new = application()
        async with taking_in(database) as intake:
            assert await intake.accept(new) == Accepted(new.id, repeated=False)
        assert ids(database) == [new.id]


async def test_a_shutdown_between_a_commit_and_its_answer_is_no_refusal(
    postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As at `pg_ctl stop`, which PostgreSQL obeys after the commit that it is carrying out: its last words have an
    error's code, but nothing was refused."""
    new = application()

    def shut_down() -> None:
        with opened(postgresql_url) as watching:
            eventually(lambda: ids(watching) == [new.id])
            with watching.engine.begin() as connection:
                connection.execute(text(f"SELECT pg_terminate_backend(pid) {OTHERS}"))
        proxy.before_sync = None

    with proxied(postgresql_url) as proxy, opened(proxy.url) as database:
        await connect_all_writers(database)
        proxy.before_sync = shut_down
        async with taking_in(database) as intake:
            assert await intake.accept(new) == Accepted(new.id, repeated=False)
        assert ids(database) == [new.id]
    assert not caplog.records  # of the pool, which can't reset such a connection


@pytest.mark.parametrize("pipelined", [True, False])
async def test_a_session_that_may_only_read_is_replaced(postgresql_url: str, pipelined: bool) -> None:
    """Such as one to a server that is a standby since a fail-over. It would refuse posts until the next restart."""

    def write(connection: Connection) -> None:
        connection.execute(text("DELETE FROM submissions"))

    with opened(postgresql_url) as database:
        all_set = Barrier(POSTGRESQL_WRITERS, timeout=30)

        def demote(connection: Connection) -> None:
            all_set.wait()
            connection.execute(text("SET default_transaction_read_only = on"))

        await asyncio.gather(*(database.write(demote) for _ in range(POSTGRESQL_WRITERS)))
        refused = 0
        for _ in range(2 * POSTGRESQL_WRITERS):
            try:
                await database.write(write, pipelined=pipelined)
            except StoreUnavailableError:
                refused += 1
        assert 0 < refused <= POSTGRESQL_WRITERS


@pytest.mark.parametrize("pools", [True, False])
async def test_no_statement_is_prepared_behind_a_pooler(postgresql_url: str, pools: bool) -> None:
    """The next transaction may get a server process where another client has given its name to another statement."""

    def prepared(connection: Connection) -> int:
        for _ in range(10):  # psycopg prepares what is executed often
            connection.execute(text("SELECT 1"))
        return int(connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one())

    with proxied(postgresql_url) as proxy:
        proxy.pools = pools
        with opened(proxy.url) as database:
            counts = await database.write(prepared), await database.read(prepared)
    assert [count == 0 for count in counts] == [pools, pools]


async def test_a_thread_keeps_its_connection(postgresql_url: str) -> None:
    with opened(postgresql_url) as database:
        assert await ask_each(database) == await ask_each(database)


async def test_a_closed_database_leaves_no_connection_behind(postgresql_url: str) -> None:
    with opened(postgresql_url) as watching:
        with opened(postgresql_url) as database:
            assert len(await ask_each(database)) == POSTGRESQL_WRITERS + READERS
        eventually(lambda: stands_alone(watching))
