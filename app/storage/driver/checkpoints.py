"""WAL checkpoints in a thread of their own, concurrent with commits.

SQLite itself would checkpoint within about every sixteenth commit, which then takes 3 ms longer under full load (on top
of 15 ms). The thread has a low priority, so that it hardly slows down the others even on a single core. If commits
never pause, a few pages always remain: the next commit copies those, and the WAL starts over.
"""

import asyncio
import contextlib
import os
import sys
from threading import Event, Thread, get_native_id
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.storage.driver.errors import name_of

MAX_PAGES = 16384  # 64 MB: above this a commit checkpoints, in case the thread can't keep up
FEW_PAGES = 256  # that may be left for a commit to copy
PAUSE_SECONDS = 1.0  # after a commit: pages that are written repeatedly are then copied once
TRUNCATE_ATTEMPTS, TRUNCATE_PAUSE_SECONDS = 5, 1.0  # a reader may be using the WAL
TRUNCATE_PATIENCE = 100  # milliseconds
PASSES = 8  # after the first; each copies what was written during the one before
NICENESS = 10

log = structlog.get_logger()


class Checkpoints:
    def __init__(self, engine: Engine) -> None:
        """`engine` must be SQLite's."""
        self._engine = engine
        self._failure: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._due = Event()
        self._stopping = Event()
        self._few_left = False
        self._thread = Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def committing(self) -> int:
        """Returns the WAL size, in pages, above which this commit should checkpoint."""
        self._due.set()
        if self._few_left:
            self._few_left = False
            return 1
        return MAX_PAGES

    def close(self) -> None:
        """SQLite copies the rest of the WAL when its last connection closes."""
        self._stopping.set()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        _lower_priority()
        while self._due.wait() and not self._stopping.wait(PAUSE_SECONDS):
            self._due.clear()
            if self._stopping.is_set():  # by a `close` whose own `_due.set()` has just been cleared
                return
            try:
                self._copy()
            except (DBAPIError, self._failure) as error:
                log.warning("WAL checkpoint failed", detail=name_of(error))

    def _copy(self) -> None:
        connection = self._engine.raw_connection()
        try:
            copied = _copied(connection)
            for _ in range(PASSES):
                before, copied = copied, _copied(connection)
                if copied == before:
                    return  # nothing was written meanwhile
                if copied - before <= FEW_PAGES:
                    break
            self._few_left = True
        finally:
            connection.close()


async def empty_log(engine: Engine) -> None:
    """Truncates the WAL, because it still holds what was erased or replaced. Does nothing on PostgreSQL. If a reader
    keeps the WAL in use, as a backup does, the next round of retention tries again."""
    if engine.dialect.name != "sqlite":
        return
    for _ in range(TRUNCATE_ATTEMPTS):
        if await asyncio.to_thread(_truncated, engine):
            return
        await asyncio.sleep(TRUNCATE_PAUSE_SECONDS)
    log.warning("WAL truncation failed")


def _truncated(engine: Engine) -> bool:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        [patience] = cursor.execute("PRAGMA busy_timeout").fetchone()
        # While it waits for readers it locks out all writers: with the usual patience, posts would fail.
        cursor.execute(f"PRAGMA busy_timeout={TRUNCATE_PATIENCE}")
        try:
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={patience}")
        return not busy
    except engine.dialect.loaded_dbapi.Error:  # it is locked, or the disk is full
        return False
    finally:
        connection.close()


def _copied(connection: Any) -> int:
    """The number of WAL pages that have been copied into the database."""
    cursor = connection.cursor()
    _, _, pages = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)


def _lower_priority() -> None:
    if sys.platform == "linux":  # where threads have their own priority
        with contextlib.suppress(OSError):  # it may be forbidden
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)
