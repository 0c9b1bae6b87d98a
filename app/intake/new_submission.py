"""A validated post about to be stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain.submission import IdempotencyKey, Operation, PlannedStep
from app.operations.stored_application import StoredApplication


@dataclass(slots=True)
class NewSubmission:
    """`resource` is the path's ids after the customer's. `contacts` are the e-mail address and number that it can be
    found by. `held`: a person looks at it before it is sent. `calls_off` is the id of the booking that it calls off."""

    id: str
    customer_id: str
    operation: Operation
    resource: tuple[str, ...]
    language: str
    received_at: datetime
    application: StoredApplication
    contacts: Mapping[str, str]
    steps: tuple[PlannedStep, ...]
    repeat: IdempotencyKey | None
    held: bool = False
    calls_off: str = ""
