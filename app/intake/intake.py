"""Accepting: a submission and its steps are committed before anyone is answered.

Group commit: requests hand over their rows, one task commits all that wait in one transaction, and each request goes
on after that commit. There is no timer: a batch forms while the commit before it runs.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from app.intake.idempotency import Accepted, Outcome, is_new, resolve_duplicates
from app.intake.new_submission import NewSubmission
from app.intake.rows import RowBuilder, SubmissionRows
from app.storage.database import Database, StoreUnavailableError
from app.storage.encryption import KeyedHash, Keyring

LARGEST_BATCH = 32  # one statement's worth; larger ones make the slowest answers slower
MOST_WAITING = 1000
TURNS = 2  # of the loop: posts at hand come along, or many would wait while the first of them is committed alone

log = structlog.get_logger()


class Intake:
    """`accept` from any number of requests; `run` is the one task that commits."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        contact_hash: KeyedHash,
        on_accepted: Callable[[Sequence[Mapping[str, Any]]], None],
    ) -> None:
        """`on_accepted` hears of each commit's new submissions, as their rows."""
        self._database = database
        self._new_rows = RowBuilder(database.engine.dialect, keyring, contact_hash)
        self._on_accepted = on_accepted
        self._waiting: list[tuple[SubmissionRows, asyncio.Future[Accepted]]] = []
        self._filled = asyncio.Event()
        self._stopping = False

    async def accept(self, new: NewSubmission) -> Accepted:
        """Returns once committed. Raises `StoreUnavailableError`, `IdempotencyConflictError`: nothing was stored."""
        if self._stopping:
            raise StoreUnavailableError("the service is stopping")
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailableError("too many are waiting to be stored")
        answer: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._new_rows.of(new), answer))
        del new  # many wait here, and the next ones are made the quicker the less of these is in the way
        self._filled.set()
        return await answer

    async def run(self) -> None:
        """Until `stop`, and then until nothing waits."""
        while not self._stopping or self._waiting:
            await self._filled.wait()
            await self._commit_waiting()

    def stop(self) -> None:
        self._stopping = True
        self._filled.set()

    async def _commit_waiting(self) -> None:
        for _ in range(TURNS):
            if len(self._waiting) < LARGEST_BATCH:
                await asyncio.sleep(0)
        batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
        if not self._waiting and not self._stopping:
            self._filled.clear()
        if not batch:
            return
        batch.sort(key=_repeat_key)  # else two replicas that store the same keys could each wait for the other
        try:
            outcomes = await self._commit([rows for rows, _ in batch])
        except Exception as error:
            outcomes = [error] * len(batch)
        for (_, answer), outcome in zip(batch, outcomes, strict=True):
            if answer.done():
                continue  # the caller hung up; what was committed stays
            if isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)
        new = [rows.submission for (rows, _), outcome in zip(batch, outcomes, strict=True) if is_new(outcome)]
        if new:
            log.info("accepted", submissions=[row["id"] for row in new])  # a line for each commit
            self._on_accepted(new)

    async def _commit(self, batch: Sequence[SubmissionRows]) -> Sequence[Outcome | Exception]:
        """In the hope that nothing is a repeat: that is the rule, and to look first would cost each post."""
        try:
            return await self._database.write(lambda connection: self._insert(connection, batch))
        except StoreUnavailableError as error:
            _unless_clash(error)
        try:
            return await self._database.write(lambda connection: self._insert_new(connection, batch))
        except StoreUnavailableError as error:
            _unless_clash(error)
        # Another replica took a key just now, or a row can't be held: each for itself, so that it fails no other.
        outcomes: list[Outcome | Exception] = []
        for rows in batch:
            try:
                outcomes += await self._database.write(lambda connection, one=rows: self._insert_new(connection, [one]))  # type: ignore[misc]
            except StoreUnavailableError as error:
                outcomes.append(error)
        return outcomes

    def _insert(self, connection: Connection, batch: Sequence[SubmissionRows]) -> list[Accepted]:
        self._new_rows.insert(connection, batch)
        return [Accepted(rows.id, repeated=False) for rows in batch]

    def _insert_new(self, connection: Connection, batch: Sequence[SubmissionRows]) -> list[Outcome]:
        outcomes, fresh = resolve_duplicates(connection, batch)
        if fresh:
            self._new_rows.insert(connection, fresh)
        return outcomes


def _repeat_key(waiting: tuple[SubmissionRows, object]) -> bytes:
    return waiting[0].submission["repeat_key"] or b""


def _unless_clash(error: StoreUnavailableError) -> None:
    if not isinstance(error.__cause__, IntegrityError | DataError):
        raise error
