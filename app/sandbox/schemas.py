"""Models for the bodies of Vitec Connect's POSTs, every constraint with its source.

S is the documents of 2024, H the help pages of 2026-10 (used where S says nothing). Lengths are in UTF-16 code units. A
member that is not described here is ignored, never refused (inferred: the framework's default).
"""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from app.sandbox.field_types import (
    Choice,
    DateTime,
    Decimal,
    EmailAddress,
    Flag,
    Id,
    Integer,
    Name,
    NotNull,
    Phone,
    Required,
    RequiredId,
    RequiredName,
    Text,
    at_most,
)


class InterestStatus(Choice):
    """Source: S, numbers H."""

    Interested = 0
    VeryInterested = 1
    Assigned = 2
    NotInterested = 3


class EstateType(Choice):
    """The kind of home the visitor lives in. Source: H."""

    House = 0
    RowHouse = 1
    HousingCooperative = 2
    Cottage = 3
    Plot = 4
    AgricultureProperty = 5
    Tenancy = 6
    OtherHousing = 7
    CommercialProperty = 8
    Condominium = 9


class ObtainThrough(Choice):
    """How the contact was obtained; `Interest` is a web form. Source: S, numbers H."""

    Interest = 0
    Phone = 1
    Visit = 2
    Agreement = 3
    Other = 4
    Email = 5
    NotAsked = 6


class LoanPromiseEstateType(Choice):
    """Source: H."""

    Apartment = 1
    Cottage = 2
    House = 3


class LoanPromiseStatus(Choice):
    """Source: H."""

    AutomaticVerification = 1
    CanNotVerify = 2
    VerifiedByBank = 3
    IsBeingProcessed = 4
    CouldNotBeVerified = 5
    NoLoanPromiseExists = 6
    PreApprovalVerifiedByBank = 7


class Financing(Choice):
    """Source: H."""

    Unknown = 0
    Bank = 1
    Other = 2


class ProspectiveBuyerStatus(Choice):
    """The status that a contact gets for a home. Source: H."""

    Assigned = 0
    Interested = 1
    NotInterested = 2


class Body(BaseModel):
    """Members are in camelCase and of the exact JSON type: "1" is not a number, 1 is not a bool."""

    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class Address(Body):
    """Members S, lengths H."""

    street_address: Annotated[Text, at_most(68)] = None
    zip_code: Annotated[Text, at_most(15)] = None
    city: Annotated[Text, at_most(25)] = None


class AddressWithCountry(Address):
    """An UpdatePerson's address; `country_code` is ISO 3166-1 alpha-2, left out for Sweden. Members S, lengths
    as Address."""

    country_code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None


class Telephone(Body):
    """0-17 characters each. Members S, lengths H."""

    home: Phone = None
    work: Phone = None
    cell: Phone = None
    other: Phone = None


class Email(Body):
    """0-100 characters each. Members S, lengths H."""

    email_address: EmailAddress = None
    email_address2: EmailAddress = None


class Coordinate(Body):
    """Decimal degrees; the spelling is Vitec's. Source: S."""

    longitud: Decimal = None
    latitud: Decimal = None


class UtmTag(Body):
    """Source: S."""

    name: Text = None
    value: Text = None


class FormMarketing(Body):
    """`referrer` is the page that showed the form (H). Members S."""

    referrer: Text = None
    utm_tags: list[UtmTag] | None = None


class PresentAccommodation(Body):
    """The home that the visitor lives in now. Source: S; estateType H."""

    estate_type: Annotated[EstateType | None, NotNull] = None
    living_space: Decimal = None
    number_of_rooms: Decimal = None
    price: Decimal = None
    other: Text = None
    coordinate: Coordinate | None = None


def _require_contact_detail(details: Iterable[str | None]) -> None:
    """One of home, work, cell and e-mail: S for an interest, H for an UpdatePerson. `other` and white space don't
    count."""
    if not any(detail and detail.strip() for detail in details):
        raise PydanticCustomError("reachable", "Minst ett telefonnummer (hem, arbete, mobil) eller e-post måste anges.")


class AdvertisingInterestApplication(Body):
    """`POST Advertising/Estate/{customerId}/{estateId}/interest`. Source: S, except where a line says H."""

    lead_source_id: Text = None
    assignment_source_id: Text = None
    marketing: FormMarketing | None = None  # H: newer than S
    first_name: RequiredName
    last_name: RequiredName
    social_security_number: Annotated[Text, at_most(15)] = None  # S; H has 0-20
    is_foreign_social_security_number: Flag = None  # H
    address: Address | None = None
    telephone: Telephone | None = None
    email: Email | None = None
    gdpr_approval_date: DateTime = None
    present_accommodation: PresentAccommodation | None = None
    contact_message: Text = None
    status: InterestStatus = InterestStatus.Interested

    @model_validator(mode="after")
    def can_be_reached(self) -> Self:
        phones, email = self.telephone or Telephone(), self.email or Email()
        _require_contact_detail((phones.home, phones.work, phones.cell, email.email_address))
        return self


class PersonTask(Body):
    """Source: S."""

    predefined_task_id: Text = None
    note: Text = None
    estate_id: Text = None
    assigned_to: Text = None


class CustomField(Body):
    """Source: S."""

    name: Text = None
    value: Text = None


