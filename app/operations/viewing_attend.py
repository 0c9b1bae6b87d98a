"""The newer call for a booking (vitec-connect.md, section 7): by home and slot, and with the marketing."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from app.domain.fields import Email, Length, Line, Message, Name, Phone, Truth
from app.domain.numbers import Minutes
from app.operations.member_paths import leaves, member_at, set_member
from app.operations.members import Address, Gdpr, MarketingMember, VitecModel

HOME_PATH = "/v2/Advertising/Form/{customerId}/Estate/{estateId}"
PATH = f"{HOME_PATH}/Viewing/Attend"
FORM_PATH = "/forms/{customerId}/viewing/{estateId}"
NO_REMINDER = 0  # as `reminderTime`: the visitor wants none

Members = Mapping[str, Any]


class AttendLead(VitecModel):
    lead_source_id: Line | None = None
    message: Message | None = None


class Confirmation(VitecModel):
    """The messages that Vitec sends the visitor."""

    is_email_enabled: Truth | None = None
    is_sms_enabled: Truth | None = None


class AttendValidation(VitecModel):
    """`True` makes Vitec refuse a booking if the slot is full, or after the deadline. The capital L is Vitec's own."""

    is_booking_limit_enabled: Truth | None = None
    is_dead_line_enabled: Annotated[Truth | None, Field(alias="isDeadLineEnabled")] = None


class ViewingAttendance(VitecModel):
    """Members H. No lengths are documented, so those of the other calls apply."""

    time_slot_id: Annotated[str, Length(40, minimum=1)]
    first_name: Name
    last_name: Name
    cell_phone: Phone | None = None
    email: Email | None = None
    address: Address | None = None
    gdpr: Gdpr | None = None
    lead: AttendLead | None = None
    confirmation: Confirmation | None = None
    marketing: MarketingMember | None = None
    reminder_time: Minutes | None = None
    validation: AttendValidation | None = None


# Dotted members of this call -> the same members of the older one, `AddNewViewingParticipant`.
OLDER_NAMES = {
    **{name: f"updatePerson.{name}" for name in ("firstName", "lastName", "cellPhone")},
    "email": "updatePerson.email.emailAddress",
    **{name: f"updatePerson.{name}" for name in ("address.streetAddress", "address.zipCode", "address.city")},
    "lead.leadSourceId": "leadSourceId",
    "lead.message": "contactMessage",
    "confirmation.isEmailEnabled": "mailConfirmation",
    "confirmation.isSmsEnabled": "smsConfirmation",
    "reminderTime": "reminderTime",
    "validation.isBookingLimitEnabled": "options.enableBookingLimitValidation",
    "validation.isDeadLineEnabled": "options.isDeadlineValidationEnabled",
}


def as_participant(attendance: Members) -> dict[str, Any]:
    """The same booking in the members of the older call, which has the slot in its path."""
    members: dict[str, Any] = {}
    for new, old in OLDER_NAMES.items():
        if (value := member_at(attendance, new)) is not None:
            set_member(members, old, value)
    minutes = members.get("reminderTime")
    if minutes is not None:
        members["smsReminder"] = minutes != NO_REMINDER
    return members


def as_attendance(participant: Members, time_slot_id: str, reminder_minutes: int) -> dict[str, Any] | None:
    """The same booking in the members of this call; None if it lacks a member for any of the submitted ones."""
    members: dict[str, Any] = {"timeSlotId": time_slot_id}
    remaining = dict(leaves(participant))
    for new, old in OLDER_NAMES.items():
        if old in remaining:
            set_member(members, new, remaining.pop(old))
    if remaining.pop("smsReminder", None) is False:
        members["reminderTime"] = NO_REMINDER
    elif member_at(participant, "smsReminder"):
        members.setdefault("reminderTime", reminder_minutes)
    if remaining.pop("updatePerson.gdprApprovalDate", None):
        members["gdpr"] = {"hasApproved": True}
    remaining.pop("updatePerson.customerId", None)
    # Values that every booking from a web form has.
    defaults = {"participated": False, "returnBookingId": False, "updatePerson.obtainThrough": "Interest"}
    return members if all(name in defaults and defaults[name] == value for name, value in remaining.items()) else None
