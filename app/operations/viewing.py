"""Viewing booking (vitec-connect.md, sections 2 and 7).

Steps: viewing; with `[customers.lead]` and tags to pass on, viewing → contact → lead.

Vitec has two calls for it. The older one is addressed by viewing and has all members of a person. The newer one is
addressed by home and has the marketing, so that no lead follows.
"""

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from app.domain.datetimes import ApprovalMoment, Moment
from app.domain.fields import Id, Length, Line, Message, Name, Phone, ReadContext, Truth, by_name_or_number
from app.domain.numbers import Int32, Minutes
from app.domain.submission import Operation, PlannedStep
from app.i18n import N_
from app.operations import viewing_attend
from app.operations.lead import lead_after
from app.operations.members import (
    CheckDigit,
    Coordinate,
    EmailAddresses,
    MarketingMember,
    PersonAddress,
    VitecModel,
)
from app.operations.planning import BookedTime, Defaults, DefaultsTable, DeliveryRequest, VitecId, with_defaults
from app.operations.specification import PERSON, FormSpec, OperationSpec, PostSpec
from app.operations.viewing_attend import NO_REMINDER, ViewingAttendance, as_attendance, as_participant

PATH = "/Viewing/{customerId}/{viewingId}/{timeSlotId}/Participant"
FORM_PATH = "/forms/{customerId}/viewing/{viewingId}/{timeSlotId}"
TICKS = dict.fromkeys(("smsReminder", "mailConfirmation", "smsConfirmation"), "false")
ATTEND_TICKS = {
    "reminderTime": str(NO_REMINDER),
    "confirmation.isEmailEnabled": "false",
    "confirmation.isSmsEnabled": "false",
}


class ObtainThrough(StrEnum):
    """How the contact was obtained (H); Vitec's numbers count from 0."""

    INTEREST = "Interest"
    PHONE = "Phone"
    VISIT = "Visit"
    AGREEMENT = "Agreement"
    OTHER = "Other"
    EMAIL = "Email"
    NOT_ASKED = "NotAsked"


class Task(VitecModel):
    predefined_task_id: Line | None = None
    note: Message | None = None
    estate_id: Line | None = None
    assigned_to: Line | None = None


class CustomField(VitecModel):
    name: Line | None = None
    value: Line | None = None


class UpdatePerson(VitecModel):
    """The visitor of a viewing. Vitec accepts names of 0-30 characters; we require 1-30 (members S, lengths H)."""

    customer_id: Id | None = None
    contact_id: Id | None = None
    first_name: Name
    last_name: Name
    is_foreign_social_security_number: Truth | None = None
    social_security_number: Annotated[str, Length(20), CheckDigit] | None = None
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
    """`True` makes Vitec refuse a booking after the deadline, or if the slot is full (S)."""

    is_deadline_validation_enabled: Truth | None = None
    enable_booking_limit_validation: Truth | None = None


class ViewingBooking(VitecModel):
    """Vitec's `AddNewViewingParticipant`. `marketing` is our own member, for a lead."""

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


class ViewingDefaults(DefaultsTable):
    """`[customers.viewing]`. `reminder_minutes`: before the viewing; `call`: the older or the newer one; `cancel`:
    visitors may cancel their bookings."""

    lead_source_id: VitecId | None = None
    reminder_minutes: Annotated[int, Field(ge=1, le=30 * 24 * 60)] = 60
    sms_reminder: bool = True
    mail_confirmation: bool = True
    sms_confirmation: bool = False
    validate_deadline: bool = True
    validate_booking_limit: bool = True
    call: Literal["participant", "attend"] = "participant"
    cancel: bool = False


def choose_call(request: DeliveryRequest, defaults: Defaults, booked: BookedTime) -> DeliveryRequest:
    """The request for the call that the configuration prefers, if the ids for that are known and it has members for all
    that was submitted; otherwise the request unchanged. The resource's ids show which call was chosen."""
    settings = defaults.get(ViewingDefaults)
    if isinstance(request.application, ViewingAttendance):
        if settings.call == "attend" or not booked.viewing:
            return request
        return _request_by(request, (booked.viewing, booked.slot), ViewingBooking, as_participant(request.submitted))
    if settings.call == "participant" or not booked.estate:
        return request
    members = as_attendance(request.submitted, booked.slot, settings.reminder_minutes)
    return _request_by(request, (booked.estate,), ViewingAttendance, members) if members else request


def _request_by(
    request: DeliveryRequest, resource: tuple[str, ...], model: type[VitecModel], members: dict[str, Any]
) -> DeliveryRequest:
    application = model.model_validate(members, context=ReadContext(form=False, now=datetime.now(UTC), stored=True))
    return DeliveryRequest(request.customer_id, request.operation, resource, application, request.context)


def plan(request: DeliveryRequest, defaults: Defaults) -> tuple[PlannedStep, ...]:
    application = request.application
    if isinstance(application, ViewingAttendance):
        return (request.step(_attendance(request, defaults.get(ViewingDefaults))),)
    assert isinstance(application, ViewingBooking)
    wants_booking_id = request.context.with_key and application.return_booking_id is True
    chain = () if wants_booking_id else lead_after(request.context, defaults)
    body = _body(request, defaults.get(ViewingDefaults))
    return request.step(body | {"returnBookingId": False} if chain else body), *chain


