"""What is filled in for a contact that Vitec knows already: a lead, a loan promise."""

from enum import StrEnum
from typing import Annotated

from app.domain.applications import MarketingMember, VitecModel
from app.domain.fields import Length, Line, Message, by_name_or_number
from app.domain.moments import LastMoment


class LoanEstateType(StrEnum):
    """`LoanPromise.estateType` (H); Vitec's numbers count from 1."""

    APARTMENT = "Apartment"
    COTTAGE = "Cottage"
    HOUSE = "House"


class LoanPromiseStatus(StrEnum):
    """`LoanPromise.status` (H); Vitec's numbers count from 1."""

    AUTOMATIC_VERIFICATION = "AutomaticVerification"
    CAN_NOT_VERIFY = "CanNotVerify"
    VERIFIED_BY_BANK = "VerifiedByBank"
    IS_BEING_PROCESSED = "IsBeingProcessed"
    COULD_NOT_BE_VERIFIED = "CouldNotBeVerified"
    NO_LOAN_PROMISE_EXISTS = "NoLoanPromiseExists"
    PRE_APPROVAL_VERIFIED_BY_BANK = "PreApprovalVerifiedByBank"


class Financing(StrEnum):
    """`LoanPromise.financing` (H); Vitec's numbers count from 0."""

    UNKNOWN = "Unknown"
    BANK = "Bank"
    OTHER = "Other"


class Lead(VitecModel):
    """A lead on a known contact: Vitec's `Lead` (S). `assignedToId` and `leadSourceId` are required of the body that
    Vitec gets; the configuration may give them."""

    contact_id: Annotated[str, Length(40, least=1)]
    assigned_to_id: Line | None = None
    lead_source_id: Line | None = None
    office_id: Line | None = None
    assignment_source_id: Line | None = None
    message: Message | None = None
    marketing: MarketingMember | None = None


class LoanPromise(VitecModel):
    """A loan promise of a known contact: Vitec's `LoanPromise` (members S, values H). A bare `validUntil` is that day's
    last second."""

    bank: Line | None = None
    valid_until: LastMoment | None = None
    estate_id: Line | None = None
    estate_type: Annotated[LoanEstateType, by_name_or_number(LoanEstateType, first=1)] | None = None
    status: Annotated[LoanPromiseStatus, by_name_or_number(LoanPromiseStatus, first=1)] | None = None
    financing: Annotated[Financing, by_name_or_number(Financing)] | None = None
