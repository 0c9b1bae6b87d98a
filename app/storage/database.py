"""The database: engines, transactions, and the differences between SQLite and PostgreSQL.

Both use SQLAlchemy's synchronous Core in threads: one writer on SQLite, which allows no more, and a few on PostgreSQL.
"""

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.storage import elapsed
from app.storage.driver.checkpoints import MAX_PAGES, Checkpoints
from app.storage.driver.compiled import run_in_driver
from app.storage.driver.errors import name_of
from app.storage.driver.pipeline import is_in_pipeline
from app.storage.driver.threads import CommitError, TransactionThreads


def now_of(connection: Connection) -> datetime:
    """The transaction's time. On PostgreSQL it is the database's, because workers on several machines share leases."""
    if connection.dialect.name == "sqlite":
        return _not_behind(connection.info[NEWEST])
    began_at: datetime = connection.info[BEGAN_AT]
    return began_at


def machine_time() -> datetime:
    """The time of this machine's clock, right or wrong: for the checks of that clock (`storage.clock`)."""
    return datetime.now(UTC)


def _not_behind(newest: datetime | None) -> datetime:
    """This machine's time or, if that is more than `BACK` behind the newest time that was believed, the latter: no new
    row may be dated as if it were old."""
    now = machine_time()
    return now if newest is None or now >= newest - BACK else newest


def began_of(connection: Connection) -> float:
    """When the transaction began, by `elapsed.seconds`. Read before the transaction's time, so that a period counted
    from it ends too early rather than too late."""
    began: float = connection.info[BEGAN]
    return began


