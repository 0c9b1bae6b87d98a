"""Small writes of one process, those that wait together in one transaction: a commit's cost is shared, and another
process that wants to write to SQLite meets fewer of them."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from app.storage.database import Database

T = TypeVar("T")
Work = Callable[[Connection], Any]

MOST = 32  # in one transaction


class NothingWritten(Exception):
    """A work that found before its first write that it may not: the others of its transaction are committed."""


class GroupCommit:
    """A work that raises `NothingWritten` has written nothing: the fence comes first. The others are committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Connection], T]) -> T:
        """As `Database.write`."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting())
        return await done

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            works = [work for work, _ in batch]
            try:
                outcomes = await self._database.write(partial(_all, works))
            except Exception as error:  # each hears of it, and none waits for ever
                outcomes = [error] * len(batch)
            for (_, done), outcome in zip(batch, outcomes, strict=True):
                if done.done():
                    continue  # whoever waited was cancelled
                if isinstance(outcome, Exception):
                    done.set_exception(outcome)
                else:
                    done.set_result(outcome)


def _all(works: list[Work], connection: Connection) -> list[Any]:
    return [_one(connection, work) for work in works]


def _one(connection: Connection, work: Work) -> Any:
    try:
        return work(connection)
    except NothingWritten as error:
        return error
