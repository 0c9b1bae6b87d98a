"""The configuration's secrets as types: what is empty, short or a placeholder stops the start."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

SHORTEST_SECRET = 16  # characters
SHORTEST_WEBHOOK_SECRET = 24  # bytes; Standard Webhooks asks for 24-64
KEY_LENGTH = 32  # bytes
FEWEST_DIFFERENT = 3  # characters in a secret, bytes in a key: one that chance made has far more
# What stands in an example until somebody writes the real thing.
_PLACEHOLDER = re.compile(
    r"<.*>|\.{3,}|…|x{3,15}|todo|(please[-_ ]?)?(change|replace)([-_ ]?(me|this|it)\b.*)?|changeme.*"
    r"|your[-_ ].*|insert[-_ ].*|placeholder.*",
    re.IGNORECASE,
)


def is_guessable(secret: Sequence[object]) -> bool:
    """Made of next to nothing, as somebody does who only tries it out."""
    return len(set(secret)) < FEWEST_DIFFERENT


def _not_a_placeholder(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text:
        raise ValueError("is empty")
    if _PLACEHOLDER.fullmatch(text):
        raise ValueError("is a placeholder: replace it with the real value")
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
        keys = [base64.urlsafe_b64decode(part.strip() + "=" * (-len(part.strip()) % 4)) for part in value.split(",")]
    except (binascii.Error, ValueError):
        keys = []
    if not keys or any(len(key) != KEY_LENGTH for key in keys):
        raise ValueError(f"must be {KEY_LENGTH} bytes in URL-safe base64 each, separated by commas")
    return keys


def _database(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("sqlite:///", "postgresql://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
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
    return value


Secret = Annotated[SecretStr, AfterValidator(_not_a_placeholder)]
SecretKey = Annotated[Secret, AfterValidator(_long_enough)]
EncryptionKeys = Annotated[list[bytes], BeforeValidator(_keys), Field(repr=False)]
DatabaseUrl = Annotated[Secret, AfterValidator(_database)]
WebhookSecret = Annotated[SecretStr, AfterValidator(_webhook_secret)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp)]
