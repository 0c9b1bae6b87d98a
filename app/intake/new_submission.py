"""A validated post that is about to be stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain.submission import IdempotencyKey, Operation, PlannedStep
from app.operations.stored_application import StoredApplication


@dataclass(slots=True)
class NewSubmission:
    """`resource` is the path's ids after the customer's. `contacts` are the e-mail address and phone number by which it
    can be found. `held`: a person must review it before it is sent. `cancels` is the id of the booking to cancel."""

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
    cancels: str = ""
