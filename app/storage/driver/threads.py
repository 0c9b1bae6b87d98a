"""Transactions, run by threads that keep a connection each.

To fetch a connection from the pool, and to hand a work to an executor and back, costs more than a small statement does.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")
Work = Callable[[Connection], T]

CLOSE_SECONDS = 5.0  # for what was asked for to end by itself, where the database may never answer
LOOK_SECONDS = 0.5  # between two looks for transactions that have lasted too long


class CommitError(Exception):
    """The commit failed with `error`: nobody has heard whether it was carried out."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__()
        self.error = error


class TransactionThreads:
    """So many threads, one queue. A thread connects when it has its first work to do; `prepare` is done with each new
    connection. A transaction that lasts longer than `limit` seconds is cut off, where the driver has a socket: a server
    that falls silent would hold its thread for ever."""

    def __init__(
        self,
        engine: Engine,
        number: int,
        name: str,
        prepare: Callable[[Connection], None] | None = None,
        limit: float | None = None,
    ) -> None:
        self._asked: SimpleQueue[tuple[Work[Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._limit = limit
        self._closed = Event()
        self._connections = [_ThreadConnection(engine, prepare) for _ in range(number)]
        self._threads = [
            Thread(target=self._serve, args=(connection,), name=f"{name}_{index}", daemon=True)
            for index, connection in enumerate(self._connections)
        ]
        if limit is not None:
            Thread(target=self._watch, args=(limit,), name=f"{name}_watch", daemon=True).start()
        for thread in self._threads:
            thread.start()

    async def run(self, work: Work[T]) -> T:
        """In a transaction of its own; what the work raises undoes it. Raises `DBAPIError`, `CommitError` besides."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._asked.put((work, done))
        return await done

    def close(self) -> None:
        """Once what was asked for is done; where it may never be, after a while without."""
        for _ in self._threads:
            self._asked.put(None)
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(None if self._limit is None else max(0.0, deadline - time.monotonic()))
        self._closed.set()
        if any(thread.is_alive() for thread in self._threads):
            self._abandon()

    def _abandon(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                if (asked := self._asked.get_nowait()) is not None:
                    _tell_in_loop(asked[1], None, asyncio.CancelledError())
        for _ in self._threads:
            self._asked.put(None)
        for connection in self._connections:
            connection.cut_after(0.0)
        for thread in self._threads:
            thread.join(1.0)

    def _watch(self, limit: float) -> None:
        while not self._closed.wait(LOOK_SECONDS):
            for connection in self._connections:
                connection.cut_after(limit)

    def _serve(self, own: "_ThreadConnection") -> None:
        while asked := self._asked.get():
            work, done = asked
            try:
                outcome, error = own.transact(work), None
            except BaseException as raised:
                outcome, error = None, raised
            _tell_in_loop(done, outcome, error)
            del asked, work, done, outcome, error  # or the thread would hold them until its next work
        own.close()


class _ThreadConnection:
    """One thread's connection."""

    def __init__(self, engine: Engine, prepare: Callable[[Connection], None] | None) -> None:
        self._engine = engine
        self._prepare = prepare
        self._connection: Connection | None = None
        self._driver: Any = None
        self._began: float | None = None  # its transaction, while there is one
        self._lock = Lock()

    def transact(self, work: Work[T]) -> T:
        with self._lock:
            self._began = time.monotonic()
        try:
            return self._transact(work)
        finally:
            with self._lock:
                self._began = None

    def _transact(self, work: Work[T]) -> T:
        connection = self._begun()
        try:
            outcome = work(connection)
        except BaseException as error:
            self._undo(error)
            raise
        try:
            connection.commit()
        except BaseException as error:
            self._undo(error)
            if isinstance(error, DBAPIError) and not _is_answered(error):
                raise CommitError(error) from error
            raise
        return outcome

    def cut_after(self, seconds: float) -> None:
        """From another thread: ends the connection under a transaction that has lasted so long."""
        with self._lock:
            if self._began is None or time.monotonic() - self._began < seconds or self._driver is None:
                return
            with (
                contextlib.suppress(Exception),  # not connected any more
                socket.socket(fileno=os.dup(self._driver.pgconn.socket)) as line,
            ):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(DBAPIError):
                self._connection.close()
            self._connection = self._driver = None

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
        self._driver = self._connection.connection.driver_connection
        try:
            if self._prepare is not None:
                self._prepare(self._connection)
            self._connection.begin()
        except BaseException as error:
            self._drop(error)
            raise
        return self._connection

    def _undo(self, error: BaseException) -> None:
        """The connection is kept, if it is as good as before."""
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if self._connection is not None and isinstance(error, Exception) and not lost:
            try:
                self._connection.rollback()
            except Exception as another:
                error = another
            else:
                return
        self._drop(error)

    def _drop(self, error: BaseException) -> None:
        if self._connection is not None and isinstance(error, DBAPIError) and error.connection_invalidated:
            self._connection.invalidate()
        self.close()


def _is_answered(error: DBAPIError) -> bool:
    """Whether the database itself has refused the commit, so that nothing is stored: SQLite always has (a full disk),
    PostgreSQL when its error carries a code and the connection still stands."""
    answered = getattr(error.orig, "sqlstate", "SQLite") is not None
    return answered and not error.connection_invalidated


def _tell_in_loop(done: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
        done.get_loop().call_soon_threadsafe(_tell, done, outcome, error)


def _tell(done: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    if done.done():
        return  # whoever waited was cancelled; what was committed stays
    if error is None:
        done.set_result(outcome)
    else:
        done.set_exception(error)