T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 5
POSTGRESQL_WRITERS = 4
READERS = 4
# More than a connection ever runs, migrations included. Once the driver's cache is full, each new statement replaces
# the newest: with the default of 100, each batch of posts was prepared again, which was 3 % of a post.
CACHED_STATEMENTS = 500
BOUND = "bound"  # in a SQLite connection's info: the WAL size, in pages, above which its commits checkpoint
BACK = timedelta(minutes=1)  # how far NTP may set the clock back
NEWEST = "newest"  # in a SQLite connection's info: `Database.newest`
BEGAN_AT = "began_at"  # in a PostgreSQL connection's info: its transaction's time, by the database's clock
BEGAN = "began"  # in a connection's info: when its transaction began, by this machine's elapsed time
# PostgreSQL itself ends a statement shortly before. A transaction that takes longer, because PostgreSQL or the network
# has gone silent, is cut off here. By then a post has been answered.
WRITE_SECONDS, READ_SECONDS = 10.0, 15.0
CONNECT_ARGS = {
    "connect_timeout": BUSY_TIMEOUT_SECONDS,
    "tcp_user_timeout": int(1000 * WRITE_SECONDS),
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
WAIT_SECONDS = 1.0  # between two attempts to connect to a database that is not up yet

log = structlog.get_logger()


class DatabaseUnusableError(Exception):
    """The database can't be used as it is; the message is one line for an operator."""


class StoreUnavailableError(Exception):
    """Nothing was stored: the database is unavailable, locked, full or overloaded. The caller may try again."""


class CommitUnknownError(StoreUnavailableError):
    """The commit's answer was lost: whether it was committed must be looked up."""


class Database:
    """One database: `write` and `read` run a function of a connection in a transaction, in a thread."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._seen: tuple[datetime, float] | None = None  # PostgreSQL's latest known time, and when it was read
        # On SQLite the newest time that is believed; None while the clock is in doubt, see `storage.clock`.
        self.newest: datetime | None = None
        event.listen(self.engine, "begin", self._pass_newest if self.is_sqlite else self._note_time)
        event.listen(self.engine, "connect", self._note_file)
        reader = self.engine.execution_options(intresse_reads=True)
        if self.is_sqlite:
            self._writers = TransactionThreads(self.engine, 1, "write", _keep_journals_in_memory)
            self._readers = TransactionThreads(reader, READERS, "read")
        else:
            self._writers = TransactionThreads(self.engine, POSTGRESQL_WRITERS, "write", _prepare_writer, WRITE_SECONDS)
            prepare = partial(_limit_statements, after=READ_SECONDS - 2)
            self._readers = TransactionThreads(reader, READERS, "read", prepare, READ_SECONDS)
        self._checkpoints = _checkpoints_after_commits(self.engine) if self.is_sqlite else None
        self._file = Path(self.url.database) if self.is_sqlite and self.url.database else None
        self._file_id: tuple[int, int] | None = None  # of the file that was opened first

    async def write(self, work: Callable[[Connection], T], *, pipelined: bool = False) -> T:
        """Raises `StoreUnavailableError` if the transaction was not committed, `CommitUnknownError` if that is
        unknown. `pipelined` is for work that reads no results nor the time: on PostgreSQL the whole transaction is then
        sent at once."""
        return await _translate_errors(self._writers.run(work, pipelined=pipelined))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Raises `StoreUnavailableError`."""
        return await _translate_errors(self._readers.run(work))

    def require_in_place(self) -> None:
        """To be called in a transaction. Raises `StoreUnavailableError` if the SQLite file was removed or replaced, or
        its WAL removed: SQLite would write on, to files that nobody can open again."""
        if self._file and (_id_of(self._file) != self._file_id or not Path(f"{self._file}-wal").exists()):
            raise StoreUnavailableError(f"{self._file} was removed or replaced while in use")

    def now(self) -> datetime:
        """The time by the deciding clock, without a query: on PostgreSQL the time of the latest transaction plus the
        time elapsed since. It is never ahead of the database's, so a row that is dated by it is due at once."""
        if self._seen is None:
            return _not_behind(self.newest)
        moment, read_at = self._seen
        return moment + timedelta(seconds=elapsed.seconds() - read_at)

    def _note_time(self, connection: Connection) -> None:
        if not is_in_pipeline(connection):
            self._seen = now_of(connection), elapsed.seconds()

    def _note_file(self, *_: Any) -> None:
        if self._file and self._file_id is None:
            self._file_id = _id_of(self._file)

    def _pass_newest(self, connection: Connection) -> None:
        connection.info[NEWEST] = self.newest

    def close(self) -> None:
        self._writers.close()
        self._readers.close()
        if self._checkpoints:
            self._checkpoints.close()
        self.engine.dispose()


async def _translate_errors(outcome: Awaitable[T]) -> T:
    try:
        return await outcome
    except CommitError as commit:
        raise CommitUnknownError(name_of(commit.error)) from commit.error
    except DBAPIError as error:
        raise StoreUnavailableError(name_of(error)) from error


@contextmanager
def usable() -> Iterator[None]:
    """Turns the errors of a database that can't be reached or opened at the start into `DatabaseUnusableError`."""
    try:
        yield
    except DBAPIError as error:
        raise DatabaseUnusableError(_first_line(error)) from None


def require_existing(url: str) -> None:
    """For commands that make no sense on an empty database: SQLite would create a missing file. Raises
    `DatabaseUnusableError`."""
    location = make_url(url)
    if location.get_backend_name() == "sqlite" and not Path(location.database or "").exists():
        raise DatabaseUnusableError(f"{Path(location.database or '').absolute()} does not exist")


def wait_for(url: str, seconds: float) -> None:
    """Waits at most `seconds` until PostgreSQL answers, because containers start in any order. If it doesn't, the first
    use reports why."""
    if make_url(url).get_backend_name() == "sqlite":
        return
    engine = _postgresql_engine(make_url(url))
    deadline = time.monotonic() + seconds
    while True:
        try:
            engine.connect().close()
            break
        except DBAPIError as error:
            if time.monotonic() > deadline:
                break
            log.warning("waiting for the database", detail=_first_line(error))
            time.sleep(WAIT_SECONDS)
    engine.dispose()


def _first_line(error: DBAPIError) -> str:
    """The first line of the driver's message, for an operator."""
    [first, *_] = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    return first


def _postgresql_engine(url: URL) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,  # each thread keeps its connection, and checks it before use
        paramstyle="format",  # positional, as on SQLite: the intake's rows go to the driver as they are
        connect_args={**CONNECT_ARGS, "autocommit": True},  # we say BEGIN ourselves
    )
    event.listen(engine, "connect", _avoid_prepared_statements)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _avoid_prepared_statements(driver: Any, _: Any) -> None:
    """Behind a pooler such as PgBouncer, which makes up the process's id. The next transaction may get another server
    process, in which another client has given the same name to another statement: that would be executed."""
    [process] = driver.execute("SELECT pg_backend_pid()").fetchone()
    if process != driver.info.backend_pid:
        driver.prepare_threshold = None


