"""Trusted proxies: only the configured ones may say where a request comes from."""

import ipaddress
from collections.abc import Awaitable, Sequence

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

log = structlog.get_logger()

FORWARDED = b"x-forwarded-for"


class TrustedProxies:
    """`trusted` are addresses and networks. Warns once about a proxy that the configuration lacks, because all its
    visitors share one address, and so one rate limit."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app = app
        self._networks = [ipaddress.ip_network(network, strict=False) for network in trusted]
        self._trusting = ProxyHeadersMiddleware(app, [str(network) for network in self._networks])  # type: ignore[arg-type]
        self._warned = False

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        if self._networks and self._is_trusted(scope):
            return self._trusting(scope, receive, send)  # type: ignore[arg-type]
        if not self._warned:
            self._warn_if_forwarded(scope)
        return self._app(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        client = scope.get("client")
        return client is not None and client[0] in self._trusting.trusted_hosts

    def _warn_if_forwarded(self, scope: Scope) -> None:
        if FORWARDED in dict(scope["headers"]):
            self._warned = True
            log.warning("X-Forwarded-For ignored: its sender is not in trusted_proxies")
