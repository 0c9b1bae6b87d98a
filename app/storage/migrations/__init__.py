"""Bringing a database up to date (Alembic). Revisions are numbered files, so the newest is known without Alembic,
which takes a third of a second to import and is needed only when there is something to do."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from app.storage.database import Database, DatabaseUnusableError, usable

HERE = Path(__file__).parent
LOCK = 1_952_412_531  # of migrations, among the advisory locks of the database: any number


def newest() -> str:
    return max(path.name[:4] for path in (HERE / "versions").glob("[0-9]*.py"))


def current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_current(connection: Connection) -> bool:
    """Of a newer revision too: migrations only add, so a replica of the version before stays in service meanwhile."""
    revision = current(connection)
    return revision is not None and revision >= newest()


def require_current(database: Database) -> None:
    """Raises `DatabaseUnusableError` with what to do."""
    with usable(), database.engine.connect() as connection:
        revision = current(connection)
    _refuse_newer(revision)
    if revision != newest():
        raise DatabaseUnusableError("the migrations are not current: run `intresse migrate` first")


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision > newest():
        raise DatabaseUnusableError(f"the database is at revision {revision}, newer than this version's {newest()}")


def upgrade(database: Database) -> bool:
    """Runs missing migrations; returns whether there were any. Raises `DatabaseUnusableError`, also if the
    database is newer, or a SQLite file of another program."""
    with usable(), database.engine.connect() as connection:
        revision = current(connection)
        is_foreign = revision is None and database.is_sqlite and inspect(connection).get_table_names()
    if revision == newest():
        return False
    if is_foreign:
        raise DatabaseUnusableError(f"{database.url.database} is the database of another program")
    _refuse_newer(revision)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    with usable(), database.engine.begin() as connection:
        if not database.is_sqlite:  # as on SQLite, which has one writer, a second migration at once waits for the first
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
