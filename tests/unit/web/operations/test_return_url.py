"""Where the visitor of a plain form may be sent back to."""

import pytest

from app.web.operations.customer import OriginRule
from app.web.operations.return_url import return_address, return_origin
from tests.unit.web.sample_customer import CUSTOMER

RULE = OriginRule("https://leads.example.se", demo=False)


@pytest.mark.parametrize(
    ("asked", "origin"),
    [
        ("https://www.maklarhuset.se/tack?a=1#b", "https://www.maklarhuset.se"),
        ("https://www.maklarhuset.se", "https://www.maklarhuset.se"),
        ("https://www.maklarhuset.se?page=tack", "https://www.maklarhuset.se"),
        ("https://www.maklarhuset.se#tack", "https://www.maklarhuset.se"),
        ("https://a.broker.example.se/tack", "https://a.broker.example.se"),
        ("http://localhost:3000/tack", "http://localhost:3000"),
        ("HTTPS://www.Maklarhuset.se/Tack", "https://www.maklarhuset.se"),  # as people capitalize a firm's name
        (" https://www.maklarhuset.se/tack ", "https://www.maklarhuset.se"),
        ("https://www.maklarhuset.se.evil.example/", None),
        ("https://evil.example\\.broker.example.se/", None),
        ("https://broker.example.se/", None),
        ("https://www.maklarhuset.se/\ttack", None),
        ("https://www.maklarhuset.se:443/", None),  # not as browsers write it
        ("", None),
    ],
)
def test_only_a_page_of_the_customers_is_taken(asked: str, origin: str | None) -> None:
    assert return_origin(asked, RULE, CUSTOMER) == origin


@pytest.mark.parametrize(
    "host",
    [
        *(
            "ж" * 70,
            "å" * 70,
            "１" * 70,
            "a;script-src *",
            "a b",
            "a,b",
            "a'b",
            'a"b',
            "a%20b",
            "a*b",
            "a&b",
            "å.\u2024",
        ),
        *("[::1]", "ж" * 300, "a\u00a0b"),
    ],
    ids=lambda host: ascii(host[:3]),
)
def test_a_host_that_no_header_can_name_is_not_taken_even_in_a_demo(host: str) -> None:
    for domain in ("", ".broker.example.se"):
        for rule in (RULE, OriginRule("https://leads.example.se", demo=True)):
            assert return_origin(f"https://{host}{domain}/tack", rule, CUSTOMER) is None


def test_any_host_as_browsers_write_it_will_do_in_a_demo() -> None:
    rule = OriginRule("https://leads.example.se", demo=True)
    assert return_origin("https://mäklare.example:8443/tack", rule, CUSTOMER) == "https://xn--mklare-bua.example:8443"


@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ("https://b.se", "https://b.se?intresse=ok&reference=4F7K9QXW"),
        ("https://b.se/tack?a=1#b", "https://b.se/tack?a=1&intresse=ok&reference=4F7K9QXW#b"),
        ("https://B.se/Tack", "https://b.se/Tack?intresse=ok&reference=4F7K9QXW"),
    ],
)
def test_the_answer_is_added_to_the_pages_own_query(asked: str, address: str) -> None:
    assert return_address(asked, "4F7K9QXW") == address
