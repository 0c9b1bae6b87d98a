"""Networks that rate limits count."""

import pytest

from app.web.http.networks import MAX_ADDRESS, network_of


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("192.0.2.1:50000", "192.0.2.1"),
        ("[2001:db8:1:2::1]:50000", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("2001:db8::1:5000", "2001:db8::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_limit_counts_an_address_or_a_household(address: str, counted: str) -> None:
    assert network_of(address) == counted


@pytest.mark.parametrize("address", ["a" * 10_000, "a:" * 5_000, "[" + "a" * 10_000])
def test_what_is_no_address_is_cut_because_it_is_kept_for_the_limit(address: str) -> None:
    assert len(network_of(address)) == MAX_ADDRESS
