"""Moves everything from SQLite to PostgreSQL. The source is frozen first, so that it can't change during the copy, an
interrupted move can continue, and nothing is delivered from both."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Integer, Row, Table, func, insert, select, text

from app.maintenance import move_state
from app.storage.database import Database, usable
from app.storage.migrations import upgrade
from app.storage.schema import metadata, moves, submissions

BATCH = 500  # rows in one transaction
TABLES = tuple(table for table in metadata.sorted_tables if table is not moves)  # referenced tables first


class MoveError(Exception):
    """The message is one line for an operator."""


@dataclass(frozen=True)
class Contents:
    """A table's number of rows, and the sum of their hashes, which does not depend on their order."""

    rows: int
    digest: str


def move(source: Database, target: Database) -> dict[str, Contents]:
    """Returns what was moved, by table; the same if it had been moved before. Raises `MoveError`,
    `DatabaseUnusableError`."""
    if not source.is_sqlite or target.is_sqlite:
        raise MoveError("a move goes from the configured sqlite:/// database --to a postgresql:// one")
    upgrade(source)
    upgrade(target)
    with usable():
        _freeze(source, target)
        _prepare(source, target)
        for table in TABLES:
            _copy(source, target, table)
        return _finish(source, target)


def give_up(source: Database) -> None:
    """Undoes an unfinished move in the source. Raises `MoveError`, `DatabaseUnusableError`."""
    with usable(), source.engine.begin() as connection:
        if move_state.has_ended(connection, move_state.OUT):
            raise MoveError("the move has finished: newer submissions are in the other database")
        move_state.give_up(connection)


def _freeze(source: Database, target: Database) -> None:
    place = target.url.render_as_string(hide_password=True)
    with source.engine.begin() as connection:
        location = move_state.database_location(connection, move_state.OUT)
        if location not in (None, place):
            if move_state.has_ended(connection, move_state.OUT):
                raise MoveError(f"everything was moved to {location}: set database_url to that")
            raise MoveError(f"a move to {location} is unfinished: finish it, or undo it with --give-up")
        is_claimed = submissions.c.claim.is_not(None) & (submissions.c.due_at > datetime.now(UTC))
        if connection.execute(select(submissions.c.id).where(is_claimed).limit(1)).first():
            raise MoveError("a worker is delivering: stop the service first")
        if location is None:
            move_state.begin(connection, move_state.OUT, place)


def _prepare(source: Database, target: Database) -> None:
    place = str(Path(source.url.database or "").resolve())
    with target.engine.begin() as connection:
        location = move_state.database_location(connection, move_state.IN)
        if location not in (None, place):
            raise MoveError(f"that database received a move from {location}")
        if location is None:
            if _count(connection, submissions):
                raise MoveError("that database has submissions of its own")
            move_state.begin(connection, move_state.IN, place)


def _copy(source: Database, target: Database, table: Table) -> None:
    """Rows are copied in the order of the primary key, so those that are already there are the first."""
    with target.engine.connect() as connection:
        if move_state.has_ended(connection, move_state.IN):
            return
        copied = _count(connection, table)
    with source.engine.connect() as connection:
        rows = select(table).order_by(*table.primary_key).offset(copied).execution_options(yield_per=BATCH)
        for batch in connection.execute(rows).mappings().partitions():
            with target.engine.begin() as in_target:
                in_target.execute(insert(table), [dict(row) for row in batch])


def _finish(source: Database, target: Database) -> dict[str, Contents]:
    """Compares both, and only then ends the move: first in the source, which stays unusable, then in the target, which
    becomes usable."""
    with source.engine.begin() as in_source, target.engine.begin() as in_target:
        moved = {table.name: _contents(in_source, table) for table in TABLES}
        if move_state.has_ended(in_target, move_state.IN):
            return moved
        different = [table.name for table in TABLES if _contents(in_target, table) != moved[table.name]]
        if different:
            raise MoveError(f"not the same in both: {', '.join(different)}; empty the new database and start again")
        for table in TABLES:
            _advance(in_target, table)
        move_state.end(in_source, move_state.OUT)
    with target.engine.begin() as in_target:
        move_state.end(in_target, move_state.IN)
    return moved


def _contents(connection: Connection, table: Table) -> Contents:
    count = total = 0
    for row in _rows(connection, table):
        count += 1
        total += int.from_bytes(hashlib.sha256(repr(tuple(row)).encode()).digest())
    return Contents(count, f"{total % 2**256:064x}")


def _rows(connection: Connection, table: Table) -> Iterator[Row[tuple[object, ...]]]:
    yield from connection.execute(select(table).execution_options(yield_per=BATCH))


def _advance(connection: Connection, table: Table) -> None:
    """Moves the id sequence past the highest copied id."""
    column = table.autoincrement_column
    if column is not None and isinstance(column.type, Integer):
        highest = connection.execute(select(func.max(column))).scalar()
        if highest:
            sequence = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
            connection.execute(text(f"SELECT setval({sequence}, {highest})"))


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
