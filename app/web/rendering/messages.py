"""The error messages that people read: tables from fault to text, and nothing but tables.

A text says what to do. It is looked up by field and code, and else by code alone with the field's name in it; a member
that only programs send has no name in any language and is called as in the body.
"""

from collections.abc import Iterable, Mapping

from app.domain.field_errors import FieldError
from app.i18n import N_, GetText
from app.operations.registry import plain_name
from app.web.rendering.page_models import CONTACT, FieldMessage

NAMES: Mapping[str, str] = {
    "firstName": N_("The first name"),
    "lastName": N_("The last name"),
    "socialSecurityNumber": N_("The personal identity number"),
    "email.emailAddress": N_("The e-mail address"),
    "email.emailAddress2": N_("The second e-mail address"),
    "telephone.cell": N_("The mobile number"),
    "telephone.home": N_("The home number"),
    "telephone.work": N_("The work number"),
    "telephone.other": N_("The other number"),
    "address.streetAddress": N_("The street address"),
    "address.zipCode": N_("The postcode"),
    "address.city": N_("The town"),
    "address.countryCode": N_("The country"),
    "contactMessage": N_("The message"),
    "presentAccommodation.estateType": N_("The type of home"),
    "presentAccommodation.livingSpace": N_("The living space"),
    "presentAccommodation.numberOfRooms": N_("The number of rooms"),
    "presentAccommodation.price": N_("The price"),
    "presentAccommodation.other": N_("“Anything else about your home”"),
    "consent": N_("The consent"),
    "message": N_("The message"),
    "bank": N_("The bank"),
    "validUntil": N_("The date"),
    "estateType": N_("The type of home"),
    "financing": N_("The financing"),
    "slot": N_("The time"),
    "smsReminder": N_("The reminder"),
    "mailConfirmation": N_("The confirmation by e-mail"),
    "smsConfirmation": N_("The confirmation by text message"),
}

# The same thing to a person, whatever the operation calls it.
SAME = {
    "email": "email.emailAddress",
    "lead.message": "contactMessage",
    "cellPhone": "telephone.cell",
    "telePhone": "telephone.home",
    "workPhone": "telephone.work",
    "otherPhone": "telephone.other",
}

_PHONE = N_("Write the number like this: 070-123 45 67, with + and the country code if it isn’t Swedish")
_EMAIL = N_("Write the e-mail address like this: name@example.com")
_HIDDEN = N_("%(name)s contains a hidden character. Write it again by hand")  # a message may have line breaks
TEXTS: Mapping[tuple[str, str], str] = {
    ("", "wrong_type"): N_("What was sent must be a JSON object"),
    ("firstName", "required"): N_("Write your first name"),
    ("lastName", "required"): N_("Write your last name"),
    ("slot", "required"): N_("Choose a time"),
    ("slot", "invalid_choice"): N_("Choose one of the times"),
    ("email.emailAddress", "required"): N_("Write your e-mail address"),
    ("email.emailAddress", "invalid_email"): _EMAIL,
    ("email.emailAddress2", "invalid_email"): _EMAIL,
    ("telephone.cell", "required"): N_("Write your mobile number"),
    ("telephone.cell", "invalid_phone"): N_(
        "Write the mobile number like this: 070-123 45 67, with + and the country code if it isn’t Swedish"
    ),
    ("presentAccommodation.livingSpace", "invalid_number"): N_("Write the living space in figures, for example 75"),
    ("presentAccommodation.numberOfRooms", "invalid_number"): N_("Write the number of rooms in figures, for example 3"),
    ("presentAccommodation.price", "invalid_number"): N_("Write the price in figures, for example 2 500 000"),
    ("presentAccommodation.estateType", "invalid_choice"): N_("Choose a type of home from the list"),
    ("contactMessage", "control_characters"): _HIDDEN,
    ("message", "control_characters"): _HIDDEN,
    ("bank", "required"): N_("Write which bank has given the promise"),
    ("validUntil", "invalid_datetime"): N_("Write the date like this: 2026-12-31"),
    ("estateType", "invalid_choice"): N_("Choose a type of home from the list"),
    ("financing", "invalid_choice"): N_("Choose how the home is financed from the list"),
    ("address.countryCode", "invalid_country"): N_("Choose a country from the list"),
}

