"""Encrypted values for URLs: without the key they can't be read or forged."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from app.storage.encryption import DecryptionError, Keyring


class InvalidTokenError(Exception):
    """Forged, altered, made for another purpose, or encrypted with a key that is no longer ours."""


def write_token(keyring: Keyring, value: Any, purpose: str) -> str:
    """`value` is anything that JSON can represent."""
    return _encode(keyring.encrypt(value, purpose))


def _encode(encrypted: bytes) -> str:
    return urlsafe_b64encode(encrypted).rstrip(b"=").decode()


def read_token(keyring: Keyring, token: str, purpose: str) -> Any:
    """Raises `InvalidTokenError`."""
    try:
        encrypted = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        if _encode(encrypted) != token:
            raise InvalidTokenError  # base64 accepts several encodings; a token that works once must have only one
        return keyring.decrypt(encrypted, purpose)
    except (DecryptionError, binascii.Error, ValueError) as error:
        raise InvalidTokenError from error