class UpdatePerson(Body):
    """The visitor of a booking, with at least one contact detail (H). Members S, lengths and requirements H.

    Names may be empty: requiring one is Intresse's rule, not Vitec's.
    """

    customer_id: RequiredId
    contact_id: Id = None
    first_name: Name = None
    last_name: Name = None
    social_security_number: Annotated[Text, at_most(20)] = None
    is_foreign_social_security_number: Flag = None
    tele_phone: Phone = None  # at home; the spelling is Vitec's
    work_phone: Phone = None
    cell_phone: Phone = None
    other_phone: Phone = None
    email: Email | None = None
    address: AddressWithCountry | None = None
    category_ids: list[str] | None = None
    user_id: Text = None
    wish_advertising: Flag = None
    note: Text = None
    coordinate: Coordinate | None = None
    task: PersonTask | None = None
    custom_field: CustomField | None = None
    approval: Flag = None
    approval_date: DateTime = None
    gdpr_approval_date: DateTime = None
    obtain_through: ObtainThrough = ObtainThrough.Interest
    lead_score: Integer = None

    @model_validator(mode="after")
    def can_be_reached(self) -> Self:
        email = self.email or Email()
        _require_contact_detail((self.tele_phone, self.work_phone, self.cell_phone, email.email_address))
        return self


class BookingOptions(Body):
    """Whether Vitec refuses a booking if the deadline has passed, or the slot is full. Source: S."""

    is_deadline_validation_enabled: Flag = None
    enable_booking_limit_validation: Flag = None


class AddNewViewingParticipant(Body):
    """`POST Viewing/{customerId}/{viewingId}/{timeSlotId}/Participant`. Source: S."""

    update_person: UpdatePerson
    participated: Flag = None
    reminder_time: Integer = None  # minutes before the viewing
    sms_reminder: Flag = None
    mail_confirmation: Flag = None
    sms_confirmation: Flag = None
    return_booking_id: Flag = None
    contact_message: Text = None
    lead_source_id: Text = None
    options: BookingOptions | None = None


class Gdpr(Body):
    """Source: H."""

    has_approved: Flag = None


class FormLead(Body):
    """The lead of a form. Source: H."""

    lead_source_id: Text = None
    message: Text = None


class Confirmation(Body):
    """Which confirmations Vitec sends. Source: H."""

    is_email_enabled: Flag = None
    is_sms_enabled: Flag = None


class AttendValidation(Body):
    """Whether Vitec refuses if the slot is full, or the deadline has passed; the capital L is Vitec's. Source: H."""

    is_booking_limit_enabled: Flag = None
    is_dead_line_enabled: Flag = Field(None, alias="isDeadLineEnabled")


class ViewingAttendance(Body):
    """`POST v2/…/Estate/{estateId}/Viewing/Attend`. Members H, which gives no lengths: those of S."""

    time_slot_id: RequiredId
    first_name: RequiredName
    last_name: RequiredName
    email: EmailAddress = None
    cell_phone: Phone = None
    address: Address | None = None
    gdpr: Gdpr | None = None
    lead: FormLead | None = None
    confirmation: Confirmation | None = None
    marketing: FormMarketing | None = None
    reminder_time: Integer = None  # minutes before the viewing
    validation: AttendValidation | None = None

    @model_validator(mode="after")
    def can_be_reached(self) -> Self:
        _require_contact_detail((self.cell_phone, self.email))
        return self


class Lead(Body):
    """`POST CRM/Lead/{customerId}`: a lead on a known contact. Source: S; length of contactId as elsewhere."""

    contact_id: RequiredId
    assigned_to_id: Annotated[str, Required]  # a user, a user group or an office
    lead_source_id: Annotated[str, Required]
    office_id: Text = None
    assignment_source_id: Text = None
    message: Text = None
    marketing: FormMarketing | None = None


class LoanPromise(Body):
    """`POST CRM/Buyer/{customerId}/{contactId}/LoanPromise`. Members S, values H."""

    bank: Text = None
    valid_until: DateTime = None
    estate_id: Text = None
    estate_type: Annotated[LoanPromiseEstateType | None, NotNull] = None
    status: Annotated[LoanPromiseStatus | None, NotNull] = None
    financing: Annotated[Financing | None, NotNull] = None


class ValuationLead(Body):
    """Source: H."""

    assignment_source_id: Text = None
    lead_source_id: Text = None
    message: Text = None


class Receiver(Body):
    """The agent who receives it. Source: H."""

    user_id: Text = None


class ValuationForm(Body):
    """`POST v2/Advertising/Form/{customerId}/Valuation`. Members H, which gives neither lengths nor what is required:
    as for an interest."""

    first_name: RequiredName
    last_name: RequiredName
    email: EmailAddress = None
    cell_phone: Phone = None
    address: Address | None = None
    gdpr: Gdpr | None = None
    lead: ValuationLead | None = None
    marketing: FormMarketing | None = None
    receiver: Receiver | None = None

    @model_validator(mode="after")
    def can_be_reached(self) -> Self:
        _require_contact_detail((self.cell_phone, self.email))
        return self


class FinalPricePerson(Body):
    """Members H; lengths of names S, which is stricter than H's 1-40."""

    first_name: RequiredName
    last_name: RequiredName
    social_security_number: Annotated[Text, at_most(20)] = None
    is_foreign_social_security_number: Flag = None
    address: Address | None = None
    email: Email | None = None
    telephone: Telephone | None = None

    @model_validator(mode="after")
    def can_be_reached(self) -> Self:
        phones, email = self.telephone or Telephone(), self.email or Email()
        _require_contact_detail((phones.home, phones.work, phones.cell, email.email_address))
        return self


class FinalPriceWatched(Body):
    """`POST Advertising/Estate/{customerId}/{estateId}/FinalPriceWatched`. Source: H."""

    person: FinalPricePerson
    prospective_buyer_status: Annotated[ProspectiveBuyerStatus | None, NotNull] = None
    lead_source_id: Text = None
    marketing: FormMarketing | None = None
    message: Text = None
