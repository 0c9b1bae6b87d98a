"""Contacts for programs with an API key."""

from typing import Annotated

import pydantic_core
from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.field_errors import FieldError
from app.domain.submission import PATH_ID
from app.operations.contact_lookup import CONTACT, MAX_CONTACTS, PATH, READ
from app.vitec.errors import NotFoundError, VitecError
from app.web.api_docs.schemas import KEYS, PATH_ID_PATTERN, refused
from app.web.http.typed_route import AnyCasingTypedRoute
from app.web.operations.context import RequestContext
from app.web.operations.dependencies import Dependencies, Injected
from app.web.operations.problems import Problem, error_response, unanswered
from app.web.operations.routes import options_route, respond

router = APIRouter(route_class=AnyCasingTypedRoute, tags=["programs"])


class ContactBody(BaseModel):
    """Vitec's own members."""

    model_config = ConfigDict(extra="allow")

    id: str | None = None


@router.get(
    PATH,
    operation_id="contact",
    summary=CONTACT.summary,
    response_model=list[ContactBody],
    response_description="The contacts that Vitec knows",
    responses=refused("400", "401", "404", "502", "503"),
    openapi_extra={"security": KEYS},
)
async def contacts(
    request: Request,
    deps: Injected,
    customerId: Annotated[str, Path(json_schema_extra={"pattern": PATH_ID_PATTERN}, examples=["M00000"])],
    contactIds: Annotated[str, Path(description="1-20 ids, separated by commas", examples=["C1,C2"])],
) -> Response:
    """Vitec's answer, at `requests_per_second` and never before a delivery that waits."""
    return await respond(request, deps, READ, _contacts, ("GET",))


def routes(deps: Dependencies) -> list[Route]:
    """The preflight."""
    return [options_route(PATH, deps, READ, "GET")]


async def _contacts(context: RequestContext) -> Response:
    """The contacts that Vitec knows of 1-20 ids, in Vitec's own members."""
    ids = context.resource[0].split(",")
    if not all(PATH_ID.fullmatch(contact_id) for contact_id in ids):
        return error_response(context.request, context.deps, 404)
    if len(ids) > MAX_CONTACTS:
        fault = FieldError("contactIds", "too_many", {"max_length": MAX_CONTACTS})
        return Problem(400, "validation", context.gettext, faults=[fault])
    try:
        records = await context.deps.contacts(context.customer.id, ids)
    except NotFoundError:
        return error_response(context.request, context.deps, 404)
    except VitecError as error:
        return unanswered(error, context.gettext)
    content = pydantic_core.to_json([record.members for record in records], inf_nan_mode="null")
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})
