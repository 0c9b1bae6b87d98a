"""Encrypted values in addresses: unreadable, and impossible to forge without the key."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from app.storage.encryption import DecryptionError, Keyring


class InvalidTokenError(Exception):
    """Forged, altered, made for another purpose, or encrypted with a key that is no longer ours."""


def write_token(keyring: Keyring, value: Any, purpose: str) -> str:
    """`value` is anything JSON can say."""
    return _spell(keyring.encrypt(value, purpose))


def _spell(encrypted: bytes) -> str:
    return urlsafe_b64encode(encrypted).rstrip(b"=").decode()


def read_token(keyring: Keyring, token: str, purpose: str) -> Any:
    """Raises `InvalidTokenError`."""
    try:
        encrypted = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        if _spell(encrypted) != token:
            raise InvalidTokenError  # base64 reads many spellings, and what is used once must have one
        return keyring.decrypt(encrypted, purpose)
    except (DecryptionError, binascii.Error, ValueError) as error:
        raise InvalidTokenError from error
