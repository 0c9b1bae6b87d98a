"""The sandbox's records: each request received, and each booking, lead and loan promise it led to."""

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
    """As the control plane names them: those of S first, then the later ones (H, O)."""

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
    """One request, in the order of arrival, whatever became of it.

    number           1, 2, 3 ... since the start or the last reset
    status, answer   what it is answered (of a truncated answer the whole); status None when the connection is cut
    body             the JSON sent, the text where it is no JSON, None for a GET
    unknown_members  dotted names of members sent that Vitec does not know: Intresse never sends any
    contact_id       the contact that it made, matched or named, when it was carried out
    carried_out      whether it had its effect, whatever it was answered
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
    """A time slot of a viewing; None: no limit, no deadline, no known time. `contested`: somebody else takes the last
    place just before the first who tries to."""

    capacity: int | None = None
    deadline_at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    contested: bool = False


@dataclass(frozen=True)
class Viewing:
    """A viewing of a home, as the home is read; its slots stand in the office's own list."""

    estate_id: str
    starts_at: datetime
    ends_at: datetime
    deadline_at: datetime | None = None
    is_self_registration_enabled: bool = True
    is_visible: bool = True
    comment: str | None = None


@dataclass(frozen=True)
class Booking:
    """A visitor in a time slot."""

    id: str
    customer_id: str
    viewing_id: str
    time_slot_id: str
    contact_id: str
    participant: AddNewViewingParticipant | ViewingAttendance


LeadContent = AdvertisingInterestApplication | AddNewViewingParticipant | ViewingAttendance | Lead | ValuationForm


@dataclass(frozen=True)
class RecordedLead:
    """A lead on a contact. `made_by` tells those of CRM/Lead from those that Vitec itself makes of the others."""

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
    """A contact that wants to know what a home is sold for."""

    customer_id: str
    estate_id: str
    contact_id: str
    content: FinalPriceWatched
