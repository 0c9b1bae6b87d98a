"""The status resource: the outcome of a submission, for programs."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.domain.submission import Status, Submission
from app.storage.database import StoreUnavailableError
from app.web.api_docs.schemas import KEYS, refused
from app.web.http.typed_route import TypedRoute
from app.web.operations.cross_origin import CUSTOMER, preflight
from app.web.operations.customer import Customer, InvalidApiKeyError, caller_key
from app.web.operations.dependencies import Dependencies, Injected
from app.web.operations.problems import CHALLENGE, DATABASE_RETRY_SECONDS, error_response
from app.web.operations.responders import public_status

PATH = "/submissions/{id}"
Moment = Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]

router = APIRouter(route_class=TypedRoute, tags=["outcomes"])


class StepStatusBody(BaseModel):
    operation: str
    status: str
    attempts: int
    result: str | None = Field(description="Vitec's id, for the API key only")


class SubmissionStatus(BaseModel):
    """Without personal data."""

    id: str
    customerId: str
    operation: str
    status: str
    receivedAt: Moment
    deliveredAt: Moment
    attempts: int
    result: str | None = Field(description="Vitec's id, for the API key only")
    steps: list[StepStatusBody]

    @classmethod
    def from_submission(cls, submission: Submission, *, with_ids: bool) -> "SubmissionStatus":
        """`with_ids`: with what Vitec answered, and whether it is held."""
        delivered_at = submission.settled_at if submission.status is Status.DELIVERED else None
        return cls(
            id=submission.id,
            customerId=submission.customer_id,
            operation=submission.operation.value,
            status=submission.status.value if with_ids else public_status(submission.status),
            receivedAt=_moment(submission.received_at),
            deliveredAt=_moment(delivered_at),
            attempts=submission.main.attempts,
            result=submission.main.result if with_ids else None,
            steps=[
                StepStatusBody(
                    operation=step.operation.value,
                    status=step.status.value,
                    attempts=step.attempts,
                    result=step.result if with_ids else None,
                )
                for step in submission.steps
            ],
        )


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


@router.get(
    PATH,
    operation_id="submission",
    summary="Status of a submission",
    response_model=SubmissionStatus,
    response_description="Its status and its steps, without personal data",
    responses=refused("401", "404", "503"),
    openapi_extra={"security": [{}, *KEYS]},
)
async def submission_status(
    request: Request, deps: Injected, id: str, key: Annotated[str, Query(description="as in `statusUrl`")] = ""
) -> Response:
    """For the customer's API key, or by `statusUrl`, whose `key` opens this submission alone. Only with the API key,
    sent to either address, the answer has Vitec's ids. Status and result are those of the first step."""
    linked, with_key = deps.status_links.opens(key, id), "authorization" in request.headers
    if not linked and not with_key:
        return error_response(request, deps, 401, headers=CHALLENGE)
    try:
        submission = await deps.submissions.get(id)
    except StoreUnavailableError:
        return error_response(request, deps, 503, headers={"Retry-After": str(DATABASE_RETRY_SECONDS)})
    customer = deps.customers.get(submission.customer_id) if submission else None
    if with_key:
        owners = [customer] if customer else list(deps.customers.values())
        if not any(_owns(request, owner) for owner in owners):
            return error_response(request, deps, 401, headers=CHALLENGE)
    if submission is None:
        return error_response(request, deps, 404)
    if customer:
        request.scope[CUSTOMER] = customer
    body = SubmissionStatus.from_submission(submission, with_ids=with_key)
    return JSONResponse(body.model_dump(), headers={"Cache-Control": "no-store", "Vary": "Authorization"})


def routes(deps: Dependencies) -> list[Route]:
    """The preflight. It allows the origins of all customers: only the request itself shows whose submission it is."""

    async def options(request: Request) -> Response:
        granted = preflight(request.headers, deps.origins, deps.customers.values())
        return granted or error_response(request, deps, 403)

    return [Route(PATH, options, methods=["OPTIONS"])]


def _owns(request: Request, customer: Customer) -> bool:
    try:
        return caller_key(request.headers, customer) is not None
    except InvalidApiKeyError:
        return False
