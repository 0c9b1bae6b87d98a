"""The FastAPI application and its middleware."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.api_docs.openapi import describe
from app.web.console.session import PATH as CONSOLE
from app.web.http.security_headers import SecurityHeaders, all_headers
from app.web.http.trusted_proxies import TrustedProxies
from app.web.operations.cross_origin import CrossOriginAccess
from app.web.operations.dependencies import Dependencies

OPERATORS = (CONSOLE, "/metrics")  # paths that scripts of other sites may not read
Handler = Callable[[Request, Any], Awaitable[Response]]


class App(FastAPI):
    """FastAPI with our middleware, which also applies to error responses. Forms and posts are plain Starlette routes:
    the work that FastAPI does for a typed route would more than double the cost of a post."""

    def __init__(
        self, deps: Dependencies, trusted_proxies: Sequence[str], handlers: Mapping[Any, Handler], **named: Any
    ) -> None:
        super().__init__(docs_url=None, redoc_url=None, **named)
        self.state.dependencies = deps
        self.state.server_headers = all_headers(secure=deps.is_https)
        self._deps = deps
        self._trusted_proxies = trusted_proxies
        self._handlers = handlers

    # Bypasses FastAPI's, which checks the environment for telemetry at each request.
    __call__ = Starlette.__call__

    def build_middleware_stack(self) -> ASGIApp:
        # FastAPI's router does work that plain routes don't need, and its redirects would follow the Host header.
        router = Router(self.routes, redirect_slashes=False, lifespan=self.router.lifespan_context)
        handled = ExceptionHandling(PrintablePaths(router), self._handlers)
        shared = CrossOriginAccess(handled, self._deps.customers, self._deps.origins, OPERATORS)
        return SecurityHeaders(TrustedProxies(shared, self._trusted_proxies), secure=self._deps.is_https)

    def openapi(self) -> dict[str, Any]:
        """The document of `/openapi.json`: typed routes describe themselves, `describe` adds the plain ones."""
        return describe()


class PrintablePaths:
    """Answers 404 to a path with a control character. A route's pattern would accept a line break at the end, and
    PostgreSQL refuses NUL."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and not scope["path"].isprintable():
            raise HTTPException(404)
        return self._app(scope, receive, send)


class ExceptionHandling:
    """Turns exceptions into responses. Replaces Starlette's two middlewares, each of which wraps every message of every
    response."""

    def __init__(self, app: ASGIApp, handlers: Mapping[Any, Handler]) -> None:
        self._app = app
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            kind = HTTPException if isinstance(error, HTTPException) else Exception
            if scope["type"] != "http" or kind not in self._handlers:
                raise
            answer = await self._handlers[kind](Request(scope, receive), error)
            await answer(scope, receive, send)  # if a response has begun, this raises, which ends the connection
