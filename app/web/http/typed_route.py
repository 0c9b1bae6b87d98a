"""FastAPI routes with typed parameters and answers, which describe themselves in `/openapi.json`."""

from contextlib import AsyncExitStack
from re import ASCII, IGNORECASE, compile
from typing import Any

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Receive, Scope, Send


class TypedRoute(APIRoute):
    """Answers HEAD wherever it answers GET, as Starlette's routes do."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (Match.FULL if match is Match.PARTIAL and self._is_head(scope) else match), child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = self.methods or set()
        if scope["method"] not in methods and not self._is_head(scope):
            raise HTTPException(405, headers={"Allow": ", ".join(sorted({*methods, "HEAD"}))})
        async with AsyncExitStack() as stack:  # FastAPI's middleware would add one to every request, posts included
            scope["fastapi_middleware_astack"] = stack
            await self.app(scope, receive, send)

    def _is_head(self, scope: Scope) -> bool:
        return bool(scope["method"] == "HEAD" and "GET" in (self.methods or ()))


class AnyCasingTypedRoute(TypedRoute):
    """Matches a path's fixed segments in any casing, as Vitec's server does."""

    def __init__(self, path: str, endpoint: Any, **named: Any) -> None:
        super().__init__(path, endpoint, **named)
        self.path_regex = compile(self.path_regex.pattern, IGNORECASE | ASCII)
