"""The control plane under /_sandbox, which Vitec does not have: received requests and fault injection. No login."""

import json
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from app.sandbox.faults import Fault
from app.sandbox.records import Received
from app.sandbox.state import Office


def control_plane(office: Office) -> Mount:
    """`GET received?after=N`, `POST faults` (201), `DELETE faults` (204), `POST reset` (204)."""

    async def received(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return _json(400, {"message": "after is the number of the last one seen"})
        return _json(200, [_as_json(call) for call in office.received if call.number > int(after)])

    async def inject(request: Request) -> Response:
        try:
            fault = Fault.model_validate_json(await request.body())
        except ValidationError as error:
            return _json(400, {"message": str(error)})
        office.inject(fault)
        return _json(201, fault.model_dump(mode="json", by_alias=True))

    async def clear(request: Request) -> Response:
        office.clear_faults()
        return Response(status_code=204)

    async def reset(request: Request) -> Response:
        office.reset()
        return Response(status_code=204)

    return Mount(
        "/_sandbox",
        routes=[
            Route("/received", received, methods=["GET"]),
            Route("/faults", inject, methods=["POST"]),
            Route("/faults", clear, methods=["DELETE"]),
            Route("/reset", reset, methods=["POST"]),
        ],
    )


def _as_json(call: Received) -> dict[str, Any]:
    return {
        "number": call.number,
        "operation": call.operation,
        "customerId": call.customer_id,
        "path": call.path,
        "at": call.at.isoformat(),
        "status": call.status,
        "answer": call.answer,
        "body": call.body,
        "unknownMembers": call.unknown_members,
        "contactId": call.contact_id,
        "carriedOut": call.carried_out,
    }


def _json(status: int, value: Any) -> Response:
    """JSON in ASCII: a received text may contain unpaired surrogates, which UTF-8 can't encode."""
    return Response(json.dumps(value), status, media_type="application/json")
