"""Labels of applications' members and of their values."""

from collections.abc import Mapping

from app.i18n import N_, GetText
from app.operations.registry import plain_name

# A member as one operation names it -> as the tables below name it.
SYNONYMS = {
    "email": "email.emailAddress",
    "lead.message": "contactMessage",
    "cellPhone": "telephone.cell",
    "telePhone": "telephone.home",
    "workPhone": "telephone.work",
    "otherPhone": "telephone.other",
    "timeSlotId": "slot",
    "confirmation.isEmailEnabled": "mailConfirmation",
    "confirmation.isSmsEnabled": "smsConfirmation",
}


def same_member(name: str) -> str:
    """The dotted name under which the tables of members have this member: that of an interest, if it has one."""
    plain = plain_name(name)
    return SYNONYMS.get(plain, plain)


# Applications' members, dotted as in the body, without the prefix of the member that holds a person. A member that is
# not listed is shown by its name in the body.
MEMBERS: Mapping[str, str] = {
    "firstName": N_("First name"),
    "lastName": N_("Last name"),
    "socialSecurityNumber": N_("Personal identity number"),
    "isForeignSocialSecurityNumber": N_("Foreign identity number"),
    "email.emailAddress": N_("E-mail"),
    "email.emailAddress2": N_("Second e-mail"),
    "telephone.cell": N_("Mobile"),
    "telephone.home": N_("Home phone"),
    "telephone.work": N_("Work phone"),
    "telephone.other": N_("Other phone"),
    "address.streetAddress": N_("Street address"),
    "address.zipCode": N_("Postcode"),
    "address.city": N_("Town"),
    "address.countryCode": N_("Country"),
    "presentAccommodation.estateType": N_("Current home: type"),
    "presentAccommodation.livingSpace": N_("Living space"),
    "presentAccommodation.numberOfRooms": N_("Current home: rooms"),
    "presentAccommodation.price": N_("Current home: estimated value, kronor"),
    "presentAccommodation.other": N_("Current home: other"),
    "status": N_("How interested"),
    "contactMessage": N_("Message"),
    "message": N_("Message"),
    "contactId": N_("Contact in Vitec"),
    "bank": N_("Bank"),
    "validUntil": N_("Valid until"),
    "estateType": N_("Type of home"),
    "financing": N_("Financing"),
    "presentAccommodation.coordinate.longitud": N_("Longitude"),
    "presentAccommodation.coordinate.latitud": N_("Latitude"),
    "gdprApprovalDate": N_("Approval (GDPR)"),
    "gdpr.hasApproved": N_("Approval (GDPR)"),
    "gdpr.approvalDate": N_("Approval (GDPR)"),
    "prospectiveBuyerStatus": N_("How interested"),
    "lead.leadSourceId": N_("Lead source"),
    "lead.assignmentSourceId": N_("Assignment source"),
    "receiver.userId": N_("Assigned to"),
    "slot": N_("Time"),
    "smsReminder": N_("Reminder by text message"),
    "mailConfirmation": N_("Confirmation by e-mail"),
    "smsConfirmation": N_("Confirmation by text message"),
    "reminderTime": N_("Reminder, minutes before"),
    "participated": N_("Attended"),
    "returnBookingId": N_("Return the booking’s id"),
    "leadSourceId": N_("Lead source"),
    "assignmentSourceId": N_("Assignment source"),
    "assignedToId": N_("Assigned to"),
    "officeId": N_("Office"),
}
# By member: the labels of its values, in the order in which a form offers them.
CHOICES: Mapping[str, Mapping[str, str]] = {
    "status": {"Interested": N_("Interested"), "VeryInterested": N_("Very interested")},
    "prospectiveBuyerStatus": {"Interested": N_("Interested")},
    "presentAccommodation.estateType": {
        "HousingCooperative": N_("Co-operative flat (bostadsrätt)"),
        "Tenancy": N_("Rented flat (hyresrätt)"),
        "Condominium": N_("Owned flat (ägarlägenhet)"),
        "House": N_("Detached house"),
        "RowHouse": N_("Terraced house"),
        "Cottage": N_("Holiday home"),
        "AgricultureProperty": N_("Farm"),
        "Plot": N_("Plot of land"),
        "CommercialProperty": N_("Commercial premises"),
        "OtherHousing": N_("Something else"),
    },
    "estateType": {
        "Apartment": N_("Flat"),
        "House": N_("Detached house"),
        "Cottage": N_("Holiday home"),
    },
    "financing": {
        "Bank": N_("With a loan from the bank"),
        "Other": N_("In another way"),
        "Unknown": N_("I don’t know yet"),
    },
}


def member_label(name: str, gettext: GetText) -> str:
    """The label of the dotted member; its own name if it has no label, because only programs send it."""
    name = same_member(name)
    return gettext(MEMBERS[name]) if name in MEMBERS else name
