"""A copy of a SQLite database while it is served."""

import os
from contextlib import closing
from pathlib import Path

from app.storage.database import Database, usable


class BackupError(Exception):
    """The message is one line for an operator."""


def back_up(database: Database, file: Path) -> None:
    """One moment's state, whole and on disk. Raises `BackupError`, `DatabaseUnusableError`."""
    if not database.is_sqlite:
        raise BackupError("back PostgreSQL up with its own tools: pg_dump --format=custom")
    if file.exists():
        raise BackupError(f"{file} already exists")
    with usable(), closing(database.engine.raw_connection()) as connection:  # outside of any transaction
        connection.cursor().execute("VACUUM INTO ?", (str(file),))
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    file.chmod(0o600)
