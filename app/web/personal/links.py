"""Links for one contact and one form. The token is encrypted, because a contact id is personal data."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from app.storage.encryption import Keyring
from app.web.encrypted_tokens import read_token, write_token

PURPOSE = "personal link"
MAX_LIFETIME = timedelta(days=90)


@dataclass(frozen=True)
class PersonalLink:
    customer_id: str
    contact_id: str
    form: str  # the form's name
    expires_at: datetime

    def has_expired(self, now: datetime) -> bool:
        """`now` is the database's time."""
        return self.expires_at <= now


def write(keyring: Keyring, link: PersonalLink) -> str:
    return write_token(keyring, asdict(link) | {"expires_at": link.expires_at.timestamp()}, PURPOSE)


def read(keyring: Keyring, token: str) -> PersonalLink:
    """The link, which may have expired. Raises `InvalidTokenError`."""
    members = read_token(keyring, token, PURPOSE)
    return PersonalLink(**members | {"expires_at": datetime.fromtimestamp(members["expires_at"], UTC)})
