"""The sandbox as an ASGI app: Vitec Connect's operations at Vitec's paths, and the control plane."""

import asyncio
from asyncio import Transport
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.sandbox.answers import Answer, RefusedError
from app.sandbox.auth import admit
from app.sandbox.control_api import control_plane
from app.sandbox.faults import Fault
from app.sandbox.records import Operation, Received
from app.sandbox.schemas import (
    AddNewViewingParticipant,
    AdvertisingInterestApplication,
    Body,
    FinalPriceWatched,
    Lead,
    LoanPromise,
    ValuationForm,
    ViewingAttendance,
)
from app.sandbox.state import Office
from app.sandbox.validation import parse, read_body, unknown_members


@dataclass(frozen=True)
class Endpoint:
    """One operation: its method and path, the body that it takes and Vitec's name for it, and what the office does."""

    operation: Operation
    method: str
    path: str
    carry_out: Callable[[Office, Mapping[str, str], Any], Answer]
    body: type[Body] | None = None
    parameter: str = ""


ENDPOINTS = (
    Endpoint(
        Operation.INTEREST,
        "POST",
        "/Advertising/Estate/{customerId}/{estateId}/interest",
        lambda office, ids, body: office.register_interest(ids["customerId"], ids["estateId"], body),
        AdvertisingInterestApplication,
        "application",
    ),
    Endpoint(
        Operation.VIEWING,
        "POST",
        "/Viewing/{customerId}/{viewingId}/{timeSlotId}/Participant",
        lambda office, ids, body: office.book(ids["customerId"], ids["viewingId"], ids["timeSlotId"], body),
        AddNewViewingParticipant,
        "participant",
    ),
    Endpoint(
        Operation.LEAD,
        "POST",
        "/CRM/Lead/{customerId}",
        lambda office, ids, body: office.add_lead(ids["customerId"], body),
        Lead,
        "lead",
    ),
    Endpoint(
        Operation.CONTACT,
        "GET",
        "/CRM/Contact/{customerId}/{contactIds}",
        lambda office, ids, _: office.find_contacts(ids["customerId"], ids["contactIds"]),
    ),
    Endpoint(
        Operation.LOAN_PROMISE,
        "POST",
        "/CRM/Buyer/{customerId}/{contactId}/LoanPromise",
        lambda office, ids, body: office.add_loan_promise(ids["customerId"], ids["contactId"], body),
        LoanPromise,
        "loanPromise",
    ),
    Endpoint(
        Operation.ESTATE,
        "GET",
        "/v2/Advertising/Form/{customerId}/Estate/{estateId}",
        lambda office, ids, _: office.find_estate(ids["customerId"], ids["estateId"]),
    ),
    Endpoint(
        Operation.VALUATION,
        "POST",
        "/v2/Advertising/Form/{customerId}/Valuation",
        lambda office, ids, body: office.request_valuation(ids["customerId"], body),
        ValuationForm,
        "form",
    ),
    Endpoint(
        Operation.FINAL_PRICE,
        "POST",
        "/Advertising/Estate/{customerId}/{estateId}/FinalPriceWatched",
        lambda office, ids, body: office.watch_final_price(ids["customerId"], ids["estateId"], body),
        FinalPriceWatched,
        "finalPriceWatched",
    ),
    Endpoint(
        Operation.CANCELLATION,
        "PUT",
        "/Advertising/Message/{customerId}/Estate/{estateId}/Viewing/Attendee/{contactId}/OptOut",
        lambda office, ids, _: office.opt_out(ids["customerId"], ids["estateId"], ids["contactId"]),
    ),
    Endpoint(
        Operation.ATTEND,
        "POST",
        "/v2/Advertising/Form/{customerId}/Estate/{estateId}/Viewing/Attend",
        lambda office, ids, body: office.attend(ids["customerId"], ids["estateId"], body),
        ViewingAttendance,
        "application",
    ),
)


def create_sandbox(office: Office) -> Starlette:
    """The ASGI app for `office`. It changes the office's state, so it must run in a single event loop."""
    routes = [
        Route(endpoint.path, _handler(office, endpoint), methods=[endpoint.method], name=endpoint.operation)
        for endpoint in ENDPOINTS
    ]
    app = WithTransport(routes=[*routes, control_plane(office)], exception_handlers={HTTPException: _no_such_resource})
    app.router.redirect_slashes = False  # Vitec's paths are exact, and a redirect would hide a wrong one
    return app


