"""The outbox: submissions to deliver, claimed under a lease, with each step's outcome recorded.

A claim writes a token and moves `due_at` to the end of the lease. If the worker dies, the lease runs out and the
submission is due again. Every change by a worker requires its token, so a worker that wakes up too late records nothing
and sends nothing.
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
from app.delivery.claims import Claim, ClaimedStep, CredentialKey, LeaseLostError, Signal, StepOutcome
from app.domain.submission import FINAL, STOPPED, AttemptOutcome, Status, StepStatus
from app.operations.registry import group_of
from app.storage.database import CommitUnknownError, Database, StoreUnavailableError, began_of, now_of
from app.storage.encrypted_fields import step_aad
from app.storage.encryption import Keyring
from app.storage.group_commit import GroupedWrites
from app.storage.schema import attempts, steps, submissions

T = TypeVar("T")

DETAIL_LENGTH = 200
RETRY_SECONDS = 0.5  # between two tries to record while the database is unavailable

log = structlog.get_logger()


@dataclass
class _Try:
    """One try to write: its time by the database's clock, when its transaction began, and what its work returned."""

    now: datetime
    began: float
    result: Any


class Outbox:
    """`lease` is how long a claim lasts without renewal; for `patience` see `Claiming`."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        circuit_breaker: CircuitBreaker,
        lease: timedelta,
        patience: timedelta,
    ) -> None:
        self._database = database
        self._grouped = GroupedWrites(database)
        self._keyring = keyring
        self._circuit_breaker = circuit_breaker
        self._lease = lease
        self._claiming = Claiming(keyring, circuit_breaker, lease, patience)
        self._in_doubt: list[Claim] = []  # claims of which it is unknown whether they were committed

    async def is_due(self, customers: Collection[str]) -> bool:
        """Whether any submission of these customers can be claimed now. Raises `StoreUnavailableError`."""
        if self._in_doubt:
            return True
        return await self._database.read(lambda connection: self._claiming.is_due(connection, customers))

    async def claim_due(
        self, room: Mapping[str, int], limit: int, in_flight: Mapping[str, Sequence[str]] | None = None
    ) -> list[Claim]:
        """Claims at most `limit` due submissions, and at most `room` for each customer, and marks their first steps as
        being sent. Submissions in `in_flight` (ids by customer) are left out.

        Raises `StoreUnavailableError`. If the answer to the commit was lost and it can't be checked now, the next call
        returns the submissions that it claimed.
        """
        if self._in_doubt:
            return await self._resolve_claims_in_doubt()
        claims: list[Claim] = []

        def work(connection: Connection) -> None:
            claims[:] = self._claiming.claim(connection, room, limit, in_flight or {})

        try:
            await self._database.write(work)
        except CommitUnknownError as error:
            log.warning("claims in doubt", detail=str(error), count=len(claims))
            self._in_doubt = claims
            return await self._resolve_claims_in_doubt()
        return claims

    async def _resolve_claims_in_doubt(self) -> list[Claim]:
        """The doubtful claims that were in fact committed. The row locks wait for a transaction that may still
        commit."""

        def work(connection: Connection) -> set[str]:
            of_them = submissions.c.id.in_([claim.id for claim in self._in_doubt])
            rows = connection.execute(
                select(submissions.c.claim).where(of_them).order_by(submissions.c.id).with_for_update()
            )
            return set(rows.scalars())

        tokens = await self._database.write(work)
        claims, self._in_doubt = [claim for claim in self._in_doubt if claim.token in tokens], []
        return claims

    async def record(self, claim: Claim, step: ClaimedStep, outcome: StepOutcome) -> bool:
        """Records the outcome of an attempt, and what happens next. Returns whether this settled the submission's
        status. Raises `LeaseLostError`."""
        no_call = outcome.outcome in {AttemptOutcome.SKIPPED, AttemptOutcome.BLOCKED}
        return await self._persist(
            claim,
            step,
            lambda connection, now: self._record(connection, claim, step, outcome, now),
            status=outcome.status if no_call else None,
            signal=outcome.signal,
        )

    async def record_and_begin(
        self, claim: Claim, step: ClaimedStep, outcome: StepOutcome, then: ClaimedStep
    ) -> tuple[bool, bool]:
        """As `record`, and marks the next step as being sent in the same transaction. Also returns whether it did so:
        if the next step's login is paused, the submission is released instead. Raises `LeaseLostError`."""

        def work(connection: Connection, now: datetime) -> tuple[bool, bool]:
            group = group_of(then.operation)
            other_login = group is not group_of(step.operation)
            if other_login and self._circuit_breaker.is_paused(connection, (claim.customer_id, group)):
                return self._record(connection, claim, step, outcome, now, releases=True), False
            return self._record(connection, claim, step, outcome, now, then=then), True

        return await self._persist(claim, step, work, signal=outcome.signal)

    async def begin(self, claim: Claim, step: ClaimedStep) -> None:
        """Marks the step as being sent; to be called before its call. Raises `LeaseLostError`."""

        def work(connection: Connection, now: datetime) -> None:
            begun = {"begun_position": step.position, "started_at": now}
            _change(connection, claim, {"due_at": now + self._lease}, begun=begun)

        await self._persist(claim, step, work)

    async def renew(self, claim: Claim) -> None:
        """Extends the lease, counted from now. Raises `LeaseLostError`, `StoreUnavailableError`."""

        def work(connection: Connection) -> float:
            _change(connection, claim, {"due_at": now_of(connection) + self._lease})
            return began_of(connection)

        began = await self._grouped.write(work, _order(claim, claim.steps[0]))
        claim.lease.until = began + self._lease.total_seconds()

    async def _persist(
        self,
        claim: Claim,
        step: ClaimedStep,
        work: Callable[[Connection, datetime], T],
        status: StepStatus | None = None,
        signal: Signal | None = None,
    ) -> T:
        """Retries until the database is available, unless another worker has taken over by then. If the answer to a
        commit was lost, it first checks whether the commit happened: by the time of the attempt or, if there is none,
        by the step's `status`. The lease is then as long as that try has made it, and may have run out."""
        in_doubt: list[_Try] = []
        latest: list[_Try] = []

        def once(connection: Connection) -> tuple[T, float]:
            for earlier in in_doubt:
                if _is_written(connection, claim, step, earlier.now, status):
                    return earlier.result, earlier.began
            now, began = now_of(connection), began_of(connection)
            result = work(connection, now)
            latest[:] = [_Try(now, began, result)]
            return result, began

        def lock(connection: Connection) -> None:
            if signal is not None:
                self._circuit_breaker.lock(connection, _credential(claim, step), signal)

        while True:
            latest.clear()
            try:
                result, began = await self._grouped.write(once, _order(claim, step), lock)
            except StoreUnavailableError as error:
                if isinstance(error, CommitUnknownError):
                    in_doubt += latest
                log.error("store unavailable", submission=claim.id, detail=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                claim.lease.until = began + self._lease.total_seconds()
                return result

    def _record(
        self,
        connection: Connection,
        claim: Claim,
        step: ClaimedStep,
        outcome: StepOutcome,
        now: datetime,
        *,
        then: ClaimedStep | None = None,
        releases: bool = False,
    ) -> bool:
        values = {"due_at": now + self._lease} | _submission_values(claim, step, outcome, now)
        if releases:
            values |= {"claim": None, "due_at": now}
        begun = {"begun_position": then.position, "started_at": now} if then else None
        _change(connection, claim, values, self._attempt(claim, step, outcome, now), begun)
        credential, signal = _credential(claim, step), outcome.signal
        if signal is not None and self._circuit_breaker.changes(credential, signal):
            self._circuit_breaker.record(connection, credential, signal, now, outcome.named, claim.id)
        return "settled_at" in values

    def _attempt(self, claim: Claim, step: ClaimedStep, outcome: StepOutcome, now: datetime) -> dict[str, Any]:
        return {
            "of_position": step.position,
            "step_status": outcome.status.value,
            "uncounted": 0 if outcome.counts else 1,
            "not_found": outcome.not_found,
            "result": self._encrypted(outcome.result, step_aad(claim.id, step.position, "result")),
            "upstream": self._encrypted(outcome.upstream, step_aad(claim.id, step.position, "upstream")),
            "ended_at": now,
            "outcome": outcome.outcome.value,
            "http_status": outcome.http_status,
            "detail": (outcome.detail or "")[:DETAIL_LENGTH] or None,
        }

    def _encrypted(self, value: Any, aad: str) -> bytes | None:
        return None if value is None else self._keyring.encrypt(value, aad)


def _submission_values(claim: Claim, step: ClaimedStep, outcome: StepOutcome, now: datetime) -> dict[str, Any]:
    """New column values of the submission. Its status follows its own operation, or an earlier step that stops the
    chain: one that was rejected, given up or parked."""
    values: dict[str, Any] = {}
    stopped = outcome.status in STOPPED
    if outcome.status is StepStatus.WAITING:
        due_at = now + (outcome.retry_in or timedelta(0))
        values |= {"claim": None, "due_at": due_at, "at_recovery": outcome.at_recovery}
    elif stopped or step.position == claim.steps[-1].position:
        values |= {"claim": None, "due_at": None}
    else:  # if this worker dies now, the next claim needs the next step's password
        then = next(later for later in claim.steps if later.position > step.position)
        values |= {"function_group": group_of(then.operation).value}
    up_to_main = step.position <= _main_position(claim)
    if up_to_main and (stopped or (step.operation is claim.operation and outcome.status in FINAL)):
        values |= {"status": Status(outcome.status.value).value, "settled_at": now}
        if outcome.status is StepStatus.REJECTED:
            values["repeat_key"] = None  # a refusal is never replayed as an answer
    return values


def _order(claim: Claim, step: ClaimedStep) -> tuple[str, str, str]:
    """Sort key for writes: by login, then by id, which is the order in which changes to a login lock its
    submissions."""
    customer, group = _credential(claim, step)
    return customer, group.value, claim.id


def _credential(claim: Claim, step: ClaimedStep) -> CredentialKey:
    return claim.customer_id, group_of(step.operation)


def _main_position(claim: Claim) -> int:
    """The position of the submission's own operation among the remaining steps; -1 if it is done."""
    return next((step.position for step in claim.steps if step.operation is claim.operation), -1)


def _change(
    connection: Connection,
    claim: Claim,
    values: Mapping[str, Any],
    outcome: Mapping[str, Any] | None = None,
    begun: Mapping[str, Any] | None = None,
) -> None:
    """Sets columns of a submission that is still ours. The same statement records the `outcome` of an attempt and marks
    the next as `begun`. Raises `LeaseLostError` if nothing was written."""
    of_claim = {"of_submission": claim.id, "of_claim": claim.token}
    change = statements.fenced(tuple(values), records=outcome is not None, begins=begun is not None)
    if not change.execute(connection, {**of_claim, **values, **(outcome or {}), **(begun or {})}):
        raise LeaseLostError(claim.id)


def _is_written(
    connection: Connection, claim: Claim, step: ClaimedStep, now: datetime, status: StepStatus | None
) -> bool:
    """Whether an earlier try was committed. The row lock waits for a transaction that may still commit."""
    connection.execute(select(submissions.c.id).where(submissions.c.id == claim.id).with_for_update())
    if status is not None:
        of_step = steps.c.submission_id == claim.id, steps.c.position == step.position
        return connection.execute(select(steps.c.status).where(*of_step)).scalar() == status
    at_that_time = (attempts.c.started_at == now) | (attempts.c.ended_at == now)
    query = select(attempts.c.id).where(attempts.c.submission_id == claim.id, at_that_time)
    return connection.execute(query).first() is not None
