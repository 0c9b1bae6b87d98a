"""Error messages for people, as tables from field error to text.

A text says what to do. It is looked up by field and code, otherwise by code alone with the field's name inserted.
Members that only programs send have no translated name and are named as in the body.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.domain.field_errors import FieldError
from app.i18n import N_, GetText
from app.operations.member_labels import same_member
from app.operations.registry import plain_name
from app.web.rendering.page_models import CONTACT, FieldMessage

NAMES: Mapping[str, str] = {
    "firstName": N_("The first name"),
    "lastName": N_("The last name"),
    "socialSecurityNumber": N_("The personal identity number"),
    "email.emailAddress": N_("The e-mail address"),
    "email.emailAddress2": N_("The second e-mail address"),
    "telephone.cell": N_("The mobile number"),
    "telephone.home": N_("The home phone number"),
    "telephone.work": N_("The work phone number"),
    "telephone.other": N_("The other phone number"),
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
    "mailConfirmation": N_("The e-mail confirmation"),
    "smsConfirmation": N_("The text message confirmation"),
}

_PHONE = N_("Enter the number like this: 070-123 45 67. If it isn’t Swedish, start with + and the country code")
_EMAIL = N_("Enter the e-mail address like this: name@example.com")
_DATE = N_("Enter the date like this: 2026-12-31")
TEXTS: Mapping[tuple[str, str], str] = {
    ("", "wrong_type"): N_("The body must be a JSON object"),
    ("firstName", "required"): N_("Enter your first name"),
    ("lastName", "required"): N_("Enter your last name"),
    ("slot", "required"): N_("Choose a time"),
    ("slot", "invalid_choice"): N_("Choose one of the times"),
    ("email.emailAddress", "required"): N_("Enter your e-mail address"),
    ("email.emailAddress", "invalid_email"): _EMAIL,
    ("email.emailAddress2", "invalid_email"): _EMAIL,
    ("telephone.cell", "required"): N_("Enter your mobile number"),
    ("telephone.cell", "invalid_phone"): N_(
        "Enter the mobile number like this: 070-123 45 67. If it isn’t Swedish, start with + and the country code"
    ),
    ("presentAccommodation.livingSpace", "invalid_number"): N_("Enter the living space in figures, for example 75"),
    ("presentAccommodation.numberOfRooms", "invalid_number"): N_("Enter the number of rooms in figures, for example 3"),
    ("presentAccommodation.price", "invalid_number"): N_("Enter the price in figures, for example 2 500 000"),
    ("presentAccommodation.estateType", "invalid_choice"): N_("Choose a type of home from the list"),
    ("bank", "required"): N_("Enter the bank that gave the loan promise"),
    ("validUntil", "invalid_datetime"): _DATE,
    ("validUntil", "too_early"): _DATE,
    ("validUntil", "has_passed"): N_("The loan promise has expired. Enter today’s date or a later one"),
    ("estateType", "invalid_choice"): N_("Choose a type of home from the list"),
    ("financing", "invalid_choice"): N_("Choose the financing from the list"),
    ("address.countryCode", "invalid_country"): N_("Choose a country from the list"),
}

# `%(name)s` is the field's name; the other placeholders are the error's own parameters.
GENERAL: Mapping[str, str] = {
    "required": N_("%(name)s is missing"),
    "too_long": N_("%(name)s can be at most %(max)s characters"),
    "control_characters": N_("%(name)s contains a line break or a hidden character. Type it again by hand"),
    "no_letters": N_("%(name)s must contain at least one letter"),
    "damaged_text": N_("%(name)s was damaged in transit. Enter it again"),
    "invalid_email": _EMAIL,
    "invalid_phone": _PHONE,
    "invalid_personnummer": N_("Check the digits of the personal identity number. Enter it like this: YYYYMMDD-XXXX"),
    "invalid_number": N_("%(name)s must be a number, in figures"),
    "invalid_choice": N_("%(name)s must be one of: %(choices)s"),
    "invalid_datetime": N_("%(name)s must be a date and time, like this: 2026-11-29T13:00:00+01:00"),
    "has_passed": N_("%(name)s must be today or later"),
    "too_early": N_("%(name)s must be in %(year)s or later"),
    "invalid_country": N_("Enter the country as two letters, for example NO"),
    "wrong_type": N_("%(name)s has the wrong type"),
    "unknown": N_("%(name)s is not a known field. Check the spelling, or leave it out"),
    "too_small": N_("%(name)s must be at least %(ge)s"),
    "too_large": N_("%(name)s can be at most %(le)s"),
    "too_many": N_("%(name)s can have at most %(max_length)s items"),
    "contact_required": N_("Enter an e-mail address or a phone number, so that we can reach you"),
    "consent_required": N_("Tick the box to let us use your details, so that we can contact you"),
    "customer_mismatch": N_("%(name)s is not the customer in the URL. Leave it out"),
    "not_allowed": N_("%(name)s can only be sent with an API key"),
    "file": N_("Files are not accepted here. Send it again without attachments"),
    "invalid_json": N_("The body is not valid JSON"),
    "invalid_form": N_("The body is not a valid form"),
    "invalid_encoding": N_("The body is not UTF-8 text"),
    "too_many_fields": N_("The body has too many fields"),
}

# Only programs get these messages, so the field is named as in the body.
BY_MEMBER = frozenset({"unknown", "not_allowed", "customer_mismatch"})

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "validation": (N_("Validation failed"), N_("See errors for what to correct in each field.")),
    "upstream-rejected": (N_("Vitec refused it"), N_("See upstream for Vitec’s own words.")),
    "upstream-unreadable": (
        N_("Vitec’s answer is unreadable"),
        N_("Try again later. If it persists, contact Vitec’s support."),
    ),
    "upstream-away": (
        N_("Vitec can’t be reached right now"),
        N_("Try again after the time in Retry-After."),
    ),
    "unauthorized": (N_("API key missing or wrong"), N_("Send this customer’s API key in the Authorization header.")),
    "forbidden": (
        N_("Origin not allowed"),
        N_("The customer’s allowed_origins do not include this origin. Add it, or send an API key."),
    ),
    "not-found": (N_("Not found"), N_("There is nothing at this URL. Check its spelling.")),
    "too-large": (N_("Body too large"), N_("The body may be at most 64 KiB.")),
    "too-slow": (N_("Request timed out"), N_("The body did not arrive in time. Send it again.")),
    "unsupported-media": (
        N_("Unsupported content type"),
        N_("Send application/json, application/x-www-form-urlencoded or multipart/form-data."),
    ),
    "too-many": (N_("Too many requests"), N_("Send it again after the time in Retry-After.")),
    "unavailable": (
        N_("Temporarily unavailable"),
        N_("Nothing was saved. Send it again after the time in Retry-After."),
    ),
    "repeat-mismatch": (
        N_("Idempotency-Key reused with a different body"),
        N_("Use a new key for each new submission."),
    ),
    "used": (N_("We already have your loan promise"), N_("Thank you! If anything in it has changed, contact us.")),
    "fault": (N_("Something went wrong on our side"), N_("The error is ours. Send it again later.")),
    "gone": (N_("Gone"), N_("This link has expired.")),
    "method-not-allowed": (N_("Method not allowed"), N_("See the Allow header for the methods of this URL.")),
}


def message(error: FieldError, gettext: GetText) -> str:
    """One sentence for one field error, in the language of `gettext`."""
    field = same_member(error.field)
    text = gettext(TEXTS.get((field, error.code)) or GENERAL[error.code])
    name = error.field if error.code in BY_MEMBER or field not in NAMES else gettext(NAMES[field])
    return text % {**error.params, "name": name}


def field_messages(faults: Iterable[FieldError], gettext: GetText) -> tuple[FieldMessage, ...]:
    """The messages of a form page, by input name. An error of e-mail and phone together belongs to the pair."""
    return tuple(
        FieldMessage(CONTACT if fault.code == "contact_required" else plain_name(fault.field), message(fault, gettext))
        for fault in faults
    )


def vitec_messages(upstream: Any) -> Iterator[tuple[str, str]]:
    """Vitec's messages in a stored refusal: the member that each is about, "" for the general one, and its text."""
    if not isinstance(upstream, dict):
        return
    if upstream.get("message"):
        yield "", str(upstream["message"])
    state = upstream.get("modelState")
    for name, texts in state.items() if isinstance(state, dict) else ():
        for text in texts if isinstance(texts, list) else [texts]:
            yield name, str(text)


def vitec_lines(upstream: Any) -> list[str]:
    """The same as lines for an operator, each with its member's name."""
    return [f"{name}: {text}" if name else text for name, text in vitec_messages(upstream)]


def problem_text(kind: str, gettext: GetText) -> tuple[str, str]:
    """Title and detail of a problem (RFC 9457)."""
    title, detail = PROBLEMS[kind]
    return gettext(title), gettext(detail)
