"""Key rotation: re-encrypts stored data with the first key, in small batches, while the service runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select, tuple_, update

from app.storage.database import Database
from app.storage.driver.checkpoints import empty_log
from app.storage.encrypted_fields import payload_aad, step_aad
from app.storage.encryption import KEY_ID_LENGTH, DecryptionError, Keyring
from app.storage.schema import steps, submissions

READ_BATCH = 2000  # rows in one query
BATCH = 100  # values in one transaction: short enough that no post waits for it
_BEFORE_ALL_IDS = ""


@dataclass(frozen=True)
class RotationResult:
    """Numbers of re-encrypted values, and of those that no key decrypts, which are left unchanged."""

    values: int
    unreadable: int


@dataclass(frozen=True)
class _Rotated(RotationResult):
    """`locked` are the rows that another transaction had locked."""

    locked: Sequence[Any]


async def rotate(database: Database, keyring: Keyring) -> RotationResult:
    """Returns when everything is encrypted with the first key. Can be repeated after `StoreUnavailableError`."""
    values = unreadable = 0
    for table, column in ((submissions, submissions.c.payload), (steps, steps.c.result), (steps, steps.c.upstream)):
        after: tuple[Any, ...] = (_BEFORE_ALL_IDS, -1)[: len(table.primary_key)]
        while rows := await database.read(partial(_next, table, column, after)):
            after = tuple(rows[-1][:-1])
            old = [row for row in rows if row[-1] != keyring.first]
            batches = [old[start : start + BATCH] for start in range(0, len(old), BATCH)]
            while batches:
                result = await database.write(partial(_rotate, table, column, keyring, batches.pop()))
                values += result.values
                unreadable += result.unreadable
                batches += [[row] for row in result.locked]
    await empty_log(database.engine)  # which still holds values that an old key opens
    return RotationResult(values, unreadable)


def _next(table: Table, column: Column[Any], after: tuple[Any, ...], connection: Connection) -> Sequence[Any]:
    """The primary keys of the next rows with a value, and the id of the encryption key of each; a read, so that writers
    are not blocked."""
    keys = tuple(table.primary_key)
    encrypted_with = func.substr(column, 1, KEY_ID_LENGTH)
    query = (
        select(*keys, encrypted_with).where(column.is_not(None), _after(keys, after)).order_by(*keys).limit(READ_BATCH)
    )
    return connection.execute(query).all()


def _rotate(
    table: Table, column: Column[Any], keyring: Keyring, rows: Sequence[Any], connection: Connection
) -> _Rotated:
    """Re-encrypts the rows' values as they are by now. Waits for a lock only for a single row: several are not locked
    in delivery's order (`delivery.circuit_breaker`), so a wait could end in a deadlock."""
    rotated = unreadable = 0
    locked = []
    for row in rows:
        *key, _ = row
        is_row = [part == value for part, value in zip(table.primary_key, key, strict=True)]
        lock = select(column).where(*is_row).with_for_update(skip_locked=len(rows) > 1)
        stored = connection.execute(lock).one_or_none()
        if stored is None:
            locked += [row] if len(rows) > 1 else []
            continue
        [before] = stored
        if before is None or before.startswith(keyring.first):
            continue
        try:
            reencrypted = keyring.encrypt(keyring.decrypt(before, _aad(column, *key)), _aad(column, *key))
        except DecryptionError:
            unreadable += 1
            continue
        connection.execute(update(table).where(*is_row).values({column.name: reencrypted}))
        rotated += 1
    return _Rotated(rotated, unreadable, locked)


def _after(keys: tuple[Column[Any], ...], last: tuple[Any, ...]) -> Any:
    return tuple_(*keys) > tuple_(*last) if len(keys) > 1 else keys[0] > last[0]


def _aad(column: Column[Any], submission_id: str, position: int | None = None) -> str:
    return payload_aad(submission_id) if position is None else step_aad(submission_id, position, column.name)
