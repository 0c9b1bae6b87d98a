"""Group commit: items that wait at the same time are written in one transaction, and each gets its outcome after it.

They share the cost of the commit, and other processes that write to SQLite have fewer commits to wait for. No timer
delays a commit: a batch forms while the previous commit runs, and while more items keep coming.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from app.storage.database import CommitUnknownError, Database, StoreUnavailableError

T = TypeVar("T")
Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Work = Callable[[Connection], Any]
Order = tuple[str, ...]
Commit = Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]]

MAX_BATCH = 32  # items in one transaction


@dataclass(frozen=True)
class _Grouped:
    order: Order
    work: Work
    lock: Work | None


class NothingWritten(Exception):
    """Raised by a work function before its first write, to abandon only it: the others in its transaction are
    committed."""


@dataclass(slots=True)
class _Waiting(Generic[Item, Outcome]):
    item: Item
    since: float  # by the event loop's clock
    done: "asyncio.Future[Outcome]"


class GroupCommit(Generic[Item, Outcome]):
    """`commit` takes at most `limit` items and returns the outcome of each; an exception that it raises is the outcome
    of all. A batch is taken once `turns` turns of the event loop have brought no further item. No item waits longer
    than `patience` seconds for its outcome."""

    def __init__(
        self, commit: Commit[Item, Outcome], *, limit: int = MAX_BATCH, turns: int = 0, patience: float | None = None
    ) -> None:
        self._commit = commit
        self._limit = limit
        self._turns = turns
        self._patience = patience
        self._waiting: list[_Waiting[Item, Outcome]] = []
        self._committing: asyncio.Task[None] | None = None
        self._is_stuck = False
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    def write(self, item: Item) -> "asyncio.Future[Outcome]":
        """The future raises `StoreUnavailableError` if the commit takes too long; it then doesn't report whether the
        commit succeeded."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()
        if self._is_stuck:
            done.set_exception(_too_slow())
            return done
        self._waiting.append(_Waiting(item, loop.time(), done))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_waiting())
        return done

    async def drain(self) -> None:
        """Waits until no item is waiting."""
        while self._committing is not None and not self._committing.done():
            await asyncio.wait([self._committing])

    async def _commit_waiting(self) -> None:
        while self._waiting:
            await self._gather()
            batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
            began = asyncio.get_running_loop().time()
            self._watch(batch, began)
            try:
                outcomes = await self._commit([waiting.item for waiting in batch])
            except Exception as error:  # the outcome of all: none may wait for ever
                outcomes = [error] * len(batch)
            finally:
                self._is_stuck = False
                if self._timer:
                    self._timer.cancel()
            for waiting, outcome in zip(batch, outcomes, strict=True):
                if waiting.done.done():
                    continue  # its caller was cancelled; what was committed stays
                if isinstance(outcome, Exception):
                    waiting.done.set_exception(outcome)
                else:
                    waiting.done.set_result(outcome)

    async def _gather(self) -> None:
        """Waits while more items keep coming, up to `limit`."""
        seen = 0
        while seen < len(self._waiting) < self._limit:
            seen = len(self._waiting)
            for _ in range(self._turns):
                await asyncio.sleep(0)

    def _watch(self, batch: Sequence[_Waiting[Item, Outcome]], began: float) -> None:
        """Sets the timer for the item that has waited longest, in the batch or behind it."""
        if self._patience is not None:
            oldest = next((waiting.since for waiting in (*batch, *self._waiting) if not waiting.done.done()), began)
            at = min(oldest, began) + self._patience
            self._timer = asyncio.get_running_loop().call_at(at, self._give_up, batch, began, self._patience)

    def _give_up(self, batch: Sequence[_Waiting[Item, Outcome]], began: float, patience: float) -> None:
        """Fails the items that have waited too long. If the commit itself takes too long, fails all that wait; those
        that come while it is stuck fail at once."""
        too_long = asyncio.get_running_loop().time() - patience
        self._is_stuck = began <= too_long
        for waiting in (*batch, *self._waiting):
            if (self._is_stuck or waiting.since <= too_long) and not waiting.done.done():
                waiting.done.set_exception(_too_slow())
        self._waiting = [waiting for waiting in self._waiting if not waiting.done.done()]
        if not self._is_stuck:
            self._watch(batch, began)


def _too_slow() -> StoreUnavailableError:
    return StoreUnavailableError("the database does not answer")


class GroupedWrites:
    """Group commit for small writes. A work function that raises `NothingWritten` has written nothing, because its
    fence comes first. After any other failure each is retried alone, so that it fails no other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits: GroupCommit[_Grouped, Any] = GroupCommit(self._commit)

    async def write(self, work: Callable[[Connection], T], order: Order = (), lock: Work | None = None) -> T:
        """As `Database.write`. In a transaction every `lock` runs before the first work function, and both run in
        `order`: otherwise two processes that lock the same rows could deadlock."""
        done: T = await self._commits.write(_Grouped(order, work, lock))
        return done

    async def _commit(self, works: Sequence[_Grouped]) -> Sequence[Any]:
        indexes = sorted(range(len(works)), key=lambda index: works[index].order)
        outcomes = await self._commit_in_order([works[index] for index in indexes])
        by_index = dict(zip(indexes, outcomes, strict=True))
        return [by_index[index] for index in range(len(works))]

    async def _commit_in_order(self, works: Sequence[_Grouped]) -> Sequence[Any]:
        try:
            return await self._database.write(partial(_run_all, works))
        except Exception as error:
            if len(works) == 1 or _concerns_all(error):
                raise
        outcomes: list[Any] = []
        for work in works:
            try:
                outcomes += await self._database.write(partial(_run_all, [work]))
            except Exception as error:
                outcomes.append(error)
        return outcomes


def _concerns_all(error: Exception) -> bool:
    """Whether the database is unavailable or its answer was lost. Otherwise one of the work functions has failed."""
    unavailable = isinstance(error.__cause__, OperationalError | InterfaceError)
    return isinstance(error, CommitUnknownError) or (isinstance(error, StoreUnavailableError) and unavailable)


def _run_all(works: Sequence[_Grouped], connection: Connection) -> list[Any]:
    for grouped in works:
        if grouped.lock:
            grouped.lock(connection)
    return [_outcome(connection, grouped.work) for grouped in works]


def _outcome(connection: Connection, work: Work) -> Any:
    try:
        return work(connection)
    except NothingWritten as error:
        return error
