"""One claimed submission: its next steps against Vitec, each recorded before the next begins."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from app.delivery.claims import Claim, ClaimedStep, LeaseLostError, Signal, StepOutcome
from app.delivery.outbox import Outbox
from app.delivery.retry_policy import RetryPolicy, decide, signal_of
from app.delivery.steps import CallResult, Results, StepBlocked, StepSkipped, Vitec, check, execute
from app.domain.submission import STOPPED, StepStatus
from app.vitec.errors import Ambiguous, LeaseExpiredError, NotFound, Rejected, VitecError
from app.vitec.throttle import Throttle

log = structlog.get_logger()


class Deliverer:
    """`parks` are the customers whose ambiguous steps wait for a person; `on_settled` hears of each submission that
    got its outcome, and of which step's status that is."""

    def __init__(
        self,
        outbox: Outbox,
        vitec: Vitec,
        policy: RetryPolicy,
        parks: frozenset[str],
        pace: Throttle,
        on_settled: Callable[[Claim, StepStatus], None],
    ) -> None:
        self._outbox = outbox
        self._vitec = vitec
        self._policy = policy
        self._parks = parks
        self._pace = pace
        self._on_settled = on_settled

    async def deliver(self, claim: Claim) -> None:
        """Runs steps until one is not done. Raises `LeaseLostError`."""
        results = dict(claim.results)
        if claim.steps[0].interrupted:
            return await self._interrupted(claim, claim.steps[0])
        begun = True  # by the claim
        for step, then in zip(claim.steps, (*claim.steps[1:], None), strict=True):
            try:
                check(claim, step, results)
            except StepSkipped:
                await self._record(claim, step, StepOutcome(StepStatus.SKIPPED, "skipped", counts=not begun))
                begun = False
                continue
            except StepBlocked as error:
                failed = StepOutcome(StepStatus.FAILED, "failed", detail=str(error), counts=not begun)
                return await self._record(claim, step, failed)
            if not begun:
                await self._outbox.begin(claim, step)
            done = await self._attempt(claim, step, results)
            if done is None:
                return None
            results[step.operation] = done.result
            begun = await self._go_on(claim, step, done, then, results)
            if then is None or (not begun and _can_begin(claim, then, results)):
                return None
        return None

    async def _attempt(self, claim: Claim, step: ClaimedStep, results: Results) -> CallResult | None:
        """What Vitec answered; None when the step is not done, which is recorded."""
        try:
            return await execute(self._vitec, claim, step, results)
        except LeaseExpiredError:
            raise LeaseLostError(claim.id) from None
        except VitecError as error:
            await self._record_error(claim, step, error, attempts=step.attempts + 1)
            return None

    async def _go_on(
        self, claim: Claim, step: ClaimedStep, done: CallResult, then: ClaimedStep | None, results: Results
    ) -> bool:
        """Records a done step, and begins the next in the same transaction where it can: says whether it has."""
        recorded = StepOutcome(
            StepStatus.DELIVERED, "delivered", http_status=done.status, result=done.result, news=Signal.LET_IN
        )
        if then is None or not _can_begin(claim, then, results):
            await self._record(claim, step, recorded)
            return False
        settled, begun = await self._outbox.record_and_begin(claim, step, recorded, then)
        self._tell(claim, step, recorded, settled)
        if begun:
            self._pace.took(claim.customer_id)
        return begun

    async def _interrupted(self, claim: Claim, step: ClaimedStep) -> None:
        """The worker before us died in the call: it may have been carried out."""
        error = Ambiguous("the worker stopped during the call")
        await self._record_error(claim, step, error, attempts=max(step.attempts, 1))

    async def _record_error(self, claim: Claim, step: ClaimedStep, error: VitecError, attempts: int) -> None:
        now = datetime.now(UTC)
        decision = decide(
            error,
            self._policy,
            attempts=attempts,
            age=now - claim.delivery_since,
            park=claim.customer_id in self._parks,
            was_not_found=step.was_not_found,
            probes=claim.probes,
        )
        recorded = StepOutcome(
            decision.status,
            outcome=type(error).__name__.lower(),
            http_status=error.status,
            detail=str(error),
            upstream=error.upstream if isinstance(error, Rejected) else None,
            due_at=now + decision.again_in if decision.again_in is not None else None,
            counts=decision.counts,
            at_recovery=decision.at_recovery,
            not_found=isinstance(error, NotFound) or step.was_not_found,
            news=signal_of(error),
        )
        await self._record(claim, step, recorded)

    async def _record(self, claim: Claim, step: ClaimedStep, recorded: StepOutcome) -> None:
        self._tell(claim, step, recorded, await self._outbox.record(claim, step, recorded))

    def _tell(self, claim: Claim, step: ClaimedStep, recorded: StepOutcome, settled: bool) -> None:
        if settled:
            self._on_settled(claim, recorded.status)
        # Written while the next call waits for Vitec, and not before it.
        asyncio.get_running_loop().call_soon(_write_line, claim, step, recorded)


def _write_line(claim: Claim, step: ClaimedStep, recorded: StepOutcome) -> None:
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


def _can_begin(claim: Claim, step: ClaimedStep, results: Results) -> bool:
    try:
        check(claim, step, results)
    except (StepSkipped, StepBlocked):
        return False
    return True
