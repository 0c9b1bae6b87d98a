"""Moving everything from SQLite to PostgreSQL. The source is frozen first, so that what is copied can't change, an
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
    """Returns what was moved, by table; the same if everything was moved before.
    Raises `MoveError`, `DatabaseUnusableError`."""
    if not source.is_sqlite or target.is_sqlite:
        raise MoveError("a move goes from the configured sqlite:/// database --to a postgresql:// one")
    upgrade(source)
    upgrade(target)
    with usable():
        _freeze(source, target)
        _receive(source, target)
        for table in TABLES:
            _copy(source, target, table)
        return _settle(source, target)


def give_up(source: Database) -> None:
    """Undoes an unfinished move in the source. Raises `MoveError`, `DatabaseUnusableError`."""
    with usable(), source.engine.begin() as connection:
        if move_state.has_ended(connection, move_state.OUT):
            raise MoveError("the move has finished: newer submissions are in the other database")
        move_state.give_up(connection)


def _freeze(source: Database, target: Database) -> None:
    place = target.url.render_as_string(hide_password=True)
    with source.engine.begin() as connection:
        before = move_state.database_location(connection, move_state.OUT)
        if before not in (None, place):
            raise MoveError(f"a move to {before} is unfinished: finish it, or undo it with --give-up")
        held = submissions.c.claim.is_not(None) & (submissions.c.due_at > datetime.now(UTC))
        if connection.execute(select(submissions.c.id).where(held).limit(1)).first():
            raise MoveError("a worker is delivering: stop the service first")
        if before is None:
            move_state.begin(connection, move_state.OUT, place)


def _receive(source: Database, target: Database) -> None:
    place = str(Path(source.url.database or "").resolve())
    with target.engine.begin() as connection:
        before = move_state.database_location(connection, move_state.IN)
        if before not in (None, place):
            raise MoveError(f"that database received a move from {before}")
        if before is None:
            if _count(connection, submissions):
                raise MoveError("that database has submissions of its own")
            move_state.begin(connection, move_state.IN, place)


def _copy(source: Database, target: Database, table: Table) -> None:
    """Rows are copied in the source's order, so what already exists are its first."""
    with target.engine.connect() as connection:
        if move_state.has_ended(connection, move_state.IN):
            return
        there = _count(connection, table)
    with source.engine.connect() as connection:
        rows = select(table).order_by(*table.primary_key).offset(there).execution_options(yield_per=BATCH)
        for batch in connection.execute(rows).mappings().partitions():
            with target.engine.begin() as receiving:
                receiving.execute(insert(table), [dict(row) for row in batch])


def _settle(source: Database, target: Database) -> dict[str, Contents]:
    """Compares, and only then lets the target serve; the source, which can't any more, first."""
    with source.engine.begin() as leaving, target.engine.begin() as entering:
        moved = {table.name: _contents(leaving, table) for table in TABLES}
        if move_state.has_ended(entering, move_state.IN):
            return moved
        different = [table.name for table in TABLES if _contents(entering, table) != moved[table.name]]
        if different:
            raise MoveError(f"not the same in both: {', '.join(different)}; empty the new database and start again")
        for table in TABLES:
            _advance(entering, table)
        move_state.end(leaving, move_state.OUT)
    with target.engine.begin() as entering:
        move_state.end(entering, move_state.IN)
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
