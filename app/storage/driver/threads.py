"""Transactions, run by threads that keep a connection each.

To fetch a connection from the pool, and to hand a work to an executor and back, costs more than a small statement does.
"""

import asyncio
import contextlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
Work = Callable[[Connection], T]


class TransactionThreads:
    """So many threads, one queue. A thread connects when it has its first work to do."""

    def __init__(self, engine: Engine, number: int, name: str) -> None:
        self._engine = engine
        self._asked: SimpleQueue[tuple[Work[Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._threads = [Thread(target=self._serve, name=f"{name}_{one}", daemon=True) for one in range(number)]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Work[T]) -> T:
        """In a transaction of its own; what the work raises undoes it. Raises `DBAPIError` besides."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.put((work, done))
        return await done

    def close(self) -> None:
        """Once what was asked for is done."""
        for _ in self._threads:
            self._asked.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        standing = _ThreadConnection(self._engine)
        while asked := self._asked.get():
            work, done = asked
            try:
                outcome, error = standing.transact(work), None
            except BaseException as raised:
                outcome, error = None, raised
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
                done.get_loop().call_soon_threadsafe(_tell, done, outcome, error)
            del asked, work, done, outcome, error  # or the thread would hold them until its next work
        standing.close()


class _ThreadConnection:
    """One thread's connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def transact(self, work: Work[T]) -> T:
        connection = self._begun()
        try:
            outcome = work(connection)
            connection.commit()
        except BaseException as error:
            self._drop(error)
            raise
        return outcome

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begun(self) -> Connection:
        """A connection that died while it stood idle, as when PostgreSQL was restarted, is replaced."""
        if self._connection is not None:
            try:
                self._connection.begin()
            except DBAPIError as error:
                self._drop(error)
                if not error.connection_invalidated:
                    raise
            else:
                return self._connection
        self._connection = self._engine.connect()
        try:
            self._connection.begin()
        except BaseException as error:
            self._drop(error)
            raise
        return self._connection

    def _drop(self, error: BaseException) -> None:
        """Undoes what was begun. The pool looks at the connection before it gives it out again, or has lost it."""
        if self._connection is not None and isinstance(error, DBAPIError) and error.connection_invalidated:
            self._connection.invalidate()
        self.close()


def _tell(done: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    if done.done():
        return  # whoever waited was cancelled; what was committed stays
    if error is None:
        done.set_result(outcome)
    else:
        done.set_exception(error)
