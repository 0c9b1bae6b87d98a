"""Interest in a home (vitec-connect.md, section 1).

Steps: interest; with `interest.marketing = "lead"` and tags to pass on, interest → contact → lead.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from app.domain.datetimes import ApprovalMoment
from app.domain.fields import Length, Line, Message, Name, Truth, by_name_or_number
from app.domain.numbers import LivingSpace, Price, Rooms
from app.domain.submission import Operation, PlannedStep
from app.i18n import N_
from app.operations.lead import lead_after
from app.operations.members import (
    Address,
    CheckDigit,
    Coordinate,
    EmailAddresses,
    MarketingMember,
    Telephone,
    VitecModel,
)
from app.operations.planning import Defaults, DefaultsTable, DeliveryRequest, SubmissionContext, VitecId, with_defaults
from app.operations.specification import PERSON, FormSpec, OperationSpec, PostSpec

PATH = "/Advertising/Estate/{customerId}/{estateId}/interest"
FORM_PATH = "/forms/{customerId}/interest/{estateId}"


class InterestStatus(StrEnum):
    """How interested the person is (H); Vitec's numbers count from 0."""

    INTERESTED = "Interested"
    VERY_INTERESTED = "VeryInterested"
    ASSIGNED = "Assigned"
    NOT_INTERESTED = "NotInterested"


PUBLIC_STATUSES = frozenset({InterestStatus.INTERESTED, InterestStatus.VERY_INTERESTED})


class EstateType(StrEnum):
    """`presentAccommodation.estateType` (H); Vitec's numbers count from 0."""

    HOUSE = "House"
    ROW_HOUSE = "RowHouse"
    HOUSING_COOPERATIVE = "HousingCooperative"
    COTTAGE = "Cottage"
    PLOT = "Plot"
    AGRICULTURE_PROPERTY = "AgricultureProperty"
    TENANCY = "Tenancy"
    OTHER_HOUSING = "OtherHousing"
    COMMERCIAL_PROPERTY = "CommercialProperty"
    CONDOMINIUM = "Condominium"


_IN_SWEDISH = {  # as Vitec's own pages call them (H)
    "villa": EstateType.HOUSE,
    "radhus": EstateType.ROW_HOUSE,
    "bostadsrätt": EstateType.HOUSING_COOPERATIVE,
    "fritidshus": EstateType.COTTAGE,
    "tomt": EstateType.PLOT,
    "gård": EstateType.AGRICULTURE_PROPERTY,
    "hyresrätt": EstateType.TENANCY,
    "övrig": EstateType.OTHER_HOUSING,
    "kommersiell fastighet": EstateType.COMMERCIAL_PROPERTY,
    "ägarlägenhet": EstateType.CONDOMINIUM,
}


class PresentAccommodation(VitecModel):
    """The person's current home. Quantities are decimals and not negative (S)."""

    estate_type: Annotated[EstateType, by_name_or_number(EstateType, swedish=_IN_SWEDISH)] | None = None
    living_space: LivingSpace | None = None
    number_of_rooms: Rooms | None = None
    price: Price | None = None
    other: Line | None = None
    coordinate: Coordinate | None = None


class Interest(VitecModel):
    """Vitec's `AdvertisingInterestApplication`."""

    lead_source_id: Line | None = None
    assignment_source_id: Line | None = None
    marketing: MarketingMember | None = None
    first_name: Name
    last_name: Name
    is_foreign_social_security_number: Truth | None = None
    social_security_number: Annotated[str, Length(15), CheckDigit] | None = None
    address: Address | None = None
    telephone: Telephone | None = None
    email: EmailAddresses | None = None
    gdpr_approval_date: ApprovalMoment | None = None
    present_accommodation: PresentAccommodation | None = None
    contact_message: Message | None = None
    status: Annotated[InterestStatus, by_name_or_number(InterestStatus)] | None = None


class InterestDefaults(DefaultsTable):
    """`[customers.interest]`. `marketing`: sent within the interest, or in a lead after it."""

    lead_source_id: VitecId | None = None
    assignment_source_id: VitecId | None = None
    status: Literal["Interested", "VeryInterested"] = "Interested"
    marketing: Literal["inline", "lead"] = "inline"


def plan(request: DeliveryRequest, defaults: Defaults) -> tuple[PlannedStep, ...]:
    settings, context = defaults.get(InterestDefaults), request.context
    chain = lead_after(context, defaults) if settings.marketing == "lead" else ()
    inline = context.without_marketing() if chain else context
    return request.step(_body(request, settings, inline)), *chain


def _body(request: DeliveryRequest, settings: InterestDefaults, context: SubmissionContext) -> dict[str, Any]:
    configured = {
        "leadSourceId": settings.lead_source_id,
        "assignmentSourceId": settings.assignment_source_id,
        "status": settings.status,
        "gdprApprovalDate": context.consented_text,
    }
    submitted = dict(request.submitted)
    if not context.with_key and submitted.get("status") not in PUBLIC_STATUSES:
        submitted.pop("status", None)
    return with_defaults(submitted, configured) | context.marketing_member


FORM = FormSpec(
    name="interest",
    heading=N_("Register your interest"),
    button=N_("Register my interest"),
    fields=(
        *("firstName", "lastName", "socialSecurityNumber"),
        *("contact", "email.emailAddress", "telephone.cell", "contactMessage", "status"),
        *("address.streetAddress", "address.zipCode", "address.city"),
        *("presentAccommodation.estateType", "presentAccommodation.livingSpace"),
        *("presentAccommodation.numberOfRooms", "presentAccommodation.price", "presentAccommodation.other"),
        "consent",
    ),
    first_contact="email.emailAddress",
    received=N_("Thank you, we have received your registration"),
    next=N_("%(firm)s will contact you as soon as they can. You don’t need to do anything more."),
    refused=N_("We couldn’t deliver your registration"),
)
POST = PostSpec(
    operation=Operation.INTEREST,
    model=Interest,
    paths=(PATH,),
    example={
        "firstName": "Anna",
        "lastName": "Åkesson",
        "email": {"emailAddress": "anna@example.se"},
        "telephone": {"cell": "070-174 06 05"},
        "contactMessage": "Is there a lift?",
        "marketing": {"utmTags": [{"name": "utm_source", "value": "newsletter"}]},
        "consent": True,
    },
    form_path=FORM_PATH,
    form=FORM,
    public=PERSON | {"telephone", "presentAccommodation", "contactMessage", "status", "marketing"},
    approval="gdprApprovalDate",
    email="email.emailAddress",
    phones=("telephone.cell", "telephone.home", "telephone.work"),
)
INTEREST = OperationSpec(
    operation=Operation.INTEREST,
    path=PATH,
    label=N_("Interest"),
    plural=N_("interests in homes"),
    summary="Register interest in a home",
    posts=(POST,),
    plan=plan,
    estate=0,
    may_answer_none=True,  # no answer is documented
)
