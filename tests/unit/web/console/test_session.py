"""Sessions and sign-in: what is accepted, and what is not."""

import asyncio
import time
from http.cookies import SimpleCookie

import pytest
from itsdangerous import TimestampSigner

from app.storage.console_sessions import ConsoleSessions
from app.web.console.session import COOKIE, SESSION_LIFETIME, Sessions, SignInAttempts, is_cross_site
from app.web.operations.rate_limits import RateLimitedError

SECRET, PASSWORD = "a secret key for the tests alone", "rätt lösenord"
URL = "https://leads.example.se"


class Store(ConsoleSessions):
    """In memory; the real one is tried in tests/integration/test_console_sessions.py."""

    def __init__(self) -> None:
        self.open: set[bytes] = set()
        self.asked = 0

    async def begin(self, session: bytes) -> None:
        self.open.add(session)

    async def is_open(self, session: bytes) -> bool:
        self.asked += 1
        return session in self.open

    async def end(self, session: bytes) -> None:
        self.open.discard(session)


STORE = Store()
SESSIONS = Sessions(SECRET, PASSWORD, STORE)


def begin(sessions: Sessions = SESSIONS) -> str:
    """The cookie's value."""
    return SimpleCookie(asyncio.run(sessions.begin()))[COOKIE].value


def known(value: str, sessions: Sessions = SESSIONS) -> str | None:
    return asyncio.run(sessions.from_cookies({COOKIE: value}))


def test_the_cookie_is_only_for_our_own_pages_over_https() -> None:
    attributes = {part.strip().lower() for part in asyncio.run(SESSIONS.begin()).split(";")[1:]}
    assert {
        "secure",
        "httponly",
        "samesite=strict",
        "path=/console",
        f"max-age={SESSION_LIFETIME.total_seconds():.0f}",
    } == attributes


def test_a_sessions_cookie_is_accepted_and_any_other_value_is_not() -> None:
    session = begin()
    assert known(session) == session
    other = begin(Sessions("another secret key for tests", PASSWORD, STORE))
    for forged in ("", "x", session[:-1], session + "x", other, session.replace(".", "", 1)):
        assert known(forged) is None
    assert asyncio.run(SESSIONS.from_cookies({})) is None


def test_a_cookie_that_we_did_not_sign_reaches_no_store() -> None:
    begin()
    before = STORE.asked
    for forged in ("", "x", "YWJj.ZGVm.Z2hp", "a" * 9000):
        assert known(forged) is None
    assert STORE.asked == before


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie_and_no_other_session() -> None:
    session, another = begin(), begin()
    header = SimpleCookie(asyncio.run(SESSIONS.end(session)))[COOKIE]
    assert (header.value, header["max-age"], header["path"]) == ("", "0", "/console")
    assert known(session) is None
    assert known(another) == another


def test_a_session_is_the_same_after_a_restart_and_on_another_replica() -> None:
    session = begin()
    assert known(session, Sessions(SECRET, PASSWORD, STORE)) == session


def test_another_password_ends_all_sessions() -> None:
    assert known(begin(), Sessions(SECRET, "nytt", STORE)) is None


def test_the_store_never_sees_the_cookie() -> None:
    session = begin()
    assert all(session.encode() not in row and row not in session.encode() for row in STORE.open)


def test_a_session_ends_with_the_day_however_much_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    session = begin()
    later = TimestampSigner("x").get_timestamp() + int(SESSION_LIFETIME.total_seconds()) + 2
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: later)
    assert known(session) is None


@pytest.mark.parametrize(
    ("password", "right"), [("rätt lösenord", True), ("rätt lösenord ", False), ("", False), ("x" * 9000, False)]
)
def test_only_the_exact_password_is_accepted(password: str, right: bool) -> None:
    assert SESSIONS.is_password(password) is right


def test_a_form_token_belongs_to_its_session() -> None:
    assert SESSIONS.is_form_token(SESSIONS.form_token("a"), "a")
    assert not SESSIONS.is_form_token(SESSIONS.form_token("a"), "b")
    assert not SESSIONS.is_form_token("", "a")
    assert not SESSIONS.is_form_token("ö", "a")


def test_attempts_are_limited_by_address_and_forgotten_after_the_right_one() -> None:
    tries = SignInAttempts()
    for _ in range(5):
        tries.count("192.0.2.1")
    with pytest.raises(RateLimitedError):
        tries.count("192.0.2.1")
    tries.count("192.0.2.2")
    tries.forget("192.0.2.1")
    tries.count("192.0.2.1")


def test_a_household_has_thirty_attempts_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    tries, now = SignInAttempts(), 0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for now in range(0, 30 * 60, 60):
        tries.count(f"2001:db8::{now:x}")
    now += 60
    with pytest.raises(RateLimitedError):
        tries.count("2001:db8::1")
    now = 60 * 60
    tries.count("2001:db8::1")


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
def test_a_post_from_another_site_is_recognised(headers: dict[str, str], cross: bool) -> None:
    assert is_cross_site(headers, URL) is cross
