"""Transactions whose statements and commit are sent together."""

import logging

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DataError, IntegrityError

from app.storage.database import POSTGRESQL_WRITERS, Database, StoreUnavailableError
from app.storage.driver.compiled import run_in_driver
from tests.integration.storage_helpers import application, connect_all_writers, ids, opened, taking_in
from tests.postgresql_proxy import proxied

pytestmark = pytest.mark.anyio


@pytest.fixture
def numbers(database: Database) -> Database:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO numbers VALUES (1)"))
    return database


def stored(database: Database) -> list[int]:
    with database.engine.connect() as connection:
        return list(connection.execute(text("SELECT number FROM numbers ORDER BY number")).scalars())


def inserting(connection: Connection, *values: object) -> None:
    for value in values:
        run_in_driver(connection, f"INSERT INTO numbers VALUES ({value})")


async def test_all_is_committed_and_the_result_returned(numbers: Database) -> None:
    def work(connection: Connection) -> str:
        inserting(connection, 2, 3)
        return "done"

    assert await numbers.write(work, pipelined=True) == "done"
    assert stored(numbers) == [1, 2, 3]


@pytest.mark.parametrize("values", [(1, 2, 3), (2, 1, 3), (2, 3, 1)], ids=["first", "middle", "last"])
async def test_after_an_error_in_any_statement_nothing_is_stored_and_the_connection_is_kept(
    numbers: Database, values: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    connected: list[object] = []
    event.listen(numbers.engine, "connect", lambda *_: connected.append(_))
    for _ in range(2 * POSTGRESQL_WRITERS):
        with caplog.at_level(logging.WARNING), pytest.raises(StoreUnavailableError) as raised:
            await numbers.write(lambda connection: inserting(connection, *values), pipelined=True)
        assert type(raised.value) is StoreUnavailableError  # not that it is unknown whether it was committed
        assert isinstance(raised.value.__cause__, IntegrityError)
    assert len(connected) <= POSTGRESQL_WRITERS  # a writer connects once, whatever fails
    assert stored(numbers) == [1]
    await numbers.write(lambda connection: inserting(connection, 4), pipelined=True)
    assert stored(numbers) == [1, 4]
    assert not caplog.records


async def test_an_error_of_the_work_itself_is_raised_and_nothing_is_stored(numbers: Database) -> None:
    def work(connection: Connection) -> None:
        inserting(connection, 2)
        raise LookupError

    with pytest.raises(LookupError):
        await numbers.write(work, pipelined=True)
    assert stored(numbers) == [1]


async def test_a_value_that_the_driver_refuses_is_an_error_of_that_statement(postgresql_url: str) -> None:
    def work(connection: Connection) -> None:
        run_in_driver(connection, "SELECT %s", ("\0",))

    with opened(postgresql_url) as database, pytest.raises(StoreUnavailableError) as raised:
        await database.write(work, pipelined=True)
    assert type(raised.value) is StoreUnavailableError
    assert isinstance(raised.value.__cause__, DataError)


async def test_a_batch_of_posts_takes_one_round_trip(postgresql_url: str) -> None:
    with proxied(postgresql_url) as proxy, opened(proxy.url) as database:
        await connect_all_writers(database)
        async with taking_in(database) as intake:
            proxy.turns.clear()
            await intake.accept(application())
        assert proxy.turns == ["client", "server"]
        assert len(ids(database)) == 1
