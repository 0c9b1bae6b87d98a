"""Personal data at rest: AES-256-GCM under a ring of keys, and keyed hashes for what must be searched.

A sealed value is `key id (4 bytes) + nonce (12) + ciphertext and tag`. Where the value belongs is bound in as
associated data, so that a row's value cannot be moved to another row.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import Any

import pydantic_core
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HASH_LENGTH = 16  # bytes: two never meet, and a short key makes a quick index
KEY_ID_LENGTH = 4
_NONCE_LENGTH = 12
_DRAWN = 64  # nonces at a time: asking the system for each one was 4 % of a post


class DecryptionError(Exception):
    """A value that none of our keys opens, or that belongs elsewhere."""


class Keyring:
    """The first key encrypts, all decrypt. Keys are 32 bytes."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {self._id(key): AESGCM(key) for key in keys}
        self._first = self._id(keys[0])
        self._nonces: list[bytes] = []

    @property
    def first(self) -> bytes:
        """What every value sealed now begins with."""
        return self._first

    def _nonce(self) -> bytes:
        """A random one, used once, in whichever thread."""
        try:
            return self._nonces.pop()
        except IndexError:
            drawn = os.urandom(_DRAWN * _NONCE_LENGTH)
            first, *others = (drawn[at : at + _NONCE_LENGTH] for at in range(0, len(drawn), _NONCE_LENGTH))
            self._nonces.extend(others)
            return first

    @staticmethod
    def _id(key: bytes) -> bytes:
        return hashlib.sha256(b"intresse key id" + key).digest()[:KEY_ID_LENGTH]

    def seal(self, value: Any, place: str) -> bytes:
        """`value` is anything JSON can say; `place` names the row and column that it belongs to."""
        nonce = self._nonce()
        plain = pydantic_core.to_json(value)
        return self._first + nonce + self._ciphers[self._first].encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> Any:
        """Raises `DecryptionError`."""
        cipher = self._ciphers.get(sealed[:KEY_ID_LENGTH])
        if cipher is None:
            raise DecryptionError("no such key")
        nonce, ciphertext = sealed[KEY_ID_LENGTH:][:_NONCE_LENGTH], sealed[KEY_ID_LENGTH + _NONCE_LENGTH :]
        try:
            return pydantic_core.from_json(cipher.decrypt(nonce, ciphertext, place.encode()))
        except (InvalidTag, ValueError) as error:  # ValueError: too short for a nonce
            raise DecryptionError("altered, cut, or another row's") from error


class KeyedHash:
    """Keyed BLAKE2b (RFC 7693) of 16 bytes, under a key of its own for each purpose; all are made from the
    configuration's one secret. A third of what HMAC through OpenSSL costs, and a post needs five."""

    def __init__(self, secret: str, purpose: str, length: int = HASH_LENGTH) -> None:
        key = hmac.digest(secret.encode(), purpose.encode(), "sha256")
        self._keyed = hashlib.blake2b(key=key, digest_size=length)

    def digest(self, *parts: str) -> bytes:
        """Of the parts in order; where one ends is part of it."""
        keyed = self._keyed.copy()
        keyed.update("\0".join(parts).encode("utf-8", "surrogatepass"))
        return keyed.digest()
