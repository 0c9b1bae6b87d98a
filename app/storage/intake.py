"""Accepting: a submission and its steps are committed before anyone is answered.

Group commit: requests hand over their rows, one task commits all that wait in one transaction, and each request goes
on after that commit. There is no timer: a batch forms while the commit before it runs.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from app.domain.submission import GROUPS, NewSubmission, Status, StepStatus
from app.storage.database import Database, StoreUnavailable
from app.storage.encryption import KeyedHash, Keyring
from app.storage.schema import BODIES, payload_of, steps, submissions

LARGEST_BATCH = 256
MOST_WAITING = 1000


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
    submission: dict[str, Any]
    steps: list[dict[str, Any]]
    accepted: Accepted


_Outcome = Accepted | RepeatMismatch


class Intake:
    """`accept` from any number of requests; `run` is the one task that commits."""

    def __init__(
        self, database: Database, keyring: Keyring, contact_hash: KeyedHash, on_accepted: Callable[[], None]
    ) -> None:
        self._database = database
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
        new = [one.id for one in outcomes if isinstance(one, Accepted) and not one.repeated]
        if new:
            log.info("accepted", submissions=new)  # a line for each commit, which is a post's unless many come at once
            self._on_accepted()

    async def _commit(self, batch: Sequence[_Rows]) -> Sequence[_Outcome | Exception]:
        try:
            return await self._database.write(lambda connection: _insert(connection, batch))
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, IntegrityError | DataError):
                raise
        # One row clashes (another replica took its key just now) or can't be held: each for itself, so that it fails
        # no other.
        outcomes: list[_Outcome | Exception] = []
        for rows in batch:
            try:
                outcomes += await self._database.write(lambda connection, one=rows: _insert(connection, [one]))  # type: ignore[misc]
            except StoreUnavailable as error:
                outcomes.append(error)
        return outcomes

    def _rows(self, new: NewSubmission) -> _Rows:
        hashes = {f"{kind}_hash": self._contact_hash.digest(contact) for kind, contact in new.contacts.items()}
        submission = {
            "id": new.id,
            "customer_id": new.customer_id,
            "operation": new.operation.value,
            "resource": "/".join(new.resource),
            "status": Status.PENDING.value,
            "language": new.language,
            "received_at": new.received_at,
            "delivery_since": new.received_at,
            "payload": self._keyring.seal(
                {**new.payload, BODIES: [step.body for step in new.steps]}, payload_of(new.id)
            ),
            "email_hash": hashes.get("email_hash"),
            "phone_hash": hashes.get("phone_hash"),
            "repeat_key": new.repeat.key if new.repeat else None,
            "repeat_content": new.repeat.content if new.repeat else None,
            "repeat_until": new.received_at + new.repeat.lives if new.repeat else None,
            "function_group": GROUPS[new.steps[0].operation].value,
            "due_at": new.received_at,
        }
        rows = [
            {
                "submission_id": new.id,
                "position": position,
                "operation": step.operation.value,
                "resource": "/".join(step.resource),
                "status": StepStatus.WAITING.value,
                "attempts": 0,
            }
            for position, step in enumerate(new.steps)
        ]
        return _Rows(submission, rows, Accepted(new.id, repeated=False))


def _insert(connection: Connection, batch: Sequence[_Rows]) -> list[_Outcome]:
    known = _known(connection, batch)
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
    if fresh:
        connection.execute(insert(submissions), [rows.submission for rows in fresh])
        connection.execute(insert(steps), [step for rows in fresh for step in rows.steps])
    return outcomes


def _known(connection: Connection, batch: Sequence[_Rows]) -> dict[bytes, tuple[bytes, Accepted]]:
    """Keys in the batch that are taken, with their content; those that have run out are given free."""
    now = {rows.submission["repeat_key"]: rows.submission["received_at"] for rows in batch}
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
