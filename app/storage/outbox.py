"""What is to be delivered: claimed under a lease, recorded step by step.

A claim moves `due_at` to the end of its lease and writes a token. Whoever holds the token may record; a worker that
died lets the lease run out, and the submission is due again. Every change by a worker is fenced by the token, so that
one which wakes up late records nothing and sends nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Connection, Row, func, insert, select, update

from app.domain.submission import DONE, FINAL, GROUPS, STOPPED, FunctionGroup, Operation, Status, StepStatus
from app.storage.database import Database
from app.storage.encryption import Keyring, SealBroken
from app.storage.schema import BODIES, attempts, payload_of, resource_of, steps, submissions

DETAIL_LENGTH = 200

log = structlog.get_logger()


Lane = tuple[str, FunctionGroup]  # a customer, and whose password the next step needs


class LeaseLost(Exception):
    """Another worker has taken over: nothing was written."""


@dataclass(frozen=True)
class ClaimedStep:
    """A step that is not done. `interrupted`: its call had begun when its worker died."""

    position: int
    operation: Operation
    resource: tuple[str, ...]
    body: Mapping[str, Any]
    attempts: int
    interrupted: bool
    was_not_found: bool


@dataclass(frozen=True)
class Claim:
    """A submission that is ours until the lease runs out, with its steps still to do, in order."""

    id: str
    token: str
    customer_id: str
    operation: Operation
    delivery_since: datetime
    steps: tuple[ClaimedStep, ...]
    results: Mapping[Operation, str | None]  # what the steps before have answered


@dataclass(frozen=True)
class Recorded:
    """What became of an attempt. `status` is the step's from now on; a `waiting` step is due at `due_at`.
    `counts`: whether the attempt is one of those that the step has spent."""

    status: StepStatus
    outcome: str
    http_status: int | None = None
    detail: str | None = None
    result: str | None = None
    upstream: Any = None
    due_at: datetime | None = None
    counts: bool = True


class Outbox:
    def __init__(self, database: Database, keyring: Keyring, lease: timedelta) -> None:
        self._database = database
        self._keyring = keyring
        self._lease = lease

    async def claim_due(self, room: Mapping[Lane, int], most: int) -> list[Claim]:
        """At most `most` due submissions, of each lane at most its room, of each customer at most the largest room of
        its lanes; in a lane the longest due first."""
        return await self._database.write(lambda connection: self._claim_due(connection, room, most))

    def _claim_due(self, connection: Connection, room: Mapping[Lane, int], most: int) -> list[Claim]:
        now = _now(connection)
        claims: list[Claim] = []
        left: dict[str, int] = {}
        for (customer_id, _), places in room.items():
            left[customer_id] = max(places, left.get(customer_id, 0))
        for (customer_id, group), places in room.items():
            if len(claims) == most:
                break
            due = (
                select(submissions.c.id)
                .where(
                    submissions.c.customer_id == customer_id,
                    submissions.c.function_group == group,
                    submissions.c.due_at <= now,
                )
                .order_by(submissions.c.due_at)
                .limit(min(places, left[customer_id], most - len(claims)))
                .with_for_update(skip_locked=True)
            )
            found = connection.execute(due).all()
            left[customer_id] -= len(found)
            for (identity,) in found:
                try:
                    claims.append(self._claim(connection, identity, now))
                except SealBroken as error:  # its lease runs out and it is told of again; the others go on
                    log.error("submission can't be opened", submission=identity, detail=str(error))
        return claims

    def _claim(self, connection: Connection, identity: str, now: datetime) -> Claim:
        token = str(uuid4())
        row = connection.execute(
            update(submissions)
            .where(submissions.c.id == identity)
            .values(claim=token, due_at=now + self._lease)
            .returning(
                submissions.c.customer_id, submissions.c.operation, submissions.c.delivery_since, submissions.c.payload
            )
        ).one()
        rows = connection.execute(
            select(steps).where(steps.c.submission_id == identity).order_by(steps.c.position)
        ).all()
        bodies = self._keyring.open(row.payload, payload_of(identity))[BODIES]
        seen = _not_found(connection, identity)
        return Claim(
            identity,
            token,
            row.customer_id,
            Operation(row.operation),
            row.delivery_since,
            tuple(_step(step, bodies, step.position in seen) for step in rows if step.status not in FINAL),
            {Operation(step.operation): self._result(step) for step in rows if step.status in DONE},
        )

    def _result(self, row: Row[Any]) -> str | None:
        if row.result is None:
            return None
        result: str = self._keyring.open(row.result, f"{row.submission_id}/{row.position}/result")
        return result

    async def begin(self, claim: Claim, step: ClaimedStep) -> int:
        """Marks the step as being sent, in a transaction of its own, before the call. The attempt's id.
        Raises `LeaseLost`."""

        def work(connection: Connection) -> int:
            now = self._renew(connection, claim)
            _set_step(connection, claim, step, status=StepStatus.SENDING.value, attempts=steps.c.attempts + 1)
            row = {"submission_id": claim.id, "position": step.position, "started_at": now}
            return int(connection.execute(insert(attempts).values(row).returning(attempts.c.id)).scalar_one())

        return await self._database.write(work)

    async def record(self, claim: Claim, step: ClaimedStep, attempt: int | None, recorded: Recorded) -> bool:
        """The outcome of an attempt, and with it what is next; says whether the submission's status was settled by it.
        Raises `LeaseLost`."""
        return await self._database.write(lambda connection: self._record(connection, claim, step, attempt, recorded))

    def _record(
        self, connection: Connection, claim: Claim, step: ClaimedStep, attempt: int | None, recorded: Recorded
    ) -> bool:
        now = self._renew(connection, claim)
        place = f"{claim.id}/{step.position}"
        _set_step(
            connection,
            claim,
            step,
            status=recorded.status.value,
            attempts=steps.c.attempts if recorded.counts else steps.c.attempts - 1,
            result=self._seal(recorded.result, f"{place}/result"),
            upstream=self._seal(recorded.upstream, f"{place}/upstream"),
        )
        ended = {
            "ended_at": now,
            "outcome": recorded.outcome,
            "http_status": recorded.http_status,
            "detail": (recorded.detail or "")[:DETAIL_LENGTH] or None,
        }
        of_step = (attempts.c.submission_id == claim.id) & (attempts.c.position == step.position)
        which = attempts.c.id == attempt if attempt else of_step & attempts.c.ended_at.is_(None)
        connection.execute(update(attempts).where(which).values(ended))
        values = _submission_values(claim, step, recorded, now)
        if values:
            connection.execute(update(submissions).where(submissions.c.id == claim.id).values(values))
        return "settled_at" in values

    async def renew(self, claim: Claim) -> None:
        """The lease, from now. Raises `LeaseLost`."""
        await self._database.write(lambda connection: self._renew(connection, claim))

    def _renew(self, connection: Connection, claim: Claim) -> datetime:
        now = _now(connection)
        renewed = connection.execute(
            update(submissions)
            .where(submissions.c.id == claim.id, submissions.c.claim == claim.token)
            .values(due_at=now + self._lease)
        )
        if renewed.rowcount != 1:
            raise LeaseLost(claim.id)
        return now

    async def hand_back(self, claim: Claim, step: ClaimedStep, due_at: datetime) -> None:
        """A step that is not to be begun now is due again at `due_at`. Raises `LeaseLost`."""

        def work(connection: Connection) -> None:
            self._renew(connection, claim)
            values = {"claim": None, "due_at": due_at, "function_group": GROUPS[step.operation].value}
            connection.execute(update(submissions).where(submissions.c.id == claim.id).values(values))

        await self._database.write(work)

    def _seal(self, value: Any, place: str) -> bytes | None:
        return None if value is None else self._keyring.seal(value, place)


def _step(row: Row[Any], bodies: Sequence[Mapping[str, Any]], was_not_found: bool) -> ClaimedStep:
    return ClaimedStep(
        row.position,
        Operation(row.operation),
        resource_of(row.resource),
        bodies[row.position],
        row.attempts,
        interrupted=row.status == StepStatus.SENDING,
        was_not_found=was_not_found,
    )


def _submission_values(claim: Claim, step: ClaimedStep, recorded: Recorded, now: datetime) -> dict[str, Any]:
    """The outcome of the submission's own operation is the submission's, or of a step that stops the chain before it;
    what is refused, given up or parked stops the chain."""
    values: dict[str, Any] = {}
    stopped = recorded.status in STOPPED
    if recorded.status is StepStatus.WAITING:
        values |= {"claim": None, "due_at": recorded.due_at, "function_group": GROUPS[step.operation].value}
    elif stopped or step.position == claim.steps[-1].position:
        values |= {"claim": None, "due_at": None}
    before = step.position <= _main_position(claim)
    if before and (stopped or (step.operation is claim.operation and recorded.status in FINAL)):
        values |= {"status": Status(recorded.status.value).value, "settled_at": now}
        if recorded.status is StepStatus.REJECTED:
            values["repeat_key"] = None  # a refusal is never replayed as an answer
    return values


def _main_position(claim: Claim) -> int:
    """Where the submission's own operation stands; -1 when it is done."""
    return next((step.position for step in claim.steps if step.operation is claim.operation), -1)


def _set_step(connection: Connection, claim: Claim, step: ClaimedStep, **values: Any) -> None:
    this = (steps.c.submission_id == claim.id) & (steps.c.position == step.position)
    connection.execute(update(steps).where(this).values(values))


def _not_found(connection: Connection, identity: str) -> set[int]:
    """Positions of steps that Vitec has answered with 404 before."""
    seen = select(attempts.c.position).where(attempts.c.submission_id == identity, attempts.c.http_status == 404)
    return set(connection.execute(seen).scalars())


def _now(connection: Connection) -> datetime:
    """By the database's clock on PostgreSQL, where workers on several machines share the leases."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now
