"""The types that pass between the outbox and a worker: claims and step outcomes."""

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
    """What an attempt tells of the login that it was made with."""

    LET_IN = auto()  # Vitec looked beyond the login
    AWAY = auto()  # Vitec could not be reached, or was too busy
    REFUSED = auto()  # 401
    FORBIDDEN = auto()  # 403


@dataclass
class Lease:
    """`until` is counted by this machine's elapsed time from before the database's clock was asked: it ends too early
    rather than too late. Whoever wakes up after it neither sends nor, once another has taken over, records."""

    until: float

    @property
    def holds(self) -> bool:
        return elapsed.seconds() < self.until


@dataclass(frozen=True)
class ClaimedStep:
    """A step that is not done. `interrupted`: its call had begun when its worker died. `was_not_found`: Vitec has
    answered 404 before. `was_ambiguous`: an attempt before may have been carried out. `was_forbidden`: Vitec has
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
    """A submission that is ours until the lease runs out, with its steps still to do, in order. The first is marked
    as being sent unless it was interrupted. `probes`: it tries a login that is paused. `age_at_claim`: for how long it
    had been tried then, by the database's clock; not at all, while that is in doubt."""

    id: str
    token: str
    customer_id: str
    operation: Operation
    delivery_since: datetime
    steps: tuple[ClaimedStep, ...]
    results: Mapping[Operation, str | None]  # what the steps before have answered
    probes: bool = False
    lease: Lease = field(default_factory=lambda: Lease(0))
    age_at_claim: timedelta = timedelta(0)
    claimed_at: float = field(default_factory=elapsed.seconds)

    @property
    def age(self) -> timedelta:
        return self.age_at_claim + timedelta(seconds=elapsed.seconds() - self.claimed_at)


@dataclass(frozen=True)
class StepOutcome:
    """What became of an attempt. `status` is the step's from now on; a `waiting` step is due in `again_in`, or at
    once.
    `counts`: whether the attempt is one of those that the step has spent. `at_recovery`: it waits for no more than
    Vitec to be back. `not_found`: Vitec has answered 404. `named` is what the call named: ids in its path, or a
    contact."""

    status: StepStatus
    outcome: AttemptOutcome
    http_status: int | None = None
    detail: str | None = None
    result: str | None = None
    upstream: Any = None
    again_in: timedelta | None = None
    counts: bool = True
    at_recovery: bool = False
    not_found: bool = False
    named: tuple[str, ...] = ()
    news: Signal | None = None
