"""Encryption at rest: AES-256-GCM with a keyring, and keyed hashes for what must be searched.

An encrypted value is `key id (4 bytes) + nonce (12) + ciphertext and tag`. Its row and column are associated
data (AAD), so that a value can't be moved to another row.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import pydantic_core
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.random_bytes import RandomBytes

HASH_LENGTH = 16  # bytes: enough to avoid collisions, short enough for a fast index
KEY_ID_LENGTH = 4
_NONCE_LENGTH = 12


class DecryptionError(Exception):
    """None of the keys decrypts the value, or it belongs to another row."""


class Keyring:
    """The first key encrypts, all of them decrypt. Keys have 32 bytes."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {self._id(key): AESGCM(key) for key in keys}
        self._first = self._id(keys[0])
        self._nonces = RandomBytes(_NONCE_LENGTH)

    @property
    def first(self) -> bytes:
        """The id of the key that encrypts. Every value that it encrypts begins with it."""
        return self._first

    @staticmethod
    def _id(key: bytes) -> bytes:
        return hashlib.sha256(b"intresse key id" + key).digest()[:KEY_ID_LENGTH]

    def encrypt(self, value: Any, aad: str) -> bytes:
        """`value` is anything that JSON can express; `aad` names its row and column."""
        nonce = self._nonces.draw()
        plain = pydantic_core.to_json(value)
        return self._first + nonce + self._ciphers[self._first].encrypt(nonce, plain, aad.encode())

    def decrypt(self, encrypted: bytes, aad: str) -> Any:
        """Raises `DecryptionError`."""
        cipher = self._ciphers.get(encrypted[:KEY_ID_LENGTH])
        if cipher is None:
            raise DecryptionError("no such key")
        nonce, ciphertext = encrypted[KEY_ID_LENGTH:][:_NONCE_LENGTH], encrypted[KEY_ID_LENGTH + _NONCE_LENGTH :]
        try:
            return pydantic_core.from_json(cipher.decrypt(nonce, ciphertext, aad.encode()))
        except (InvalidTag, ValueError) as error:  # ValueError: too short for a nonce
            raise DecryptionError("altered, truncated, or another row's") from error


class KeyedHash:
    """Keyed BLAKE2b (RFC 7693), 16 bytes by default, with a key for each purpose, derived from `secret_key`. It costs a
    third of HMAC through OpenSSL, and a post needs five."""

    def __init__(self, secret: str, purpose: str, length: int = HASH_LENGTH) -> None:
        key = hmac.digest(secret.encode(), purpose.encode(), "sha256")
        self._keyed = hashlib.blake2b(key=key, digest_size=length)

    def digest(self, *parts: str) -> bytes:
        """The hash of the parts in order, including where each ends."""
        keyed = self._keyed.copy()
        keyed.update("\0".join(parts).encode("utf-8", "surrogatepass"))
        return keyed.digest()
