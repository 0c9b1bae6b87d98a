"""Accepting: a submission and its steps are committed before anyone is answered."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from app.intake.idempotency import Accepted, Outcome, is_new, resolve_duplicates
from app.intake.new_submission import NewSubmission
from app.intake.rows import RowBuilder, SubmissionRows
from app.storage.database import CommitUnknownError, Database, StoreUnavailableError
from app.storage.encryption import KeyedHash, Keyring
from app.storage.group_commit import GroupCommit

MAX_BATCH = 32  # one statement's worth; larger ones make the slowest answers slower
MAX_WAITING = 1000
TURNS = 2  # of the loop: posts at hand come along, or many would wait while the first of them is committed alone
PATIENCE_SECONDS = 8.0  # that a post waits for its commit
AGAIN_SECONDS = 0.2  # between two looks whether a commit took place

log = structlog.get_logger()


class Intake:
    """`accept` from any number of requests."""

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
        self._commits: GroupCommit[SubmissionRows, Accepted] = GroupCommit(
            self._commit, limit=MAX_BATCH, turns=TURNS, patience=PATIENCE_SECONDS
        )
        self._stopping = asyncio.Event()

    def accept(self, new: NewSubmission) -> "asyncio.Future[Accepted]":
        """A future that is done once the submission is committed. It raises `StoreUnavailableError` or
        `IdempotencyConflictError` when nothing was stored, as far as the database could be asked."""
        if self._stopping.is_set():
            return _refused("the service is stopping")
        if len(self._commits) >= MAX_WAITING:
            return _refused("too many are waiting to be stored")
        return self._commits.write(self._new_rows.of(new))

    async def run(self) -> None:
        """Until `stop`, and then until nothing waits."""
        await self._stopping.wait()
        await self._commits.drain()

    def stop(self) -> None:
        self._stopping.set()

    async def _commit(self, batch: Sequence[SubmissionRows]) -> Sequence[Accepted | Exception]:
        # In one order, else two replicas that store the same keys could each wait for the other.
        order = sorted(range(len(batch)), key=lambda place: _repeat_key(batch[place]))
        found = await self._committed([batch[place] for place in order])
        outcomes = dict(zip(order, found, strict=True))
        new = [rows.submission for place, rows in enumerate(batch) if is_new(outcomes[place])]
        if new:
            log.info("accepted", submissions=[row["id"] for row in new])  # a line for each commit
            self._on_accepted(new)
        return [outcomes[place] for place in range(len(batch))]

    async def _committed(self, batch: Sequence[SubmissionRows]) -> Sequence[Accepted | Exception]:
        """In the hope that nothing is a repeat: that is the rule, and to look first would cost each post."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        in_doubt = False
        try:
            return await self._database.write(partial(self._insert, batch))
        except CommitUnknownError:
            in_doubt = True
        except StoreUnavailableError as error:
            _unless_clash(error)
        try:
            return await self._insert_or_find(batch, deadline, in_doubt)
        except StoreUnavailableError as error:
            _unless_clash(error)
        # Another replica took a key just now, or a row can't be held: each for itself, so that it fails no other.
        outcomes: list[Accepted | Exception] = []
        for rows in batch:
            try:
                outcomes += await self._insert_or_find([rows], deadline, in_doubt)
            except StoreUnavailableError as error:
                outcomes.append(error)
        return outcomes

    async def _insert_or_find(
        self, batch: Sequence[SubmissionRows], deadline: float, in_doubt: bool
    ) -> Sequence[Outcome]:
        """While nobody knows whether a commit took place, it is tried again: what is there by then is found, and what
        is not there yet waits, at the same ids, for the transaction that may still bring it."""
        while True:
            try:
                return await self._database.write(partial(self._insert_new, batch, in_doubt))
            except StoreUnavailableError as error:
                in_doubt = in_doubt or isinstance(error, CommitUnknownError)
                if not in_doubt or _is_clash(error) or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(AGAIN_SECONDS)

    def _insert(self, batch: Sequence[SubmissionRows], connection: Connection) -> list[Accepted]:
        self._new_rows.insert(connection, batch)
        return [Accepted(rows.id, repeated=False) for rows in batch]

    def _insert_new(self, batch: Sequence[SubmissionRows], in_doubt: bool, connection: Connection) -> list[Outcome]:
        outcomes, fresh = resolve_duplicates(connection, batch, in_doubt=in_doubt)
        if fresh:
            self._new_rows.insert(connection, fresh)
        return outcomes


def _refused(reason: str) -> "asyncio.Future[Accepted]":
    refused: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
    refused.set_exception(StoreUnavailableError(reason))
    return refused


def _repeat_key(rows: SubmissionRows) -> bytes:
    return rows.submission["repeat_key"] or b""


def _is_clash(error: StoreUnavailableError) -> bool:
    return isinstance(error.__cause__, IntegrityError | DataError)


def _unless_clash(error: StoreUnavailableError) -> None:
    if not _is_clash(error):
        raise error
