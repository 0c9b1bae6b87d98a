"""The threads that run transactions, on SQLite: what becomes of a caller who leaves, and at the end."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from app.storage.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path}/intresse.db")) as database:
        asyncio.run(database.write(lambda connection: connection.execute(text("CREATE TABLE kept (x)"))))
        yield database


def keep(connection: Connection) -> None:
    connection.execute(text("INSERT INTO kept VALUES (1)"))


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM kept")).scalar_one())


def test_what_a_cancelled_caller_asked_for_is_committed_and_the_next_is_served(database: Database) -> None:
    async def leave() -> int:
        begun = threading.Event()
        goes_on = threading.Event()

        def slow(connection: Connection) -> None:
            begun.set()
            goes_on.wait(10)
            keep(connection)

        caller = asyncio.create_task(database.write(slow))
        await asyncio.to_thread(begun.wait, 10)
        caller.cancel()
        goes_on.set()
        await database.write(keep)
        return await database.read(count)

    assert asyncio.run(leave()) == 2


def test_a_transaction_after_one_that_failed_begins_anew(database: Database) -> None:
    def fail(connection: Connection) -> None:
        keep(connection)
        raise LookupError

    async def one_after_the_other() -> int:
        with pytest.raises(LookupError):
            await database.write(fail)
        await database.write(keep)
        return await database.read(count)

    assert asyncio.run(one_after_the_other()) == 1


def test_a_closed_database_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    with closing(Database(f"sqlite:///{tmp_path}/other.db")) as database:
        asyncio.run(database.write(lambda connection: connection.execute(text("CREATE TABLE x (y)"))))
        assert threading.active_count() > before
    assert threading.active_count() == before
