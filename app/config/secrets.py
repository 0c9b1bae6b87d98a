"""Types for the configuration's secrets. One that is empty, too short or a placeholder prevents the start."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.config.types import HIGHEST_PORT, require_host

SHORTEST_SECRET = 16  # characters
SHORTEST_WEBHOOK_SECRET = 24  # bytes; Standard Webhooks asks for 24-64
KEY_LENGTH = 32  # bytes
MIN_DIFFERENT = 3  # characters in a secret, bytes in a key: random ones have far more
# Placeholders in examples.
_PLACEHOLDER = re.compile(
    r"<.*>|\.{3,}|…|x{3,15}|todo|(please[-_ ]?)?(change|replace)([-_ ]?(me|this|it)\b.*)?|changeme.*"
    r"|your[-_ ].*|insert[-_ ].*|placeholder.*",
    re.IGNORECASE,
)


def is_guessable(secret: Sequence[object]) -> bool:
    """Whether it has very few different characters."""
    return len(set(secret)) < MIN_DIFFERENT


def _not_a_placeholder(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text:
        raise ValueError("is empty")
    if _PLACEHOLDER.fullmatch(text):
        raise ValueError("is a placeholder: replace it with the real value")
    return value


def _typeable(value: SecretStr) -> SecretStr:
    """A variable, unlike a file, keeps its line break, as of a Kubernetes Secret made with `echo`."""
    if not value.get_secret_value().isprintable():
        raise ValueError("contains a line break or another character that nobody can type")
    return value


def _long_enough(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"is shorter than {SHORTEST_SECRET} characters; make one with: openssl rand -base64 32")
    return value


def _keys(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be text: keys separated by commas")
    try:
        keys = [_bytes(part.strip()) for part in value.split(",")]
    except (binascii.Error, ValueError):
        keys = []
    if not keys or any(len(key) != KEY_LENGTH for key in keys):
        raise ValueError(f"must be {KEY_LENGTH} bytes in URL-safe base64 each, separated by commas")
    return keys


def _bytes(key: str) -> bytes:
    """Padding is optional. Raises `ValueError`: a damaged key must not be taken for another one."""
    return base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)


def _database(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if text.startswith("postgresql://") and text.count("@") > 1:  # else the rest of the password would be the host
        raise ValueError("has more than one @: in a user's name or a password, write it as %40")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # ValueError: a port that is not a number
        raise ValueError("is not an address such as postgresql://user:password@host/database") from None
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise ValueError("must name a file: a database in memory is lost when the process ends")
    if url.get_backend_name() == "sqlite" and url.query:  # which would be ignored
        raise ValueError("must have nothing behind the file's name: ?… is for postgresql:// only")
    if not text.isprintable() or not 0 < (url.port or 1) <= HIGHEST_PORT:
        raise ValueError("is not a valid address: check for stray characters and the port")
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    try:
        key = base64.b64decode(value.get_secret_value().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST_WEBHOOK_SECRET:
        raise ValueError("must be 24 bytes or more in base64; make one with: openssl rand -base64 32")
    return value


def _smtp(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())  # .port raises ValueError above 65535
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.port == 0 or parts.path.strip("/"):
        raise ValueError("must be smtp:// or smtps:// and a host, with user:password@ in front if needed")
    require_host(parts.hostname)
    return value


Secret = Annotated[SecretStr, AfterValidator(_not_a_placeholder)]
Password = Annotated[Secret, AfterValidator(_typeable)]
SecretKey = Annotated[Secret, AfterValidator(_long_enough)]
EncryptionKeys = Annotated[list[bytes], BeforeValidator(_keys), Field(repr=False)]
DatabaseUrl = Annotated[Secret, AfterValidator(_database)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp)]
