"""Re-sealing everything that is kept under the ring's first key, in small batches beside a service at work."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select, update

from app.storage.database import Database
from app.storage.encrypted_fields import payload_aad, step_aad
from app.storage.encryption import DecryptionError, Keyring
from app.storage.schema import steps, submissions

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
        while True:
            done = await database.write(partial(_rotate, table, column, keyring, after))
            if done is None:
                break
            after, sealed, broken = done
            values += sealed
            closed += broken
    return RotationResult(values, closed)


def _rotate(
    table: Table, column: Column[Any], keyring: Keyring, after: tuple[Any, ...], connection: Connection
) -> tuple[tuple[Any, ...], int, int] | None:
    """The next batch: the last row's key, how many were sealed and how many couldn't be opened; None at the end."""
    keys = tuple(table.primary_key)
    old = func.substr(column, 1, len(keyring.first)) != keyring.first
    place = _after(keys, after)
    rows = connection.execute(
        select(*keys, column).where(old, place).order_by(*keys).limit(BATCH).with_for_update()
    ).all()
    if not rows:
        return None
    broken = 0
    for *key, sealed in rows:
        try:
            fresh = keyring.seal(keyring.open(sealed, _place(column, *key)), _place(column, *key))
        except DecryptionError:
            broken += 1
            continue
        this = [mine == value for mine, value in zip(keys, key, strict=True)]
        connection.execute(update(table).where(*this).values({column.name: fresh}))
    return tuple(rows[-1][:-1]), len(rows) - broken, broken


def _after(keys: tuple[Column[Any], ...], last: tuple[Any, ...]) -> Any:
    if len(keys) == 1:
        return keys[0] > last[0]
    return (keys[0] > last[0]) | ((keys[0] == last[0]) & (keys[1] > last[1]))


def _place(column: Column[Any], identity: str, position: int | None = None) -> str:
    return payload_aad(identity) if position is None else step_aad(identity, position, column.name)
