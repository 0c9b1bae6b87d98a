"""Origins and API keys of a customer."""

from dataclasses import replace
from hashlib import sha256

import pytest

from app.web.http.origins import origin_of
from tests.unit.web.sample_customer import CUSTOMER


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://www.maklarhuset.se", True),
        ("http://www.maklarhuset.se", False),
        ("https://maklarhuset.se", False),
        ("https://www.maklarhuset.se:8443", False),
        ("https://www.maklarhuset.se.evil.example", False),
        ("https://evilwww.maklarhuset.se", False),
        ("http://localhost:3000", True),
        ("http://localhost", False),
        ("https://a.broker.example.se", True),
        ("https://a-1.b.broker.example.se", True),
        ("https://kund_test.broker.example.se", True),  # no proper host name, but browsers go there
        ("https://broker.example.se", False),
        ("https://.broker.example.se", False),
        ("https://a..broker.example.se", False),
        ("https://-.broker.example.se", False),
        ("http://a.broker.example.se", False),
        ("https://evilbroker.example.se", False),
        ("https://a.broker.example.se:444", False),
        ("https://evil.example/.broker.example.se", False),
        ("https://evil.example#.broker.example.se", False),
        ("https://u@a.broker.example.se", False),
        ("null", False),
        ("", False),
        ("*", False),
    ],
)
def test_an_origin_is_allowed_exactly_or_as_a_subdomain(origin: str, allowed: bool) -> None:
    assert CUSTOMER.allows(origin) is allowed


@pytest.mark.parametrize(
    ("key", "owned"),
    [
        ("first", True),
        ("andra å", True),
        ("First", False),
        ("first ", False),
        ("", False),
        (sha256(b"first").hexdigest(), False),
        ("\ud800", False),
    ],
)
def test_a_key_is_known_by_its_hash(key: str, owned: bool) -> None:
    assert CUSTOMER.owns(key) is owned


def test_a_customer_without_keys_accepts_none() -> None:
    assert not replace(CUSTOMER, key_hashes=()).owns("first")


@pytest.mark.parametrize(("address", "required"), [(None, False), ("https://a.se/integritet", True)])
def test_consent_is_asked_for_where_there_is_something_to_consent_to(address: str | None, required: bool) -> None:
    assert replace(CUSTOMER, firm=replace(CUSTOMER.firm, privacy_url=address)).consent_required is required


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://www.maklarhuset.se/objekt/1?a=b#c", "https://www.maklarhuset.se"),
        ("HTTPS://WWW.Maklarhuset.SE/", "https://www.maklarhuset.se"),
        ("https://www.maklarhuset.se:8443/x", "https://www.maklarhuset.se:8443"),
        ("https://www.maklarhuset.se:443/x", "https://www.maklarhuset.se"),
        ("http://localhost:80/", "http://localhost"),
        ("http://[2001:DB8::1]:8000/x", "http://[2001:db8::1]:8000"),
        ("https://user:pass@a.se/", "https://a.se"),
        ("null", None),
        ("about:srcdoc", None),
        ("file:///etc/passwd", None),
        ("//a.se/", None),
        ("https://", None),
        ("https://[a", None),
        ("https://a.se:x/", None),
        ("", None),
        (None, None),
    ],
)
def test_the_origin_of_an_address_is_as_browsers_write_it(address: str | None, origin: str | None) -> None:
    assert origin_of(address) == origin