def _handler(office: Office, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        raw = await request.body()
        fault = office.faults.take(endpoint.operation, request.path_params)
        carry_out = partial(_carry_out, office, endpoint, request, raw)
        answer = fault.apply(carry_out) if fault else carry_out()
        # Recorded before any delay, so that a slow request can be seen to have arrived.
        office.received.append(_received(office, endpoint, request, raw, answer, cut=fault is not None and fault.cut))
        if fault:
            await asyncio.sleep(fault.delay_seconds)
        return respond(answer, fault)

    return handle


def _carry_out(office: Office, endpoint: Endpoint, request: Request, raw: bytes) -> Answer:
    """The answer without faults. Checks are made in this order: login, access, body, resource."""
    ids, headers = request.path_params, request.headers
    try:
        authorization = headers.get("Authorization", "")
        admit(authorization, office.username, office.customers, ids["customerId"], endpoint.path)
        body = None
        if endpoint.body is None and raw:
            raise RefusedError(400, "The request has a body, and none is expected.")
        if endpoint.body:
            body = read_body(raw, headers.get("Content-Type", ""), endpoint.body, endpoint.parameter)
        return endpoint.carry_out(office, ids, body)
    except RefusedError as refusal:
        return refusal.answer


def _received(
    office: Office, endpoint: Endpoint, request: Request, raw: bytes, answer: Answer, *, cut: bool
) -> Received:
    body, unknown = _sent(endpoint, raw)
    return Received(
        number=len(office.received) + 1,
        operation=endpoint.operation,
        customer_id=request.path_params["customerId"],
        path=request.scope["path"],
        at=office.now(),
        status=None if cut else answer.status,
        answer=None if cut else answer.value,
        body=body,
        unknown_members=unknown,
        contact_id=answer.contact_id,
        carried_out=answer.carried_out,
    )


def _sent(endpoint: Endpoint, raw: bytes) -> tuple[Any, tuple[str, ...]]:
    if endpoint.body is None:
        return None, ()
    try:
        value = parse(raw)
    except ValueError:
        return raw.decode(errors="replace"), ()
    return value, tuple(unknown_members(value, endpoint.body))


async def _no_such_resource(request: Request, error: Exception) -> Response:
    """404 for a path and 405 for a method that Vitec does not have."""
    assert isinstance(error, HTTPException)
    answer = Answer.of(error.status_code, {"message": "No HTTP resource was found that matches the request."})
    return respond(replace(answer, headers=error.headers or {}), None)


_TRANSPORT = "app.sandbox.transport"


class WithTransport(Starlette):
    """Puts the connection's transport in the scope: ASGI can't close a connection, but uvicorn's transport can.

    Uvicorn's `send` is a method of the object that holds the transport. Another server's, or a wrapped one, is not.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await super().__call__(scope, receive, send)


def respond(answer: Answer, fault: Fault | None) -> Response:
    """The response to send, broken in the way that the fault asks for."""
    response_class = Response
    if fault and (fault.cut or fault.truncated or fault.stalled):
        response_class = CutResponse if fault.cut else StalledResponse if fault.stalled else TruncatedResponse
    # Without a body there is no Content-Type either.
    headers = {"Content-Type": "application/json; charset=utf-8"} if answer.text else {}
    return response_class(answer.text, answer.status, headers | dict(answer.headers))


class TruncatedResponse(Response):
    """Sends half of the body, with a Content-Length of one byte more than the whole; then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = str(len(self.body) + 1).encode()
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        start: Message = {
            "type": "http.response.start",
            "status": 200 if self.status_code == 204 else self.status_code,
            "headers": [*headers, (b"content-length", length)],
        }
        await send(start)
        # Returning although there is more makes the server close the connection.
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})


class StalledResponse(TruncatedResponse):
    """Sends the same half, and then nothing until the caller closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().__call__(scope, receive, send)
        while (await receive())["type"] != "http.disconnect":
            pass


class CutResponse(TruncatedResponse):
    """Closes the connection without sending a byte. If the transport is unknown, truncates instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = cast(Transport | None, scope.get(_TRANSPORT))
        if transport is None:
            await super().__call__(scope, receive, send)
            return
        transport.abort()
        # Returning before the server has noticed would make it try to answer 500.
        while (await receive())["type"] != "http.disconnect":
            pass
