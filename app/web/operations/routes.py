"""Routes of the operations, at Vitec's own paths and at those of the forms: POST, and GET where there is a form."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.operations.registry import POSTS
from app.operations.specification import PostSpec
from app.web.operations.context import PageNotFoundError, RequestContext, receive
from app.web.operations.customer import InvalidApiKeyError
from app.web.operations.dependencies import Dependencies
from app.web.operations.form_page import form_response
from app.web.operations.open_times_page import show_open_times
from app.web.operations.problems import CHALLENGE, Problem, error_response
from app.web.operations.submit import post

Handler = Callable[[RequestContext], Awaitable[Response]]


def routes(deps: Dependencies) -> list[Route]:
    """Plain Starlette routes: FastAPI's parsing would cost more than all the rest of a post."""
    return [
        operation_route(path, deps, spec, handle, *methods)
        for spec in POSTS
        for path in dict.fromkeys((*spec.post_paths, *spec.form_paths))
        for handle in [_handle_by_home if spec.by_home else _handle]
        for methods in [_methods(spec, path)]
    ]


def _methods(spec: PostSpec, path: str) -> tuple[str, ...]:
    return (*(("GET",) if path in spec.form_paths else ()), *(("POST",) if path in spec.post_paths else ()))


def operation_route(path: str, deps: Dependencies, spec: PostSpec, handle: Handler, *methods: str) -> Route:
    """With `OPTIONS`. Preflights from allowed pages are answered earlier, in `cross_origin`."""
    endpoint = OperationEndpoint(deps, spec, handle, methods)
    return AnyCasing(path, endpoint, methods=[*methods, "OPTIONS"], name=spec.operation.value)


def options_route(path: str, deps: Dependencies, spec: PostSpec, *methods: str) -> Route:
    """`OPTIONS` alone, for a path with a typed route."""
    endpoint = OperationEndpoint(deps, spec, _handle, methods)
    return AnyCasing(path, endpoint, methods=["OPTIONS"], name=spec.operation.value)


class AnyCasing(Route):
    """Matches a path's fixed segments in any casing, as Vitec's server does."""

    def __init__(self, path: str, endpoint: "OperationEndpoint", **named: Any) -> None:
        super().__init__(path, endpoint, **named)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class OperationEndpoint:
    """An ASGI application, because Starlette would wrap a function to handle exceptions, which `ExceptionHandling` in
    `app.web.app` does for all routes."""

    deps: Dependencies
    spec: PostSpec
    handle: Handler
    methods: tuple[str, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await respond(request, self.deps, self.spec, self.handle, self.methods)
        await response(scope, receive, send)


async def respond(
    request: Request, deps: Dependencies, spec: PostSpec, handle: Handler, methods: tuple[str, ...]
) -> Response:
    """Handles a request if its customer, ids and key are valid. Without a form, a key is required."""
    try:
        context = receive(request, deps, spec)
        if request.scope["method"] == "OPTIONS":
            return _options(context, methods)
        if spec.form is None and context.key is None:
            raise InvalidApiKeyError
    except PageNotFoundError:
        return error_response(request, deps, 404)
    except InvalidApiKeyError:
        return error_response(request, deps, 401, headers=CHALLENGE)
    return await handle(context)


def _options(context: RequestContext, methods: tuple[str, ...]) -> Response:
    if "origin" in context.headers:
        return Problem(403, "forbidden", context.gettext)
    read = ("GET", "HEAD") if "GET" in methods else ()
    return Response(status_code=204, headers={"Allow": ", ".join((*read, *(set(methods) - {"GET"}), "OPTIONS"))})


async def _handle_by_home(context: RequestContext) -> Response:
    return await post(context) if context.request.method == "POST" else await show_open_times(context)


async def _handle(context: RequestContext) -> Response:
    if context.request.scope["method"] == "POST":
        return await post(context)
    context.count_view()
    return form_response(context)
