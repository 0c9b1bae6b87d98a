"""The token of a personal link: encrypted, dated, with one encoding, for one contact and one form."""

import contextlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.storage.encryption import Keyring
from app.web.encrypted_tokens import InvalidTokenError
from app.web.personal.links import PersonalLink, read, write

OLD, NEW = b"0" * 32, b"1" * 32
RING = Keyring([OLD])
NOW = datetime(2040, 1, 1, tzinfo=UTC)
LINK = PersonalLink("M12345", "KONTAKT-1", "contact", datetime(2050, 1, 1, tzinfo=UTC))


def test_a_link_is_read_as_it_was_written() -> None:
    assert read(RING, write(RING, LINK)) == LINK


def test_two_links_for_the_same_contact_differ_and_reveal_nothing() -> None:
    first, second = write(RING, LINK), write(RING, LINK)
    assert first != second
    plain = urlsafe_b64decode(first + "==")
    assert not any(word in plain for word in (b"KONTAKT", b"M12345", b"contact", b"2050"))


def test_a_link_still_opens_after_the_keys_were_rotated() -> None:
    token = write(RING, LINK)
    assert read(Keyring([NEW, OLD]), token) == LINK
    with pytest.raises(InvalidTokenError):
        read(Keyring([NEW]), token)


def test_a_value_encrypted_for_another_purpose_is_not_a_link() -> None:
    sealed = RING.encrypt({"customer_id": "M1", "contact_id": "C1", "form": "contact", "expires_at": 9e9}, "id/payload")
    with pytest.raises(InvalidTokenError):
        read(RING, urlsafe_b64encode(sealed).rstrip(b"=").decode())


def test_an_expired_link_is_distinguished_from_an_invalid_one() -> None:
    for ago in (timedelta(0), timedelta(days=400)):
        link = read(RING, write(RING, PersonalLink("M12345", "C1", "loan-promise", NOW - ago)))
        assert link.has_expired(NOW)
        assert not link.has_expired(link.expires_at - timedelta(seconds=1))


def test_changing_any_bit_invalidates_a_link() -> None:
    sealed = urlsafe_b64decode((token := write(RING, LINK)) + "=" * (-len(token) % 4))
    for place in range(len(sealed)):
        for bit in (1, 128):
            altered = sealed[:place] + bytes([sealed[place] ^ bit]) + sealed[place + 1 :]
            with pytest.raises(InvalidTokenError):
                read(RING, urlsafe_b64encode(altered).rstrip(b"=").decode())


@pytest.mark.parametrize("contact", ["C", "C1", "C12"])  # with no, two and four bits to spare in the last letter
def test_a_token_has_only_one_valid_encoding(contact: str) -> None:
    token = write(RING, PersonalLink("M12345", contact, "contact", LINK.expires_at))
    spellings = [f"{token}=", f"{token}==", f"{token}.", f"{token[:8]}\n{token[8:]}", f" {token}", f"{token}!"]
    spellings += [token[:-1] + chr(ord(token[-1]) + by) for by in (-1, 1)]
    opened = []
    for spelled in spellings:
        with contextlib.suppress(InvalidTokenError):
            opened.append((spelled, read(RING, spelled)))
    assert opened == []


@settings(max_examples=300, deadline=None)
@given(token=st.text(max_size=80) | st.binary(max_size=80).map(lambda b: urlsafe_b64encode(b).decode()))
def test_any_other_text_is_a_bad_link_and_nothing_else(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        read(RING, token)
