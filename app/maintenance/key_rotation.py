"""Re-sealing everything that is kept under the ring's first key, in small batches beside a service at work."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select, tuple_, update

from app.storage.database import Database
from app.storage.encrypted_fields import payload_aad, step_aad
from app.storage.encryption import KEY_ID_LENGTH, DecryptionError, Keyring
from app.storage.schema import steps, submissions

LOOKED_AT = 2000  # rows in one look
BATCH = 100  # values in one transaction: short enough that no post waits for it
_NEVER = ""  # before every id


@dataclass(frozen=True)
class RotationResult:
    """`closed` is how many values none of the ring's keys opens; they are left as they are."""

    values: int
    closed: int


async def rotate(database: Database, keyring: Keyring) -> RotationResult:
    """Until nothing is left under another key than the first. Can be run again after `StoreUnavailableError`."""
    values = closed = 0
    for table, column in ((submissions, submissions.c.payload), (steps, steps.c.result), (steps, steps.c.upstream)):
        after: tuple[Any, ...] = (_NEVER, -1)[: len(table.primary_key)]
        while rows := await database.read(partial(_next, table, column, after)):
            after = tuple(rows[-1][:-1])
            old = [row for row in rows if row[-1] != keyring.first]
            for some in (old[start : start + BATCH] for start in range(0, len(old), BATCH)):
                sealed, broken = await database.write(partial(_rotate, table, column, keyring, some))
                values += sealed
                closed += broken
    return RotationResult(values, closed)


def _next(table: Table, column: Column[Any], after: tuple[Any, ...], connection: Connection) -> Sequence[Any]:
    """The keys of the next rows with a value, and which key each is sealed with: looked for without holding up anyone
    who writes."""
    keys = tuple(table.primary_key)
    sealed_with = func.substr(column, 1, KEY_ID_LENGTH)
    query = select(*keys, sealed_with).where(column.is_not(None), _after(keys, after)).order_by(*keys).limit(LOOKED_AT)
    return connection.execute(query).all()


def _rotate(
    table: Table, column: Column[Any], keyring: Keyring, rows: Sequence[Any], connection: Connection
) -> tuple[int, int]:
    """How many were sealed anew, and how many couldn't be opened. Whatever has changed meanwhile is as it is now."""
    sealed = broken = 0
    for *key, _ in rows:
        this = [mine == value for mine, value in zip(table.primary_key, key, strict=True)]
        before = connection.execute(select(column).where(*this).with_for_update()).scalar()
        if before is None or before.startswith(keyring.first):
            continue
        try:
            fresh = keyring.encrypt(keyring.decrypt(before, _place(column, *key)), _place(column, *key))
        except DecryptionError:
            broken += 1
            continue
        connection.execute(update(table).where(*this, column == before).values({column.name: fresh}))
        sealed += 1
    return sealed, broken


def _after(keys: tuple[Column[Any], ...], last: tuple[Any, ...]) -> Any:
    return tuple_(*keys) > tuple_(*last) if len(keys) > 1 else keys[0] > last[0]


def _place(column: Column[Any], submission_id: str, position: int | None = None) -> str:
    return payload_aad(submission_id) if position is None else step_aad(submission_id, position, column.name)
