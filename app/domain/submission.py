"""A submission and the steps that deliver it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain.ids import reference_of

PATH_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,40}", re.ASCII)  # ids as they stand in a URL's path


class Operation(StrEnum):
    """Vitec's operations, as the public `operation`."""

    __hash__ = str.__hash__  # an Enum's own is Python code, and a post looks operations up some ten times

    INTEREST = "interest"
    VIEWING = "viewing"
    VALUATION = "valuation"
    FINAL_PRICE = "final-price"
    LEAD = "lead"
    LOAN_PROMISE = "loan-promise"
    CANCELLATION = "cancellation"
    CONTACT = "contact"  # a lookup: only ever a step before a lead


class FunctionGroup(StrEnum):
    """Which of a customer's two passwords opens an operation (S)."""

    ADVERTISING = "advertising"
    CRM = "crm"


class Status(StrEnum):
    """A submission's public status: the outcome of the step that is its own operation, or of what stops before it."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REJECTED = "rejected"  # Vitec refused it
    FAILED = "failed"  # we gave up
    UNCERTAIN = "uncertain"  # may have been carried out; parked for a person
    HELD = "held"  # suspected spam
    UNREADABLE = "unreadable"  # none of our keys opens it: it waits for the key


class StepStatus(StrEnum):
    """A step is `sending` from just before its call until the outcome is recorded."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"  # there was nothing to do it with, and that is no fault
    UNREADABLE = "unreadable"  # set aside: it goes on when a key opens it


class AttemptOutcome(StrEnum):
    """What became of an attempt; an operator's decision stands among them. The values are what is stored."""

    DELIVERED = "delivered"
    SKIPPED = "skipped"  # no call was to be made
    BLOCKED = "failed"  # no call can be made
    # The errors of a call, see `app.vitec.errors`.
    REJECTED = "rejected"
    NOT_FOUND = "notfound"
    UNAVAILABLE = "unavailable"
    UNREADABLE = "unreadable"
    REFUSED_LOGIN = "refusedlogin"
    FORBIDDEN = "forbidden"
    AMBIGUOUS = "ambiguous"
    NOT_SENT = "notsent"  # the lease was over before the call was made
    SET_ASIDE = "setaside"  # it can't be read
    # Decisions.
    RETRIED = "retried"
    RELEASED = "released"
    DISCARDED = "discarded"


DONE = frozenset({StepStatus.DELIVERED, StepStatus.SKIPPED})
STOPPED = frozenset({StepStatus.REJECTED, StepStatus.FAILED, StepStatus.UNCERTAIN})
FINAL = DONE | STOPPED
NEEDS_ATTENTION = STOPPED | {StepStatus.UNREADABLE}  # a person's


@dataclass(frozen=True)
class Step:
    """One call to Vitec. `resource` is the path's ids after the customer's, empty where an earlier step's answer names
    it; `result` is the string that Vitec answered, `upstream` Vitec's words when it refused."""

    position: int
    operation: Operation
    resource: tuple[str, ...]
    status: StepStatus
    attempts: int
    result: str | None = None
    upstream: Any = None

    def to_json(self) -> dict[str, Any]:
        """For operators, without personal data; Vitec's words may hold some."""
        return {"operation": self.operation, "status": self.status, "attempts": self.attempts}


@dataclass(frozen=True)
class Submission:
    """An accepted post, without its personal data. `told_at`: when its visitor saw Vitec's refusal on the page, so that
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
        """Vitec's message if it refused the submission's own operation, or a step before that."""
        return next((step.upstream for step in self.steps[: self.main.position + 1] if step.upstream), None)

    @property
    def main(self) -> Step:
        """The step whose outcome is the submission's: its own operation."""
        return next(step for step in self.steps if step.operation is self.operation)


@dataclass(slots=True)  # made for each post, as the two below: a frozen one takes thrice as long to make
class IdempotencyKey:
    """Identifies a repeated post: `key` is a keyed hash of its token, its header's key or its content; `content` is one
    of its content. The same `key` with a different `content` is the caller's mistake."""

    key: bytes
    content: bytes
    lives: timedelta


@dataclass(slots=True)
class PlannedStep:
    """A planned step. `body` is complete except for ids returned by earlier steps."""

    operation: Operation
    resource: tuple[str, ...]
    body: Mapping[str, Any]
