"""The outbox: submissions to deliver, claimed under a lease and recorded step by step.

A claim moves `due_at` to the end of its lease and writes a token. Whoever holds the token may record; a worker that
died lets the lease run out, and the submission is due again. Every change by a worker is fenced by the token, so that
one which wakes up late records nothing and sends nothing.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, select

from app.delivery import statements
from app.delivery.circuit_breaker import CircuitBreaker
from app.delivery.claiming import Claiming
from app.delivery.claims import Claim, ClaimedStep, LeaseLostError, StepOutcome
from app.domain.submission import FINAL, STOPPED, AttemptOutcome, Status, StepStatus
from app.operations.registry import group_of
from app.storage.database import CommitUnknownError, Database, StoreUnavailableError, began_of, now_of
from app.storage.encrypted_fields import step_aad
from app.storage.encryption import Keyring
from app.storage.group_commit import GroupedWrites
from app.storage.schema import attempts, steps, submissions

T = TypeVar("T")

DETAIL_LENGTH = 200
AWAY_SECONDS = 0.5  # between two tries to record while the database is away

log = structlog.get_logger()


@dataclass
class _Try:
    """One try to write: at which moment by the database's clock, and what it would have told."""

    now: datetime
    told: Any


class Outbox:
    """`patience` is how long a caller may wait, see `Claiming`."""

    def __init__(
        self, database: Database, keyring: Keyring, logins: CircuitBreaker, lease: timedelta, patience: timedelta
    ) -> None:
        self._database = database
        self._grouped = GroupedWrites(database)
        self._keyring = keyring
        self._logins = logins
        self._lease = lease
        self._claiming = Claiming(keyring, logins, lease, patience)
        self._in_doubt: list[Claim] = []  # claimed, as far as is known

    async def is_due(self, customers: Collection[str]) -> bool:
        """Whether there is anything to claim for these customers. Raises `StoreUnavailableError`."""
        if self._in_doubt:
            return True
        return await self._database.read(lambda connection: self._claiming.is_due(connection, customers))

    async def claim_due(
        self, room: Mapping[str, int], most: int, in_flight: Mapping[str, Sequence[str]] | None = None
    ) -> list[Claim]:
        """At most `most` due submissions, of each customer at most its room; their first steps are marked as being
        sent. What is in flight, ids by customer, is never among them. Raises `StoreUnavailableError`: what was claimed
        by a commit whose answer was lost is among the next ones."""
        if self._in_doubt:
            return await self._really_claimed()
        claims: list[Claim] = []

        def work(connection: Connection) -> None:
            claims[:] = self._claiming.claim(connection, room, most, in_flight or {})

        try:
            await self._database.write(work)
        except CommitUnknownError as error:
            log.warning("claims in doubt", detail=str(error), count=len(claims))
            self._in_doubt = claims
            return await self._really_claimed()
        return claims

    async def _really_claimed(self) -> list[Claim]:
        """Those of the claims in doubt that are there. To look waits for the transaction that may still bring them."""

        def look(connection: Connection) -> set[str]:
            of_them = submissions.c.id.in_([claim.id for claim in self._in_doubt])
            rows = connection.execute(select(submissions.c.claim).where(of_them).with_for_update())
            return set(rows.scalars())

        tokens = await self._database.write(look)
        claims, self._in_doubt = [claim for claim in self._in_doubt if claim.token in tokens], []
        return claims

    async def record(self, claim: Claim, step: ClaimedStep, recorded: StepOutcome) -> bool:
        """The outcome of an attempt, and with it what is next; says whether the submission's status was settled by it.
        Raises `LeaseLostError`."""
        no_call = recorded.outcome in {AttemptOutcome.SKIPPED, AttemptOutcome.BLOCKED}
        return await self._persist(
            claim,
            step,
            lambda connection, now: self._record(connection, claim, step, recorded, now),
            status=recorded.status if no_call else None,
        )

    async def record_and_begin(
        self, claim: Claim, step: ClaimedStep, recorded: StepOutcome, then: ClaimedStep
    ) -> tuple[bool, bool]:
        """As `record`, and marks the next step as being sent, in one transaction: between two steps of a chain there
        is nothing else. Says also whether it is; it is handed back where its login rests. Raises `LeaseLostError`."""

        def work(connection: Connection, now: datetime) -> tuple[bool, bool]:
            group = group_of(then.operation)
            elsewhere = group is not group_of(step.operation)
            if elsewhere and self._logins.rests(connection, (claim.customer_id, group)):
                return self._record(connection, claim, step, recorded, now, hands_back=True), False
            return self._record(connection, claim, step, recorded, now, then=then), True

        return await self._persist(claim, step, work)

    async def begin(self, claim: Claim, step: ClaimedStep) -> None:
        """Marks the step as being sent, before the call. Raises `LeaseLostError`."""

        def work(connection: Connection, now: datetime) -> None:
            begun = {"begun_position": step.position, "started_at": now}
            _change(connection, claim, {"due_at": now + self._lease}, begun=begun)

        await self._persist(claim, step, work)

    async def renew(self, claim: Claim) -> None:
        """The lease, from now. Raises `LeaseLostError`, `StoreUnavailableError`."""

        def work(connection: Connection) -> float:
            _change(connection, claim, {"due_at": now_of(connection) + self._lease})
            return began_of(connection)

        claim.lease.until = await self._grouped.write(work) + self._lease.total_seconds()

    async def _persist(
        self,
        claim: Claim,
        step: ClaimedStep,
        work: Callable[[Connection, datetime], T],
        status: StepStatus | None = None,
    ) -> T:
        """What has happened is written as soon as the database takes it, if nobody has taken over by then. Where the
        answer to a commit was lost, it is looked first whether it is there: by the moment of its attempt, or, of what
        has none, by the step's `status`."""
        in_doubt: list[_Try] = []
        latest: list[_Try] = []

        def once(connection: Connection) -> tuple[T, float]:
            for before in in_doubt:
                if _is_written(connection, claim, step, before.now, status):
                    return before.told, began_of(connection)
            now = now_of(connection)
            told = work(connection, now)
            latest[:] = [_Try(now, told)]
            return told, began_of(connection)

        while True:
            latest.clear()
            try:
                told, began = await self._grouped.write(once)
            except StoreUnavailableError as error:
                if isinstance(error, CommitUnknownError):
                    in_doubt += latest
                log.error("store unavailable", submission=claim.id, detail=str(error))
                await asyncio.sleep(AWAY_SECONDS)
            else:
                claim.lease.until = began + self._lease.total_seconds()
                return told

    def _record(
        self,
        connection: Connection,
        claim: Claim,
        step: ClaimedStep,
        recorded: StepOutcome,
        now: datetime,
        *,
        then: ClaimedStep | None = None,
        hands_back: bool = False,
    ) -> bool:
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


def _is_written(
    connection: Connection, claim: Claim, step: ClaimedStep, now: datetime, status: StepStatus | None
) -> bool:
    """To look waits, at the submission's row, for the transaction that may still bring it."""
    connection.execute(select(submissions.c.id).where(submissions.c.id == claim.id).with_for_update())
    if status is not None:
        of_step = steps.c.submission_id == claim.id, steps.c.position == step.position
        return connection.execute(select(steps.c.status).where(*of_step)).scalar() == status
    of_then = (attempts.c.started_at == now) | (attempts.c.ended_at == now)
    found = select(attempts.c.id).where(attempts.c.submission_id == claim.id, of_then)
    return connection.execute(found).first() is not None
