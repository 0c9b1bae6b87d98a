"""Types that the outbox and the worker exchange: claims, leases and step outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from app.domain.submission import AttemptOutcome, FunctionGroup, Operation, StepStatus
from app.storage import elapsed
from app.storage.group_commit import NothingWritten

CredentialKey = tuple[str, FunctionGroup]  # the customer's id, and the group whose password the next step needs


class LeaseLostError(NothingWritten):
    """Another worker has taken over the submission; nothing was written."""


class Signal(Enum):
    """What an attempt implies about the login that it used."""

    LET_IN = auto()  # Vitec accepted the login
    AWAY = auto()  # Vitec could not be reached, or was too busy
    REFUSED = auto()  # 401
    FORBIDDEN = auto()  # 403


@dataclass
class Lease:
    """The time for which a claim is ours. `until` is in this machine's elapsed time, counted from before the database's
    clock was read, so that the lease ends too early rather than too late. After it ends, a worker sends nothing; and
    once another worker has taken over, it can't record anything either."""

    until: float

    @property
    def holds(self) -> bool:
        return elapsed.seconds() < self.until


@dataclass(frozen=True)
class ClaimedStep:
    """A step that is not done.

    interrupted     the worker died during its call
    was_not_found   Vitec has answered 404 before
    was_ambiguous   an earlier attempt may have been carried out
    was_forbidden   Vitec has answered 403 before
    """

    position: int
    operation: Operation
    resource: tuple[str, ...]
    body: Mapping[str, Any]
    attempts: int
    interrupted: bool
    was_not_found: bool
    was_ambiguous: bool
    was_forbidden: bool


@dataclass(frozen=True)
class Claim:
    """A submission that is ours until the lease runs out, with its remaining steps in order. The first step is marked
    as being sent, unless it was interrupted.

    results        the results of the steps that are done
    probes         it tries a paused login
    age_at_claim   how long it had been tried when it was claimed, by the database's clock; zero if that is in doubt
    claimed_at     when it was claimed, in this machine's elapsed seconds
    """

    id: str
    token: str
    customer_id: str
    operation: Operation
    delivery_since: datetime
    steps: tuple[ClaimedStep, ...]
    results: Mapping[Operation, str | None]
    probes: bool
    lease: Lease
    age_at_claim: timedelta
    claimed_at: float

    @property
    def age(self) -> timedelta:
        return self.age_at_claim + timedelta(seconds=elapsed.seconds() - self.claimed_at)


@dataclass(frozen=True)
class StepOutcome:
    """The outcome of an attempt.

    status       the step's new status
    retry_in     when a `waiting` step is due again; None: at once
    counts       whether the attempt counts towards the step's attempts
    at_recovery  the step is due as soon as Vitec is reachable again
    not_found    Vitec has answered 404
    named        what the call named: the ids in its path, or a contact
    signal       what the attempt implies about the login
    """

    status: StepStatus
    outcome: AttemptOutcome
    http_status: int | None = None
    detail: str | None = None
    result: str | None = None
    upstream: Any = None
    retry_in: timedelta | None = None
    counts: bool = True
    at_recovery: bool = False
    not_found: bool = False
    named: tuple[str, ...] = ()
    signal: Signal | None = None
