"""Group commit: what waits together is written in one transaction, and each hears of it after that commit.

A commit's cost is shared, and another process that wants to write to SQLite meets fewer of them. There is no timer: a
batch forms while the commit before it runs.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from app.storage.database import CommitUnknownError, Database, StoreUnavailableError

T = TypeVar("T")
Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Work = Callable[[Connection], Any]
Commit = Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]]

MAX_BATCH = 32  # in one transaction


class NothingWritten(Exception):
    """A work that found before its first write that it may not: the others of its transaction are committed."""


class GroupCommit(Generic[Item, Outcome]):
    """`commit` is given at most `most` items, and says what became of each; what it raises, each hears. Before a batch
    is taken the loop has `turns`: items at hand come along. None waits longer than `patience` seconds for a commit."""

    def __init__(
        self, commit: Commit[Item, Outcome], *, most: int = MAX_BATCH, turns: int = 0, patience: float | None = None
    ) -> None:
        self._commit = commit
        self._most = most
        self._turns = turns
        self._patience = patience
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._is_stuck = False

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def write(self, item: Item) -> "asyncio.Future[Outcome]":
        """The future raises `StoreUnavailableError` when its commit took too long: then nobody hears
        what becomes of it."""
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self._is_stuck:
            done.set_exception(_too_slow())
            return done
        self._waiting.append((item, done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        return done

    async def drain(self) -> None:
        """Until nothing waits."""
        while self._committing is not None and not self._committing.done():
            await asyncio.wait([self._committing])

    async def _commit_waiting(self) -> None:
        while self._waiting:
            for _ in range(self._turns):
                if len(self._waiting) < self._most:
                    await asyncio.sleep(0)
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            late = self._patience and asyncio.get_running_loop().call_later(self._patience, self._give_up, batch)
            try:
                outcomes = await self._commit([item for item, _ in batch])
            except Exception as error:  # each hears of it, and none waits for ever
                outcomes = [error] * len(batch)
            finally:
                self._is_stuck = False
                if late:
                    late.cancel()
            for (_, done), outcome in zip(batch, outcomes, strict=True):
                if done.done():
                    continue  # whoever waited was cancelled; what was committed stays
                if isinstance(outcome, Exception):
                    done.set_exception(outcome)
                else:
                    done.set_result(outcome)

    def _give_up(self, batch: Sequence[tuple[Item, asyncio.Future[Outcome]]]) -> None:
        """Whoever comes while this lasts need not wait either."""
        self._is_stuck = True
        waiting, self._waiting = self._waiting, []
        for _, done in (*batch, *waiting):
            if not done.done():
                done.set_exception(_too_slow())


def _too_slow() -> StoreUnavailableError:
    return StoreUnavailableError("the database does not answer")


class GroupedWrites:
    """Small writes of one process. A work that raises `NothingWritten` has written nothing: the fence comes first. One
    that fails otherwise fails alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits: GroupCommit[Work, Any] = GroupCommit(self._commit)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """As `Database.write`."""
        done: T = await self._commits.write(work)
        return done

    async def _commit(self, works: Sequence[Work]) -> Sequence[Any]:
        try:
            return await self._database.write(partial(_all, works))
        except Exception as error:
            if len(works) == 1 or _concerns_all(error):
                raise
        outcomes: list[Any] = []
        for work in works:
            try:
                outcomes += await self._database.write(partial(_all, [work]))
            except Exception as error:
                outcomes.append(error)
        return outcomes


def _concerns_all(error: Exception) -> bool:
    """The database is away, or its answer was lost; else one of the works is at fault."""
    away = isinstance(error.__cause__, OperationalError | InterfaceError)
    return isinstance(error, CommitUnknownError) or (isinstance(error, StoreUnavailableError) and away)


def _all(works: Sequence[Work], connection: Connection) -> list[Any]:
    return [_one(connection, work) for work in works]


def _one(connection: Connection, work: Work) -> Any:
    try:
        return work(connection)
    except NothingWritten as error:
        return error
