"""A post to any operation, from its body to its answer."""

from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.storage.database import StoreUnavailable
from app.storage.repeats import RepeatMismatch
from app.web.answers import Answers, FormAnswers, JsonAnswers
from app.web.bodies import Body, Media, TooLarge, TooSlow, UnsupportedMedia, media_of, read
from app.web.guard import Forbidden
from app.web.limits import TooMany
from app.web.problems import refuse
from app.web.submit import Faulty, may_post, submit
from app.web.visit import Visit

log = structlog.get_logger()


async def post(visit: Visit) -> Response:
    """A form is answered with pages where the operation has one; everything else with JSON."""
    try:
        media = media_of(visit.headers.get("content-type"))
        if media is Media.JSON and not may_post(visit, None):
            return JsonAnswers(visit).forbidden()
        body = await read(visit.request, media, visit.headers, visit.kind.places)
    except UnsupportedMedia:
        return _refuse(visit, 415)
    except TooLarge:
        return _refuse(visit, 413)
    except TooSlow:
        return _refuse(visit, 408, {"Connection": "close"})  # what may still come is not another request
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    return await _answer(visit, body, FormAnswers(visit, body) if body.form and visit.kind.page else JsonAnswers(visit))


async def _answer(visit: Visit, body: Body, answers: Answers) -> Response:
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
        log.exception("fault", customer=visit.customer.id, operation=visit.kind.operation.value)
        return answers.fault()


def _refuse(visit: Visit, status: int, more: Mapping[str, str] | None = None) -> Response:
    return refuse(visit.request, visit.site, status, customer=visit.customer, headers=more)
