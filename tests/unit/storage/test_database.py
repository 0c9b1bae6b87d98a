"""Requirements of a usable database, and the errors if they are not met."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.storage.database import Database, DatabaseUnusableError, StoreUnavailableError, has_wal_reset_bug
from app.storage.driver.compiled import run_in_driver
from app.storage.migrations import newest, upgrade


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        # sqlite.org/wal.html#walresetbug: 3.7.0 to 3.51.2, repaired also in 3.50.7 and 3.44.6
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 34, 1), True),
        ((3, 40, 1), True),
        ((3, 43, 2), True),
        ((3, 44, 0), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 44, 7), False),
        ((3, 45, 0), True),
        ((3, 46, 1), True),
        ((3, 49, 2), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 50, 8), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
        ((3, 53, 0), False),
        ((4, 0, 0), False),
    ],
)
def test_the_versions_of_sqlite_that_can_lose_committed_rows_are_known(
    version: tuple[int, ...], affected: bool
) -> None:
    assert has_wal_reset_bug(version) is affected


def test_only_the_owner_may_read_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "data" / "intresse.db"
    with closing(Database(f"sqlite:///{path}")) as database, database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
        assert {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {
            "intresse.db": 0o600,
            "intresse.db-shm": 0o600,
            "intresse.db-wal": 0o600,
        }


def test_an_affected_sqlite_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlean import dbapi2

    monkeypatch.setattr(dbapi2, "sqlite_version_info", (3, 46, 1))
    monkeypatch.setattr(dbapi2, "sqlite_version", "3.46.1")
    with pytest.raises(
        DatabaseUnusableError, match=r"^SQLite 3\.46\.1 can lose committed rows; 3\.51\.3 or newer is needed$"
    ):
        Database(f"sqlite:///{tmp_path}/intresse.db")


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnusableError, match=r"file/below: Not a directory$"):
        Database(f"sqlite:///{tmp_path}/file/below/intresse.db")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path}/new/folder/intresse.db")) as database:
        upgrade(database)
        yield database


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)]
)
def test_each_connection_to_sqlite_is_durable_and_patient(database: Database, pragma: str, value: object) -> None:
    def ask(connection: Connection) -> Any:
        return connection.execute(text(f"PRAGMA {pragma}")).scalar()

    assert asyncio.run(database.read(ask)) == asyncio.run(database.write(ask)) == value


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (x)"))
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(database.write(fail))
    names = asyncio.run(database.read(lambda c: c.execute(text("SELECT name FROM sqlite_master")).scalars().all()))
    assert "submissions" in names
    assert "half" not in names


def test_a_database_error_is_reported_by_its_name_alone(database: Database) -> None:
    with pytest.raises(StoreUnavailableError) as refused:
        asyncio.run(database.read(lambda c: c.execute(text("SELECT 'anna@example.se' FROM nowhere"))))
    assert str(refused.value) == "SQLITE_ERROR"


def test_a_full_disk_is_reported_as_one(database: Database) -> None:
    def fill(connection: Connection) -> None:
        connection.execute(text("PRAGMA max_page_count = 1"))  # which SQLite takes for the pages that there are
        connection.execute(text("CREATE TABLE large AS SELECT zeroblob(100000)"))

    with pytest.raises(StoreUnavailableError, match="SQLITE_FULL"):
        asyncio.run(database.write(fill))


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    async def read_while_writing() -> Any:
        with database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            return await asyncio.wait_for(
                database.read(lambda c: c.execute(text("SELECT version_num FROM alembic_version")).scalar()), 2
            )

    assert asyncio.run(read_while_writing()) == newest()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed on Linux only")
def test_an_insert_of_many_rows_writes_to_no_file_but_the_database(database: Database) -> None:
    """SQLite keeps what a statement may have to undo, in a temporary file unless told otherwise."""

    def fill(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE filled (key BLOB UNIQUE, payload BLOB)"))
        row = "(randomblob(100), randomblob(1000))"
        for _ in range(10):
            connection.execute(text(f"INSERT INTO filled VALUES {', '.join([row] * 100)}"))

    def insert(connection: Connection) -> set[str]:
        row = "(randomblob(100), randomblob(1000))"
        connection.execute(text(f"INSERT INTO filled VALUES {', '.join([row] * 100)}"))
        return temporary_files()

    async def opened() -> set[str]:
        await database.write(fill)
        return await database.write(insert)

    before = temporary_files()
    assert asyncio.run(opened()) - before == set()


def temporary_files() -> set[str]:
    """Files that are open and have no name."""
    return {link for fd in Path("/proc/self/fd").iterdir() if (link := _target(fd)).endswith("(deleted)")}


def _target(fd: Path) -> str:
    try:
        return str(fd.readlink())
    except OSError:  # the folder's own, which is closed
        return ""


def test_statements_stay_prepared_on_a_connection_that_has_run_the_migrations(tmp_path: Path) -> None:
    """Batches of posts need 64 statements. The driver's default of 100 was full after the migrations, and then each new
    statement replaced the newest."""
    statements = {f"SELECT {number}" for number in range(64)}

    def run_all(connection: Connection) -> None:
        for statement in statements:
            run_in_driver(connection, statement).fetchall()

    def prepared(connection: Connection) -> set[str]:
        return {sql for (sql,) in run_in_driver(connection, "SELECT sql FROM sqlite_stmt").fetchall()}

    async def work(database: Database) -> set[str]:
        await database.write(run_all)
        return await database.write(prepared)

    with closing(Database(f"sqlite:///{tmp_path}/leads.db")) as database:
        upgrade(database)
        assert asyncio.run(work(database)) >= statements
