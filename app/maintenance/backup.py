"""Backup of a SQLite database that is in use."""

import os
import time
from contextlib import suppress
from pathlib import Path

from app.storage.database import Database, usable

PARTIAL = ".intresse-partial"  # how the name of an unfinished backup ends
STALE_SECONDS = 3600.0  # an unfinished backup that has not grown for so long belongs to a process that was killed


class BackupError(Exception):
    """The message is one line for an operator."""


def back_up(database: Database, file: Path) -> None:
    """Writes a consistent snapshot, and returns when it is on disk. The file appears when it is complete; only its
    owner can read it. Raises `BackupError`, `DatabaseUnusableError`."""
    if not database.is_sqlite:
        raise BackupError("back PostgreSQL up with its own tools: pg_dump --format=custom")
    if file.exists():
        raise BackupError(f"{file} already exists")
    partial = file.with_name(f".{file.name}.{os.getpid()}{PARTIAL}")
    try:
        _remove_stale(file.parent)
        # SQLite writes into an existing empty file, so its permissions are right from the first byte.
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(database, partial)
        _sync(partial)
        partial.rename(file)
        _sync(file.parent)
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}") from error
    except database.engine.dialect.loaded_dbapi.Error as error:  # the disk is full
        raise BackupError(f"{file}: {error}") from error
    finally:
        for left in (partial, partial.with_name(f"{partial.name}-journal")):  # the latter after an I/O error
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _remove_stale(folder: Path) -> None:
    """Otherwise the copy that a killed backup leaves behind, hidden and unused, would be kept for ever."""
    for partial in folder.glob(f".*{PARTIAL}*"):  # SQLite's journal of it, too
        with suppress(OSError):  # another backup has removed it, or it is another user's
            if partial.stat().st_mtime < time.time() - STALE_SECONDS:
                partial.unlink()


def _copy(database: Database, file: Path) -> None:
    with usable(), database.engine.connect() as connection:
        # Not by SQLAlchemy, which would begin a transaction.
        connection.connection.cursor().execute("VACUUM INTO ?", (str(file),))


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows can't sync folders
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
