"""Security headers. Nothing inline runs and nothing loads from another host; the one style element is allowed by hash.

Every answer gets those of `DEFAULTS` that it does not set itself.
"""

from collections.abc import Awaitable, Mapping
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.http.uvicorn_protocol import Headers, add_headers, header_lines

# Not no-referrer: browsers would send `Origin: null`, and our own form would be refused.
REFERRER_POLICY = "strict-origin-when-cross-origin"
# For a form: only the browser stores it, and asks again each time, except on going back. With no-store it would forget
# the visitor's input.
REVISITED = "private, no-cache"
DEFAULTS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cache-control": "no-store",
    "referrer-policy": REFERRER_POLICY,
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",  # files that brokers' pages load set their own
}
# Without subdomains: others below this name are not ours to decide about.
HSTS = b"strict-transport-security", b"max-age=31536000"


class SecurityHeaders:
    """The outermost layer, so that error responses get the headers too. `secure`: browsers reach us by https, and are
    told to use nothing else."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._all = all_headers(secure=secure)
        self._added = lru_cache(maxsize=256)(self._to_add)  # our own answers' header names: few

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        def complete(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                add_headers(scope, message, *self._added(tuple([name for name, _ in message["headers"]])))
            return send(message)

        return self._app(scope, receive, complete)

    def _to_add(self, present: tuple[bytes, ...]) -> tuple[Headers, bytes]:
        """The headers for an answer that has headers of these names; and the same as lines."""
        added = [header for header in self._all if header[0] not in present]
        return added, header_lines(added)


def all_headers(*, secure: bool) -> Headers:
    """The headers of an answer that sets none of them itself."""
    encoded = [(name.encode(), value.encode()) for name, value in DEFAULTS.items()]
    return [*encoded, HSTS] if secure else encoded


def page_headers(style_hash: str, frame_ancestors: str, form_action: str = "'self'") -> Mapping[str, str]:
    """`frame_ancestors` are the sources that may frame the page, in CSP's form; "" for no restriction (demo).
    `form_action` is where its forms may lead, redirects included."""
    policy = [
        "default-src 'none'",
        f"style-src {style_hash}",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        f"form-action {form_action}",
        "base-uri 'none'",
        *([f"frame-ancestors {frame_ancestors}"] if frame_ancestors else []),
    ]
    return {"Content-Security-Policy": "; ".join(policy), "Vary": "Accept-Language"}


def private_headers(style_hash: str) -> Mapping[str, str]:
    """For a page whose address is a secret: it can't be framed, no other site learns its address, and no browser stores
    it, because it may greet somebody by name. Our own form still sends its origin."""
    return {**page_headers(style_hash, "'none'"), "Referrer-Policy": "same-origin"}
