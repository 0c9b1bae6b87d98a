"""Loan promise of a known contact (vitec-connect.md, section 5)."""

from enum import StrEnum
from typing import Annotated

from app.domain.datetimes import LastMoment
from app.domain.fields import Line, by_name_or_number
from app.domain.submission import Operation
from app.i18n import N_
from app.operations.members import VitecModel
from app.operations.specification import FormSpec, OperationSpec, PostSpec

PATH = "/CRM/Buyer/{customerId}/{contactId}/LoanPromise"


class LoanEstateType(StrEnum):
    """`LoanPromise.estateType` (H); Vitec's numbers count from 1."""

    APARTMENT = "Apartment"
    COTTAGE = "Cottage"
    HOUSE = "House"


_IN_SWEDISH = {
    "bostadsrätt": LoanEstateType.APARTMENT,
    "fritidshus": LoanEstateType.COTTAGE,
    "villa": LoanEstateType.HOUSE,
}


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


class LoanPromise(VitecModel):
    """Vitec's `LoanPromise` (members S, values H). A `validUntil` without a time is the last second of that day."""

    bank: Line | None = None
    valid_until: LastMoment | None = None
    estate_id: Line | None = None
    estate_type: Annotated[LoanEstateType | None, by_name_or_number(LoanEstateType, first=1, swedish=_IN_SWEDISH)] = (
        None
    )
    status: Annotated[LoanPromiseStatus | None, by_name_or_number(LoanPromiseStatus, first=1)] = None
    financing: Annotated[Financing, by_name_or_number(Financing)] | None = None


FORM = FormSpec(
    name="loan-promise",
    heading=N_("Your loan promise"),
    button=N_("Send my loan promise"),
    intro=N_("Tell %(firm)s what your bank has promised, and you’ll be ready when the bidding starts."),
    fields=("bank", "validUntil", "estateType", "financing"),
    received=N_("Thank you, we have received your loan promise"),
    next=N_("%(firm)s will see it together with your other details. You don’t need to do anything more."),
    refused=N_("We couldn’t deliver your registration"),
)
POST = PostSpec(
    operation=Operation.LOAN_PROMISE,
    model=LoanPromise,
    paths=(PATH,),
    example={
        "bank": "Sparbanken",
        "validUntil": "2099-12-31",
        "estateType": "Apartment",
        "status": "VerifiedByBank",
        "financing": "Bank",
    },
)
PERSONAL_POST = PostSpec(
    operation=Operation.LOAN_PROMISE,
    model=LoanPromise,
    form=FORM,
    public=frozenset({"bank", "validUntil", "estateType", "financing"}),
    required=("bank",),
)
LOAN_PROMISE = OperationSpec(
    operation=Operation.LOAN_PROMISE,
    path=PATH,
    label=N_("Loan promise"),
    plural=N_("loan promises"),
    summary="Register a known contact's loan promise",
    posts=(POST, PERSONAL_POST),
    names_contact=True,
)
