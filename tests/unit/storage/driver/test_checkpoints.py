"""SQLite's log is copied into the database soon after a commit, by a low-priority thread."""

import asyncio
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from structlog.testing import capture_logs

from app.storage.database import Database
from app.storage.driver.checkpoints import MAX_PAGES, NICENESS, Checkpoints
from tests.servers import eventually


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "intresse.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{file}")) as database:
        asyncio.run(database.write(lambda c: c.execute(text("CREATE TABLE leads (name)"))))
        yield database


def store(name: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        connection.execute(text("INSERT INTO leads VALUES (:name)"), {"name": name})

    return work


def in_the_file_alone(file: Path) -> list[str]:
    """The rows in the database file, without the log."""
    with closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as connection:
        try:
            return [name for (name,) in connection.execute("SELECT name FROM leads")]
        except sqlite3.DatabaseError:  # the table is not there yet, or a page of it is half there
            return []


def own_thread(database: Database) -> threading.Thread:
    assert database._checkpoints is not None
    return database._checkpoints._thread


def test_a_commit_is_soon_copied_into_the_database_file(database: Database, file: Path) -> None:
    for name in ("anna", "björn"):
        asyncio.run(database.write(store(name)))
    eventually(lambda: in_the_file_alone(file) == ["anna", "björn"])


def test_a_commit_proceeds_while_a_reader_holds_the_log(database: Database, file: Path) -> None:
    with database.engine.execution_options(intresse_reads=True).connect() as reading:
        assert reading.execute(text("SELECT count(*) FROM leads")).scalar() == 0
        asyncio.run(database.write(store("anna")))
        assert reading.execute(text("SELECT count(*) FROM leads")).scalar() == 0
    asyncio.run(database.write(store("björn")))
    eventually(lambda: in_the_file_alone(file) == ["anna", "björn"])


def test_reads_cause_no_checkpoint(database: Database) -> None:
    assert database._checkpoints is not None
    due = database._checkpoints._due
    eventually(lambda: not due.is_set())  # after the table was made
    asyncio.run(database.read(lambda c: c.execute(text("SELECT 1")).scalar()))
    assert not due.is_set()
    asyncio.run(database.write(store("anna")))
    assert due.is_set()


def test_sqlites_own_checkpoint_threshold_stays_above_the_threads(database: Database) -> None:
    for run in (database.read, database.write):
        assert asyncio.run(run(bound)) == MAX_PAGES


def bound(connection: Connection) -> int | None:
    return connection.execute(text("PRAGMA wal_autocheckpoint")).scalar()


def pages_in_the_log(connection: Connection) -> int:
    _, pages, _ = connection.execute(text("PRAGMA wal_checkpoint(NOOP)")).one()
    return int(pages)


@pytest.mark.anyio
async def test_the_log_restarts_even_if_commits_never_pause(
    database: Database,
) -> None:
    lengths = [0]
    deadline = time.monotonic() + 30
    while lengths[-1] >= lengths[-2:][0] and time.monotonic() < deadline:
        await database.write(store("a" * 3000))
        lengths.append(await database.read(pages_in_the_log))
    assert lengths[-1] < lengths[-2]


def test_pages_that_the_thread_has_left_are_copied_by_the_next_commit_only(database: Database, file: Path) -> None:
    assert database._checkpoints is not None
    asyncio.run(database.write(store("anna")))
    database._checkpoints._few_left = True
    asyncio.run(database.write(store("björn")))
    assert in_the_file_alone(file) == ["anna", "björn"]  # at once, while the thread lets a second pass
    eventually(lambda: asyncio.run(database.write(bound)) == MAX_PAGES)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a priority of its own")
def test_the_checkpoint_thread_has_the_lowest_priority(database: Database) -> None:
    def niceness_of(thread: int | None) -> int:
        return os.getpriority(os.PRIO_PROCESS, thread or 0)

    eventually(lambda: niceness_of(own_thread(database).native_id) == NICENESS)
    assert niceness_of(None) < NICENESS


def test_the_thread_ends_with_the_database_at_once_and_leaves_no_log(database: Database, file: Path) -> None:
    thread = own_thread(database)
    asyncio.run(database.write(store("anna")))
    database.close()
    assert not thread.is_alive()
    assert not file.with_name(f"{file.name}-wal").exists()
    assert in_the_file_alone(file) == ["anna"]


def test_a_failed_checkpoint_is_logged_and_retried_after_the_next_commit(file: Path) -> None:
    engine = create_engine(f"sqlite:///{file.parent}/away/intresse.db")  # no such folder: it can't be opened
    with capture_logs() as lines, closing(Checkpoints(engine)) as checkpoints:
        checkpoints.committing()
        eventually(lambda: lines)
        (file.parent / "away").mkdir()
        checkpoints.committing()
        eventually(lambda: (file.parent / "away" / "intresse.db").exists())
    engine.dispose()
    assert [(line["event"], line["detail"]) for line in lines] == [("WAL checkpoint failed", "SQLITE_CANTOPEN")]


def test_it_ends_also_when_it_is_closed_just_as_it_begins_to_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(create_engine(f"sqlite:///{tmp_path}/intresse.db"))

    def closed_after_the_pause(_: float) -> bool:
        checkpoints._stopping.set()
        checkpoints._due.set()
        return False

    monkeypatch.setattr(checkpoints._stopping, "wait", closed_after_the_pause)
    checkpoints.committing()
    checkpoints._thread.join(10)
    assert not checkpoints._thread.is_alive()
