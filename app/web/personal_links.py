"""Links for one contact and one form: an encrypted, dated token, because a contact's id is personal data."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from app.storage.encryption import Keyring, SealBroken

PLACE = "personal link"
LONGEST = timedelta(days=90)  # that a link lives
PersonalForm = Literal["contact", "loan-promise"]


class BadLink(Exception):
    """Forged, altered, or sealed with a key that is no longer ours."""


class ExpiredLink(Exception):
    """It was ours."""


@dataclass(frozen=True)
class PersonalLink:
    customer_id: str
    contact_id: str
    form: PersonalForm
    expires_at: datetime


def write(keyring: Keyring, link: PersonalLink) -> str:
    return _spell(keyring.seal(asdict(link) | {"expires_at": link.expires_at.timestamp()}, PLACE))


def _spell(sealed: bytes) -> str:
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read(keyring: Keyring, token: str) -> PersonalLink:
    """Raises `BadLink`, `ExpiredLink`."""
    try:
        sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        if _spell(sealed) != token:
            raise BadLink  # base64 reads many spellings, and what is used once must have one
        members = keyring.open(sealed, PLACE)
    except (SealBroken, binascii.Error, ValueError) as error:
        raise BadLink from error
    link = PersonalLink(**members | {"expires_at": datetime.fromtimestamp(members["expires_at"], UTC)})
    if link.expires_at <= datetime.now(UTC):
        raise ExpiredLink
    return link
