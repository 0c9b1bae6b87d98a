"""Accepting: a submission and its steps are committed before anyone is answered.

Group commit: requests hand over their rows, one task commits all that wait in one transaction, and each request goes
on after that commit. There is no timer: a batch forms while the commit before it runs.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import DataError, IntegrityError

from app.domain.submission import GROUPS, NewSubmission, Status, StepStatus
from app.storage.database import Database, StoreUnavailable
from app.storage.encryption import KeyedHash, Keyring
from app.storage.moments import UtcDateTime
from app.storage.row_insert import RowInsert
from app.storage.schema import BODIES, NAMING_A_CONTACT, RESOURCES, open_resource, payload_of, steps, submissions

LARGEST_BATCH = 32  # one statement's worth; larger ones make the slowest answers slower
MOST_WAITING = 1000
SUBMISSION = (
    "id",
    "customer_id",
    "operation",
    "resource",
    "status",
    "language",
    "received_at",
    "delivery_since",
    "payload",
    "email_hash",
    "phone_hash",
    "repeat_key",
    "repeat_content",
    "repeat_until",
    "function_group",
    "due_at",
)
STEP = ("submission_id", "position", "operation", "resource", "status", "attempts")

log = structlog.get_logger()


class RepeatMismatch(Exception):
    """The key was used before, with other content."""


@dataclass(slots=True)
class Accepted:
    """What is on disk now: the new submission, or the one that this post repeats."""

    id: str
    repeated: bool


@dataclass(slots=True)
class _Rows:
    received_at: datetime
    submission: dict[str, Any]
    steps: list[dict[str, Any]]
    accepted: Accepted


_Outcome = Accepted | RepeatMismatch


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
        dialect = database.engine.dialect
        self._submissions = RowInsert(submissions, SUBMISSION, dialect)
        self._steps = RowInsert(steps, STEP, dialect)
        self._moment = UtcDateTime().bind_processor(dialect) or _as_it_is
        self._keyring = keyring
        self._contact_hash = contact_hash
        self._on_accepted = on_accepted
        self._waiting: list[tuple[_Rows, asyncio.Future[Accepted]]] = []
        self._filled = asyncio.Event()
        self._stopping = False

    async def accept(self, new: NewSubmission) -> Accepted:
        """Returns once it is committed. Raises `StoreUnavailable`, or `RepeatMismatch`; then nothing was stored."""
        if self._stopping:
            raise StoreUnavailable("the service is stopping")
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable("too many are waiting to be stored")
        answer: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._rows(new), answer))
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
        batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
        if not self._waiting and not self._stopping:
            self._filled.clear()
        if not batch:
            return
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
        new = [rows.submission for (rows, _), one in zip(batch, outcomes, strict=True) if one is rows.accepted]
        if new:
            log.info(
                "accepted", submissions=[row["id"] for row in new]
            )  # a line for each commit, which is a post's unless many come at once
            self._on_accepted(new)

    async def _commit(self, batch: Sequence[_Rows]) -> Sequence[_Outcome | Exception]:
        """In the hope that nothing is a repeat: that is the rule, and to look first would cost each post."""
        try:
            return await self._database.write(lambda connection: self._insert(connection, batch))
        except StoreUnavailable as error:
            _unless_clash(error)
        try:
            return await self._database.write(lambda connection: self._insert_new(connection, batch))
        except StoreUnavailable as error:
            _unless_clash(error)
        # Another replica took a key just now, or a row can't be held: each for itself, so that it fails no other.
        outcomes: list[_Outcome | Exception] = []
        for rows in batch:
            try:
                outcomes += await self._database.write(lambda connection, one=rows: self._insert_new(connection, [one]))  # type: ignore[misc]
            except StoreUnavailable as error:
                outcomes.append(error)
        return outcomes

    def _insert(self, connection: Connection, batch: Sequence[_Rows]) -> list[Accepted]:
        self._submissions.execute(connection, [rows.submission for rows in batch])
        self._steps.execute(connection, [step for rows in batch for step in rows.steps])
        return [rows.accepted for rows in batch]

    def _insert_new(self, connection: Connection, batch: Sequence[_Rows]) -> list[_Outcome]:
        outcomes, fresh = _sorted_out(batch, _known(connection, batch))
        if fresh:
            self._insert(connection, fresh)
        return outcomes

    def _rows(self, new: NewSubmission) -> _Rows:
        received = self._moment(new.received_at)
        contacts, repeat = new.contacts, new.repeat
        submission = {
            "id": new.id,
            "customer_id": new.customer_id,
            "operation": new.operation.value,
            "resource": open_resource(new.operation, new.resource),
            "status": (Status.HELD if new.held else Status.PENDING).value,
            "language": new.language,
            "received_at": received,
            "delivery_since": received,
            "payload": self._keyring.seal(_payload(new), payload_of(new.id)),
            "email_hash": self._contact_hash.digest(contacts["email"]) if "email" in contacts else None,
            "phone_hash": self._contact_hash.digest(contacts["phone"]) if "phone" in contacts else None,
            "repeat_key": repeat.key if repeat else None,
            "repeat_content": repeat.content if repeat else None,
            "repeat_until": self._moment(new.received_at + repeat.lives) if repeat else None,
            "function_group": GROUPS[new.steps[0].operation].value,
            "due_at": None if new.held else received,
        }
        rows = [
            {
                "submission_id": new.id,
                "position": position,
                "operation": step.operation.value,
                "resource": open_resource(step.operation, step.resource),
                "status": StepStatus.WAITING.value,
                "attempts": 0,
            }
            for position, step in enumerate(new.steps)
        ]
        return _Rows(new.received_at, submission, rows, Accepted(new.id, repeated=False))


def _payload(new: NewSubmission) -> dict[str, Any]:
    payload = {**new.payload, BODIES: [step.body for step in new.steps]}
    if any(step.operation in NAMING_A_CONTACT for step in new.steps):
        payload[RESOURCES] = [step.resource for step in new.steps]
    return payload


def _unless_clash(error: StoreUnavailable) -> None:
    if not isinstance(error.__cause__, IntegrityError | DataError):
        raise error


def _as_it_is(value: Any) -> Any:
    return value


def _sorted_out(
    batch: Sequence[_Rows], known: dict[bytes, tuple[bytes, Accepted]]
) -> tuple[list[_Outcome], list[_Rows]]:
    """What becomes of each, and those that are new."""
    outcomes: list[_Outcome] = []
    fresh: list[_Rows] = []
    for rows in batch:
        key = rows.submission["repeat_key"]
        if key in known:
            content, accepted = known[key]
            outcomes.append(accepted if content == rows.submission["repeat_content"] else RepeatMismatch())
            continue
        if key is not None:  # the same post twice in one batch
            repeat = Accepted(rows.accepted.id, repeated=True)
            known[key] = (rows.submission["repeat_content"], repeat)
        fresh.append(rows)
        outcomes.append(rows.accepted)
    return outcomes, fresh


def _known(connection: Connection, batch: Sequence[_Rows]) -> dict[bytes, tuple[bytes, Accepted]]:
    """Keys in the batch that are taken, with their content; those that have run out are given free."""
    now = {rows.submission["repeat_key"]: rows.received_at for rows in batch}
    now.pop(None, None)
    if not now:
        return {}
    columns = submissions.c
    found = connection.execute(
        select(
            columns.id,
            columns.repeat_key,
            columns.repeat_content,
            columns.repeat_until,
        ).where(columns.repeat_key.in_(now))
    ).all()
    live = [row for row in found if row.repeat_until > now[row.repeat_key]]
    _free(connection, {row.id for row in found} - {row.id for row in live})
    return {row.repeat_key: (row.repeat_content, Accepted(row.id, repeated=True)) for row in live}


def _free(connection: Connection, ids: Iterable[str]) -> None:
    if ids:
        connection.execute(update(submissions).where(submissions.c.id.in_(ids)).values(repeat_key=None))
