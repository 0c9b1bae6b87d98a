"""SQLite's log is copied into the database by a thread of its own, while commits go on.

SQLite would do it within every some tenth commit, and whoever waited for that one waited half as long again. The thread
steps back behind the others, so on a single core, too, it takes its time from nobody who waits. Should it not come to
its work, SQLite does it after all, when the log has `MOST_PAGES`.
"""

import os
import sys
from threading import Event, Thread, get_native_id

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

MOST_PAGES = 16384  # 64 MB
PAUSE_SECONDS = 1.0  # after a commit: the more there is, the more pages are in it twice and copied once
PASSES = 8  # each copies what came during the one before; after one during which nothing came, the log begins anew
NICENESS = 10

log = structlog.get_logger()


class Checkpoints:
    def __init__(self, engine: Engine) -> None:
        """`engine` must be SQLite's."""
        self._engine = engine
        self._failure: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._due = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="checkpoints", daemon=True)
        self._thread.start()

    def committed(self) -> None:
        """There is something in the log."""
        self._due.set()

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
                log.warning("log not copied into the database", detail=type(error).__name__)

    def _copy(self) -> None:
        connection = self._engine.raw_connection()
        try:
            before = None
            for _ in range(PASSES):
                cursor = connection.cursor()
                _, pages, _ = cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if pages == before:
                    break
                before = pages
        finally:
            connection.close()


def _step_back() -> None:
    if sys.platform == "linux":  # where a thread can have a priority of its own
        os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)
