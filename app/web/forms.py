"""The two public operations at Vitec's own paths: GET a form, POST an interest or a booking."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.answers import cors_headers
from app.web.form_pages import form_response
from app.web.guard import WrongKey
from app.web.kinds import INTEREST, VIEWING, Kind
from app.web.posting import post
from app.web.problems import CHALLENGE, Problem, refuse
from app.web.site import Site
from app.web.visit import NoSuchPage, Visit, receive

PATHS = (
    ("/Advertising/Estate/{customerId}/{estateId}/interest", INTEREST),
    ("/Viewing/{customerId}/{viewingId}/{timeSlotId}/Participant", VIEWING),
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key, Prefer, Accept-Language",
    "Access-Control-Max-Age": "7200",
}

Handler = Callable[[Visit], Awaitable[Response]]


def routes(site: Site) -> list[Route]:
    """Plain Starlette routes: the framework's own parsing would cost more than all the rest of a post."""
    return [
        Route(path, received(site, kind, _handle), methods=["GET", "POST", "OPTIONS"], name=kind.operation.value)
        for path, kind in PATHS
    ]


def received(site: Site, kind: Kind, handle: Handler) -> ASGIApp:
    """An endpoint that `handle`s visits whose customer, ids and key are in order; where people have no form, only
    those with a key."""

    async def answer(request: Request) -> Response:
        try:
            visit = receive(request, site, kind)
            if kind.page is None and visit.key is None:
                raise WrongKey(visit.customer)
        except NoSuchPage:
            return refuse(request, site, 404)
        except WrongKey as wrong:
            return refuse(request, site, 401, customer=wrong.customer, headers=CHALLENGE)
        return await handle(visit)

    return Endpoint(answer)


class Endpoint:
    """An ASGI application of its own, so that Starlette doesn't wrap it: its two layers cost a post a twentieth."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)


async def _handle(visit: Visit) -> Response:
    if visit.request.method == "POST":
        return await post(visit)
    if visit.request.method == "OPTIONS":
        return _preflight(visit)
    visit.site.views.count(visit.customer.id, visit.kind.operation, visit.resource, visit.estate, visit.query)
    return form_response(visit)


def _preflight(visit: Visit) -> Response:
    headers = cors_headers(visit)
    if "origin" not in visit.headers:  # no browser's question before a fetch()
        return Response(status_code=204, headers=headers | {"Allow": "GET, HEAD, POST, OPTIONS"})
    if "Access-Control-Allow-Origin" not in headers:
        return Problem(403, "forbidden", visit.gettext, headers=headers)
    return Response(status_code=204, headers=headers | PREFLIGHT)
