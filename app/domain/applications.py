"""What was filled in: one model for each Vitec operation, Vitec's members, our constraints.

Members keep Vitec's camelCase at the border (`longitud`, `latitud` and `telePhone` are Vitec's own spelling). The
letter after a constraint is its source in vitec-connect.md (S, H, O).
"""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from app.domain.datetimes import ApprovalMoment, LastMoment, Moment
from app.domain.fields import (
    Country,
    Email,
    Id,
    Length,
    Line,
    Message,
    Name,
    Phone,
    Postcode,
    Truth,
    by_name_or_number,
    check_personnummer,
)
from app.domain.numbers import Int32, Latitude, Longitude, Minutes, Quantity


class InterestStatus(StrEnum):
    """How interested (H); Vitec's numbers count from 0."""

    INTERESTED = "Interested"
    VERY_INTERESTED = "VeryInterested"
    ASSIGNED = "Assigned"
    NOT_INTERESTED = "NotInterested"


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


class ObtainThrough(StrEnum):
    """How the contact came (H); Vitec's numbers count from 0."""

    INTEREST = "Interest"
    PHONE = "Phone"
    VISIT = "Visit"
    AGREEMENT = "Agreement"
    OTHER = "Other"
    EMAIL = "Email"
    NOT_ASKED = "NotAsked"


def _with_check_digit(value: str, info: ValidationInfo) -> str:
    # The marker is declared before the number, so it has been read; when it was faulty the number counts as Swedish.
    return check_personnummer(value, foreign=bool(info.data.get("is_foreign_social_security_number")))


class VitecModel(BaseModel):
    """Members by Vitec's names only; an unknown one is a fault; None is "not said" and is never sent."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)

    def body(self) -> dict[str, Any]:
        """As Vitec takes it: camelCase, ISO 8601 with offset, only what was said."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class EmailAddresses(VitecModel):
    """Each 0-100 (S, H)."""

    email_address: Email | None = None
    email_address2: Email | None = None


class Coordinate(VitecModel):
    longitud: Longitude | None = None
    latitud: Latitude | None = None


class Address(VitecModel):
    """0-68, 0-15, 0-25 (H)."""

    street_address: Annotated[str, Length(68)] | None = None
    zip_code: Postcode | None = None
    city: Annotated[str, Length(25)] | None = None


class PersonAddress(Address):
    """`countryCode`: ISO 3166-1 alpha-2, left out for Sweden (H)."""

    country_code: Country | None = None


class Telephone(VitecModel):
    """Each 0-17 (H)."""

    home: Phone | None = None
    work: Phone | None = None
    cell: Phone | None = None
    other: Phone | None = None


class PresentAccommodation(VitecModel):
    """The home one has today; quantities are decimals, not negative (S)."""

    estate_type: Annotated[EstateType, by_name_or_number(EstateType)] | None = None
    living_space: Quantity | None = None
    number_of_rooms: Quantity | None = None
    price: Quantity | None = None
    other: Line | None = None
    coordinate: Coordinate | None = None


MOST_TAGS_READ = 100  # five times what is sent on: a flood of them costs neither the lead nor the service


def _first_tags(value: Any) -> Any:
    return value[:MOST_TAGS_READ] if isinstance(value, list) else value


class MarketingMember(VitecModel):
    """`marketing` as an application carries it; its values are tidied by `app.domain.marketing`."""

    class Tag(VitecModel):
        name: str
        value: str

    referrer: str | None = None
    utm_tags: Annotated[list[Tag] | None, BeforeValidator(_first_tags)] = None


class Interest(VitecModel):
    """Interest in a home: Vitec's `AdvertisingInterestApplication`."""

    lead_source_id: Line | None = None
    assignment_source_id: Line | None = None
    marketing: MarketingMember | None = None
    first_name: Name
    last_name: Name
    is_foreign_social_security_number: Truth | None = None
    social_security_number: Annotated[str, Length(15), AfterValidator(_with_check_digit)] | None = None
    address: Address | None = None
    telephone: Telephone | None = None
    email: EmailAddresses | None = None
    gdpr_approval_date: ApprovalMoment | None = None
    present_accommodation: PresentAccommodation | None = None
    contact_message: Message | None = None
    status: Annotated[InterestStatus, by_name_or_number(InterestStatus)] | None = None


class Task(VitecModel):
    predefined_task_id: Line | None = None
    note: Message | None = None
    estate_id: Line | None = None
    assigned_to: Line | None = None


class CustomField(VitecModel):
    name: Line | None = None
    value: Line | None = None


class UpdatePerson(VitecModel):
    """The visitor of a viewing. Vitec takes names of 0-30; we require 1-30 (members S, lengths H)."""

    customer_id: Id | None = None
    contact_id: Id | None = None
    first_name: Name
    last_name: Name
    is_foreign_social_security_number: Truth | None = None
    social_security_number: Annotated[str, Length(20), AfterValidator(_with_check_digit)] | None = None
    tele_phone: Phone | None = None
    work_phone: Phone | None = None
    cell_phone: Phone | None = None
    other_phone: Phone | None = None
    email: EmailAddresses | None = None
    address: PersonAddress | None = None
    category_ids: Annotated[list[Line], Field(max_length=100)] | None = None
    user_id: Line | None = None
    wish_advertising: Truth | None = None
    note: Message | None = None
    coordinate: Coordinate | None = None
    task: Task | None = None
    custom_field: CustomField | None = None
    approval: Truth | None = None
    approval_date: Moment | None = None
    gdpr_approval_date: ApprovalMoment | None = None
    obtain_through: Annotated[ObtainThrough, by_name_or_number(ObtainThrough)] | None = None
    lead_score: Int32 | None = None


class ViewingOptions(VitecModel):
    """`True` makes Vitec refuse after the deadline, or when the slot is full (S)."""

    is_deadline_validation_enabled: Truth | None = None
    enable_booking_limit_validation: Truth | None = None


class ViewingBooking(VitecModel):
    """A place at a viewing: Vitec's `AddNewViewingParticipant`. `marketing` is ours, for a Lead."""

    update_person: UpdatePerson
    participated: Truth | None = None
    reminder_time: Minutes | None = None
    sms_reminder: Truth | None = None
    mail_confirmation: Truth | None = None
    sms_confirmation: Truth | None = None
    return_booking_id: Truth | None = None
    contact_message: Message | None = None
    lead_source_id: Line | None = None
    options: ViewingOptions | None = None
    marketing: MarketingMember | None = None


def reached_by(application: VitecModel) -> dict[str, str]:
    """What the person is found by later: `email` in lower case, `phone` in E.164."""
    email: EmailAddresses | None = None
    numbers: tuple[str | None, ...] = ()
    if isinstance(application, Interest):
        email, phones = application.email, application.telephone
        numbers = (phones.cell, phones.home, phones.work) if phones else ()
    elif isinstance(application, ViewingBooking):
        person = application.update_person
        email, numbers = person.email, (person.cell_phone, person.tele_phone, person.work_phone)
    address = email.email_address.lower() if email and email.email_address else None
    found = {"email": address, "phone": next(filter(None, numbers), None)}
    return {kind: contact for kind, contact in found.items() if contact}


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