def _body(request: DeliveryRequest, settings: ViewingDefaults) -> dict[str, Any]:
    """The body of the older call, without the marketing, which goes into a lead."""
    configured = {
        "participated": False,
        "reminderTime": settings.reminder_minutes,
        "smsReminder": settings.sms_reminder,
        "mailConfirmation": settings.mail_confirmation,
        "smsConfirmation": settings.sms_confirmation,
        "leadSourceId": settings.lead_source_id,
    }
    options = {
        "isDeadlineValidationEnabled": settings.validate_deadline,
        "enableBookingLimitValidation": settings.validate_booking_limit,
    }
    context = request.context
    person = {"obtainThrough": ObtainThrough.INTEREST.value, "gdprApprovalDate": context.consented_text}
    submitted = dict(request.submitted)
    if not context.with_key:
        _remove_unoffered(submitted, settings)
    return with_defaults(submitted, configured) | {
        "updatePerson": with_defaults(submitted["updatePerson"], person) | {"customerId": request.customer_id},
        "options": with_defaults(submitted.get("options", {}), options),
    }


def _attendance(request: DeliveryRequest, settings: ViewingDefaults) -> dict[str, Any]:
    context, submitted = request.context, dict(request.submitted)
    confirmation = dict(submitted.get("confirmation", {}))
    if not context.with_key:
        if not settings.sms_reminder:
            submitted.pop("reminderTime", None)
        if not settings.mail_confirmation:
            confirmation.pop("isEmailEnabled", None)
        if not settings.sms_confirmation:
            confirmation.pop("isSmsEnabled", None)
    lead = with_defaults(submitted.get("lead", {}), {"leadSourceId": settings.lead_source_id})
    gdpr = with_defaults(submitted.get("gdpr", {}), {"hasApproved": True if context.consented_at else None})
    limits = {"isBookingLimitEnabled": settings.validate_booking_limit, "isDeadLineEnabled": settings.validate_deadline}
    reminder = {"reminderTime": settings.reminder_minutes if settings.sms_reminder else None}
    body = with_defaults(submitted, reminder) | {
        "confirmation": {"isEmailEnabled": settings.mail_confirmation, "isSmsEnabled": settings.sms_confirmation}
        | confirmation,
        "validation": limits | submitted.get("validation", {}),
        **({"gdpr": gdpr} if gdpr else {}),
        **({"lead": lead} if lead else {}),
        **context.marketing_member,
    }
    if body.get("reminderTime") == NO_REMINDER:
        del body["reminderTime"]
    return body


def _remove_unoffered(submitted: dict[str, Any], settings: ViewingDefaults) -> None:
    """Visitors may decline messages that the configuration offers, but not order others: text messages cost money."""
    if not settings.sms_reminder:
        submitted.pop("smsReminder", None)
        submitted.pop("reminderTime", None)
    if not settings.mail_confirmation:
        submitted.pop("mailConfirmation", None)
    if not settings.sms_confirmation:
        submitted.pop("smsConfirmation", None)


FORM = FormSpec(
    name="viewing",
    heading=N_("Book a viewing"),
    button=N_("Book the viewing"),
    fields=(
        *("slot", "firstName", "lastName", "socialSecurityNumber"),
        *("contact", "cellPhone", "email.emailAddress", "contactMessage"),
        *("address.streetAddress", "address.zipCode", "address.city", "address.countryCode"),
        *(*TICKS, "consent"),
    ),
    first_contact="cellPhone",
    received=N_("We have received your booking"),
    next=N_(
        "We are confirming the time. It usually takes a few seconds, and this page then updates "
        "by itself. Your booking is saved even if you close the page."
    ),
    refused=N_("The time couldn’t be booked"),
    waits=True,
)
POST = PostSpec(
    operation=Operation.VIEWING,
    model=ViewingBooking,
    paths=(PATH,),
    example={
        "updatePerson": {"firstName": "Anna", "lastName": "Åkesson", "cellPhone": "070-174 06 05"},
        "smsReminder": True,
        "consent": True,
    },
    form_path=FORM_PATH,
    form=FORM,
    person="updatePerson",
    public=frozenset(f"updatePerson.{name}" for name in PERSON | {"customerId"})
    | {f"updatePerson.{name}" for name in ("telePhone", "workPhone", "cellPhone", "otherPhone")}
    | {"contactMessage", "reminderTime", "marketing", *TICKS},
    approval="updatePerson.gdprApprovalDate",
    email="updatePerson.email.emailAddress",
    phones=("updatePerson.cellPhone", "updatePerson.telePhone", "updatePerson.workPhone"),
    takes_slots=True,
    ticks=TICKS,
)
ATTEND_FORM = replace(
    FORM,
    inputs="open-times",
    fields=(
        *("timeSlotId", "firstName", "lastName", "contact", "cellPhone", "email", "lead.message"),
        *("address.streetAddress", "address.zipCode", "address.city"),
        *(*ATTEND_TICKS, "consent"),
    ),
)
ATTEND_POST = PostSpec(
    operation=Operation.VIEWING,
    model=ViewingAttendance,
    paths=(viewing_attend.PATH,),
    form_path=viewing_attend.FORM_PATH,
    shown_at=viewing_attend.HOME_PATH,
    example={
        "timeSlotId": "SLOT1",
        "firstName": "Anna",
        "lastName": "Åkesson",
        "cellPhone": "070-174 06 05",
        "consent": True,
    },
    form=ATTEND_FORM,
    public=frozenset({"timeSlotId", "firstName", "lastName", "cellPhone", "email", "address", "gdpr", "lead.message"})
    | {"confirmation", "reminderTime", "marketing"},
    email="email",
    phones=("cellPhone",),
    by_home=True,
    ticks=ATTEND_TICKS,
    approval="gdpr.hasApproved",
    answers="contactId",
)
VIEWING = OperationSpec(
    operation=Operation.VIEWING,
    path=PATH,
    label=N_("Viewing booking"),
    plural=N_("viewing bookings"),
    summary="Book a place at a viewing",
    posts=(POST, ATTEND_POST),
    plan=plan,
    choose_call=choose_call,
)
