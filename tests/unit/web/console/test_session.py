"""Signing in: what is known again, and what isn't."""

import pytest
from itsdangerous import TimestampSigner

from app.web.console.session import COOKIE, LIVES, Sessions, Tries, is_cross_site
from app.web.limits import TooMany

SESSIONS = Sessions("a secret key for the tests alone", "rätt lösenord")
URL = "https://leads.example.se"


def value_of(header: str) -> str:
    return header.partition("=")[2].partition(";")[0].strip('"')


def test_the_cookie_is_only_for_our_own_pages_over_https() -> None:
    attributes = {part.strip().lower() for part in SESSIONS.begin().split(";")[1:]}
    assert {
        "secure",
        "httponly",
        "samesite=strict",
        "path=/console",
        f"max-age={LIVES.total_seconds():.0f}",
    } == attributes


def test_a_session_is_known_again_and_any_other_value_is_not() -> None:
    session = value_of(SESSIONS.begin())
    assert SESSIONS.of({COOKIE: session}) == session
    other = value_of(Sessions("another secret key for tests", "rätt lösenord").begin())
    for forged in ("", "x", session[:-1], session + "x", other, session.replace(".", "", 1)):
        assert SESSIONS.of({COOKIE: forged}) is None
    assert SESSIONS.of({}) is None


def test_another_password_ends_all_sessions() -> None:
    changed = Sessions("a secret key for the tests alone", "nytt")
    assert changed.of({COOKIE: value_of(SESSIONS.begin())}) is None


def test_a_session_ends_with_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    session = value_of(SESSIONS.begin())
    later = TimestampSigner("x").get_timestamp() + int(LIVES.total_seconds()) + 2
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: later)
    assert SESSIONS.of({COOKIE: session}) is None


@pytest.mark.parametrize(
    ("password", "known"), [("rätt lösenord", True), ("rätt lösenord ", False), ("", False), ("x" * 9000, False)]
)
def test_only_the_password_is_the_password(password: str, known: bool) -> None:
    assert SESSIONS.knows(password) is known


def test_a_form_token_belongs_to_its_session() -> None:
    assert SESSIONS.is_ours(SESSIONS.form_token("a"), "a")
    assert not SESSIONS.is_ours(SESSIONS.form_token("a"), "b")
    assert not SESSIONS.is_ours("", "a")
    assert not SESSIONS.is_ours("ö", "a")


def test_attempts_are_limited_by_address_and_forgotten_after_the_right_one() -> None:
    tries = Tries()
    for _ in range(5):
        tries.count("192.0.2.1")
    with pytest.raises(TooMany):
        tries.count("192.0.2.1")
    tries.count("192.0.2.2")
    tries.forget("192.0.2.1")
    tries.count("192.0.2.1")


@pytest.mark.parametrize(
    ("headers", "cross"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "http://localhost:8000"}, False),
        ({"sec-fetch-site": "cross-site", "origin": URL}, True),
        ({"sec-fetch-site": "same-site", "origin": "https://evil.example.se"}, True),
        ({"origin": URL}, False),
        ({"origin": "null"}, True),
        ({"origin": f"{URL}.evil.se"}, True),
        ({}, True),
    ],
)
def test_a_post_from_another_site_is_known(headers: dict[str, str], cross: bool) -> None:
    assert is_cross_site(headers, URL) is cross
