"""Answers to too many posts from one address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.answers import EACH, Make, assert_kept
from tests.acceptance.bodies import CUSTOMER, SITE, Members, fields, interest, interest_path, key, problem
from tests.acceptance.html_page import page_of
from tests.acceptance.running_service import RunningService, run_service


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[RunningService]:
    """A service with a limit of two posts an hour per address; a proxy names the addresses."""
    customer = {"id": CUSTOMER, "rate_limit": "2/hour"}
    with run_service(tmp_path, customers=[customer], trusted_proxies=["127.0.0.1"]) as service:
        yield service


def from_address(address: str) -> dict[str, str]:
    return SITE | {"X-Forwarded-For": address}


@EACH
def test_too_many_from_one_address_are_429_with_everything_kept(
    limited: RunningService, make: Make, body: Members
) -> None:
    caller = from_address("192.0.2.1")
    for _ in range(2):
        assert limited.client.post(make(), data=fields(body), headers=caller).status_code == 303
    path = make()
    typed = fields(body | {"lastName": "Kvar"})
    answer = limited.client.post(path, data=typed, headers=caller)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    page = page_of(answer)
    assert_kept(page, typed)
    assert page.alert.strip()
    refused = limited.client.post(path, json=body, headers=caller)
    problem(refused, 429)
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert limited.nothing_at(path)
    assert limited.client.post(path, data=typed, headers=from_address("192.0.2.2")).status_code == 303


def test_an_ipv6_visitor_is_counted_by_its_64(limited: RunningService) -> None:
    def post(address: str) -> int:
        answer = limited.client.post(interest_path(), data=fields(interest()), headers=from_address(address))
        return answer.status_code

    assert [post(f"2001:db8:1:2:{n}::1") for n in range(3)] == [303, 303, 429]
    assert post("2001:db8:1:3::1") == 303
    assert post("192.0.2.1") == 303


def test_api_key_calls_have_no_such_limit(limited: RunningService) -> None:
    for _ in range(5):
        answer = limited.client.post(interest_path(), json=interest(), headers=key() | {"X-Forwarded-For": "192.0.2.9"})
        assert answer.status_code == 200


def test_an_address_is_believed_from_a_trusted_proxy_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' server would believe this machine by itself; `intresse serve` starts it with proxy_headers=False.
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "")
    with run_service(tmp_path, customers=[{"id": CUSTOMER, "rate_limit": "2/hour"}]) as service:
        statuses = [
            service.client.post(
                interest_path(), data=fields(interest()), headers=from_address(f"192.0.2.{n}")
            ).status_code
            for n in range(3)
        ]
    assert statuses == [303, 303, 429]
