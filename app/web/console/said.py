"""What the caller said, as lines that an operator can read to somebody over the phone."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.web.console.words import moment
from app.web.messages import N_, GetText

# Members of the applications, dotted as in the body; what is not named here goes by its own name.
LABELS: Mapping[str, str] = {
    "firstName": N_("First name"),
    "lastName": N_("Last name"),
    "email.emailAddress": N_("E-mail"),
    "telephone.cell": N_("Mobile"),
    "cellPhone": N_("Mobile"),
    "contactMessage": N_("Message"),
    "message": N_("Message"),
    "contactId": N_("Contact"),
    "bank": N_("Bank"),
    "validUntil": N_("Valid until"),
}
PERSON = "updatePerson."  # a booking's members of its person
REFERRER = N_("Page")
CONSENT = N_("Consent")


def lines_of(payload: Mapping[str, Any], language: str, gettext: GetText) -> list[tuple[str, str]]:
    """The application, its tags and the page that it came from."""
    lines = [(_label(name, gettext), text) for name, text in _flat(payload.get("application") or {}, "")]
    marketing = payload.get("marketing") or {}
    lines += [(str(tag["name"]), str(tag["value"])) for tag in marketing.get("utmTags", ())]
    if marketing.get("referrer"):
        lines.append((gettext(REFERRER), str(marketing["referrer"])))
    if payload.get("consentedAt"):
        lines.append((gettext(CONSENT), moment(datetime.fromisoformat(payload["consentedAt"]), language)))
    return lines


def _label(name: str, gettext: GetText) -> str:
    short = name.removeprefix(PERSON)
    return gettext(LABELS[short]) if short in LABELS else short


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item, name)
    elif value is not None:
        yield name, str(value)
