"""The framework's application, with what every answer needs around it."""

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
from app.web.http.security_headers import SecurityHeaders
from app.web.http.trusted_proxies import TrustedProxies
from app.web.operations.cross_origin import CrossOriginAccess
from app.web.operations.dependencies import Dependencies

OPERATORS = (CONSOLE, "/metrics")  # addresses that no other site's script may read
Handler = Callable[[Request, Any], Awaitable[Response]]


class App(FastAPI):
    """With what has to be around the answers to faults too. The routes of forms and posts are plain ones: what FastAPI
    does for each request of a typed route would cost a post more than all that the post needs."""

    def __init__(
        self, deps: Dependencies, trusted_proxies: Sequence[str], handlers: Mapping[Any, Handler], **named: Any
    ) -> None:
        super().__init__(docs_url=None, redoc_url=None, **named)
        self.state.dependencies = deps
        self._deps = deps
        self._trusted_proxies = trusted_proxies
        self._handlers = handlers

    # Past FastAPI's own, which looks for telemetry in the environment at each request.
    __call__ = Starlette.__call__

    def build_middleware_stack(self) -> ASGIApp:
        # FastAPI's own router does what plain routes have no use for, and would redirect to where the Host header says.
        router = Router(self.routes, redirect_slashes=False, lifespan=self.router.lifespan_context)
        answering = Faults(PlainPaths(router), self._handlers)
        readable = CrossOriginAccess(answering, self._deps.customers, self._deps.origins, OPERATORS)
        return SecurityHeaders(TrustedProxies(readable, self._trusted_proxies), secure=self._deps.is_https)

    def openapi(self) -> dict[str, Any]:
        """What `/openapi.json` answers: typed routes describe themselves, `describe` adds the plain ones."""
        return describe()


class PlainPaths:
    """No address of ours has a control character in it; a route's pattern would let a line break through at its end,
    and a database refuse a NUL."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and not scope["path"].isprintable():
            raise HTTPException(404)
        return self._app(scope, receive, send)


class Faults:
    """Turns exceptions into responses. Replaces Starlette's two middleware for this, each of which wraps every message
    of every response."""

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
            await answer(scope, receive, send)  # raises, and so ends the connection, where an answer has begun already
