"""Who may post: the API key, the origin, the number of posts."""

import base64
import time
from dataclasses import replace

import limits
import pytest
from starlette.datastructures import Headers

from app.web.guard import AddressLimits, OriginRule, TooMany, WrongKey, caller_key
from tests.unit.web.test_customers import CUSTOMER

OURS = "https://leads.example.se"
THEIRS = "https://www.maklarhuset.se"
EVIL = "https://evil.example"
RULE = OriginRule(OURS, demo=False)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "key"),
    [
        (None, None),
        ("Bearer first", "first"),
        ("bearer  first ", "first"),
        (basic("partner", "first"), "first"),
        (basic("", "first"), "first"),
        (basic("partner", "andra å"), "andra å"),
    ],
)
def test_a_key_is_carried_as_bearer_or_as_basic_password(authorization: str | None, key: str | None) -> None:
    headers = Headers({} if authorization is None else {"authorization": authorization})
    assert caller_key(headers, CUSTOMER) == key


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "first",
        "Digest first",
        "Basic first",
        "Basic !!!",
        "Basic /w==",
        basic("first", ""),
        basic("first", "wrong"),
        basic("partner", "first:"),
        "Basic " + base64.b64encode(b"first").decode(),
    ],
)
def test_a_key_that_is_not_this_customers_is_wrong_everywhere(authorization: str) -> None:
    with pytest.raises(WrongKey):
        caller_key(Headers({"authorization": authorization}), CUSTOMER)


@pytest.mark.parametrize(
    ("origin", "referer", "form", "token_is_ours", "may"),
    [
        (OURS, None, True, False, True),
        (THEIRS, None, True, False, True),
        (THEIRS, None, False, False, True),
        (EVIL, None, True, False, False),
        (EVIL, f"{THEIRS}/x", True, True, False),  # where there is an origin, it decides
        ("", None, True, True, False),
        (None, None, True, True, True),
        ("null", None, True, True, True),
        (None, None, True, False, False),
        ("null", None, True, False, False),
        (None, f"{OURS}/x", True, False, True),
        ("null", f"{THEIRS}/objekt/1", True, False, True),
        (None, f"{EVIL}/{THEIRS}", True, False, False),
        (None, "null", True, False, False),
        (None, None, False, True, False),  # a token is a form's
        (None, f"{THEIRS}/x", False, False, False),
        ("null", f"{OURS}/x", False, True, False),
    ],
)
def test_the_origin_decides_and_where_there_is_none_a_forms_token_or_page(
    origin: str | None, referer: str | None, form: bool, token_is_ours: bool, may: bool
) -> None:
    headers = Headers({k: v for k, v in {"origin": origin, "referer": referer}.items() if v is not None})
    assert RULE.may_post(headers, CUSTOMER, form=form, token_is_ours=token_is_ours) is may


@pytest.mark.parametrize("origin", [None, "null", EVIL])
@pytest.mark.parametrize("form", [True, False])
def test_in_a_demo_any_page_may_post(origin: str | None, form: bool) -> None:
    headers = Headers({} if origin is None else {"origin": origin})
    assert OriginRule(OURS, demo=True).may_post(headers, CUSTOMER, form=form, token_is_ours=False)
    assert not RULE.may_post(headers, CUSTOMER, form=form, token_is_ours=False)


def test_who_posts_too_much_is_told_when_to_come_back() -> None:
    counted = AddressLimits()
    for _ in range(2):
        counted.count(CUSTOMER, "192.0.2.1")
    with pytest.raises(TooMany) as refused:
        counted.count(CUSTOMER, "192.0.2.1")
    assert 1 <= refused.value.retry_after <= 60


def test_each_address_and_each_customer_is_counted_by_itself() -> None:
    counted = AddressLimits()
    another = replace(CUSTOMER, id="M67890")
    for who, address in ((CUSTOMER, "192.0.2.1"), (CUSTOMER, "192.0.2.2"), (another, "192.0.2.1")):
        counted.count(who, address)
        counted.count(who, address)
    with pytest.raises(TooMany):
        counted.count(another, "192.0.2.1")


def test_a_household_with_ipv6_is_counted_as_one() -> None:
    counted = AddressLimits()
    counted.count(CUSTOMER, "2001:db8::1")
    counted.count(CUSTOMER, "2001:db8::2")
    with pytest.raises(TooMany):
        counted.count(CUSTOMER, "2001:db8::3")
    counted.count(CUSTOMER, "2001:db8:0:1::1")


def test_when_the_time_is_over_one_may_post_again(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = AddressLimits()
    often = replace(CUSTOMER, rate=limits.parse("1/minute"))
    counted.count(often, "192.0.2.1")
    with pytest.raises(TooMany) as refused:
        counted.count(often, "192.0.2.1")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + refused.value.retry_after)
    counted.count(often, "192.0.2.1")
    with pytest.raises(TooMany):
        counted.count(often, "192.0.2.1")
