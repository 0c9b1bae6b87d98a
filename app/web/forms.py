"""The two public operations at Vitec's own paths: GET a form, POST an interest or a booking."""

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from app.storage.database import StoreUnavailable
from app.storage.intake import RepeatMismatch
from app.web import bodies
from app.web.answers import Answers, FormAnswers, JsonAnswers, cors_headers
from app.web.bodies import Body, TooLarge, UnsupportedMedia
from app.web.form_pages import form_response
from app.web.guard import Forbidden, TooMany, WrongKey
from app.web.problems import Problem, refuse
from app.web.reading import INTEREST, VIEWING, Kind
from app.web.site import Site
from app.web.submit import Faulty, may_post, submit
from app.web.visit import NoSuchPage, Visit, receive

PATHS = (
    ("/Advertising/Estate/{customer_id}/{estate_id}/interest", INTEREST),
    ("/Viewing/{customer_id}/{viewing_id}/{time_slot_id}/Participant", VIEWING),
)
PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key, Prefer, Accept-Language",
    "Access-Control-Max-Age": "7200",
}

log = structlog.get_logger()


def routes(site: Site) -> list[Route]:
    """Plain Starlette routes: the framework's own parsing would cost more than all the rest of a post."""
    return [
        Route(path, PublicForm(site, kind).handle, methods=["GET", "POST", "OPTIONS"], name=kind.operation.value)
        for path, kind in PATHS
    ]


class PublicForm:
    def __init__(self, site: Site, kind: Kind) -> None:
        self._site = site
        self._kind = kind

    async def handle(self, request: Request) -> Response:
        try:
            visit = receive(request, self._site, self._kind)
        except NoSuchPage:
            return refuse(request, self._site, 404)
        except WrongKey as wrong:
            return refuse(
                request,
                self._site,
                401,
                customer=wrong.customer,
                headers={"WWW-Authenticate": 'Bearer, Basic realm="Intresse"'},
            )
        if request.method == "POST":
            return await self._post(visit)
        if request.method == "OPTIONS":
            return _preflight(visit)
        return form_response(visit)

    async def _post(self, visit: Visit) -> Response:
        request = visit.request
        try:
            if not bodies.is_form(request.headers) and not may_post(visit, None):
                return JsonAnswers(visit).forbidden()
            body = await bodies.read(request, self._kind.tree, self._kind.person)
        except UnsupportedMedia:
            return self._refuse(visit, 415)
        except TooLarge:
            return self._refuse(visit, 413)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        return await self._answer(visit, body)

    async def _answer(self, visit: Visit, body: Body) -> Response:
        answers: Answers = FormAnswers(visit, body) if body.form else JsonAnswers(visit)
        try:
            return await answers.accepted(await submit(visit, body))
        except Faulty as faulty:
            return answers.faulty(faulty.faults)
        except Forbidden:
            return answers.forbidden()
        except TooMany as many:
            return answers.too_many(many.retry_after)
        except RepeatMismatch:
            return answers.mismatch()
        except StoreUnavailable as error:
            log.error("store unavailable", customer=visit.customer.id, detail=str(error))
            return answers.unavailable()
        except Exception:  # a fault of ours never costs the visitor the typed text
            log.exception("fault", customer=visit.customer.id, operation=self._kind.operation.value)
            return answers.fault()

    def _refuse(self, visit: Visit, status: int) -> Response:
        return refuse(visit.request, self._site, status, customer=visit.customer, headers=cors_headers(visit))


def _preflight(visit: Visit) -> Response:
    headers = cors_headers(visit)
    if "Access-Control-Allow-Origin" not in headers:
        return Problem(403, "forbidden", visit.gettext, headers=headers)
    return Response(status_code=204, headers=headers | PREFLIGHT)
