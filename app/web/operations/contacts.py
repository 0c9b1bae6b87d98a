"""Contacts for programs with an API key."""

import pydantic_core
from starlette.responses import Response
from starlette.routing import Route

from app.domain.field_errors import FieldError
from app.domain.submission import PATH_ID
from app.operations.contact_lookup import MAX_CONTACTS, READ
from app.vitec.errors import Forbidden, NotFound, Rejected, Unreadable, VitecError
from app.web.operations.context import RequestContext
from app.web.operations.dependencies import Dependencies
from app.web.operations.problems import Problem, error_response
from app.web.operations.routes import operation

RETRY_SECONDS = 30


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
    except VitecError as error:
        return _refused(context, error)
    content = pydantic_core.to_json([one.members for one in found], inf_nan_mode="null")
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})


def _refused(context: RequestContext, error: VitecError) -> Response:
    if isinstance(error, NotFound):
        return error_response(context.request, context.deps, 404)
    if isinstance(error, Rejected):
        return Problem(400, "upstream-rejected", context.gettext, upstream=error.upstream)
    if isinstance(error, Unreadable | Forbidden):
        return Problem(502, "upstream-unreadable", context.gettext)
    return Problem(503, "upstream-away", context.gettext, headers={"Retry-After": str(RETRY_SECONDS)})
