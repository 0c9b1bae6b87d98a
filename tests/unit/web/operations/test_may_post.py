"""Who may post: API key and origin."""

import base64

import pytest
from starlette.datastructures import Headers

from app.web.operations.customer import InvalidApiKeyError, OriginRule, caller_key
from tests.unit.web.sample_customer import CUSTOMER

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
        ("Basic " + base64.b64encode("mäklare:first".encode("latin-1")).decode(), "first"),
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
        "Basic Å",
        basic("first", ""),
        basic("first", "wrong"),
        basic("partner", "first:"),
        "Basic " + base64.b64encode(b"first").decode(),
    ],
)
def test_a_key_that_is_not_this_customers_is_wrong_everywhere(authorization: str) -> None:
    with pytest.raises(InvalidApiKeyError):
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
def test_the_origin_decides_or_without_one_the_forms_token_or_referer(
    origin: str | None, referer: str | None, form: bool, token_is_ours: bool, may: bool
) -> None:
    headers = Headers({k: v for k, v in {"origin": origin, "referer": referer}.items() if v is not None})
    assert RULE.may_post(headers, CUSTOMER, form=form, token_is_ours=lambda: token_is_ours) is may


@pytest.mark.parametrize("origin", [None, "null", EVIL])
@pytest.mark.parametrize("form", [True, False])
def test_in_a_demo_any_page_may_post(origin: str | None, form: bool) -> None:
    headers = Headers({} if origin is None else {"origin": origin})
    assert OriginRule(OURS, demo=True).may_post(headers, CUSTOMER, form=form, token_is_ours=lambda: False)
    assert not RULE.may_post(headers, CUSTOMER, form=form, token_is_ours=lambda: False)


def test_a_token_is_checked_only_if_it_decides() -> None:
    def looked_at() -> bool:
        raise AssertionError

    headers = Headers({"origin": THEIRS})
    assert RULE.may_post(headers, CUSTOMER, form=True, token_is_ours=looked_at)
    assert not RULE.may_post(Headers({"origin": EVIL}), CUSTOMER, form=True, token_is_ours=looked_at)
    assert not RULE.may_post(Headers({}), CUSTOMER, form=False, token_is_ours=looked_at)


@pytest.mark.parametrize(
    ("origin", "demo", "allowed"),
    [(OURS, False, True), (THEIRS, False, True), (EVIL, False, False), (EVIL, True, True), ("null", False, False)],
)
def test_an_origin_is_ours_the_customers_or_in_a_demo_any(origin: str, demo: bool, allowed: bool) -> None:
    assert OriginRule(OURS, demo).allows(origin, CUSTOMER) is allowed
