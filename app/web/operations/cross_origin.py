"""Cross-origin access (CORS): scripts on an allowed page may read every answer, errors included.

An ASGI layer around all public routes, so that no answer lacks the headers. The operators' addresses are excluded.
"""

import re
from collections.abc import Awaitable, Iterable, Mapping, Sequence

from starlette.datastructures import Headers as RequestHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.short_cache import cached_when_short
from app.web.http.origins import origin_of
from app.web.http.uvicorn_protocol import Headers, add_headers, header_lines
from app.web.operations.customer import Customer, Customers, OriginRule

CUSTOMER = "customer"  # in the scope: the customer whose answer it is, once known
USUAL_HEADERS = (
    "content-type",
    "idempotency-key",
    "prefer",
    "accept-language",
)  # allowed even if a preflight does not ask
MAX_ASKED = 50  # headers in a preflight's request; more are not allowed
MAX_NAME = 100  # characters of each
PREFLIGHT_SECONDS = "7200"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)  # a header's name (RFC 9110)
_READABLE_BY = b"access-control-allow-origin"
_EXPOSED = b"access-control-expose-headers", b"Location, Retry-After, Submission-Id, Preference-Applied"
_VARIES = b"vary", b"Origin"
_UNREADABLE = (_VARIES,), header_lines((_VARIES,))


class CrossOriginAccess:
    """An ASGI layer. `private` are path prefixes that no other site may read."""

    def __init__(self, app: ASGIApp, customers: Customers, origins: OriginRule, private: Sequence[str]) -> None:
        self._app = app
        self._customers = customers
        self._origins = origins
        self._private = tuple(private)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        origin = _origin(scope) if scope["type"] == "http" else None
        if origin is None or scope["path"].startswith(self._private):
            return self._app(scope, receive, send)

        def complete(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                add_headers(scope, message, *self._added(scope, origin, message["headers"]))
            return send(message)

        answer = None
        if scope["method"] == "OPTIONS" and (named := self._named(scope)):
            answer = preflight(RequestHeaders(scope=scope), self._origins, named)
        return (answer or self._app)(scope, receive, complete)

    def _added(self, scope: Scope, origin: str, present: Iterable[tuple[bytes, bytes]]) -> tuple[Headers, bytes]:
        """The headers to add to an answer with the headers `present`, and the same as lines."""
        if _READABLE_BY in dict(present):
            return (), b""  # the answer has its own
        if not may_read(self._origins, origin, self._whose(scope)):
            return _UNREADABLE
        return _readable_by(origin)

    def _named(self, scope: Scope) -> list[Customer]:
        """Customers named in the address, even if the address is unknown: a script must be able to read the 404."""
        # Each once: a stranger may repeat one a thousand times.
        return [self._customers[id] for id in self._customers.keys() & scope["path"].split("/")]

    def _whose(self, scope: Scope) -> Iterable[Customer]:
        """The address's customer; all if it names none; none if the named one is unknown."""
        if CUSTOMER in scope:
            return [scope[CUSTOMER]]
        if named := self._named(scope):
            return named
        return () if scope.get("path_params", {}).get("customerId") else self._customers.values()


@cached_when_short
def _readable_by(origin: str) -> tuple[Headers, bytes]:
    """`origin` is allowed, and came in a header: so it has no control characters."""
    headers = _VARIES, (_READABLE_BY, origin.encode("latin-1")), _EXPOSED
    return headers, header_lines(headers)


def may_read(origins: OriginRule, origin: str, customers: Iterable[Customer]) -> bool:
    if not origin_of(origin):
        return False
    ours = origins.demo or origin == origins.public_origin
    return ours or any(origins.allows(origin, customer) for customer in customers)


def preflight(headers: Mapping[str, str], origins: OriginRule, customers: Iterable[Customer]) -> Response | None:
    """The answer to a preflight; None if the origin is not allowed. The request itself may still be refused."""
    if not may_read(origins, headers.get("origin", ""), customers):
        return None
    return Response(status_code=204, headers=_granted(headers.get("access-control-request-headers", "")))


def _granted(asked: str) -> dict[str, str]:
    names = [name.strip().lower() for name in asked.split(",", MAX_ASKED)[:MAX_ASKED]]
    plain = [name for name in names if len(name) <= MAX_NAME and name != "*" and _NAME.fullmatch(name)]
    return {
        "Access-Control-Allow-Methods": "GET, HEAD, POST",
        "Access-Control-Allow-Headers": ", ".join(dict.fromkeys((*USUAL_HEADERS, *plain))),
        "Access-Control-Max-Age": PREFLIGHT_SECONDS,
        "Vary": "Access-Control-Request-Headers",
    }


def _origin(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"origin":
            return str(value, "latin-1")
    return None
