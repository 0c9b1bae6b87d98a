"""Links for one contact and one form: an encrypted, dated token, because a contact's id is personal data."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from app.storage.encryption import Keyring
from app.web.encrypted_tokens import InvalidTokenError, read_token, write_token

PLACE = "personal link"
MAX_LIFETIME = timedelta(days=90)  # that a link lives


class InvalidLinkError(Exception):
    """Forged, altered, or encrypted with a key that is no longer configured."""


class ExpiredLinkError(Exception):
    """It was ours."""


@dataclass(frozen=True)
class PersonalLink:
    customer_id: str
    contact_id: str
    form: str  # its name
    expires_at: datetime


def write(keyring: Keyring, link: PersonalLink) -> str:
    return write_token(keyring, asdict(link) | {"expires_at": link.expires_at.timestamp()}, PLACE)


def read(keyring: Keyring, token: str, now: datetime) -> PersonalLink:
    """`now` by the clock that decides. Raises `InvalidLinkError`, `ExpiredLinkError`."""
    try:
        members = read_token(keyring, token, PLACE)
    except InvalidTokenError as error:
        raise InvalidLinkError from error
    link = PersonalLink(**members | {"expires_at": datetime.fromtimestamp(members["expires_at"], UTC)})
    if link.expires_at <= now:
        raise ExpiredLinkError
    return link
