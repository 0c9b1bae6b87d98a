"""The outbox: submissions to deliver, claimed under a lease and recorded step by step.

A claim moves `due_at` to the end of its lease and writes a token. Whoever holds the token may record; a worker that
died lets the lease run out, and the submission is due again. Every change by a worker is fenced by the token, so that
one which wakes up late records nothing and sends nothing.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from app.delivery import statements
from app.delivery.circuit_breaker import CircuitBreaker
from app.delivery.claiming import Claiming
from app.delivery.claims import Claim, ClaimedStep, LeaseLostError, StepOutcome
from app.domain.submission import FINAL, STOPPED, Status, StepStatus
from app.operations.registry import group_of
from app.storage.database import Database, StoreUnavailableError, now_of
from app.storage.encrypted_fields import step_aad
from app.storage.encryption import Keyring
from app.storage.group_commit import GroupCommit

T = TypeVar("T")

DETAIL_LENGTH = 200
AWAY_SECONDS = 0.5  # between two tries to record while the database is away

log = structlog.get_logger()


class Outbox:
    """`patience` is how long a caller may wait, see `Claiming`."""

    def __init__(
        self, database: Database, keyring: Keyring, logins: CircuitBreaker, lease: timedelta, patience: timedelta
    ) -> None:
        self._database = database
        self._grouped = GroupCommit(database)
        self._keyring = keyring
        self._logins = logins
        self._lease = lease
        self._claiming = Claiming(keyring, logins, lease, patience)

    async def is_due(self, customers: Collection[str]) -> bool:
        """Whether there is anything to claim for these customers. Raises `StoreUnavailableError`."""
        return await self._database.read(lambda connection: self._claiming.is_due(connection, customers))

    async def claim_due(self, room: Mapping[str, int], most: int) -> list[Claim]:
        """At most `most` due submissions, of each customer at most its room; their first steps are marked as being
        sent. Raises `StoreUnavailableError`."""
        return await self._database.write(lambda connection: self._claiming.claim(connection, room, most))

    async def record(self, claim: Claim, step: ClaimedStep, recorded: StepOutcome) -> bool:
        """The outcome of an attempt, and with it what is next; says whether the submission's status was settled by it.
        Raises `LeaseLostError`."""
        return await self._persist(claim, lambda connection: self._record(connection, claim, step, recorded))

    async def record_and_begin(
        self, claim: Claim, step: ClaimedStep, recorded: StepOutcome, then: ClaimedStep
    ) -> tuple[bool, bool]:
        """As `record`, and marks the next step as being sent, in one transaction: between two steps of a chain there
        is nothing else. Says also whether it is; it is handed back where its login rests. Raises `LeaseLostError`."""

        def work(connection: Connection) -> tuple[bool, bool]:
            group = group_of(then.operation)
            elsewhere = group is not group_of(step.operation)
            if elsewhere and self._logins.rests(connection, (claim.customer_id, group)):
                return self._record(connection, claim, step, recorded, hands_back=True), False
            return self._record(connection, claim, step, recorded, then=then), True

        return await self._persist(claim, work)

    async def begin(self, claim: Claim, step: ClaimedStep) -> None:
        """Marks the step as being sent, before the call. Raises `LeaseLostError`."""

        def work(connection: Connection) -> None:
            now = now_of(connection)
            begun = {"begun_position": step.position, "started_at": now}
            _change(connection, claim, {"due_at": now + self._lease}, begun=begun)

        await self._persist(claim, work)

    async def renew(self, claim: Claim) -> None:
        """The lease, from now. Raises `LeaseLostError`, `StoreUnavailableError`."""
        until = self._until()
        await self._grouped.write(lambda connection: self._renew(connection, claim))
        claim.lease.until = until

    async def _persist(self, claim: Claim, work: Callable[[Connection], T]) -> T:
        """What has happened is written as soon as the database takes it, if nobody has taken over by then."""
        while True:
            until = self._until()
            try:
                done = await self._grouped.write(work)
            except StoreUnavailableError as error:
                log.error("store unavailable", submission=claim.id, detail=str(error))
                await asyncio.sleep(AWAY_SECONDS)
            else:
                claim.lease.until = until
                return done

    def _until(self) -> float:
        return time.monotonic() + self._lease.total_seconds()

    def _renew(self, connection: Connection, claim: Claim) -> None:
        _change(connection, claim, {"due_at": now_of(connection) + self._lease})

    def _record(
        self,
        connection: Connection,
        claim: Claim,
        step: ClaimedStep,
        recorded: StepOutcome,
        *,
        then: ClaimedStep | None = None,
        hands_back: bool = False,
    ) -> bool:
        now = now_of(connection)
        values = {"due_at": now + self._lease} | _submission_values(claim, step, recorded, now)
        if hands_back:
            values |= {"claim": None, "due_at": now}
        begun = {"begun_position": then.position, "started_at": now} if then else None
        _change(connection, claim, values, self._attempt(claim, step, recorded, now), begun)
        lane = (claim.customer_id, group_of(step.operation))
        if recorded.news is not None and self._logins.matters(lane, recorded.news):
            self._logins.told(connection, lane, recorded.news, now, recorded.named, claim.id)
        return "settled_at" in values

    def _attempt(self, claim: Claim, step: ClaimedStep, recorded: StepOutcome, now: datetime) -> dict[str, Any]:
        return {
            "of_position": step.position,
            "step_status": recorded.status.value,
            "uncounted": 0 if recorded.counts else 1,
            "not_found": recorded.not_found,
            "result": self._seal(recorded.result, step_aad(claim.id, step.position, "result")),
            "upstream": self._seal(recorded.upstream, step_aad(claim.id, step.position, "upstream")),
            "ended_at": now,
            "outcome": recorded.outcome.value,
            "http_status": recorded.http_status,
            "detail": (recorded.detail or "")[:DETAIL_LENGTH] or None,
        }

    def _seal(self, value: Any, place: str) -> bytes | None:
        return None if value is None else self._keyring.seal(value, place)


def _submission_values(claim: Claim, step: ClaimedStep, recorded: StepOutcome, now: datetime) -> dict[str, Any]:
    """The outcome of the submission's own operation is the submission's, or of a step that stops the chain before it;
    what is refused, given up or parked stops the chain."""
    values: dict[str, Any] = {}
    stopped = recorded.status in STOPPED
    if recorded.status is StepStatus.WAITING:
        due_at = now + (recorded.again_in or timedelta(0))
        values |= {"claim": None, "due_at": due_at, "at_recovery": recorded.at_recovery}
    elif stopped or step.position == claim.steps[-1].position:
        values |= {"claim": None, "due_at": None}
    else:  # if this worker dies now, the next one finds the submission among those of the next step's password
        then = next(one for one in claim.steps if one.position > step.position)
        values |= {"function_group": group_of(then.operation).value}
    before = step.position <= _main_position(claim)
    if before and (stopped or (step.operation is claim.operation and recorded.status in FINAL)):
        values |= {"status": Status(recorded.status.value).value, "settled_at": now}
        if recorded.status is StepStatus.REJECTED:
            values["repeat_key"] = None  # a refusal is never replayed as an answer
    return values


def _main_position(claim: Claim) -> int:
    """Where the submission's own operation stands; -1 when it is done."""
    return next((step.position for step in claim.steps if step.operation is claim.operation), -1)


def _change(
    connection: Connection,
    claim: Claim,
    values: Mapping[str, Any],
    recorded: Mapping[str, Any] | None = None,
    begun: Mapping[str, Any] | None = None,
) -> None:
    """Sets columns of a submission that is still ours, and with them what became of an attempt, and that the next has
    begun. Raises `LeaseLostError`: then nothing was written."""
    mine = {"of_submission": claim.id, "of_claim": claim.token}
    change = statements.fenced(tuple(values), records=recorded is not None, begins=begun is not None)
    if not change.execute(connection, {**mine, **values, **(recorded or {}), **(begun or {})}):
        raise LeaseLostError(claim.id)
