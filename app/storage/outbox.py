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
from sqlalchemy import Connection, Row, func, select

from app.domain.submission import DONE, FINAL, GROUPS, STOPPED, FunctionGroup, Operation, Status, StepStatus
from app.storage import statements
from app.storage.database import Database
from app.storage.encryption import Keyring, SealBroken
from app.storage.schema import BODIES, payload_of, resource_of

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
            limit = min(places, left[customer_id], most - len(claims))
            due = {"of_customer": customer_id, "of_group": group.value, "of_now": now, "most": limit}
            found = [str(identity) for (identity,) in connection.execute(statements.DUE, due)]
            left[customer_id] -= len(found)
            for identity in found:
                try:
                    claims.append(self._claim(connection, identity, now))
                except SealBroken as error:  # its lease runs out and it is told of again; the others go on
                    log.error("submission can't be opened", submission=identity, detail=str(error))
        return claims

    def _claim(self, connection: Connection, identity: str, now: datetime) -> Claim:
        token = str(uuid4())
        leased = {"of_submission": identity, "claim": token, "due_at": now + self._lease}
        row = connection.execute(statements.CLAIM, leased).one()
        rows = connection.execute(statements.STEPS, {"of_submission": identity}).all()
        bodies = self._keyring.open(row.payload, payload_of(identity))[BODIES]
        seen = set(connection.execute(statements.NOT_FOUND_BEFORE, {"of_submission": identity}).scalars())
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
            return self._begin(connection, claim, step, self._renew(connection, claim))

        return await self._database.write(work)

    async def record(self, claim: Claim, step: ClaimedStep, attempt: int | None, recorded: Recorded) -> bool:
        """The outcome of an attempt, and with it what is next; says whether the submission's status was settled by it.
        Raises `LeaseLost`."""
        return await self._database.write(
            lambda connection: self._record(connection, claim, step, attempt, recorded)[0]
        )

    async def record_and_begin(
        self, claim: Claim, step: ClaimedStep, attempt: int, recorded: Recorded, then: ClaimedStep
    ) -> tuple[bool, int]:
        """As `record` and then `begin`, in one transaction: between two steps of a chain there is nothing else."""

        def work(connection: Connection) -> tuple[bool, int]:
            settled, now = self._record(connection, claim, step, attempt, recorded)
            return settled, self._begin(connection, claim, then, now)

        return await self._database.write(work)

    def _begin(self, connection: Connection, claim: Claim, step: ClaimedStep, now: datetime) -> int:
        connection.execute(statements.SENDING, _of(claim, step))
        row = {"submission_id": claim.id, "position": step.position, "started_at": now}
        return int(connection.execute(statements.BEGIN_ATTEMPT, row).scalar_one())

    def _record(
        self, connection: Connection, claim: Claim, step: ClaimedStep, attempt: int | None, recorded: Recorded
    ) -> tuple[bool, datetime]:
        now = _now(connection)
        values = {"due_at": now + self._lease} | _submission_values(claim, step, recorded, now)
        _fence(connection, claim, values)
        place = f"{claim.id}/{step.position}"
        outcome = {
            "status": recorded.status.value,
            "uncounted": 0 if recorded.counts else 1,
            "result": self._seal(recorded.result, f"{place}/result"),
            "upstream": self._seal(recorded.upstream, f"{place}/upstream"),
        }
        connection.execute(statements.RECORD_STEP, _of(claim, step) | outcome)
        ended = {
            "ended_at": now,
            "outcome": recorded.outcome,
            "http_status": recorded.http_status,
            "detail": (recorded.detail or "")[:DETAIL_LENGTH] or None,
        }
        if attempt is None:
            connection.execute(statements.END_OPEN_ATTEMPTS, _of(claim, step) | ended)
        else:
            connection.execute(statements.END_ATTEMPT, {"of_attempt": attempt} | ended)
        return "settled_at" in values, now

    async def renew(self, claim: Claim) -> None:
        """The lease, from now. Raises `LeaseLost`."""
        await self._database.write(lambda connection: self._renew(connection, claim))

    def _renew(self, connection: Connection, claim: Claim) -> datetime:
        now = _now(connection)
        _fence(connection, claim, {"due_at": now + self._lease})
        return now

    async def hand_back(self, claim: Claim, step: ClaimedStep, due_at: datetime) -> None:
        """A step that is not to be begun now is due again at `due_at`. Raises `LeaseLost`."""
        values = {"claim": None, "due_at": due_at, "function_group": GROUPS[step.operation].value}
        await self._database.write(lambda connection: _fence(connection, claim, values))

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
    else:  # if this worker dies now, the next one finds the submission among those of the next step's password
        then = next(one for one in claim.steps if one.position > step.position)
        values |= {"function_group": GROUPS[then.operation].value}
    before = step.position <= _main_position(claim)
    if before and (stopped or (step.operation is claim.operation and recorded.status in FINAL)):
        values |= {"status": Status(recorded.status.value).value, "settled_at": now}
        if recorded.status is StepStatus.REJECTED:
            values["repeat_key"] = None  # a refusal is never replayed as an answer
    return values


def _main_position(claim: Claim) -> int:
    """Where the submission's own operation stands; -1 when it is done."""
    return next((step.position for step in claim.steps if step.operation is claim.operation), -1)


def _of(claim: Claim, step: ClaimedStep) -> dict[str, Any]:
    return {"of_submission": claim.id, "of_position": step.position}


def _fence(connection: Connection, claim: Claim, values: Mapping[str, Any]) -> None:
    """Sets columns of a submission that is still ours. Raises `LeaseLost`."""
    statement = statements.fenced(tuple(values))
    changed = connection.execute(statement, {"of_submission": claim.id, "of_claim": claim.token, **values})
    if changed.rowcount != 1:
        raise LeaseLost(claim.id)


def _now(connection: Connection) -> datetime:
    """By the database's clock on PostgreSQL, where workers on several machines share the leases."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now
