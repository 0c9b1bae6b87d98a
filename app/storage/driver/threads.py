"""Threads that run transactions, each on a connection of its own.

Fetching a connection from a pool, and handing work to an executor and back, costs more than a small statement.
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

from app.storage.driver.compiled import run_in_driver
from app.storage.driver.pipeline import has_pipeline, is_closed, pipeline

T = TypeVar("T")
Work = Callable[[Connection], T]

CLOSE_SECONDS = 5.0  # for queued work to finish, if the database may never answer
READ_ONLY = "25006"  # PostgreSQL's code of a write in a transaction that may only read
WATCH_SECONDS = 0.5  # between two checks for transactions that take too long


class CommitError(Exception):
    """The commit failed with `error`: whether it was carried out is unknown."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__()
        self.error = error


class TransactionThreads:
    """`number` threads with one queue. A thread connects for its first work; `prepare` is called with each new
    connection. A transaction that takes longer than `limit` seconds is cut off, if the driver has a socket: a server
    that goes silent would otherwise block its thread for ever."""

    def __init__(
        self,
        engine: Engine,
        number: int,
        name: str,
        prepare: Callable[[Connection], None] | None = None,
        limit: float | None = None,
    ) -> None:
        self._queue: SimpleQueue[tuple[Work[Any], bool, asyncio.Future[Any]] | None] = SimpleQueue()
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

    async def run(self, work: Work[T], *, pipelined: bool = False) -> T:
        """Runs `work` in a transaction, which is rolled back if it raises. Also raises `DBAPIError`, `CommitError`.
        `pipelined`: all of the transaction shares one round trip, if the driver can do that. An error of any statement
        is then raised by whichever is running when it arrives, at the latest by the commit."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put((work, pipelined, done))
        return await done

    def close(self) -> None:
        """Waits for queued work to finish; with a `limit`, only for a while."""
        for _ in self._threads:
            self._queue.put(None)
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(None if self._limit is None else max(0.0, deadline - time.monotonic()))
        self._closed.set()
        if any(thread.is_alive() for thread in self._threads):
            self._abandon()

    def _abandon(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                if (item := self._queue.get_nowait()) is not None:
                    _resolve_in_loop(item[-1], None, asyncio.CancelledError())
        for _ in self._threads:
            self._queue.put(None)
        for connection in self._connections:
            connection.cut_after(0.0)
        for thread in self._threads:
            thread.join(1.0)

    def _watch(self, limit: float) -> None:
        while not self._closed.wait(WATCH_SECONDS):
            for connection in self._connections:
                connection.cut_after(limit)

    def _serve(self, connection: "_ThreadConnection") -> None:
        while item := self._queue.get():
            work, pipelined, done = item
            try:
                outcome, error = connection.transact(work, pipelined), None
            except BaseException as raised:
                outcome, error = None, raised
            _resolve_in_loop(done, outcome, error)
            del item, work, done, outcome, error  # otherwise the thread would keep them alive until its next work
        connection.close()


class _ThreadConnection:
    """One thread's connection."""

    def __init__(self, engine: Engine, prepare: Callable[[Connection], None] | None) -> None:
        self._engine = engine
        self._prepare = prepare
        self._connection: Connection | None = None
        self._driver: Any = None
        self._began: float | None = None  # when its transaction began; None without one
        self._lock = Lock()

    def transact(self, work: Work[T], pipelined: bool) -> T:
        with self._lock:
            self._began = time.monotonic()
        try:
            return self._transact(work, pipelined)
        finally:
            with self._lock:
                self._began = None

    def _transact(self, work: Work[T], pipelined: bool) -> T:
        connection = self._connection
        begins_within = pipelined and connection is not None and has_pipeline(connection) and not is_closed(connection)
        if connection is None or not begins_within:
            connection = self._begin()
        pipelined = pipelined and has_pipeline(connection)
        is_committing = False
        try:
            with pipeline(connection) if pipelined else contextlib.nullcontext():
                if begins_within:
                    connection.begin()
                outcome = work(connection)
                is_committing = True
                if pipelined:
                    run_in_driver(connection, "COMMIT")
            connection.commit()  # which sends nothing after a COMMIT of our own
        except BaseException as error:
            self._roll_back(error)
            # Before BEGIN is answered, a connection that was lost may have been dead already: the caller tries again,
            # as it does after a commit whose answer was lost.
            may_be_committed = is_committing or (begins_within and _is_lost(error))
            if may_be_committed and isinstance(error, DBAPIError) and not _is_refusal(error):
                raise CommitError(error) from error
            raise
        return outcome

    def cut_after(self, seconds: float) -> None:
        """Called from another thread: cuts the connection if its transaction has taken `seconds` or longer."""
        with self._lock:
            if self._began is None or time.monotonic() - self._began < seconds or self._driver is None:
                return
            with (
                contextlib.suppress(Exception),  # no longer connected
                socket.socket(fileno=os.dup(self._driver.pgconn.socket)) as duplicate,
            ):
                duplicate.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(DBAPIError):
                self._connection.close()
            self._connection = self._driver = None

    def _begin(self) -> Connection:
        """Begins a transaction. Replaces a connection that died while idle, as after a restart of PostgreSQL."""
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

    def _roll_back(self, error: BaseException) -> None:
        """Rolls back. Keeps the connection if it is still usable."""
        is_usable = isinstance(error, Exception) and not _is_lost(error) and not _is_read_only(error)
        if self._connection is not None and is_usable:
            try:
                self._connection.rollback()
            except Exception:
                self._connection.invalidate()  # the pool could not reset it either
            else:
                return
        self._drop(error)

    def _drop(self, error: BaseException) -> None:
        if self._connection is not None and _is_lost(error):
            self._connection.invalidate()
        self.close()


def _is_lost(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _is_read_only(error: BaseException) -> bool:
    """Whether the session may only read: after a fail-over its server can be a standby for good, while a new connection
    would lead to the new primary."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == READ_ONLY


def _is_refusal(error: DBAPIError) -> bool:
    """Whether the database itself refused the commit, so that nothing is stored: always on SQLite (a full disk); on
    PostgreSQL if the error has a code and the connection was not lost."""
    has_code = getattr(error.orig, "sqlstate", "SQLite") is not None
    return has_code and not error.connection_invalidated


def _resolve_in_loop(done: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
        done.get_loop().call_soon_threadsafe(_resolve, done, outcome, error)


def _resolve(done: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    if done.done():
        return  # its caller was cancelled; what was committed stays
    if error is None:
        done.set_result(outcome)
    else:
        done.set_exception(error)
