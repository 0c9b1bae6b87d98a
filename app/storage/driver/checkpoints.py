"""SQLite's log is copied into the database by a thread of its own, while commits go on.

SQLite would do it within one of some sixteen commits, and who waited for that one under full load waited 3 ms longer,
beside 15 of its own. The thread steps back behind the others, so that on a single core, too, they hardly notice it.
Where commits never pause, some pages are always left. The next commit copies those, and the log begins anew.
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

MAX_PAGES = 16384  # 64 MB: SQLite copies them within a commit after all, should the thread not come to its work
FEW_PAGES = 256  # that are left to a commit
PAUSE_SECONDS = 1.0  # after a commit: the more there is, the more pages are in it twice and copied once
EMPTYING = 5  # times that it is tried: whoever reads at the moment keeps the log in use
PASSES = 8  # after the first; each copies what came during the one before
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
        """A commit is about to be made: from how many pages in the log on it shall copy them itself."""
        self._due.set()
        if self._few_left:
            self._few_left = False
            return 1
        return MAX_PAGES

    def close(self) -> None:
        """What is still in the log, SQLite copies with its last connection."""
        self._stopping.set()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        _step_back()
        while self._due.wait() and not self._stopping.wait(PAUSE_SECONDS):
            self._due.clear()
            try:
                self._copy()
            except (DBAPIError, self._failure) as error:
                log.warning("WAL checkpoint failed", detail=type(error).__name__)

    def _copy(self) -> None:
        connection = self._engine.raw_connection()
        try:
            copied = _copied(connection)
            for _ in range(PASSES):
                before, copied = copied, _copied(connection)
                if copied == before:
                    return  # nothing came meanwhile
                if copied - before <= FEW_PAGES:
                    break
            self._few_left = True
        finally:
            connection.close()


async def empty_log(engine: Engine) -> None:
    """After erasing: what was erased stood in SQLite's log as it was. Nothing to do on PostgreSQL, whose log is no file
    of ours. Where readers never let go, the log is emptied with the last connection."""
    if engine.dialect.name == "sqlite" and not await asyncio.to_thread(_emptied, engine):
        log.warning("WAL truncation failed")


def _emptied(engine: Engine) -> bool:
    connection = engine.raw_connection()
    try:
        for _ in range(EMPTYING):
            busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
    except engine.dialect.loaded_dbapi.Error:  # it is locked, or the disk is full
        return False
    finally:
        connection.close()
    return False


def _copied(connection: Any) -> int:
    """How many pages of the log are in the database now."""
    cursor = connection.cursor()
    _, _, pages = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(pages)


def _step_back() -> None:
    if sys.platform == "linux":  # where a thread can have a priority of its own
        with contextlib.suppress(OSError):  # where that is forbidden, it is the others' equal
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)
