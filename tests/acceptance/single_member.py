"""A valid body with one member changed, and the answer to it."""

from typing import Any

from tests.acceptance.bodies import Members, booking, interest, interest_path, member, viewing_path, with_member
from tests.acceptance.running_service import RunningService

HOUSE = "\U0001f3e0"  # two UTF-16 code units
UNREACHABLE = {"firstName": "Anna", "lastName": "Ek"}


def at(name: str, value: Any) -> tuple[str, Members]:
    """A new path and a valid body with one member set; a booking if the member belongs to one."""
    is_booking = name.startswith("updatePerson.") or name in BOOKING_ONLY
    body = booking() if is_booking else interest()
    return (viewing_path() if is_booking else interest_path()), with_member(body, name, value)


BOOKING_ONLY = {"reminderTime", "smsReminder", "participated", "options.isDeadlineValidationEnabled"}


def accepted(service: RunningService, name: str, value: Any) -> Any:
    """Posts the value; returns what Vitec gets for it."""
    path, body = at(name, value)
    return member(service.sent(path, body), name)


def refused(service: RunningService, name: str, value: Any) -> None:
    """Asserts an error at this member only, and that nothing is sent on."""
    path, body = at(name, value)
    assert set(service.faults(path, body)) == {name}
    assert not service.received(path)


INTEREST_MEMBERS = [
    "leadSourceId",
    "firstName",
    "lastName",
    "isForeignSocialSecurityNumber",
    "socialSecurityNumber",
    "address",
    "address.city",
    "telephone",
    "telephone.cell",
    "email",
    "email.emailAddress",
    "gdprApprovalDate",
    "presentAccommodation",
    "presentAccommodation.estateType",
    "presentAccommodation.livingSpace",
    "presentAccommodation.coordinate",
    "presentAccommodation.coordinate.longitud",
    "contactMessage",
    "status",
    "marketing",
    "marketing.referrer",
    "marketing.utmTags",
    "consent",
]
BOOKING_MEMBERS = [
    "updatePerson",
    "updatePerson.customerId",
    "updatePerson.categoryIds",
    "updatePerson.leadScore",
    "updatePerson.wishAdvertising",
    "updatePerson.task",
    "updatePerson.customField",
    "updatePerson.approvalDate",
    "updatePerson.obtainThrough",
    "updatePerson.email",
    "updatePerson.cellPhone",
    "participated",
    "reminderTime",
    "smsReminder",
    "options",
    "contactMessage",
]
VALUATION_MEMBERS = ["email", "cellPhone", "address", "gdpr", "gdpr.hasApproved", "lead", "lead.message", "receiver"]
FINAL_PRICE_MEMBERS = [
    "person",
    "person.firstName",
    "person.email",
    "person.telephone.cell",
    "prospectiveBuyerStatus",
    "leadSourceId",
    "message",
    "marketing",
]
