"""Console sessions: a signed, dated cookie that identifies a stored session, and a form token against cross-site
posts."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from http.cookies import SimpleCookie
from secrets import token_urlsafe
from typing import Any

from itsdangerous import BadSignature, TimestampSigner

from app.domain.rates import parse_rate
from app.storage.console_sessions import ConsoleSessions
from app.storage.encryption import KeyedHash
from app.web.http.networks import network_of
from app.web.operations.rate_limits import MovingWindows

PATH = "/console"
COOKIE = "__Secure-intresse"
SESSION_LIFETIME = timedelta(hours=12)  # maximum, even if the session is in use
SIGN_IN_RATES = (parse_rate("5/minute"), parse_rate("30/hour"))  # attempts per address; a success resets them


class Sessions:
    """There is one password. The signing key is derived from it too, so changing it ends all sessions. The signature is
    checked first, so a forged cookie costs no database query."""

    def __init__(self, secret: str, password: str, store: ConsoleSessions) -> None:
        self._store = store
        self._hash = KeyedHash(secret, "console password")
        self._password = self._hash.digest(password)
        key = KeyedHash(secret, "console session").digest(password)
        self._signer = TimestampSigner(key, salt="console", digest_method=hashlib.sha256)
        self._forms = KeyedHash(secret, "console form")
        self._rows = KeyedHash(secret, "console session row")

    def is_password(self, password: str) -> bool:
        """Whether this is the password. The comparison takes the same time for any text."""
        return hmac.compare_digest(self._hash.digest(password), self._password)

    async def begin(self) -> str:
        """Begins a session; returns its `Set-Cookie` header. Raises `StoreUnavailableError`."""
        value = self._signer.sign(token_urlsafe(18)).decode()
        await self._store.begin(self._rows.digest(value))
        return _cookie(value, int(SESSION_LIFETIME.total_seconds()))

    async def end(self, session: str) -> str:
        """Ends the session on every replica; returns the header that deletes the cookie. Raises
        `StoreUnavailableError`."""
        await self._store.end(self._rows.digest(session))
        return _cookie("", 0)

    async def from_cookies(self, cookies: Mapping[str, str]) -> str | None:
        """The session; None if there is none or it has ended. Raises `StoreUnavailableError`."""
        value = cookies.get(COOKIE, "")
        try:
            self._signer.unsign(value, max_age=int(SESSION_LIFETIME.total_seconds()))
        except BadSignature:
            return None
        return value if await self._store.is_open(self._rows.digest(value)) else None

    def form_token(self, session: str) -> str:
        return urlsafe_b64encode(self._forms.digest(session)).decode()

    def is_form_token(self, token: str, session: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.form_token(session).encode())


def _cookie(value: str, seconds: int) -> str:
    cookie: SimpleCookie = SimpleCookie()
    cookie[COOKIE] = value
    attributes: dict[str, Any] = {"path": PATH, "max-age": seconds, "samesite": "Strict"}
    cookie[COOKIE].update({**attributes, "secure": True, "httponly": True})
    return cookie[COOKIE].OutputString()


class SignInAttempts:
    """Rate limit for attempts to sign in, counted in this process's memory."""

    def __init__(self) -> None:
        self._windows = [(rate, MovingWindows()) for rate in SIGN_IN_RATES]

    def count(self, address: str) -> None:
        """Counts an attempt. Raises `RateLimitedError`."""
        for rate, windows in self._windows:
            windows.count(rate, network_of(address))

    def forget(self, address: str) -> None:
        """Resets the address's count after a successful sign-in."""
        for _, windows in self._windows:
            windows.forget(network_of(address))


def is_cross_site(headers: Mapping[str, str], public_url: str) -> bool:
    """Whether a post comes from another site, by the browser's headers. Without any it counts as cross-site."""
    site = headers.get("sec-fetch-site")
    return site != "same-origin" if site is not None else headers.get("origin") != public_url
