"""Signed tokens: form tokens, the secrets of status and receipt links, and marks of repeats."""

import hmac
import time
from base64 import urlsafe_b64encode
from datetime import timedelta

from app.domain.random_bytes import RandomBytes
from app.domain.submission import IdempotencyKey
from app.storage.encryption import KeyedHash

TOKEN_LIVES = timedelta(hours=24)
TOKEN_SECONDS = TOKEN_LIVES.total_seconds()
LINK_LIVES = timedelta(days=91)  # longer than any link
SECRET_LENGTH = 18  # bytes, which are 24 characters
CONTENT_LIVES = timedelta(minutes=10)
# Bytes. Nowhere does a post write as much as in this key's index, and 16 of them made it half as large again. Should
# two keys be alike (with a million kept, at one post in 10^13), their contents' marks differ, and none is lost unseen.
REPEAT_KEY_LENGTH = 8
TRAP_DIGITS = 9


class FormTokens:
    """A token says that we served this form, here, within a day: the time in hexadecimal, a chance word, and their
    mark with the path. Gain over itsdangerous, which signs the console's sessions: 9 of a post's 230 µs (1.6 µs instead
    of 6.2, twice)."""

    def __init__(self, secret: str) -> None:
        self._marks = KeyedHash(secret, "form token", SECRET_LENGTH)
        self._random = RandomBytes(12)

    def issue(self, path: str) -> str:
        said = f"{int(time.time()):x}.{self._random.draw().hex()}"
        return f"{said}.{self._marks.digest(path, said).hex()}"

    def is_ours(self, token: str | None, path: str) -> bool:
        return self.age(token, path) is not None

    def age(self, token: str | None, path: str) -> int | None:
        """How many seconds ago we made it; None when it is not ours, or of another form, or has expired."""
        if not token or not token.isascii():
            return None
        said, _, mark = token.rpartition(".")
        if not hmac.compare_digest(self._marks.digest(path, said).hex(), mark):
            return None
        age = int(time.time()) - int(said.partition(".")[0], 16)
        return age if 0 <= age <= TOKEN_SECONDS else None

    def trap(self, token: str) -> str:
        """The name of the input that only robots fill in, on the form with this token: the end of its mark. It is
        another one each time, and means nothing to a browser that fills in what it knows of a person."""
        return f"n{token[-TRAP_DIGITS:]}"


class LinkSecrets:
    """The secrets in links to one submission, which its id alone does not open; different for each purpose."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._hash = KeyedHash(secret, f"link {purpose}", SECRET_LENGTH)

    def secret_of(self, submission_id: str) -> str:
        return _text(self._hash.digest(submission_id))

    def opens(self, secret: str, submission_id: str) -> bool:
        return hmac.compare_digest(self.secret_of(submission_id).encode(), secret.encode("utf-8", "replace"))


def _text(mark: bytes) -> str:
    return urlsafe_b64encode(mark).decode()


class IdempotencyKeys:
    """Recognises a post that is sent twice, by a keyed hash of its content."""

    def __init__(self, secret: str) -> None:
        self._hash = KeyedHash(secret, "repeats").digest

    def of_header(self, header: str, customer_id: str, path: str, caller: str, content: str) -> IdempotencyKey:
        mark = self._hash("header", customer_id, path, caller, header)
        return IdempotencyKey(mark[:REPEAT_KEY_LENGTH], self._hash(content), TOKEN_LIVES)

    def of_token(self, token: str, path: str, content: str) -> IdempotencyKey:
        """A token with other content is a new submission, so the content is part of the key."""
        mark = self._hash("token", path, token, content)
        return IdempotencyKey(mark[:REPEAT_KEY_LENGTH], mark, TOKEN_LIVES)

    def of_content(self, path: str, content: str) -> IdempotencyKey:
        mark = self._hash("content", path, content)
        return IdempotencyKey(mark[:REPEAT_KEY_LENGTH], mark, CONTENT_LIVES)

    def of_link(self, token: str) -> bytes:
        """The mark of a link that can be used once."""
        return self._hash("link", token)[:REPEAT_KEY_LENGTH]

    def of_cancellation(self, booking_id: str) -> IdempotencyKey:
        """A booking is cancelled once, however often that is asked for."""
        mark = self._hash("cancellation", booking_id)
        return IdempotencyKey(mark[:REPEAT_KEY_LENGTH], mark, LINK_LIVES)

    def once(self, mark: bytes, content: str) -> IdempotencyKey:
        return IdempotencyKey(mark, self._hash(content), LINK_LIVES)
