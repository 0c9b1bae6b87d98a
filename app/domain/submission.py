"""A submission and the steps that deliver it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain.ids import reference_of

PATH_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,40}", re.ASCII)  # an id in a URL's path


class Operation(StrEnum):
    """Vitec's operations; the values are those of the public `operation`."""

    __hash__ = str.__hash__  # an Enum's own is Python code, and a post looks operations up about ten times

    INTEREST = "interest"
    VIEWING = "viewing"
    VALUATION = "valuation"
    FINAL_PRICE = "final-price"
    LEAD = "lead"
    LOAN_PROMISE = "loan-promise"
    CANCELLATION = "cancellation"
    CONTACT = "contact"  # a lookup: never more than a step before a lead


class FunctionGroup(StrEnum):
    """Which of a customer's two passwords gives access to an operation (S)."""

    ADVERTISING = "advertising"
    CRM = "crm"


class Status(StrEnum):
    """A submission's public status: the outcome of its own operation's step, or of an earlier one that stopped it."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REJECTED = "rejected"  # Vitec refused it
    FAILED = "failed"  # we gave up
    UNCERTAIN = "uncertain"  # may have been carried out; waits for a person
    HELD = "held"  # suspected spam
    UNREADABLE = "unreadable"  # none of our keys decrypts it: it waits for the key


class StepStatus(StrEnum):
    """A step is `sending` from just before its call until the outcome is recorded."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"  # there was nothing to do, which is not an error
    UNREADABLE = "unreadable"  # set aside until a key decrypts it


class AttemptOutcome(StrEnum):
    """The outcome of an attempt, or an operator's action, which is listed among the attempts. The values are stored."""

    DELIVERED = "delivered"
    SKIPPED = "skipped"  # no call was needed
    BLOCKED = "failed"  # no call could be made
    # Errors of a call, see `app.vitec.errors`.
    REJECTED = "rejected"
    NOT_FOUND = "notfound"
    UNAVAILABLE = "unavailable"
    UNREADABLE = "unreadable"
    REFUSED_LOGIN = "refusedlogin"
    FORBIDDEN = "forbidden"
    AMBIGUOUS = "ambiguous"
    NOT_SENT = "notsent"  # the lease expired before the call
    SET_ASIDE = "setaside"  # can't be decrypted
    RESTORED = "restored"  # from a backup, so it may have been delivered since
    # Operator actions.
    RETRIED = "retried"
    RELEASED = "released"
    DISCARDED = "discarded"


DOUBTFUL = (AttemptOutcome.AMBIGUOUS, AttemptOutcome.RESTORED)  # after one of these, Vitec may have it
DONE = frozenset({StepStatus.DELIVERED, StepStatus.SKIPPED})
STOPPED = frozenset({StepStatus.REJECTED, StepStatus.FAILED, StepStatus.UNCERTAIN})
FINAL = DONE | STOPPED
NEEDS_ATTENTION = STOPPED | {StepStatus.UNREADABLE}  # an operator must act


@dataclass(frozen=True)
class Step:
    """One call to Vitec. `resource` is the path's ids after the customer's, empty if an earlier step's answer gives
    them. `result` is the string that Vitec answered; `upstream` is Vitec's own message if it refused."""

    position: int
    operation: Operation
    resource: tuple[str, ...]
    status: StepStatus
    attempts: int
    result: str | None = None
    upstream: Any = None

    def to_json(self) -> dict[str, Any]:
        """For operators, without personal data; so without `upstream`, which may have some."""
        return {"operation": self.operation, "status": self.status, "attempts": self.attempts}


@dataclass(frozen=True)
class Submission:
    """An accepted post without its personal data. `told_at` is when the visitor saw Vitec's refusal on the page: then
    no operator needs to act."""

    id: str
    customer_id: str
    operation: Operation
    resource: tuple[str, ...]
    status: Status
    language: str
    received_at: datetime
    settled_at: datetime | None
    steps: tuple[Step, ...]
    told_at: datetime | None = None

    @property
    def reference(self) -> str:
        return reference_of(self.id)

    def to_json(self) -> dict[str, Any]:
        """For operators, without personal data."""
        return {
            "id": self.id,
            "reference": self.reference,
            "customerId": self.customer_id,
            "operation": self.operation,
            "status": self.status,
            "receivedAt": self.received_at.isoformat(),
            "settledAt": self.settled_at.isoformat() if self.settled_at else None,
            "steps": [step.to_json() for step in self.steps],
        }

    @property
    def refusal(self) -> Any:
        """Vitec's message if it refused the submission's own operation or an earlier step."""
        return next((step.upstream for step in self.steps[: self.main.position + 1] if step.upstream), None)

    @property
    def main(self) -> Step:
        """The step whose outcome is the submission's: its own operation."""
        return next(step for step in self.steps if step.operation is self.operation)


@dataclass(slots=True)  # not frozen, as below: made for each post, and a frozen one takes three times as long to make
class IdempotencyKey:
    """Identifies a repeated post. `key` is a keyed hash of its token, of its header's key or of its content; `content`
    is a keyed hash of its content. The same `key` with a different `content` is the caller's mistake."""

    key: bytes
    content: bytes
    lifetime: timedelta


@dataclass(slots=True)
class PlannedStep:
    """A planned step. `body` is complete except for ids returned by earlier steps."""

    operation: Operation
    resource: tuple[str, ...]
    body: Mapping[str, Any]
