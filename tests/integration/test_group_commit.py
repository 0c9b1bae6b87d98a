"""Group commit on either database: waiting writes are committed together, and one that fails does not affect others."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text

from app.storage.database import Database, StoreUnavailableError
from app.storage.group_commit import GroupCommit, GroupedWrites, NothingWritten
from app.storage.schema import console_sessions
from tests.integration.storage_helpers import soon

pytestmark = pytest.mark.anyio


def works(number: int) -> list[Any]:
    def write(connection: Connection, position: int = 0) -> int:
        values = {"id": bytes([position]), "seen_at": func.now() if connection.dialect.name != "sqlite" else text("0")}
        connection.execute(insert(console_sessions).values(values))
        return position

    return [lambda connection, position=position: write(connection, position) for position in range(number)]


async def number_of_rows(database: Database) -> int:
    count = select(func.count()).select_from(console_sessions)
    return await database.read(lambda connection: connection.execute(count).scalar_one())


def at_fault(_: Connection) -> None:
    raise ValueError("a fault of ours")


def refused_by_the_database(connection: Connection) -> None:
    connection.execute(text("INSERT INTO console_sessions (id, seen_at) VALUES (NULL, NULL)"))


def fenced(_: Connection) -> None:
    raise NothingWritten


@pytest.mark.parametrize(
    ("bad", "error"),
    [(at_fault, ValueError), (refused_by_the_database, StoreUnavailableError), (fenced, NothingWritten)],
)
async def test_a_write_that_fails_fails_alone(database: Database, bad: Any, error: type[Exception]) -> None:
    grouped = GroupedWrites(database)
    some = works(5)
    results = await asyncio.gather(
        *(grouped.write(work) for work in (*some[:2], bad, *some[2:])), return_exceptions=True
    )
    assert isinstance(results.pop(2), error)
    assert results == [0, 1, 2, 3, 4]
    assert await number_of_rows(database) == 5


async def test_nobody_waits_for_a_commit_that_takes_too_long() -> None:
    going_on, ended = asyncio.Event(), list[int]()

    async def commit(items: Any) -> Any:
        if 1 in items:
            await going_on.wait()
        ended.extend(items)
        return items

    grouped: GroupCommit[int, int] = GroupCommit(commit, patience=0.1)
    first = grouped.write(1)
    await asyncio.wait([first], timeout=0.05)
    behind = grouped.write(2)
    for late in (first, behind):
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            await late
    with pytest.raises(StoreUnavailableError):  # and nobody waits in line
        await grouped.write(3)
    going_on.set()

    async def again() -> bool:
        try:
            return await grouped.write(4) == 4
        except StoreUnavailableError:
            return False

    await soon(again)
    await grouped.drain()
    assert ended == [1, 4]


async def test_the_wait_behind_a_slow_commit_counts() -> None:
    stuck = asyncio.Event()

    async def commit(items: Any) -> Any:
        await (asyncio.sleep(0.8) if 1 in items else stuck.wait())
        return items

    grouped: GroupCommit[int, int] = GroupCommit(commit, patience=1.0)
    first = grouped.write(1)
    await asyncio.sleep(0)
    came_at = asyncio.get_running_loop().time()
    behind = grouped.write(2)
    assert await first == 1
    with pytest.raises(StoreUnavailableError):
        await behind
    assert asyncio.get_running_loop().time() - came_at < 1.5  # counted from its own commit it would be 1.8
    stuck.set()
    await grouped.drain()


async def test_a_long_queue_fails_only_those_who_waited_too_long() -> None:
    async def commit(items: Any) -> Any:
        await asyncio.sleep(0.4)
        return items

    grouped: GroupCommit[int, int] = GroupCommit(commit, limit=1, patience=1.0)
    early = [grouped.write(number) for number in range(4)]  # the third commit ends after 1.2 s
    await asyncio.sleep(0.7)
    late = grouped.write(4)
    outcomes = await asyncio.gather(*early, late, return_exceptions=True)
    assert outcomes[:2] == [0, 1]
    assert [type(outcome) for outcome in outcomes[2:4]] == [StoreUnavailableError] * 2
    assert outcomes[4] == 4


async def test_who_came_after_one_that_waited_too_long_waits_no_longer_than_that_either() -> None:
    stuck = asyncio.Event()

    async def commit(items: Any) -> Any:
        await (asyncio.sleep(0.3) if items == [1] else stuck.wait())
        return items

    grouped: GroupCommit[int, int] = GroupCommit(commit, limit=1, patience=0.5)
    first, second = grouped.write(1), grouped.write(2)
    await first
    third = grouped.write(3)
    for too_late in (second, third):
        with pytest.raises(StoreUnavailableError):
            await asyncio.wait_for(too_late, 5)
    stuck.set()
    await grouped.drain()


async def test_items_that_keep_coming_share_a_commit_up_to_the_limit() -> None:
    batches = list[list[int]]()

    async def commit(items: Any) -> Any:
        batches.append([*items])
        return items

    grouped: GroupCommit[int, int] = GroupCommit(commit, limit=8, turns=2)
    for number in range(13):
        grouped.write(number)
        await asyncio.sleep(0)
    await grouped.drain()
    assert [len(batch) for batch in batches] == [8, 5]
