"""The state of a database's move. A database that was moved elsewhere, or whose move is unfinished, can't be used.

The state is a row of `moves`. In the source, triggers also refuse every change, including those by a process that is
already running.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, text, update

from app.storage.database import Database, DatabaseUnusableError, usable
from app.storage.schema import metadata, moves

OUT, IN = "out", "in"


def is_active(connection: Connection) -> bool:
    return _obstacle(connection) is None


def require_active(database: Database) -> None:
    """Raises `DatabaseUnusableError` with a message that says what to do."""
    with usable(), database.engine.connect() as connection:
        obstacle = _obstacle(connection)
    if obstacle:
        raise DatabaseUnusableError(obstacle)


def _obstacle(connection: Connection) -> str | None:
    for move in connection.execute(select(moves)):
        if move.direction == OUT and move.ended_at:
            return f"everything was moved to {move.place}: set database_url to that"
        if not move.ended_at:
            return "a move is unfinished: run `intresse move` again to finish it, or with --give-up to undo it"
    return None


def database_location(connection: Connection, direction: str) -> str | None:
    """The other database of a move; None if there is no move in this direction."""
    return connection.execute(select(moves.c.place).where(moves.c.direction == direction)).scalar()


def has_ended(connection: Connection, direction: str) -> bool:
    query = select(moves.c.ended_at).where(moves.c.direction == direction)
    return connection.execute(query).scalar() is not None


def begin(connection: Connection, direction: str, place: str) -> None:
    connection.execute(insert(moves).values(direction=direction, place=place, began_at=datetime.now(UTC)))
    if direction == OUT:
        for name, table, change in _triggers():
            refusal = "BEGIN SELECT RAISE(ABORT, 'moved to another database'); END"
            connection.execute(text(f"CREATE TRIGGER {name} BEFORE {change} ON {table} {refusal}"))


def end(connection: Connection, direction: str) -> None:
    of_direction = moves.c.direction == direction
    connection.execute(update(moves).where(of_direction).values(ended_at=datetime.now(UTC)))


def give_up(connection: Connection) -> None:
    """Undoes the move in the source, which can then be used again."""
    for name, _, _ in _triggers():
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    connection.execute(delete(moves).where(moves.c.direction == OUT))


def _triggers() -> list[tuple[str, str, str]]:
    tables = [table.name for table in metadata.sorted_tables if table is not moves]
    return [(f"moved_{name}_{change}", name, change) for name in tables for change in ("INSERT", "UPDATE", "DELETE")]
