"""Encryption at rest: bound to its place, decrypted by any key of the ring, searchable by a keyed hash."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.encryption import HASH_LENGTH, DecryptionError, KeyedHash, Keyring

OLD, NEW, FOREIGN = (letter * 32 for letter in (b"o", b"n", b"f"))
PLACE = "S1/payload"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_an_encrypted_value_can_be_decrypted(value: Any) -> None:
    ring = Keyring([NEW])
    assert ring.decrypt(ring.encrypt(value, PLACE), PLACE) == value


def test_the_ciphertext_reveals_nothing() -> None:
    sealed = Keyring([NEW]).encrypt({"email": "anna@example.se"}, PLACE)
    assert b"anna" not in sealed
    assert b"anna" not in base64.b64encode(sealed)


def test_the_same_value_is_encrypted_differently_each_time() -> None:
    ring = Keyring([NEW])
    sealed = {ring.encrypt("anna", PLACE) for _ in range(1000)}
    assert len({ciphertext[4:16] for ciphertext in sealed}) == 1000  # the nonces, which must never repeat
    assert len(sealed) == 1000


def test_after_a_rotation_old_values_decrypt_and_the_new_key_encrypts() -> None:
    before, between, after = Keyring([OLD]), Keyring([NEW, OLD]), Keyring([NEW])
    old, new = before.encrypt("anna", PLACE), between.encrypt("bo", PLACE)
    assert [between.decrypt(sealed, PLACE) for sealed in (old, new)] == ["anna", "bo"]
    assert after.decrypt(new, PLACE) == "bo"
    with pytest.raises(DecryptionError, match="no such key"):
        after.decrypt(old, PLACE)


def test_a_value_does_not_decrypt_with_other_associated_data() -> None:
    ring = Keyring([NEW])
    sealed = ring.encrypt("anna", "S1/payload")
    for elsewhere in ("S2/payload", "S1/0/body", ""):
        with pytest.raises(DecryptionError, match="another row's"):
            ring.decrypt(sealed, elsewhere)


@given(st.integers(0, 40), st.integers(1, 255))
def test_an_altered_value_does_not_decrypt(where: int, by: int) -> None:
    ring = Keyring([NEW])
    sealed = bytearray(ring.encrypt("anna", PLACE))
    sealed[where % len(sealed)] ^= by
    with pytest.raises(DecryptionError):
        ring.decrypt(bytes(sealed), PLACE)


@pytest.mark.parametrize("length", range(36))
def test_a_truncated_value_does_not_decrypt(length: int) -> None:
    ring = Keyring([NEW])
    with pytest.raises(DecryptionError):
        ring.decrypt(ring.encrypt("anna", PLACE)[:length], PLACE)


def test_another_keyring_decrypts_nothing() -> None:
    with pytest.raises(DecryptionError):
        Keyring([FOREIGN]).decrypt(Keyring([NEW]).encrypt("anna", PLACE), PLACE)


@pytest.mark.parametrize("text", ["anna@example.se", "", "å", "\ud800"])
def test_a_hash_is_the_same_for_the_same_text_key_and_purpose_alone(text: str) -> None:
    digest = KeyedHash("secret", "contacts").digest(text)
    assert len(digest) == HASH_LENGTH
    assert digest == KeyedHash("secret", "contacts").digest(text)
    assert digest != KeyedHash("another", "contacts").digest(text)
    assert digest != KeyedHash("secret", "repeats").digest(text)
    assert digest != KeyedHash("secret", "contacts").digest(text + "x")


def test_a_hash_of_several_parts_depends_on_where_each_ends() -> None:
    hash_of = KeyedHash("secret", "repeats").digest
    assert len({hash_of(*parts) for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("c", "ab"))}) == 5
