"""The types that pass between the outbox and a worker: claims, leases and step outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from app.domain.submission import AttemptOutcome, FunctionGroup, Operation, StepStatus
from app.storage import elapsed
from app.storage.group_commit import NothingWritten

CredentialKey = tuple[str, FunctionGroup]  # a customer, and whose password the next step needs


class LeaseLostError(NothingWritten):
    """Another worker has taken over: nothing was written."""


class Signal(Enum):
    """What an attempt implies about the login that it was made with."""

    LET_IN = auto()  # Vitec accepted the login
    AWAY = auto()  # Vitec could not be reached, or was too busy
    REFUSED = auto()  # 401
    FORBIDDEN = auto()  # 403


@dataclass
class Lease:
    """`until` is in this machine's elapsed time, counted from before the database's clock was read, so that the lease
    ends too early rather than too late. After it, a worker sends nothing; once another has taken over, it can record
    nothing either."""

    until: float

    @property
    def holds(self) -> bool:
        return elapsed.seconds() < self.until


@dataclass(frozen=True)
class ClaimedStep:
    """A step that is not done. `interrupted`: its call had begun when its worker died. `was_not_found`: Vitec has
    answered 404 before. `was_ambiguous`: an earlier attempt may have been carried out. `was_forbidden`: Vitec has
    answered 403 before."""

    position: int
    operation: Operation
    resource: tuple[str, ...]
    body: Mapping[str, Any]
    attempts: int
    interrupted: bool
    was_not_found: bool
    was_ambiguous: bool = False
    was_forbidden: bool = False


@dataclass(frozen=True)
class Claim:
    """A submission that is ours until the lease runs out, with its remaining steps in order. The first is marked as
    being sent unless it was interrupted. `probes`: it tries a paused login. `age_at_claim`: how long it had been tried
    by then, by the database's clock; zero while that clock is in doubt."""

    id: str
    token: str
    customer_id: str
    operation: Operation
    delivery_since: datetime
    steps: tuple[ClaimedStep, ...]
    results: Mapping[Operation, str | None]  # of the steps that are done
    probes: bool = False
    lease: Lease = field(default_factory=lambda: Lease(0))
    age_at_claim: timedelta = timedelta(0)
    claimed_at: float = field(default_factory=elapsed.seconds)

    @property
    def age(self) -> timedelta:
        return self.age_at_claim + timedelta(seconds=elapsed.seconds() - self.claimed_at)


@dataclass(frozen=True)
class StepOutcome:
    """The outcome of an attempt. `status` is the step's new status; a `waiting` step is due after `retry_in`, or at
    once. `counts`: the attempt counts towards the step's attempts. `at_recovery`: the step is due as soon as Vitec is
    reachable again. `not_found`: Vitec has answered 404. `named`: what the call named, as ids in its path or a contact.
    `signal`: what it implies about the login."""

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
