"""Answers on the wire, also those that break: cut, or shorter than they say."""

from asyncio import Transport
from typing import cast

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.vitec.sandbox.answers import Answer
from app.vitec.sandbox.faults import Fault

_TRANSPORT = "app.vitec.sandbox.transport"


class WithTransport(Starlette):
    """Puts the connection's transport in the scope: ASGI has no word for "hang up", uvicorn's transport has.

    Uvicorn's `send` is a method of the object that holds the transport; another server, or a wrapped `send`, has none.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await super().__call__(scope, receive, send)


def respond(answer: Answer, fault: Fault | None) -> Response:
    """The answer as it is sent, broken in the way the fault asks for."""
    kind = Response
    if fault and (fault.cut or fault.truncated):
        kind = CutResponse if fault.cut else TruncatedResponse
    # An answer without a body has no type either.
    headers = {"Content-Type": "application/json; charset=utf-8"} if answer.text else {}
    return kind(answer.text, answer.status, headers | dict(answer.headers))


class TruncatedResponse(Response):
    """Half of the body under a Content-Length of the whole and one byte more; then the server hangs up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = str(len(self.body) + 1).encode()
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        start: Message = {
            "type": "http.response.start",
            "status": 200 if self.status_code == 204 else self.status_code,
            "headers": [*headers, (b"content-length", length)],
        }
        await send(start)
        # Returning with more to come is how ASGI breaks off: the server closes the connection.
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})


class CutResponse(TruncatedResponse):
    """The connection is closed without a byte; where no transport is known it is truncated instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = cast(Transport | None, scope.get(_TRANSPORT))
        if transport is None:
            await super().__call__(scope, receive, send)
            return
        transport.abort()
        # Returning before the server has noticed would make it try to answer 500.
        while (await receive())["type"] != "http.disconnect":
            pass