def _sqlite_engine(url: URL) -> Engine:
    # The system's SQLite carries the WAL reset bug (sqlite.org/wal.html#walresetbug); the wheel's does not.
    from sqlean import dbapi2

    if has_wal_reset_bug(dbapi2.sqlite_version_info):
        raise DatabaseUnusableError(
            f"SQLite {dbapi2.sqlite_version} can lose committed rows; 3.51.3 or newer is needed"
        )
    # Without an adapter for a type, the driver looks for one at every value, by raising exceptions.
    for binary in (bytes, memoryview):
        dbapi2.register_adapter(binary, bytearray)
    dbapi2.register_adapter(type(None), lambda value: value)
    if url.database:
        _create_file(Path(url.database))
    arguments = {"timeout": BUSY_TIMEOUT_SECONDS, "cached_statements": CACHED_STATEMENTS}
    engine = create_engine(url, module=dbapi2, pool_size=READERS + 2, connect_args=arguments)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _create_file(path: Path) -> None:
    """Creates a missing file that only its owner may read: SQLite would let everybody, and gives the WAL the same
    mode. Raises `DatabaseUnusableError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise DatabaseUnusableError(f"{Path(error.filename).absolute()}: {error.strerror}") from error


def _id_of(path: Path) -> tuple[int, int] | None:
    """Which file has this path; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether it is SQLite 3.7.0-3.51.2, except the repaired 3.50.7 and 3.44.6."""
    repaired = version[:2] in {(3, 50), (3, 44)} and version >= {50: (3, 50, 7), 44: (3, 44, 6)}[version[1]]
    return (3, 7, 0) <= version < (3, 51, 3) and not repaired


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"wal_autocheckpoint={MAX_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _checkpoints_after_commits(engine: Engine) -> Checkpoints:
    checkpoints = Checkpoints(engine)

    def committing(connection: Connection) -> None:
        if _is_reader(connection):
            return
        bound = checkpoints.committing()
        if bound != connection.info.get(BOUND, MAX_PAGES):
            run_in_driver(connection, f"PRAGMA wal_autocheckpoint={bound}").close()
            connection.info[BOUND] = bound

    event.listen(engine, "commit", committing)
    return checkpoints


def _is_reader(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("intresse_reads"))


def _limit_statements(connection: Connection, after: float) -> None:
    # Also for idle transactions: a process that is frozen or gone must not keep its locks.
    for bound in ("statement_timeout", "idle_in_transaction_session_timeout"):
        run_in_driver(connection, f"SET {bound} = {int(1000 * after)}").close()


def _prepare_writer(connection: Connection) -> None:
    _limit_statements(connection, after=WRITE_SECONDS - 2)
    # A server may be tuned to report commits that a power failure would undo. Other values are more or less than `on`
    # only for its standbys.
    name = "'synchronous_commit'"
    run_in_driver(connection, f"SELECT set_config({name}, 'on', false) WHERE current_setting({name}) = 'off'").close()


def _keep_journals_in_memory(connection: Connection) -> None:
    # A multi-row insert has a journal for undoing it, by default in a file in the system's temporary folder: personal
    # data where no operator expects it, and 3 % of a post. Readers may still sort in such a file.
    run_in_driver(connection, "PRAGMA temp_store=MEMORY").close()


def _begin_sqlite(connection: Connection) -> None:
    connection.info[BEGAN] = elapsed.seconds()
    # IMMEDIATE: a writer waits for the lock at the start instead of failing half-way.
    run_in_driver(connection, "BEGIN" if _is_reader(connection) else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    # Sent now and not with the first statement, so that a dead connection is replaced before anything can be lost. The
    # database's time comes in the same round trip.
    connection.info[BEGAN] = elapsed.seconds()
    if is_in_pipeline(connection):
        connection.info.pop(BEGAN_AT, None)  # nothing may take the time of an earlier transaction for its own
        run_in_driver(connection, "BEGIN")
        return
    cursor = run_in_driver(connection, "BEGIN; SELECT clock_timestamp()")
    cursor.nextset()
    [moment] = cursor.fetchone()
    # In UTC: arithmetic in the session's time zone is wrong when the clocks change.
    connection.info[BEGAN_AT] = moment.astimezone(UTC)
