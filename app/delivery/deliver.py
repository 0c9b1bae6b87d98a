"""One claimed submission: its next steps against Vitec, each recorded before the next begins."""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from app.delivery.retry_policy import Decision, RetryPolicy, decide
from app.delivery.steps import CannotGoOn, NothingToDo, Results, Vitec, carry_out, check
from app.domain.submission import GROUPS, STOPPED, Operation, StepStatus
from app.storage.outbox import Claim, ClaimedStep, Outbox, Recorded
from app.vitec.errors import Ambiguous, Rejected, VitecError
from app.vitec.pauses import Pauses

log = structlog.get_logger()


class Deliverer:
    """`parks` are the customers whose ambiguous steps wait for a person; `on_settled` hears of each submission that
    got its outcome."""

    def __init__(
        self,
        outbox: Outbox,
        vitec: Vitec,
        policy: RetryPolicy,
        parks: frozenset[str],
        pauses: Pauses,
        on_settled: Callable[[str], None],
    ) -> None:
        self._outbox = outbox
        self._vitec = vitec
        self._policy = policy
        self._parks = parks
        self._pauses = pauses
        self._on_settled = on_settled

    async def deliver(self, claim: Claim) -> None:
        """Runs steps until one is not done. Raises `LeaseLost`, `StoreUnavailable`."""
        results = dict(claim.results)
        for step in claim.steps:
            if step.interrupted and step.operation is not Operation.CONTACT:  # a look-up is simply made again
                return await self._interrupted(claim, step)
            credential = (claim.customer_id, GROUPS[step.operation])
            if step is not claim.steps[0] and self._pauses.rests(credential):
                return await self._outbox.hand_back(claim, step, datetime.now(UTC) + self._policy.probe)
            try:
                results[step.operation] = await self._attempt(claim, step, results)
            except VitecError:
                return None
            except NothingToDo:
                await self._record(claim, step, None, Recorded(StepStatus.SKIPPED, "skipped"))
            except CannotGoOn as error:
                await self._record(claim, step, None, Recorded(StepStatus.FAILED, "failed", detail=str(error)))
                return None
        return None

    async def _attempt(self, claim: Claim, step: ClaimedStep, results: Results) -> str | None:
        """What Vitec answered. Raises the taxonomy, recorded; `NothingToDo`, `CannotGoOn`, not yet recorded."""
        check(claim, step, results)
        attempt = await self._outbox.begin(claim, step)
        try:
            done = await carry_out(self._vitec, claim, step, results)
        except VitecError as error:
            await self._record_error(claim, step, attempt, error, attempts=step.attempts + 1)
            raise
        recorded = Recorded(StepStatus.DELIVERED, "delivered", http_status=done.status, result=done.result)
        await self._record(claim, step, attempt, recorded)
        return done.result

    async def _interrupted(self, claim: Claim, step: ClaimedStep) -> None:
        """The worker before us died in the call: it may have been carried out."""
        error = Ambiguous("the worker stopped during the call")
        await self._record_error(claim, step, None, error, attempts=max(step.attempts, 1))

    async def _record_error(
        self, claim: Claim, step: ClaimedStep, attempt: int | None, error: VitecError, attempts: int
    ) -> None:
        now = datetime.now(UTC)
        decision = decide(
            error,
            self._policy,
            attempts=attempts,
            age=now - claim.delivery_since,
            park=claim.customer_id in self._parks,
            was_not_found=step.was_not_found,
        )
        await self._record(claim, step, attempt, _recorded(error, decision, now))

    async def _record(self, claim: Claim, step: ClaimedStep, attempt: int | None, recorded: Recorded) -> None:
        settled = await self._outbox.record(claim, step, attempt, recorded)
        (log.error if recorded.status in STOPPED else log.info)(
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
