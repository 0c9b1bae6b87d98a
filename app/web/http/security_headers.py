"""Security headers. Nothing inline runs, nothing comes from another host; the one style element is allowed by its hash.

Every answer gets `DEFAULTS` for what it does not say itself.
"""

from collections.abc import Awaitable, Mapping
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.http.uvicorn_protocol import Headers, add_headers, header_lines

# Not no-referrer: with that browsers send `Origin: null`, and our own form would refuse everyone.
REFERRER_POLICY = "strict-origin-when-cross-origin"
# Of a form: kept by the browser alone, and asked for anew, but for a step back: with no-store it would forget what was
# typed.
REVISITED = "private, no-cache"
DEFAULTS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cache-control": "no-store",
    "referrer-policy": REFERRER_POLICY,
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",  # but for what brokers' pages load, which says otherwise
}
# Without subdomains: the name may have others below it, which are not ours to decide about.
HSTS = ((b"strict-transport-security", b"max-age=31536000"),)


class SecurityHeaders:
    """Around everything, the answers to faults included. `secure`: browsers reach us by https, and shall by that
    alone."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._always = HSTS if secure else ()
        self._added = lru_cache(maxsize=256)(self._to_add)  # an answer's names are ours to choose, and few

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        def complete(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                add_headers(scope, message, *self._added(tuple([name for name, _ in message["headers"]])))
            return send(message)

        return self._app(scope, receive, complete)

    def _to_add(self, said: tuple[bytes, ...]) -> tuple[Headers, bytes]:
        """To an answer with headers of these names; and the same as lines."""
        encoded = ((name.encode(), value.encode()) for name, value in DEFAULTS.items())
        added = [*(header for header in encoded if header[0] not in said), *self._always]
        return added, header_lines(added)


def page_headers(style_hash: str, frame_ancestors: str, form_action: str = "'self'") -> Mapping[str, str]:
    """`frame_ancestors` is the sources that may frame the page, as CSP writes them; "" leaves that open (demo).
    `form_action` is where its forms may lead, after redirects too."""
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
    """Of a page whose address is a secret: nobody frames it, no other site is told of it, and no browser keeps it, for
    it may greet somebody by name. Our own form still says where it was posted from."""
    return {**page_headers(style_hash, "'none'"), "Referrer-Policy": "same-origin"}
