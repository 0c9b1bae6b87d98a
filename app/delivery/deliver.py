"""One claimed submission: its next steps against Vitec, each recorded before the next begins."""

from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from app.delivery.retry_policy import Decision, RetryPolicy, decide
from app.delivery.steps import CannotGoOn, Done, NothingToDo, Results, Vitec, carry_out, check
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
        begun: int | None = None
        for step, then in zip(claim.steps, (*claim.steps[1:], None), strict=True):
            if step.interrupted and step.operation is not Operation.CONTACT:  # a look-up is simply made again
                return await self._interrupted(claim, step)
            try:
                check(claim, step, results)
                attempt = begun or await self._outbox.begin(claim, step)
                done = await self._attempt(claim, step, attempt, results)
            except VitecError:
                return None
            except NothingToDo:
                await self._record(claim, step, None, Recorded(StepStatus.SKIPPED, "skipped"))
                continue
            except CannotGoOn as error:
                return await self._record(claim, step, None, Recorded(StepStatus.FAILED, "failed", detail=str(error)))
            results[step.operation] = done.result
            recorded = Recorded(StepStatus.DELIVERED, "delivered", http_status=done.status, result=done.result)
            begun = await self._go_on(claim, step, attempt, recorded, then, results)
            if then is not None and begun is None and self._pauses.rests((claim.customer_id, GROUPS[then.operation])):
                return await self._outbox.hand_back(claim, then, datetime.now(UTC) + self._policy.probe)
        return None

    async def _attempt(self, claim: Claim, step: ClaimedStep, attempt: int, results: Results) -> Done:
        """What Vitec answered. Raises the taxonomy, recorded."""
        try:
            return await carry_out(self._vitec, claim, step, results)
        except VitecError as error:
            await self._record_error(claim, step, attempt, error, attempts=step.attempts + 1)
            raise

    async def _go_on(
        self,
        claim: Claim,
        step: ClaimedStep,
        attempt: int,
        recorded: Recorded,
        then: ClaimedStep | None,
        results: Results,
    ) -> int | None:
        """Records a done step, and begins the next in the same transaction where it can begin: its attempt."""
        if then is None or not self._can_begin(claim, then, results):
            await self._record(claim, step, attempt, recorded)
            return None
        settled, begun = await self._outbox.record_and_begin(claim, step, attempt, recorded, then)
        self._tell(claim, step, recorded, settled)
        return begun

    def _can_begin(self, claim: Claim, step: ClaimedStep, results: Results) -> bool:
        if step.interrupted or self._pauses.rests((claim.customer_id, GROUPS[step.operation])):
            return False
        try:
            check(claim, step, results)
        except (NothingToDo, CannotGoOn):
            return False
        return True

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
        self._tell(claim, step, recorded, await self._outbox.record(claim, step, attempt, recorded))

    def _tell(self, claim: Claim, step: ClaimedStep, recorded: Recorded, settled: bool) -> None:
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
