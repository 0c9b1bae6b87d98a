"""One claimed submission: its next steps against Vitec, each recorded before the next begins."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from app.delivery.retry_policy import Decision, RetryPolicy, decide
from app.domain.submission import Operation, StepStatus
from app.storage.outbox import Claim, ClaimedStep, Outbox, Recorded
from app.vitec.answers import Answer
from app.vitec.errors import Ambiguous, Rejected, VitecError

log = structlog.get_logger()


class Vitec(Protocol):
    async def post(
        self, operation: Operation, customer_id: str, resource: Sequence[str], body: Mapping[str, Any]
    ) -> Answer: ...


class Deliverer:
    """`parks` are the customers whose ambiguous steps wait for a person; `on_settled` hears of each submission that
    got its outcome."""

    def __init__(
        self,
        outbox: Outbox,
        vitec: Vitec,
        policy: RetryPolicy,
        parks: frozenset[str],
        on_settled: Callable[[str], None],
    ) -> None:
        self._outbox = outbox
        self._vitec = vitec
        self._policy = policy
        self._parks = parks
        self._on_settled = on_settled

    async def deliver(self, claim: Claim) -> VitecError | None:
        """Runs steps until one is not delivered; that one's error. Raises `LeaseLost`, `StoreUnavailable`."""
        for step in claim.steps:
            error = await self._interrupted(claim, step) if step.interrupted else await self._attempt(claim, step)
            if error is not None:
                return error
        return None

    async def _attempt(self, claim: Claim, step: ClaimedStep) -> VitecError | None:
        attempt = await self._outbox.begin(claim, step)
        try:
            answer = await self._vitec.post(step.operation, claim.customer_id, step.resource, step.body)
        except VitecError as error:
            await self._record_error(claim, step, attempt, error, attempts=step.attempts + 1)
            return error
        done = Recorded(StepStatus.DELIVERED, "delivered", http_status=answer.status, result=answer.result)
        await self._record(claim, step, attempt, done)
        return None

    async def _interrupted(self, claim: Claim, step: ClaimedStep) -> VitecError:
        """The worker before us died in the call: it may have been carried out."""
        error = Ambiguous("the worker stopped during the call")
        await self._record_error(claim, step, None, error, attempts=max(step.attempts, 1))
        return error

    async def _record_error(
        self, claim: Claim, step: ClaimedStep, attempt: int | None, error: VitecError, attempts: int
    ) -> None:
        now = datetime.now(UTC)
        decision = decide(
            error,
            self._policy,
            attempts=attempts,
            age=now - claim.received_at,
            park=claim.customer_id in self._parks,
            was_not_found=step.was_not_found,
        )
        await self._record(claim, step, attempt, _recorded(error, decision, now))

    async def _record(self, claim: Claim, step: ClaimedStep, attempt: int | None, recorded: Recorded) -> None:
        settled = await self._outbox.record(claim, step, attempt, recorded)
        needs_person = recorded.status in {StepStatus.REJECTED, StepStatus.FAILED, StepStatus.UNCERTAIN}
        (log.error if needs_person else log.info)(
            "attempt",
            submission=claim.id,
            customer=claim.customer_id,
            operation=step.operation.value,
            step=step.position,
            status=recorded.status.value,
            outcome=recorded.outcome,
            http_status=recorded.http_status,
            detail=recorded.detail,
        )
        if settled:
            self._on_settled(claim.id)


def _recorded(error: VitecError, decision: Decision, now: datetime) -> Recorded:
    return Recorded(
        decision.status,
        outcome=type(error).__name__.lower(),
        http_status=error.status,
        detail=str(error),
        upstream=error.upstream if isinstance(error, Rejected) else None,
        due_at=now + decision.again_in if decision.again_in is not None else None,
        counts=decision.counts,
    )
