"""Transaction threads, on SQLite: cancelled callers, failures and the end."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from app.storage.database import CommitUnknownError, Database, StoreUnavailableError


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path}/intresse.db")) as database:
        asyncio.run(database.write(lambda connection: connection.execute(text("CREATE TABLE kept (x)"))))
        yield database


def keep(connection: Connection) -> None:
    connection.execute(text("INSERT INTO kept VALUES (1)"))


def count(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM kept")).scalar_one())


def test_a_cancelled_callers_transaction_is_committed_and_the_next_caller_is_served(database: Database) -> None:
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


def test_a_transaction_after_a_failed_one_starts_clean(database: Database) -> None:
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


def test_a_refused_commit_is_not_reported_as_unknown(database: Database) -> None:
    """As on a full disk, which is noticed at the commit only: nothing is stored, and nobody need look."""

    def refused_at_the_commit(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE part (x REFERENCES whole (x) DEFERRABLE INITIALLY DEFERRED)"))
        connection.execute(text("CREATE TABLE whole (x PRIMARY KEY)"))
        connection.execute(text("INSERT INTO part VALUES (1)"))

    with pytest.raises(StoreUnavailableError) as refused:
        asyncio.run(database.write(refused_at_the_commit))
    assert not isinstance(refused.value, CommitUnknownError)
    assert asyncio.run(database.read(count)) == 0
