"""Delivers one claimed submission: runs its remaining steps, and records each outcome before the next step begins."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import structlog

from app.delivery.claims import Claim, ClaimedStep, Signal, StepOutcome
from app.delivery.outbox import Outbox
from app.delivery.retry_policy import RetryPolicy, decide, signal_of
from app.delivery.steps import CallResult, Results, execute, prepare
from app.domain.submission import STOPPED, AttemptOutcome, StepStatus
from app.operations.registry import OPERATIONS
from app.operations.specification import Call, StepBlockedError, StepSkipped
from app.vitec.client import VitecClient
from app.vitec.errors import (
    AccessDeniedError,
    AmbiguousError,
    LeaseExpiredError,
    NotFoundError,
    RejectedError,
    VitecError,
)
from app.vitec.throttle import Throttle

log = structlog.get_logger()


class Deliverer:
    """`parks` are the ids of customers whose ambiguous steps wait for an operator. `on_settled` is called with the
    claim and its status when a submission is settled."""

    def __init__(
        self,
        outbox: Outbox,
        vitec: VitecClient,
        policy: RetryPolicy,
        parks: frozenset[str],
        throttle: Throttle,
        on_settled: Callable[[Claim, StepStatus], None],
    ) -> None:
        self._outbox = outbox
        self._vitec = vitec
        self._policy = policy
        self._parks = parks
        self._throttle = throttle
        self._on_settled = on_settled

    async def deliver(self, claim: Claim) -> None:
        """Runs steps until one of them is not done. Raises `LeaseLostError`."""
        results = dict(claim.results)
        if claim.steps[0].interrupted:
            return await self._interrupted(claim, claim.steps[0])
        prepared = _prepare(claim, claim.steps[0], results)
        begun = True  # the claim has marked the first step as being sent
        for step, then in zip(claim.steps, (*claim.steps[1:], None), strict=True):
            if isinstance(prepared, StepOutcome):
                await self._record(claim, step, replace(prepared, counts=not begun))
                if prepared.status in STOPPED:
                    return None
                begun = False
                prepared = _prepare(claim, then, results) if then else prepared
                continue
            if not begun:
                await self._outbox.begin(claim, step)
            done = await self._attempt(claim, step, prepared)
            if done is None:
                return None
            results[step.operation] = done.result
            outcome = StepOutcome(
                StepStatus.DELIVERED,
                AttemptOutcome.DELIVERED,
                http_status=done.status,
                result=done.result,
                signal=Signal.LET_IN,
            )
            if then is None:
                return await self._record(claim, step, outcome)
            prepared = _prepare(claim, then, results)
            if isinstance(prepared, StepOutcome):
                await self._record(claim, step, outcome)
                begun = False
            elif not (begun := await self._record_and_begin(claim, step, outcome, then)):
                return None
        return None

    async def _attempt(self, claim: Claim, step: ClaimedStep, call: Call) -> CallResult | None:
        """Vitec's answer. None if the step is not done; its outcome has then been recorded."""
        try:
            return await execute(self._vitec, claim, step, call)
        except LeaseExpiredError:  # nothing was sent, so the next attempt is not ambiguous
            not_sent = StepOutcome(StepStatus.WAITING, AttemptOutcome.NOT_SENT, counts=False)
            await self._record(claim, step, not_sent)
            return None
        except VitecError as error:
            named = call.resource or (str(call.body.get("contactId", "")),)
            await self._record_error(claim, step, error, attempts=step.attempts + 1, named=named)
            return None

    async def _record_and_begin(self, claim: Claim, step: ClaimedStep, outcome: StepOutcome, then: ClaimedStep) -> bool:
        """Records a done step and begins the next one in the same transaction. Returns whether it began."""
        settled, begun = await self._outbox.record_and_begin(claim, step, outcome, then)
        self._report(claim, step, outcome, settled)
        if begun:
            self._throttle.acquire(claim.customer_id)
        return begun

    async def _interrupted(self, claim: Claim, step: ClaimedStep) -> None:
        """Records the outcome of a call during which the previous worker died: it may have been carried out."""
        error = AmbiguousError("the worker stopped during the call")
        await self._record_error(claim, step, error, attempts=step.attempts)

    async def _record_error(
        self, claim: Claim, step: ClaimedStep, error: VitecError, attempts: int, named: tuple[str, ...] = ()
    ) -> None:
        decision = decide(
            error,
            self._policy,
            attempts=attempts,
            age=claim.age,
            park=claim.customer_id in self._parks and not OPERATIONS[step.operation].is_repeatable,
            was_not_found=step.was_not_found,
            was_ambiguous=step.was_ambiguous,
            probes=claim.probes,
        )
        outcome = StepOutcome(
            decision.status,
            outcome=error.code,
            http_status=error.status,
            detail=str(error),
            upstream=error.upstream if isinstance(error, RejectedError) else None,
            retry_in=decision.retry_in,
            counts=decision.counts,
            at_recovery=decision.at_recovery,
            not_found=isinstance(error, NotFoundError) or step.was_not_found,
            named=named,
            # A submission that was forbidden before has already been counted against the login.
            signal=None if isinstance(error, AccessDeniedError) and step.was_forbidden else signal_of(error),
        )
        await self._record(claim, step, outcome)

    async def _record(self, claim: Claim, step: ClaimedStep, outcome: StepOutcome) -> None:
        self._report(claim, step, outcome, await self._outbox.record(claim, step, outcome))

    def _report(self, claim: Claim, step: ClaimedStep, outcome: StepOutcome, settled: bool) -> None:
        if settled:
            self._on_settled(claim, outcome.status)
        # Logged while the next call waits for Vitec, so as not to delay it.
        asyncio.get_running_loop().call_soon(_log_attempt, claim, step, outcome)


def _log_attempt(claim: Claim, step: ClaimedStep, outcome: StepOutcome) -> None:
    (log.error if outcome.status in STOPPED else log.info)(
        "attempt",
        submission=claim.id,
        customer=claim.customer_id,
        operation=step.operation.value,
        step=step.position,
        status=outcome.status.value,
        outcome=outcome.outcome.value,
        http_status=outcome.http_status,
        detail=outcome.detail,
    )


def _prepare(claim: Claim, step: ClaimedStep, results: Results) -> Call | StepOutcome:
    """The step's call; or its outcome, if it needs no call."""
    try:
        return prepare(claim, step, results)
    except StepSkipped:
        return StepOutcome(StepStatus.SKIPPED, AttemptOutcome.SKIPPED)
    except StepBlockedError as error:
        stopped = StepStatus.UNCERTAIN if step.was_ambiguous else StepStatus.FAILED
        return StepOutcome(stopped, AttemptOutcome.BLOCKED, detail=str(error))
