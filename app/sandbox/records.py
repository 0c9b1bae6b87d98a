"""The sandbox's records: each received request, and the bookings, leads and other records that came of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.sandbox.schemas import (
    AddNewViewingParticipant,
    AdvertisingInterestApplication,
    FinalPriceWatched,
    Lead,
    LoanPromise,
    ValuationForm,
    ViewingAttendance,
)


class Operation(StrEnum):
    """The operations by their names in the control plane: those of S first, then the later ones (H, O)."""

    INTEREST = "interest"
    VIEWING = "viewing"
    LEAD = "lead"
    CONTACT = "contact"
    LOAN_PROMISE = "loan-promise"
    ESTATE = "estate"
    VALUATION = "valuation"
    FINAL_PRICE = "final-price"
    CANCELLATION = "cancellation"
    ATTEND = "attend"


@dataclass(frozen=True)
class Received:
    """A received request, whatever its outcome.

    number           1, 2, 3 ... in order of arrival, since the start or the last reset
    status, answer   the answer (if it is truncated, the whole); both None if the connection is cut
    body             the JSON that was sent, or the text if it is not JSON; None for an operation without a body
    unknown_members  dotted names of sent members that Vitec does not know; Intresse never sends any
    contact_id       the contact that was added, matched or named, if the request was carried out
    carried_out      whether it was carried out, whatever the answer
    """

    number: int
    operation: Operation
    customer_id: str
    path: str
    at: datetime
    status: int | None
    answer: Any
    body: Any
    unknown_members: tuple[str, ...]
    contact_id: str | None
    carried_out: bool


@dataclass(frozen=True)
class Slot:
    """A time slot of a viewing. None means no limit, no deadline, no known time. `contested`: somebody else takes the
    last place just before the first visitor who tries to."""

    capacity: int | None = None
    deadline_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    contested: bool = False


@dataclass(frozen=True)
class Viewing:
    """A viewing of a home, as returned with the home. Its slots are in `Office.slots`."""

    estate_id: str
    starts_at: datetime
    ends_at: datetime
    deadline_at: datetime | None = None
    is_self_registration_enabled: bool = True
    is_visible: bool = True
    comment: str | None = None


@dataclass(frozen=True)
class Booking:
    """A visitor's booking of a time slot."""

    id: str
    customer_id: str
    viewing_id: str
    time_slot_id: str
    contact_id: str
    participant: AddNewViewingParticipant | ViewingAttendance


LeadContent = AdvertisingInterestApplication | AddNewViewingParticipant | ViewingAttendance | Lead | ValuationForm


@dataclass(frozen=True)
class RecordedLead:
    """A lead on a contact. `made_by` is CRM/Lead, or another operation, for which Vitec adds a lead by itself."""

    id: str
    customer_id: str
    contact_id: str
    made_by: Operation
    content: LeadContent


@dataclass(frozen=True)
class RecordedLoanPromise:
    """A loan promise on a contact."""

    id: str
    customer_id: str
    contact_id: str
    content: LoanPromise


@dataclass(frozen=True)
class FinalPriceWatch:
    """A contact who wants to know a home's final price."""

    customer_id: str
    estate_id: str
    contact_id: str
    content: FinalPriceWatched
