"""Intake of submissions: each is committed with its steps before its post is answered."""

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

# Submissions in one transaction. On SQLite each batch costs the posts' own core two switches between threads. On
# PostgreSQL the next posts are read meanwhile, of which larger batches leave none.
SQLITE_BATCH, POSTGRESQL_BATCH = 64, 32
MAX_WAITING = 1000
TURNS = 2  # of the event loop without another post before a commit, so that those already received join it
PATIENCE_SECONDS = 8.0  # how long a post waits for its commit
RETRY_SECONDS = 0.2  # between two checks whether a commit was carried out

MakeSubmission = Callable[[], NewSubmission]

log = structlog.get_logger()


class Intake:
    """Accepts submissions from any number of requests at once."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        contact_hash: KeyedHash,
        on_accepted: Callable[[Sequence[Mapping[str, Any]]], None],
    ) -> None:
        """`on_accepted` is called after each commit with the rows of its new submissions."""
        self._database = database
        self._rows = RowBuilder(database.engine.dialect, keyring, contact_hash)
        self._on_accepted = on_accepted
        limit = SQLITE_BATCH if database.is_sqlite else POSTGRESQL_BATCH
        self._commits: GroupCommit[MakeSubmission, Accepted] = GroupCommit(
            self._commit, limit=limit, turns=TURNS, patience=PATIENCE_SECONDS
        )
        self._stopping = asyncio.Event()

    def accept(self, new: NewSubmission) -> "asyncio.Future[Accepted]":
        """Returns a future that is done once the submission is committed. It raises `StoreUnavailableError` or
        `IdempotencyConflictError` if nothing was stored, as far as the database could be asked."""
        return self.accept_from(lambda: new)

    def accept_from(self, make: MakeSubmission) -> "asyncio.Future[Accepted]":
        """As `accept`, for the submission that `make` returns once its batch is taken; the future also raises what
        `make` raises. So the submissions of a batch are made one after the other, by code that is in the processor's
        cache: 9 % more posts."""
        if self._stopping.is_set():
            return _refused("the service is stopping")
        if len(self._commits) >= MAX_WAITING:
            return _refused("too many are waiting to be stored")
        return self._commits.write(make)

    async def run(self) -> None:
        """Runs until `stop`, and then until no submission waits."""
        await self._stopping.wait()
        await self._commits.drain()

    def stop(self) -> None:
        self._stopping.set()

    async def _commit(self, batch: Sequence[MakeSubmission]) -> Sequence[Accepted | Exception]:
        made = [self._made(make) for make in batch]
        rows = [new for new in made if isinstance(new, SubmissionRows)]
        outcomes = iter(await self._commit_rows(rows) if rows else ())
        return [next(outcomes) if isinstance(new, SubmissionRows) else new for new in made]

    def _made(self, make: MakeSubmission) -> SubmissionRows | Exception:
        try:
            return self._rows.build(make())
        except Exception as error:  # the outcome of this post alone
            return error

    async def _commit_rows(self, batch: Sequence[SubmissionRows]) -> Sequence[Accepted | Exception]:
        # In the order of their keys, otherwise two replicas that store the same keys could deadlock.
        order = sorted(range(len(batch)), key=lambda index: _repeat_key(batch[index]))
        ordered = await self._store([batch[index] for index in order])
        outcomes = dict(zip(order, ordered, strict=True))
        new = [rows.submission for index, rows in enumerate(batch) if is_new(outcomes[index])]
        if new:
            log.info("accepted", submissions=[row["id"] for row in new])  # one line per commit
            try:
                self._on_accepted(new)
            except Exception:  # they are stored, so no answer may say that they are not
                log.exception("accepted, but not counted", submissions=[row["id"] for row in new])
        return [outcomes[index] for index in range(len(batch))]

    async def _store(self, batch: Sequence[SubmissionRows]) -> Sequence[Accepted | Exception]:
        """Looks for repeats only if the insert fails: they are rare, and to look first would cost each post."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        try:
            return await self._database.write(partial(self._insert, batch), pipelined=True)
        except CommitUnknownError:
            pass
        except StoreUnavailableError as error:
            _raise_unless_clash(error)
        try:
            return await self._insert_or_find(batch, deadline)
        except StoreUnavailableError as error:
            _raise_unless_clash(error)
        # Another replica has just taken a key, or a row is invalid: one by one, so that it fails no other.
        outcomes: list[Accepted | Exception] = []
        for rows in batch:
            try:
                outcomes += await self._insert_or_find([rows], deadline)
            except StoreUnavailableError as error:
                outcomes.append(error)
        return outcomes

    async def _insert_or_find(self, batch: Sequence[SubmissionRows], deadline: float) -> Sequence[Outcome]:
        """Tries until the deadline, because an earlier commit may have been carried out. Submissions that are stored by
        then are found by their ids. If one is not, its insert waits for the transaction that may still commit the same
        id."""
        while True:
            try:
                return await self._database.write(partial(self._insert_new, batch))
            except StoreUnavailableError as error:
                if _is_clash(error) or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    def _insert(self, batch: Sequence[SubmissionRows], connection: Connection) -> list[Accepted]:
        self._database.require_in_place()
        self._rows.insert(connection, batch)
        return [Accepted(rows.id, repeated=False) for rows in batch]

    def _insert_new(self, batch: Sequence[SubmissionRows], connection: Connection) -> list[Outcome]:
        self._database.require_in_place()
        outcomes, new = resolve_duplicates(connection, batch)
        if new:
            self._rows.insert(connection, new)
        return outcomes


def _refused(reason: str) -> "asyncio.Future[Accepted]":
    refused: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
    refused.set_exception(StoreUnavailableError(reason))
    return refused


def _repeat_key(rows: SubmissionRows) -> bytes:
    return rows.submission["repeat_key"] or b""


def _is_clash(error: StoreUnavailableError) -> bool:
    return isinstance(error.__cause__, IntegrityError | DataError)


def _raise_unless_clash(error: StoreUnavailableError) -> None:
    if not _is_clash(error):
        raise error
