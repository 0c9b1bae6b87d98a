"""Contacts for programs with an API key."""

import pydantic_core
from starlette.responses import Response
from starlette.routing import Route

from app.domain.field_errors import FieldError
from app.domain.submission import PATH_ID
from app.operations.contact_lookup import MAX_CONTACTS, READ
from app.vitec.errors import NotFound, VitecError
from app.web.operations.context import RequestContext
from app.web.operations.dependencies import Dependencies
from app.web.operations.problems import Problem, error_response, unanswered
from app.web.operations.routes import operation


def routes(deps: Dependencies) -> list[Route]:
    return [operation(path, deps, READ, _contacts, "GET") for path in READ.paths]


async def _contacts(context: RequestContext) -> Response:
    """The contacts that Vitec knows of 1-20 ids, in Vitec's own members."""
    ids = context.resource[0].split(",")
    if not all(PATH_ID.fullmatch(one) for one in ids):
        return error_response(context.request, context.deps, 404)
    if len(ids) > MAX_CONTACTS:
        fault = FieldError("contactIds", "too_many", {"max_length": MAX_CONTACTS})
        return Problem(400, "validation", context.gettext, faults=[fault])
    try:
        found = await context.deps.contacts(context.customer.id, ids)
    except NotFound:
        return error_response(context.request, context.deps, 404)
    except VitecError as error:
        return unanswered(error, context.gettext)
    content = pydantic_core.to_json([one.members for one in found], inf_nan_mode="null")
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})
