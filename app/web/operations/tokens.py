"""Signed tokens: form tokens, the secrets of status and receipt links, and idempotency keys."""

import hmac
import time
from base64 import urlsafe_b64encode
from datetime import timedelta

from app.domain.random_bytes import RandomBytes
from app.domain.submission import IdempotencyKey
from app.storage.encryption import KeyedHash

TOKEN_LIFETIME = timedelta(hours=24)
TOKEN_SECONDS = TOKEN_LIFETIME.total_seconds()
LINK_LIFETIME = timedelta(days=91)  # longer than any link
SECRET_LENGTH = 18  # bytes, which are 24 characters
CONTENT_LIFETIME = timedelta(minutes=10)
# Bytes. This key's index is the largest that a post writes, and 16 bytes made it half as large again. If two keys
# collide (with a million stored, one post in 10^13), their contents' hashes differ, so none is lost unseen.
REPEAT_KEY_LENGTH = 8
TRAP_DIGITS = 9


class FormTokens:
    """A token proves that we served this form, at this path, within a day: the time in hexadecimal, random bytes, and a
    keyed hash of both and the path. Gain over itsdangerous, which signs the console's sessions: 9 of a post's 230 µs
    (1.6 µs instead of 6.2, twice)."""

    def __init__(self, secret: str) -> None:
        self._macs = KeyedHash(secret, "form token", SECRET_LENGTH)
        self._random = RandomBytes(12)

    def issue(self, path: str, age: int = 0) -> str:
        """`age` in seconds: of a form that is shown again, because its visitor has filled it in before."""
        content = f"{int(time.time()) - age:x}.{self._random.draw().hex()}"
        return f"{content}.{self._macs.digest(path, content).hex()}"

    def is_ours(self, token: str | None, path: str) -> bool:
        return self.age(token, path) is not None

    def age(self, token: str | None, path: str) -> int | None:
        """The token's age in seconds; None if it is not ours, is another form's, or has expired."""
        if not token or not token.isascii():
            return None
        content, _, mac = token.rpartition(".")
        if not hmac.compare_digest(self._macs.digest(path, content).hex(), mac):
            return None
        age = int(time.time()) - int(content.partition(".")[0], 16)
        return age if 0 <= age <= TOKEN_SECONDS else None

    def trap(self, token: str) -> str:
        """The name of the honeypot input on the form with this token: the end of its hash. It differs each time, and no
        browser's autofill recognizes it."""
        return f"n{token[-TRAP_DIGITS:]}"


class LinkSecrets:
    """Secrets in links to one submission, because its id alone does not open it; different for each purpose."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._hash = KeyedHash(secret, f"link {purpose}", SECRET_LENGTH)

    def secret_of(self, submission_id: str) -> str:
        return _text(self._hash.digest(submission_id))

    def opens(self, secret: str, submission_id: str) -> bool:
        return hmac.compare_digest(self.secret_of(submission_id).encode(), secret.encode("utf-8", "replace"))


def _text(digest: bytes) -> str:
    return urlsafe_b64encode(digest).decode()


class IdempotencyKeys:
    """Recognizes a post that is sent twice by a keyed hash of its content."""

    def __init__(self, secret: str) -> None:
        self._hash = KeyedHash(secret, "repeats").digest

    def of_header(self, header: str, customer_id: str, path: str, caller: str, content: str) -> IdempotencyKey:
        digest = self._hash("header", customer_id, path, caller, header)
        return IdempotencyKey(digest[:REPEAT_KEY_LENGTH], self._hash(content), TOKEN_LIFETIME)

    def of_token(self, token: str, path: str, content: str) -> IdempotencyKey:
        """A token with other content is a new submission, so the content is part of the key."""
        digest = self._hash("token", path, token, content)
        return IdempotencyKey(digest[:REPEAT_KEY_LENGTH], digest, TOKEN_LIFETIME)

    def of_content(self, path: str, content: str) -> IdempotencyKey:
        digest = self._hash("content", path, content)
        return IdempotencyKey(digest[:REPEAT_KEY_LENGTH], digest, CONTENT_LIFETIME)

    def of_link(self, token: str) -> bytes:
        """The key of a link that can be used once."""
        return self._hash("link", token)[:REPEAT_KEY_LENGTH]

    def of_cancellation(self, booking_id: str) -> IdempotencyKey:
        """A booking is cancelled once, however often the visitor asks."""
        digest = self._hash("cancellation", booking_id)
        return IdempotencyKey(digest[:REPEAT_KEY_LENGTH], digest, LINK_LIFETIME)

    def once(self, key: bytes, content: str) -> IdempotencyKey:
        return IdempotencyKey(key, self._hash(content), LINK_LIFETIME)