# `%(name)s` is the field's name; the rest are the fault's own parameters.
GENERAL: Mapping[str, str] = {
    "required": N_("%(name)s is missing"),
    "too_long": N_("%(name)s can be at most %(max)s characters"),
    "control_characters": N_("%(name)s contains a line break or a hidden character. Write it again by hand"),
    "damaged_text": N_("%(name)s was damaged on its way here. Write it again"),
    "invalid_email": _EMAIL,
    "invalid_phone": _PHONE,
    "invalid_personnummer": N_("Check the digits of the personal identity number, like this: YYYYMMDD-XXXX"),
    "invalid_number": N_("%(name)s must be a number in figures"),
    "invalid_choice": N_("%(name)s must be one of these: %(choices)s"),
    "invalid_datetime": N_("Write %(name)s as a date and time like this: 2026-11-29T13:00:00+01:00"),
    "invalid_country": N_("Write the country as two letters, for example NO"),
    "wrong_type": N_("%(name)s is a value of another kind than expected here"),
    "unknown": N_("%(name)s is not known here. Check how it is spelled, or leave it out"),
    "too_small": N_("%(name)s must be at least %(ge)s"),
    "too_large": N_("%(name)s can be at most %(le)s"),
    "too_many": N_("%(name)s can hold at most %(max_length)s items"),
    "contact_required": N_("Give an e-mail address or a phone number, so that we can reach you"),
    "consent_required": N_("Tick that we may use your details, so that we can get in touch with you"),
    "customer_mismatch": N_("%(name)s is another customer than the one in the address. Leave it out"),
    "not_allowed": N_("%(name)s can be sent with an API key only"),
    "file": N_("Files can’t be received here. Send it again without attachments"),
    "invalid_json": N_("What was sent can’t be read as JSON"),
    "invalid_form": N_("What was sent can’t be read as a form"),
    "invalid_encoding": N_("What was sent is not text in UTF-8"),
    "too_many_fields": N_("What was sent has too many fields"),
}

# Only a program can be told these, so the field is called as in the body.
BY_MEMBER = frozenset({"unknown", "not_allowed", "customer_mismatch"})

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "validation": (N_("Something needs correcting"), N_("See errors for each field and what to do.")),
    "upstream-rejected": (N_("Vitec refused it"), N_("See upstream for Vitec’s own words.")),
    "upstream-unreadable": (
        N_("Vitec’s answer can’t be read"),
        N_("Try again later. If it goes on, Vitec’s support can help."),
    ),
    "upstream-away": (
        N_("Vitec can’t be reached right now"),
        N_("Wait as long as Retry-After says, then ask again."),
    ),
    "unauthorized": (N_("The API key is missing or wrong"), N_("Send the key of this customer in Authorization.")),
    "forbidden": (
        N_("Not from this website"),
        N_("The customer’s configuration doesn’t name this origin. Add it to allowed_origins, or send an API key."),
    ),
    "not-found": (N_("Nothing here"), N_("There is nothing at this address. Check how it is written.")),
    "too-large": (N_("Too much at once"), N_("The body may be at most 64 KiB.")),
    "too-slow": (N_("It took too long"), N_("Not all of the body came in time. Send it again.")),
    "unsupported-media": (
        N_("Another content type is needed"),
        N_("Send application/json, application/x-www-form-urlencoded or multipart/form-data."),
    ),
    "too-many": (N_("Too many at once"), N_("Wait as long as Retry-After says, then send it again.")),
    "unavailable": (
        N_("It can’t be received right now"),
        N_("Nothing was kept. Wait as long as Retry-After says, then send it again."),
    ),
    "repeat-mismatch": (
        N_("The same Idempotency-Key, another content"),
        N_("This key was used with another body. Use a new key for a new submission."),
    ),
    "fault": (N_("Something went wrong here"), N_("The fault is ours. Send it again in a while.")),
    "gone": (N_("No longer here"), N_("This link has expired.")),
    "method-not-allowed": (N_("Another method is needed"), N_("See Allow for the methods of this address.")),
}


def message(fault: FieldError, gettext: GetText) -> str:
    """One sentence for one fault, in the language of `gettext`."""
    field = same_field(fault.field)
    text = gettext(TEXTS.get((field, fault.code)) or GENERAL[fault.code])
    name = fault.field if fault.code in BY_MEMBER or field not in NAMES else gettext(NAMES[field])
    return text % {**fault.params, "name": name}


def field_messages(faults: Iterable[FieldError], gettext: GetText) -> tuple[FieldMessage, ...]:
    """For a form page: at the inputs' names, and what concerns e-mail and phone together at the pair."""
    return tuple(
        FieldMessage(CONTACT if fault.code == "contact_required" else plain_name(fault.field), message(fault, gettext))
        for fault in faults
    )


def problem_text(kind: str, gettext: GetText) -> tuple[str, str]:
    """Title and detail of a JSON answer (RFC 9457)."""
    title, detail = PROBLEMS[kind]
    return gettext(title), gettext(detail)


def same_field(name: str) -> str:
    """As an interest calls it, which every table of fields goes by."""
    plain = plain_name(name)
    return SAME.get(plain, plain)
