"""What we hand out and recognise again: form tokens, the secrets of status and receipt links, marks of repeats."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import timedelta
from functools import lru_cache
from secrets import token_urlsafe

from itsdangerous import BadSignature, TimestampSigner

from app.domain.submission import Repeat
from app.storage.encryption import KeyedHash

TOKEN_LIVES = timedelta(hours=24)
LINK_LIVES = timedelta(days=91)  # longer than any link
LINK_SECRET_LENGTH = 18  # bytes, which are 24 characters
CONTENT_LIVES = timedelta(minutes=10)
TRAP_DIGITS = 9


class FormTokens:
    """A token says that we served this form, here, within a day."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._signer = lru_cache(maxsize=1024)(self._make_signer)  # a signer derives its key when it is made
        self._traps = KeyedHash(secret, "trap")

    def issue(self, path: str) -> str:
        return self._signer(path).sign(token_urlsafe(12)).decode()

    def is_ours(self, token: str | None, path: str) -> bool:
        return self.age(token, path) is not None

    def age(self, token: str | None, path: str) -> int | None:
        """How many seconds ago we made it; None when it is not ours, or of another form, or has expired."""
        if not token or not token.isascii():
            return None
        signer = self._signer(path)
        try:
            _, made_at = signer.unsign(token, int(TOKEN_LIVES.total_seconds()), return_timestamp=True)
        except BadSignature:  # an expired one too
            return None
        return signer.get_timestamp() - int(made_at.timestamp())

    def trap(self, token: str) -> str:
        """The name of the input that only robots fill in, on the form with this token. It is another one each time,
        and means nothing to a browser that fills in what it knows of a person."""
        return "n" + self._traps.digest(token).hex()[:TRAP_DIGITS]

    def _make_signer(self, path: str) -> TimestampSigner:
        return TimestampSigner(self._secret, salt=f"form token {path}", digest_method=hashlib.sha256)


class LinkSecrets:
    """The secret in a link to one submission: without it the id opens nothing. One for each purpose."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._hash = KeyedHash(secret, f"link {purpose}", LINK_SECRET_LENGTH)

    def of(self, identity: str) -> str:
        return urlsafe_b64encode(self._hash.digest(identity)).decode()

    def opens(self, secret: str, identity: str) -> bool:
        return hmac.compare_digest(self.of(identity).encode(), secret.encode("utf-8", "replace"))


class Repeats:
    """How a post that comes twice is known (contract.md, "Repeats"): by a keyed hash of what it says."""

    def __init__(self, secret: str) -> None:
        self._hash = KeyedHash(secret, "repeats").digest

    def of_header(self, header: str, customer_id: str, path: str, caller: str, content: str) -> Repeat:
        return Repeat(self._hash("header", customer_id, path, caller, header), self._hash(content), TOKEN_LIVES)

    def of_token(self, token: str, path: str, content: str) -> Repeat:
        """A token with other content is a new submission, so the content is part of the key."""
        mark = self._hash("token", path, token, content)
        return Repeat(mark, mark, TOKEN_LIVES)

    def of_content(self, path: str, content: str) -> Repeat:
        mark = self._hash("content", path, content)
        return Repeat(mark, mark, CONTENT_LIVES)

    def of_link(self, token: str) -> bytes:
        """The mark of a link that can be used once."""
        return self._hash("link", token)

    def once(self, mark: bytes, content: str) -> Repeat:
        return Repeat(mark, self._hash(content), LINK_LIVES)
