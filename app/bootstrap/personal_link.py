"""Creates personal links for `intresse link`, from the configuration."""

from datetime import UTC, datetime

from app.config.settings import Settings
from app.domain.durations import parse_duration
from app.domain.submission import PATH_ID
from app.operations.registry import PERSONAL_POSTS
from app.storage.encryption import Keyring
from app.web.personal.links import MAX_LIFETIME, PersonalLink, write


def make_link(settings: Settings, customer_id: str, contact_id: str, form: str, expires: str) -> str:
    """The link. Raises `ValueError`, whose text is a line for the operator."""
    customer = next((candidate for candidate in settings.customers if candidate.id == customer_id), None)
    if customer is None:
        raise ValueError(f"--customer: {customer_id} is not in the configuration")
    if not PATH_ID.fullmatch(contact_id):
        raise ValueError("--contact: 1-40 characters of letters, digits, _ - .")
    if form not in PERSONAL_POSTS:
        raise ValueError(f"--form: {form} is not one of {', '.join(PERSONAL_POSTS)}")
    if form == "contact" and customer.lead is None:
        raise ValueError(f"--form contact: customer {customer_id} needs the table [customers.lead]")
    try:
        # This machine's clock is exact enough: a link is valid for weeks, and the command needs no database.
        expires_at = datetime.now(UTC) + parse_duration(expires, MAX_LIFETIME)
    except ValueError as error:
        raise ValueError(f"--expires: {error}") from None
    link = PersonalLink(customer_id, contact_id, form, expires_at)
    return f"{settings.public_url}/personal/{write(Keyring(settings.encryption_keys), link)}"
