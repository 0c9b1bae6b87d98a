"""The retry policy: a pure function of the error, the number of attempts and the age."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.delivery.claims import Signal
from app.domain.submission import StepStatus
from app.vitec.errors import (
    AccessDeniedError,
    AmbiguousError,
    LoginRefusedError,
    NotFoundError,
    RejectedError,
    UnavailableError,
    UnreadableAnswerError,
    VitecError,
)

MAX_RETRY_AFTER = timedelta(hours=1)
JITTER = 0.2


def _spread() -> float:
    return random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # spreads load, protects nothing


@dataclass(frozen=True)
class RetryPolicy:
    """`delays[n]` is the wait after attempt n+1 (the last one repeats). `give_up` is the age at which retrying
    stops."""

    delays: tuple[timedelta, ...]
    give_up: timedelta
    spread: Callable[[], float] = _spread

    def delay(self, attempts: int) -> timedelta:
        """The wait after this many `attempts` (at least 1), varied by ±20 %."""
        return self.delays[min(attempts, len(self.delays)) - 1] * self.spread()


@dataclass(frozen=True)
class Decision:
    """The step's next status, and `retry_in` if that is `waiting`. `counts`: the attempt counts towards the step's
    attempts. `at_recovery`: the step is due as soon as Vitec is reachable again."""

    status: StepStatus
    retry_in: timedelta | None = None
    counts: bool = True
    at_recovery: bool = False


def decide(
    error: VitecError,
    policy: RetryPolicy,
    *,
    attempts: int,
    age: timedelta,
    park: bool,
    was_not_found: bool,
    was_ambiguous: bool,
    probes: bool,
) -> Decision:
    """What to do after a failed attempt.

    attempts       number of attempts, including the one that just failed
    age            how long the step has been tried
    park           ambiguous steps wait for an operator
    was_not_found  Vitec has answered 404 before
    was_ambiguous  an earlier attempt may have been carried out, so giving up ends as uncertain
    probes         the attempt tried a paused login; such a step is never given up
    """
    if isinstance(error, NotFoundError) and not was_not_found:
        return Decision(StepStatus.WAITING, policy.delay(attempts))  # a new estate may not have replicated at Vitec
    if isinstance(error, RejectedError):
        return Decision(StepStatus.REJECTED)
    if isinstance(error, AmbiguousError) and park:
        return Decision(StepStatus.UNCERTAIN)
    if isinstance(error, LoginRefusedError):
        return Decision(StepStatus.WAITING, timedelta(0), counts=False)  # the login is paused, not the step
    assert isinstance(error, UnavailableError | AccessDeniedError | AmbiguousError)
    if age >= policy.give_up and not probes:
        doubtful = was_ambiguous or isinstance(error, AmbiguousError)
        return Decision(StepStatus.UNCERTAIN if doubtful else StepStatus.FAILED)
    wished = error.retry_after if isinstance(error, UnavailableError) else None
    delay = max(policy.delay(attempts), min(wished or timedelta(0), MAX_RETRY_AFTER))
    return Decision(StepStatus.WAITING, delay, at_recovery=isinstance(error, UnavailableError) and wished is None)


def signal_of(error: VitecError) -> Signal | None:
    """What an error implies about the login, or None. If Vitec rejects the content, it has accepted the login."""
    if isinstance(error, LoginRefusedError):
        return Signal.REFUSED
    if isinstance(error, AccessDeniedError):
        return Signal.FORBIDDEN
    if isinstance(error, RejectedError):
        return Signal.LET_IN
    if isinstance(error, UnreadableAnswerError):
        return None if error.is_foreign else Signal.LET_IN
    return Signal.AWAY if isinstance(error, UnavailableError) else None
