"""The write check stores a submission that nobody ever sees."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from app.maintenance.checks import can_write
from app.storage.database import Database, StoreUnavailableError
from app.storage.migrations import upgrade
from app.storage.schema import metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(f"sqlite:///{tmp_path}/intresse.db")) as database:
        upgrade(database)
        yield database


def test_the_write_check_leaves_nothing_behind(database: Database) -> None:
    asyncio.run(database.write(can_write))
    with database.engine.connect() as connection:
        assert not [table.name for table in metadata.sorted_tables if connection.execute(table.select()).first()]


def test_a_database_without_its_tables_is_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE submissions"))
    assert _refused(database, can_write) is True


def _refused(database: Database, work: Callable[[Connection], None]) -> bool:
    try:
        asyncio.run(database.write(work))
    except StoreUnavailableError:
        return True
    return False
