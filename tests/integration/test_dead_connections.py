"""Connections to PostgreSQL that die while idle cost no transaction."""

import asyncio
from threading import Barrier

import pytest
from sqlalchemy import Connection, text

from app.storage.database import POSTGRESQL_WRITERS, READERS, Database
from tests.integration.storage_helpers import opened
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


async def test_a_thread_keeps_its_connection(postgresql_url: str) -> None:
    with opened(postgresql_url) as database:
        assert await ask_each(database) == await ask_each(database)


async def test_a_closed_database_leaves_no_connection_behind(postgresql_url: str) -> None:
    with opened(postgresql_url) as watching:
        with opened(postgresql_url) as database:
            assert len(await ask_each(database)) == POSTGRESQL_WRITERS + READERS
        eventually(lambda: stands_alone(watching))
